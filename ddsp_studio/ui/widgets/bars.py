"""Drawable bars for a control of many channels: draw across them, Shift or the right button draws straight lines."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QMenu, QSizePolicy, QWidget

from ddsp_studio.processors.declare import Control
from ddsp_studio.ui import theme
from ddsp_studio.ui.widgets import bar_shapes
from ddsp_studio.ui.widgets.paint import elided, font, ink
from ddsp_studio.ui.widgets.texts import control_tip, readable

_HEIGHT, _HEADER = 132, 18
_KEY_STEP, _REST_MS = 0.02, 400
_CLICK = 4.0


def paint_bars(painter: QPainter, rect: QRectF, heights: Sequence[float], colour: str, lit: int = -1) -> None:
    """Paint bars of heights 0..1 into a rectangle, all in one call; the bar `lit` in a brighter colour."""
    pitch = rect.width() / max(len(heights), 1)
    gap = 1.0 if pitch >= 4.0 else 0.0
    boxes = [
        QRectF(rect.left() + i * pitch, rect.bottom() - h * rect.height(), pitch - gap, h * rect.height())
        for i, h in enumerate(heights)
    ]
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ink(colour))
    painter.drawRects(boxes)
    if 0 <= lit < len(boxes):
        painter.fillRect(boxes[lit], ink(theme.TEXT))


class Bars(QWidget):
    """All channels of a control as bars. `previewed` carries the values of every move, `committed` ends a gesture."""

    previewed = Signal(object)
    committed = Signal()
    cancelled = Signal()
    menu_opening = Signal(QMenu)

    def __init__(self, name: str, control: Control, values: Sequence[float], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name, self.control = name, control
        self._values, self._lit, self._driven_by = tuple(values), -1, ""
        self._last: QPointF | None = None
        self._line: tuple[QPointF, tuple[float, ...]] | None = None
        self._button = Qt.MouseButton.NoButton
        self._rest = QTimer(self, singleShot=True, interval=_REST_MS)
        self._rest.timeout.connect(self.committed)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(_HEIGHT)
        self.setAccessibleName(readable(name))
        self.setAccessibleDescription(f"{len(values)} bars")
        self.setToolTip(
            control_tip(name, control, self._values) + "\nDraw with the mouse; Shift or the right button draws a line"
        )

    def sizeHint(self) -> QSize:
        """Wide enough to draw in."""
        return QSize(240, _HEIGHT)

    @property
    def values(self) -> tuple[float, ...]:
        """The values shown, in real units."""
        return self._values

    def set_values(self, values: Sequence[float]) -> None:
        """Show values, one a channel; emits nothing."""
        if tuple(values) != self._values:
            self._values = tuple(values)
            self.setAccessibleDescription(f"{len(values)} bars")
            self.update()

    def set_driven_by(self, source: str) -> None:
        """Name the cable that sets this control; "" if there is none."""
        self._driven_by = source
        self.update()

    def heights(self) -> tuple[float, ...]:
        """The values as positions in 0..1."""
        return tuple(self.control.to_knob(v) for v in self._values)

    def _preview(self, heights: Sequence[float]) -> None:
        old = self.heights()
        kept = tuple(v if a == b else self.control.from_knob(b) for v, a, b in zip(self._values, old, heights, strict=True))
        if kept != self._values:
            self._values = kept
            self.update()
            self.previewed.emit(kept)

    # -- drawing with the mouse ---------------------------------------------------------------------------------------

    def _area(self) -> QRectF:
        return QRectF(self.rect()).adjusted(5, _HEADER + 3, -5, -5)

    def _share(self, point: QPointF) -> tuple[float, float]:
        area = self._area()
        return (point.x() - area.left()) / area.width(), 1.0 - (point.y() - area.top()) / area.height()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a stroke, or with Shift or the right button a line."""
        if event.button() not in (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton) or self._last is not None:
            return
        self._button, self._last = event.button(), event.position()
        straight = event.button() is Qt.MouseButton.RightButton or event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        self._line = (event.position(), self.heights()) if straight else None
        if event.button() is Qt.MouseButton.LeftButton:
            self._draw_to(event.position())

    def _draw_to(self, point: QPointF) -> None:
        if self._line is not None:
            self._preview(bar_shapes.stroke(self._line[1], self._share(self._line[0]), self._share(point)))
        elif self._last is not None:
            self._preview(bar_shapes.stroke(self.heights(), self._share(self._last), self._share(point)))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Draw, and show the bar under the pointer."""
        self._light(bar_shapes.index_at(self._share(event.position())[0], len(self._values)))
        if self._last is not None and not self._is_click(event.position()):
            self._draw_to(event.position())
            if self._line is None:
                self._last = event.position()

    def _is_click(self, point: QPointF) -> bool:
        pressed_at = self._line[0] if self._line else point
        still = self._line is not None and self._line[1] == self.heights()
        return self._button is Qt.MouseButton.RightButton and still and (point - pressed_at).manhattanLength() < _CLICK

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the stroke; a right click that drew nothing opens the menu."""
        if event.button() is not self._button or self._last is None:
            return
        clicked = self._is_click(event.position())
        self._last, self._line, self._button = None, None, Qt.MouseButton.NoButton
        if clicked:
            self._open_menu(event.globalPosition().toPoint())
        else:
            self.committed.emit()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The menu key opens the menu; the right button draws, and opens it on release if it drew nothing."""
        if event.reason() is QContextMenuEvent.Reason.Keyboard:
            self._open_menu(self.mapToGlobal(self.rect().center()))
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        """No bar is under the pointer."""
        if not self.hasFocus():
            self._light(-1)

    def _light(self, index: int) -> None:
        if index != self._lit:
            self._lit = index
            self.update()

    # -- keys and menu ------------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right choose a bar, up and down move it, Escape gives up a stroke."""
        key, last = event.key(), len(self._values) - 1
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self._light(min(max(self._lit + (1 if key == Qt.Key.Key_Right else -1), 0), last))
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down) and self._lit >= 0:
            heights = list(self.heights())
            heights[self._lit] = min(max(heights[self._lit] + (_KEY_STEP if key == Qt.Key.Key_Up else -_KEY_STEP), 0.0), 1.0)
            self._preview(heights)
            self._rest.start()
        elif key == Qt.Key.Key_Escape and self._last is not None:
            self._last = self._line = None
            self.cancelled.emit()
        else:
            super().keyPressEvent(event)

    def apply(self, change: Callable[[Sequence[float]], Sequence[float]]) -> None:
        """Change all bars at once as one gesture; `change` maps heights 0..1 to heights."""
        self._preview(change(self.heights()))
        self.committed.emit()

    def reset(self) -> None:
        """Go to the default."""
        self._values = self.control.defaults(len(self._values))
        self.update()
        self.previewed.emit(self._values)
        self.committed.emit()

    def _open_menu(self, at: QPoint) -> None:
        menu = QMenu(self)
        for text, change in (
            ("Normalise", bar_shapes.normalised),
            ("Smooth", bar_shapes.smoothed),
            ("Invert", bar_shapes.inverted),
            ("Randomise", bar_shapes.randomised),
        ):
            menu.addAction(text, functools.partial(self.apply, change))
        shapes = menu.addMenu("Shape")
        for name in bar_shapes.SHAPES:
            shapes.addAction(name, functools.partial(self._shape, name))
        menu.addSeparator()
        menu.addAction("Reset to default", self.reset)
        self.menu_opening.emit(menu)
        menu.exec(at)
        menu.deleteLater()

    def _shape(self, name: str) -> None:
        self.apply(lambda heights: bar_shapes.shaped(name, len(heights)))

    # -- painting -----------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the header with name and reading, the grid and the bars."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(self.rect()).adjusted(0.5, _HEADER + 0.5, -0.5, -0.5)
        painter.setPen(QPen(ink(theme.ACCENT if self.hasFocus() else theme.BORDER), 1.0))
        painter.setBrush(ink(theme.CANVAS))
        painter.drawRoundedRect(frame, theme.RADIUS, theme.RADIUS)
        area = self._area()
        painter.setPen(QPen(ink(theme.GRID), 1.0))
        for share in (0.25, 0.5, 0.75):
            height = round(area.top() + area.height() * share) + 0.5
            painter.drawLine(QPointF(area.left(), height), QPointF(area.right(), height))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
        paint_bars(painter, area, self.heights(), theme.TEXT_FAINT if self._driven_by else theme.ACCENT, self._lit)
        self._header(painter)

    def _header(self, painter: QPainter) -> None:
        painter.setFont(font(11))
        rect = QRectF(1, 0, self.width() - 2, _HEADER - 2)
        reading = f"{len(self._values)} bars"
        if 0 <= self._lit < len(self._values):
            reading = f"#{self._lit + 1}   {self.control.format(self._values[self._lit])}"
        elif self._driven_by:
            reading = f"⟵ {self._driven_by}"
        painter.setPen(ink(theme.TEXT if self._lit >= 0 else theme.TEXT_FAINT))
        painter.drawText(rect, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, reading)
        painter.setPen(ink(theme.TEXT_SOFT))
        name = elided(painter, readable(self.name), rect.width() - painter.fontMetrics().horizontalAdvance(reading) - 10)
        painter.drawText(rect, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, name)
