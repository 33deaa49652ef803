"""Control frames to audio: linear across each hop, so that no knob steps."""

from __future__ import annotations

import numpy as np

from ddsp_studio.dsp.tensor import HOP, Tensor, tf

RISE = (np.arange(1, HOP + 1) / HOP).astype(np.float32)
"""Share of the way from the frame before to the frame at the hop's end, for each sample of a hop."""


def hops(audio: Tensor) -> Tensor:
    """Cut audio [batch, samples] into hops [batch, hops, HOP]."""
    return tf.reshape(audio, [audio.shape[0], -1, HOP])


def samples(audio: Tensor) -> Tensor:
    """Join hops [batch, hops, HOP] to audio [batch, samples]."""
    return tf.reshape(audio, [audio.shape[0], -1])


def ramp_hops(frames: Tensor) -> Tensor:
    """Ramp single-channel frames [batch, hops + 1, 1] linearly: [batch, hops, HOP]. Row 0 is the frame before the block."""
    before, after = frames[:, :-1], frames[:, 1:]
    return before + (after - before) * RISE


def ramp(frames: Tensor) -> Tensor:
    """Ramp single-channel frames [batch, hops + 1, 1] linearly to audio rate: [batch, samples]."""
    return samples(ramp_hops(frames))
