"""Fractional delay lines."""

from __future__ import annotations

from ddsp_studio.dsp.tensor import Tensor, tf


def read(line: Tensor, delay: Tensor) -> Tensor:
    """Read a delay line between its samples by four-point, third-order Lagrange interpolation.

    Laakso et al., "Splitting the Unit Delay" (1996), section 3.

    Args:
        line: past samples, newest last, [batch, length].
        delay: in samples, [batch, samples]; entry i counts from the i-th sample after the line's end and is held to between
            i + 3 and length + i − 2, so that the read never wraps.

    Returns:
        [batch, samples].
    """
    length, count = int(line.shape[1]), int(delay.shape[1])
    place = (length - 1.0) + tf.range(1, count + 1, dtype=tf.float32) - delay
    place = tf.clip_by_value(place, 1.0, length - 3.0)
    whole = tf.floor(place)
    d = place - whole
    index = tf.cast(whole, tf.int32)[..., None] + tf.constant([-1, 0, 1, 2])
    s = tf.gather(line, index, batch_dims=1)
    weights = tf.stack(
        [
            -d * (d - 1.0) * (d - 2.0) / 6.0,
            (d + 1.0) * (d - 1.0) * (d - 2.0) / 2.0,
            -(d + 1.0) * d * (d - 2.0) / 2.0,
            (d + 1.0) * d * (d - 1.0) / 6.0,
        ],
        axis=-1,
    )
    return tf.reduce_sum(s * weights, axis=-1)
