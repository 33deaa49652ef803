"""Curves of control signals: what is held, bent, drawn, and envelopes of segments."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ddsp_studio.dsp.recurrence import latest, one_pole_frames
from ddsp_studio.dsp.tensor import Tensor, tf

_BEND_OCTAVES = 5.0
"""At full curvature a segment starts 2^5 times steeper, or flatter, than a straight one."""


def edges(gate: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
    """Frames in which a gate rises above 0.5, and in which it falls: bool, [batch, frames] each.

    Args:
        gate: [batch, frames]. before: the gate so far, [batch].
    """
    high = gate > 0.5
    held = tf.concat([before[:, None] > 0.5, high[:, :-1]], axis=1)
    return tf.logical_and(high, ~held), tf.logical_and(held, ~high)


def latest_frame(marked: Tensor) -> Tensor:
    """Which frame was marked last, counted from 1; 0 where none was yet: [batch, frames] int32 from bool."""
    batch, frames = marked.shape
    number = np.arange(1, frames + 1, dtype=np.int32) + tf.zeros([batch, frames], tf.int32)
    return latest(marked, number, tf.zeros([batch], tf.int32))


def hold(marked: Tensor, values: Tensor, before: Tensor) -> Tensor:
    """The value of the latest marked frame, or what was held before; gradients reach the frame that it was taken from.

    Args:
        marked: [batch, frames] bool. values: [batch, frames]. before: [batch].

    Returns:
        [batch, frames], of the dtype of `values`.
    """
    return tf.gather(tf.concat([before[:, None], values], axis=1), latest_frame(marked), batch_dims=1)


def bend(share: Tensor, curvature: Tensor) -> Tensor:
    """Bend a straight line from (0, 0) to (1, 1): p / (p + (1 − p)·2^(−5c)), steep first for c > 0, flat first for c < 0.

    A hyperbola, smooth in both arguments, with a finite slope at both ends.

    Args:
        share: p in 0..1. curvature: c in −1..1.
    """
    return share / (share + (1.0 - share) * tf.pow(2.0, -_BEND_OCTAVES * curvature))


def drawn(place: Tensor, points: Tensor) -> Tensor:
    """Read a drawn curve: linear between points that are spaced evenly over 0..1, level outside.

    Args:
        place: [batch, frames]. points: [batch or 1, frames, count].

    Returns:
        [batch, frames].
    """
    count = int(points.shape[-1])
    distance = tf.clip_by_value(place, 0.0, 1.0)[..., None] * (count - 1.0) - np.arange(count, dtype=np.float32)
    return tf.reduce_sum(tf.nn.relu(1.0 - tf.abs(distance)) * points, axis=-1)


def countable(step: Tensor) -> Tensor:
    """Round to a multiple of 2^-32, such that float64 sums of it under 2^20 are exact; the gradient passes.

    What is decided by such a sum does not depend on the block in which it was reached.

    Args:
        step: float64.
    """
    return step + tf.stop_gradient(tf.round(step * 2.0**32) * 2.0**-32 - step)


class Segments(NamedTuple):
    """A drawn envelope: end level, duration in s and curvature of every segment, each [batch or 1, frames, count]."""

    levels: Tensor
    times_s: Tensor
    curves: Tensor


class Run(NamedTuple):
    """Where an envelope stands.

    `origin`: level at the start of the run, `level`: now; float32. `age`: frames since it started, float64. `held`: 1 in the part
    that the key holds, 0 after release. All [batch].
    """

    origin: Tensor
    level: Tensor
    age: Tensor
    held: Tensor


def segment_envelope(
    segments: Segments, begins: Tensor, releases: Tensor, run: Run, *, sustain: int, loop: bool, hop_s: float
) -> tuple[Tensor, Run]:
    """An envelope of any number of segments, one value a frame, without a loop over time.

    A start runs through the first `sustain` segments and stays there (or begins again, with `loop`); a release runs through
    the rest. With `sustain` 0 a start runs through all of them and a release does nothing. Each run sets out from the level
    that the envelope has, so a retriggered one never jumps. A run is a sum of bent ramps, one for each segment; only the level
    from which runs set out depends on the past, by a linear recursion.

    Args:
        segments: what was drawn. begins, releases: [batch, frames] bool. run: where the envelope stands. hop_s: duration of a
            frame.

    Returns:
        Levels [batch, frames], and the new run.
    """
    shape = begins.shape
    releases = tf.logical_and(releases, ~begins) if sustain else tf.zeros(shape, tf.bool)
    starts = tf.logical_or(begins, releases)
    clock = np.arange(1.0, shape[1] + 1.0) + tf.zeros(shape, tf.float64)
    age = clock - latest(starts, clock - 1.0, -run.age)
    held = hold(starts, tf.cast(begins, tf.float32), run.held)
    fixed, moving = _sum_of_ramps(segments, age * hop_s, held > 0.5, sustain, loop)
    # the level at which run m sets out is that of the frame before: origin[m] = fixed[m−1] + moving[m−1]·origin[m−1]
    fixed_before = tf.concat([run.level[:, None], fixed[:, :-1]], axis=1)
    moving_before = tf.concat([tf.zeros_like(run.level)[:, None], moving[:, :-1]], axis=1)
    keep = tf.where(starts, moving_before, 1.0)
    origin = one_pole_frames(keep, tf.where(starts, fixed_before, 0.0), run.origin)
    level = fixed + moving * origin
    return level, Run(origin[:, -1], level[:, -1], age[:, -1], held[:, -1])


def _sum_of_ramps(segments: Segments, age: Tensor, held: Tensor, sustain: int, loop: bool) -> tuple[Tensor, Tensor]:
    """Level = fixed + moving · origin, of a run of the given age in s (float64): [batch, frames] each."""
    levels, times, curves = segments
    count = int(levels.shape[-1])
    part = np.arange(count) < (sustain or count)
    within = tf.where(held[..., None], part, ~part) if sustain else tf.constant(part)
    spans = tf.where(within, times, 0.0)
    ends = tf.cumsum(spans, axis=-1)
    first = tf.where(held, 0, sustain) if sustain else tf.zeros(held.shape, tf.int32)
    looped = tf.zeros(held.shape, tf.bool)
    if loop:
        length = tf.cast(ends[..., -1], tf.float64)
        looped = tf.logical_and(age >= length, held)
        age = tf.where(looped, tf.math.floormod(age, tf.maximum(length, 1e-3)), age)
    share = tf.clip_by_value((tf.cast(age, tf.float32)[..., None] - (ends - spans)) / times, 0.0, 1.0)
    ramps = tf.where(within, bend(share, curves), 0.0)
    leads = tf.equal(np.arange(count, dtype=np.int32), first[..., None])
    from_before = tf.concat([tf.zeros_like(levels[..., :1]), levels[..., :-1]], axis=-1)
    last = levels[..., (sustain or count) - 1]
    fixed = tf.reduce_sum(ramps * (levels - tf.where(leads, 0.0, from_before)), axis=-1)
    moving = 1.0 - tf.reduce_sum(tf.where(leads, ramps, 0.0), axis=-1)
    return tf.where(looped, fixed + moving * last, fixed), tf.where(looped, 0.0, moving)
