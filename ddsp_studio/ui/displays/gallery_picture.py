"""A small picture of a sound for the documentation: left and right above, spectrogram below; painted without a widget."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QPen

from ddsp_studio.files import replacing
from ddsp_studio.training.features.spectrogram import LOW_HZ, RANGE_DB, envelope, octave_spectrogram
from ddsp_studio.ui import theme
from ddsp_studio.ui.displays.analysis_picture import _application
from ddsp_studio.ui.displays.colour_maps import table

_WIDTH, _HEIGHT = 640, 248
_LEFT, _TOP, _WAVE, _GAP, _FOOT = 46, 4, 56, 4, 18
_COLOURS = 24
_MARKED_HZ = (100, 1000, 10000)

Floats = npt.NDArray[np.float32]


def save_gallery_picture(path: Path, audio: Floats, sample_rate: int, *, turn_s: float = 0.0) -> None:
    """Write the picture of a stereo sound as PNG with a palette, atomically.

    Args:
        path: to write, *.png. audio: [2, samples]. sample_rate: Hz. turn_s: where the second half begins, marked if above 0 s.

    Raises:
        OSError: the file cannot be written.
    """
    _application()
    image = QImage(_WIDTH, _HEIGHT, QImage.Format.Format_RGB32)
    image.fill(theme.colour(theme.WINDOW))
    painter = QPainter(image)
    try:
        painter.setFont(theme.font(10))
        _paint(painter, audio, sample_rate, turn_s)
    finally:
        painter.end()
    words = np.frombuffer(image.constBits(), np.uint32).reshape(_HEIGHT, _WIDTH) & np.uint32(0xFFFFFF)
    with replacing(path) as temporary:
        temporary.write_bytes(_png(words))


def _paint(p: QPainter, audio: Floats, rate: int, turn_s: float) -> None:
    wide = _WIDTH - _LEFT - 4
    wave = QRectF(_LEFT, _TOP, wide, _WAVE)
    below = wave.bottom() + _GAP
    spectrum = QRectF(_LEFT, below, wide, _HEIGHT - below - _FOOT)
    p.fillRect(wave, theme.colour(theme.CANVAS))
    for side, channel in enumerate(audio):
        middle, half = wave.top() + (side + 0.5) * _WAVE / 2, _WAVE / 4 - 1
        low, high = np.clip(envelope(channel, wide), -1.0, 1.0)
        p.setPen(theme.colour(theme.AUDIO))
        for column in range(wide):
            x = int(wave.left()) + column
            p.drawLine(x, round(middle - half * float(high[column])), x, round(middle - half * float(low[column])))
        _label(p, middle, "LR"[side])
    columns, rows = wide, int(spectrum.height())
    db = octave_spectrogram(audio.mean(axis=0), rate, columns, rows)
    steps = np.round((db / RANGE_DB + 1.0) * (_COLOURS - 1)) * (255.0 / (_COLOURS - 1))
    words = np.ascontiguousarray(table("Ember")[steps.astype(int)])
    p.drawImage(spectrum.topLeft(), QImage(words.tobytes(), columns, rows, 4 * columns, QImage.Format.Format_RGB32))
    octaves = float(np.log2(0.5 * rate / LOW_HZ))
    for hertz in _MARKED_HZ:
        y = spectrum.bottom() - spectrum.height() * float(np.log2(hertz / LOW_HZ)) / octaves
        _label(p, y, f"{hertz // 1000} kHz" if hertz >= 1000 else f"{hertz} Hz")
    seconds = audio.shape[1] / rate
    p.setPen(theme.colour(theme.TEXT_SOFT))
    for second in range(int(seconds) + 1):
        x = _LEFT + wide * second / seconds
        box = QRectF(min(x - 20, _WIDTH - 40), spectrum.bottom() + 1, 40, _FOOT - 2)
        p.drawText(box, int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter), f"{second} s")
    if turn_s > 0.0:
        x = _LEFT + wide * turn_s / seconds
        p.setPen(QPen(theme.colour(theme.TEXT), 1.0, Qt.PenStyle.DashLine))
        p.drawLine(QPointF(x, wave.top()), QPointF(x, spectrum.bottom()))


def _label(p: QPainter, y: float, text: str) -> None:
    p.setPen(theme.colour(theme.TEXT_SOFT))
    p.drawText(QRectF(0, y - 8, _LEFT - 5, 16), int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), text)


def _png(words: npt.NDArray[np.uint32]) -> bytes:
    """An image of 0xRRGGBB [rows, columns] as PNG with a palette: the colours that occur, at most 256 of them."""
    colours, counts = np.unique(words, return_counts=True)
    kept = colours[np.argsort(-counts)[:256]]
    parts = np.stack([kept >> 16, kept >> 8 & 255, kept & 255], axis=1).astype(np.int64)
    every = np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=1).astype(np.int64)
    nearest = np.array([int(np.argmin(((parts - colour) ** 2).sum(axis=1))) for colour in every], np.uint8)
    pixels = nearest[np.searchsorted(colours, words)]
    lines = np.concatenate([np.zeros((pixels.shape[0], 1), np.uint8), pixels], axis=1)
    header = struct.pack(">IIBBBBB", words.shape[1], words.shape[0], 8, 3, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"PLTE", parts.astype(np.uint8).tobytes()), (b"IDAT", zlib.compress(lines.tobytes(), 9)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in (*chunks, (b"IEND", b"")))


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
