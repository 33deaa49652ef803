"""Tails that are heard an octave too high: odd partials of a plucked string may die first, and the rest repeats twice as often.

The note has not changed, and an instrument that learns from it shall not take it for another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from ddsp_studio.training.data.odd_partials import odd_shares
from ddsp_studio.training.features.clock import frame_period
from ddsp_studio.training.features.extract import Frames
from ddsp_studio.training.features.f0_layout import Floats

_OCTAVE, _SAME = 0.03, 1.0 / 12.0
"""How near to an octave a leap is, and how far pitch may wander in a note, octaves."""
_GAP_S = 0.05
"""A pause in a note for which the tracker may be without a pitch."""
_SUNK = 0.07
"""Share of the power at odd partials before the leap, below which they were about to vanish: 0.02 to 0.05 in tails of guitars
and basses, 0.11 at least where winds leap in legato."""
_ONSET_DB = 3.0
"""A tail falls; what rises by so much is a note."""
_PERIODS, _LONGEST_S = 8.0, 0.2
"""Length of the window before the leap."""


def settled(frames: Frames, blocks: Callable[[], Iterable[Floats]], sample_rate: int) -> Frames:
    """The frames, with such tails at the pitch of their notes.

    Args:
        frames: features as tracked. blocks: gives the sound again, mono [samples], in order. sample_rate: Hz.
    """
    rate = sample_rate / frame_period(sample_rate)
    f0_hz, leaps = frames.f0_hz, _leaps(frames, rate)
    if not len(leaps):
        return frames
    window_s = min(_LONGEST_S, _PERIODS / float(f0_hz[leaps].min()))
    places = leaps - round(0.5 * window_s * rate)
    kept = (places >= 0) & (np.abs(_octaves(f0_hz[places], f0_hz[leaps])) < _SAME)
    shares = odd_shares(f0_hz, places[kept], blocks(), sample_rate, window_s)
    tails = [_tail(frames, int(last), rate) for last, share in zip(leaps[kept], shares, strict=False) if share < _SUNK]
    lower = f0_hz.copy()
    for first, end in tails:
        lower[first:end] *= 0.5
    return frames._replace(f0_hz=lower) if tails else frames


def _leaps(frames: Frames, rate: float) -> npt.NDArray[np.intp]:
    """The last frames before a leap up by an octave that no onset explains."""
    voiced = np.flatnonzero(frames.f0_hz > 0.0)
    before, behind = voiced[:-1], voiced[1:]
    leap = np.abs(_octaves(frames.f0_hz[behind], frames.f0_hz[before]) - 1.0) < _OCTAVE
    near = behind - before <= 1 + round(_GAP_S * rate)
    return before[leap & near]


def _tail(frames: Frames, last: int, rate: float) -> tuple[int, int]:
    """Begin and end of what rings on at one pitch behind a frame, and grows no louder: nothing, if it does at once."""
    first = last + 1 + int(np.argmax(frames.f0_hz[last + 1 :] > 0.0))
    f0_hz, level = frames.f0_hz[first:], frames.loudness_db[first:]
    silent = f0_hz <= 0.0
    other = ~silent & (np.abs(_octaves(f0_hz, f0_hz[0])) >= _SAME)
    least = np.minimum(np.minimum.accumulate(level), frames.loudness_db[last])
    ends = np.flatnonzero(other | (level > least + _ONSET_DB))
    end = int(ends[0]) if len(ends) else len(f0_hz)
    return first, first + end


def _octaves(one: Floats, other: Floats | float) -> npt.NDArray[np.float64]:
    """How far one pitch lies above another."""
    return np.asarray(np.log2(np.maximum(one, 1e-3) / np.maximum(other, 1e-3)), np.float64)
