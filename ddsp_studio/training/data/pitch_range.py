"""How far down and up pitch is searched: the usual range, and beyond it where a recording plays there."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from ddsp_studio.training.data.high_pitch import high_enough, reaching_up
from ddsp_studio.training.data.low_pitch import low_enough, reaching_down
from ddsp_studio.training.data.octave_tails import settled
from ddsp_studio.training.features.extract import Frames
from ddsp_studio.training.features.f0 import F0, track_f0
from ddsp_studio.training.features.f0_layout import F0Settings, Floats
from ddsp_studio.training.features.loudness import loudness_db


def reaching(frames: Frames, blocks: Callable[[], Iterable[Floats]], sample_rate: int, settings: F0Settings) -> Frames:
    """The frames, or those of a wider search where the recording plays below or above the usual range; tails keep their note.

    Args:
        frames: features as tracked with `settings`. blocks: gives the sound again, mono [samples], in order.
        sample_rate: Hz. settings: of the pitch tracker; an end of the range that is not the usual one stays.
    """
    wide = reaching_up(reaching_down(frames, blocks, sample_rate, settings), blocks, sample_rate, settings)
    return settled(wide, blocks, sample_rate)


def track_for(audio: Floats, sample_rate: int, asked_hz: npt.NDArray[np.float32]) -> F0:
    """Pitch of sound [samples] that was asked to play `asked_hz` (0 or NaN: nothing) [frames], searched as far as it reaches."""
    asked, settings = asked_hz[np.nan_to_num(asked_hz) > 0.0], F0Settings()
    if len(asked):
        lowest, highest = (float(hz) for hz in np.percentile(asked, [2.0, 98.0]))
        settings = high_enough(low_enough(settings, lowest), highest)
    found = track_f0(audio, sample_rate, settings)
    frames = settled(Frames(*found, loudness_db(audio, sample_rate)), lambda: [audio], sample_rate, np.nan_to_num(asked_hz))
    return F0(frames.f0_hz, found.confidence)
