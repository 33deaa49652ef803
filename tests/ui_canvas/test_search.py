"""Fuzzy search and auto-arrange, without a window."""

from __future__ import annotations

import pytest

from ddsp_studio.processors.patch import Patch
from ddsp_studio.ui import edits
from ddsp_studio.ui.canvas.arrange import arranged
from ddsp_studio.ui.canvas.fuzzy import ranked, score

from .fakes import SPECS, port


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("har", "Harmonic"),
        ("vm", "VoiceMixer"),
        ("fil", "Filter"),
        ("lf", "Lfo"),
        ("room", "Reverb"),
        ("out", "Output"),
        ("rvb", "Reverb"),
    ],
)
def test_the_first_is_what_was_meant(query: str, first: str) -> None:
    assert ranked(query, SPECS.values())[0].name == first


def test_nothing_found_and_everything_for_nothing() -> None:
    assert ranked("zzz", SPECS.values()) == [] and len(ranked(" ", SPECS.values())) == len(SPECS)
    assert score("abc", "acb") is None


def test_fitting_ports_prefer_what_is_set(instrument: Patch) -> None:
    assert edits.fitting_ports(instrument, "Harmonic", source=port("voice.f0_hz")) == ["f0"]
    assert edits.fitting_ports(instrument, "Output", source=port("lfo.out")) == []
    assert edits.fitting_ports(instrument, "Filter", target=port("output.audio")) == ["out"]


def test_arranged_nodes_never_overlap_and_run_as_text_does(instrument: Patch) -> None:
    """To the right, or in a long patch on to the next row."""
    sizes = dict.fromkeys(instrument.nodes, (184.0, 150.0))
    places = arranged(instrument, sizes, {})
    for cable in instrument.cables:
        (x0, y0), (x1, y1) = places[cable.source.node], places[cable.target.node]
        assert x0 < x1 or y0 + 150.0 <= y1
    boxes = list(places.values())
    assert all(abs(a[0] - b[0]) >= 184.0 or abs(a[1] - b[1]) >= 150.0 for i, a in enumerate(boxes) for b in boxes[:i])


def test_open_ports_are_those_that_would_connect(instrument: Patch) -> None:
    sockets = [port(f"{n}.{p}") for n, v in instrument.nodes.items() for p in (*SPECS[v.type].inlets, *SPECS[v.type].controls)]
    outlets = [port(f"{n}.{p}") for n, v in instrument.nodes.items() for p in SPECS[v.type].outlets]
    for source in outlets:
        plain = {target for target in sockets if edits.why_not(instrument, source, target) is None}
        assert edits.open_ports(instrument, source, sockets, from_outlet=True) == plain
    for target in sockets:
        plain = {source for source in outlets if edits.why_not(instrument, source, target) is None}
        assert edits.open_ports(instrument, target, outlets, from_outlet=False) == plain
