"""A picture of an analysed recording, painted without a widget.

From the top: waveform, spectrogram with pitch and note onsets, confidence of the pitch, loudness, cepstra.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QApplication

from ddsp_studio.files import replacing
from ddsp_studio.training.features.clock import frame_period
from ddsp_studio.training.features.extract import Frames
from ddsp_studio.training.features.mfcc import mfcc_at
from ddsp_studio.training.features.notes import Note
from ddsp_studio.training.features.spectrogram import LOW_HZ, RANGE_DB, envelope, octave_spectrogram
from ddsp_studio.ui import theme
from ddsp_studio.ui.displays.colour_maps import table

_WIDTH, _HEIGHT = 1400, 954
_LEFT, _RIGHT, _TOP, _GAP, _FOOT = 62, 16, 44, 12, 30
_WAVE, _SURE, _LEVEL, _CEPSTRA = 110, 60, 130, 110
_SPREAD = 2.5
"""Deviations of a cepstral coefficient from its mean that the colours reach to."""
_LEVEL_DB = (-80.0, 0.0)

Floats = npt.NDArray[np.float32]


class _Picture:
    """Paints one recording."""

    def __init__(self, painter: QPainter, seconds: float) -> None:
        self._p, self._seconds = painter, max(seconds, 1e-3)
        self._width = _WIDTH - _LEFT - _RIGHT

    def area(self, top: float, height: float) -> QRectF:
        """A strip of the picture, filled and framed."""
        area = QRectF(_LEFT, top, self._width, height)
        self._p.fillRect(area, theme.colour(theme.CANVAS))
        self._p.setPen(theme.colour(theme.BORDER))
        self._p.drawRect(area)
        return area

    def x(self, seconds: float) -> float:
        """Place of a time."""
        return _LEFT + self._width * seconds / self._seconds

    def label(
        self, x: float, y: float, text: str, colour: str = theme.TEXT_SOFT, align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignRight
    ) -> None:
        """A small text beside a point."""
        self._p.setPen(theme.colour(colour))
        box = QRectF(x - 60, y - 9, 60, 18) if align is Qt.AlignmentFlag.AlignRight else QRectF(x - 40, y - 9, 80, 18)
        self._p.drawText(box, int(align | Qt.AlignmentFlag.AlignVCenter), text)

    def line(self, points: list[QPointF], colour: str, width: float = 1.6) -> None:
        """A line through points."""
        self._p.setPen(QPen(theme.colour(colour), width))
        self._p.drawPolyline(QPolygonF(points))


def save_analysis_picture(path: Path, title: str, audio: Floats, sample_rate: int, frames: Frames, notes: list[Note]) -> None:
    """Write the picture of a recording as PNG, atomically.

    Args:
        path: to write, *.png. title: above the picture. audio: mono [samples]. sample_rate: Hz. frames, notes: what was heard.

    Raises:
        OSError: the file cannot be written.
    """
    _application()
    image = QImage(_WIDTH, _HEIGHT, QImage.Format.Format_RGB32)
    image.fill(theme.colour(theme.WINDOW))
    painter = QPainter(image)
    try:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(theme.font(12))
        _paint(painter, title, audio, sample_rate, frames, notes)
    finally:
        painter.end()
    with replacing(path) as temporary:
        if not image.save(str(temporary)):
            raise OSError(f"{path} could not be written")


def _application() -> QApplication:
    """Fonts need an application; without a window one that knows no display will do."""
    running = QApplication.instance()
    if isinstance(running, QApplication):
        return running
    global _kept
    _kept = QApplication(["ddsp-studio", "-platform", "offscreen"])
    return _kept


_kept: QApplication | None = None


def _paint(p: QPainter, title: str, audio: Floats, rate: int, frames: Frames, notes: list[Note]) -> None:
    picture = _Picture(p, len(audio) / rate)
    p.setPen(theme.colour(theme.TEXT))
    p.setFont(theme.font(15, bold=True))
    p.drawText(QRectF(_LEFT, 8, _WIDTH - _LEFT - _RIGHT, 28), int(Qt.AlignmentFlag.AlignVCenter), title)
    p.setFont(theme.font(12))
    wave = picture.area(_TOP, _WAVE)
    strips = _WAVE + _SURE + _LEVEL + _CEPSTRA
    spectrum = picture.area(wave.bottom() + _GAP, _HEIGHT - _TOP - strips - 4 * _GAP - _FOOT)
    sure = picture.area(spectrum.bottom() + _GAP, _SURE)
    level = picture.area(sure.bottom() + _GAP, _LEVEL)
    cepstra = picture.area(level.bottom() + _GAP, _CEPSTRA)
    _paint_wave(picture, p, wave, audio)
    _paint_spectrum(picture, p, spectrum, audio, rate, frames, notes)
    _paint_confidence(picture, sure, rate, frames)
    _paint_level(picture, level, rate, frames)
    _paint_cepstra(picture, p, cepstra, audio, rate)
    _paint_seconds(picture, p, cepstra.bottom())


def _paint_wave(picture: _Picture, p: QPainter, area: QRectF, audio: Floats) -> None:
    low, high = envelope(audio, int(area.width()))
    p.setPen(theme.colour(theme.AUDIO))
    middle, half = area.center().y(), area.height() / 2 - 2
    for column in range(len(low)):
        x = area.left() + column + 0.5
        p.drawLine(
            QPointF(x, middle - half * min(1.0, float(high[column]))),
            QPointF(x, middle - half * max(-1.0, float(low[column])) + 0.5),
        )
    picture.label(_LEFT - 6, middle, "sound")


def _paint_spectrum(
    picture: _Picture, p: QPainter, area: QRectF, audio: Floats, rate: int, frames: Frames, notes: list[Note]
) -> None:
    columns, rows = int(area.width()), int(area.height())
    db = octave_spectrogram(audio, rate, columns, rows)
    words = np.ascontiguousarray(table("Ember")[((db / RANGE_DB + 1.0) * 255.0).astype(int)])
    image = QImage(words.tobytes(), columns, rows, 4 * columns, QImage.Format.Format_RGB32)
    p.drawImage(area.topLeft(), image)
    octaves = np.log2(0.5 * rate / LOW_HZ)

    def y(hertz: float) -> float:
        return area.bottom() - area.height() * float(np.log2(max(hertz, LOW_HZ) / LOW_HZ) / octaves)

    for hertz in (50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000):
        if LOW_HZ < hertz < 0.5 * rate:
            picture.label(_LEFT - 6, y(hertz), f"{hertz // 1000} kHz" if hertz >= 1000 else f"{hertz} Hz")
    p.setPen(QPen(theme.colour(theme.TEXT, 0.45), 1.0, Qt.PenStyle.DotLine))
    for note in notes:
        p.drawLine(QPointF(picture.x(note.onset_s), area.top()), QPointF(picture.x(note.onset_s), area.bottom()))
    period_s = frame_period(rate) / rate
    for first, last in _voiced_runs(frames.f0_hz):
        points = [QPointF(picture.x(m * period_s), y(float(frames.f0_hz[m]))) for m in range(first, last)]
        picture.line(points, theme.CANVAS, 4.0)
        picture.line(points, theme.CONTROL, 2.0)


def _voiced_runs(f0_hz: Floats) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], f0_hz > 0.0, [False]]).astype(np.int8))).reshape(-1, 2)
    return [(int(a), int(b)) for a, b in edges]


def _paint_confidence(picture: _Picture, area: QRectF, rate: int, frames: Frames) -> None:
    for share in (0.0, 0.5, 1.0):
        picture.label(_LEFT - 6, area.bottom() - share * area.height(), f"{share:g}" if share != 0.5 else "sure")
    period_s = frame_period(rate) / rate
    step = max(1, len(frames.confidence) // 4000)
    picture.line(
        [
            QPointF(picture.x(m * period_s), area.bottom() - float(frames.confidence[m]) * (area.height() - 2.0))
            for m in range(0, len(frames.confidence), step)
        ],
        theme.CONTROL,
        1.2,
    )


def _paint_cepstra(picture: _Picture, p: QPainter, area: QRectF, audio: Floats, rate: int) -> None:
    """Coefficients 1 to 29 from below to above; the first one, left out, is the loudness."""
    columns = int(area.width())
    middles = ((np.arange(columns) + 0.5) * len(audio) / columns).astype(int)
    found = mfcc_at(audio, rate, middles)[:, 1:].T[::-1]
    spread = found.std(axis=1, keepdims=True) + 1e-6
    shown = np.clip((found - found.mean(axis=1, keepdims=True)) / spread / _SPREAD, -1.0, 1.0)
    words = np.ascontiguousarray(table("Ember")[((shown + 1.0) * 127.5).astype(int)])
    p.drawImage(area, QImage(words.tobytes(), columns, len(found), 4 * columns, QImage.Format.Format_RGB32))
    picture.label(_LEFT - 6, area.center().y(), "MFCC")


def _paint_level(picture: _Picture, area: QRectF, rate: int, frames: Frames) -> None:
    low, high = _LEVEL_DB

    def y(db: float) -> float:
        return area.bottom() - area.height() * (min(max(db, low), high) - low) / (high - low)

    for db in (-60, -40, -20):
        picture.line([QPointF(area.left(), y(db)), QPointF(area.right(), y(db))], theme.GRID, 1.0)
        picture.label(_LEFT - 6, y(db), f"{db} dB")
    period_s = frame_period(rate) / rate
    step = max(1, len(frames.loudness_db) // 4000)
    picture.line(
        [QPointF(picture.x(m * period_s), y(float(frames.loudness_db[m]))) for m in range(0, len(frames.loudness_db), step)],
        theme.GOOD,
    )


def _paint_seconds(picture: _Picture, p: QPainter, bottom: float) -> None:
    seconds = picture._seconds
    step = next(s for s in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120, 300, 600, 1800, 3600, 1e9) if seconds / s <= 14)
    for i in range(int(seconds / step) + 1):
        text = f"{i * step:g} s" if step < 60 else f"{int(i * step) // 60}:{int(i * step) % 60:02d}"
        picture.label(picture.x(i * step), bottom + 12, text, align=Qt.AlignmentFlag.AlignHCenter)
