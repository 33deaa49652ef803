"""FIR design and convolution of clips: symmetry, centring, responses, and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import fftconvolve, firwin

from ddsp_studio.dsp import design
from ddsp_studio.dsp.fir import convolve_hops, fft_convolve, filter_hops, fir_length
from ddsp_studio.dsp.tensor import HOP, tf


@pytest.mark.parametrize("taps", [0, 5, 32, 33, 63, 64])
def test_responses_are_symmetric_about_their_centre(taps: int) -> None:
    magnitudes = np.random.default_rng(1).uniform(0.1, 1.0, 33)
    response = design.frequency_sampled(tf.constant(magnitudes, tf.float32), taps).numpy()
    at = design.centre(response.size)
    assert np.argmax(np.abs(response)) == at
    right, left = response[at + 1 :], response[:at][::-1]
    shared = min(right.size, left.size)
    assert np.allclose(right[:shared], left[:shared], atol=1e-7)
    assert np.allclose(left[shared:], 0.0, atol=1e-7)  # the extra tap of an even length lies where the window ends


@pytest.mark.parametrize("taps", [0, 31, 32, 64])
def test_flat_magnitudes_only_delay(taps: int) -> None:
    response = design.frequency_sampled(tf.fill([33], 0.8), taps).numpy()
    expected = np.zeros_like(response)
    expected[design.centre(response.size)] = 0.8
    assert np.allclose(response, expected, atol=1e-6)


@pytest.mark.parametrize("cutoff", [0.05, 0.3, 0.9])
@pytest.mark.parametrize("high_pass", [False, True])
def test_windowed_sinc_is_that_of_scipy(cutoff: float, high_pass: bool) -> None:
    found = design.windowed_sinc(tf.constant([cutoff]), 65, high_pass).numpy()
    low = firwin(65, cutoff, window="hamming")
    expected = (np.arange(65) == 32) - low if high_pass else low
    assert np.allclose(found, expected, atol=1e-6)


def test_windowed_sinc_has_a_gradient_and_an_odd_length() -> None:
    cutoff = tf.constant([[0.0], [0.3], [1.0]])
    with tf.GradientTape() as tape:
        tape.watch(cutoff)
        total = tf.reduce_sum(tf.square(design.windowed_sinc(cutoff, 65)), axis=-1)
    slope = tape.gradient(total, cutoff).numpy().ravel()
    assert np.all(np.isfinite(slope)) and slope[1] > 0.0
    with pytest.raises(ValueError, match="odd number of taps, got 64"):
        design.windowed_sinc(cutoff, 64)


@given(st.integers(1, 300), st.integers(1, 120), st.booleans(), st.integers(0, 60))
@settings(max_examples=40, deadline=None)
def test_convolution_equals_scipy(length: int, taps: int, full: bool, delay: int) -> None:
    rng = np.random.default_rng(length)
    audio, response = rng.normal(size=(2, length)), rng.normal(size=(1, taps))
    found = fft_convolve(tf.constant(audio, tf.float32), tf.constant(response, tf.float32), full=full, delay=delay).numpy()
    whole = np.pad(fftconvolve(audio, response, axes=1), [(0, 0), (0, delay)])
    size = length + taps - 1 if full else length
    assert found.shape == (2, size)
    assert np.allclose(found, np.pad(whole, [(0, 0), (0, taps)])[:, delay : delay + size], atol=1e-3)


def test_each_part_has_its_response() -> None:
    rng = np.random.default_rng(2)
    audio, responses = rng.normal(size=(2, 250)), rng.normal(size=(2, 5, 30))
    found = fft_convolve(tf.constant(audio, tf.float32), tf.constant(responses, tf.float32), full=True).numpy()
    expected = np.zeros((2, 279))
    for row in range(2):
        for part in range(5):
            expected[row, part * 50 : part * 50 + 79] += np.convolve(audio[row, part * 50 : part * 50 + 50], responses[row, part])
    assert np.allclose(found, expected, atol=1e-4)
    with pytest.raises(ValueError, match="10 samples cannot be filtered by 6 responses, only by 5"):
        fft_convolve(tf.zeros([1, 10]), tf.zeros([1, 6, 3]))


def test_cross_fade_of_a_clip_is_that_of_the_stream() -> None:
    rng = np.random.default_rng(3)
    audio, frames = (tf.constant(x, tf.float32) for x in (rng.normal(size=(2, 5 * HOP)), rng.normal(size=(2, 6, 20))))
    first = tf.concat([frames[:, 1:2], frames[:, 1:]], axis=1)  # the clip knows nothing before its first part
    streamed, _ = convolve_hops(audio, first, tf.zeros([2, 19]))
    assert np.allclose(fft_convolve(audio, frames[:, 1:], cross_fade=True), streamed, atol=1e-4)


def test_responses_by_hops_are_magnitudes_by_hops() -> None:
    rng, bands = np.random.default_rng(4), 17
    audio, magnitudes = (tf.constant(x, tf.float32) for x in (rng.normal(size=(1, 4 * HOP)), rng.uniform(size=(1, 5, bands))))
    tail = tf.zeros([1, fir_length(bands) - 1])
    by_magnitudes, rest = filter_hops(audio, magnitudes, tail)
    by_responses, other = convolve_hops(audio, design.frequency_sampled(magnitudes), tail)
    assert np.allclose(by_magnitudes, by_responses, atol=1e-5) and np.allclose(rest, other, atol=1e-5)


def test_stepping_responses_click_and_fading_ones_do_not() -> None:
    """A filter that opens and shuts from part to part: the energy far above the tone, which only steps can make."""
    audio = tf.sin(2.0 * np.pi * 0.01 * tf.range(3200, dtype=tf.float32))[None]
    gains = tf.tile(tf.constant([0.0, 1.0]), [25])[None, :, None]
    above = []
    for fade in (False, True):
        found = fft_convolve(audio, gains, cross_fade=fade).numpy()[0]
        spectrum = np.abs(np.fft.rfft(found * np.hanning(3200))) ** 2
        above.append(10.0 * np.log10(spectrum[640:].sum() / spectrum.sum()))
    assert above[0] > -25.0 and above[1] < above[0] - 15.0
