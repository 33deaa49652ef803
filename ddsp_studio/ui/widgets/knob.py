"""A painted knob: an arc for the value, a ring for the modulation, name above and value below."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from ddsp_studio.processors.declare import Control
from ddsp_studio.ui import theme
from ddsp_studio.ui.widgets.paint import arc, elided, font, ink, on_circle
from ddsp_studio.ui.widgets.texts import readable
from ddsp_studio.ui.widgets.value_widget import ValueWidget

_WIDTH, _HEIGHT, _DIAL = 76, 84, 46


class Knob(ValueWidget):
    """A control of one channel as a knob."""

    def __init__(self, name: str, control: Control, parent: QWidget | None = None) -> None:
        super().__init__(name, control, parent)
        self.setFixedHeight(_HEIGHT)
        self.setMinimumWidth(_WIDTH)

    def sizeHint(self) -> QSize:
        """Room for dial and texts."""
        return QSize(_WIDTH, _HEIGHT)

    def type_in_rect(self) -> QRect:
        """Over the value's text."""
        return QRect(2, _HEIGHT - 21, self.width() - 4, 20)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint name, dial and value."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        soft = theme.TEXT if self.underMouse() or self.hasFocus() else theme.TEXT_SOFT
        self._text(painter, QRectF(0, 1, self.width(), 16), readable(self.name), soft)
        self._dial(painter, QPointF(self.width() / 2.0, 17 + _DIAL / 2.0))
        shown = f"⟵ {self._driven_by}" if self._driven_by else self.control.format(self._value)
        self._text(painter, QRectF(0, _HEIGHT - 19, self.width(), 18), shown, theme.CONTROL if self._driven_by else theme.TEXT)

    def _text(self, painter: QPainter, rect: QRectF, text: str, colour: str) -> None:
        painter.setFont(font(11))
        painter.setPen(ink(colour))
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, elided(painter, text, rect.width() - 2))

    def _dial(self, painter: QPainter, centre: QPointF) -> None:
        radius, knob = _DIAL / 2.0 - 4.0, self.knob()
        live = not self._driven_by
        painter.setPen(QPen(ink(theme.HOVER), 4.0, c=Qt.PenCapStyle.FlatCap))
        arc(painter, centre, radius, 0.0, 1.0)
        origin = self.control.to_knob(0.0) if self.control.low < 0.0 < self.control.high else 0.0
        painter.setPen(QPen(ink(theme.ACCENT if live else theme.TEXT_FAINT), 4.0, c=Qt.PenCapStyle.FlatCap))
        arc(painter, centre, radius, origin, knob)
        for index, depth in enumerate(self._depths[:3]):
            hue = theme.CONTROL if depth >= 0.0 else theme.NOTES
            painter.setPen(QPen(ink(hue), 2.0, c=Qt.PenCapStyle.FlatCap))
            arc(painter, centre, radius + 4.5 + 2.5 * index, knob, min(max(knob + depth, 0.0), 1.0))
        painter.setPen(QPen(ink(theme.ACCENT), 1.2) if self.hasFocus() else QPen(ink(theme.BORDER), 1.0))
        painter.setBrush(ink(theme.HOVER if self.underMouse() else theme.RAISED))
        painter.drawEllipse(centre, radius - 4.5, radius - 4.5)
        painter.setPen(QPen(ink(theme.TEXT if live else theme.TEXT_FAINT), 2.0, c=Qt.PenCapStyle.RoundCap))
        painter.drawLine(on_circle(centre, radius - 11.0, knob), on_circle(centre, radius - 6.5, knob))
