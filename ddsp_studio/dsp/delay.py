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


def variable_delay(audio: Tensor, delay: Tensor, line: Tensor) -> tuple[Tensor, Tensor]:
    """Delay a stream by an amount that moves, read between samples in straight lines.

    Any delay from 0 to the length of the line is what it says, both ends included: nothing wraps round. Straight lines dull the
    highs between samples (−3 dB at half Nyquist midway); `read` is better where that is heard and the delay is never under 3
    samples.

    Args:
        audio: [batch, samples]. delay: in samples, [batch or 1, samples], float32 or float64; held to 0..length.
        line: past samples, newest last, [batch, length].

    Returns:
        [batch, samples], and the line after the block.
    """
    batch, count = audio.shape
    length = int(line.shape[1])
    stream = tf.concat([line, audio], axis=1)
    delay = tf.broadcast_to(tf.clip_by_value(delay, 0.0, float(length)), [batch, count])
    # whole and fraction come from the delay alone, so that they do not depend on where in the block it is read
    whole = tf.math.ceil(delay)
    share = tf.cast(whole - delay, tf.float32)
    earlier = length + tf.range(count) - tf.cast(whole, tf.int32)
    later = tf.minimum(earlier + 1, length + count - 1)  # has no weight where it is beyond the end
    before, after = tf.gather(stream, earlier, batch_dims=1), tf.gather(stream, later, batch_dims=1)
    return before + share * (after - before), stream[:, count:]
