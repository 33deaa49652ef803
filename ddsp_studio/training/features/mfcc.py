"""Mel-frequency cepstra of a recording, as the encoders hear them, without TensorFlow."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.mel import TIMBRE_COEFFICIENTS, TIMBRE_WINDOW_S, cepstrum_of, timbre_bands
from ddsp_studio.dsp.spectral import hann
from ddsp_studio.dsp.tensor import HOP
from ddsp_studio.training.features.clock import frame_count, frame_period
from ddsp_studio.training.features.f0_layout import Floats

_AT_ONCE = 512
"""Windows that are transformed at once."""


def mfcc(audio: Floats, sample_rate: int) -> Floats:
    """Cepstra at the frames of the clock: mono [samples] to [samples // period + 1, 30]; the first is the loudness."""
    return mfcc_at(audio, sample_rate, np.arange(frame_count(len(audio), sample_rate)) * frame_period(sample_rate))


def mfcc_at(audio: Floats, sample_rate: int, middles: npt.NDArray[np.int_]) -> Floats:
    """Cepstra of the 64 ms around places in samples, silence beyond the ends: [places, 30]; a mapped recording will do."""
    size = HOP * max(2, round(TIMBRE_WINDOW_S * sample_rate / HOP))
    found = np.empty((len(middles), TIMBRE_COEFFICIENTS), np.float32)
    for first in range(0, len(middles), _AT_ONCE):
        part = middles[first : first + _AT_ONCE]
        windows = np.stack([_around(audio, int(middle), size) for middle in part]) * hann(size)
        magnitudes = np.abs(np.fft.rfft(windows)).astype(np.float32)
        found[first : first + len(part)] = cepstrum_of(timbre_bands(magnitudes, size, sample_rate), TIMBRE_COEFFICIENTS)
    return found


def _around(audio: Floats, middle: int, size: int) -> Floats:
    begin = middle - size // 2
    first, last = max(0, begin), min(len(audio), begin + size)
    window = np.zeros(size, np.float32)
    if last > first:
        window[first - begin : last - begin] = audio[first:last]
    return window
