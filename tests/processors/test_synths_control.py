"""Envelopes, followers and shapers of control signals: what they promise in seconds, hertz and decibels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_studio.dsp.tensor import HOP, tf
from ddsp_studio.processors.catalogue import processor_types
from ddsp_studio.processors.shaping import OPERATIONS, SCALES
from ddsp_studio.processors.units import hz_to_note, note_to_hz

RATE = 48_000
HOP_S = HOP / RATE


def control(kind: str, options: dict[str, Any] | None = None, **values: Any) -> np.ndarray:
    """One outlet's frames, float64; values are numbers, [hops] arrays, or [hops or 1, channels] arrays."""
    processor = processor_types()[kind](RATE, **(options or {}))
    rows = {name: np.asarray(value, np.float32) for name, value in values.items()}
    rows = {name: row.reshape(-1, 1) if row.ndim < 2 else row for name, row in rows.items()}
    hops = max(len(row) for row in rows.values())
    inputs = {name: tf.constant(np.broadcast_to(row, (hops, row.shape[1]))[None]) for name, row in rows.items()}
    outputs, _ = processor.process(processor.start(1), inputs)
    return np.asarray(outputs["out"][0, :, 0], np.float64)


def gate(hops: int, on: int, off: int) -> np.ndarray:
    return ((np.arange(hops) >= on) & (np.arange(hops) < off)).astype(np.float32)


SHAPE = {"levels": [[1.0, 0.3, 0.7, 0.0]], "times": [[0.1, 0.2, 0.1, 0.3]], "curves": [[0.0] * 4]}


def test_segments_take_their_times_and_the_third_is_held() -> None:
    out = control("Envelope", gate=gate(1500, 10, 1000), **SHAPE)
    time = (np.arange(1500) - 9) * HOP_S
    expected = np.interp(time, [0.0, 0.1, 0.3, 0.4], [0.0, 1.0, 0.3, 0.7])
    np.testing.assert_allclose(out[:1000], expected[:1000], atol=1e-3)
    left = np.interp((np.arange(1500) - 999) * HOP_S, [0.0, 0.3], [0.7, 0.0])
    np.testing.assert_allclose(out[1000:], left[1000:], atol=1e-3)


def test_speed_divides_every_time() -> None:
    once = control("Envelope", gate=gate(800, 0, 800), **SHAPE)
    twice = control("Envelope", gate=gate(400, 0, 400), speed=2.0, **SHAPE)
    np.testing.assert_allclose(twice, once[1::2], atol=1e-3)


def test_a_loop_repeats_the_held_segments() -> None:
    out = control("Envelope", {"loop": "on", "sustain": 2}, gate=gate(1600, 0, 1600), **SHAPE)
    period = round(0.3 / HOP_S)
    np.testing.assert_allclose(out[period + 5 : 1100], out[2 * period + 5 : 1100 + period], atol=0.01)
    assert out[period : 2 * period].max() == pytest.approx(1.0, abs=0.01)


def test_without_a_sustain_point_the_gate_may_end_at_once() -> None:
    short, long = (control("Envelope", {"sustain": 0}, gate=gate(800, 0, off), **SHAPE) for off in (1, 700))
    np.testing.assert_array_equal(short, long)
    assert short[-1] == pytest.approx(0.0, abs=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=2, max_size=12), st.floats(-1.0, 1.0))
def test_the_envelope_never_jumps(lengths: list[int], curve: float) -> None:
    """Whenever keys go down and up: no frame differs from the one before by more than the steepest segment goes in a frame."""
    held = np.concatenate([np.full(length, float(i % 2)) for i, length in enumerate(lengths)])
    out = control("Envelope", gate=np.pad(held, (0, 700 - held.size)), **{**SHAPE, "curves": [[curve] * 4]})
    steepest = 1.0 / (0.1 / HOP_S) * 2.0 ** (5.0 * abs(curve))
    assert np.max(np.abs(np.diff(out))) <= steepest * 1.01


def follow(audio: np.ndarray, **values: float) -> np.ndarray:
    processor = processor_types()["Follower"](RATE)
    hops = audio.size // HOP
    inputs = {name: tf.fill([1, hops, 1], np.float32(value)) for name, value in values.items()}
    outputs, _ = processor.process(processor.start(1), {"input": tf.constant(audio[None], tf.float32), **inputs})
    return np.asarray(outputs["out"][0, :, 0], np.float64)


def test_the_follower_rises_and_falls_in_its_times() -> None:
    time = np.arange(1500 * HOP) / RATE
    audio = np.where(time < 0.5, 0.5, 0.0) * np.sign(np.sin(2.0 * np.pi * 2000.0 * time) + 1e-9)
    out = follow(audio, attack=0.05, release=0.5, sensitivity=6.0206)
    assert out[round(0.4 / HOP_S)] == pytest.approx(1.0, abs=0.01)
    assert np.argmax(out > 0.95) * HOP_S == pytest.approx(0.05, abs=0.004)
    end = round(0.5 / HOP_S)
    fallen = np.argmax(out[end:] < 1e-3) * HOP_S
    assert fallen == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("root", ["C", "F#", "B"])
