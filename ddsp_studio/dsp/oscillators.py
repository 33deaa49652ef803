"""Phase that stays exact for hours, and the bank of harmonic partials."""

from __future__ import annotations

import math

import numpy as np

from ddsp_studio.dsp.ramps import RISE
from ddsp_studio.dsp.tensor import HOP, Tensor, tf

_STEP = np.arange(1, HOP + 1, dtype=np.float64)
_RAMP_SUM = _STEP * (_STEP + 1.0) / (2.0 * HOP)
FADE_FROM = 0.45
"""Share of the sample rate at which a partial begins to fade; it is silent at Nyquist, 0.5."""


def accumulate_phase(f0_hz: Tensor, phase: Tensor, sample_rate: float) -> tuple[Tensor, Tensor]:
    """Integrate a frequency that ramps linearly across each hop, in closed form inside the hop.

    Sample j = 1..HOP of a hop from frequency f to g (in turns a sample) has the phase
    start + j·f + (g − f)·j(j + 1) / (2·HOP). All in float64 turns, wrapped at every hop, so that the error does not grow.

    Args:
        f0_hz: [batch, hops + 1, 1] float32, Hz, row 0 before the block.
        phase: [batch] float64, turns in 0..1 at the block's start.
        sample_rate: Hz.

    Returns:
        Phase in turns, not wrapped within the hop, [batch, hops, HOP] float64; and the phase at the end, [batch] float64.
    """
    turns = tf.cast(f0_hz, tf.float64) / sample_rate
    before, rise = turns[:, :-1], turns[:, 1:] - turns[:, :-1]
    total = (before * HOP + rise * (0.5 * (HOP + 1)))[:, :, 0]
    end = phase[:, None] + tf.cumsum(total, axis=1)
    end = end - tf.floor(end)
    start = tf.concat([phase[:, None], end[:, :-1]], axis=1)
    return start[:, :, None] + before * _STEP + rise * _RAMP_SUM, end[:, -1]


def wrap(turns: Tensor) -> Tensor:
    """Bring turns into -0.5..0.5, keeping the dtype."""
    return turns - tf.round(turns)


def fade_to_nyquist(amplitudes: Tensor, ratios: Tensor, sample_rate: float) -> Tensor:
    """Fade partials out between 0.45 and 0.5 of the sample rate, so that none aliases and none pops.

    Args:
        amplitudes: [batch, frames, partials], linear.
        ratios: frequency of each partial in Hz, [batch, frames, partials].
        sample_rate: Hz.
    """
    room = (0.5 - ratios / sample_rate) / (0.5 - FADE_FROM)
    return amplitudes * tf.clip_by_value(room, 0.0, 1.0)


def harmonic_bank(turns: Tensor, amplitudes: Tensor) -> Tensor:
    """Sum sin(2π·k·phase) over partials k = 1..K with amplitudes that ramp linearly across each hop.

    Partial k is written as a + M·b with M about √K, so that sin(k·x) = sin(M·b·x)·cos(a·x) + cos(M·b·x)·sin(a·x): about 2√K
    sines and cosines a sample instead of K sines, joined by a small matrix product in each hop. The multiples of
    the phase are taken in float64 and wrapped before they are rounded to float32.

    Args:
        turns: phase of the fundamental, [batch, hops, HOP] float64.
        amplitudes: [batch, hops + 1, K] float32, row 0 before the block; batch may be 1.

    Returns:
        Audio in hops, [batch, hops, HOP] float32.
    """
    count = int(amplitudes.shape[-1])
    low = max(1, math.isqrt(count))
    high = -(-count // low)
    multiples = np.concatenate([np.arange(1, low + 1), low * np.arange(high)]).astype(np.float64)
    angle = tf.cast(wrap(turns[:, :, None] * multiples[:, None]), tf.float32) * (2.0 * math.pi)
    sine, cosine = tf.sin(angle), tf.cos(angle)  # [batch, hops, low + high, HOP]
    padded = tf.pad(amplitudes, [[0, 0], [0, 0], [0, low * high - count]]) if low * high > count else amplitudes
    grid = tf.reshape(padded, [*padded.shape[:2], high, low])
    ends = tf.concat([grid[:, :-1], grid[:, 1:]], axis=2)  # [batch, hops, 2·high, low]
    mixed = tf.matmul(ends, tf.concat([cosine[:, :, :low], sine[:, :, :low]], axis=3))  # [batch, hops, 2·high, 2·HOP]
    rise = np.tile(RISE, 2)
    mixed = mixed[:, :, :high] * (1.0 - rise) + mixed[:, :, high:] * rise
    outer = tf.concat([sine[:, :, low:], cosine[:, :, low:]], axis=3)
    halves = tf.reduce_sum(outer * mixed, axis=2)
    return halves[..., :HOP] + halves[..., HOP:]
