"""Pitch of a solo instrument or voice as tensor operations: candidates of frames, and the cheapest path through them.

The method is the tracker's for recordings (`training.features`): peaks of the window-normalised autocorrelation (P. Boersma,
"Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a sampled sound", Proc. Institute
of Phonetic Sciences 17, 1993), joined by Viterbi's algorithm, decided a fixed number of frames late. `Layout` holds its numbers.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ddsp_studio.dsp.pitch_layout import F0Settings, Floats, Layout, favour
from ddsp_studio.dsp.recurrence import scan_chunks
from ddsp_studio.dsp.tensor import Tensor, tf

_NEVER = np.float32(-1e9)
"""Score of a path that does not exist."""
_FORGET_S = 30.0
"""Time in which the level that silence is measured against falls by 6 dB."""


class Candidates(NamedTuple):
    """Pitches that frames may have.

    `f0_hz`: 0 where there is none, `strength`: periodicity, 0..1 and −1 where there is none, [batch, frames, candidates] both.
    `level_db`: RMS under the window without its mean, dB of full scale, [batch, frames].
    """

    f0_hz: Tensor
    strength: Tensor
    level_db: Tensor


class PathState(NamedTuple):
    """What is known after a frame.

    `score` of the best path into each state, [batch, candidates + 1], the last state being "no pitch". `trail`: f0 and
    periodicity of that path in each of the last frames, [batch, lag + 1, candidates + 1, 2]. `loudest_db`: slowly falling maximum
    of the level, `held_hz`: the last pitch, both [batch].
    """

    score: Tensor
    trail: Tensor
    loudest_db: Tensor
    held_hz: Tensor


def decimation(plan: Layout) -> Floats:
    """The decimating filter as a matrix from `raw_length(plan)` samples to a frame's newest `plan.step`, [samples, step]."""
    matrix = np.zeros((raw_length(plan), plan.step), np.float32)
    for i in range(plan.step):
        matrix[i * plan.factor : i * plan.factor + len(plan.taps), i] = plan.taps
    return matrix


def raw_length(plan: Layout) -> int:
    """Samples that a frame's newest part is decimated from."""
    return (plan.step - 1) * plan.factor + len(plan.taps)


def candidates(frames: Tensor, plan: Layout) -> Candidates:
    """The strongest peaks of each frame's autocorrelation; frames [batch, frames, window] are decimated sound."""
    batch, count = int(frames.shape[0]), int(frames.shape[1])
    sound = tf.reshape(frames, [batch * count, len(plan.window)])
    mean = tf.reduce_sum(sound * plan.window, axis=1, keepdims=True) / np.float32(plan.window.sum())
    spectrum = tf.signal.rfft((sound - mean) * plan.window, [plan.size])
    power = tf.square(tf.math.real(spectrum)) + tf.square(tf.math.imag(spectrum))
    oversampling = round(plan.hertz / plan.rate)
    auto = tf.signal.irfft(tf.complex(power, tf.zeros_like(power)), [plan.size * oversampling]) * float(oversampling)
    energy = tf.maximum(auto[:, :1], 1e-20)
    normal = auto[:, plan.lags[0] : plan.lags[1]] / (energy * plan.norm)
    f0_hz, strength = _peaks(normal, plan)
    level_db = tf.math.log(energy[:, 0] / float(np.sum(plan.window**2))) * (10.0 / math.log(10.0))
    shape = [batch, count, plan.settings.candidates]
    return Candidates(tf.reshape(f0_hz, shape), tf.reshape(strength, shape), tf.reshape(level_db, shape[:2]))


def _peaks(normal: Tensor, plan: Layout) -> tuple[Tensor, Tensor]:
    """Frequencies and heights of the best peaks of [frames, lags], [frames, candidates] each."""
    settings = plan.settings
    inner = normal[:, 1:-1]
    high_enough = inner > 0.5 * settings.voicing
    is_peak = tf.logical_and(tf.logical_and(inner > normal[:, :-2], inner >= normal[:, 2:]), high_enough)
    lag = np.arange(plan.lags[0] + 1, plan.lags[1] - 1)
    favoured = favour(np.log2(plan.hertz / (lag * settings.low_hz)), settings).astype(np.float32)
    best, chosen = tf.math.top_k(tf.where(is_peak, inner + favoured, np.float32(-9.0)), settings.candidates)
    around = tf.gather(normal, chosen[..., None] + np.arange(3, dtype=np.int32), axis=1, batch_dims=1)
    before, peak, after = tf.unstack(around, axis=2)
    bend = tf.minimum(before + after - 2.0 * peak, -1e-9)
    offset = tf.clip_by_value(0.5 * (before - after) / bend, -0.5, 0.5)
    height = peak - 0.25 * (before - after) * offset
    f0_hz = plan.hertz / (tf.cast(chosen, tf.float32) + float(1 + plan.lags[0]) + offset)
    in_range = tf.logical_and(f0_hz >= settings.low_hz, f0_hz <= settings.high_hz)
    found = tf.logical_and(best > -8.0, in_range)
    # Boersma: a peak above 1 is an artefact of the division by the window, and folded back
    height = tf.where(height > 1.0, 1.0 / tf.maximum(height, 1.0), height)
    return tf.where(found, f0_hz, 0.0), tf.where(found, height, -1.0)


