"""Units and scales: known values, inverses, and gradients that are finite everywhere."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddsp_studio.dsp import heads, scaling
from ddsp_studio.dsp.tensor import tf
from ddsp_studio.processors.units import hz_to_note, note_to_hz

PAIRS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], float, float]] = {
    "midi": (scaling.hz_to_midi, scaling.midi_to_hz, 8.0, 20_000.0),
    "mel": (scaling.hz_to_mel, scaling.mel_to_hz, 0.0, 20_000.0),
    "bark": (scaling.hz_to_bark, scaling.bark_to_hz, 0.0, 20_000.0),
    "unit": (lambda x: scaling.hz_to_unit(x, 20.0, 8000.0), lambda x: scaling.unit_to_hz(x, 20.0, 8000.0), 20.0, 8000.0),
    "power": (lambda x: scaling.power_to_db(x, range_db=200.0), scaling.db_to_power, 1e-19, 100.0),
    "amplitude": (lambda x: scaling.amplitude_to_db(x, range_db=200.0), scaling.db_to_amplitude, 1e-9, 100.0),
}


@pytest.mark.parametrize("name", PAIRS)
@given(place=st.floats(0.0, 1.0))
def test_scales_invert(name: str, place: float) -> None:
    there, back, low, high = PAIRS[name]
    value = low + (high - low) * place**3
    assert float(back(there(value))) == pytest.approx(value, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (scaling.midi_to_hz(60.0), 261.6255653),
        (scaling.hz_to_midi(880.0), 81.0),
        (scaling.hz_to_midi(0.0), 0.0),
        (scaling.hz_to_midi(-5.0), 0.0),
        (scaling.hz_to_mel(1000.0), 999.9855),
        (scaling.hz_to_bark(1000.0), 8.5274),
        (scaling.hz_to_erb(1000.0), 132.7),
        (scaling.amplitude_to_db(0.5), -6.0206),
        (scaling.amplitude_to_db(0.0), -80.0),
        (scaling.power_to_db(2.0, reference_db=1.0), 2.0103),
        (scaling.db_to_amplitude(-20.0), 0.1),
        (scaling.db_to_power(-20.0), 0.01),
        (scaling.logb(8.0), 3.0),
        (scaling.exp_sigmoid(0.0), 2.0 * 0.5 ** math.log(10.0) + 1e-7),
        (scaling.symmetric_exp_sigmoid(-2.0), 2.0 * 0.5 ** math.log(10.0) + 1e-7),
        (scaling.unit_to_midi(1.5, clip=True), 90.0),
        (scaling.midi_to_unit(0.0, clip=True), 0.0),
        (scaling.midi_to_hz(0.0, zero_is_silence=True), 0.0),
        (scaling.soft_limit(-40.0, -1.0, 2.0), -1.0),
        (scaling.soft_limit(40.0, -1.0, 2.0), 2.0),
    ],
)
def test_known_values(found: float, expected: float) -> None:
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_notes_are_those_of_the_text_fields() -> None:
    for note in (0.5, 21.0, 69.0, 108.25):
        assert float(scaling.midi_to_hz(note)) == pytest.approx(note_to_hz(note), rel=1e-12)
        assert float(scaling.hz_to_midi(note_to_hz(note))) == pytest.approx(hz_to_note(note_to_hz(note)), rel=1e-12)


EXTREMES = np.array([-1e30, -1e4, -50.0, -1.0, -1e-20, 0.0, 1e-20, 1e-6, 1.0, 50.0, 1e4], np.float32)
SMOOTH = {
    "safe_divide": lambda x: scaling.safe_divide(tf.ones_like(x), x),
    "safe_log": scaling.safe_log,
    "logb": scaling.logb,
    "soft_limit": scaling.soft_limit,
    "power_to_db": scaling.power_to_db,
    "amplitude_to_db": scaling.amplitude_to_db,
    "hz_to_midi": scaling.hz_to_midi,
    "exp_sigmoid": scaling.exp_sigmoid,
    "symmetric_exp_sigmoid": scaling.symmetric_exp_sigmoid,
}


@pytest.mark.parametrize("name", SMOOTH)
def test_values_and_gradients_are_numbers(name: str) -> None:
    values = EXTREMES[2:-1] if name in ("safe_divide", "amplitude_to_db") else EXTREMES
    values = values[np.abs(values) != np.float32(1e-20)] if name == "safe_divide" else values
    x = tf.constant(values)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = SMOOTH[name](x)
    assert np.all(np.isfinite(y)) and np.all(np.isfinite(tape.gradient(y, x)))
    assert np.allclose(y, SMOOTH[name](values) if name != "safe_divide" else y, rtol=1e-5, atol=1e-6)


def test_logarithm_rises_where_it_is_held() -> None:
    """A floor that replaces only what is not positive would put 0 above all that is below the floor."""
    levels = scaling.safe_log(np.array([0.0, 1e-12, 1e-6, 1e-5, 1e-4]))
    assert np.all(np.diff(levels) >= 0.0) and levels[0] == pytest.approx(math.log(1e-5))


def test_gradient_is_reversed() -> None:
    x = tf.constant([0.5, -2.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = scaling.reverse_gradient(x)
        total = tf.reduce_sum(3.0 * y)
    assert np.array_equal(y, x) and np.array_equal(tape.gradient(total, x), [-3.0, -3.0])


def test_heads_reach_both_ends_of_their_range() -> None:
    low, high = (tf.fill([1, 1, 4, 3], x) for x in (-60.0, 60.0))
    for head, expected in (
        (lambda x: heads.frequencies_sigmoid(x, 20.0, 8000.0), (20.0 + 2 * 8.1758, 8000.0 - 20.0)),
        (lambda x: heads.frequencies_softmax(x * np.array([1.0, 0.0, -1.0], np.float32), 20.0, 8000.0), (8000.0, 20.0)),
    ):
        assert head(low).numpy()[0, 0, 0] == pytest.approx(expected[0], rel=1e-3)
        assert head(high).numpy()[0, 0, 0] == pytest.approx(expected[1], rel=1e-3)


@pytest.mark.parametrize("scale", ["bark", "mel"])
def test_critical_bands_stay_in_order_and_range(scale: str) -> None:
    found = heads.frequencies_critical_bands(tf.zeros([1, 1, 24, 1]), scale).numpy()[0, 0]
    assert np.all(np.diff(found) > 0.0) and 0.0 < found[0] < found[-1] <= 8000.0
    with pytest.raises(ValueError, match="bark or mel"):
        heads.frequencies_critical_bands(tf.zeros([1, 1, 24, 1]), "erb")
    with pytest.raises(ValueError, match="multiple of 5"):
        heads.split_depth(tf.zeros([1, 1, 24]), 5)
