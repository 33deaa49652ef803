"""Where a recording sounds: silence is left out, tails are kept."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ddsp_studio.training.features.clock import frame_period
from ddsp_studio.training.features.extract import Frames
from ddsp_studio.training.features.f0_layout import Floats

RANGE_DB = 50.0
"""What lies this far below the loud parts of a recording is silence."""
QUIETEST_DB = -85.0
"""What lies below this is silence in any case."""
_SURE = 0.6
_JOIN_S, _LEAD_S, _TAIL_S, _SHORTEST_S = 0.6, 0.1, 0.3, 0.2


def loud_level_db(loudness_db: Floats) -> float:
    """Level of the loud parts of a recording: the 95th percentile of the frames that are no silence, dB; −100 for silence."""
    heard = loudness_db[loudness_db > QUIETEST_DB]
    return float(np.percentile(heard, 95.0)) if len(heard) else -100.0


def sounding(loudness_db: Floats) -> npt.NDArray[np.bool_]:
    """Which frames sound, [frames]."""
    return np.asarray(loudness_db > max(QUIETEST_DB, loud_level_db(loudness_db) - RANGE_DB))


def pitched(frames: Frames) -> tuple[Floats, Floats]:
    """Pitch in MIDI numbers and loudness in dB where something sounds of whose pitch the tracker is sure, [frames] each."""
    sure = (frames.f0_hz > 0.0) & (frames.confidence > _SURE) & sounding(frames.loudness_db)
    midi = 69.0 + 12.0 * np.log2(np.maximum(frames.f0_hz[sure], 1.0) / 440.0)
    return np.asarray(midi, np.float32), np.asarray(frames.loudness_db[sure], np.float32)


def usable_stretches(loudness_db: Floats, sample_rate: int) -> list[tuple[int, int]]:
    """Begin and end, in frames, of the stretches worth learning from.

    Pauses up to 0.6 s stay within a stretch; 0.1 s before it and 0.3 s after it belong to it; what sounds for less than 0.2 s
    is a click.
    """
    frames = [max(1, round(s * sample_rate / frame_period(sample_rate))) for s in (_JOIN_S, _LEAD_S, _TAIL_S, _SHORTEST_S)]
    join, lead, tail, shortest = frames
    found: list[tuple[int, int]] = []
    for begin, end in runs(sounding(loudness_db)):
        if found and begin - found[-1][1] <= join:
            found[-1] = (found[-1][0], end)
        else:
            found.append((begin, end))
    count = len(loudness_db)
    return [(max(0, a - lead), min(count, b + tail)) for a, b in found if b - a >= shortest]


def runs(marked: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Begin and end of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]
