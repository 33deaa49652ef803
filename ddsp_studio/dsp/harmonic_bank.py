"""The bank of harmonic partials: many sines from few, with a gradient written out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ddsp_studio.dsp.chunks import over_chunks
from ddsp_studio.dsp.ramps import RISE
from ddsp_studio.dsp.sine import cosine, sine
from ddsp_studio.dsp.tensor import HOP, Tensor, tf

_GRID = 2.0**14
"""Steps a turn of the coarse part of a phase: up to 512 multiples of it are exact in float32."""
_RISE = np.tile(RISE, 2)


def harmonic_bank(turns: Tensor, amplitudes: Tensor) -> Tensor:
    """Sum sin(2π·k·phase) over partials k = 1..K with amplitudes that ramp linearly across each hop.

    Partial k is written as a + M·b with M about √K, so that sin(k·x) = sin(M·b·x)·cos(a·x) + cos(M·b·x)·sin(a·x): about 2√K
    sines and cosines a sample instead of K sines, joined by a small matrix product in each hop. The slope by the phase is the
    same bank of cosines with amplitudes 2π·k·aₖ, and that by the amplitudes the transposed product.

    Args:
        turns: phase of the fundamental, [batch, hops, HOP] float64.
        amplitudes: [batch, hops + 1, K] float32, K up to 512, row 0 before the block; batch may be 1.

    Returns:
        Audio in hops, [batch, hops, HOP] float32.
    """
    return over_chunks(_bank, int(turns.shape[1]), turns, amplitudes)


def _bank(turns: Tensor, amplitudes: Tensor) -> Tensor:
    count = int(amplitudes.shape[-1])
    low = max(1, math.isqrt(count))
    high = -(-count // low)

    def run(turns: Tensor, amplitudes: Tensor) -> tuple[Tensor, Any]:
        multiples = _multiples(turns, [*range(1, low + 1), *range(0, low * high, low)])
        sines, cosines = sine(multiples), cosine(multiples)  # [batch, hops, low + high, HOP]
        inner = tf.concat([cosines[:, :, :low], sines[:, :, :low]], axis=3)
        outer = tf.concat([sines[:, :, low:], cosines[:, :, low:]], axis=3)
        ends = _ends(amplitudes, low, high)

        def back(slope: Tensor) -> tuple[Tensor, Tensor]:
            twice = tf.concat([slope, slope], axis=2)[:, :, None]  # [batch, hops, 1, 2·HOP]
            numbers = (2.0 * math.pi) * np.arange(1, count + 1, dtype=np.float32)
            turned = tf.concat([cosines[:, :, low:], -sines[:, :, low:]], axis=3)
            by_turns = slope * _joined(_ends(amplitudes * numbers, low, high), inner, turned)
            heard = outer * twice
            weighed = tf.concat([heard * (1.0 - _RISE), heard * _RISE], axis=2)
            by_ends = tf.matmul(weighed, inner, transpose_b=True)  # [batch, hops, 2·high, low]
            return tf.cast(by_turns, tf.float64), _by_amplitudes(by_ends, amplitudes, high)

        return _joined(ends, inner, outer), back

    return tf.custom_gradient(run)(turns, amplitudes)


def _multiples(turns: Tensor, numbers: list[int]) -> Tensor:
    """Whole multiples of a phase [batch, hops, HOP] float64, less whole turns: [batch, hops, numbers, HOP] float32.

    As exact as in float64 and twice as fast: the multiples of the coarse part of the phase are exact in float32, and what is
    left is small.
    """
    held = turns - tf.round(turns)
    coarse = tf.round(held * _GRID) / _GRID
    fine = tf.cast(held - coarse, tf.float32)[:, :, None]
    k = np.array(numbers, np.float32)[:, None]
    whole = tf.cast(coarse, tf.float32)[:, :, None] * k
    return whole - tf.round(whole) + fine * k


def _ends(amplitudes: Tensor, low: int, high: int) -> Tensor:
    """Amplitudes [batch, hops + 1, K] as a grid of each hop's start and end: [batch, hops, 2·high, low]."""
    missing = low * high - int(amplitudes.shape[-1])
    padded = tf.pad(amplitudes, [[0, 0], [0, 0], [0, missing]]) if missing else amplitudes
    grid = tf.reshape(padded, [*padded.shape[:2], high, low])
    return tf.concat([grid[:, :-1], grid[:, 1:]], axis=2)


def _by_amplitudes(by_ends: Tensor, amplitudes: Tensor, high: int) -> Tensor:
    """The slope by amplitudes from that by `_ends`."""
    starts, stops = by_ends[:, :, :high], by_ends[:, :, high:]
    total = tf.pad(starts, [[0, 0], [0, 1], [0, 0], [0, 0]]) + tf.pad(stops, [[0, 0], [1, 0], [0, 0], [0, 0]])
    flat = tf.reshape(total, [*total.shape[:2], -1])[..., : amplitudes.shape[-1]]
    return tf.reduce_sum(flat, axis=0, keepdims=True) if amplitudes.shape[0] != flat.shape[0] else flat


def _joined(ends: Tensor, inner: Tensor, outer: Tensor) -> Tensor:
    """Σ outer · (ramped grid × inner): [batch, hops, HOP]."""
    high = int(outer.shape[2])
    mixed = tf.matmul(ends, inner)  # [batch, hops, 2·high, 2·HOP]
    mixed = mixed[:, :, :high] * (1.0 - _RISE) + mixed[:, :, high:] * _RISE
    halves = tf.reduce_sum(outer * mixed, axis=2)
    return halves[..., :HOP] + halves[..., HOP:]
