"""Chains of equal first-order all-passes whose corner moves at audio rate, with and without feedback.

An all-pass of coefficient a, (a + z⁻¹) / (1 + a·z⁻¹), turns the phase by 90° at its corner (Smith, Physical Audio Signal
Processing, "Phasing with First-Order Allpass Filters").
"""

from __future__ import annotations

import numpy as np

from ddsp_studio.dsp.recurrence import one_pole
from ddsp_studio.dsp.sine import tangent
from ddsp_studio.dsp.tensor import Tensor, tf


def coefficient(corner_hz: Tensor, sample_rate: float) -> Tensor:
    """The coefficient (t − 1) / (t + 1), t = tan(π·corner / rate); corners are held under 0.49 of the rate."""
    t = tangent(0.5 * tf.minimum(corner_hz / sample_rate, 0.49))
    return (t - 1.0) / (t + 1.0)


def _before(states: Tensor, start: Tensor) -> Tensor:
    return tf.concat([start[:, None], states[:, :-1]], axis=1)


def chain(audio: Tensor, a: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    """Pass audio through as many all-passes as the state has rows: s[n] = (1 − a²)·x[n] − a·s[n−1], y[n] = a·x[n] + s[n−1].

    Args:
        audio: [batch, samples]. a: coefficient, of the same shape. state: [batch, stages].
    """
    ends = []
    for stage in range(int(state.shape[1])):
        inner = one_pole(-a, (1.0 - a * a) * audio, state[:, stage])
        audio = a * audio + _before(inner, state[:, stage])
        ends.append(inner[:, -1])
    return audio, tf.stack(ends, axis=1)


def modes(stages: int) -> int:
    """Complex states that `regenerate` keeps."""
    return stages // 2 + 1


def root(feedback: Tensor, stages: int) -> Tensor:
    """The p of `regenerate` for a feedback of 0..1; a ten-millionth keeps its slope finite at 0."""
    return tf.pow(feedback + 1e-7, 1.0 / stages)


def regenerate(audio: Tensor, a: Tensor, p: Tensor, state: Tensor, stages: int) -> tuple[Tensor, Tensor]:
    """Feed a chain of an even number of all-passes back to its input: y = x + feedback·A^N·y, A^N the chain.

    For any operator A the inverse of 1 − (p·A)^N is the mean of those of 1 − p·w^k·A over the N-th roots of unity w^k. So the
    loop without a delay in it falls apart into one complex pole for each root (roots come in conjugate pairs, so N/2 + 1 do):
    with c = p·w^k, u[n] = (x[n] + c·s[n−1]) / (1 − c·a), s[n] = (c − a) / (1 − c·a)·s[n−1] + (1 − a²) / (1 − c·a)·x[n]. Exact
    while the feedback p^N stands still, and stable for |p| < 1 however it moves.

    Args:
        audio: x, [batch, samples]. a: coefficient, of the same shape. p: `root` of the feedback, of the same shape.
        state: [batch, modes(stages)] complex64. stages: N.
    """
    batch, samples = audio.shape
    count = modes(stages)
    roots = np.exp(2j * np.pi * np.arange(count) / stages).astype(np.complex64)
    c = tf.complex(p, tf.zeros_like(p))[:, None] * roots[:, None]
    real = tf.complex(a, tf.zeros_like(a))[:, None]
    x = tf.complex(audio, tf.zeros_like(audio))[:, None]
    inverse = 1.0 / (1.0 - c * real)
    pole, drive = (c - real) * inverse, (1.0 - real * real) * inverse * x
    flat = [batch * count, samples]
    start = tf.reshape(state, [-1])
    states = one_pole(tf.reshape(pole, flat), tf.reshape(drive, flat), start)
    before = tf.reshape(_before(states, start), [batch, count, samples])
    outs = (x + c * before) * inverse
    weights = np.full(count, 2.0 / stages, np.float32)
    weights[[0, -1]] = 1.0 / stages
    return tf.tensordot(tf.math.real(outs), weights, [[1], [0]]), tf.reshape(states[:, -1], state.shape)
