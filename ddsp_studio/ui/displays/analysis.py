"""From scope audio to a spectrogram column: two Hann windows, log frequency, dB. numpy only."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

LONG, SHORT = 8192, 2048
"""Window lengths in samples: the long one resolves bass, the short one shows when treble happens."""
LOW_HZ, HIGH_HZ = 24.0, 20_000.0
FLOOR_DB = -130.0
_FLOOR_POWER = 10.0 ** (FLOOR_DB / 10.0)
_CROSS_HZ = (500.0, 2000.0)
"""Between these the two windows are blended."""


class LogSpectrum:
    """Levels in dB at `rows` frequencies, from HIGH_HZ at row 0 down to LOW_HZ; a full-scale sine reads 0 dB.

    Both windows are centred on the same sample, so that an attack stands at one place at all frequencies.
    """

    def __init__(self, rows: int, sample_rate: int) -> None:
        self.rows, self.sample_rate = rows, sample_rate
        self.top_hz = min(HIGH_HZ, 0.499 * sample_rate)
        self._parts = [_Window(length, self._edges(), sample_rate) for length in (LONG, SHORT)]
        low, high = (math.log(f) for f in _CROSS_HZ)
        centres = np.log([self.frequency(row + 0.5) for row in range(rows)])
        self._short = np.clip((centres - low) / (high - low), 0.0, 1.0).astype(np.float32)

    def _edges(self) -> npt.NDArray[np.float64]:
        return np.array([self.frequency(row) for row in range(self.rows + 1)])

    def frequency(self, row: float) -> float:
        """Frequency in Hz at a (fractional) row."""
        return float(self.top_hz * (LOW_HZ / self.top_hz) ** (row / self.rows))

    def row(self, frequency_hz: float) -> float:
        """Row of a frequency in Hz."""
        return self.rows * math.log(frequency_hz / self.top_hz) / math.log(LOW_HZ / self.top_hz)

    def column(self, audio: Floats) -> Floats:
        """Levels in dB [rows] around the middle of LONG mono samples."""
        middle = (LONG - SHORT) // 2
        long = self._parts[0].levels(audio)
        short = self._parts[1].levels(audio[middle : middle + SHORT])
        return long + self._short * (short - long)


class _Window:
    """One window length: which bins make which row."""

    def __init__(self, length: int, edges: npt.NDArray[np.float64], sample_rate: int) -> None:
        window = np.hanning(length)
        self._window = (window * (2.0 / window.sum())).astype(np.float32)
        bins = np.clip(edges[::-1] * length / sample_rate, 0.0, length // 2)  # upwards, as reduceat wants them
        centres = np.sqrt(bins[:-1] * bins[1:])
        self._below = np.minimum(centres.astype(np.int64), length // 2 - 1)
        self._between = (centres - self._below).astype(np.float32)
        first = np.ceil(bins[:-1]).astype(np.int64)
        self._wide = np.ceil(bins[1:]).astype(np.int64) - first >= 2
        self._first = np.minimum(first, length // 2)

    def levels(self, audio: Floats) -> Floats:
        spectrum = np.fft.rfft(audio * self._window)
        power = spectrum.real**2 + spectrum.imag**2
        low = power[self._below]
        rows = low + self._between * (power[self._below + 1] - low)
        peaks = np.maximum.reduceat(power, self._first)
        chosen = np.where(self._wide, peaks, rows)[::-1]
        result: Floats = (10.0 * np.log10(np.maximum(chosen, _FLOOR_POWER))).astype(np.float32)
        return result


def trigger(audio: Floats, span: int) -> int:
    """Where to start drawing `span` samples of a mono signal so that the picture stands still.

    The last rising zero crossing that leaves room for the span and that follows a dip below a tenth of the peak, which keeps
    noise around zero from triggering; the end of the signal if there is none.
    """
    last = len(audio) - span
    if last <= 1:
        return 0
    head = audio[: last + 1]
    threshold = 0.1 * float(np.max(np.abs(head)))
    if threshold < 1e-5:
        return last
    armed = np.maximum.accumulate(np.where(head < -threshold, np.arange(len(head)), -1))
    fired = np.maximum.accumulate(np.where(head > threshold, np.arange(len(head)), -1))
    rising = np.flatnonzero((head[:-1] < 0.0) & (head[1:] >= 0.0) & (armed[:-1] > fired[:-1]))
    return int(rising[-1]) if rising.size else last
