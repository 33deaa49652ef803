"""How a node looks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from ddsp_studio.processors.catalogue import specs
from ddsp_studio.processors.declare import Signal
from ddsp_studio.ui import theme
from ddsp_studio.ui.canvas.geometry import Row, RowKind, Socket, field_rect
from ddsp_studio.ui.canvas.style import (
    METER,
    MISSING,
    PILL,
    PLAIN_BELOW,
    ROW,
    SOCKET,
    TAG_ROOM,
    TITLE,
    category_colour,
    socket_path,
)
from ddsp_studio.ui.widgets.bars import paint_bars
from ddsp_studio.ui.widgets.number_field import depth_rect, fill_rect, paint_fill
from ddsp_studio.ui.widgets.paint import elided, font, ink
from ddsp_studio.ui.widgets.texts import readable

if TYPE_CHECKING:
    from ddsp_studio.ui.canvas.node_item import NodeItem

_CORNER, _INSET = 2.5, 12.0
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_FULL_SCALE_DB, _FLOOR_DB = 0.0, -60.0


def paint(item: NodeItem, painter: QPainter, zoom: float) -> None:
    """Paint a node at a zoom factor."""
    hue = category_colour(item.spec.category) if item.spec else MISSING
    if zoom < PLAIN_BELOW:
        _plain(item, painter, hue)
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setOpacity(1.0)
    painter.fillRect(item.geometry.rect, ink(theme.CANVAS))  # so that cables below never show through
    painter.setOpacity(0.4 if item.allowed is not None and not _takes(item) else 1.0)
    _body(item, painter, hue)
    painter.setOpacity(painter.opacity() * (0.55 if item.node.muted or item.node.bypassed else 1.0))
    _title(item, painter, hue)
    for row in item.geometry.rows:
        _ROW_PAINTERS[row.kind](item, painter, row)
    if item.spec is None:
        _missing(item, painter)
    if item.node.bypassed:
        _bypass_path(item, painter)
    for socket in item.geometry.sockets.values():
        _socket(item, painter, socket)
        if outer := item.exposed.get(socket.port.name):
            _tag(painter, socket, outer, beside_amount=not socket.is_outlet and socket.port.name in item.depths)
    if item.problem:
        _problem(item, painter, item.problem[1])


def _missing(item: NodeItem, painter: QPainter) -> None:
    """What is not installed here, in the node's last row."""
    painter.setPen(ink(MISSING))
    painter.setFont(font(11))
    last = item.geometry.rect.adjusted(_INSET, 0, -_INSET, -4)
    known = item.node.type in specs()
    text = f"needs version {item.node.version}" if known else f"{item.node.type} is not installed"
    painter.drawText(QRectF(last.left(), last.bottom() - ROW, last.width(), ROW), _LEFT, elided(painter, text, last.width()))


def _tag(painter: QPainter, socket: Socket, outer: str, *, beside_amount: bool) -> None:
    """What an exposed port is called outside, on a flag beside its socket, or beside the amount that stands there."""
    painter.setFont(font(10))
    text = elided(painter, readable(outer), TAG_ROOM - PILL[0] - 44.0)
    width = painter.fontMetrics().horizontalAdvance(text) + 12.0
    away = SOCKET + 7.0 + (PILL[0] + 14.0 if beside_amount else 0.0)
    edge = socket.place.x() + away * (1.0 if socket.is_outlet else -1.0)
    box = QRectF(edge if socket.is_outlet else edge - width, socket.place.y() - 8.0, width, 16.0)
    hue = ink(category_colour("group"))
    painter.setPen(QPen(hue, 1.2))
    painter.drawLine(QPointF(edge, socket.place.y()), QPointF(socket.place.x(), socket.place.y()))
    painter.setBrush(ink(theme.PANEL))
    painter.drawRoundedRect(box, 3.0, 3.0)
    painter.setPen(ink(theme.TEXT))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


