"""Text for quantities and back."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddsp_studio.processors.units import format_quantity, hz_to_note, note_name, note_to_hz, parse_quantity

UNITS = ["", "Hz", "s", "dB", "st", "ct", "dB/oct"]


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("440", "Hz", 440.0),
        ("440 Hz", "Hz", 440.0),
        ("440hz", "Hz", 440.0),
        ("2.2 kHz", "Hz", 2200.0),
        ("2.2k", "Hz", 2200.0),
        ("440*2", "Hz", 880.0),
        ("(1+2)*100 Hz", "Hz", 300.0),
        ("A4", "Hz", 440.0),
        ("a4", "Hz", 440.0),
        ("C#3", "Hz", note_to_hz(49)),
        ("Db3", "Hz", note_to_hz(49)),
        ("A4 +20 cents", "Hz", 440.0 * 2 ** (20 / 1200)),
        ("A4 - 20c", "Hz", 440.0 * 2 ** (-20 / 1200)),
        ("-6 dB", "dB", -6.0),
        ("-6", "dB", -6.0),
        ("30ms", "s", 0.03),
        ("30 m", "s", 0.03),
        ("250 us", "s", 0.00025),
        ("1e-3 s", "s", 0.001),
        ("50 %", "", 0.5),
        ("1/3", "", 1.0 / 3.0),
        ("--2", "", 2.0),
    ],
)
def test_what_people_type(text: str, unit: str, value: float) -> None:
    assert parse_quantity(text, unit) == pytest.approx(value)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(
    "text", ["", "  ", "loud", "3 apples", "1/0", "9**9**9", "nan", "inf", "1e999", "__import__('os')", "(" * 99, "1 2", "5 dBm"]
)
def test_nonsense_is_refused_in_one_sentence(text: str, unit: str) -> None:
    with pytest.raises(ValueError, match="expected a number") as refused:
        parse_quantity(text, unit)
    assert "\n" not in str(refused.value)


@given(st.floats(-1e6, 1e6), st.sampled_from(UNITS))
def test_a_value_comes_back_within_four_digits(value: float, unit: str) -> None:
    assert parse_quantity(format_quantity(value, unit), unit) == pytest.approx(value, rel=6e-4, abs=1e-300)


@given(st.floats(-1e6, 1e6), st.sampled_from(UNITS))
def test_written_text_is_read_and_written_as_itself(value: float, unit: str) -> None:
    text = format_quantity(value, unit)
    assert format_quantity(parse_quantity(text, unit), unit) == text


@given(st.text(max_size=40), st.sampled_from(UNITS))
def test_any_text_is_a_number_or_refused(text: str, unit: str) -> None:
    try:
        assert math.isfinite(parse_quantity(text, unit))
    except ValueError as problem:
        assert str(problem).startswith("expected a number")


@given(st.integers(0, 127))
def test_notes_have_names_and_frequencies(note: int) -> None:
    assert hz_to_note(note_to_hz(note)) == pytest.approx(note)
    assert parse_quantity(note_name(note), "Hz") == pytest.approx(note_to_hz(note))
