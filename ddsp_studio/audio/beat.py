"""The beat as frames: from anchors in the stream to a clock [1, frames, 3] (see `processors/performance.py`).

Between two anchors the beat runs evenly, so a frame is exact wherever in its hop an anchor lies. Like every event an anchor acts
in the frame of the hop that contains its sample.

Thread rule: owned by the thread that renders.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ddsp_studio.audio.events import HOP, Beat
from ddsp_studio.processors.performance import BEAT, BPM, CLOCK, RUNNING, TEMPO


class BeatLine:
    """The clock of one stream. It runs freely at 120 bpm from beat 0 until an anchor says otherwise."""

    def __init__(self, sample_rate: int, position: int = 0) -> None:
        """Start at a sample of the stream; `sample_rate` in Hz."""
        self._rate = sample_rate
        self._anchor = Beat(position, 0.0, BPM, False)

    def frames(self, anchors: Sequence[Beat], first_hop: int, hops: int) -> npt.NDArray[np.float64]:
        """The clock [1, hops, 3] of the hops from `first_hop` on; `anchors` are those due before the block's end, by time."""
        out = np.empty((1, hops, len(CLOCK)))
        done = 0
        for anchor in anchors:
            begin = min(max(anchor.sample // HOP - first_hop, done), hops)
            self._write(out[0, done:begin], first_hop + done)
            self._anchor, done = anchor, begin
        self._write(out[0, done:], first_hop + done)
        return out

    def _write(self, out: npt.NDArray[np.float64], first_hop: int) -> None:
        ends = (np.arange(first_hop + 1, first_hop + 1 + len(out)) * HOP).astype(np.float64)
        anchor = self._anchor
        out[:, BEAT] = anchor.beat + (ends - anchor.sample) * (anchor.bpm / (60.0 * self._rate))
        out[:, TEMPO], out[:, RUNNING] = anchor.bpm, float(anchor.running)
