"""Reading recordings: exact at their own speed, free of images between samples and of aliases at higher speeds."""

from __future__ import annotations

import numpy as np
import pytest

from ddsp_studio.dsp.playback import OCTAVES_UP, read, read_level, recording, speed_level, travel
from ddsp_studio.dsp.tensor import HOP, tf

RATE = 48_000.0


def tone(hertz: float, count: int = 24_000) -> np.ndarray:
    return (0.5 * np.sin(2.0 * np.pi * hertz * np.arange(count) / RATE)).astype(np.float32)


def read_at(audio: np.ndarray, at: np.ndarray, speed: float) -> np.ndarray:
    return read(recording(audio), tf.constant(at), tf.fill([at.size], np.float32(speed))).numpy()


def test_a_recording_read_at_its_own_speed_is_itself() -> None:
    audio = np.random.default_rng(1).normal(0.0, 0.2, 3000).astype(np.float32)
    found = read_at(audio, np.arange(3000.0), 1.0)
    # the spline passes 24 kHz, too, but for its own images at the very top
    error = np.abs(np.fft.rfft(found - audio)) / np.sqrt(3000.0) / 0.2
    assert error[:1300].max() < 1e-3
    assert error.max() < 0.02


@pytest.mark.parametrize(("hertz", "error_db"), [(100.0, -100.0), (5000.0, -100.0), (10_000.0, -95.0), (16_000.0, -78.0)])
def test_a_tone_between_samples(hertz: float, error_db: float) -> None:
    at = 2000.0 + np.arange(8000) * 0.777
    expected = 0.5 * np.sin(2.0 * np.pi * hertz * at / RATE)
    found = read_at(tone(hertz), at, 0.777)
    assert 20.0 * np.log10(np.sqrt(np.mean((found - expected) ** 2) / np.mean(expected**2))) < error_db


@pytest.mark.parametrize("speed", [1.06, 1.5, 2.0, 3.7, 8.0, 15.9])
def test_what_would_pass_nyquist_is_gone(speed: float) -> None:
    """A component at f moves to speed·f, and nothing comes back from above Nyquist to below 0.43 of the rate."""
    above = 0.5 * RATE / speed * 1.14
    if above > 0.5 * RATE:
        return
    hertz = np.linspace(above, 0.5 * RATE * 0.999, 12)
    for one in hertz:
        found = read_at(tone(one), 3000.0 + np.arange(1000) * speed, speed)
        folded = np.abs(np.fft.rfft(found * np.kaiser(1000, 14.0))) / (0.25 * np.kaiser(1000, 14.0).sum())
        low = np.fft.rfftfreq(1000) < 0.43
        assert folded[low].max() < 10.0 ** (-70.0 / 20.0), (speed, one)


@pytest.mark.parametrize("speed", [1.0, 1.12, 1.3, 2.0, 5.0])
def test_what_stays_under_a_third_of_the_rate_is_kept(speed: float) -> None:
    hertz = 0.34 * RATE / speed
    at = 3000.0 + np.arange(1000) * speed
    found = read_at(tone(hertz), at, speed)
    expected = 0.5 * np.sin(2.0 * np.pi * hertz * at / RATE)
    assert np.max(np.abs(found - expected)) < 2e-3


def test_outside_is_silence() -> None:
    audio = np.ones(500, np.float32)
    for level in range(3 * OCTAVES_UP + 1):
        at = tf.constant([-1e12, -1e5, -700.0, 1300.0, 1e5, 1e12], tf.float64)
        found = read_level(recording(audio), at, tf.constant(level)).numpy()
        assert np.max(np.abs(found)) < 2e-4, level


def test_levels_are_a_third_of_an_octave() -> None:
    speeds = tf.constant([0.1, 1.0, 2.0, 4.0])
    np.testing.assert_allclose(speed_level(speeds), [0.0, 0.0, 3.0, 6.0], atol=1e-5)


def test_travel_is_the_running_sum() -> None:
    speed = np.random.default_rng(2).uniform(-2.0, 2.0, (2, 6))
    inside, edges = travel(tf.constant(speed))
    rise = np.arange(1, HOP + 1) / HOP
    rates = (speed[:, :-1, None] + (speed[:, 1:] - speed[:, :-1])[..., None] * rise).reshape(2, -1)
    passed = np.cumsum(rates, axis=1)
    np.testing.assert_allclose(inside.numpy().reshape(2, -1), np.pad(passed, [(0, 0), (1, 0)])[:, :-1], atol=1e-9)
    np.testing.assert_allclose(edges[:, 1:], passed[:, HOP - 1 :: HOP], atol=1e-9)


def test_the_gradient_by_place_is_the_slope_of_the_sound() -> None:
    held = recording(tone(440.0))
    at = tf.constant(np.linspace(5000.0, 5100.0, 50))
    with tf.GradientTape() as tape:
        tape.watch(at)
        out = tf.reduce_sum(read(held, at, tf.ones([50])))
    expected = 0.5 * 2.0 * np.pi * 440.0 / RATE * np.cos(2.0 * np.pi * 440.0 * at.numpy() / RATE)
    np.testing.assert_allclose(tape.gradient(out, at), expected, atol=1e-4)
