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
_ONSET_DB, _FALLS_DB = 3.0, 1.0
"""What rises by so much is a note; a tail falls by so much from its first half to its second."""
_MOSTLY = 0.5
_PERIODS, _LONGEST_S = 8.0, 0.2
"""Length of the window before the leap."""


def settled(frames: Frames, blocks: Callable[[], Iterable[Floats]], sample_rate: int, ringing_hz: Floats | None = None) -> Frames:
    """The frames, with such tails at the pitch of their notes.

    Args:
        frames: features as tracked. blocks: gives the sound again, mono [samples], in order. sample_rate: Hz.
        ringing_hz: pitch that is known to be heard an octave above, 0 where none is, [frames]: a tail with which the sound
            begins is known by it.
    """
    rate = sample_rate / frame_period(sample_rate)
    tails = _sunk(frames, blocks, sample_rate, rate) + (
        [] if ringing_hz is None else _begun(frames, ringing_hz, round(_GAP_S * rate))
    )
    lower = frames.f0_hz.copy()
    for first, end in tails:
        lower[first:end] *= 0.5
    return frames._replace(f0_hz=lower) if tails else frames


def _sunk(frames: Frames, blocks: Callable[[], Iterable[Floats]], sample_rate: int, rate: float) -> list[tuple[int, int]]:
    """Tails before which the odd partials were about to vanish."""
    f0_hz, leaps = frames.f0_hz, _leaps(frames, rate)
    if not len(leaps):
        return []
    window_s = min(_LONGEST_S, _PERIODS / float(f0_hz[leaps].min()))
    places = leaps - round(0.5 * window_s * rate)
    kept = (places >= 0) & (np.abs(_octaves(f0_hz[places], f0_hz[leaps])) < _SAME)
    shares = odd_shares(f0_hz, places[kept], blocks(), sample_rate, window_s)
    return [_tail(frames, int(last) + 1) for last, share in zip(leaps[kept], shares, strict=False) if share < _SUNK]


def octave_above(heard_hz: Floats, note_hz: Floats) -> npt.NDArray[np.bool_]:
    """Where an octave above a note is heard; pitch is 0 where there is none."""
    both = (heard_hz > 0.0) & (note_hz > 0.0)
    return np.asarray(both & (np.abs(_octaves(heard_hz, note_hz) - 1.0) < _SAME))


def _begun(frames: Frames, ringing_hz: Floats, settles: int) -> list[tuple[int, int]]:
    """What falls from the beginning on, mostly where that is known to ring; it takes some frames until loudness can be told."""
    first, end = _tail(frames, settles)
    early, late = (float(np.median(part)) if len(part) else 0.0 for part in np.array_split(frames.loudness_db[first:end], 2))
    known = octave_above(frames.f0_hz[first:end], ringing_hz[first:end])
    if late > early - _FALLS_DB or not np.mean(known) > _MOSTLY:
        return []
    before = frames.f0_hz[:first]
    same = (before <= 0.0) | (np.abs(_octaves(before, frames.f0_hz[first])) < _SAME)
    return [(0 if same.all() else first, end)]


def _leaps(frames: Frames, rate: float) -> npt.NDArray[np.intp]:
    """The last frames before a leap up by an octave that no onset explains."""
    voiced = np.flatnonzero(frames.f0_hz > 0.0)
    before, behind = voiced[:-1], voiced[1:]
    leap = np.abs(_octaves(frames.f0_hz[behind], frames.f0_hz[before]) - 1.0) < _OCTAVE
    near = behind - before <= 1 + round(_GAP_S * rate)
    return before[leap & near]


def _tail(frames: Frames, place: int) -> tuple[int, int]:
    """Begin and end of what rings on at one pitch from a frame on, and grows no louder: nothing, if it does at once."""
    voiced = frames.f0_hz[place:] > 0.0
    if not voiced.any():
        return place, place
    first = place + int(np.argmax(voiced))
    f0_hz, level = frames.f0_hz[first:], frames.loudness_db[first:]
    other = (f0_hz > 0.0) & (np.abs(_octaves(f0_hz, f0_hz[0])) >= _SAME)
    least = np.minimum(np.minimum.accumulate(level), frames.loudness_db[place - 1] if place else np.inf)
    ends = np.flatnonzero(other | (level > least + _ONSET_DB))
    end = int(ends[0]) if len(ends) else len(f0_hz)
    return first, first + end


def _octaves(one: Floats | float, other: Floats | float) -> npt.NDArray[np.float64]:
    """How far one pitch lies above another."""
    return np.asarray(np.log2(np.maximum(one, 1e-3) / np.maximum(other, 1e-3)), np.float64)
