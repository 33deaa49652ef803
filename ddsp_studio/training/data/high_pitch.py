"""Pitch above the usual range (a piccolo, a glockenspiel): searched where a recording gives reason to, and kept if it is there.

A tone of 3 kHz repeats in two of its periods, too, so where the range ends at 2500 Hz it is found at 1.5 kHz, and surely. What
gives it away is that nothing sounds at 1.5, 4.5 and 7.5 kHz.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from ddsp_studio.training.data.odd_partials import odd_shares
from ddsp_studio.training.data.usable import runs, sounding
from ddsp_studio.training.features.clock import frame_period
from ddsp_studio.training.features.extract import Frames
from ddsp_studio.training.features.f0 import tracked
from ddsp_studio.training.features.f0_layout import F0Settings, Floats

HIGHEST_HZ = 5000.0
"""The highest pitch that is searched; a piano ends at 4186 Hz."""
_ABOVE = 1.1
"""How far above a pitch that is known the search goes."""
_FROM_HZ = 1100.0
"""What is found above this may be half of something beyond the usual range."""
_SURE, _EMPTY = 0.85, 0.01
"""Periodicity of a sure frame, and the share of its power at odd multiples below which an octave higher is meant."""
_FOUND, _HELD_S = 0.01, 0.1
"""Share of the sounding frames that must lie in notes above the usual range, and how long such a note is."""
_KEPT = 0.8
"""From this part of the usual range's upper end on the wider search is believed: vibrato may cross it."""
_WINDOW_S, _PLACES = 0.032, 256


def high_enough(settings: F0Settings, known_hz: float) -> F0Settings:
    """The settings, searching as far up as a pitch that is known, Hz; a range that is not the usual one stays."""
    wanted = min(HIGHEST_HZ, _ABOVE * known_hz)
    return replace(settings, high_hz=wanted) if settings.high_hz == F0Settings().high_hz < wanted else settings


def reaching_up(frames: Frames, blocks: Callable[[], Iterable[Floats]], sample_rate: int, settings: F0Settings) -> Frames:
    """The frames, or those of a search up to 5000 Hz where the recording plays there.

    Args:
        frames: features as tracked with `settings`. blocks: gives the sound again, mono [samples], in order.
        sample_rate: Hz. settings: of the pitch tracker; a range that is not the usual one is the user's and stays.
    """
    least = _FOUND * float(sounding(frames.loudness_db).sum())
    near = np.flatnonzero((frames.f0_hz > _FROM_HZ) & (frames.confidence >= _SURE))
    if settings.high_hz != F0Settings().high_hz or len(near) <= least:
        return frames
    places = near[:: -(-len(near) // _PLACES)]
    bare = [share < _EMPTY for share in odd_shares(frames.f0_hz, places, blocks(), sample_rate, _WINDOW_S)]
    if not bare or np.mean(bare) * len(near) <= least:
        return frames
    high = tracked(blocks(), sample_rate, replace(settings, high_hz=HIGHEST_HZ))
    up, above = high.f0_hz > _KEPT * settings.high_hz, high.f0_hz > settings.high_hz
    held = _HELD_S * sample_rate / frame_period(sample_rate)
    if sum(above[a:b].sum() for a, b in runs(up & (high.confidence >= _SURE)) if b - a >= held) <= least:
        return frames
    f0_hz, confidence = np.where(up, high.f0_hz, frames.f0_hz), np.where(up, high.confidence, frames.confidence)
    return frames._replace(f0_hz=f0_hz, confidence=confidence)
