"""Single-cycle waves against direct sums, and how much of them aliases."""

from __future__ import annotations

import numpy as np
import pytest

from ddsp_studio.dsp.classic import SHAPES, classic_wave, saw_and_parabola
from ddsp_studio.dsp.ramps import RISE
from ddsp_studio.dsp.tensor import HOP, tf
from ddsp_studio.dsp.wavetable import (
    band_limit,
    fourier_bank,
    harmonics_of,
    level_of,
    linear_lookup,
    linear_lookup_hops,
    read_waves,
)

RATE = 48_000.0
SECOND = 48_000
SWEEP_HZ = (27.6, 55.3, 110.7, 220.3, 441.1, 997.3, 1503.7, 2217.1, 3136.9, 4001.3, 7040.9)
"""No simple share of the sample rate, so that what aliases falls between the harmonics."""


def phase(f0_hz: float, count: int = SECOND) -> np.ndarray:
    return (np.arange(1, count + 1) * f0_hz / RATE).reshape(1, -1, HOP)


def worst_alias_db(audio: np.ndarray, f0_hz: float, rate: float = RATE) -> float:
    """The strongest component that is no harmonic, against the fundamental."""
    spectrum = np.abs(np.fft.rfft(audio * np.kaiser(audio.size, 20.0)))
    hertz = np.fft.rfftfreq(audio.size, 1.0 / rate)
    off = np.abs(hertz / f0_hz - np.round(hertz / f0_hz)) * f0_hz > 12.0
    off |= np.round(hertz / f0_hz) * f0_hz >= rate / 2.0
    return float(20.0 * np.log10(spectrum[off].max() / spectrum[np.abs(hertz - f0_hz) < 12.0].max()))


@pytest.mark.parametrize("points", [7, 64, 128])
def test_lookup_equals_interpolation_by_numpy(points: int) -> None:
    rng = np.random.default_rng(points)
    turns, tables = rng.uniform(-3.0, 3.0, (2, 500)), rng.normal(size=(2, points)).astype(np.float32)
    turns[0, :3] = [0.0, 1.0 - 1e-17, -1e-17]
    found = linear_lookup(tf.constant(turns), tf.constant(tables)).numpy()
    closed = np.concatenate([tables, tables[:, :1]], axis=1)
    for row in range(2):
        expected = np.interp(turns[row] % 1.0 * points, np.arange(points + 1), closed[row])
        np.testing.assert_allclose(found[row], expected, atol=2e-6)


def test_lookup_of_moving_tables_cross_fades_across_the_hop() -> None:
    rng = np.random.default_rng(1)
    tables = rng.normal(size=(1, 4, 16)).astype(np.float32)
    turns = phase(300.0, 3 * HOP)
    found = linear_lookup_hops(tf.constant(turns), tf.constant(tables)).numpy()[0]
    one = [linear_lookup(tf.constant(turns.reshape(1, -1)), tf.constant(tables[:, i])).numpy().reshape(3, HOP) for i in range(4)]
    for hop in range(3):
        np.testing.assert_allclose(found[hop], one[hop][hop] * (1 - RISE) + one[hop + 1][hop] * RISE, atol=1e-6)


