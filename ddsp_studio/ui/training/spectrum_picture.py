"""The spectrogram of a sound file that the trainer wrote beside it: log frequency, and a line where it is heard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ddsp_studio.ui import theme
from ddsp_studio.ui.displays import colour_maps

LOW_HZ, FLOOR_DB = 60.0, -80.0
_TICKS_HZ = (100, 200, 500, 1000, 2000, 5000, 10_000)
_NOTHING_YET = "After the first checkpoint"
Decibels = npt.NDArray[np.float32]


def read(stem: str) -> tuple[Decibels, int] | None:
    """What "STEM.npz" holds, dB [frames, bins] and the sample rate in Hz; None if it cannot be read."""
    try:
        with np.load(Path(f"{stem}.npz"), allow_pickle=False) as held:
            found = np.asarray(held["db"], np.float32), int(held["sample_rate"])
    except (OSError, ValueError, KeyError, EOFError):
        return None
    return found if found[0].ndim == 2 and found[0].size and found[1] > 0 else None


def picture(decibels: Decibels, sample_rate: int, columns: int, rows: int) -> npt.NDArray[np.uint8]:
    """Levels 0..255 [rows, columns] from the highest frequency down, on a log axis from `LOW_HZ` to half the rate.

    A pixel shows the loudest of what falls into it, so that no partial is lost between two rows; where rows are closer than
    bins it lies on the line between two of them.
    """
    frames, bins = decibels.shape
    times = np.minimum(np.arange(columns) * frames // columns, frames - 1)
    held = np.maximum.reduceat(decibels, times, axis=0)
    octaves = np.log(0.5 * sample_rate / LOW_HZ)

    def bin_at(share: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        number = LOW_HZ * np.exp(octaves * share) / (0.5 * sample_rate) * (bins - 1)
        return np.asarray(np.clip(number, 0, bins - 1), np.float64)

    lowest = np.ceil(bin_at(np.arange(rows) / rows)).astype(int)
    loudest = np.maximum.reduceat(held, lowest, axis=1)
    centre = bin_at((np.arange(rows) + 0.5) / rows)
    below, share = np.floor(centre).astype(int), (centre % 1.0).astype(np.float32)
    between = held[:, below] * (1.0 - share) + held[:, np.minimum(below + 1, bins - 1)] * share
    crowded = np.append(np.diff(lowest) > 0, True)
    level = np.where(crowded, np.maximum(loudest, between), between)
    return np.asarray(np.clip((level.T[::-1] / -FLOOR_DB + 1.0) * 255.0, 0, 255), np.uint8)


class SpectrumPicture(QWidget):
    """A still spectrogram with a title; a click asks to hear it."""

    clicked = Signal()

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumSize(120, 90)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(f"Spectrogram: {title}")
        self.setToolTip("Click to hear it")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._title, self._stem, self._heard = title, "", False
        self._without = _NOTHING_YET
        self._held: tuple[Decibels, int] | None = None
        self._image: QImage | None = None
        self._pixels: npt.NDArray[np.uint32] = np.zeros((1, 1), np.uint32)
        self._place: float | None = None

    def show_file(self, stem: str, without: str = "") -> None:
        """Show "STEM.npz"; an empty name shows nothing. `without` says why there is no picture."""
        without = without or _NOTHING_YET
        if without != self._without:
            self._without, self._stem = without, ""
        if stem != self._stem:
            self._stem, self._held = stem, read(stem) if stem else None
            self._draw()

    def show_place(self, share: float | None, heard: bool) -> None:
        """Show where the sound is, 0..1 (None while it rests), and whether this one is the one that is heard."""
        if (share, heard) != (self._place, self._heard):
            self._place, self._heard = share, heard
            self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw at the new size."""
        self._draw()
        super().resizeEvent(event)

    def _draw(self) -> None:
        self._image = None
        if self._held is not None and self.width() > 0 and self.height() > 0:
            ratio = self.devicePixelRatioF()
            columns, rows = max(1, int(self.width() * ratio)), max(1, int(self.height() * ratio))
            self._pixels = np.ascontiguousarray(colour_maps.table(colour_maps.NAMES[0])[picture(*self._held, columns, rows)])
            self._image = QImage(self._pixels.data, columns, rows, 4 * columns, QImage.Format.Format_RGB32)
            self._image.setDevicePixelRatio(ratio)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The picture, its scale, its title and the place."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour(theme.CANVAS))
        painter.setFont(theme.font(10))
        if self._image is not None:
            painter.drawImage(QPointF(0, 0), self._image)
            self._paint_scale(painter)
        else:
            painter.setPen(theme.colour(theme.TEXT_FAINT))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._without)
        hue = theme.ACCENT if self._heard else theme.TEXT
        self._paint_text(painter, QPointF(8, 15), f"♪ {self._title}" if self._heard else self._title, hue)
        if self._place is not None:
            x = self._place * self.width()
            painter.setPen(QPen(theme.colour("#ffffff", 0.9 if self._heard else 0.35), 1.0))
            painter.drawLine(QPointF(x, 0), QPointF(x, self.height()))
        if self._heard:
            painter.setPen(QPen(theme.colour(theme.ACCENT), 1.5))
            painter.drawRect(QRectF(self.rect()).adjusted(0.75, 0.75, -0.75, -0.75))
        painter.end()

    def _paint_scale(self, painter: QPainter) -> None:
        highest = 0.5 * self._held[1] if self._held is not None else 1.0
        lowest, apart = float(self.height()), painter.fontMetrics().height()
        for hertz in _TICKS_HZ:
            y = self.height() * (1.0 - float(np.log(hertz / LOW_HZ) / np.log(highest / LOW_HZ)))
            if 22 < y < min(self.height() - 6, lowest - apart):
                lowest = y
                painter.setPen(theme.colour("#ffffff", 0.07))
                painter.drawLine(QPointF(0, y), QPointF(self.width(), y))
                text = f"{hertz // 1000}k" if hertz >= 1000 else str(hertz)
                self._paint_text(painter, QPointF(self.width() - 26, y + 4), text, theme.TEXT_SOFT)

    @staticmethod
    def _paint_text(painter: QPainter, at: QPointF, text: str, hue: str) -> None:
        painter.setPen(theme.colour("#000000", 0.8))
        painter.drawText(at + QPointF(1, 1), text)
        painter.setPen(theme.colour(hue))
        painter.drawText(at, text)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Ask to hear it."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.clicked.emit()

    def sizeHint(self) -> QSize:
        """A comfortable size."""
        return QSize(170, 90)
