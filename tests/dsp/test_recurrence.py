"""Recursions, filters and delays against loops that go sample by sample in float64."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_studio.dsp.delay import read
from ddsp_studio.dsp.recurrence import decaying_max, one_pole, one_pole_frames, scan_chunks, scan_frames, two_pole
from ddsp_studio.dsp.svf import state_variable
from ddsp_studio.dsp.tensor import HOP, tf


def test_one_pole_equals_the_loop() -> None:
    rng = np.random.default_rng(1)
    pole, drive = rng.uniform(-0.99, 0.999, (2, 5 * HOP)), rng.normal(size=(2, 5 * HOP))
    level = np.array([0.7, -1.5])
    expected, y = np.zeros_like(drive), level.copy()
    for n in range(drive.shape[1]):
        y = pole[:, n] * y + drive[:, n]
        expected[:, n] = y
    found = one_pole(*(tf.constant(x, tf.float32) for x in (pole, drive, level))).numpy()
    assert np.max(np.abs(found - expected)) < 3e-6 * np.max(np.abs(expected))


def test_two_pole_equals_the_loop() -> None:
    rng = np.random.default_rng(2)
    angle, shrink = rng.uniform(0, 2, (1, 4 * HOP)), rng.uniform(0.8, 0.999, (1, 4 * HOP))
    matrix = shrink * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    drive, state = rng.normal(size=(2, 3, 4 * HOP)), rng.normal(size=(2, 3))
    before, s = np.zeros_like(drive), state.copy()
    for n in range(drive.shape[2]):
        before[:, :, n] = s
        s = np.einsum("ijb,jb->ib", np.broadcast_to(matrix[..., n], (2, 2, 3)), s) + drive[:, :, n]
    found, end = two_pole(*(tf.constant(x, tf.float32) for x in (matrix, drive, state)))
    assert np.max(np.abs(found.numpy() - before)) < 1e-5 * np.max(np.abs(before))
    assert np.max(np.abs(end.numpy() - s)) < 1e-5 * np.max(np.abs(before))


@pytest.mark.parametrize("quality", [0.5, 0.707, 10.0, 30.0])
def test_state_variable_filter_equals_the_loop(quality: float) -> None:
    rng, rate = np.random.default_rng(3), 48_000.0
    audio, cutoff = rng.normal(size=(1, 6 * HOP)), np.geomspace(60.0, 18_000.0, 6 * HOP)[None]
    s, expected = np.zeros(2), np.zeros((2, 6 * HOP))
    for n in range(audio.shape[1]):
        g, k = math.tan(math.pi * cutoff[0, n] / rate), 1.0 / quality
        a1 = 1.0 / (1.0 + g * (g + k))
        v3 = audio[0, n] - s[1]
        band = a1 * s[0] + g * a1 * v3
        low = s[1] + g * band
        s = np.array([2.0 * band - s[0], 2.0 * low - s[1]])
        expected[:, n] = low, band
    damping = tf.fill([1, 6 * HOP], 1.0 / quality)
    low, band, state = state_variable(
        tf.constant(audio, tf.float32), tf.constant(cutoff, tf.float32), damping, tf.zeros([2, 1]), rate
    )
    scale = np.max(np.abs(expected))
    assert np.max(np.abs(low.numpy()[0] - expected[0])) < 2e-4 * scale
    assert np.max(np.abs(band.numpy()[0] - expected[1])) < 2e-4 * scale
    assert np.max(np.abs(state.numpy()[:, 0] - s)) < 2e-4 * scale


def test_low_pass_response_is_that_of_the_analogue_filter() -> None:
    rate, cutoff, size = 48_000.0, 1000.0, 1 << 13
    impulse = np.zeros((1, size), np.float32)
    impulse[0, 0] = 1.0
    fixed = [tf.fill([1, size], np.float32(x)) for x in (cutoff, math.sqrt(2.0))]
    low, _, _ = state_variable(tf.constant(impulse), *fixed, tf.zeros([2, 1]), rate)
    found = np.abs(np.fft.rfft(low.numpy()[0]))
    hertz = np.fft.rfftfreq(size, 1.0 / rate)[:-1]
    warped = np.tan(math.pi * hertz / rate) / math.tan(math.pi * cutoff / rate)
    assert np.max(np.abs(found[:-1] - 1.0 / np.sqrt(1.0 + warped**4))) < 1e-3


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.0, 4.0, width=32), min_size=1, max_size=20), st.floats(0.1, 0.99), st.floats(0.0, 4.0))
def test_decaying_max_equals_the_loop(drive: list[float], decay: float, level: float) -> None:
    expected, y = [], level
    for value in drive:
        y = max(value, decay * y)
        expected.append(y)
    found = decaying_max(tf.constant([drive], tf.float32), decay, tf.constant([level], tf.float32)).numpy()[0]
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("frames", [1, 5, 16, 17, 40])
def test_frames_written_out_equal_frames_in_a_loop(frames: int) -> None:
    rng = np.random.default_rng(frames)
    a, b = (tf.constant(rng.uniform(0.2, 0.9, (2, frames)), tf.float32) for _ in range(2))
    level = tf.constant([0.5, -0.5])
    states, last = scan_frames(lambda y, ab: ab[0] * y + ab[1], level, (a, b))
    outs, end = scan_chunks(lambda y, ab: (ab[0] * y + ab[1], ab[0] * y + ab[1]), level, (a, b))
    doubled = one_pole_frames(a, b, level)
    for found in (states, outs, doubled):
        assert np.allclose(found, _loop(a.numpy(), b.numpy(), level.numpy()), atol=1e-6)
    assert np.allclose(last, states[:, -1]) and np.allclose(end, states[:, -1])


def _loop(a: np.ndarray, b: np.ndarray, y: np.ndarray) -> np.ndarray:
    out = []
    for i in range(a.shape[1]):
        y = a[:, i] * y + b[:, i]
        out.append(y)
    return np.stack(out, axis=1)


@pytest.mark.parametrize("delay", [20.0, 31.25, 40.5, 77.9])
def test_delay_reads_between_samples(delay: float) -> None:
    """A sine of a tenth of the rate, read at any fraction, is the delayed sine within -60 dB."""
    line = np.sin(2.0 * np.pi * 0.05 * np.arange(200))[None].astype(np.float32)
    found = read(tf.constant(line), tf.fill([1, 16], tf.constant(delay, tf.float64))).numpy()[0]
    expected = np.sin(2.0 * np.pi * 0.05 * (200 + np.arange(16) - delay))
    assert np.max(np.abs(found - expected)) < 1e-3
    if delay == round(delay):
        assert np.array_equal(found, line[0, 200 - int(delay) : 216 - int(delay)])


def test_delay_reads_the_same_wherever_the_block_begins() -> None:
    rng = np.random.default_rng(4)
    stream, delay = rng.normal(size=(1, 4000)).astype(np.float32), rng.uniform(900.0, 901.0, (1, 128))
    one = read(tf.constant(stream[:, :3000]), tf.constant(delay)).numpy()
    late = read(tf.constant(stream[:, 64:3064]), tf.constant(delay[:, 64:])).numpy()
    assert np.array_equal(one[:, 64:], late)
