"""The declaration language."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.catalogue import processor_types, specs
from ddsp_studio.processors.declare import Control, Law, Option, Outlet, Spec

EVERY = [(name, key, control) for name, spec in specs().items() for key, control in spec.controls.items()]
SIZES = st.floats(1e-3, 1e4)


@given(st.sampled_from(list(Law)), SIZES, SIZES, st.floats(0.0, 1.0))
def test_laws_are_inverses_over_any_range(law: Law, low: float, width: float, place: float) -> None:
    control = Control(unit="", low=low, high=low + width, default=low, law=law)
    value = control.from_knob(place)
    # a narrow range far from zero leaves few digits of the knob
    assert control.to_knob(value) == pytest.approx(place, abs=1e-9 + 1e-12 * (low + width) / width * 1000)


@given(st.sampled_from(list(Law)), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_laws_rise(law: Law, one: float, other: float) -> None:
    control = Control(unit="Hz", low=20.0, high=20_000.0, default=440.0, law=law)
    if other - one > 1e-6:
        assert control.from_knob(one) < control.from_knob(other)


@settings(max_examples=300)
@given(st.sampled_from(EVERY), st.floats(0.0, 1.0))
def test_every_control_of_the_catalogue_comes_back(entry: tuple[str, str, Control], place: float) -> None:
    name, key, control = entry
    value = control.from_knob(place)
    assert control.to_knob(value) == pytest.approx(place, abs=1e-9), (name, key)
    control.check(key, value)
    text = control.format(value)
    assert control.parse(text) == pytest.approx(value, rel=6e-4, abs=1e-12)
    assert control.format(control.parse(text)) == text


def test_laws_take_arrays_as_they_take_numbers() -> None:
    for law in Law:
        control = Control(unit="Hz", low=20.0, high=2000.0, default=440.0, law=law)
        places = np.linspace(0.0, 1.0, 5)
        assert control.from_knob(places) == pytest.approx([control.from_knob(float(p)) for p in places])


def test_values_beyond_the_range_land_on_its_ends() -> None:
    control = Control(unit="Hz", low=20.0, high=2000.0, default=440.0, law=Law.OCTAVES)
    assert (control.to_knob(1.0), control.to_knob(1e9)) == (0.0, 1.0)
    assert (control.parse("1"), control.parse("9 kHz")) == (20.0, 2000.0)


@pytest.mark.parametrize("value", [19.0, 2001.0, float("nan"), float("inf")])
def test_a_value_out_of_range_is_refused_with_the_range(value: float) -> None:
    control = Control(unit="Hz", low=20.0, high=2000.0, default=440.0)
    with pytest.raises(ValueError, match=f"Filter.cutoff takes 20 to 2000 Hz, got {value:g} Hz"):
        control.check("Filter.cutoff", value)


def test_a_bad_declaration_is_refused_where_it_stands() -> None:
    with pytest.raises(TypeError, match="low must be under its high"):
        Control(unit="", low=1.0, high=1.0, default=1.0)
    with pytest.raises(TypeError, match="above 0 Hz"):
        Control(unit="Hz", low=0.0, high=1.0, default=0.5, law=Law.OCTAVES)
    with pytest.raises(ValueError, match="default takes 0 to 1"):
        Control(unit="", low=0.0, high=1.0, default=2.0)

    class Odd:
        out = Outlet(channels="partials")

    with pytest.raises(TypeError, match="'partials', which is not an option"):
        Spec.read(Odd, 1, "Test", stereo=False)

    with pytest.raises(TypeError, match=r"Late.start hides a part of every processor"):

        class Late(Processor, version=1, category="Control", listed=False):
            start = Option(default=0, low=0, high=1)


def test_defaults_are_continued_with_their_last_value() -> None:
    control = Control(unit="", low=0.0, high=1.0, default=(1.0, 0.5))
    assert control.defaults(4) == (1.0, 0.5, 0.5, 0.5)
    assert control.defaults(2) == (1.0, 0.5)
    assert Control(unit="", low=0.0, high=1.0, default=0.2).defaults(3) == (0.2, 0.2, 0.2)


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        (Option(default="sine", choices=("sine", "saw")), "tri", "x is one of sine, saw, got 'tri'"),
        (Option(default=4, low=1, high=8), 2.5, "x is a whole number from 1 to 8, got 2.5"),
        (Option(default=4, low=1, high=8), True, "x is a whole number from 1 to 8, got True"),
        (Option(default=1.0, low=0.1, high=4.0, unit="s"), 5, "x is a number from 0.1 to 4 s, got 5"),
        (Option(default=1.0, low=0.1, high=4.0), float("nan"), "x is a number from 0.1 to 4, got nan"),
        (Option(default="", path="audio"), 3, r"x is the path of a file \(audio\), got '3'"),
    ],
)
def test_options_refuse_in_one_sentence(option: Option, value: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        option.check("x", value)


@pytest.mark.parametrize("name", specs())
def test_data_sheets_are_complete(name: str) -> None:
    spec = specs()[name]
    sheet = spec.to_json()
    assert json.loads(json.dumps(sheet, allow_nan=False)) == sheet
    assert spec.summary and spec.outlets
    for kind in ("inlets", "controls", "outlets", "options"):
        assert all(item["doc"] for item in sheet[kind]), f"every one of {name}'s {kind} says what it does"


def test_unknown_options_are_refused_by_the_processor() -> None:
    with pytest.raises(ValueError, match="Gain has no option volume"):
        processor_types()["Gain"](48_000, volume=11)
    with pytest.raises(ValueError, match="Filter.mode is one of low, high, band, notch, got 'loww'"):
        processor_types()["Filter"](48_000, mode="loww")
