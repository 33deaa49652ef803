"""Banks of sinusoids against running sums in float64, over hours, in streams; and their kinship with harmonics."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_studio.dsp import sinusoids
from ddsp_studio.dsp.harmonic_bank import harmonic_bank
from ddsp_studio.dsp.oscillators import accumulate_phase
from ddsp_studio.dsp.ramps import samples
from ddsp_studio.dsp.tensor import HOP, tf

RATE = 48_000.0
RISE = np.arange(1, HOP + 1) / HOP


def ramped(frames: np.ndarray) -> np.ndarray:
    """Frames [batch, hops + 1, n] sample by sample, [batch, samples, n]."""
    before, after = frames[:, :-1, None].astype(np.float64), frames[:, 1:, None].astype(np.float64)
    return (before + (after - before) * RISE[:, None]).reshape(frames.shape[0], -1, frames.shape[2])


def direct(hertz: np.ndarray, levels: np.ndarray, start: np.ndarray) -> np.ndarray:
    turns = start[:, None] + np.cumsum(ramped(hertz) / RATE, axis=1)
    return np.sum(ramped(levels) * np.sin(2.0 * np.pi * turns), axis=-1)


def controls(hops: int, count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    hertz = rng.uniform(20.0, 23_000.0, (2, hops + 1, count)).astype(np.float32)
    return hertz, rng.uniform(0.0, 1.0, (2, hops + 1, count)).astype(np.float32)


@pytest.mark.parametrize("count", [1, 7, 60])
def test_bank_equals_the_direct_sum_within_120_db(count: int) -> None:
    """Frequencies leap across all hearing from hop to hop, which is the worst there is."""
    hertz, levels = controls(9, count)
    start = np.random.default_rng(2).uniform(0.0, 1.0, (2, count))
    found, _ = sinusoids.sinusoid_bank(tf.constant(hertz), tf.constant(levels), tf.constant(start), RATE)
    expected = direct(hertz, levels, start)
    error = np.sqrt(np.mean((found.numpy() - expected) ** 2) / np.mean(expected**2))
    assert 20.0 * math.log10(error) < -120.0


def test_phase_is_exact_after_hours() -> None:
    frames = tf.fill([1, 65, 1], np.float32(15_551.1))
    block_turns = float(np.float32(15_551.1)) / RATE * HOP * 64
    passed = 4 * 3600 * int(RATE) // (HOP * 64)
    phase = tf.constant([[(block_turns * passed) % 1.0]], tf.float64)
    for _ in range(100):
        _, phase = sinusoids.sinusoid_bank(frames, tf.ones([1, 65, 1]), phase, RATE)
    gap = float(phase[0, 0]) - (block_turns * (passed + 100)) % 1.0
    assert abs((gap + 0.5) % 1.0 - 0.5) < 1e-6
    assert 0.0 <= float(phase[0, 0]) < 1.0  # a phase that grew would lose its fraction in years, and its precision before


@given(st.lists(st.integers(1, 4), min_size=2, max_size=4))
@settings(max_examples=10, deadline=None)
def test_stream_is_the_clip(cuts: list[int]) -> None:
    hertz, levels = (tf.constant(x) for x in controls(sum(cuts), 5))
    whole, end = sinusoids.sinusoid_bank(hertz, levels, tf.zeros([2, 5], tf.float64), RATE)
    phase, begin, outs = tf.zeros([2, 5], tf.float64), 0, []
    for cut in cuts:
        part = slice(begin, begin + cut + 1)
        out, phase = sinusoids.sinusoid_bank(hertz[:, part], levels[:, part], phase, RATE)
        outs.append(out)
        begin += cut
    assert np.allclose(tf.concat(outs, axis=1), whole, atol=2e-6)
    assert np.allclose((phase - end + 0.5) % 1.0, 0.5, atol=1e-10)


def test_gradients_are_those_of_the_formula() -> None:
    hertz, levels = (tf.constant(x) for x in controls(3, 4))
    cotangent = np.random.default_rng(5).normal(size=(2, 3 * HOP))
    with tf.GradientTape() as tape:
        tape.watch((hertz, levels))
        found, _ = sinusoids.sinusoid_bank(hertz, levels, tf.zeros([2, 4], tf.float64), RATE)
        total = tf.reduce_sum(found * tf.constant(cotangent, tf.float32))
    slopes = tape.gradient(total, (hertz, levels))
    for value, slope, place, step in ((hertz, slopes[0], 0, 1e-2), (levels, slopes[1], 1, 1e-3)):
        direction = np.random.default_rng(6).normal(size=value.shape)
        ends = []
        for sign in (1.0, -1.0):
            moved = [hertz.numpy().astype(np.float64), levels.numpy().astype(np.float64)]
            moved[place] = moved[place] + sign * step * direction
            ends.append(np.sum(direct(*moved, np.zeros((2, 4))) * cotangent))
        assert (ends[0] - ends[1]) / (2.0 * step) == pytest.approx(float(np.sum(slope * direction)), rel=1e-3)


def test_bank_is_the_harmonic_bank_on_a_harmonic_series() -> None:
    f0 = tf.constant(np.random.default_rng(3).uniform(100.0, 300.0, (1, 6, 1)), tf.float32)
    levels = tf.constant(np.random.default_rng(4).uniform(0.0, 1.0, (1, 6, 20)), tf.float32)
    turns, _ = accumulate_phase(f0, tf.zeros([1], tf.float64), RATE)
    found, _ = sinusoids.sinusoid_bank(sinusoids.harmonic_frequencies(f0, 20), levels, tf.zeros([1, 20], tf.float64), RATE)
    assert np.max(np.abs(found - samples(harmonic_bank(turns, levels)))) < 3e-4  # rounding of the harmonics' float32 hertz


def test_bank_by_samples_equals_the_direct_sum() -> None:
    rng = np.random.default_rng(7)
    hertz, levels = rng.uniform(20.0, 20_000.0, (2, 300, 3)), rng.uniform(0.0, 1.0, (2, 300, 3))
    single = [tf.constant(x, tf.float32) for x in (hertz, levels)]
    start = rng.uniform(0.0, 1.0, (2, 3))
    found, end = sinusoids.oscillator_bank(*single, tf.constant(start), RATE, summed=False)
    turns = start[:, None] + np.cumsum(single[0].numpy().astype(np.float64) / RATE, axis=1)
    assert np.max(np.abs(found - single[1].numpy() * np.sin(2.0 * np.pi * turns))) < 1e-6
    assert np.allclose((end - turns[:, -1] + 0.5) % 1.0, 0.5, atol=1e-9)
    assert np.all(end >= 0.0) and np.all(end < 1.0)
    summed, _ = sinusoids.oscillator_bank(*single, tf.constant(start), RATE)
    assert np.allclose(summed, tf.reduce_sum(found, axis=-1), atol=1e-6)


def test_harmonics_and_sinusoids_turn_into_each_other() -> None:
    rng = np.random.default_rng(8)
    f0 = tf.constant(rng.uniform(200.0, 900.0, (1, 5, 1)), tf.float32)
    level = tf.constant(rng.uniform(0.1, 1.0, (1, 5, 1)), tf.float32)
    spread = sinusoids.normalise_harmonics(tf.constant(rng.uniform(0.0, 1.0, (1, 5, 30)), tf.float32), f0, 16_000.0)
    levels, hertz = sinusoids.harmonic_to_sinusoidal(level, spread, f0, 16_000.0)
    assert np.all(levels.numpy()[hertz.numpy() >= 8000.0] == 0.0)
    back, shape = sinusoids.sinusoidal_to_harmonic(levels, hertz, f0, 16_000.0, harmonics=30)
    assert np.allclose(back, level, atol=1e-5) and np.allclose(shape, spread, atol=1e-5)


def test_sharing_keeps_the_loudest() -> None:
    """Ten sinusoids on one harmonic: their weights add up to one, so that it is as loud as they are, not ten times."""
    level, _ = sinusoids.sinusoidal_to_harmonic(
        tf.fill([1, 1, 10], 0.5), tf.fill([1, 1, 10], 300.0), tf.fill([1, 1, 1], 300.0), 16_000.0, harmonics=3, share=True
    )
    assert level.numpy().item() == pytest.approx(0.5, rel=1e-5)


def test_silence_stays_silence() -> None:
    assert np.array_equal(sinusoids.normalise_harmonics(tf.zeros([1, 1, 4])), np.zeros([1, 1, 4]))
