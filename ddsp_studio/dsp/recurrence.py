"""Recursions over time in few tensor operations: doubling inside the hop, one carry for each hop.

Inside a hop the arithmetic is always the same; across hops it may be grouped by the block, to within float32 rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ddsp_studio.dsp.tensor import HOP, Tensor, tf

UNROLL = 16
"""Frames up to which a loop over frames is written out, which is faster for live blocks."""


def delayed(x: Tensor, steps: int, fill: float) -> Tensor:
    """Shift x along its last axis by some steps; `fill` comes in."""
    padding = [[0, 0]] * (len(x.shape) - 1) + [[steps, 0]]
    return tf.pad(x, padding, constant_values=fill)[..., : x.shape[-1]]


def scan_frames(step: Callable[..., Any], start: Any, inputs: Any) -> tuple[Any, Any]:
    """Run `step(state, frame) -> state` over the frames of `inputs` (a structure of [batch, frames, …] tensors).

    Returns:
        Every state, as the structure of `start` with a frame axis [batch, frames, …]; and the last state.
    """
    count = int(tf.nest.flatten(inputs)[0].shape[1])
    if count <= UNROLL:
        columns = [tf.nest.map_structure(lambda x, i=i: x[:, i], inputs) for i in range(count)]
        states, state = [], start
        for column in columns:
            state = step(state, column)
            states.append(state)
        return tf.nest.map_structure(lambda *xs: tf.stack(xs, axis=1), *states), state

    def turned(x: Tensor) -> Tensor:
        return tf.transpose(x, [1, 0, *range(2, len(x.shape))])

    states = tf.scan(step, tf.nest.map_structure(turned, inputs), initializer=start)
    return tf.nest.map_structure(turned, states), tf.nest.map_structure(lambda x: x[-1], states)


def _double(pole: Tensor, drive: Tensor) -> tuple[Tensor, Tensor]:
    """Fold y[n] = pole[n]·y[n−1] + drive[n] along the last axis: y[n] = a[n]·y[−1] + b[n]. Returns (a, b)."""
    step = 1
    while step < int(drive.shape[-1]):
        drive += pole * delayed(drive, step, 0.0)
        pole *= delayed(pole, step, 1.0)
        step *= 2
    return pole, drive


def one_pole_frames(pole: Tensor, drive: Tensor, level: Tensor) -> Tensor:
    """y[m] = pole[m]·y[m−1] + drive[m] along the last axis.

    Args:
        pole, drive: [..., frames], of equal shape. level: y before the first frame, [...].
    """
    pole, drive = _double(pole, drive)
    return pole * level[..., None] + drive


def one_pole(pole: Tensor, drive: Tensor, level: Tensor) -> Tensor:
    """y[n] = pole[n]·y[n−1] + drive[n] over samples.

    The gradient is written out: it is the same recursion backwards in time.

    Args:
        pole: [batch, samples] or broadcastable. drive: [batch, samples], whole hops. level: y before the block, [batch].

    Returns:
        y, [batch, samples].
    """

    def run(pole: Tensor, drive: Tensor, level: Tensor) -> tuple[Tensor, Any]:
        y = _one_pole(pole, drive, level)

        def back(slope: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            poles = _conjugate(pole)
            later = tf.concat([poles[:, 1:], tf.zeros_like(poles[:, :1])], axis=1)
            by_drive = tf.reverse(one_pole(tf.reverse(later, [1]), tf.reverse(slope, [1]), tf.zeros_like(level)), [1])
            before = tf.concat([level[:, None], y[:, :-1]], axis=1)
            return by_drive * _conjugate(before), by_drive, poles[:, 0] * by_drive[:, 0]

        return y, back

    return tf.custom_gradient(run)(tf.broadcast_to(pole, drive.shape), drive, level)


def _conjugate(x: Tensor) -> Tensor:
    return tf.math.conj(x) if x.dtype.is_complex else x


def _one_pole(pole: Tensor, drive: Tensor, level: Tensor) -> Tensor:
    batch = int(drive.shape[0])
    b = tf.reshape(drive, [batch, -1, HOP])
    a, b = _double(tf.reshape(pole, b.shape), b)
    ends = one_pole_frames(a[:, :, -1], b[:, :, -1], level)
    carry = tf.concat([level[:, None], ends[:, :-1]], axis=1)
    return tf.reshape(a * carry[:, :, None] + b, [batch, -1])


def latest(marked: Tensor, value: Tensor, before: Tensor) -> Tensor:
    """The value at the last marked frame, for a value that only rises: [batch, frames].

    Args:
        marked: [batch, frames] bool. value: rising along the frames, [batch, frames]. before: the value held so far, [batch].
    """
    held = tf.concat([before[:, None], tf.where(marked, value, value.dtype.min)], axis=1)
    step = 1
    while step < int(held.shape[1]):
        held = tf.maximum(held, delayed(held, step, held.dtype.min))
        step *= 2
    return held[:, 1:]


def decaying_max(drive: Tensor, decay: float, level: Tensor) -> Tensor:
    """y[m] = max(drive[m], decay·y[m−1]) over frames.

    Args:
        drive: [batch, frames]. decay: 0..1 for each frame. level: y before, [batch].
    """
    y = tf.concat([level[:, None], drive], axis=1)
    step = 1
    while step < int(y.shape[1]):
        y = tf.maximum(y, decay**step * delayed(y, step, 0.0))
        step *= 2
    return y[:, 1:]


_CHUNK = 8


def _compose(steps: Tensor) -> Tensor:
    """Fold affine steps (M, d) of two numbers along the last axis: entry n becomes steps 0 to n one after the other.

    Args:
        steps: [2, 3, batch, frames], M in the first two columns and d in the third.
    """
    count = int(steps.shape[-1])
    drive = np.array([0.0, 0.0, 1.0], np.float32).reshape([1, 3, 1, 1])
    step = 1
    while step < count:
        nothing = np.zeros([2, 3, 1, count], np.float32)  # where there is no earlier entry, the step that changes nothing
        nothing[0, 0, 0, :step] = nothing[1, 1, 0, :step] = 1.0
        first, second = tf.split(tf.pad(steps[..., :-step], [[0, 0], [0, 0], [0, 0], [step, 0]]) + nothing, 2, axis=0)
        m0, m1, _ = tf.split(steps, 3, axis=1)
        steps = m0 * first + m1 * second + steps * drive
        step *= 2
    return steps


def two_pole(matrix: Tensor, drive: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    """s[n] = M[n]·s[n−1] + d[n] for a state of two numbers: one by one inside chunks of 8 samples, by doubling across them.

    The gradient is written out: it is the same recursion backwards in time, by the transposed matrices.

    Args:
        matrix: [2, 2, batch or 1, samples]. drive: [2, batch, samples]. state: s before the block, [2, batch].

    Returns:
        s before every sample, and after the last: [2, batch, samples] and [2, batch].
    """

    def run(matrix: Tensor, drive: Tensor, state: Tensor) -> tuple[tuple[Tensor, Tensor], Any]:
        before, after = _two_pole(matrix, drive, state)

        def back(slope: Tensor, last: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            backwards = tf.reverse(tf.transpose(matrix, [1, 0, 2, 3]), [3])
            by_drive, by_state = two_pole(backwards, tf.reverse(slope, [2]), last)
            by_drive = tf.reverse(by_drive, [2])
            by_matrix = by_drive[:, None] * before
            if matrix.shape != by_matrix.shape:
                by_matrix = tf.reduce_sum(by_matrix, axis=2, keepdims=True)
            return by_matrix, by_drive, by_state

        return (before, after), back

    return tf.custom_gradient(run)(matrix, drive, state)  # type: ignore[no-any-return]


def _two_pole(matrix: Tensor, drive: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    batch, samples = int(drive.shape[1]), int(drive.shape[2])
    shape = [2, 1, batch, samples // _CHUNK, _CHUNK]
    if int(matrix.shape[2]) != batch:
        matrix = tf.broadcast_to(matrix, [2, 2, batch, samples])
    m0, m1 = (tf.unstack(tf.reshape(column, shape), axis=-1) for column in tf.split(matrix, 2, axis=1))
    pushed = tf.unstack(tf.pad(tf.reshape(drive, shape), [[0, 0], [2, 0], [0, 0], [0, 0], [0, 0]]), axis=-1)
    so_far = [tf.concat([m0[0], m1[0], pushed[0][:, 2:]], axis=1)]
    for j in range(1, _CHUNK):
        first, second = tf.split(so_far[-1], 2, axis=0)
        so_far.append(m0[j] * first + m1[j] * second + pushed[j])
    m0, m1, d = tf.unstack(_compose(so_far[-1]), axis=1)
    start = state[:, :, None]
    ends = m0 * start[:1] + m1 * start[1:] + d
    carry = tf.concat([start, ends[..., :-1]], axis=-1)[..., None]
    m0, m1, d = tf.unstack(tf.stack(so_far[:-1], axis=-1), axis=1)
    inner = m0 * carry[:1] + m1 * carry[1:] + d
    return tf.reshape(tf.concat([carry, inner], axis=-1), [2, batch, samples]), ends[..., -1]


def scan_chunks(step: Callable[[Any, Any], tuple[Any, Tensor]], state: Any, inputs: Any) -> tuple[Tensor, Any]:
    """Run `step(state, chunk) -> (state, out)` over the chunks of `inputs` (a structure of [batch, chunks, …] tensors).

    Unlike `scan_frames` this keeps only the outputs, for states that are large.

    Returns:
        The outputs [batch, chunks, …] and the last state.
    """
    count = int(tf.nest.flatten(inputs)[0].shape[1])
    if count <= UNROLL:
        outs = []
        for i in range(count):
            state, out = step(state, tf.nest.map_structure(lambda x, i=i: x[:, i], inputs))
            outs.append(out)
        return tf.stack(outs, axis=1), state

    def body(i: Tensor, state: Any, outs: Any) -> tuple[Tensor, Any, Any]:
        state, out = step(state, tf.nest.map_structure(lambda x: tf.gather(x, i, axis=1), inputs))
        return i + 1, state, outs.write(i, out)

    array = tf.TensorArray(tf.float32, size=count)
    _, state, array = tf.while_loop(lambda i, *_: i < count, body, (0, state, array), maximum_iterations=count)
    stacked = array.stack()
    return tf.transpose(stacked, [1, 0, *range(2, len(stacked.shape))]), state
