"""Resampling of control frames: against scipy, in streams, and at the edges."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import interp1d

from ddsp_studio.dsp.resample import METHODS, resample, start_upsampling, upsample, upsampling_latency
from ddsp_studio.dsp.tensor import tf
from ddsp_studio.dsp.windows import hamming, hann


def clip(frames: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(2, frames, 3)).astype(np.float32)


@pytest.mark.parametrize("count", [20, 33, 61, 200])
def test_linear_equals_scipy(count: int) -> None:
    frames = clip(20)
    for endpoint, places in ((False, np.linspace(0, 19, count)), (True, np.minimum(np.arange(count) * 20 / count, 19.0))):
        expected = interp1d(np.arange(20), frames, axis=1)(places)
        assert np.allclose(resample(tf.constant(frames), count, "linear", endpoint), expected, atol=1e-5)


@given(frames=st.integers(1, 40), count=st.integers(1, 300), endpoint=st.booleans())
@settings(max_examples=60, deadline=None)
def test_nearest_takes_the_right_frame_to_the_last_bit(frames: int, count: int, endpoint: bool) -> None:
    """Places are counted in whole numbers: where a frame begins exactly, rounding of a ratio must not delay it."""
    numbers = tf.reshape(tf.range(frames, dtype=tf.float32), [1, frames, 1])
    found = resample(numbers, count, "nearest", endpoint).numpy().ravel()
    step = Fraction(frames, count) if endpoint else Fraction(frames - 1, max(count - 1, 1))
    places = [i * step for i in range(count)]
    expected = [int(place) if endpoint else int(place + Fraction(1, 2)) for place in places]
    assert found.tolist() == expected


def test_windows_add_up_without_corner_and_without_ripple() -> None:
    """A constant stays one; and the slope is zero at every frame, where straight lines have corners."""
    assert np.allclose(resample(tf.ones([1, 7, 1]), 7 * 64, "window"), 1.0, atol=1e-6)
    found = resample(tf.constant(clip(8)), 8 * 256, "window").numpy().astype(np.float64)
    step = np.abs(np.diff(found, axis=1))
    assert step[:, 255::256].max() < 0.01 * step.max()
    by_overlap = np.zeros([2, 9 * 256 + 256, 3])
    held = np.concatenate([clip(8), clip(8)[:, -1:]], axis=1)
    for i in range(9):
        by_overlap[:, i * 256 : (i + 2) * 256] += held[:, i, None] * hann(512)[:, None]
    assert np.allclose(found, by_overlap[:, 256:-256], atol=1e-5)


def test_cubic_reproduces_a_parabola() -> None:
    """Which straight lines miss by a quarter of a frame's curvature, and a slope of -0.75 misses too."""
    time = np.arange(12.0)
    frames = tf.constant((0.3 * time**2 - time)[None, :, None], tf.float32)
    places = np.arange(120) / 10.0
    inner = (places >= 1.0) & (places <= 10.0)
    expected = 0.3 * places**2 - places
    gap = np.abs(resample(frames, 120, "cubic").numpy().ravel() - expected)[inner]
    sharp = np.abs(resample(frames, 120, "cubic", slope=-0.75).numpy().ravel() - expected)[inner]
    assert gap.max() < 1e-4 < 1e-2 < sharp.max()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("endpoint", [True, False])
def test_first_and_last_frame_are_met(method: str, endpoint: bool) -> None:
    frames = clip(9)
    found = resample(tf.constant(frames), 90, method, endpoint).numpy()
    assert np.allclose(found[:, 0], frames[:, 0], atol=1e-6)
    if not endpoint and method != "window":
        assert np.allclose(found[:, -1], frames[:, -1], atol=1e-6)


@given(
    method=st.sampled_from(METHODS),
    cuts=st.lists(st.integers(1, 6), min_size=1, max_size=5),
    factor=st.sampled_from([1, 2, 5, 64]),
)
@settings(max_examples=40, deadline=None)
def test_stream_is_the_clip_late_by_the_stated_latency(method: str, cuts: list[int], factor: int) -> None:
    frames = clip(sum(cuts), seed=len(cuts))
    whole = resample(tf.constant(frames), frames.shape[1] * factor, method).numpy()
    held, begin, outs = start_upsampling(tf.constant(frames[:, 0]), method), 0, []
    for cut in cuts:
        out, held = upsample(tf.constant(frames[:, begin : begin + cut]), held, factor, method)
        outs.append(out.numpy())
        begin += cut
    late = upsampling_latency(factor, method)
    streamed = np.concatenate(outs, axis=1)
    kept = streamed.shape[1] - late
    if kept > 0:
        assert np.allclose(streamed[:, late:], whole[:, :kept], atol=1e-5)
    if method != "cubic":  # which leaves the first frame with a curve
        assert np.allclose(streamed[:, :late], frames[:, :1], atol=1e-5)


def test_stream_gradients_are_those_of_the_clip() -> None:
    frames = tf.constant(clip(6))
    slopes = []
    for cuts in ([6], [1, 2, 3]):
        with tf.GradientTape() as tape:
            tape.watch(frames)
            held, begin, total = start_upsampling(frames[:, 0], "cubic"), 0, 0.0
            for cut in cuts:
                out, held = upsample(frames[:, begin : begin + cut], held, 8, "cubic")
                weights = tf.sin(tf.range(begin * 8, (begin + cut) * 8, dtype=tf.float32))[:, None]
                total += tf.reduce_sum(out * out * weights)
                begin += cut
        slopes.append(tape.gradient(total, frames).numpy())
    assert np.allclose(*slopes, atol=1e-5)


def test_unknown_methods_are_refused() -> None:
    for call in (lambda: resample(tf.zeros([1, 2, 1]), 4, "sinc"), lambda: start_upsampling(tf.zeros([1, 1]), "sinc")):
        with pytest.raises(ValueError, match="nearest, linear, window, cubic, got 'sinc'"):
            call()


def test_windows_are_the_published_ones() -> None:
    from scipy.signal import get_window

    for length in (1, 2, 9, 64):
        for periodic in (True, False):
            assert np.allclose(hann(length, periodic), get_window("hann", length, fftbins=periodic), atol=1e-7)
            assert np.allclose(hamming(length, periodic), get_window("hamming", length, fftbins=periodic), atol=1e-7)
