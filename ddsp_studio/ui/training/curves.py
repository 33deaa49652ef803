"""Pitch and loudness of a recording over time, as it will be learned from."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from ddsp_studio.processors.units import hz_to_note, note_name
from ddsp_studio.ui import theme

_LEFT, _SHARE, _GAP = 36, 0.64, 6
_DB = (-80.0, 0.0)
_FEWEST_KEYS = 14


class FeatureCurves(QWidget):
    """Two curves above one another: notes, and dB."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumHeight(84)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.setAccessibleName("Pitch and loudness of the selected recording")
        self._notes: list[float | None] = []
        self._levels: list[float] = []
        self._seconds, self._octave = 0.0, 0
        self._without = ""

    def show_file(self, f0_hz: Sequence[float], loudness_db: Sequence[float], seconds: float) -> None:
        """Show curves over a file; empty ones say that there is nothing to see."""
        self._without = "Nothing to show for this file"
        self._notes = [hz_to_note(hertz) if hertz > 0.0 else None for hertz in f0_hz]
        self._levels, self._seconds = list(loudness_db), seconds
        self.update()

    def clear(self) -> None:
        """There is no file."""
        self.show_file([], [], 0.0)
        self._without = ""

    def shift(self, octave: int) -> None:
        """Show the pitch moved by octaves, as it will be learned."""
        self._octave = octave
        self.update()

    def span(self) -> tuple[int, int]:
        """Lowest and highest note that is drawn, whole keys."""
        heard = [note + 12 * self._octave for note in self._notes if note is not None]
        if not heard:
            return 48, 72
        low, high = math.floor(min(heard)) - 1, math.ceil(max(heard)) + 1
        more = max(0, _FEWEST_KEYS - (high - low))
        return low - more // 2, high + (more + 1) // 2

    def paintEvent(self, event: QPaintEvent) -> None:
        """Both curves with their scales."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font(10))
        width, height = self.width() - _LEFT - 1, self.height()
        upper = QRectF(_LEFT, 0.5, width, height * _SHARE - _GAP)
        lower = QRectF(_LEFT, height * _SHARE + 0.5, width, height * (1.0 - _SHARE) - 2)
        for area in (upper, lower):
            painter.fillRect(area, theme.colour(theme.CANVAS))
        if not self._levels:
            painter.setPen(theme.colour(theme.TEXT_FAINT))
            painter.drawText(upper, Qt.AlignmentFlag.AlignCenter, self._without)
            painter.end()
            return
        self._paint_pitch(painter, upper)
        self._paint_level(painter, lower)
        painter.end()

    def _paint_pitch(self, painter: QPainter, area: QRectF) -> None:
        low, high = self.span()

        def y(note: float) -> float:
            return area.bottom() - area.height() * (note - low) / (high - low)

        for key in (key for key in range(low, high + 1) if key % 12 == 0):
            painter.setPen(theme.colour(theme.GRID))
            painter.drawLine(QPointF(area.left(), y(key)), QPointF(area.right(), y(key)))
            painter.setPen(theme.colour(theme.TEXT_FAINT))
            painter.drawText(
                QRectF(0, y(key) - 8, _LEFT - 5, 16),
                int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter),
                note_name(key),
            )
        painter.setPen(QPen(theme.colour(theme.CONTROL), 1.6))
        run: list[QPointF] = []
        for index, note in enumerate([*self._notes, None]):
            if note is not None:
                run.append(QPointF(self._x(area, index), y(note + 12 * self._octave)))
                continue
            if len(run) == 1:
                painter.drawPoint(run[0])
            elif run:
                painter.drawPolyline(QPolygonF(run))
            run = []

    def _paint_level(self, painter: QPainter, area: QRectF) -> None:
        points = [QPointF(area.left(), area.bottom())]
        for index, level in enumerate(self._levels):
            share = (min(max(level, _DB[0]), _DB[1]) - _DB[0]) / (_DB[1] - _DB[0])
            points.append(QPointF(self._x(area, index), area.bottom() - share * (area.height() - 2)))
        points.append(QPointF(points[-1].x(), area.bottom()))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(theme.AUDIO, 0.55))
        painter.drawPolygon(QPolygonF(points))
        painter.setPen(theme.colour(theme.TEXT_FAINT))
        painter.drawText(
            QRectF(0, area.top(), _LEFT - 5, area.height()),
            int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter),
            "dB",
        )

    def _x(self, area: QRectF, index: int) -> float:
        return area.left() + area.width() * index / max(1, len(self._levels) - 1)

    def sizeHint(self) -> QSize:
        """A comfortable size."""
        return QSize(340, 90)
