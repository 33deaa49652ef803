"""A number field: name on the left, value on the right, filled to the value's place in its range."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from ddsp_studio.processors.declare import Control
from ddsp_studio.ui import theme
from ddsp_studio.ui.widgets.paint import elided, font, ink
from ddsp_studio.ui.widgets.texts import readable
from ddsp_studio.ui.widgets.value_widget import ValueWidget

_HEIGHT, _EDGE = 24, 2.0


class NumberField(ValueWidget):
    """A control of one channel as a field."""

    def __init__(self, name: str, control: Control, parent: QWidget | None = None) -> None:
        super().__init__(name, control, parent)
        self.setFixedHeight(_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Wide enough for a name and a value."""
        return QSize(160, _HEIGHT)

    def type_in_rect(self) -> QRect:
        """The right half, where the value is."""
        return self.rect().adjusted(self.width() // 2, 1, -1, -1)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint fill, modulation, name and value."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        outline = QPainterPath()
        outline.addRoundedRect(frame, theme.RADIUS, theme.RADIUS)
        painter.fillPath(outline, ink(theme.RAISED if self.underMouse() else theme.CANVAS))
        painter.save()
        painter.setClipPath(outline)
        if not self._driven_by:
            paint_fill(painter, fill_rect(frame, self.control, self._value))
        for depth in self._depths:
            painter.fillRect(depth_rect(frame, self.knob(), depth), ink(theme.CONTROL if depth >= 0 else theme.NOTES))
        painter.restore()
        painter.setPen(QPen(ink(theme.ACCENT if self.hasFocus() else theme.BORDER), 1.0))
        painter.drawPath(outline)
        self._texts(painter, frame.adjusted(8, 0, -8, 0))

    def _texts(self, painter: QPainter, rect: QRectF) -> None:
        painter.setFont(font(12))
        shown = f"⟵ {self._driven_by}" if self._driven_by else self.control.format(self._value)
        value = elided(painter, shown, rect.width() * 0.6)
        width = painter.fontMetrics().horizontalAdvance(value)
        painter.setPen(ink(theme.CONTROL if self._driven_by else theme.TEXT))
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, value)
        painter.setPen(ink(theme.TEXT_SOFT))
        name = elided(painter, readable(self.name), rect.width() - width - 8)
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name)


def fill_rect(frame: QRectF, control: Control, value: float) -> QRectF:
    """The part of a field's frame that its value fills: from zero where zero is inside the range, else from the low end."""
    origin = control.to_knob(0.0) if control.low < 0.0 < control.high else 0.0
    start, end = sorted((origin, control.to_knob(value)))
    return QRectF(frame.left() + frame.width() * start, frame.top(), frame.width() * (end - start), frame.height())


def paint_fill(painter: QPainter, filled: QRectF) -> None:
    """Paint the filled part of a field: a tint that any number over it can be read on, with a clear edge below."""
    painter.fillRect(filled, ink(theme.ACCENT_DEEP, 0.3))
    painter.fillRect(QRectF(filled.left(), filled.bottom() - _EDGE, filled.width(), _EDGE), ink(theme.ACCENT, 0.75))


def depth_rect(frame: QRectF, knob: float, depth: float) -> QRectF:
    """The line at the top of a field's frame that shows how far a modulation reaches."""
    start, end = sorted((knob, min(max(knob + depth, 0.0), 1.0)))
    return QRectF(frame.left() + frame.width() * start, frame.top(), frame.width() * (end - start), _EDGE)
