"""Distortion curves against numerical averages, and the oversampling filters."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_studio.dsp import oversample
from ddsp_studio.dsp.tensor import HOP, tf
from ddsp_studio.dsp.waveshape import CURVES, shape

_BIAS = 0.5
PLAIN = {
    "soft": lambda x: x / np.sqrt(1.0 + x * x),
    "tube": lambda x: (x + _BIAS) / np.sqrt(1.0 + (x + _BIAS) ** 2) - _BIAS / math.sqrt(1.0 + _BIAS**2),
    "hard": lambda x: np.clip(x, -1.0, 1.0),
    "fold": lambda x: np.sin(0.5 * np.pi * x),
    "rectify": np.abs,
    "half": lambda x: np.maximum(x, 0.0),
}


@pytest.mark.parametrize("curve", CURVES)
@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(st.floats(-8.0, 8.0, width=32), st.floats(-8.0, 8.0, width=32)), min_size=20, max_size=20))
def test_curve_is_the_average_over_a_straight_line(curve: str, pairs: list[tuple[float, float]]) -> None:
    a, b = np.array(pairs, np.float32).T[..., None]
    place = (np.arange(20_000) + 0.5) / 20_000
    expected = np.mean(PLAIN[curve](a + (b.astype(np.float64) - a) * place), axis=1)
    found = CURVES[curve](tf.constant(a.T), tf.constant(b.T)).numpy()[0]
    assert np.max(np.abs(found - expected)) < 2e-4


@pytest.mark.parametrize("curve", CURVES)
def test_close_samples_lose_no_digits(curve: str) -> None:
    a = np.linspace(-3.0, 3.0, 1201, dtype=np.float32)[None]
    b = a + np.float32(1e-6)
    found = CURVES[curve](tf.constant(a), tf.constant(b)).numpy()
    assert np.max(np.abs(found - PLAIN[curve](0.5 * (a.astype(np.float64) + b)))) < 1e-6


@pytest.mark.parametrize("curve", CURVES)
def test_slope_is_finite_everywhere(curve: str) -> None:
    values = tf.constant([[0.0, 0.0, 1.0, 1.0, -1.0, 1e-30, 1e6, -1e6, 1e18, 0.0]])
    with tf.GradientTape() as tape:
        tape.watch(values)
        out = shape(values, tf.zeros([1]), curve)
    assert np.all(np.isfinite(out)) and np.all(np.isfinite(tape.gradient(out, values)))


def test_up_and_down_is_a_delay() -> None:
    rng = np.random.default_rng(1)
    tone = np.sin(2.0 * np.pi * np.outer(np.array([0.01, 0.1, 0.3, 0.42]), np.arange(20 * HOP)) + rng.uniform(0, 6, (4, 1)))
    high, _ = oversample.raise_rate(tf.constant(tone, tf.float32), tf.zeros([4, oversample.PAST]))
    # the half sample of the high rate that the curves' averages add
    half = tf.concat([tf.zeros([4, 1]), high[:, :-1]], axis=1)
    low, _ = oversample.lower_rate(0.5 * (high + half), tf.zeros([4, oversample.PAST * oversample.FACTOR]))
    late = tone[:, : -oversample.DELAY]
    error = np.abs(low.numpy()[:, oversample.DELAY :] - late)[:, 4 * HOP :].max(axis=1)
    assert np.all(error[:3] < 0.01) and error[3] < 0.03  # the averages take 0.2 dB off the very top


def test_images_are_far_down() -> None:
    tone = np.sin(2.0 * np.pi * 0.3 * np.arange(64 * HOP))[None]
    high, _ = oversample.raise_rate(tf.constant(tone, tf.float32), tf.zeros([1, oversample.PAST]))
    settled = high.numpy()[0, 1024:-1024]
    spectrum = np.abs(np.fft.rfft(settled * np.kaiser(settled.size, 16)))
    place = np.arange(spectrum.size) / settled.size * oversample.FACTOR
    assert 20 * np.log10(spectrum[place > 0.5].max() / spectrum.max()) < -65.0
