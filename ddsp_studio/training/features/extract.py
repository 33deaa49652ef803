"""Pitch, confidence and loudness of a recording in one pass, in memory that does not grow with its sound."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from ddsp_studio.training.features.clock import frame_count
from ddsp_studio.training.features.f0 import F0, OFFLINE_LAG, F0Tracker, in_pieces
from ddsp_studio.training.features.f0_layout import F0Settings, Floats
from ddsp_studio.training.features.loudness import LoudnessMeter

VERSION = 4
"""Raised when features of the same sound change, so that caches are not believed."""


class Frames(NamedTuple):
    """Features at the frames of the clock, [frames] each: f0 in Hz (0: no pitch), confidence 0..1, loudness in dB."""

    f0_hz: Floats
    confidence: Floats
    loudness_db: Floats


def extract(
    blocks: Iterable[Floats],
    sample_rate: int,
    settings: F0Settings | None = None,
    *,
    given: F0 | None = None,
    keep: Callable[[Floats], None] | None = None,
) -> Frames:
    """Features of a recording.

    Args:
        blocks: mono [samples], in order. sample_rate: Hz.
        settings: of the pitch tracker. given: pitch that is known already, at the frames of the clock; nothing is tracked then.
        keep: called with every piece of them, to store it.

    Raises:
        ValueError: a rate or range that cannot be served.
    """
    tracker, meter = F0Tracker(sample_rate, settings, lag=OFFLINE_LAG), LoudnessMeter(sample_rate)
    pitch, loudness = tracker.start(), meter.start()
    f0s: list[F0] = []
    readings: list[Floats] = []
    samples = 0
    for block in in_pieces(blocks):
        samples += len(block)
        if keep is not None:
            keep(block)
        if given is None:
            f0, pitch = tracker.track(pitch, block)
            f0s.append(f0)
        reading, loudness = meter.measure(loudness, block)
        readings.append(reading)
    readings.append(meter.finish(loudness))
    f0s.append(tracker.finish(pitch) if given is None else _fitted(given, frame_count(samples, sample_rate)))
    f0_hz, confidence = (np.concatenate(column) for column in zip(*f0s, strict=True))
    return Frames(f0_hz, confidence, np.concatenate(readings))


def _fitted(given: F0, count: int) -> F0:
    room = (0, max(0, count - len(given.f0_hz)))
    return F0(*(np.pad(np.asarray(column[:count], np.float32), room) for column in given))
