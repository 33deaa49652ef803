"""From a network's numbers to frequencies in Hz: several ways to spread sinusoids over what can be heard."""

from __future__ import annotations

import numpy as np

from ddsp_studio.dsp import scaling
from ddsp_studio.dsp.tensor import Tensor, tf


def split_depth(logits: Tensor, depth: int) -> Tensor:
    """Give every sinusoid its `depth` numbers: [batch, frames, sinusoids · depth] becomes [batch, frames, sinusoids, depth].

    Raises:
        ValueError: if the channels are no multiple of `depth`.
    """
    channels = int(logits.shape[-1])
    if channels % depth:
        raise ValueError(f"a depth of {depth} needs a multiple of {depth} channels, got {channels}")
    return tf.reshape(logits, [*logits.shape[:-1], channels // depth, depth])


def frequencies_softmax(logits: Tensor, low_hz: float = 20.0, high_hz: float = 8000.0) -> Tensor:
    """Mean of `depth` places evenly spaced in pitch, weighted by a softmax.

    Args:
        logits: [batch, frames, sinusoids, depth], of depth 2 or more.
        low_hz, high_hz: the ends of the scale.

    Returns:
        Frequencies in Hz, [batch, frames, sinusoids].
    """
    places = np.linspace(0.0, 1.0, int(logits.shape[-1]), dtype=np.float32)
    return scaling.unit_to_hz(tf.reduce_sum(tf.nn.softmax(logits) * places, axis=-1), low_hz, high_hz)


def frequencies_sigmoid(logits: Tensor, low_hz: float = 0.0, high_hz: float = 8000.0) -> Tensor:
    """Sum of `depth` sigmoids over shrinking parts of the range, each in equal steps of pitch: coarse first, then finer.

    Of what remains of the range r, each component but the last takes r·(1 − r₀^(−1 / depth)), r₀ being the whole range. As in
    every scale of pitch here 0 Hz stands for MIDI note 0, so that the lowest frequency is 8.18 Hz for each component that starts
    at 0.

    Args:
        logits: [batch, frames, sinusoids, depth].
        low_hz, high_hz: the range.

    Returns:
        Frequencies in Hz, [batch, frames, sinusoids].
    """
    depth = int(logits.shape[-1])
    remainder = high_hz - low_hz
    share = 1.0 - remainder ** (-1.0 / depth)
    total: Tensor = 0.0
    for i in range(depth):
        last = i == depth - 1
        top = remainder if last else remainder * share
        total += scaling.unit_to_hz(tf.sigmoid(logits[..., i]), low_hz if last else 0.0, top)
        remainder -= top
    return total


def frequencies_critical_bands(
    logits: Tensor,
    scale: str = "bark",
    low_hz: float = 20.0,
    high_hz: float = 8000.0,
    depth_scale: float = 10.0,
    bandwidth_scale: float = 1.0,
) -> Tensor:
    """Centres evenly spaced on a scale of hearing, each free to move by its critical bandwidth.

    Args:
        logits: [batch, frames, sinusoids, depth]; component d moves a sinusoid by tanh / depth_scale^d bandwidths.
        scale: "bark" or "mel". low_hz, high_hz: first and last centre, and soft limits.
        depth_scale, bandwidth_scale: see above; the bandwidth is that of `scaling.hz_to_erb` times `bandwidth_scale`.

    Returns:
        Frequencies in Hz, [batch, frames, sinusoids].

    Raises:
        ValueError: if the scale is neither.
    """
    if scale not in ("bark", "mel"):
        raise ValueError(f"frequencies are spread on the bark or mel scale, got {scale!r}")
    to_scale, to_hz = getattr(scaling, f"hz_to_{scale}"), getattr(scaling, f"{scale}_to_hz")
    centre = to_hz(np.linspace(to_scale(low_hz), to_scale(high_hz), int(logits.shape[-2])))
    reach = (bandwidth_scale * scaling.hz_to_erb(centre)).astype(np.float32)
    weight = (depth_scale ** -np.arange(int(logits.shape[-1]))).astype(np.float32)
    moved = centre.astype(np.float32) + reach * tf.reduce_sum(tf.tanh(logits) * weight, axis=-1)
    return scaling.soft_limit(moved, low_hz, high_hz)
