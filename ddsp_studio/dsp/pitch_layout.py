"""Numbers of the pitch tracker that follow from a sample rate and a pitch range: for files and live input alike."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_WORKING_RATE = 15_900.0
"""Sound is decimated by whole numbers to no less than this: harmonics up to 7 kHz decide between octaves."""
_REACH = 8
"""Zero crossings on each side of the decimating filter."""
_LOW_HZ = 200.0
_OVERSAMPLING = 2
"""Steps of the autocorrelation in one (decimated) sample, so that a parabola finds its peaks."""


@dataclass(frozen=True)
class F0Settings:
    """How pitch is tracked.

    Attributes:
        low_hz, high_hz: the range searched. The window holds `periods` periods of `low_hz`.
        periods: periods of the lowest pitch in a window.
        voicing: periodicity (0..1) below which a frame is rather unvoiced.
        octave_cost: how much periodicity an octave upwards is worth: of equal candidates the higher one wins.
        low_octave_cost: the same below 200 Hz, where bodies radiate the fundamental badly: the second partial of a low string is
        the loudest, and the sound is nearly periodic in half of its period.
        jump_cost: price of moving the pitch by an octave in 10 ms, in periodicity.
        switch_cost: price of beginning or ending a voiced stretch, in periodicity.
        silence_db: level against the loudest of the last half minute or so below which nothing is voiced.
        floor_db: level against full scale below which nothing is voiced.
        candidates: pitches considered in each frame.
    """

    low_hz: float = 60.0
    high_hz: float = 2500.0
    periods: float = 3.0
    voicing: float = 0.45
    octave_cost: float = 0.08
    low_octave_cost: float = 0.05
    jump_cost: float = 0.35
    switch_cost: float = 0.14
    silence_db: float = -42.0
    floor_db: float = -80.0
    candidates: int = 8

    def __post_init__(self) -> None:
        """Refuse a range that holds no pitch (ValueError)."""
        if not 20.0 <= self.low_hz < self.high_hz <= 5000.0:
            raise ValueError(f"pitch is searched between 20 and 5000 Hz, got {self.low_hz:g} to {self.high_hz:g} Hz")


def favour(octaves: Any, settings: F0Settings) -> Any:
    """What a pitch is worth for its height, in periodicity; `octaves` above `low_hz`, an array or a tensor."""
    missing = math.log2(_LOW_HZ / settings.low_hz) - octaves
    # half of x + |x| is x where it is above 0
    return settings.octave_cost * octaves + 0.5 * (settings.octave_cost - settings.low_octave_cost) * (missing + abs(missing))


@dataclass(frozen=True)
class Layout:
    """What follows from settings and sample rate.

    Attributes:
        period: samples between frames at the given rate. factor: decimation. step: period after decimation.
        rate: sample rate after decimation, Hz. taps: decimating filter, odd and symmetric, [1] for none.
        window: Hann window, [n]. n is odd: a frame has a sample at its centre. size: length of the transform.
        lags: range of autocorrelation steps searched. norm: autocorrelation of the window at these steps.
        hertz: sample rate of these steps, Hz.
    """

    settings: F0Settings
    period: int
    factor: int
    step: int
    rate: float
    taps: Floats
    window: Floats
    size: int
    lags: tuple[int, int]
    norm: Floats
    hertz: float

    @property
    def half(self) -> int:
        """Samples of the given rate from a frame's centre to the last sample that it depends on."""
        return (len(self.window) // 2) * self.factor + len(self.taps) // 2


def _smooth_size(least: int) -> int:
    """The smallest even number of the form 2^a 3^b 5^c that is not less: such transforms are quick."""
    size = least + least % 2
    while True:
        rest = size
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return size
        size += 2


def _decimation(sample_rate: int, period: int) -> int:
    return max(f for f in range(1, period + 1) if period % f == 0 and (f == 1 or sample_rate / f >= _WORKING_RATE))


def _taps(factor: int) -> Floats:
    """Windowed-sinc low-pass at 0.45 of the lower rate, Blackman window."""
    if factor == 1:
        return np.ones(1, np.float32)
    half = _REACH * factor
    n = np.arange(-half, half + 1)
    taps = np.sinc(0.9 * n / factor) * np.blackman(2 * half + 1)
    return np.asarray(taps / taps.sum(), np.float32)


@lru_cache(maxsize=16)
def layout(sample_rate: int, settings: F0Settings, period: int) -> Layout:
    """Work out the numbers for a sample rate in Hz and a frame every `period` samples."""
    factor = _decimation(sample_rate, period)
    rate = sample_rate / factor
    length = 2 * round(settings.periods * rate / settings.low_hz / 2) + 1
    longest = math.ceil(rate / settings.low_hz) + 2
    size = _smooth_size(length + longest)
    window = (0.5 + 0.5 * np.cos(2.0 * np.pi * (np.arange(length) - length // 2) / (length + 1))).astype(np.float32)
    hertz = rate * _OVERSAMPLING
    lags = (
        max(2, math.floor(hertz / settings.high_hz) - 1),
        min(_OVERSAMPLING * longest, math.ceil(hertz / settings.low_hz) + 2),
    )
    spectrum = np.abs(np.fft.rfft(window.astype(np.float64), size)) ** 2
    of_window = np.fft.irfft(spectrum, size * _OVERSAMPLING) * _OVERSAMPLING
    norm = (of_window / of_window[0])[lags[0] : lags[1]].astype(np.float32)
    return Layout(settings, period, factor, period // factor, rate, _taps(factor), window, size, lags, norm, hertz)
