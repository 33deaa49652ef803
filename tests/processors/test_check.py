"""The rules of a patch: every refusal names node, port and reason."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_studio.processors.catalogue import specs
from ddsp_studio.processors.check import MAX_NODES, Zone, check, natural_amount, order, reachable, refusal, values_of, zones
from ddsp_studio.processors.patch import Cable, Node, Patch, PatchError, Port

from .patches import cable, tone, wired

CHAIN = {"n": Node("FilteredNoise"), "g": Node("Gain"), "h": Node("Gain"), "o": Node("Output")}
PLAYED = {"v": Node("Voice"), "t": Node("Harmonic"), "m": Node("VoiceMixer"), "g": Node("Gain"), "p": Node("Pan")}

REFUSED = [
    (wired({"x": Node("Theremin")}), "x: processor type 'Theremin' is not installed"),
    (wired({"g": Node("Gain", version=9)}), "g: Gain is version 1 here, and the patch has version 9"),
    (wired({"g": Node("Gain", values={"volume": (1.0,)})}), "g.volume: Gain has no control 'volume'"),
    (wired({"g": Node("Gain", values={"gain": (99.0,)})}), "g.gain: gain takes -60 to 24 dB, got 99 dB"),
    (wired({"g": Node("Gain", values={"gain": (float("nan"),)})}), "g.gain: gain takes -60 to 24 dB, got nan dB"),
    (wired({"t": Node("Harmonic", options={"partials": 0})}), "t.partials: partials is a whole number from 1 to 512, got 0"),
    (wired({"t": Node("Harmonic", options={"voices": 1})}), "t.voices: Harmonic has no option 'voices'"),
    (
        wired(CHAIN, "n.audio -> g.input", "g.audio -> h.input", "h.audio -> g.input"),
        "the cables make a loop: g < h < g; use a Delay's own feedback",
    ),
    (wired(CHAIN, "g.audio -> g.input"), "g.input: a node cannot feed itself; use a Delay's own feedback"),
    (wired(CHAIN, "n.audio -> x.input"), "x.input: there is no node 'x'"),
    (wired(CHAIN, "n.sound -> g.input"), "n.sound: FilteredNoise has no outlet 'sound'"),
    (wired(CHAIN, "n.audio -> g.sound"), "g.sound: Gain has no inlet or control 'sound'"),
    (wired({**PLAYED}, "v.gate -> g.input"), "g.input: g.input takes audio, and v.gate gives control"),
    (wired({**PLAYED}, "t.audio -> g.level"), "g.level: g.level takes control, and t.audio gives audio"),
    (wired({**PLAYED}, cable("t.audio -> g.input", 0.5)), "g.input: g.input is no control, so a cable into it has no amount"),
    (wired({**PLAYED}, "v.f0 -> g.gain"), "g.gain: g.gain is in dB, and v.f0 gives Hz"),
    (wired({**PLAYED}, "v.gate -> g.gain"), "g.gain: g.gain is in dB, and v.gate gives plain numbers"),
    (wired({**PLAYED}, cable("v.f0 -> g.gain", 0.5)), "g.gain: g.gain is in dB, and v.f0 gives Hz; only plain numbers modulate"),
    (wired({**PLAYED}, cable("v.gate -> g.gain", 1.5)), "g.gain: a modulation amount is -1 to 1, got 1.5"),
    (wired({**PLAYED}, cable("v.gate -> g.gain", float("nan"))), "g.gain: a modulation amount is -1 to 1, got nan"),
    (wired({**PLAYED}, "v.gate -> g.level", "v.mod -> g.level"), "g.level: g.level is already set by v"),
    (wired({**PLAYED}, "t.amplitudes -> g.level"), "g.level: g.level has 1 channels, and t.amplitudes gives 64"),
    (wired({**PLAYED}, "v.f0 -> t.f0", "t.audio -> p.input"), "p: works on left and right, so it belongs after the VoiceMixer"),
    (
        wired({**PLAYED}, "v.f0 -> t.f0", "t.audio -> m.input", "m.audio -> g.input", "v.gate -> g.level"),
        "g.level: v.gate is per voice and cannot go past the VoiceMixer; mix the voices first",
    ),
    (
        wired({"m": Node("VoiceMixer"), "k": Node("VoiceMixer")}, "m.audio -> k.input"),
        "k: takes voices, but gets a signal that is already mixed",
    ),
    (wired({"o": Node("Output"), "q": Node("Output")}), "q: a patch has one Output, got 2: o, q"),
    (
        Patch(nodes={f"n{i}": Node("Gain") for i in range(MAX_NODES + 1)}),
        f"a patch has {MAX_NODES} nodes at most, got {MAX_NODES + 1}",
    ),
]


@pytest.mark.parametrize(("patch", "words"), REFUSED, ids=[words[:60] for _, words in REFUSED])
def test_a_bad_patch_is_refused_in_one_sentence(patch: Patch, words: str) -> None:
    with pytest.raises(PatchError) as refused:
        check(patch)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_good_patch_passes() -> None:
    check(tone())
    check(Patch())


def test_zones_follow_the_performance_and_the_mixer() -> None:
    found = zones(tone())
    assert {name for name, zone in found.items() if zone is Zone.FREE} == {"lfo", "air"}
    assert {name for name, zone in found.items() if zone is Zone.OUTPUT} == {"echo", "out"}


def test_order_puts_sources_first() -> None:
    patch = tone()
    place = {name: i for i, name in enumerate(order(patch))}
    assert all(place[c.source.node] < place[c.target.node] for c in patch.cables)
    assert set(place) == set(patch.nodes)


def test_a_chain_of_hundreds_does_not_recurse() -> None:
    names = [f"g{i}" for i in range(500)]
    cables = [f"{b}.audio -> {a}.input" for a, b in zip(names, names[1:], strict=False)]
    assert order(wired({name: Node("Gain") for name in names}, *cables)) == names[::-1]


def test_reachable_is_what_leads_to_the_output() -> None:
    patch = tone().with_node("idle", Node("Gain"))
    assert [name for name, heard in reachable(patch).items() if not heard] == ["idle"]


def test_refusal_answers_before_the_cable_is_made() -> None:
    patch = wired(CHAIN, "n.audio -> g.input", "g.audio -> h.input")
    assert refusal(patch, Port("h", "audio"), Port("o", "input")) is None
    assert "loop" in str(refusal(patch, Port("h", "audio"), Port("g", "input")))
    assert "takes audio" in str(refusal(wired(PLAYED), Port("v", "gate"), Port("g", "input")))


def test_natural_amounts() -> None:
    patch = wired(PLAYED)
    assert natural_amount(patch, Port("v", "f0"), Port("t", "f0")) is None
    assert natural_amount(patch, Port("v", "mod"), Port("t", "tilt")) == 0.5
    assert natural_amount(patch, Port("v", "mod"), Port("g", "level")) is None
    assert natural_amount(patch.with_cable(cable("v.gate -> g.level")), Port("v", "mod"), Port("g", "level")) == 0.5
    assert natural_amount(patch, Port("t", "audio"), Port("g", "input")) is None


def test_values_keep_what_a_new_channel_count_can_hold() -> None:
    node = Node("Harmonic", options={"partials": 3}, values={"distribution": (0.9, 0.8, 0.7, 0.6)})
    assert values_of(node)["distribution"] == (0.9, 0.8, 0.7)
    longer = Node("Harmonic", options={"partials": 4}, values={"distribution": (0.9,)})
    assert values_of(longer)["distribution"] == (0.9, *specs()["Harmonic"].controls["distribution"].defaults(4)[1:])


PORTS = [(name, port) for name, spec in specs().items() for port in (*spec.inlets, *spec.controls, *spec.outlets)]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PORTS), st.sampled_from(PORTS), st.sampled_from([None, 0.3])), max_size=12))
def test_any_wiring_is_played_or_refused_in_one_sentence(
    wires: list[tuple[tuple[str, str], tuple[str, str], float | None]],
) -> None:
    """What `refusal` lets through, one cable at a time, `check` accepts as a whole."""
    patch = Patch(nodes={name.lower(): Node(name, spec.version) for name, spec in specs().items()})
    for (a, out), (b, into), amount in wires:
        source, target = Port(a.lower(), out), Port(b.lower(), into)
        reason = refusal(patch, source, target, amount)
        if reason is None:
            wished = amount if amount is not None else natural_amount(patch, source, target)
            patch = patch.with_cable(Cable(source, target, wished))
        else:
            assert re.fullmatch(r"[^\n]{8,200}", reason)
    check(patch)
