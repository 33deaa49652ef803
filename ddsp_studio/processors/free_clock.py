"""The clock where there is no transport."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.tensor import HOP
from ddsp_studio.processors.performance import BEAT, BPM, CLOCK, TEMPO


def free_clock(first_hop: int, hops: int, sample_rate: float, bpm: float = BPM) -> npt.NDArray[np.float64]:
    """A clock that counts from beat 0 at hop 0, with no transport: [1, hops, 3]."""
    ends = np.arange(first_hop + 1, first_hop + hops + 1, dtype=np.float64) * HOP
    frames = np.zeros((1, hops, len(CLOCK)))
    frames[0, :, BEAT], frames[0, :, TEMPO] = ends / sample_rate * bpm / 60.0, bpm
    return frames
