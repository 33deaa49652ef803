"""Which keys and levels recordings leave out, and how far clips must be varied so that these are learned, too."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ddsp_studio.training.data.corpus import Recording
from ddsp_studio.training.data.usable import pitched
from ddsp_studio.training.features.clock import frame_period
from ddsp_studio.training.features.f0_layout import Floats

VARIED_CENTS, VARIED_DB = 200.0, 6.0
"""How far clips are varied where it is needed."""
_PLAYED_S = 0.1
"""A key is played that sounds for so long."""
_RANGE = (0.5, 99.5)
"""Percentiles of the pitch between which the range lies; what is beyond may be mistaken."""
_MOST_KEYS = 2.0 / 3.0
"""Share of the keys that is enough: melodies play more, a sampler's notes in thirds fewer."""
_KEYS, _STEP_DB = 128, 0.5
_LEVELS_DB = np.arange(-130.0, 30.0, _STEP_DB)
_SPREAD, _LIVELY_DB = (10.0, 90.0), 8.0
"""Percentiles of a key's level, and how far apart they are where it is played in more than one dynamic."""


class Coverage(NamedTuple):
    """What of its range an instrument was heard in.

    Attributes:
        keys: share of the keys in the range that is played, 0..1. dynamics_db: how far the level of a key spreads, tenth to
        ninetieth percentile, dB; that of the key in the middle.
    """

    keys: float
    dynamics_db: float

    @property
    def pitch_cents(self) -> float:
        """By how much pitch is to be varied, cents."""
        return VARIED_CENTS if self.keys < _MOST_KEYS else 0.0

    @property
    def gain_db(self) -> float:
        """By how much level is to be varied, dB."""
        return VARIED_DB if self.dynamics_db < _LIVELY_DB else 0.0


def covered(recordings: Iterable[Recording]) -> Coverage:
    """What recordings cover; those without pitch leave nothing out."""
    seconds = np.zeros((_KEYS, len(_LEVELS_DB) - 1))
    for recording in recordings:
        midi, level = pitched(recording.frames)
        frames = np.histogram2d(np.clip(_keys(midi), 0, _KEYS - 1), level, bins=(np.arange(_KEYS + 1), _LEVELS_DB))[0]
        seconds += frames * frame_period(recording.sample_rate) / recording.sample_rate
    by_key = seconds.sum(axis=1)
    if not by_key.sum():
        return Coverage(1.0, np.inf)
    low, high = _percentiles(by_key, _RANGE)
    played = [key for key in range(int(low), int(high) + 1) if by_key[key] >= _PLAYED_S]
    spreads = [float(np.diff(_percentiles(seconds[key], _SPREAD))[0]) * _STEP_DB for key in played]
    return Coverage(len(played) / (played[-1] + 1 - played[0]), float(np.median(spreads))) if played else Coverage(1.0, np.inf)


def keys_of(recording: Recording) -> list[int]:
    """MIDI numbers of the keys that are played in a recording, rising."""
    return _played(_keys(pitched(recording.frames)[0]), recording)


def hole(keys: Collection[int], others: Collection[int]) -> float:
    """Most semitones from one of the keys to the nearest of the others, below it or above it; infinite beyond their ends."""
    below = (min((key - other for other in others if other <= key), default=np.inf) for key in keys)
    above = (min((other - key for other in others if other >= key), default=np.inf) for key in keys)
    return float(max((*below, *above), default=0.0))


def _keys(midi: Floats) -> npt.NDArray[np.int_]:
    return np.round(midi).astype(int)


def _percentiles(amounts: npt.NDArray[np.float64], percent: tuple[float, float]) -> npt.NDArray[np.int_]:
    """Between which places so much of the whole lies."""
    whole = np.cumsum(amounts)
    return np.asarray(np.searchsorted(whole, np.array(percent) / 100.0 * whole[-1]))


def _played(key: npt.NDArray[np.int_], recording: Recording) -> list[int]:
    found, frames = np.unique(key, return_counts=True)
    return [int(k) for k in found[frames * frame_period(recording.sample_rate) >= _PLAYED_S * recording.sample_rate]]