def test_quantised_notes_are_the_nearest_of_the_scale(root: str, scale: str) -> None:
    first = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B").index(root)
    allowed = np.array([note for note in range(-24, 160) if (note - first) % 12 in SCALES[scale]], np.float64)
    notes = np.random.default_rng(first).uniform(12.0, 110.0, 200)
    found = control("Quantise", {"root": root, "scale": scale}, f0=[note_to_hz(note) for note in notes])
    nearest = allowed[np.argmin(np.abs(allowed[None] - notes[:, None]), axis=1)]
    np.testing.assert_allclose([hz_to_note(hertz) for hertz in found], nearest, atol=1e-4)


def test_of_two_equally_near_notes_the_lower_is_taken() -> None:
    found = control("Quantise", {"scale": "whole tone"}, f0=[note_to_hz(note) for note in (61.0, 63.0, 71.0)])
    assert [round(hz_to_note(hertz)) for hertz in found] == [60, 62, 70]


def test_strength_draws_part_of_the_way() -> None:
    found = control("Quantise", {"scale": "octaves"}, f0=note_to_hz(64.0), strength=[0.0, 0.25, 1.0])
    np.testing.assert_allclose([hz_to_note(hertz) for hertz in found], [64.0, 63.0, 60.0], atol=1e-4)


def test_sample_and_hold_takes_at_rising_edges() -> None:
    value = np.linspace(-1.0, 1.0, 12)
    found = control("SampleAndHold", input=value, trigger=[0, 0, 1, 1, 0, 0.6, 0.4, 1, 1, 0, 0, 1])
    expected = [0, 0, *[value[2]] * 3, *[value[5]] * 2, *[value[7]] * 4, value[11]]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_sample_and_hold_by_the_rate() -> None:
    value = np.random.default_rng(2).uniform(-1.0, 1.0, 1500).astype(np.float32)
    found = control("SampleAndHold", {"clock": "rate"}, input=value, rate=10.0)
    assert found[0] == value[0]
    changes = np.flatnonzero(np.diff(found)) + 1
    np.testing.assert_array_equal(changes, np.arange(1, 20) * 75)
    np.testing.assert_array_equal(found[changes], value[changes])


def test_drift_is_smooth_bounded_and_different_in_each_voice() -> None:
    processor = processor_types()["Drift"](RATE)
    outputs, _ = processor.process(processor.start(2), {"rate": tf.fill([2, 15_000, 1], 5.0)})
    walk = outputs["out"].numpy()[..., 0].astype(np.float64)
    assert np.abs(walk).max() <= 1.0
    assert walk.std() > 0.35
    # at most 1.5 times the way between two values, in the middle between them
    assert np.abs(np.diff(walk)).max() <= 1.5 * 2.0 * 5.0 * HOP_S * 1.01
    assert abs(np.corrcoef(walk)[0, 1]) < 0.4


def test_the_curve_is_the_one_drawn() -> None:
    points = np.random.default_rng(1).uniform(0.0, 1.0, (1, 17))
    place = np.linspace(0.0, 1.0, 101)
    found = control("Curve", input=place, curve=points)
    np.testing.assert_allclose(found, np.interp(place, np.linspace(0.0, 1.0, 17), points[0]), atol=1e-5)


NUMPY = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "minimum": np.minimum,
    "maximum": np.maximum,
    "average": lambda a, b: (a + b) / 2.0,
    "distance": lambda a, b: np.abs(a - b),
    "power": lambda a, b: np.sign(a) * np.abs(a) ** b,
    "greater": lambda a, b: (a > b) * 1.0,
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_calculations_are_those_of_numpy(operation: str) -> None:
    rng = np.random.default_rng(5)
    a, b = (rng.uniform(0.5, 4.0, 50) * rng.choice([-1.0, 1.0], 50) for _ in range(2))
    found = control("Math", {"operation": operation}, a=a, b=b)
    np.testing.assert_allclose(found, NUMPY[operation](a.astype(np.float32), b.astype(np.float32)), rtol=2e-3, atol=1e-5)


def test_dividing_by_nothing_gives_nothing() -> None:
    assert control("Math", {"operation": "divide"}, a=[1.0, -3.0], b=[0.0, 0.0]).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("kind", "port", "given", "expected"),
    [
        ("HzToNote", "f0", [440.0, 261.6256, 27.5], [69.0, 60.0, 21.0]),
        ("NoteToHz", "note", [69.0, 60.0, 60.5], [440.0, 261.6256, 269.2918]),
        ("DbToAmplitude", "level", [0.0, -6.0206, -40.0], [1.0, 0.5, 0.01]),
        ("AmplitudeToDb", "amplitude", [1.0, 0.5, 0.0], [0.0, -6.0206, -100.0]),
        ("ToBipolar", "input", [0.0, 0.25, 1.0], [-1.0, -0.5, 1.0]),
        ("ToUnipolar", "input", [-1.0, 0.0, 1.0], [0.0, 0.5, 1.0]),
        ("KeyTrack", "f0", [261.6256, 523.2511, 65.4064], [0.0, 0.2, -0.4]),
    ],
)
def test_units_are_converted(kind: str, port: str, given: list[float], expected: list[float]) -> None:
    np.testing.assert_allclose(control(kind, **{port: given}), expected, rtol=1e-5, atol=1e-5)
