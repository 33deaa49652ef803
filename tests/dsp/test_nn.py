"""Networks against slow references written out frame by frame."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_studio.dsp import nn
from ddsp_studio.dsp.tensor import tf


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-x))


def slow_gru(x: np.ndarray, layer: nn.Gru, state: np.ndarray) -> np.ndarray:
    """One frame after the other, in float64."""
    kernel, recurrent, bias = (np.asarray(part, np.float64) for part in layer)
    units, out = state.shape[1], []
    for frame in np.moveaxis(x, 1, 0).astype(np.float64):
        driven, product = frame @ kernel + bias[0], state @ recurrent + bias[1]
        update, reset = (sigmoid(driven[:, i : i + units] + product[:, i : i + units]) for i in (0, units))
        candidate = np.tanh(driven[:, 2 * units :] + reset * product[:, 2 * units :])
        state = update * state + (1.0 - update) * candidate
        out.append(state)
    return np.stack(out, axis=1)


def random_gru(rng: np.random.Generator, inputs: int, units: int) -> nn.Gru:
    shapes = [(inputs, 3 * units), (units, 3 * units), (2, 3 * units)]
    return nn.Gru(*(rng.normal(0.0, 0.4, shape).astype(np.float32) for shape in shapes))


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 40), st.integers(1, 3), st.integers(1, 6), st.integers(0, 99))
def test_a_recurrent_unit_is_the_one_of_the_book(frames: int, batch: int, units: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    layer = random_gru(rng, 3, units)
    x, state = rng.normal(size=(batch, frames, 3)).astype(np.float32), rng.normal(size=(batch, units)).astype(np.float32)
    np.testing.assert_allclose(nn.gru(tf.constant(x), layer, tf.constant(state)), slow_gru(x, layer, state), atol=3e-6)


@pytest.mark.parametrize(("frames", "jit"), [(17, False), (23, True), (40, False)])
def test_the_written_gradient_is_the_derived_one(frames: int, jit: bool) -> None:
    rng = np.random.default_rng(3)
    layer = [tf.constant(part) for part in random_gru(rng, 3, 5)]
    x, state = tf.constant(rng.normal(size=(2, frames, 3)), tf.float32), tf.constant(rng.normal(size=(2, 5)), tf.float32)
    shares = tf.constant(rng.normal(size=(2, frames, 5)), tf.float32)

    def slopes(pieces: list[int]) -> list[np.ndarray]:
        def run(x: object, state: object, *parts: object) -> object:
            held = (x, state, *parts)
            with tf.GradientTape() as tape:
                tape.watch(held)
                outs, at, now = [], 0, held[1]
                for size in pieces:
                    outs.append(nn.gru(held[0][:, at : at + size], nn.Gru(*held[2:]), now))
                    at, now = at + size, outs[-1][:, -1]
                loss = tf.reduce_sum(tf.concat(outs, axis=1) * shares)
            return tape.gradient(loss, held)

        return [g.numpy() for g in tf.function(run, autograph=False, jit_compile=jit)(x, state, *layer)]

    # blocks of up to 16 frames are differentiated by TensorFlow, longer ones by our own formula
    derived = slopes([16] * (frames // 16) + [frames % 16] * (frames % 16 > 0))
    for written, right in zip(slopes([frames]), derived, strict=True):
        np.testing.assert_allclose(written, right, atol=2e-5 * max(1.0, np.abs(right).max()))


def test_a_layer_is_normalised() -> None:
    rng = np.random.default_rng(4)
    layer = nn.Layer(*(rng.normal(size=shape).astype(np.float32) for shape in ((3, 8), (8,), (8,), (8,))))
    x = rng.normal(size=(5, 3)).astype(np.float32)
    bent = x @ layer.kernel + layer.bias
    normal = (bent - bent.mean(-1, keepdims=True)) / np.sqrt(bent.var(-1, keepdims=True) + nn.NORM_FLOOR)
    expected = normal * layer.gain + layer.shift
    np.testing.assert_allclose(nn.dense(x, layer, nn.leaky), np.where(expected > 0, expected, 0.2 * expected), atol=1e-5)
    np.testing.assert_allclose(nn.dense(x, layer), expected * sigmoid(expected), atol=1e-5)


@settings(max_examples=10, deadline=None)
@given(st.integers(1, 9), st.integers(1, 4), st.integers(0, 99))
def test_a_causal_convolution_hears_the_past_only(frames: int, dilation: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    kernel = rng.normal(size=(3 * 2, 4)).astype(np.float32)
    x, history = rng.normal(size=(1, frames, 2)).astype(np.float32), rng.normal(size=(1, 2 * dilation, 2)).astype(np.float32)
    line = np.concatenate([history, x], axis=1)[0]
    at = 2 * dilation
    expected = [
        sum(line[at + i - (2 - tap) * dilation] @ kernel[2 * tap : 2 * tap + 2] for tap in range(3)) for i in range(frames)
    ]
    np.testing.assert_allclose(nn.causal_convolution(x, kernel, history, dilation)[0], expected, atol=1e-5)
