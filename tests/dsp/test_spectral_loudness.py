"""Loudness: the weighting by its standard, one scale at every frame size and rate, one result live, offline, tensor and array."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import freqz, lfilter

from ddsp_studio.dsp import fixed_filter
from ddsp_studio.dsp.loudness import (
    FLOOR_DB,
    a_sections,
    a_weighting_db,
    loudness,
    loudness_start,
    loudness_stream,
    window_size,
)
from ddsp_studio.dsp.tensor import HOP, tf

RATES = (16_000, 22_050, 44_100, 48_000, 96_000)


def sine(hertz: float, rate: float, seconds: float = 1.0, amplitude: float = 1.0) -> np.ndarray:
    return amplitude * np.sin(2.0 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)[None]


def steady(db: np.ndarray) -> np.ndarray:
    """The middle of a track, away from what precedes and follows the sound."""
    return db[:, db.shape[1] // 3 : -db.shape[1] // 3]


# -- recursive filters as matrices ---------------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=5), st.integers(0, 1000))
def test_unrolled_filter_equals_scipy_for_any_split(blocks: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    sections, expected = [], rng.normal(size=(2, sum(blocks) * HOP))
    audio = expected
    for order in rng.integers(1, 4, 3):
        poles = rng.uniform(-0.95, 0.999, order)
        sections.append((tuple(rng.normal(size=order + 1)), tuple(np.poly(poles))))
        expected = lfilter(*sections[-1], expected)
    design = fixed_filter.unroll(tuple(sections))
    for kind, tolerance in ((lambda x: x, 1e-9), (lambda x: tf.constant(x, tf.float32), 2e-4)):
        state, begin, found = kind(np.zeros((2, design.order))), 0, []
        for hops in blocks:
            out, state = fixed_filter.apply(design, kind(audio[:, begin : begin + hops * HOP]), state)
            found.append(np.reshape(out, (2, -1)))
            begin += hops * HOP
        assert np.max(np.abs(np.concatenate(found, 1) - expected)) < tolerance * np.max(np.abs(expected))


# -- the weighting -------------------------------------------------------------------------------------------------------


def test_weighting_is_the_standard_table() -> None:
    table = {
        10: -70.4,
        31.5: -39.4,
        63: -26.2,
        125: -16.1,
        250: -8.6,
        500: -3.2,
        1000: 0.0,
        2000: 1.2,
        4000: 1.0,
        8000: -1.1,
        16000: -6.6,
    }
    found = a_weighting_db(list(table))
    assert np.max(np.abs(np.round(found, 1) - list(table.values()))) < 0.11  # the table's frequencies are nominal


@pytest.mark.parametrize("rate", [8_000, *RATES, 192_000, 37_123.4])
def test_filter_is_the_weighting_up_to_nyquist(rate: float) -> None:
    frequencies = np.geomspace(10.0, rate / 2.0, 700)
    response = np.prod([np.abs(freqz(b, a, frequencies, fs=rate)[1]) for b, a in a_sections(rate)], axis=0)
    assert np.max(np.abs(20.0 * np.log10(response) - a_weighting_db(frequencies))) < 0.1
    assert all(np.max(np.abs(np.roots(a))) < 1.0 for _, a in a_sections(rate))


# -- the scale -----------------------------------------------------------------------------------------------------------


def test_full_scale_at_one_kilohertz_reads_the_level_of_a_sine() -> None:
    assert np.max(np.abs(steady(loudness(sine(1000.0, 48_000), 48_000)) + 10.0 * math.log10(2.0))) < 0.02


@pytest.mark.parametrize("hertz", [110.0, 440.0, 1000.0, 3000.0, 6000.0])
def test_a_sine_reads_the_same_at_every_size_and_rate(hertz: float) -> None:
    readings = [
        float(np.mean(steady(loudness(sine(hertz, rate, amplitude=0.1), rate, size))))
        for rate in RATES
        for size in (1024, 2048, 4096, 8192)
    ]
    assert max(readings) - min(readings) < 0.06
    assert np.mean(readings) == pytest.approx(a_weighting_db(hertz) - 20.0 - 10.0 * math.log10(2.0), abs=0.03)


def test_noise_reads_the_same_at_every_size() -> None:
    """Noise under 6 kHz at 16 kHz and 48 kHz: the very same sound, by Fourier interpolation."""
    rng = np.random.default_rng(3)
    spectrum = np.zeros(24_001, complex)
    spectrum[60:18_000] = rng.normal(size=17_940) + 1j * rng.normal(size=17_940)
    high = np.fft.irfft(np.pad(spectrum, (0, 48_000)), 144_000)[None]
    low = np.fft.irfft(spectrum, 48_000)[None] / 3.0
    assert np.max(np.abs(high[:, ::3] - low)) < 1e-12
    means = [
        10.0 * np.log10(np.mean(10.0 ** (steady(loudness(x * 1e3, rate, size)) / 10.0)))
        for x, rate in ((low, 16_000), (high, 48_000))
        for size in (256, 512, 2048, 6144)
    ]
    assert max(means) - min(means) < 0.1


@pytest.mark.parametrize("rate", RATES)
def test_reading_equals_the_plain_definition(rate: int) -> None:
    audio, size = np.random.default_rng(rate).normal(size=(2, 6000)), window_size(rate)
    weighted = audio
    for b, a in a_sections(rate):
        weighted = lfilter(b, a, weighted)
    weighted = np.pad(weighted, [(0, 0), (size, size)])  # what rings on after the sound is left out below
    window = np.square(0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size))
    found = loudness(audio, rate)
    for m in range((6000 - size // 2) // HOP):
        begin = size + (m + 1) * HOP - size // 2
        power = np.sum(window * weighted[:, begin : begin + size] ** 2, axis=1) / np.sum(window)
        assert found[:, m] == pytest.approx(10.0 * np.log10(power + 1e-10), abs=1e-6)


# -- clock, floor, forms -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", RATES)
def test_the_clock_is_exact(rate: int) -> None:
    """A click is loudest in the frame in whose middle it stands: sample (m + 1)·HOP, at any rate; live, half a window later."""
    size = window_size(rate)
    for m in (40, 133):
        click = np.zeros((1, 200 * HOP))
        click[0, (m + 1) * HOP] = 1.0
        assert int(np.argmax(loudness(click, rate))) == m
        assert int(np.argmax(loudness(click, rate, centred=False))) == m + size // 2 // HOP


def test_every_fourth_frame_is_a_step_of_four_hops() -> None:
    audio = np.random.default_rng(1).normal(size=(1, 40 * HOP))
    assert np.array_equal(loudness(audio, 16_000, hop=4 * HOP), loudness(audio, 16_000)[:, 3::4])
    assert loudness(audio[:, :-1], 16_000, hop=4 * HOP).shape == (1, 10)
    assert loudness(audio[:, : 36 * HOP + 1], 16_000, hop=4 * HOP).shape == (1, 10)


@pytest.mark.parametrize("kind", [np.asarray, lambda x: tf.constant(x, tf.float32)])
@settings(max_examples=10, deadline=None)
@given(blocks=st.lists(st.integers(1, 40), min_size=1, max_size=6))
def test_live_equals_offline_for_any_blocks(kind, blocks: list[int]) -> None:
    audio = np.random.default_rng(7).normal(size=(3, sum(blocks) * HOP))
    state, begin, found = loudness_start(3, 512, kind(audio)), 0, []
    for hops in blocks:
        db, state = loudness_stream(kind(audio[:, begin * HOP : (begin + hops) * HOP]), state, 16_000)
        found.append(np.asarray(db))
        begin += hops
    assert np.max(np.abs(np.concatenate(found, 1) - loudness(audio, 16_000, 512, centred=False))) < 1e-3


def test_arrays_and_tensors_agree() -> None:
    audio = np.random.default_rng(2).normal(size=(2, 48_000)) * np.geomspace(1.0, 1e-5, 48_000)
    assert np.max(np.abs(loudness(tf.constant(audio, tf.float32), 48_000) - loudness(audio, 48_000))) < 5e-3


def test_silence_reads_the_floor_and_has_a_gradient() -> None:
    assert np.max(np.abs(loudness(np.zeros((1, 5000)), 16_000) - FLOOR_DB)) < 1e-9
    silence = tf.zeros([1, 5000])
    with tf.GradientTape() as tape:
        tape.watch(silence)
        total = tf.reduce_sum(loudness(silence, 16_000))
    assert np.array_equal(tape.gradient(total, silence), np.zeros((1, 5000)))


def test_gradient_is_that_of_finite_differences() -> None:
    rng = np.random.default_rng(9)
    audio, direction, weights = rng.normal(size=(1, 4096)), rng.normal(size=(1, 4096)), rng.normal(size=(1, 64))
    tensor = tf.constant(audio, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        total = tf.reduce_sum(loudness(tensor, 16_000) * tf.constant(weights, tf.float32))
    along = float(np.sum(tape.gradient(total, tensor).numpy() * direction))
    up, down = (np.sum(loudness(audio + sign * 1e-5 * direction, 16_000) * weights) for sign in (1.0, -1.0))
    assert along == pytest.approx((up - down) / 2e-5, rel=1e-3)


def test_it_compiles_under_xla() -> None:
    audio = np.random.default_rng(4).normal(size=(2, 256))
    run = tf.function(lambda x, state: loudness_stream(x, state, 48_000), jit_compile=True)
    db, _ = run(tf.constant(audio, tf.float32), loudness_start(2, 1536))
    assert np.max(np.abs(db - loudness(audio, 48_000, 1536, centred=False))) < 1e-3


def test_arrays_need_no_tensorflow() -> None:
    lines = (
        "import sys, numpy as np",
        "from ddsp_studio.dsp import loudness, programme_loudness",
        "loudness.loudness(np.zeros((1, 1000)), 16_000)",
        "programme_loudness.hop_powers(np.zeros((1, 1000)), 16_000)",
        "sys.exit('tensorflow' in sys.modules)",
    )
    assert subprocess.run([sys.executable, "-c", "; ".join(lines)], check=False).returncode == 0


def test_a_window_off_the_grid_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="window of a multiple of 128 samples and a step of a multiple of 64, got 500 and 64"):
        loudness(np.zeros((1, 1000)), 16_000, 500)
