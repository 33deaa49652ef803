"""How far down and up pitch is searched: the usual range, and beyond it where a recording plays there."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from ddsp_studio.training.data.high_pitch import high_enough, reaching_up
from ddsp_studio.training.data.low_pitch import low_enough, reaching_down
from ddsp_studio.training.data.octave_tails import octave_above, settled
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


def track_for(audio: Floats, sample_rate: int, asked_hz: Floats, like: Floats) -> F0:
    """Pitch of what an instrument plays, searched as far as it was asked to play.

    Args:
        audio: what it plays [samples]. sample_rate: Hz. asked_hz: the pitch that it was asked for, 0 for none, [frames].
        like: the recording that it is to play like [samples]. A tail in whose midst both begin is heard as its note only where
            the recording, too, is heard an octave above it: what was asked for proves nothing.
    """
    asked, settings = asked_hz[asked_hz > 0.0], F0Settings()
    if len(asked):
        lowest, highest = (float(hz) for hz in np.percentile(asked, [2.0, 98.0]))
        settings = high_enough(low_enough(settings, lowest), highest)
    found, own = (track_f0(sound, sample_rate, settings) for sound in (audio, like))
    count = min(len(found.f0_hz), len(own.f0_hz), len(asked_hz))
    ringing = np.where(octave_above(own.f0_hz[:count], asked_hz[:count]), asked_hz[:count], 0.0).astype(np.float32)
    ringing = np.pad(ringing, (0, len(found.f0_hz) - count))
    frames = settled(Frames(*found, loudness_db(audio, sample_rate)), lambda: [audio], sample_rate, ringing)
    return F0(frames.f0_hz, found.confidence)