def paint_levels(item: NodeItem, painter: QPainter, zoom: float) -> None:
    """Paint nothing but the level thumbnail and the title's ground around it."""
    if zoom >= PLAIN_BELOW and item.has_levels():
        hue = category_colour(item.spec.category) if item.spec else MISSING
        painter.setOpacity(0.4 if item.allowed is not None and not _takes(item) else 1.0)
        around = METER.adjusted(-3.0, -3.0, 3.0, 3.0)
        painter.fillRect(around, ink(theme.PANEL))
        painter.fillRect(around, _title_ink(item, hue))
        _levels(item, painter, hue)


def _title_ink(item: NodeItem, hue: str) -> QColor:
    return ink(hue, 0.26 if item.selected or item.hovered else 0.18)


def _takes(item: NodeItem) -> bool:
    return any(socket.port in (item.allowed or ()) for socket in item.geometry.sockets.values())


def _plain(item: NodeItem, painter: QPainter, hue: str) -> None:
    rect = item.geometry.rect
    painter.fillRect(rect, ink(theme.RAISED))
    painter.fillRect(QRectF(rect.left(), rect.top(), rect.width(), TITLE), ink(hue, 0.8))
    edge = theme.DANGER if item.problem else theme.SELECTION if item.selected else None
    if edge:
        painter.setPen(QPen(ink(edge), 5.0))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(rect)


def _body(item: NodeItem, painter: QPainter, hue: str) -> None:
    rect = item.geometry.rect
    if item.node.inside is not None:
        _stack(painter, rect, hue)
    else:
        painter.fillRect(QRectF(rect.left() + 3.0, rect.bottom(), rect.width() - 3.0, 3.0), ink("#000000", 0.3))
    painter.fillRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), ink(theme.PANEL))
    painter.fillRect(QRectF(0.5, 0.5, rect.width() - 1.0, TITLE - 0.5), _title_ink(item, hue))
    painter.fillRect(QRectF(0.5, 0.5, rect.width() - 1.0, 2.5), ink(hue))
    edge = (
        theme.DANGER if item.problem else theme.SELECTION if item.selected else theme.TEXT_FAINT if item.hovered else theme.BORDER
    )
    pen = QPen(ink(edge), 2.0 if item.selected or item.problem else 1.0)
    if item.spec is None:
        pen = QPen(ink(MISSING), 1.5, Qt.PenStyle.DashLine)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(rect, _CORNER, _CORNER)


def _stack(painter: QPainter, rect: QRectF, hue: str) -> None:
    """The edges of more cards under this one: a group holds nodes."""
    for depth in (2, 1):
        low = rect.bottom() + 3.0 * depth
        painter.fillRect(QRectF(rect.left() + 4.0 * depth, low - 3.0, rect.width() - 8.0 * depth, 3.0), ink(theme.RAISED))
        painter.fillRect(QRectF(rect.left() + 4.0 * depth, low - 1.0, rect.width() - 8.0 * depth, 1.0), ink(hue, 0.7))


def _title(item: NodeItem, painter: QPainter, hue: str) -> None:
    rect = QRectF(_INSET, 2.0, item.geometry.rect.width() - 2 * _INSET, TITLE - 2.0)
    levels = item.has_levels()
    badge = "MUTED" if item.node.muted else "BYPASS" if item.node.bypassed else ""
    room = rect.width() - (48.0 if levels or badge else 0.0)
    if item.node.inside is not None:
        _group_sign(painter, rect, hue)
        rect, room = rect.adjusted(16.0, 0.0, 0.0, 0.0), room - 16.0
    kind = item.node.type
    named = item.title.replace("_", "").lower() != kind.lower()
    painter.setFont(font(12, bold=True))
    painter.setPen(ink(theme.TEXT))
    painter.drawText(rect.adjusted(0.0, 0.0, 0.0, -13.0 if named else 0.0), _LEFT, elided(painter, item.title, room))
    if named:
        painter.setFont(font(10))
        painter.setPen(ink(theme.TEXT_SOFT))
        painter.drawText(rect.adjusted(0.0, 15.0, 0.0, 0.0), _LEFT, elided(painter, kind, room))
    if badge:
        painter.setPen(ink(theme.WARNING))
        painter.drawText(rect, _RIGHT, badge)
    elif levels:
        _levels(item, painter, hue)


