"""The master level: two bars with peak hold and a latched clip light."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QLinearGradient, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ddsp_studio.audio.telemetry import Telemetry
from ddsp_studio.ui import theme
from ddsp_studio.ui.displays.layer import Layer

FLOOR_DB, TOP_DB = -60.0, 3.0
_FALL_DB = 0.6
"""Fall of a bar in a frame: 36 dB a second, near the IEC 60268-10 meters' 20 dB in 1.7 s but livelier."""
_HOLD_FRAMES = 90
_LIGHT = 14
_TICKS = (-48, -36, -24, -12, 0)
_ROOMY = 150
"""Width from which there is room for all ticks."""


class LevelMeter(QWidget):
    """Peak level of left and right in dB full scale. A click on it puts the clip light out."""

    clip_reset = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFixedSize(self.sizeHint())
        self.setAccessibleName("Master level")
        self.setToolTip("Master level in dB full scale, with peak hold.\nThe light stays on after a clip; click to put it out.")
        self._bars = [FLOOR_DB, FLOOR_DB]
        self._holds = [FLOOR_DB, FLOOR_DB]
        self._ages = [0, 0]
        self._clips, self._clipped, self._limiting = 0, False, False
        self._scale = Layer(self, self._paint_scale)

    @property
    def clipped(self) -> bool:
        """Whether the clip light is on."""
        return self._clipped

    def read(self, telemetry: Telemetry) -> None:
        """Take the levels of this moment (the fast timer calls this)."""
        clips, limiting = int(telemetry.data["clipped"]), bool(telemetry.data["limiting"])
        before = (*self._bars, *self._holds, self._clipped, self._limiting)
        if clips > self._clips:
            self._clipped = True
        self._clips, self._limiting = clips, limiting
        for side in (0, 1):
            self._follow(side, _decibels(float(telemetry.data["peak"][side])))
        if (*self._bars, *self._holds, self._clipped, self._limiting) != before:
            self.update()

    def _follow(self, side: int, level: float) -> None:
        self._bars[side] = max(level, self._bars[side] - _FALL_DB, FLOOR_DB)
        self._ages[side] += 1
        if level >= self._holds[side]:
            self._holds[side], self._ages[side] = level, 0
        elif self._ages[side] > _HOLD_FRAMES:
            self._holds[side] = max(self._holds[side] - _FALL_DB, FLOOR_DB)

    def reset_clip(self) -> None:
        """Put the clip light out."""
        self._clipped = False
        self.clip_reset.emit()
        self.update()

    def _x(self, level: float) -> float:
        width = self.width() - _LIGHT - 4
        return width * min(max((level - FLOOR_DB) / (TOP_DB - FLOOR_DB), 0.0), 1.0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Bars, peak marks, scale and light."""
        painter = QPainter(self)
        width = self.width() - _LIGHT - 4
        gradient = QLinearGradient(0, 0, width, 0)
        for level, hue in ((FLOOR_DB, theme.ACCENT_DEEP), (-18, theme.GOOD), (-6, theme.WARNING), (0, theme.DANGER)):
            gradient.setColorAt(self._x(level) / width, theme.colour(hue))
        for side in (0, 1):
            top = 4 + side * 9
            painter.fillRect(QRectF(0, top, width, 7), theme.colour(theme.CANVAS))
            painter.fillRect(QRectF(0, top, self._x(self._bars[side]), 7), gradient)
            if self._holds[side] > FLOOR_DB:
                painter.fillRect(QRectF(self._x(self._holds[side]) - 1.5, top, 1.5, 7), theme.colour(theme.TEXT))
        self._scale.draw(painter)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        lit = theme.DANGER if self._clipped else theme.WARNING if self._limiting else theme.CANVAS
        painter.setPen(theme.colour(theme.BORDER))
        painter.setBrush(theme.colour(lit))
        painter.drawRoundedRect(QRectF(self.width() - _LIGHT + 0.5, 4.5, _LIGHT - 1, 15), 3, 3)
        painter.end()

    def _paint_scale(self, painter: QPainter) -> None:
        painter.setFont(theme.font(9))
        for level in _TICKS if self.width() > _ROOMY else _TICKS[::2]:
            x = self._x(level)
            painter.setPen(theme.colour(theme.WINDOW, 0.6))
            painter.drawLine(QPointF(x, 4), QPointF(x, 20))
            painter.setPen(theme.colour(theme.TEXT_FAINT))
            painter.drawText(QRectF(x - 15, 21, 30, 12), Qt.AlignmentFlag.AlignCenter, str(level))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Put the clip light out."""
        self.reset_clip()

    def sizeHint(self) -> QSize:
        """Fits the transport bar."""
        return QSize(190, 34)


def _decibels(peak: float) -> float:
    return 20.0 * math.log10(max(peak, 1e-6))
