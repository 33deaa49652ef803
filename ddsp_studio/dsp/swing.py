"""The slow sine inside chorus, flanger, phaser and tremolo."""

from __future__ import annotations

import math

from ddsp_studio.dsp.tensor import HOP, Tensor, tf


def swing(rate_hz: Tensor, turns: Tensor, sample_rate: float) -> tuple[Tensor, Tensor]:
    """Integrate a rate to the place in the cycle at each hop's edge.

    Args:
        rate_hz: [batch or 1, hops + 1, 1], row 0 before the block. turns: place at the block's start, [batch] float64.
        sample_rate: Hz.

    Returns:
        Place in turns at every edge, not wrapped, [batch, hops + 1] float64; and the place at the end in 0..1, [batch].
    """
    steps = tf.cast(rate_hz[:, 1:, 0], tf.float64) * (HOP / sample_rate)
    passed = tf.cumsum(tf.concat([tf.zeros_like(steps[:, :1]), steps], axis=1), axis=1)
    places = turns[:, None] + passed
    end = places[:, -1]
    return places, end - tf.floor(end)


def sine(turns: Tensor) -> Tensor:
    """Sine of a place in turns, in float64: a delay of many samples that swings by it must not feel its last digits."""
    return tf.sin((turns - tf.floor(turns)) * (2.0 * math.pi))