def _group_sign(painter: QPainter, rect: QRectF, hue: str) -> None:
    """Two squares, one in the other's corner."""
    middle = rect.center().y()
    painter.setPen(QPen(ink(hue), 1.2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(QRectF(rect.left() + 0.5, middle - 5.0, 7.0, 7.0))
    painter.setBrush(ink(hue, 0.8))
    painter.drawRect(QRectF(rect.left() + 3.5, middle - 2.0, 7.0, 7.0))


def _levels(item: NodeItem, painter: QPainter, hue: str) -> None:
    heights = [_meter_height(level) for level in item.levels]
    painter.fillRect(METER, ink(theme.CANVAS, 0.8))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
    loudest = max(list(item.levels)[-4:])
    paint_bars(painter, METER.adjusted(1, 1, -1, -1), heights, theme.DANGER if loudest > 1.0 else hue)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)


def _meter_height(rms: float) -> float:
    decibels = 20.0 * math.log10(max(rms, 1e-9))
    return min(max((decibels - _FLOOR_DB) / (_FULL_SCALE_DB - _FLOOR_DB), 0.0), 1.0)


def _name_colour(item: NodeItem, name: str, *, is_outlet: bool) -> str:
    if item.allowed is None:
        return theme.TEXT_SOFT
    socket = item.geometry.socket(name, is_outlet=is_outlet)
    return theme.TEXT if socket and socket.port in item.allowed else theme.TEXT_FAINT


def _ports(item: NodeItem, painter: QPainter, row: Row) -> None:
    painter.setFont(font(11))
    rect = row.rect.adjusted(_INSET, 0.0, -_INSET, 0.0)
    for name, is_outlet, alignment in ((row.name, False, _LEFT), (row.outlet, True, _RIGHT)):
        painter.setPen(ink(_name_colour(item, name, is_outlet=is_outlet)))
        half = rect.width() / 2.0 if row.name and row.outlet else rect.width()
        painter.drawText(rect, alignment, elided(painter, readable(name), half))


def _value(item: NodeItem, painter: QPainter, row: Row) -> None:
    if item.spec is None:
        return
    control, box = item.spec.controls[row.name], field_rect(row)
    value, driver = item.values[row.name][0], item.driven_by.get(row.name)
    painter.fillRect(box, ink(theme.CANVAS, 0.75 if driver is None else 0.35))
    if driver is None:
        paint_fill(painter, fill_rect(box, control, value))
        for depth in item.depths.get(row.name, ()):
            painter.fillRect(depth_rect(box, control.to_knob(value), depth), ink(theme.CONTROL if depth >= 0.0 else theme.NOTES))
    inner = box.adjusted(7.0, 0.0, -6.0, 0.0)
    painter.setFont(font(11))
    text = elided(painter, control.format(value) if driver is None else driver, inner.width() * 0.6)
    painter.setPen(ink(theme.TEXT if driver is None else theme.TEXT_FAINT))
    painter.drawText(inner, _RIGHT, text)
    painter.setPen(ink(_name_colour(item, row.name, is_outlet=False)))
    room = inner.width() - painter.fontMetrics().horizontalAdvance(text) - 6.0
    painter.drawText(inner, _LEFT, elided(painter, readable(row.name), room))


def _bars(item: NodeItem, painter: QPainter, row: Row) -> None:
    if item.spec is None:
        return
    control, box = item.spec.controls[row.name], field_rect(row)
    driver = item.driven_by.get(row.name)
    painter.fillRect(box, ink(theme.CANVAS, 0.75))
    heights = [control.to_knob(value) for value in item.values[row.name]]
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
    paint_bars(painter, box.adjusted(2.0, 14.0, -2.0, -1.0), heights, theme.ACCENT if driver is None else theme.TEXT_FAINT)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(font(10))
    painter.setPen(ink(_name_colour(item, row.name, is_outlet=False)))
    inner = QRectF(box.left() + 7.0, box.top() + 1.0, box.width() - 13.0, 13.0)
    painter.drawText(inner, _LEFT, elided(painter, readable(row.name), inner.width() * 0.6))
    painter.setPen(ink(theme.TEXT_FAINT))
    painter.drawText(inner, _RIGHT, elided(painter, driver or str(len(heights)), inner.width() * 0.45))


def _option(item: NodeItem, painter: QPainter, row: Row) -> None:
    if item.spec is None:
        return
    inner = field_rect(row).adjusted(7.0, 0.0, -6.0, 0.0)
    painter.setFont(font(11))
    chosen = f"{item.spec.option_values(item.node.options)[row.name]}  ▾"
    text = elided(painter, chosen, inner.width() * 0.62)
    painter.setPen(ink(theme.TEXT))
    painter.drawText(inner, _RIGHT, text)
    painter.setPen(ink(theme.TEXT_SOFT))
    room = inner.width() - painter.fontMetrics().horizontalAdvance(text) - 6.0
    painter.drawText(inner, _LEFT, elided(painter, readable(row.name), room))


def _more(item: NodeItem, painter: QPainter, row: Row) -> None:
    painter.setFont(font(10))
    painter.setPen(ink(theme.TEXT_FAINT))
    text = f"▸ {row.name} more" if row.name != "0" and not item.unfolded else "▾ fewer"
    painter.drawText(row.rect.adjusted(_INSET + 4.0, 0.0, -_INSET, 0.0), _LEFT, text)


_ROW_PAINTERS = {
    RowKind.PORTS: _ports,
    RowKind.VALUE: _value,
    RowKind.BARS: _bars,
    RowKind.OPTION: _option,
    RowKind.MORE: _more,
}


def _socket(item: NodeItem, painter: QPainter, socket: Socket) -> None:
    colour = theme.SIGNAL[socket.signal.value]
    lit = socket.port == item.lit_port
    dimmed = item.allowed is not None and socket.port not in item.allowed
    painter.save()
    painter.setOpacity(0.25 if dimmed else 1.0)
    path = socket_path(socket.signal, socket.place, SOCKET + (2.0 if lit else 0.0))
    full = (socket.is_outlet, socket.port.name) in item.plugged or lit
    painter.setPen(QPen(ink(theme.TEXT if lit else colour), 1.6))
    painter.setBrush(ink(colour) if full else ink(theme.CANVAS))
    painter.drawPath(path)
    painter.restore()


def _bypass_path(item: NodeItem, painter: QPainter) -> None:
    """A dashed line from the first audio inlet to the first audio outlet: the way the sound takes."""
    audio = [s for s in item.geometry.sockets.values() if s.signal is Signal.AUDIO]
    inlet = next((s for s in audio if not s.is_outlet), None)
    outlet = next((s for s in audio if s.is_outlet), None)
    if inlet is None or outlet is None:
        return
    painter.save()
    painter.setOpacity(1.0)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(ink(theme.AUDIO), 2.0, Qt.PenStyle.DashLine))
    path = QPainterPath(inlet.place)
    bottom = TITLE - 6.0
    path.cubicTo(
        inlet.place + QPointF(40.0, bottom - inlet.place.y()),
        outlet.place + QPointF(-40.0, bottom - outlet.place.y()),
        outlet.place,
    )
    painter.drawPath(path)
    painter.restore()


def _problem(item: NodeItem, painter: QPainter, reason: str) -> None:
    """The reason why the engine refused this node, under it."""
    rect = QRectF(0.0, item.geometry.rect.bottom() + 4.0, item.geometry.rect.width(), 36.0)
    path = QPainterPath()
    path.addRoundedRect(rect, 4.0, 4.0)
    painter.fillPath(path, ink("#3a1f22", 0.95))
    painter.setPen(ink(theme.DANGER))
    painter.setFont(font(10))
    wrap = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignVCenter
    painter.drawText(rect.adjusted(6.0, 2.0, -6.0, -2.0), int(wrap), elided(painter, reason, rect.width() * 1.8))
