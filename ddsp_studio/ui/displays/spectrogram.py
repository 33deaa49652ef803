"""The spectrogram: log frequency, scrolling, a QImage ring over numpy memory."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ddsp_studio.audio.telemetry import SCOPE, Telemetry
from ddsp_studio.processors.units import format_quantity, hz_to_note, note_name
from ddsp_studio.ui import theme
from ddsp_studio.ui.displays import colour_maps
from ddsp_studio.ui.displays.analysis import FLOOR_DB, LONG, LogSpectrum
from ddsp_studio.ui.displays.layer import Layer

_TICKS_HZ = (50, 100, 200, 500, 1000, 2000, 5000, 10_000)
_MAX_COLUMNS = 8
"""Columns drawn in one frame at most; a window that was hidden does not catch up."""
_COLUMNS_PER_SECOND = 60


class Spectrogram(QWidget):
    """Scrolls the output's spectrum from right to left; `read` takes what is new from the telemetry.

    The whole dynamic is kept as bytes, so that range and colours change what is already drawn.
    """

    frozen_changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumSize(160, 60)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Spectrogram")
        self.setStatusTip("Point to read frequency, note and level. Wheel: dynamic range. Click: freeze.")
        self._rate = 48_000
        self._floor_db, self._map = -90.0, colour_maps.NAMES[0]
        self._table = colour_maps.table(self._map)
        self._done = -1
        self._frozen = self._loud = False
        self._pointer: QPointF | None = None
        self._scale = Layer(self, self._paint_scale)
        self._make_ring(2, 2)

    # -- settings -----------------------------------------------------------------------------------------------------

    @property
    def frozen(self) -> bool:
        """Whether the picture stands still."""
        return self._frozen

    def freeze(self, on: bool) -> None:
        """Hold the picture, or let it run again."""
        if on != self._frozen:
            self._frozen, self._done = on, -1
            self.frozen_changed.emit(on)
            self.update()

    @property
    def floor_db(self) -> float:
        """Level shown as silence, -130 to -30 dB."""
        return self._floor_db

    def set_floor(self, floor_db: float) -> None:
        """Set the level shown as silence, held to -130..-30 dB."""
        self._floor_db = min(max(floor_db, FLOOR_DB), -30.0)
        self._recolour()

    @property
    def colour_map(self) -> str:
        """Name of the colour map."""
        return self._map

    def set_colour_map(self, name: str) -> None:
        """Choose a colour map of `colour_maps.NAMES`."""
        self._map, self._table = name, colour_maps.table(name)
        self._recolour()

    # -- the ring -----------------------------------------------------------------------------------------------------

    def _make_ring(self, rows: int, columns: int) -> None:
        self._spectrum = LogSpectrum(rows, self._rate)
        self._levels = np.zeros((rows, columns), np.uint8)
        self._pixels = np.zeros((rows, columns), np.uint32)
        self._image = QImage(self._pixels.data, columns, rows, 4 * columns, QImage.Format.Format_RGB32)
        self._image.setDevicePixelRatio(self.devicePixelRatioF())
        self._head = 0
        self._recolour()

    def _lut(self) -> npt.NDArray[np.uint32]:
        decibels = np.arange(256) * (-FLOOR_DB / 255.0) + FLOOR_DB
        index = np.clip((decibels - self._floor_db) / -self._floor_db * 255.0, 0, 255).astype(np.uint8)
        colours: npt.NDArray[np.uint32] = self._table[index]
        return colours

    def _recolour(self) -> None:
        self._colours = self._lut()
        np.take(self._colours, self._levels, out=self._pixels)
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the ring to the device's pixels; what was drawn is stretched to fit."""
        ratio = self.devicePixelRatioF()
        rows, columns = max(int(self.height() * ratio), 2), max(int(self.width() * ratio), 2)
        old = np.roll(self._levels, -self._head, axis=1)
        self._make_ring(rows, columns)
        y = np.arange(rows) * old.shape[0] // rows
        x = np.arange(columns) - columns + old.shape[1]
        kept = old[y][:, np.clip(x, 0, old.shape[1] - 1)]
        self._levels[:] = np.where(x >= 0, kept, 0)
        self._recolour()
        super().resizeEvent(event)

    def read(self, telemetry: Telemetry) -> None:
        """Draw what sounded since the last call (the fast timer calls this)."""
        rate = int(telemetry.data["sample_rate"])
        if rate and rate != self._rate:
            self._rate = rate
            self._spectrum = LogSpectrum(self._levels.shape[0], rate)
        if self._frozen or not rate:
            return
        position = int(telemetry.data["position"])
        hop = rate / (_COLUMNS_PER_SECOND * self.devicePixelRatioF())
        number = int(position / hop)
        if self._done < 0 or number < self._done or number - self._done > SCOPE // 4 / hop:
            self._done = number - 1
        wanted = range(self._done + 1, number + 1)
        if not wanted:
            return
        self._done = number
        first, last = wanted[-_MAX_COLUMNS:][0], wanted[-1]
        ends = [int(column * hop) for column in range(first, last + 1)]
        audio = telemetry.recent_audio(LONG + ends[-1] - ends[0], ends[-1]).mean(axis=0)
        for end in ends:
            self._append(audio[end - ends[0] : end - ends[0] + LONG])
        if self._loud or self._levels.any():
            self.update()

    def _append(self, audio: npt.NDArray[np.float32]) -> None:
        """Write one column; digital silence costs nothing."""
        self._loud = bool(audio.any())
        decibels = self._spectrum.column(audio) if self._loud else np.float32(FLOOR_DB)
        levels = np.clip((decibels - FLOOR_DB) * (255.0 / -FLOOR_DB), 0, 255).astype(np.uint8)
        self._levels[:, self._head] = levels
        self._pixels[:, self._head] = self._colours[levels]
        self._head = (self._head + 1) % self._levels.shape[1]

    # -- painting -----------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Blit the ring in two parts, then the scale and the readout."""
        painter = QPainter(self)
        rows, columns = self._levels.shape
        left = columns - self._head
        painter.drawImage(QPointF(0, 0), self._image, QRectF(self._head, 0, left, rows))
        if self._head:
            painter.drawImage(QPointF(left / self.devicePixelRatioF(), 0), self._image, QRectF(0, 0, self._head, rows))
        self._scale.draw(painter, self._rate)
        if self._frozen:
            painter.setFont(theme.font(10))
            painter.setPen(theme.colour(theme.SELECTION))
            painter.drawText(self.rect().adjusted(0, 4, -8, 0), Qt.AlignmentFlag.AlignRight, "frozen")
        if self._pointer is not None:
            self._paint_readout(painter, self._pointer)
        painter.end()

    def _paint_scale(self, painter: QPainter) -> None:
        painter.setFont(theme.font(10))
        lowest = float(self.height())
        for frequency in _TICKS_HZ:
            y = self._spectrum.row(frequency) / self._spectrum.rows * self.height()
            painter.setPen(theme.colour("#ffffff", 0.08))
            painter.drawLine(QPointF(0, y), QPointF(self.width(), y))
            if 8 < y < lowest - 4:
                lowest = y - 8
                text = f"{frequency // 1000}k" if frequency >= 1000 else str(frequency)
                painter.setPen(theme.colour("#000000", 0.8))
                painter.drawText(QPointF(5, y + 4), text)
                painter.setPen(theme.colour(theme.TEXT, 0.75))
                painter.drawText(QPointF(4, y + 3), text)

    def readout(self, point: QPointF) -> str:
        """Frequency, note and level at a place of the widget."""
        rows, columns = self._levels.shape
        row = min(max(int(point.y() / self.height() * rows), 0), rows - 1)
        column = min(max(int(point.x() / self.width() * columns), 0), columns - 1)
        frequency = self._spectrum.frequency(point.y() / self.height() * rows)
        note = hz_to_note(frequency)
        cents = round(100 * (note - round(note)))
        level = int(self._levels[row, (column + self._head) % columns]) * -FLOOR_DB / 255.0 + FLOOR_DB
        loudness = f"{level:.0f} dB" if level > FLOOR_DB + 1 else "silent"
        return f"{format_quantity(frequency, 'Hz')}   {note_name(round(note))} {cents:+d} ct   {loudness}"

    def _paint_readout(self, painter: QPainter, point: QPointF) -> None:
        painter.setPen(theme.colour("#ffffff", 0.35))
        painter.drawLine(QPointF(0, point.y()), QPointF(self.width(), point.y()))
        painter.drawLine(QPointF(point.x(), 0), QPointF(point.x(), self.height()))
        paint_note(painter, self.readout(point), point, QRectF(self.rect()))

    # -- pointer ------------------------------------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the pointer with the readout."""
        self._pointer = event.position()
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A left click freezes or runs on."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.freeze(not self._frozen)

    def leaveEvent(self, event: object) -> None:
        """Take the readout away."""
        self._pointer = None
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Widen or narrow the dynamic range."""
        self.set_floor(self._floor_db - event.angleDelta().y() / 120.0 * 5.0)
        event.accept()

    def sizeHint(self) -> QSize:
        """A comfortable size."""
        return QSize(520, 170)


def paint_note(painter: QPainter, text: str, point: QPointF, bounds: QRectF) -> None:
    """Paint a small text plate beside a point, inside the bounds."""
    painter.setFont(theme.font(11))
    width, height = painter.fontMetrics().horizontalAdvance(text) + 14.0, 20.0
    x = point.x() + 12 if point.x() + 12 + width < bounds.right() else point.x() - 12 - width
    y = min(max(point.y() - height - 6, bounds.top() + 2), bounds.bottom() - height - 2)
    plate = QRectF(max(x, bounds.left() + 2), y, width, height)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(theme.colour(theme.BORDER))
    painter.setBrush(theme.colour(theme.PANEL, 0.94))
    painter.drawRoundedRect(plate, 3, 3)
    painter.setPen(theme.colour(theme.TEXT))
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, text)
