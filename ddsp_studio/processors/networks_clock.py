"""Networks go by frames of several hops, counted from sample 0; what they say ramps from frame to frame. In static shapes.

A frame is read at the first of its hops, and reached at the last. A block of h hops may begin anywhere in a frame, so it holds
⌈h / period⌉ frames at most; the last of them is computed and left out where it has not begun.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ddsp_studio.dsp.tensor import HOP, Tensor, tf


class Clock(NamedTuple):
    """Where a network stands in time.

    `place`: the next hop's place in its frame, [batch] int32. `begun` is 0 before the first frame, [batch]. `last` and `earlier`
    are what was said in the frame that sounds and in the one before, [batch, channels].
    """

    place: Tensor
    begun: Tensor
    last: Tensor
    earlier: Tensor


class Frames(NamedTuple):
    """The frames of a block.

    `count`: how many begin in it, [batch] int32. `starts`: the hop at which each begins, [batch, frames] int32.
    """

    count: Tensor
    starts: Tensor


def period_hops(frame_s: float, sample_rate: float) -> int:
    """Hops in a frame: the whole number that comes closest to `frame_s` seconds, one at least."""
    return max(1, round(frame_s * sample_rate / HOP))


def start(batch: int, channels: int) -> Clock:
    """At sample 0, with nothing said."""
    silent = tf.zeros([batch, channels])
    return Clock(tf.zeros([batch], tf.int32), tf.zeros([batch]), silent, silent)


def frames_of(clock: Clock, hops: int, period: int) -> Frames:
    """Which frames begin in the next `hops` hops."""
    most = -(-hops // period)
    starts = tf.math.floormod(-clock.place, period)[:, None] + period * np.arange(most, dtype=np.int32)
    return Frames(tf.reduce_sum(tf.cast(starts < hops, tf.int32), axis=1), starts)


def read(x: Tensor, frames: Frames, period: int) -> Tensor:
    """Signals of hops [batch, hops, channels] at the beginning of each frame, [batch, frames, channels]."""
    if period == 1:
        return x
    held = tf.minimum(frames.starts, int(x.shape[1]) - 1)
    return tf.gather(x, held, axis=1, batch_dims=1)


def after(before: Tensor, states: Tensor, frames: Frames, period: int) -> Tensor:
    """The state after the last frame that began, of states [batch, frames, …] of which some may not have begun."""
    if period == 1:
        return states[:, -1]
    line = tf.concat([before[:, None], states], axis=1)
    return tf.gather(line, frames.count, axis=1, batch_dims=1)


def slide(history: Tensor, x: Tensor, frames: Frames, period: int) -> Tensor:
    """The history [batch, length, …] once the frames x [batch, frames, …] that began have passed."""
    length = int(history.shape[1])
    line = tf.concat([history, x], axis=1)
    if period == 1:
        return line[:, int(line.shape[1]) - length :]  # -length would keep all of it where the history holds nothing
    return tf.gather(line, frames.count[:, None] + np.arange(length, dtype=np.int32), axis=1, batch_dims=1)


def speak(said: Tensor, clock: Clock, frames: Frames, hops: int, period: int) -> tuple[Tensor, Clock]:
    """Ramp what the frames say, [batch, frames, channels], over their hops: [batch, hops, channels], and the clock after."""
    if period == 1:
        return said, Clock(clock.place, tf.ones_like(clock.begun), said[:, -1], _before_last(said, clock.last))
    begun = clock.begun[:, None] > 0.0
    last = tf.where(begun, clock.last, said[:, 0])
    earlier = tf.where(begun, clock.earlier, said[:, 0])
    line = tf.concat([earlier[:, None], last[:, None], said], axis=1)
    places = clock.place[:, None] + np.arange(hops, dtype=np.int32)
    # frames that have begun by each hop; the one in which the block begins is number 0, unless it begins here
    number = places // period + tf.cast(clock.place == 0, tf.int32)[:, None]
    share = tf.cast(places % period + 1, tf.float32)[..., None] / period
    source, goal = (tf.gather(line, number + i, axis=1, batch_dims=1) for i in (0, 1))
    ends = [tf.gather(line, frames.count + i, axis=1, batch_dims=1) for i in (1, 0)]
    # the last hop of a frame arrives
    out = source + (goal - source) * share
    return out, Clock(tf.math.floormod(clock.place + hops, period), tf.ones_like(clock.begun), *ends)


def _before_last(said: Tensor, last: Tensor) -> Tensor:
    return said[:, -2] if int(said.shape[1]) > 1 else last


def normal(x: Tensor, statistics: Tensor) -> Any:
    """(x − mean) / deviation by statistics [2]."""
    return (x - statistics[0]) / statistics[1]
