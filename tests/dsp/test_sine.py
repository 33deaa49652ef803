"""Sines of turns: as exact for XLA as TensorFlow's own, with slopes, and a crossfade that keeps its power."""

from __future__ import annotations

import contextlib
import math

import numpy as np
import pytest

from ddsp_studio.dsp.sine import cosine, crossfade, sine, tangent
from ddsp_studio.dsp.tensor import for_xla, is_for_xla, tf

TURNS = np.concatenate([np.linspace(-0.501, 0.501, 200_001), [-0.5, -0.25, 0.0, 0.25, 0.5, 1e-12, -1e-30]]).astype(np.float32)


@pytest.mark.parametrize("where", [contextlib.nullcontext, for_xla])
@pytest.mark.parametrize(("wave", "exact"), [(sine, np.sin), (cosine, np.cos)])
def test_it_is_exact_to_the_last_digits(where, wave, exact) -> None:
    with where():
        made = wave(tf.constant(TURNS)).numpy()
    assert np.max(np.abs(made - exact(2.0 * math.pi * TURNS.astype(np.float64)))) < 3e-7


def test_small_sines_keep_their_digits() -> None:
    with for_xla():
        made = sine(tf.constant([1e-12, -1e-30, 0.0])).numpy()
    np.testing.assert_allclose(made, [2.0 * math.pi * 1e-12, -2.0 * math.pi * 1e-30, 0.0], rtol=1e-6)


@pytest.mark.parametrize("where", [contextlib.nullcontext, for_xla])
def test_the_tangent_keeps_its_digits(where) -> None:
    turns = np.linspace(-0.245, 0.245, 10_001).astype(np.float32)
    with where():
        made = tangent(tf.constant(turns)).numpy()
    np.testing.assert_allclose(made, np.tan(2.0 * math.pi * turns.astype(np.float64)), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(("wave", "slope"), [(sine, np.cos), (cosine, lambda x: -np.sin(x))])
def test_slopes_are_those_of_the_wave(wave, slope) -> None:
    places = np.linspace(-0.49, 0.49, 98)  # between the corners
    with for_xla(), tf.GradientTape() as tape:
        x = tf.constant(places, tf.float32)
        tape.watch(x)
        y = wave(x)
    found = tape.gradient(y, x).numpy()
    np.testing.assert_allclose(found, 2.0 * math.pi * slope(2.0 * math.pi * places), atol=1e-4)


def test_a_function_for_xla_holds_no_sine() -> None:
    def waves(x):
        return sine(x), cosine(x)

    spec = tf.TensorSpec([8], tf.float32)
    plain = tf.function(waves, autograph=False).get_concrete_function(spec)
    with for_xla():
        assert is_for_xla()
        meant = tf.function(waves, autograph=False).get_concrete_function(spec)
    assert not is_for_xla()
    assert {"Sin", "Cos"} <= {op.type for op in plain.graph.get_operations()}
    assert not {"Sin", "Cos"} & {op.type for op in meant.graph.get_operations()}


@pytest.mark.parametrize("where", [contextlib.nullcontext, for_xla])
def test_the_crossfade_keeps_the_power_of_unlike_sounds(where) -> None:
    share = tf.constant(np.linspace(0.0, 1.0, 101), tf.float32)
    with where():
        one, other = crossfade(tf.ones([]), tf.zeros([]), share).numpy(), crossfade(tf.zeros([]), tf.ones([]), share).numpy()
    np.testing.assert_allclose(one**2 + other**2, 1.0, atol=1e-6)
    assert (one[0], other[0]) == pytest.approx((1.0, 0.0), abs=1e-7)
    assert (one[-1], other[-1]) == pytest.approx((0.0, 1.0), abs=1e-7)
