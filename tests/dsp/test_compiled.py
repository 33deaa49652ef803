"""Streaming functions give the same under XLA as one operation at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ddsp_studio.dsp import biquad, delay, fir, follower, resample, sinusoids
from ddsp_studio.dsp.tensor import HOP, tf

RATE, HOPS, BATCH = 48_000.0, 2, 2
LENGTH = HOPS * HOP


def swept(audio: Any, hertz: Any, q: Any, gain_db: Any, state: Any) -> Any:
    parts = [biquad.section(kind, hertz * 8000.0, q, RATE, gain_db * 12.0) for kind in ("low_shelf",)]
    return biquad.cascade(audio, parts, state)


def levels(audio: Any, window: Any, attack: Any, release: Any) -> Any:
    return follower.follow_rms(audio, window, attack, release, follower.start_rms(BATCH))


FUNCTIONS: dict[str, tuple[Callable[..., Any], list[tuple[int, ...]]]] = {
    "sinusoid_bank": (
        lambda f, a: sinusoids.sinusoid_bank(f * 2e4, a, tf.zeros([BATCH, 5], tf.float64), RATE),
        [(BATCH, HOPS + 1, 5)] * 2,
    ),
    "oscillator_bank": (
        lambda f, a: sinusoids.oscillator_bank(f * 2e4, a, tf.zeros([BATCH, 3], tf.float64), RATE),
        [(BATCH, LENGTH, 3)] * 2,
    ),
    "cascade": (swept, [(BATCH, LENGTH), (1, LENGTH), (BATCH, LENGTH), (1, LENGTH), (BATCH, 1, 2)]),
    "follow_rms": (levels, [(BATCH, LENGTH), (1, 1), (1, LENGTH), (BATCH, LENGTH)]),
    "variable_delay": (lambda x, d, line: delay.variable_delay(x, d * 99.0, line), [(BATCH, LENGTH), (1, LENGTH), (BATCH, 100)]),
    "convolve_hops": (fir.convolve_hops, [(BATCH, LENGTH), (1, HOPS + 1, 30), (BATCH, 29)]),
    "upsample": (lambda x, held: resample.upsample(x, resample.Held(held), 8, "cubic"), [(BATCH, 4, 3), (BATCH, 3, 3)]),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_compiled_is_the_same(name: str) -> None:
    function, shapes = FUNCTIONS[name]
    rng = np.random.default_rng(1)
    given = [tf.constant(rng.uniform(0.1, 0.9, shape), tf.float32) for shape in shapes]
    compiled = tf.function(function, jit_compile=True, autograph=False)
    for found, expected in zip(tf.nest.flatten(compiled(*given)), tf.nest.flatten(function(*given)), strict=True):
        assert np.allclose(found, expected, atol=2e-5)
