"""Notes of a melody, from its pitch and loudness.

Pitch is explained by keys with a hidden Markov model (as in Ryynänen and Klapuri, "Automatic transcription of melody, bass
line, and chords in polyphonic music", 2008, with fixed costs): vibrato and slides stay in a note, a change of key begins one.
Within a key a dip of loudness between two swells begins another.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.scaling import hz_to_midi
from ddsp_studio.training.features.clock import frame_period
from ddsp_studio.training.features.f0_layout import Floats
from ddsp_studio.training.features.fitting import smooth

_LOW_KEY, _HIGH_KEY = 16, 112
_SPREAD = 0.4
"""Standard deviation of pitch about its key, semitones."""
_FARTHEST = 9.0
"""Cost of a frame that fits no key."""
_SWITCH = 14.0
"""Cost of another key; as much as 30 ms of a wrong one."""
_SHORTEST_S = 0.05
_DIP_DB = 10.0
_VIBRATO_S = 0.18
_SWELL_S = 0.12
"""Within this time after a dip the loudness must have risen again."""


class Note(NamedTuple):
    """A note: begin and end in seconds, pitch as a MIDI key (the median, not rounded), loudest reading in dB."""

    onset_s: float
    offset_s: float
    pitch: float
    loudness_db: float


def find_notes(f0_hz: Floats, loudness_db: Floats, sample_rate: int) -> list[Note]:
    """The notes in frames of the clock.

    Args:
        f0_hz: [frames], 0 where there is no pitch. loudness_db: [frames]. sample_rate: that the clock belongs to, Hz.

    Returns:
        Notes of 50 ms and longer, in order.
    """
    count = min(len(f0_hz), len(loudness_db))
    period_s = frame_period(sample_rate) / sample_rate
    voiced = np.asarray(f0_hz[:count]) > 0.0
    pitch = np.asarray(hz_to_midi(np.where(voiced, f0_hz[:count], 440.0)), np.float64)
    shortest = max(1, round(_SHORTEST_S / period_s))
    stretches, notes = _runs(np.where(voiced, 1, 0)), []
    tuning = _tuning([pitch[first:last] for first, last in stretches], round(_VIBRATO_S / period_s))
    for first, last in stretches:
        keys = _keys(pitch[first:last] - tuning, 0.004 / period_s)
        for a, b in _runs(keys):
            for c, d in _split_at_dips(loudness_db[first + a : first + b], round(_SWELL_S / period_s)):
                begin, end = first + a + c, first + a + d
                if end - begin >= shortest:
                    loud, middle = float(loudness_db[begin:end].max()), float(np.median(pitch[begin:end]))
                    notes.append(Note(begin * period_s, end * period_s, middle, loud))
    return notes


def _tuning(stretches: list[npt.NDArray[np.float64]], vibrato: int) -> float:
    """How far the melody lies from the keys of 440 Hz, in semitones −0.5..0.5: the circular mean.

    Vibrato, which lingers at its turning points, is averaged away first; `vibrato` is the length of a swing in frames.
    """
    if not stretches:
        return 0.0
    middles = np.concatenate([smooth(pitch[None], vibrato)[0] for pitch in stretches])
    return float(np.angle(np.mean(np.exp(2j * np.pi * middles))) / (2.0 * np.pi))


def _runs(values: npt.NDArray[np.int_]) -> list[tuple[int, int]]:
    """Begin and end of every stretch of one value other than 0."""
    edges = np.flatnonzero(np.diff(values)) + 1
    bounds = [0, *edges.tolist(), len(values)]
    return [(a, b) for a, b in itertools.pairwise(bounds) if a < b and values[a] != 0]


def _keys(pitch: npt.NDArray[np.float64], scale: float) -> npt.NDArray[np.int_]:
    """The key that each frame belongs to, [frames]. `scale`: frames of 4 ms in a frame, inverted."""
    keys = np.arange(_LOW_KEY, _HIGH_KEY)
    cost = np.minimum(0.5 * ((pitch[:, None] - keys) / _SPREAD) ** 2, _FARTHEST)
    switch, stays = _SWITCH * scale, cost.sum(axis=0)
    one = int(stays.argmin())
    if stays[one] < cost.min(axis=1).sum() + switch:  # whatever leaves this key costs more
        return np.full(len(pitch), keys[one])
    return np.asarray(keys[_cheapest(cost, switch)])


def _cheapest(cost: npt.NDArray[np.float64], switch: float) -> npt.NDArray[np.intp]:
    """The path of least cost through [frames, states], where to change the state costs `switch` (Viterbi)."""
    total = np.zeros(cost.shape[1])
    stayed = np.empty(cost.shape, bool)
    best = np.empty(len(cost), np.intp)
    for frame, price in enumerate(cost):
        best[frame] = total.argmin()
        moved = total[best[frame]] + switch
        stayed[frame] = total <= moved
        total = np.where(stayed[frame], total, moved) + price
    path = np.empty(len(cost), np.intp)
    state = total.argmin()
    for frame in range(len(cost) - 1, -1, -1):
        path[frame] = state
        if not stayed[frame, state]:
            state = best[frame]
    return path


def _split_at_dips(loudness_db: Floats, swell: int) -> list[tuple[int, int]]:
    """Stretches of a note between dips of its loudness that are followed by a swell within `swell` frames."""
    cuts, begin, count = [0], 0, len(loudness_db)
    highest = -np.inf
    for frame in range(1, count - 1):
        highest = max(highest, float(loudness_db[frame]))
        here = float(loudness_db[frame])
        if here > loudness_db[frame - 1] or here > loudness_db[frame + 1] or highest - here < _DIP_DB:
            continue
        if frame - begin >= 8 and float(loudness_db[frame : frame + swell].max()) - here >= _DIP_DB:
            cuts.append(frame)
            begin, highest = frame, here
    return list(zip(cuts, [*cuts[1:], count], strict=True))
