"""The harmonic display: one bar a partial, with peak hold, a hover readout and an optional target."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from ddsp_studio.audio.telemetry import PARTIALS, Telemetry
from ddsp_studio.processors.units import format_quantity
from ddsp_studio.ui import theme
from ddsp_studio.ui.displays.layer import Layer
from ddsp_studio.ui.displays.spectrogram import paint_note

FLOOR_DB = -90.0
_FALL_DB, _HOLD_FALL_DB = 3.0, 0.5
"""How far bars and peak marks fall in a frame."""
_TOP, _BOTTOM = 10, 18

Floats = npt.NDArray[np.float32]


class Harmonics(QWidget):
    """Amplitudes in dB of the partials of the last voice that was struck."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumSize(120, 60)
        self.setMouseTracking(True)
        self.setAccessibleName("Harmonics")
        self._bars: Floats = np.full(PARTIALS, FLOOR_DB, np.float32)
        self._marks: Floats = self._bars.copy()
        self._target: Floats | None = None
        self._count, self._f0_hz = 0, 0.0
        self._pointer: QPointF | None = None
        self._grid = Layer(self, self._paint_grid)

    def set_target(self, amplitudes: Floats | None) -> None:
        """Overlay linear amplitudes [n] to compare with, or None."""
        self._target = None if amplitudes is None else _decibels(np.asarray(amplitudes, np.float32))
        self.update()

    def read(self, telemetry: Telemetry) -> None:
        """Take the partials of this moment (the fast timer calls this)."""
        count = min(int(telemetry.data["n_partials"]), PARTIALS)
        now = np.full(PARTIALS, FLOOR_DB, np.float32)
        if count:
            self._count = count
            now[:count] = _decibels(telemetry.data["partials"][:count])
        if float(telemetry.data["f0_hz"]) > 0.0:
            self._f0_hz = float(telemetry.data["f0_hz"])
        bars = np.maximum(now, np.maximum(self._bars - _FALL_DB, FLOOR_DB))
        marks = np.maximum(bars, np.maximum(self._marks - _HOLD_FALL_DB, FLOOR_DB))
        if not (np.array_equal(bars, self._bars) and np.array_equal(marks, self._marks)):
            self._bars, self._marks = bars, marks
            self.update()

    # -- painting -----------------------------------------------------------------------------------------------------

    def _plot(self) -> QRectF:
        return QRectF(30, _TOP, max(self.width() - 38, 10), max(self.height() - _TOP - _BOTTOM, 10))

    def _y(self, decibels: float) -> float:
        plot = self._plot()
        return plot.top() + plot.height() * min(decibels / FLOOR_DB, 1.0)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Grid, bars, marks, target, readout."""
        painter = QPainter(self)
        self._grid.draw(painter, self._count)
        if self._count:
            self._paint_bars(painter)
            if self._pointer is not None and (number := self.partial_at(self._pointer.x())):
                paint_note(painter, self.readout(number), self._pointer, QRectF(self.rect()))
        painter.end()

    def _paint_grid(self, painter: QPainter) -> None:
        painter.fillRect(self.rect(), theme.colour(theme.CANVAS))
        plot = self._plot()
        painter.setFont(theme.font(10))
        for decibels in (0, -30, -60, -90):
            y = self._y(decibels)
            painter.setPen(theme.colour(theme.GRID))
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
            painter.setPen(theme.colour(theme.TEXT_FAINT))
            painter.drawText(QRectF(0, y - 7, plot.left() - 5, 14), 0x82, str(decibels))
        if self._count:
            self._paint_numbers(painter)
        else:
            painter.setFont(theme.font(12))
            painter.drawText(plot, 0x84, "Play a note to see its partials")

    def _paint_bars(self, painter: QPainter) -> None:
        plot, step = self._plot(), self._plot().width() / self._count
        width = max(step - (2.0 if step > 5 else 1.0 if step > 2.5 else 0.0), 1.0)
        hovered = self.partial_at(self._pointer.x()) if self._pointer is not None else 0
        bar, lit = theme.colour(theme.ACCENT, 0.85), theme.colour(theme.AUDIO)
        for index in range(self._count):
            x, level = plot.left() + index * step, float(self._bars[index])
            if level > FLOOR_DB:
                top = self._y(level)
                painter.fillRect(QRectF(x, top, width, plot.bottom() - top), lit if index + 1 == hovered else bar)
            if self._marks[index] > FLOOR_DB + 1:
                painter.fillRect(QRectF(x, self._y(float(self._marks[index])) - 1, width, 1), theme.colour(theme.TEXT, 0.5))
            if self._target is not None and index < len(self._target):
                painter.fillRect(QRectF(x, self._y(float(self._target[index])) - 1, width, 2), theme.colour(theme.NOTES))

    def _paint_numbers(self, painter: QPainter) -> None:
        plot, step = self._plot(), self._plot().width() / self._count
        every = next((n for n in (1, 2, 5, 10, 20, 50) if n * step >= 22), 100)
        painter.setPen(theme.colour(theme.TEXT_FAINT))
        for number in range(1, self._count + 1):
            if number == 1 or (number % every == 0 and (number - 1) * step >= 22):
                x = plot.left() + (number - 0.5) * step
                painter.drawText(QRectF(x - 15, plot.bottom() + 1, 30, _BOTTOM - 2), 0x84, str(number))

    # -- readout ------------------------------------------------------------------------------------------------------

    def partial_at(self, x: float) -> int:
        """Number of the partial under a horizontal place, 0 if there is none."""
        plot = self._plot()
        number = int((x - plot.left()) / plot.width() * self._count) + 1 if x >= plot.left() else 0
        return number if 1 <= number <= self._count else 0

    def readout(self, number: int) -> str:
        """Number, frequency and level of a partial."""
        level = float(self._bars[number - 1])
        loudness = f"{level:.1f} dB" if level > FLOOR_DB else "silent"
        place = f"   {format_quantity(number * self._f0_hz, 'Hz')}" if self._f0_hz else ""
        return f"partial {number}{place}   {loudness}"

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the pointer with the readout."""
        self._pointer = event.position()
        self.update()

    def leaveEvent(self, event: object) -> None:
        """Take the readout away."""
        self._pointer = None
        self.update()

    def sizeHint(self) -> QSize:
        """A comfortable size."""
        return QSize(340, 170)


def _decibels(amplitudes: Floats) -> Floats:
    result: Floats = (20.0 * np.log10(np.maximum(np.abs(amplitudes), 10.0 ** (FLOOR_DB / 20.0)))).astype(np.float32)
    return result