@pytest.mark.parametrize("points", [8, 33, 64])
def test_harmonics_are_those_of_the_transform(points: int) -> None:
    table = np.random.default_rng(points).normal(size=(3, points)).astype(np.float32)
    cosines, sines = harmonics_of(tf.constant(table))
    expected = np.fft.rfft(table, axis=1)[:, 1 : (points + 1) // 2] * 2.0 / points
    np.testing.assert_allclose(cosines, expected.real, atol=1e-6)
    np.testing.assert_allclose(sines, -expected.imag, atol=1e-6)


@pytest.mark.parametrize("count", [1, 2, 3, 8, 31, 100])
def test_bank_equals_the_direct_sum_within_110_db(count: int) -> None:
    rng = np.random.default_rng(count)
    cosines, sines = rng.normal(size=(2, 2, 5, count))
    turns = np.cumsum(rng.uniform(0.001, 0.02, (2, 4 * HOP)), axis=1).reshape(2, 4, HOP)
    found = fourier_bank(tf.constant(turns), tf.constant(cosines, tf.float32), tf.constant(sines, tf.float32)).numpy()
    angle = 2.0 * np.pi * turns[..., None] * np.arange(1, count + 1)
    rise = RISE.astype(np.float64)[:, None]

    def moving(x: np.ndarray) -> np.ndarray:
        return x[:, :-1, None] + (x[:, 1:] - x[:, :-1])[:, :, None] * rise

    expected = np.sum(moving(cosines) * np.cos(angle) + moving(sines) * np.sin(angle), axis=-1)
    assert np.sqrt(np.mean((found - expected) ** 2) / np.mean(expected**2)) < 10.0 ** (-110.0 / 20.0)


@pytest.mark.parametrize("f0_hz", [30.0, 261.0, 1234.0, 5000.0])
def test_tables_hold_what_the_series_says(f0_hz: float) -> None:
    """Up to a third of the sample rate every harmonic is there in full."""
    rng = np.random.default_rng(4)
    weights = rng.normal(size=(2, 2, 1024)) / np.arange(1, 1025)
    waves = band_limit(weights[0], weights[1])
    turns = phase(f0_hz, SECOND)
    level = level_of(tf.fill(turns.shape, np.float32(f0_hz)), RATE)
    found = np.fft.rfft(read_waves(waves, tf.constant(turns), level, 1).numpy().ravel().astype(np.float64)) * 2.0 / SECOND
    for k in range(1, int(RATE / 3.0 / f0_hz)):
        expected = (weights[0, 1, k - 1] - 1j * weights[1, 1, k - 1]) * np.exp(2j * np.pi * k * f0_hz / RATE)
        assert abs(found[round(k * f0_hz)] - expected) < 3e-5, k


@pytest.mark.parametrize("shape", SHAPES)
def test_classic_waves_alias_less_than_105_db_under_the_fundamental(shape: str) -> None:
    waves, measured = saw_and_parabola(), {}
    for f0_hz in SWEEP_HZ:
        turns = phase(f0_hz)
        hertz = tf.fill(turns.shape, np.float32(f0_hz))
        audio = classic_wave(shape, waves, tf.constant(turns), hertz, tf.constant(0.3), RATE).numpy().ravel()
        measured[f0_hz] = worst_alias_db(audio.astype(np.float64), f0_hz)
    assert max(measured.values()) < -105.0, measured


def test_the_measure_of_aliasing_finds_a_plain_saw_out() -> None:
    plain = 2.0 * (phase(997.3).ravel() % 1.0) - 1.0
    assert worst_alias_db(plain, 997.3) > -40.0


@pytest.mark.parametrize("width", [0.02, 0.2, 0.5, 0.9])
def test_shapes_are_those_of_the_textbook(width: float) -> None:
    """Far from their corners low waves equal the ideal ones."""
    waves, turns = saw_and_parabola(), phase(20.0, 4800)
    t = turns.ravel() % 1.0
    hertz, share = tf.fill(turns.shape, np.float32(20.0)), tf.constant(width, tf.float32)
    ideal = {
        "sine": np.sin(2.0 * np.pi * t),
        "saw": 2.0 * t - 1.0,
        "pulse": np.where(t < width, 2.0 - 2.0 * width, -2.0 * width),
        "triangle": np.where(t < width, 2.0 * t / width - 1.0, 1.0 - 2.0 * (t - width) / (1.0 - width)),
    }
    calm = np.minimum(np.abs(t - width), np.minimum(t, 1.0 - t)) > 0.009
    for shape, expected in ideal.items():
        found = classic_wave(shape, waves, tf.constant(turns), hertz, share, RATE).numpy().ravel()
        np.testing.assert_allclose(found[calm], expected[calm], atol=0.04 if shape in ("saw", "pulse") else 2e-3)


def test_nothing_is_left_of_a_pitch_above_nyquist() -> None:
    waves, turns = saw_and_parabola(), phase(25_000.0, 640)
    hertz = tf.fill(turns.shape, np.float32(25_000.0))
    for shape in SHAPES:
        assert np.max(np.abs(classic_wave(shape, waves, tf.constant(turns), hertz, tf.constant(0.5), RATE))) < 1e-6


def test_levels_take_over_without_a_step() -> None:
    """A wave whose level rises by a tiny step at a time never jumps, whatever its phase."""
    waves = band_limit(np.zeros((1, 1024)), 1.0 / np.arange(1, 1025)[None])
    level = np.linspace(1.0, 31.9, 40_000)
    found = read_waves(waves, tf.fill([level.size], tf.constant(0.1234, tf.float64)), tf.constant(level, tf.float32)).numpy()
    assert np.max(np.abs(np.diff(found))) < 2e-3
