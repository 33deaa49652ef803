"""Sizes and colours of the node editor, in scene units (logical pixels at 100 %)."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainterPath, QPen

from ddsp_studio.processors.declare import Signal
from ddsp_studio.ui import theme

GRID = 16.0
"""Nodes snap to multiples of this."""
WIDTH, TITLE, ROW, BARS_ROW, FOOT = 184.0, 34.0, 22.0, 48.0, 6.0
SOCKET = 5.0
"""Radius of a socket."""
REACH = 11.0
"""How far from a socket's or cable's middle a click still takes it, in view pixels."""
PLAIN_BELOW = 0.35
"""Zoom under which nodes are plain rectangles."""
TAG_ROOM = 200.0
"""Room beside a node for the names that a group shows its ports under."""
PILL = (54.0, 18.0)
"""Size of the amount shown on a modulation cable."""
METER = QRectF(WIDTH - 52.0, 12.0, 42.0, 12.0)
"""Where a node shows its level, in its own coordinates."""

CATEGORY = {
    "source": "#b798f0",
    "control": "#5ec2b7",
    "synth": "#e9a94f",
    "filter": "#7fb4ff",
    "effect": "#e58bb0",
    "mix": "#a9c46c",
    "output": "#dfe3ea",
    "neural": "#f08a5d",
    "group": "#93a4c3",
}
"""Colour of each category; unknown ones are grey."""
MISSING = theme.DANGER

_RETURN_FROM, _OUT, _ABOVE = 120.0, 24.0, TITLE + 3.0 * ROW + 4.0
_DASHES = {Signal.AUDIO: None, Signal.CONTROL: [5.0, 3.0], Signal.NOTES: [1.0, 2.2], Signal.CLOCK: [1.0, 4.0], Signal.INPUT: None}


def category_colour(category: str) -> str:
    """The colour of a category."""
    return CATEGORY.get(category.lower(), theme.TEXT_SOFT)


def cable_pen(signal: Signal, *, modulation: bool = False, lit: bool = False) -> QPen:
    """How a cable is drawn: colour and dash say what it carries; modulations are thinner."""
    pen = QPen(theme.colour(theme.SIGNAL[signal.value]), (1.6 if modulation else 2.4) + (1.0 if lit else 0.0))
    pen.setCapStyle(Qt.PenCapStyle.RoundCap if signal is Signal.NOTES else Qt.PenCapStyle.FlatCap)
    if (dash := _DASHES[signal]) is not None:
        pen.setDashPattern(dash)
    return pen


def socket_path(signal: Signal, centre: QPointF, radius: float = SOCKET) -> QPainterPath:
    """The shape of a socket: a disc for audio, a diamond for control, a square for notes."""
    path = QPainterPath()
    if signal is Signal.AUDIO:
        path.addEllipse(centre, radius, radius)
    elif signal is Signal.NOTES:
        path.addRect(centre.x() - radius * 0.85, centre.y() - radius * 0.85, radius * 1.7, radius * 1.7)
    else:
        reach = radius * 1.25
        path.moveTo(centre.x(), centre.y() - reach)
        for dx, dy in ((reach, 0.0), (0.0, reach), (-reach, 0.0)):
            path.lineTo(centre.x() + dx, centre.y() + dy)
        path.closeSubpath()
    return path


def cable_path(start: QPointF, end: QPointF) -> QPainterPath:
    """A cable's curve from an outlet to an inlet; it leaves to the right and arrives from the left."""
    dx, dy = end.x() - start.x(), end.y() - start.y()
    if dx < 0.0 and abs(dy) > _RETURN_FROM:
        return _return_path(start, end)
    back = min(60.0 - dx * 0.35 + abs(dy) * 0.1, 220.0)
    bend = max(min(dx * 0.5, 160.0), min(36.0, dx + abs(dy))) if dx > 0.0 else back
    path = QPainterPath(start)
    path.cubicTo(start.x() + bend, start.y(), end.x() - bend, end.y(), end.x(), end.y())
    return path


def _return_path(start: QPointF, end: QPointF) -> QPainterPath:
    """A cable that goes back to the left, to another row: along a line above its target (or half-way, going up).

    The line is above the target's title for each of its first three sockets, so that it runs behind no node of that row.
    """
    down = end.y() > start.y()
    level = max(end.y() - _ABOVE, (start.y() + end.y()) / 2.0) if down else (start.y() + end.y()) / 2.0
    right, left = start.x() + _OUT, end.x() - _OUT
    corners = [QPointF(right, start.y()), QPointF(right, level), QPointF(left, level), QPointF(left, end.y())]
    path = QPainterPath(start)
    for before, corner, after in zip([start, *corners], corners, [*corners[1:], end], strict=False):
        path.lineTo(_towards(corner, before))
        path.quadTo(corner, _towards(corner, after))
    path.lineTo(end)
    return path


def _towards(place: QPointF, other: QPointF) -> QPointF:
    """A point a corner's radius from `place` on the way to `other`, half-way at most."""
    apart = other - place
    length = max(abs(apart.x()), abs(apart.y()), 1e-6)
    return place + apart * (min(_OUT * 0.8, length / 2.0) / length)
