"""The oscilloscope: the output's waveform, held still by a trigger."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF, QWheelEvent
from PySide6.QtWidgets import QWidget
from shiboken6 import VoidPtr

from ddsp_studio.audio.telemetry import SCOPE, Telemetry
from ddsp_studio.ui import theme
from ddsp_studio.ui.displays.analysis import trigger
from ddsp_studio.ui.displays.layer import Layer

SPANS_MS = (2, 5, 10, 20, 50, 100, 200)
_GAINS = (1.0, 2.0, 4.0, 8.0, 16.0)


class Scope(QWidget):
    """Left and right over each other; wheel: time, Ctrl+wheel: height. Height follows the level when it is on automatic."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumSize(120, 60)
        self.setAccessibleName("Oscilloscope")
        self.setStatusTip("Wheel: time span. Double-click: automatic height on or off.")
        self.span_ms = 20
        self.automatic = True
        self._gain = 1.0
        self._audio: npt.NDArray[np.float32] = np.zeros((2, 2), np.float32)
        self._position = -1
        self._grid = Layer(self, self._paint_grid)

    def read(self, telemetry: Telemetry) -> None:
        """Take the newest stretch of audio (the fast timer calls this)."""
        rate, position = int(telemetry.data["sample_rate"]), int(telemetry.data["position"])
        if not rate or position == self._position:
            return
        self._position = position
        span = max(int(rate * self.span_ms / 1000), 8)
        recent = telemetry.recent_audio(min(2 * span + rate // 20, SCOPE // 2))
        start = trigger(recent.mean(axis=0), span)
        self._audio = recent[:, start : start + span]
        self._choose_gain(float(np.max(np.abs(recent))))
        self.update()

    def _choose_gain(self, peak: float) -> None:
        if not self.automatic or peak < 1e-4:
            return
        wanted = max((g for g in _GAINS if g * peak <= 0.95), default=1.0)
        # larger only with room to spare, so that the picture does not jump between two heights
        if wanted < self._gain or wanted * peak <= 0.6:
            self._gain = wanted

    def set_span(self, span_ms: int) -> None:
        """Show `span_ms` milliseconds."""
        self.span_ms = span_ms
        self._position = -1

    def paintEvent(self, event: QPaintEvent) -> None:
        """Grid, waveforms, scale."""
        painter = QPainter(self)
        self._grid.draw(painter, self.span_ms, self._gain)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        both = not np.array_equal(self._audio[0], self._audio[1])
        if both:
            self._paint_line(painter, self._audio[1], theme.NOTES, 0.8)
        self._paint_line(painter, self._audio[0], theme.ACCENT, 1.0)
        painter.end()

    def _paint_grid(self, painter: QPainter) -> None:
        painter.fillRect(self.rect(), theme.colour(theme.CANVAS))
        middle = self.height() / 2
        painter.setPen(theme.colour(theme.GRID))
        for part in range(1, 10):
            x = self.width() * part / 10
            painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))
        for height in (0.05, 0.275, 0.725, 0.95):
            painter.drawLine(QPointF(0, self.height() * height), QPointF(self.width(), self.height() * height))
        painter.setPen(theme.colour(theme.BORDER))
        painter.drawLine(QPointF(0, middle), QPointF(self.width(), middle))
        self._paint_words(painter)

    def _paint_words(self, painter: QPainter) -> None:
        """Time span and height, on a ground that keeps the grid off them."""
        painter.setFont(theme.font(10))
        words = f"{self.span_ms} ms" + ("" if self._gain == 1.0 else f"   ×{self._gain:g}")
        room = painter.fontMetrics().boundingRect(words).size()
        ground = QRectF(3, self.height() - room.height() - 3, room.width() + 8, room.height() + 2)
        painter.fillRect(ground, theme.colour(theme.CANVAS))
        painter.setPen(theme.colour(theme.TEXT_FAINT))
        painter.drawText(ground, Qt.AlignmentFlag.AlignCenter, words)

    def _paint_line(self, painter: QPainter, audio: npt.NDArray[np.float32], hue: str, alpha: float) -> None:
        columns = max(int(self.width() * self.devicePixelRatioF()), 2)
        x, y = _reduced(audio, columns)
        points = np.empty((len(y), 2))
        points[:, 0] = x * self.width()
        points[:, 1] = self.height() * 0.5 * (1.0 - 0.9 * np.clip(y * self._gain, -1.1, 1.1))
        painter.setPen(QPen(theme.colour(hue, alpha), 1.0))
        painter.drawPolyline(_polygon(points))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Change the time span."""
        step = -1 if event.angleDelta().y() > 0 else 1
        index = min(max(SPANS_MS.index(self.span_ms) + step, 0), len(SPANS_MS) - 1)
        self.set_span(SPANS_MS[index])
        event.accept()

    def mouseDoubleClickEvent(self, event: object) -> None:
        """Turn automatic height on or off."""
        self.automatic = not self.automatic
        if not self.automatic:
            self._gain = 1.0
        self.update()

    def sizeHint(self) -> QSize:
        """A comfortable size."""
        return QSize(300, 170)


def _reduced(audio: npt.NDArray[np.float32], columns: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]:
    """Places 0..1 and levels of a line: every sample, or each column's lowest and highest where samples are many."""
    length = len(audio)
    if length <= 2 * columns:
        return np.linspace(0.0, 1.0, length), audio
    edges = np.linspace(0, length, columns, endpoint=False).astype(np.int64)
    levels = np.stack([np.minimum.reduceat(audio, edges), np.maximum.reduceat(audio, edges)], axis=1).ravel()
    return np.repeat(np.linspace(0.0, 1.0, columns), 2), levels


def _polygon(points: npt.NDArray[np.float64]) -> QPolygonF:
    """Points [n, 2] as a polygon, copied in one go instead of point by point."""
    polygon = QPolygonF()
    polygon.resize(len(points))
    pointer: Any = polygon.data()  # PySide hands out an address where its stubs promise a point
    buffer: Any = VoidPtr(pointer, 16 * len(points), True)  # type: ignore[call-arg]
    memory = np.frombuffer(buffer, np.float64)
    memory[:] = points.ravel()
    return polygon
