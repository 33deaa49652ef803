"""A spectrogram to look at: as many columns as a picture has, frequencies by octaves."""

from __future__ import annotations

import itertools

import numpy as np

from ddsp_studio.training.features.f0_layout import Floats

LOW_HZ = 40.0
RANGE_DB = 80.0
_SIZE_S = 0.064


def octave_spectrogram(audio: Floats, sample_rate: int, columns: int, rows: int, low_hz: float = LOW_HZ) -> Floats:
    """Level in dB under the loudest place, [rows, columns], held to −80..0; row 0 is the highest frequency.

    Rows go from `low_hz` to half the sample rate in equal steps of pitch, columns in equal steps of time; no others are computed.

    Args:
        audio: mono, [samples]; a mapped file will do. sample_rate: Hz.
    """
    size = 2 * round(_SIZE_S * sample_rate / 2)
    window = np.hanning(size).astype(np.float32)
    hertz = np.geomspace(0.5 * sample_rate, low_hz, rows)
    bins = hertz * size / sample_rate
    picture = np.full((rows, columns), -200.0, np.float32)
    for column in range(columns):
        middle = int((column + 0.5) * len(audio) / columns)
        begin = middle - size // 2
        part = np.asarray(audio[max(0, begin) : max(0, begin + size)])
        part = np.pad(part, (max(0, -begin), 0))
        power = np.abs(np.fft.rfft(np.pad(part, (0, size - len(part))) * window)) ** 2
        picture[:, column] = 10.0 * np.log10(np.interp(bins, np.arange(len(power)), power) + 1e-12)
    return np.asarray(np.clip(picture - picture.max(initial=-100.0), -RANGE_DB, 0.0), np.float32)


def envelope(audio: Floats, columns: int) -> Floats:
    """Lowest and highest sample of every column of a picture, [2, columns]."""
    bounds = np.linspace(0, len(audio), columns + 1).astype(int)
    spans = [audio[a : max(b, a + 1)] for a, b in itertools.pairwise(bounds)]
    return np.array([[s.min(initial=0.0) for s in spans], [s.max(initial=0.0) for s in spans]], np.float32)
