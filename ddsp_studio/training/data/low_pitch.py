"""Pitch below the usual range (a bass, a tuba): searched where a recording gives reason to, and kept if it is there.

A window for 27.5 Hz is twice as long as one for 60 Hz and blurs quick notes, so most recordings are better off without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from ddsp_studio.training.data.usable import runs, sounding
from ddsp_studio.training.features.clock import frame_period
from ddsp_studio.training.features.extract import Frames
from ddsp_studio.training.features.f0 import tracked
from ddsp_studio.training.features.f0_layout import F0Settings, Floats

LOWEST_HZ = 27.5
"""The lowest key of a piano."""
_MISSED = 0.04
"""Share of the sounding frames without a sure pitch from which it is worth looking below. Solo phrases have 0.02 at most."""
_NEAR = 2.0
"""What plays this near to the lower end may be the second partial of something below."""
_FOUND, _HELD_S = 0.04, 0.1
"""Share of the sounding frames that must lie in notes below the usual range, and how long such a note is: two strings that ring
together have a common period, too, but not for long (0.03 of a guitar's frames; a bass has 0.13 and more)."""
_UNSURE, _SURE = 0.6, 0.85


def reaching_down(frames: Frames, blocks: Callable[[], Iterable[Floats]], sample_rate: int, settings: F0Settings) -> Frames:
    """The frames, or those of a search down to 27.5 Hz if the recording plays there.

    Args:
        frames: features as tracked with `settings`. blocks: gives the sound again, mono [samples], in order.
        sample_rate: Hz. settings: of the pitch tracker; a range that is not the usual one is the user's and stays.
    """
    if settings.low_hz != F0Settings().low_hz or not _may_be_low(frames, settings):
        return frames
    low = tracked(blocks(), sample_rate, replace(settings, low_hz=LOWEST_HZ))
    heard = sounding(frames.loudness_db)
    below = heard & (low.f0_hz > 0.0) & (low.f0_hz < settings.low_hz) & (low.confidence >= _SURE)
    held = _HELD_S * sample_rate / frame_period(sample_rate)
    notes = sum(b - a for a, b in runs(below) if b - a >= held)
    return frames._replace(f0_hz=low.f0_hz, confidence=low.confidence) if notes > _FOUND * heard.sum() else frames


def low_enough(settings: F0Settings, known_hz: float) -> F0Settings:
    """The settings, searching as far down as a pitch that is known, Hz; a range that is not the usual one stays."""
    usual = F0Settings().low_hz
    return replace(settings, low_hz=LOWEST_HZ) if settings.low_hz == usual > known_hz else settings


def plays_low(frames: Frames) -> bool:
    """Whether a recording was found to play below the usual range."""
    return bool(np.any((frames.f0_hz > 0.0) & (frames.f0_hz < F0Settings().low_hz)))


def _may_be_low(frames: Frames, settings: F0Settings) -> bool:
    heard = sounding(frames.loudness_db)
    if not heard.any():
        return False
    sure = heard & (frames.confidence >= _UNSURE)
    near = sure.any() and float(np.percentile(frames.f0_hz[sure], 5.0)) < _NEAR * settings.low_hz
    return near or float(sure.sum()) < (1.0 - _MISSED) * float(heard.sum())
