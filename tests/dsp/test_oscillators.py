"""Oscillators against direct sums in float64."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_studio.dsp import chunks
from ddsp_studio.dsp.harmonic_bank import harmonic_bank
from ddsp_studio.dsp.oscillators import accumulate_phase, fade_to_nyquist
from ddsp_studio.dsp.tensor import HOP, tf

RATE = 48_000.0


def direct_phase(f0_hz: np.ndarray, start: float = 0.0) -> np.ndarray:
    """Phase in turns of a frequency that ramps across hops, sample by sample in float64: [samples]."""
    rise = np.arange(1, HOP + 1) / HOP
    hertz = np.concatenate([a + (b - a) * rise for a, b in zip(f0_hz[:-1], f0_hz[1:], strict=True)])
    return start + np.cumsum(hertz / RATE)


def direct_bank(turns: np.ndarray, amplitudes: np.ndarray) -> np.ndarray:
    rise = (np.arange(1, HOP + 1) / HOP)[None, :, None]
    level = (amplitudes[:-1, None] + (amplitudes[1:, None] - amplitudes[:-1, None]) * rise).reshape(-1, amplitudes.shape[1])
    return np.sum(level * np.sin(2.0 * np.pi * turns[:, None] * np.arange(1, amplitudes.shape[1] + 1)), axis=1)


@pytest.mark.parametrize("partials", [1, 2, 3, 7, 64, 100])
def test_bank_equals_the_direct_sum_within_99_db(partials: int) -> None:
    rng = np.random.default_rng(partials)
    f0 = rng.uniform(50.0, 900.0, 13).astype(np.float32)
    amplitudes = rng.uniform(0.0, 1.0, (13, partials)).astype(np.float32)
    turns, _ = accumulate_phase(tf.constant(f0[None, :, None]), tf.zeros([1], tf.float64), RATE)
    audio = harmonic_bank(turns, tf.constant(amplitudes[None])).numpy().reshape(-1)
    expected = direct_bank(direct_phase(f0.astype(np.float64)), amplitudes.astype(np.float64))
    error = np.sqrt(np.mean((audio - expected) ** 2) / np.mean(expected**2))
    assert 20.0 * math.log10(error) < -99.0


def test_phase_is_exact_after_hours() -> None:
    hops, frames = 64, tf.fill([1, 65, 1], np.float32(440.1))
    block_turns = float(np.float32(440.1)) / RATE * HOP * hops
    passed = 4 * 3600 * int(RATE) // (HOP * hops)  # four hours, as the state holds them
    phase = tf.constant([(block_turns * passed) % 1.0], tf.float64)
    for _ in range(100):
        _, phase = accumulate_phase(frames, phase, RATE)
    expected = (block_turns * (passed + 100)) % 1.0
    assert abs((float(phase[0]) - expected + 0.5) % 1.0 - 0.5) < 1e-6


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(20.0, 8000.0, width=32), min_size=3, max_size=9), st.floats(0.0, 0.999))
def test_phase_in_closed_form_equals_the_running_sum(f0: list[float], start: float) -> None:
    turns, end = accumulate_phase(tf.constant(f0, tf.float32)[None, :, None], tf.constant([start], tf.float64), RATE)
    expected = direct_phase(np.array(f0, np.float32).astype(np.float64), start)
    gap = (turns.numpy().reshape(-1) - expected + 0.5) % 1.0 - 0.5
    assert np.max(np.abs(gap)) < 1e-10
    assert abs((float(end[0]) - expected[-1] + 0.5) % 1.0 - 0.5) < 1e-10
    assert 0.0 <= float(end[0]) < 1.0


def test_partials_fade_before_nyquist() -> None:
    hertz = np.array([0.0, 0.44, 0.45, 0.475, 0.5, 0.7], np.float32) * RATE
    faded = fade_to_nyquist(tf.ones([1, 1, 6]), tf.constant(hertz[None, None]), RATE).numpy()[0, 0]
    assert faded == pytest.approx([1.0, 1.0, 1.0, 0.5, 0.0, 0.0], abs=1e-4)


def test_no_partial_aliases() -> None:
    turns, _ = accumulate_phase(tf.fill([1, 76, 1], 3000.0), tf.zeros([1], tf.float64), RATE)
    numbers = np.arange(1, 33, dtype=np.float32)
    amplitudes = fade_to_nyquist(tf.ones([1, 76, 32]), tf.constant(3000.0 * numbers[None, None]), RATE)
    audio = harmonic_bank(turns, amplitudes).numpy().reshape(-1)[:4800]
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(4800))) / 1200.0
    hertz = np.fft.rfftfreq(4800, 1.0 / RATE)
    off = np.abs(hertz / 3000.0 - np.round(hertz / 3000.0)) * 3000.0 > 100.0
    assert spectrum[off].max() < 1e-4


@pytest.mark.parametrize("shared", [False, True])
def test_gradient_of_the_bank_is_that_of_its_definition(shared: bool) -> None:
    rng = np.random.default_rng(5)
    turns = tf.constant(rng.uniform(-3.0, 3.0, (2, 3, HOP)), tf.float64)
    amplitudes = tf.constant(rng.uniform(0.0, 1.0, (1 if shared else 2, 4, 11)), tf.float32)
    weights = rng.normal(size=(2, 3, HOP)).astype(np.float32)
    numbers = np.arange(1, 12.0)[:, None]

    def defined(turns: Any, amplitudes: Any) -> Any:
        rise = np.arange(1, HOP + 1) / HOP
        levels = tf.cast(amplitudes, tf.float64)[..., None]
        ramped = levels[:, :-1] * (1.0 - rise) + levels[:, 1:] * rise
        return tf.reduce_sum(ramped * tf.sin(2.0 * np.pi * numbers * turns[:, :, None]), axis=2)

    slopes = []
    for bank in (harmonic_bank, defined):
        with tf.GradientTape() as tape:
            tape.watch([turns, amplitudes])
            out = tf.reduce_sum(tf.cast(bank(turns, amplitudes), tf.float64) * weights)
        slopes.append(tape.gradient(out, [turns, amplitudes]))
    for found, expected in zip(*slopes, strict=True):
        np.testing.assert_allclose(found, expected, atol=3e-5 * np.max(np.abs(expected)))


def test_long_clips_are_done_in_pieces_that_leave_no_seam() -> None:
    rng = np.random.default_rng(6)
    hops = 2 * chunks.CHUNK + 7
    turns = tf.constant(np.cumsum(rng.uniform(0.0, 0.1, (1, hops * HOP)), axis=1).reshape(1, hops, HOP), tf.float64)
    amplitudes = tf.constant(rng.uniform(0.0, 1.0, (1, hops + 1, 9)), tf.float32)
    slopes, outs = [], []
    for pieces in ([hops], [40, 40, hops - 80]):
        with tf.GradientTape() as tape:
            tape.watch([turns, amplitudes])
            begins = np.cumsum([0, *pieces])
            parts = [
                harmonic_bank(turns[:, b : b + n], amplitudes[:, b : b + n + 1]) for b, n in zip(begins, pieces, strict=False)
            ]
            outs.append(tf.concat(parts, axis=1))
            loss = tf.reduce_sum(outs[-1] ** 2)
        slopes.append(tape.gradient(loss, [turns, amplitudes]))
    np.testing.assert_allclose(outs[0], outs[1], atol=1e-6)
    for found, expected in zip(*slopes, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5 * np.max(np.abs(expected)))
