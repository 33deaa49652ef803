"""Fractional delay lines."""

from __future__ import annotations

from ddsp_studio.dsp.tensor import Tensor, tf


def read(line: Tensor, delay: Tensor) -> Tensor:
    """Read a delay line between its samples by four-point, third-order Lagrange interpolation.

    Laakso et al., "Splitting the Unit Delay" (1996), section 3.

    Args:
        line: past samples, newest last, [batch, length].
        delay: in samples, [batch, samples], float32 or float64 (in which a delay of seconds keeps its fraction); entry i
            counts from the i-th sample after the line's end and should be between i + 3 and length + i − 2. The read never wraps.

    Returns:
        [batch, samples] float32.
    """
    length, count = int(line.shape[1]), int(delay.shape[1])
    # whole and fraction come from the delay alone, so that they do not depend on where in the block it is read
    whole = tf.math.ceil(delay)
    d = tf.cast(whole - delay, tf.float32)
    place = length + tf.range(count) - tf.cast(whole, tf.int32)
    index = tf.clip_by_value(place, 1, length - 3)[..., None] + tf.constant([-1, 0, 1, 2])
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
