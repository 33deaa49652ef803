"""Second-order sections against the cookbook's coefficients run by scipy, still and swept, alone and in cascades."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.signal import lfilter

from ddsp_studio.dsp.biquad import KINDS, biquad, cascade, response, section
from ddsp_studio.dsp.tensor import HOP, tf

RATE = 48_000.0


def cookbook(kind: str, hertz: float, q: float, gain_db: float) -> tuple[np.ndarray, np.ndarray]:
    """Numerator and denominator as the cookbook prints them."""
    w, a = 2.0 * math.pi * hertz / RATE, 10.0 ** (gain_db / 40.0)
    c, alpha, root = math.cos(w), math.sin(w) / (2.0 * q), 2.0 * math.sqrt(a) * math.sin(w) / (2.0 * q)
    plain = [1.0 + alpha, -2.0 * c, 1.0 - alpha]
    tables = {
        "low_pass": ([(1.0 - c) / 2.0, 1.0 - c, (1.0 - c) / 2.0], plain),
        "high_pass": ([(1.0 + c) / 2.0, -1.0 - c, (1.0 + c) / 2.0], plain),
        "band_pass": ([alpha, 0.0, -alpha], plain),
        "notch": ([1.0, -2.0 * c, 1.0], plain),
        "all_pass": ([1.0 - alpha, -2.0 * c, 1.0 + alpha], plain),
        "peak": ([1.0 + alpha * a, -2.0 * c, 1.0 - alpha * a], [1.0 + alpha / a, -2.0 * c, 1.0 - alpha / a]),
        "low_shelf": (
            [a * ((a + 1) - (a - 1) * c + root), 2 * a * ((a - 1) - (a + 1) * c), a * ((a + 1) - (a - 1) * c - root)],
            [(a + 1) + (a - 1) * c + root, -2 * ((a - 1) + (a + 1) * c), (a + 1) + (a - 1) * c - root],
        ),
        "high_shelf": (
            [a * ((a + 1) + (a - 1) * c + root), -2 * a * ((a - 1) + (a + 1) * c), a * ((a + 1) + (a - 1) * c - root)],
            [(a + 1) - (a - 1) * c + root, 2 * ((a - 1) - (a + 1) * c), (a + 1) - (a - 1) * c - root],
        ),
    }
    b, denominator = tables[kind]
    return np.array(b), np.array(denominator)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("hertz", "q", "gain_db"), [(100.0, 0.707, 6.0), (3000.0, 4.0, -12.0), (15_000.0, 0.5, 18.0)])
def test_section_equals_the_cookbook(kind: str, hertz: float, q: float, gain_db: float) -> None:
    audio = np.random.default_rng(1).normal(size=(2, 20 * HOP))
    b, a = cookbook(kind, hertz, q, gain_db)
    part = section(kind, tf.constant(hertz), tf.constant(q), RATE, tf.constant(gain_db))
    found, _ = biquad(tf.constant(audio, tf.float32), part, tf.zeros([2, 2]))
    expected = lfilter(b, a, audio)
    assert np.max(np.abs(found - expected)) < 2e-5 * np.max(np.abs(expected))
    drawn = np.array([30.0, 440.0, 2900.0, 12_000.0, 23_000.0])
    z = np.exp(-2j * np.pi * drawn / RATE)
    assert response(part, drawn, RATE) == pytest.approx(np.polyval(b[::-1], z) / np.polyval(a[::-1], z), rel=1e-4, abs=1e-6)


def test_low_corner_keeps_its_precision() -> None:
    """20 Hz at 48 kHz, where a direct form in float32 is right to 55 dB only."""
    audio = np.random.default_rng(2).normal(size=(1, 400 * HOP))
    b, a = cookbook("low_pass", 20.0, 0.707, 0.0)
    part = section("low_pass", tf.constant(20.0), tf.constant(0.707), RATE)
    found, _ = biquad(tf.constant(audio, tf.float32), part, tf.zeros([1, 2]))
    expected = lfilter(b, a, audio)
    assert 10.0 * np.log10(np.mean((found - expected) ** 2) / np.mean(expected**2)) < -95.0


def test_swept_stream_is_the_clip() -> None:
    rng = np.random.default_rng(3)
    audio = tf.constant(rng.normal(size=(2, 6 * HOP)), tf.float32)
    hertz = tf.constant(np.geomspace(50.0, 20_000.0, 6 * HOP)[None], tf.float32)
    q = tf.constant(rng.uniform(0.5, 10.0, (2, 6 * HOP)), tf.float32)

    def run(part: slice, state: object) -> tuple[object, object]:
        parts = [section(kind, hertz[:, part], q[:, part], RATE, 6.0) for kind in ("peak", "high_shelf")]
        return cascade(audio[:, part], parts, state)

    whole, end = run(slice(None), tf.zeros([2, 2, 2]))
    first, state = run(slice(0, 2 * HOP), tf.zeros([2, 2, 2]))
    second, last = run(slice(2 * HOP, None), state)
    assert np.allclose(tf.concat([first, second], axis=1), whole, atol=1e-5) and np.allclose(last, end, atol=1e-5)
    assert np.all(np.isfinite(whole)) and np.max(np.abs(whole)) < 100.0


def test_cascade_multiplies_responses() -> None:
    impulse = np.zeros((1, 64 * HOP), np.float32)
    impulse[0, 0] = 1.0
    parts = [
        section(k, tf.constant(h), tf.constant(0.8), RATE, tf.constant(9.0)) for k, h in (("peak", 900.0), ("low_shelf", 200.0))
    ]
    found, _ = cascade(tf.constant(impulse), parts, tf.zeros([1, 2, 2]))
    hertz = np.fft.rfftfreq(64 * HOP, 1.0 / RATE)[1:-1]
    expected = response(parts[0], hertz, RATE) * response(parts[1], hertz, RATE)
    assert np.allclose(np.fft.rfft(found.numpy()[0])[1:-1], expected, atol=2e-3)


def test_gradients_reach_every_control() -> None:
    audio = tf.constant(np.random.default_rng(4).normal(size=(1, 2 * HOP)), tf.float32)
    for kind in KINDS:
        values = [tf.fill([1, 2 * HOP], x) for x in (800.0, 2.0, 3.0)]
        with tf.GradientTape() as tape:
            tape.watch(values)
            found, _ = biquad(audio, section(kind, values[0], values[1], RATE, values[2]), tf.zeros([1, 2]))
            total = tf.reduce_sum(found**3)
        slopes = tape.gradient(total, values)
        moved = 3 if kind in ("peak", "low_shelf", "high_shelf") else 2
        assert all(np.all(np.isfinite(slope)) and np.any(slope != 0.0) for slope in slopes[:moved])


def test_unknown_kinds_are_refused() -> None:
    with pytest.raises(ValueError, match="low_pass, .* got 'comb'"):
        section("comb", tf.constant(1.0), tf.constant(1.0), RATE)
