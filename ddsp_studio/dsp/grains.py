"""Grains: which sound at a moment, how old they are and how loud, all by their number."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ddsp_studio.dsp.curves import countable, latest_frame
from ddsp_studio.dsp.noise import scramble
from ddsp_studio.dsp.ramps import ramp_hops
from ddsp_studio.dsp.tensor import HOP, Tensor, tf

_STEP = np.arange(HOP, dtype=np.float64)


def _random(seed: Tensor, number: Tensor, kind: int) -> Tensor:
    """A number in −1..1 for every grain: seed [batch], number [batch, hops, slots] int64; float32."""
    word = scramble(
        tf.cast(number, tf.uint32) * np.uint32(0x9E3779B9) + seed[:, None, None] + np.uint32(kind * 0x85EBCA6B & 0xFFFFFFFF)
    )
    return tf.cast(tf.bitcast(word, tf.int32), tf.float32) * (1.0 / 2**31)


class Cloud(NamedTuple):
    """What is remembered of a cloud of grains.

    `count`: grains begun, as a fraction, [batch] float64. `origin`: place in the recording at which a grain of each slot would
    have stood at the end of the block before, had it not moved, [batch, slots] float64. `level`: of the recording, [batch,
    slots] float32. `seed` [batch] uint32.
    """

    count: Tensor
    origin: Tensor
    level: Tensor
    seed: Tensor


class Heads(NamedTuple):
    """Where each slot reads, [batch, hops, HOP, slots] each: `place` in samples, float64, `loudness` 0..1, and `level`."""

    place: Tensor
    loudness: Tensor
    level: Tensor


class Wishes(NamedTuple):
    """What grains are asked to be.

    `place` (samples), `spray` (samples), `level`: [batch, hops]; `density_hz`, `jitter` (0..1), `size_s`: [batch, hops + 1, 1].
    `inside`: distance travelled since the block began [batch, hops, HOP], `edges` [batch, hops + 1], both float64.
    """

    density_hz: Tensor
    place: Tensor
    spray: Tensor
    jitter: Tensor
    level: Tensor
    size_s: Tensor
    inside: Tensor
    edges: Tensor


def spread_grains(wishes: Wishes, cloud: Cloud, slots: int, sample_rate: float) -> tuple[Heads, Cloud]:
    """Let grains begin, move and end: asynchronous granular synthesis (Roads, Microsound, 2001, chapter 3).

    Grain n is due when the density, integrated since the start, reaches n; it waits up to the jitter's share of a period more.
    It sounds in slot n mod slots, for `size_s` seconds or until the slot is needed again, under a Hann window; its place is
    fixed when it is due. What is random about it is a hash of (seed, n).

    Returns:
        Heads, and the cloud after the block.
    """
    per_hop = countable(tf.cast(wishes.density_hz[:, 1:, 0], tf.float64) * (HOP / sample_rate))
    ends = cloud.count[:, None] + tf.cumsum(per_hop, axis=1)
    begun = tf.concat([cloud.count[:, None], ends[:, :-1]], axis=1)
    slot = np.arange(slots, dtype=np.float64)

    def grain_in(count: Tensor) -> Tensor:
        return tf.floor((count[..., None] - slot) / slots) * slots + slot

    old, new = grain_in(begun), grain_in(ends)  # the grain of each slot at a hop's ends, [batch, hops, slots]
    arrives = new > old
    share = tf.clip_by_value((new - begun[..., None]) / per_hop[..., None], 0.0, 1.0)  # of the hop, when it is due
    due = wishes.edges[:, :-1, None] + share * (wishes.edges[:, 1:] - wishes.edges[:, :-1])[..., None]
    chosen = wishes.place[..., None] + wishes.spray[..., None] * _random(cloud.seed, tf.cast(new, tf.int64), 1)
    origin_new = tf.cast(chosen, tf.float64) - due
    # where each slot's grain was begun, in this block or before it: places and levels are taken from there
    batch, hops, _ = arrives.shape
    columns = latest_frame(tf.reshape(tf.transpose(arrives, [0, 2, 1]), [batch * slots, hops]))
    source = tf.transpose(tf.reshape(columns, [batch, slots, hops]), [0, 2, 1])

    def held(values: Tensor, before: Tensor) -> Tensor:
        every = tf.transpose(tf.concat([before[:, None], values], axis=1), [0, 2, 1])
        return tf.transpose(tf.gather(every, tf.transpose(source, [0, 2, 1]), batch_dims=2), [0, 2, 1])

    origin_end = held(origin_new, cloud.origin)
    level_end = held(tf.broadcast_to(wishes.level[..., None], arrives.shape), cloud.level)
    origin_old = tf.concat([cloud.origin[:, None], origin_end[:, :-1]], axis=1)
    level_old = tf.concat([cloud.level[:, None], level_end[:, :-1]], axis=1)

    count = begun[..., None, None] + (_STEP / HOP)[:, None] * per_hop[..., None, None]  # [batch, hops, HOP, 1]
    arrived = tf.logical_and(arrives[:, :, None], count >= new[:, :, None])

    def now(after: Tensor, before: Tensor) -> Tensor:
        return tf.where(arrived, after[:, :, None], before[:, :, None])

    both = tf.cast(tf.concat([new, old], axis=2), tf.int64)
    waits = tf.split(0.5 + 0.5 * _random(cloud.seed, both, 2), 2, axis=2)
    number, jitter = now(new, old), ramp_hops(wishes.jitter)
    age = tf.cast(count - number, tf.float32) - jitter[..., None] * now(*waits)  # in periods of the density
    life = tf.minimum(ramp_hops(wishes.size_s) * ramp_hops(wishes.density_hz), slots - jitter)
    share_of_life = age / life[..., None]
    sounding = tf.logical_and(tf.logical_and(share_of_life > 0.0, share_of_life < 1.0), number >= 0.0)
    window = tf.where(sounding, 0.5 - 0.5 * tf.cos(2.0 * math.pi * share_of_life), 0.0)
    # grains are unlike each other, so their powers add: 3/8 each
    window = window * tf.math.rsqrt(1.0 + 0.375 * life)[..., None]
    place = now(origin_end, origin_old) + wishes.inside[..., None]
    last = wishes.edges[:, -1:]
    after = Cloud(ends[:, -1], origin_end[:, -1] + last, level_end[:, -1], cloud.seed)
    return Heads(place, window, now(level_end, level_old)), after