def path_start(batch: int, settings: F0Settings, lag: int, held_hz: float) -> PathState:
    """Before the first frame: no pitch, decided `lag` frames late; `held_hz` stands for the pitch before there is one."""
    score = np.full((batch, settings.candidates + 1), _NEVER)
    score[:, -1] = 0.0
    trail = tf.zeros([batch, lag + 1, settings.candidates + 1, 2])
    return PathState(tf.constant(score), trail, tf.fill([batch], -200.0), tf.fill([batch], held_hz))


def follow(state: PathState, found: Candidates, heard: Tensor, settings: F0Settings, period_s: float) -> tuple[Tensor, PathState]:
    """Go on by some frames.

    Args:
        state: what is known. found: candidates of the next frames. settings: costs. period_s: time between frames, s.
        heard: 0 for frames that change nothing, [batch, frames].

    Returns:
        The pitch in Hz that is held and the periodicity (0 where there is no pitch) of the frames that lie `lag` frames back,
        [batch, frames, 2]; and what is known now.
    """
    some = found.f0_hz > 0.0
    octaves = tf.math.log(tf.where(some, found.f0_hz, 1.0)) / math.log(2.0)
    worth = found.strength + favour(octaves - math.log2(settings.low_hz), settings)
    nothing = tf.zeros_like(found.f0_hz[..., :1])
    frames = {
        "gain": tf.where(some, worth, _NEVER),
        "pitch": tf.stack(
            [tf.concat([found.f0_hz, nothing], 2), tf.concat([tf.maximum(found.strength, 0.0), nothing], 2)], axis=3
        ),
        "octaves": tf.concat([octaves, nothing], 2),
        "level_db": found.level_db,
        "heard": heard,
    }
    start = (state, _octaves_of(state.trail[:, -1, :, 0]))

    def step(held: tuple[PathState, Tensor], frame: dict[str, Tensor]) -> tuple[tuple[PathState, Tensor], Tensor]:
        return _step(held, frame, settings, period_s)

    decided, (after, _) = scan_chunks(step, start, frames)
    return decided, after


def _octaves_of(f0_hz: Tensor) -> Tensor:
    return tf.math.log(tf.where(f0_hz > 0.0, f0_hz, 1.0)) / math.log(2.0)


def _step(
    held: tuple[PathState, Tensor], frame: dict[str, Tensor], settings: F0Settings, period_s: float
) -> tuple[tuple[PathState, Tensor], Tensor]:
    """One frame: the best way into each of its states, and what the best path says of the frame that is decided by it."""
    state, octaves = held
    now, level_db = frame["pitch"], frame["level_db"]
    loudest_db = tf.maximum(level_db, state.loudest_db - 6.0 * period_s / _FORGET_S)
    threshold = tf.maximum(loudest_db + settings.silence_db, settings.floor_db)
    # Boersma's equation 24 in decibels: what is soft is rather no pitch
    below = tf.clip_by_value((threshold + 6.0 - level_db) / 6.0, 0.0, 2.0)
    gain = tf.concat([frame["gain"], (settings.voicing + below)[:, None]], axis=1)
    total = state.score[:, None, :] - _costs(now[..., 0], frame["octaves"], state.trail[:, -1, :, 0], octaves, settings, period_s)
    back = tf.argmax(total, axis=2, output_type=tf.int32)
    score = tf.reduce_max(total, axis=2) + gain
    score = tf.maximum(score - tf.reduce_max(score, axis=1, keepdims=True), _NEVER)
    came = tf.gather(
        state.trail[:, 1:], back[:, None] + tf.zeros([1, state.trail.shape[1] - 1, 1], tf.int32), axis=2, batch_dims=2
    )
    trail = tf.concat([came, now[:, None]], axis=1)
    best = tf.argmax(score, axis=1, output_type=tf.int32)
    said = tf.gather(trail[:, 0], best, axis=1, batch_dims=1)
    held_hz = tf.where(said[:, 0] > 0.0, said[:, 0], state.held_hz)
    heard = frame["heard"] > 0.0
    after = PathState(
        tf.where(heard[:, None], score, state.score),
        tf.where(heard[:, None, None, None], trail, state.trail),
        tf.where(heard, loudest_db, state.loudest_db),
        tf.where(heard, held_hz, state.held_hz),
    )
    return (after, tf.where(heard[:, None], frame["octaves"], octaves)), tf.stack([after.held_hz, said[:, 1]], axis=1)


def _costs(f0_hz: Tensor, octaves: Tensor, before_hz: Tensor, before: Tensor, settings: F0Settings, period_s: float) -> Tensor:
    """Price of every move, [batch, to, from]."""
    here, there = (f0_hz > 0.0)[:, :, None], (before_hz > 0.0)[:, None, :]
    jump = settings.jump_cost * tf.abs(octaves[:, :, None] - before[:, None, :])
    switch = tf.where(tf.not_equal(here, there), settings.switch_cost, 0.0)
    return tf.where(tf.logical_and(here, there), jump, switch) * (0.01 / period_s)
