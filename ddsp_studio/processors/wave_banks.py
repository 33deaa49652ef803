"""Series of single-cycle waves to move through: made from formulas, or cut from a file."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.wavetable import MOST_HARMONICS
from ddsp_studio.processors import sound_file

Spectra = npt.NDArray[np.complex128]
"""Harmonics 1, 2, … of every wave as cosine − i·sine amplitudes, [waves, harmonics]."""

WAVES = 8
MOST_WAVES = 32
_K = np.arange(1, MOST_HARMONICS + 1)
_VOWELS = (
    (730.0, 1090.0, 2440.0),
    (530.0, 1840.0, 2480.0),
    (270.0, 2290.0, 3010.0),
    (570.0, 840.0, 2410.0),
    (300.0, 870.0, 2240.0),
)
"""Formants in Hz of a, e, i, o and u, men (Peterson and Barney, 1952)."""


def _analogue() -> Spectra:
    """Sine, triangle, saw, square and narrower and narrower pulses."""
    odd = _K % 2
    sine = np.where(_K == 1, -1j, 0.0)
    triangle = odd * np.sin(0.5 * math.pi * _K) * (-8j / math.pi**2) / _K**2
    saw = 2j / math.pi / _K * (-1.0) ** _K
    pulses = [np.sin(math.pi * width * _K) * 4.0 / math.pi / _K for width in (0.5, 0.35, 0.2, 0.1, 0.05)]
    return np.stack([sine, triangle, saw, *pulses])


def _vowels() -> Spectra:
    """A buzz at 110 Hz sung as a, e, i, o, u, and back."""
    hertz = 110.0 * _K
    waves = []
    for formants in (*_VOWELS, _VOWELS[1], _VOWELS[3], _VOWELS[0]):
        resonance = sum(level / (1.0 + ((hertz - f) / 90.0) ** 2) for f, level in zip(formants, (1.0, 0.5, 0.25), strict=True))
        waves.append(-1j * (resonance + 0.01) / _K**0.5)
    return np.stack(waves)


def _organ() -> Spectra:
    """Drawbars pulled one after the other: harmonics 1, 2, 3, 4, 6, 8, 10, 12."""
    waves = np.zeros((WAVES, MOST_HARMONICS), np.complex128)
    for index, harmonic in enumerate((1, 2, 3, 4, 6, 8, 10, 12)):
        waves[index:, harmonic - 1] = -1j * 0.8**index
    return waves


def _metal() -> Spectra:
    """Frequency modulation at a ratio of 1 to 7 with a growing index (Chowning, 1973)."""
    turns = np.arange(4 * MOST_HARMONICS) / (4 * MOST_HARMONICS)
    index = np.linspace(0.0, 5.0, WAVES)[:, None]
    return from_cycles(np.sin(2.0 * math.pi * turns + index * np.sin(14.0 * math.pi * turns)))


_BANKS: dict[str, Callable[[], Spectra]] = {"analogue": _analogue, "vowels": _vowels, "organ": _organ, "metal": _metal}
NAMES = tuple(_BANKS)


def built_in(name: str) -> Spectra:
    """One of the banks `NAMES`, every wave with a peak of 1."""
    spectra = _BANKS[name]()
    size = 4 * MOST_HARMONICS
    bins = np.zeros((len(spectra), size // 2 + 1), np.complex128)
    # Fejér's means of the series have no overshoot of their own, so the peak is the wave's
    bins[:, 1 : MOST_HARMONICS + 1] = spectra * (size / 2) * (1.0 - _K / (MOST_HARMONICS + 1))
    return np.asarray(spectra / np.abs(np.fft.irfft(bins, size)).max(axis=1, keepdims=True))


def from_cycles(cycles: npt.NDArray[np.floating]) -> Spectra:
    """Harmonics of single cycles [waves, points], without the constant part."""
    spectrum = np.fft.rfft(cycles, axis=1)[:, 1 : MOST_HARMONICS + 1] * (2.0 / cycles.shape[1])
    return np.asarray(np.pad(spectrum, [(0, 0), (0, MOST_HARMONICS - spectrum.shape[1])]), np.complex128)


def from_file(path: Path, points: int) -> Spectra:
    """Cut a sound file into cycles of `points` samples, as wavetable synthesizers exchange them; 32 waves at most, spaced evenly.

    The loudest of them gets a peak of 1; constant parts are taken away.

    Raises:
        ValueError: in one sentence, when the file cannot be read or is shorter than one cycle.
    """
    audio, _ = sound_file.read(path, "wavetable")
    count = audio.size // points
    if not count:
        raise ValueError(f"the wavetable {Path(path).name!r} has {audio.size} samples, and one cycle takes {points}")
    chosen = np.unique(np.linspace(0, count - 1, min(count, MOST_WAVES)).round().astype(int))
    cycles = audio[: count * points].reshape(count, points)[chosen].astype(np.float64)
    cycles -= cycles.mean(axis=1, keepdims=True)
    peak = np.abs(cycles).max()
    if peak < 1e-6:
        raise ValueError(f"the wavetable {Path(path).name!r} is silent")
    return from_cycles(cycles / peak)
