"""Pitch that a data set of magenta/ddsp brings: how many frames a second, and which sound each describes.

Frames of the pitch tracker there (CREPE: J. W. Kim et al., 2018) are 1024 samples long at 16 kHz. With centred padding frame m
describes the sound around m hops, with the later default ("same") that around 512 samples behind it: 32 ms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr

from ddsp_studio.training.data.audio_source import Floats
from ddsp_studio.training.features.clock import frame_count, frame_period
from ddsp_studio.training.features.f0 import F0, track_f0

_RATE = 16_000
BEHIND_S = 512 / _RATE
"""How far behind its hop a frame of "same" padding stands, s."""
_LIKELY = (250, 50, 100, 200, 125, 500)
_FRAME_RATES = tuple(rate for rate in range(10, 1001) if _RATE % rate == 0)
_SURE = 0.5
"""Confidence of their tracker from which a frame counts as having a pitch."""
_GLIDE = 1.0 / 12.0
"""Octaves from one frame to the next up to which pitch is taken to glide."""
_AROUND_S, _MOVED, _FARTHEST = 0.05, 30.0, 100.0
"""Pitch moves where it changes by so many cents within this time; two pitches further apart than so many cents just differ."""
_TELLING_S, _CLEARLY = 0.2, 0.9
"""How long pitch must move to tell where frames stand, and how much better the later place must fit."""


def frame_rate(samples: int, frames: int) -> tuple[int, bool] | None:
    """Frames a second of so many frames for so many samples of 16 kHz, and whether they may stand behind their hops.

    Returns:
        None where no whole hop gives that number: frames and sound do not belong together.
    """
    fitting = [rate for rate in _FRAME_RATES if frames in (-(-samples * rate // _RATE), samples * rate // _RATE + 1)]
    if not fitting:
        return None
    likely = [rate for rate in _LIKELY if rate in fitting]
    rate = likely[0] if likely else min(fitting, key=lambda one: abs(one * samples / _RATE - frames))
    centred = samples * rate % _RATE == 0 and frames == samples * rate // _RATE + 1
    return rate, not centred


@dataclass(frozen=True)
class Given:
    """Pitch as it was given.

    Attributes:
        f0_hz, confidence: [frames]. seconds: length of the sound. rate: frames a second.
        unsure: whether frames may stand behind their hops.
    """

    f0_hz: Floats
    confidence: Floats
    seconds: float
    rate: int
    unsure: bool

    def at(self, delay_s: float) -> Callable[[int], F0]:
        """Pitch at the frames of our clock at a sample rate, if frame m of what was given describes m / rate + `delay_s`."""
        delay = delay_s if self.unsure else 0.0

        def at_clock(sample_rate: int) -> F0:
            count = frame_count(round(self.seconds * sample_rate), sample_rate)
            return self.heard(np.arange(count) * (frame_period(sample_rate) / sample_rate) - delay)

        return at_clock

    def heard(self, at_s: npt.NDArray[np.floating[Any]]) -> F0:
        """Pitch at places in s, frame m standing at m / rate; the first and last frames hold outside."""
        at = at_s * self.rate
        nearest = np.clip(np.round(at).astype(int), 0, len(self.f0_hz) - 1)
        octaves = np.log2(np.maximum(self.f0_hz, 1.0))
        # between frames of one note the pitch glides; where it jumps the nearer frame holds
        smooth = np.interp(at, np.arange(len(octaves)), octaves)
        f0_hz = 2.0 ** np.where(np.abs(smooth - octaves[nearest]) < _GLIDE, smooth, octaves[nearest])
        sure = (self.confidence[nearest] >= _SURE) & (self.f0_hz[nearest] > 0.0)
        confidence = np.where(sure, np.clip(self.confidence[nearest], 0.0, 1.0), 0.0)
        return F0(np.where(sure, f0_hz, 0.0).astype(np.float32), confidence.astype(np.float32))


def delay_of(examples: Iterable[tuple[Floats, int, Given]]) -> float:
    """How far behind their hops the frames of some examples stand, s: 0, or `BEHIND_S` if their sound says so.

    Args:
        examples: sound [samples], its sample rate in Hz, and the pitch that was given for it.
    """
    centred, behind, moving = 0.0, 0.0, 0
    for audio, rate, given in examples:
        if not given.unsure:
            return 0.0
        one, other, frames = _misfits(audio, rate, given)
        centred, behind, moving = centred + one, behind + other, moving + frames
    enough = moving >= _TELLING_S * _RATE / frame_period(_RATE)
    return BEHIND_S if enough and behind < _CLEARLY * centred else 0.0


def _misfits(audio: Floats, rate: int, given: Given) -> tuple[float, float, int]:
    """Cents between what is heard where pitch moves and what was given, for both places, summed up; and frames where it moves."""
    sound = audio if rate == _RATE else soxr.resample(audio, rate, _RATE, quality="HQ").astype(np.float32)
    found = track_f0(sound, _RATE)
    at_s = np.arange(len(found.f0_hz)) * (frame_period(_RATE) / _RATE)
    given_f0 = [given.heard(at_s - delay).f0_hz for delay in (0.0, BEHIND_S)]
    both = found.voiced & (given_f0[0] > 0.0) & (given_f0[1] > 0.0)
    moving = both & _moves(found, round(_AROUND_S * _RATE / frame_period(_RATE)))
    off = [np.abs(1200.0 * np.log2(one[moving] / found.f0_hz[moving])) for one in given_f0]
    centred, behind = (float(np.minimum(cents, _FARTHEST).sum()) for cents in off)
    return centred, behind, int(moving.sum())


def _moves(found: F0, reach: int) -> npt.NDArray[np.bool_]:
    """Where pitch changes within `reach` frames, [frames]."""
    cents = np.where(found.voiced, 1200.0 * np.log2(np.maximum(found.f0_hz, 1.0)), np.nan)
    padded = np.pad(cents, (reach // 2, reach - reach // 2), constant_values=np.nan)
    return np.asarray(np.abs(padded[reach:] - padded[:-reach]) > _MOVED)
