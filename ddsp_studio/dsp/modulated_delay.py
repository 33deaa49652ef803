"""Short delays that move: several taps on one line, and a comb with feedback."""

from __future__ import annotations

from ddsp_studio.dsp.delay import read
from ddsp_studio.dsp.recurrence import one_pole, scan_chunks
from ddsp_studio.dsp.tensor import HOP, Tensor, tf

SHORTEST = 2.0
"""Samples of delay under which the interpolation would read what is not there yet."""
_AROUND = (-1, 0, 1, 2)


def _between(delay: Tensor) -> tuple[Tensor, Tensor]:
    """Whole samples of a delay, rounded up, and weights [..., 4] of the samples around (Lagrange, as in `delay.read`)."""
    whole = tf.math.ceil(delay)
    d = tf.cast(whole - delay, tf.float32)
    weights = tf.stack(
        [
            d * (d - 1.0) * (d - 2.0) * (-1.0 / 6.0),
            (d + 1.0) * (d - 1.0) * (d - 2.0) * 0.5,
            (d + 1.0) * d * (d - 2.0) * -0.5,
            (d + 1.0) * d * (d - 1.0) * (1.0 / 6.0),
        ],
        axis=-1,
    )
    return tf.cast(whole, tf.int32), weights


def taps(audio: Tensor, line: Tensor, delay: Tensor) -> tuple[Tensor, Tensor]:
    """Read audio where it was a while ago, between samples, at several taps.

    Args:
        audio: [batch, samples]. line: what came before, [batch, length].
        delay: in samples, [batch, taps, samples] float64, from SHORTEST to length − 2.

    Returns:
        [batch, taps, samples], and the new line.
    """
    batch, count, samples = delay.shape
    length = int(line.shape[1])
    stream = tf.concat([line, audio], axis=1)
    whole, weights = _between(delay)
    place = length + tf.range(samples) - whole
    index = tf.clip_by_value(place, 1, length + samples - 3)[..., None] + tf.constant(_AROUND)
    around = tf.gather(stream, tf.reshape(index, [batch, -1]), batch_dims=1)
    out = tf.reduce_sum(tf.reshape(around, [batch, count, samples, 4]) * weights, axis=-1)
    return out, stream[:, samples:]


def comb(audio: Tensor, line: Tensor, delay: Tensor, feedback: Tensor, chunk: int) -> tuple[Tensor, Tensor]:
    """y[n] = x[n] + feedback[n]·y[n − delay[n]], in chunks shorter than the shortest delay.

    Args:
        audio: x, [batch, samples]. line: past y, [batch, length].
        delay: in samples, [batch, samples] float64, from chunk + 2 to length − 2. feedback: [batch, samples].
        chunk: samples, a divisor of HOP.

    Returns:
        y[n − delay[n]], [batch, samples]; and the new line.
    """
    batch, samples = audio.shape
    length = int(line.shape[1])
    whole, weights = _between(delay)
    place = length + tf.range(samples) % chunk - whole
    index = tf.clip_by_value(place, 1, length - 3)[..., None] + tf.constant(_AROUND)

    def step(line: Tensor, part: tuple[Tensor, Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        index, weights, dry, feedback = part
        around = tf.reshape(tf.gather(line, tf.reshape(index, [batch, -1]), batch_dims=1), weights.shape)
        wet = tf.reduce_sum(around * weights, axis=-1)
        return tf.concat([line[:, chunk:], dry + feedback * wet], axis=1), wet

    count = samples // chunk
    cut = (
        tf.reshape(index, [batch, count, chunk, 4]),
        tf.reshape(weights, [batch, count, chunk, 4]),
        tf.reshape(audio, [batch, count, chunk]),
        tf.reshape(feedback, [batch, count, chunk]),
    )
    out, line = scan_chunks(step, line, cut)
    return tf.reshape(out, [batch, samples]), line


def bounce(
    inputs: tuple[Tensor, Tensor, Tensor, Tensor], loop: tuple[Tensor, Tensor], chunk: int, *, crossed: bool
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Damped echoes, in chunks shorter than the shortest delay; each row feeds the next one if `crossed`.

    Args:
        inputs: sound, delay in samples (float64), pole of the damping, feedback; [batch, samples] each.
        loop: the lines [batch, length], and the last damped samples [batch]. chunk: samples, whole hops.

    Returns:
        The echoes, [batch, samples]; and the loop.
    """
    batch, samples = inputs[0].shape

    def step(loop: tuple[Tensor, Tensor], part: tuple[Tensor, ...]) -> tuple[tuple[Tensor, Tensor], Tensor]:
        line, damped = loop
        dry, delay, pole, feedback = part
        wet = one_pole(pole, (1.0 - pole) * read(line, delay), damped)
        back = feedback * (tf.reverse(wet, [0]) if crossed else wet)
        return (tf.concat([line[:, int(dry.shape[1]) :], dry + back], axis=1), wet[:, -1]), wet

    outs, begin = [], 0
    for count, part in ((samples // chunk, chunk), (1, samples % chunk)):
        if count and part:
            pieces = tuple(tf.reshape(i[:, begin : begin + count * part], [batch, count, part]) for i in inputs)
            out, loop = scan_chunks(step, loop, pieces)
            outs.append(tf.reshape(out, [batch, count * part]))
            begin += count * part
    return outs[0] if len(outs) == 1 else tf.concat(outs, axis=1), loop


def chunk_of(shortest: float) -> int:
    """The largest divisor of HOP that a comb of this shortest delay, in samples, allows; ValueError if there is none."""
    size = HOP
    while size > shortest - 3.0:
        size //= 2
    if size < 1:
        raise ValueError(f"a comb needs a delay of 4 samples at least, got {shortest:g}")
    return size
