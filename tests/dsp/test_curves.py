"""Curves of control signals against loops in plain Python."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_studio.dsp.curves import Run, Segments, bend, countable, drawn, edges, hold, segment_envelope
from ddsp_studio.dsp.tensor import tf

HOP_S = 0.004


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.floats(-5.0, 5.0, width=32)), min_size=1, max_size=30), st.floats(-5.0, 5.0, width=32)
)
def test_hold_equals_the_loop(frames: list[tuple[bool, float]], before: float) -> None:
    expected, held = [], before
    for marked, value in frames:
        held = value if marked else held
        expected.append(held)
    marks, values = zip(*frames, strict=True)
    found = hold(tf.constant([marks]), tf.constant([values], tf.float32), tf.constant([before], tf.float32))
    assert found.numpy()[0].tolist() == expected


def test_the_gradient_of_hold_reaches_the_frame_that_was_taken() -> None:
    values = tf.constant([[1.0, 2.0, 3.0, 4.0]])
    with tf.GradientTape() as tape:
        tape.watch(values)
        out = tf.reduce_sum(hold(tf.constant([[False, True, False, False]]), values, tf.constant([9.0])))
    assert tape.gradient(out, values).numpy().tolist() == [[0.0, 3.0, 0.0, 0.0]]


def test_edges() -> None:
    rises, falls = edges(tf.constant([[1.0, 1.0, 0.0, 0.6], [1.0, 0.5, 0.51, 0.0]]), tf.constant([0.0, 1.0]))
    assert rises.numpy().tolist() == [[True, False, False, True], [False, False, True, False]]
    assert falls.numpy().tolist() == [[False, False, True, False], [False, True, False, True]]


@pytest.mark.parametrize("curvature", [-1.0, -0.3, 0.0, 0.3, 1.0])
def test_bends_rise_from_0_to_1_with_the_slopes_that_are_said(curvature: float) -> None:
    share = np.linspace(0.0, 1.0, 10_001)
    bent = bend(tf.constant(share), tf.constant(curvature, tf.float64)).numpy()
    assert bent[0] == 0.0 and bent[-1] == pytest.approx(1.0)
    assert np.all(np.diff(bent) > 0.0)
    assert np.diff(bent)[0] * 1e4 == pytest.approx(2.0 ** (5.0 * curvature), rel=0.01)
    assert np.diff(bent)[-1] * 1e4 == pytest.approx(2.0 ** (-5.0 * curvature), rel=0.01)


def test_drawn_equals_interpolation_by_numpy() -> None:
    rng = np.random.default_rng(3)
    points, place = rng.normal(size=9).astype(np.float32), rng.uniform(-0.5, 1.5, 200).astype(np.float32)
    found = drawn(tf.constant(place[None]), tf.constant(np.tile(points, (1, 200, 1)))).numpy()[0]
    np.testing.assert_allclose(found, np.interp(place, np.linspace(0.0, 1.0, 9), points), atol=2e-6)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.0, 3.0), min_size=1, max_size=40), st.integers(0, 39))
def test_sums_of_countable_steps_do_not_depend_on_their_order(steps: list[float], cut: int) -> None:
    exact = countable(tf.constant(steps, tf.float64)).numpy()
    cut = min(cut, len(steps))
    assert np.sum(exact) == np.sum(exact[:cut]) + np.sum(exact[cut:]) == np.cumsum(exact[::-1])[-1]
    np.testing.assert_allclose(exact, steps, atol=2.0**-33)


def test_countable_passes_the_gradient() -> None:
    step = tf.constant(0.123, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(step)
        out = 3.0 * countable(step)
    assert float(tape.gradient(out, step)) == 3.0


def bent(p: float, c: float) -> float:
    return p / (p + (1.0 - p) * 2.0 ** (-5.0 * c))


def slow_envelope(
    levels: list[float],
    times: list[float],
    curves: list[float],
    begins: list[bool],
    releases: list[bool],
    sustain: int,
    loop: bool,
) -> list[float]:
    """The envelope by its definition: one frame after the other, one segment after the other."""
    count, level, part, age, origin, out = len(levels), levels[-1], range(0), 0.0, 0.0, []
    held_part = range(sustain or count)
    for begin, release in zip(begins, releases, strict=True):
        if begin or (release and sustain and not begin):
            part, age, origin = (held_part if begin else range(sustain, count)), 0.0, level
        if part:
            age += HOP_S
            left, start, length = age, origin, sum(times[k] for k in part)
            if loop and part == held_part and left >= length:
                left, start = left % length, levels[part[-1]]
            for k in part:
                level = start + (levels[k] - start) * bent(min(left / times[k], 1.0), curves[k])
                if left < times[k]:
                    break
                left, start = left - times[k], levels[k]
        elif sustain and sustain >= count and release:
            level = origin
        out.append(level)
    return out


@pytest.mark.parametrize(("sustain", "loop"), [(0, False), (2, False), (3, False), (2, True), (0, True), (1, True)])
def test_envelope_equals_its_definition_in_any_blocks(sustain: int, loop: bool) -> None:
    rng = np.random.default_rng(10 * sustain + loop)
    count, frames = 4, 300
    levels, times = rng.uniform(0.0, 1.0, count), rng.uniform(0.01, 0.1, count)
    curves = rng.uniform(-1.0, 1.0, count)
    begins, releases = rng.uniform(size=(2, frames)) < 0.03
    expected = slow_envelope([*levels], [*times], [*curves], [*begins], [*releases], sustain, loop)
    rest = Run(tf.zeros([1]), tf.fill([1], np.float32(levels[-1])), tf.constant([1e9], tf.float64), tf.zeros([1]))
    for sizes in ([frames], [1] * 20 + [7] * 40):
        run, found, begin = rest, [], 0
        for size in sizes:
            drawn_once = [tf.constant(np.tile(x, (1, size, 1)), tf.float32) for x in (levels, times, curves)]
            marks = [tf.constant(m[None, begin : begin + size]) for m in (begins, releases)]
            level, run = segment_envelope(Segments(*drawn_once), *marks, run, sustain=sustain, loop=loop, hop_s=HOP_S)
            found += level.numpy()[0].tolist()
            begin += size
        # from the first start on: before it nothing has been played
        first = int(np.argmax(begins))
        np.testing.assert_allclose(found[first:], expected[first:], atol=2e-5)
