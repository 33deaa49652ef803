"""Followers against loops that go sample by sample, their times as stated, and decays."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_studio.dsp import follower
from ddsp_studio.dsp.tensor import HOP, tf

RATE = 48_000.0


def loop(drive: np.ndarray, attack: np.ndarray, release: np.ndarray) -> np.ndarray:
    held, level, out = 0.0, 0.0, []
    for x, a, r in zip(drive, attack, release, strict=True):
        held = max(x, r * held + (1.0 - r) * x)
        level = a * level + (1.0 - a) * held
        out.append(level)
    return np.array(out)


@given(st.integers(1, 5), st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_follower_equals_the_loop_while_both_times_move(hops: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    drive = np.abs(rng.normal(size=hops * HOP)) * rng.choice([0.0, 1.0], hops * HOP)
    attack, release = rng.uniform(0.0, 0.999, (2, hops * HOP))
    given_ = [tf.constant(x[None], tf.float32) for x in (drive, attack, release)]
    found, end = follower.follow(*given_, follower.start_follower(1))
    expected = loop(drive, attack, release)
    assert np.allclose(found[0], expected, atol=2e-5)
    assert float(end.level[0]) == pytest.approx(expected[-1], abs=2e-5)


def poles(*times_s: float) -> list[object]:
    return [tf.fill([1, 1], follower.coefficient(tf.constant(t), RATE)) for t in times_s]


def test_attack_and_release_take_their_time() -> None:
    """63 % of a step up after the attack, and 37 % left of a step down after the release."""
    step = np.concatenate([np.ones(48_000), np.zeros(48_000)]).astype(np.float32)[None]
    found, _ = follower.follow_peak(tf.constant(step), *poles(0.05, 0.2), follower.start_follower(1))
    level = found.numpy()[0]
    assert np.argmax(level > 1.0 - math.exp(-1.0)) == pytest.approx(0.05 * RATE, abs=3)
    # the release is smoothed by the attack: both together
    t = np.arange(1, 48_001) / RATE
    expected = (0.2 * np.exp(-t / 0.2) - 0.05 * np.exp(-t / 0.05)) / 0.15
    assert np.max(np.abs(level[48_000:] - expected)) < 2e-3


def test_rms_of_a_sine_is_its_amplitude_over_root_two() -> None:
    sine = np.sin(2.0 * np.pi * 1000.0 / RATE * np.arange(48_000)).astype(np.float32)[None]
    found, _ = follower.follow_rms(tf.constant(0.5 * sine), *poles(0.03, 0.001, 0.001), follower.start_rms(1))
    assert found.numpy()[0, -480:] == pytest.approx(0.5 / math.sqrt(2.0), rel=0.01)


@pytest.mark.parametrize("kind", ["peak", "rms"])
def test_stream_is_the_clip(kind: str) -> None:
    audio = tf.constant(np.random.default_rng(1).normal(size=(2, 6 * HOP)), tf.float32)
    times = poles(0.001, 0.002, 0.004)

    def run(part: object, state: object) -> tuple[object, object]:
        if kind == "peak":
            return follower.follow_peak(part, *times[1:], state)
        return follower.follow_rms(part, *times, state)

    start = follower.start_follower(2) if kind == "peak" else follower.start_rms(2)
    whole, end = run(audio, start)
    first, state = run(audio[:, : 2 * HOP], start)
    second, last = run(audio[:, 2 * HOP :], state)
    assert np.allclose(tf.concat([first, second], axis=1), whole, atol=1e-6)
    for ours, theirs in zip(tf.nest.flatten(last), tf.nest.flatten(end), strict=True):
        assert np.allclose(ours, theirs, atol=1e-6)


def test_silence_has_a_level_of_zero_and_a_gradient() -> None:
    audio, times = tf.zeros([1, 2 * HOP]), poles(0.01, 0.01, 0.1)
    with tf.GradientTape() as tape:
        tape.watch([audio, *times])
        found, _ = follower.follow_rms(audio, *times, follower.start_rms(1))
        total = tf.reduce_sum(found)
    assert np.allclose(found, 0.0, atol=1e-7)
    assert all(np.all(np.isfinite(slope)) for slope in tape.gradient(total, [audio, *times]))


def test_decay_falls_by_60_db_in_its_time() -> None:
    found = follower.exponential_decay(tf.constant([[0.5], [2.0]]), 48_001, RATE).numpy()
    assert found[:, 0] == pytest.approx([1.0, 1.0])
    assert 20.0 * np.log10(found[0, 24_000]) == pytest.approx(-60.0, abs=1e-3)
    assert 20.0 * np.log10(found[1, 48_000]) == pytest.approx(-30.0, abs=1e-3)
