"""FIR filters and streaming convolution against numpy and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import fftconvolve

from ddsp_studio.dsp import convolution
from ddsp_studio.dsp.convolution import SPAN
from ddsp_studio.dsp.fir import filter_hops, fir_length, overlap_add
from ddsp_studio.dsp.ramps import ramp
from ddsp_studio.dsp.tensor import HOP, tf


def impulse_through(magnitudes: np.ndarray) -> np.ndarray:
    """The response to an impulse at the last sample of the first hop, where the new filter has all the weight."""
    bands = magnitudes.size
    audio = np.zeros((1, 8 * HOP), np.float32)
    audio[0, HOP - 1] = 1.0
    frames = np.broadcast_to(magnitudes, (1, 9, bands)).astype(np.float32)
    out, _ = filter_hops(tf.constant(audio), tf.constant(frames), tf.zeros([1, fir_length(bands) - 1]))
    return out.numpy()[0, HOP - 1 :]


@pytest.mark.parametrize("bands", [5, 33, 65, 129])
def test_flat_magnitudes_delay_by_half_the_filter(bands: int) -> None:
    response = impulse_through(np.full(bands, 0.8))
    expected = np.zeros_like(response)
    expected[fir_length(bands) // 2] = 0.8
    assert np.max(np.abs(response - expected)) < 1e-6


def test_frequency_response_is_what_was_drawn() -> None:
    bands = 65
    drawn = 0.5 + 0.4 * np.cos(np.linspace(0.0, 3.0 * np.pi, bands))
    response = np.abs(np.fft.rfft(impulse_through(drawn), 1024))[:: 512 // (bands - 1)]
    assert np.max(np.abs(response - drawn)) < 0.02


def test_filter_equals_one_convolution_for_each_hop() -> None:
    rng, bands = np.random.default_rng(1), 17
    audio, frames = rng.normal(size=(1, 5 * HOP)), rng.uniform(size=(1, 6, bands))
    taps = [np.fft.irfft(m, 2 * (bands - 1)) for m in frames[0]]
    window = np.hanning(2 * (bands - 1) + 1)[:-1]
    taps = [np.roll(t, bands - 1) * window for t in taps]
    expected, rise = np.zeros(5 * HOP + 64), np.arange(1, HOP + 1) / HOP
    for hop in range(5):
        x = audio[0, hop * HOP : (hop + 1) * HOP]
        for weight, response in ((1.0 - rise, taps[hop]), (rise, taps[hop + 1])):
            y = np.convolve(x * weight, response)
            expected[hop * HOP : hop * HOP + y.size] += y
    out, tail = filter_hops(*(tf.constant(a, tf.float32) for a in (audio, frames)), tf.zeros([1, fir_length(bands) - 1]))
    assert np.max(np.abs(out.numpy()[0] - expected[: 5 * HOP])) < 1e-5
    assert np.max(np.abs(tail.numpy()[0] - expected[5 * HOP : 5 * HOP + tail.shape[1]])) < 1e-5


@pytest.mark.parametrize("length", [HOP, HOP + 1, 100, 3 * HOP - 1, 700])
def test_overlap_add_equals_the_loop(length: int) -> None:
    rng = np.random.default_rng(length)
    pieces, tail = rng.normal(size=(2, 4, length)), rng.normal(size=(2, length - HOP))
    total = np.zeros((2, 4 * HOP + length))
    total[:, : length - HOP] += tail
    for i in range(4):
        total[:, i * HOP : i * HOP + length] += pieces[:, i]
    out, rest = overlap_add(tf.constant(pieces, tf.float32), tf.constant(tail, tf.float32))
    assert np.allclose(out, total[:, : 4 * HOP], atol=1e-5)
    assert np.allclose(rest, total[:, 4 * HOP : 3 * HOP + length], atol=1e-5)


def streamed(audio: np.ndarray, response: np.ndarray, sizes: list[int]) -> np.ndarray:
    """Convolve in blocks of the given hops."""
    parts, memory = convolution.partition(tf.constant(response, tf.float32)), convolution.start(audio.shape[0], response.shape[1])
    outs, begin = [], 0
    for size in sizes:
        block = tf.constant(audio[:, begin * HOP : (begin + size) * HOP], tf.float32)
        out, memory = convolution.convolve(block, parts, memory)
        outs.append(out.numpy())
        begin += size
    return np.concatenate(outs, axis=1)


@pytest.mark.parametrize("taps", [1, 64, 65, 700, SPAN, SPAN + 1, 3000])
@pytest.mark.parametrize("sizes", [[90], [4] * 20 + [10], [1, 2, 3, 7, 16, 15, 17, 29], [70, 1, 1, 1, 17]])
def test_streaming_convolution_equals_scipy(taps: int, sizes: list[int]) -> None:
    rng = np.random.default_rng(taps)
    audio, response = rng.normal(size=(2, 90 * HOP)), rng.normal(size=(2, taps)) / math.sqrt(taps)
    expected = np.stack([fftconvolve(a, r)[: 90 * HOP] for a, r in zip(audio, response, strict=True)])
    assert np.max(np.abs(streamed(audio, response, sizes) - expected)) < 2e-5


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(1, 20), min_size=2, max_size=8), st.integers(1, 2500))
def test_streaming_convolution_of_any_split(sizes: list[int], taps: int) -> None:
    rng = np.random.default_rng(taps)
    audio, response = rng.normal(size=(1, sum(sizes) * HOP)), rng.normal(size=(1, taps)) / math.sqrt(taps)
    expected = fftconvolve(audio[0], response[0])[: sum(sizes) * HOP]
    assert np.max(np.abs(streamed(audio, response, sizes)[0] - expected)) < 2e-5


def test_ramp_is_a_straight_line_that_ends_at_the_frame() -> None:
    frames = np.array([0.0, 1.0, -1.0, -1.0], np.float32)
    line = ramp(tf.constant(frames[None, :, None])).numpy()[0]
    expected = np.interp(np.arange(1, 3 * HOP + 1), np.arange(4) * HOP, frames)
    assert np.max(np.abs(line - expected)) < 1e-6
