"""Overdriven recordings: tops of the wave that stand still at one value, again and again."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ddsp_studio.training.data.audio_source import Floats

_TOP = 0.6
"""Below this a flat top is taken for what the recorder did on purpose, or for silence."""
_RUN = 3


def clipped_places(blocks: Iterable[Floats]) -> int:
    """How often a channel stands still for three samples or more at the very top of a sound, 0.6 of full scale or more.

    Args:
        blocks: of it, as it was recorded, [samples, channels] each.

    A clean recording has one such place or none, since nothing but clipping brings the wave to the same highest value twice.
    """
    top, places = _TOP, 0
    for block in blocks:
        highest = float(np.abs(block).max(initial=0.0))
        if highest > top * (1.0 + 1e-4):
            top, places = highest, 0
        if highest >= top * (1.0 - 1e-4):
            places += sum(_flat_tops(block[:, channel], top) for channel in range(block.shape[1]))
    return places


def _flat_tops(sound: Floats, top: float) -> int:
    at_top = np.abs(sound) >= top * (1.0 - 1e-4)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], at_top, [False]]).astype(np.int8))).reshape(-1, 2)
    return int(np.sum(edges[:, 1] - edges[:, 0] >= _RUN))
