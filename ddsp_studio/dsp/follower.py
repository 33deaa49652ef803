"""Envelope followers whose attack and release may move at audio rate, and exponential decays.

The detectors are those of Giannoulis, Massberg and Reiss, "Digital Dynamic Range Compressor Design" (2012).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ddsp_studio.dsp.recurrence import delayed, one_pole
from ddsp_studio.dsp.tensor import HOP, Tensor, tf

_LOWEST = -1e30
"""Stands for no ceiling at all; minus infinity would make gradients that are no numbers."""


class Follower(NamedTuple):
    """Where a follower stands: `held`, the level with release only, and `level`, smoothed by the attack, [batch] both."""

    held: Tensor
    level: Tensor


def start_follower(batch: int) -> Follower:
    """In silence."""
    return Follower(tf.zeros([batch]), tf.zeros([batch]))


def coefficient(time_s: Tensor, sample_rate: float) -> Tensor:
    """Pole of a one-pole that closes 63 % of a gap in `time_s` seconds: exp(−1 / (time·rate))."""
    return tf.exp(-1.0 / (tf.maximum(time_s, 1e-6) * sample_rate))


def follow(drive: Tensor, attack: Tensor, release: Tensor, state: Follower) -> tuple[Tensor, Follower]:
    """Smooth decoupled peak detector: up with the attack, down with the release, each live and at no latency.

    held[n] = max(x[n], r·held[n−1] + (1 − r)·x[n]) and level[n] = a·level[n−1] + (1 − a)·held[n] (equation 17 of the paper).

    Args:
        drive: x, what is followed, such as |audio| or its mean square, [batch, samples], whole hops.
        attack, release: a and r, see `coefficient`, [batch or 1, samples].
        state: before the block.

    Returns:
        The level [batch, samples], and the state after the block.
    """
    held = _hold(drive, tf.broadcast_to(release, drive.shape), state.held)
    level = one_pole(attack, (1.0 - attack) * held, state.level)
    return level, Follower(held[:, -1], level[:, -1])


def follow_peak(audio: Tensor, attack: Tensor, release: Tensor, state: Follower) -> tuple[Tensor, Follower]:
    """Follow the magnitude of audio [batch, samples]: linear amplitude. Arguments as for `follow`."""
    return follow(tf.abs(audio), attack, release, state)


class RmsFollower(NamedTuple):
    """`power`: the running mean square, [batch]. `follower`: of its root."""

    power: Tensor
    follower: Follower


def start_rms(batch: int) -> RmsFollower:
    """In silence."""
    return RmsFollower(tf.zeros([batch]), start_follower(batch))


def follow_rms(audio: Tensor, window: Tensor, attack: Tensor, release: Tensor, state: RmsFollower) -> tuple[Tensor, RmsFollower]:
    """Follow the root of the running mean square of audio: linear amplitude, 1 / √2 for a full-scale sine.

    Args:
        audio: [batch, samples], whole hops. window: `coefficient` of the averaging time; attack, release: of the follower after
            it, [batch or 1, samples] each. state: before the block.

    Returns:
        The level [batch, samples], and the state after the block.
    """
    power = one_pole(window, (1.0 - window) * tf.square(audio), state.power)
    # the root has no slope at 0, which silence would reach: 1e-12 is −120 dB
    level, follower = follow(tf.sqrt(power + 1e-12) - 1e-6, attack, release, state.follower)
    return level, RmsFollower(power[:, -1], follower)


def exponential_decay(decay_s: Tensor, length: int, sample_rate: float) -> Tensor:
    """A level that starts at 1 and falls by 60 dB in `decay_s` seconds, 10^(−3·t / decay).

    Args:
        decay_s: [..., 1], above 0. length: samples. sample_rate: Hz.

    Returns:
        [..., length].
    """
    time_s = (np.arange(length) / sample_rate).astype(np.float32)
    return tf.exp(-math.log(1e3) / decay_s * time_s)


# -- y[n] = max(c[n], a[n]·y[n−1] + b[n]) ---------------------------------------------------------------------------------


def _hold(drive: Tensor, release: Tensor, level: Tensor) -> Tensor:
    """y[n] = max(x[n], r[n]·y[n−1] + (1 − r[n])·x[n]) over samples, in two levels as `recurrence.one_pole`."""
    batch = int(drive.shape[0])
    x, r = tf.reshape(drive, [batch, -1, HOP]), tf.reshape(release, [batch, -1, HOP])
    ceiling, factor, offset = _compose(x, r, (1.0 - r) * x)
    ends = _compose(ceiling[..., -1], factor[..., -1], offset[..., -1])
    after = tf.maximum(ends[0], ends[1] * level[:, None] + ends[2])
    before = tf.concat([level[:, None], after[:, :-1]], axis=1)[..., None]
    return tf.reshape(tf.maximum(ceiling, factor * before + offset), [batch, -1])


def _compose(ceiling: Tensor, factor: Tensor, offset: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Fold steps y → max(c, a·y + b) along the last axis; with factors of 0 or more, composed steps are of the same kind."""
    step = 1
    while step < int(ceiling.shape[-1]):
        ceiling = tf.maximum(ceiling, factor * delayed(ceiling, step, _LOWEST) + offset)
        offset += factor * delayed(offset, step, 0.0)
        factor *= delayed(factor, step, 1.0)
        step *= 2
    return ceiling, factor, offset
