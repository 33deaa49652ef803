"""Moving delay lines: every delay is what it says, from none to the whole line, in any blocks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_studio.dsp.delay import variable_delay
from ddsp_studio.dsp.tensor import HOP, tf

LENGTH = 100


def straight(stream: np.ndarray, delay: np.ndarray) -> np.ndarray:
    """Lines between the samples of a stream whose first LENGTH samples lie before the block."""
    return np.interp(LENGTH + np.arange(delay.size) - delay, np.arange(stream.size), stream)


@given(st.lists(st.floats(0.0, float(LENGTH), width=32), min_size=HOP, max_size=HOP))
@settings(max_examples=40, deadline=None)
def test_any_delay_is_what_it_says(delays: list[float]) -> None:
    stream = np.random.default_rng(1).normal(size=LENGTH + HOP)
    line, audio = (tf.constant(x[None], tf.float32) for x in (stream[:LENGTH], stream[LENGTH:]))
    found, rest = variable_delay(audio, tf.constant([delays], tf.float32), line)
    assert np.allclose(found[0], straight(stream, np.array(delays)), atol=1e-4)
    assert np.array_equal(rest[0], stream[HOP:].astype(np.float32))


@pytest.mark.parametrize("delay", [0.0, 1.0, LENGTH - 0.5, float(LENGTH), LENGTH + 50.0])
def test_the_ends_do_not_wrap(delay: float) -> None:
    """A rising line, in which a sample of the wrong end would stand out by its whole height."""
    stream = np.arange(LENGTH + HOP, dtype=np.float32)
    found, _ = variable_delay(
        *(tf.constant(x[None]) for x in (stream[LENGTH:], np.full(HOP, delay, np.float32), stream[:LENGTH]))
    )
    assert np.allclose(found[0], LENGTH + np.arange(HOP) - min(delay, LENGTH), atol=1e-3)


def test_stream_is_the_clip_and_so_are_its_gradients() -> None:
    rng = np.random.default_rng(2)
    audio = tf.constant(rng.normal(size=(2, 6 * HOP)), tf.float32)
    delay = tf.constant(rng.uniform(0.0, LENGTH, (2, 6 * HOP)), tf.float64)
    outs, slopes = [], []
    for cuts in ([6], [1, 2, 3]):
        with tf.GradientTape() as tape:
            tape.watch((audio, delay))
            line, begin, parts = tf.zeros([2, LENGTH]), 0, []
            for cut in cuts:
                part = slice(begin * HOP, (begin + cut) * HOP)
                out, line = variable_delay(audio[:, part], delay[:, part], line)
                parts.append(out)
                begin += cut
            out = tf.concat(parts, axis=1)
            total = tf.reduce_sum(out**3)
        outs.append(out.numpy())
        slopes.append(tape.gradient(total, (audio, delay)))
    assert np.array_equal(*outs)
    assert all(np.allclose(one, other, atol=1e-4) for one, other in zip(*slopes, strict=True))
    assert np.any(slopes[0][1].numpy() != 0.0)
