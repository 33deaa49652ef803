"""Groups: what they hold is what sounds; files, levels, ports, and patches that need what is not installed."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_studio.contract.stimulus import performance
from ddsp_studio.dsp.tensor import tf
from ddsp_studio.processors import nesting
from ddsp_studio.processors.check import MAX_NODES, check, natural_amount, refusal, values_of, zones
from ddsp_studio.processors.group import ProcessorGroup
from ddsp_studio.processors.grouping import (
    as_group,
    grouped,
    port_hidden,
    port_placed,
    port_renamed,
    port_shown,
    saved_group,
    ungrouped,
)
from ddsp_studio.processors.nesting import MAX_DEPTH, absent, check_groups, deep, expand, playable, sheet_of, surface
from ddsp_studio.processors.patch import Cable, Exposed, Inside, Node, Patch, PatchError, Port
from ddsp_studio.processors.patch_file import dumps, from_json, loads, to_json

from .patches import cable, tone, wired

VOICE = ("bend", "tone", "level", "filter", "env")


def strings() -> Patch:
    """The tone with its voice in a group."""
    patch, name, _ = grouped(tone(), VOICE)
    return patch.renamed(name, "strings")


def port(text: str) -> Port:
    node, _, name = text.rpartition(".")
    return Port(node, name)


def flat_form(patch: Patch, prefix: str = "") -> tuple[object, object]:
    """Nodes and cables with a group's name taken off."""
    nodes = {name.removeprefix(prefix): replace(node, position=(0.0, 0.0)) for name, node in patch.nodes.items()}
    return nodes, {(str(c.source).removeprefix(prefix), str(c.target).removeprefix(prefix), c.amount) for c in patch.cables}


# -- grouping ---------------------------------------------------------------------------------------------------------------


def test_a_group_shows_the_ports_by_which_its_nodes_hang_on_others() -> None:
    patch = strings()
    shown = {e.name: str(e.port) for e in patch.nodes["strings"].inside.ports}
    assert shown == {
        "f0": "bend.f0",
        "bend": "bend.bend",
        "gate": "env.gate",
        "trigger": "env.trigger",
        "input": "level.input",
        "cutoff": "filter.cutoff",
        "audio": "filter.audio",
    }
    check(patch)
    assert set(patch.nodes) == {"voice", "lfo", "strings", "air", "mixer", "echo", "out"}


def test_what_a_group_holds_is_what_is_played() -> None:
    patch = strings()
    assert flat_form(expand(patch), "strings/") == flat_form(tone())
    assert {n.removeprefix("strings/"): z for n, z in zones(patch).items()} == zones(tone())
    assert expand(tone()) is not None and expand(expand(patch)) == expand(patch)


def test_ungrouping_restores_the_patch() -> None:
    patch, names, _ = ungrouped(strings(), "strings")
    assert patch.nodes == tone().nodes and set(patch.cables) == set(tone().cables)
    assert names == [n for n in tone().nodes if n in VOICE]


def test_names_that_are_taken_outside_get_a_number() -> None:
    patch = strings().with_node("tone", Node("Gain"))
    flat, names, _ = ungrouped(patch, "strings")
    assert "tone_2" in names and flat.nodes["tone"].type == "Gain" and flat.nodes["tone_2"].type == "Harmonic"
    assert cable("bend.out -> tone_2.f0") in flat.cables


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sets(st.sampled_from(sorted(tone().nodes)), min_size=1), min_size=1, max_size=4))
def test_grouping_again_and_again_never_changes_what_is_played(choices: list[set[str]]) -> None:
    patch, whole = tone(), dict(tone().nodes)
    for chosen in choices:
        held = [n for n in patch.nodes if n in chosen or patch.nodes[n].inside is not None]
        if any(patch.nodes[n].type != "Output" for n in held):
            patch, _, _ = grouped(patch, held)
    check(patch)
    flat = expand(patch)
    last = {name.split("/")[-1]: replace(node, position=(0.0, 0.0)) for name, node in flat.nodes.items()}
    assert last == whole
    ends = {(c.source.node.split("/")[-1], c.target.node.split("/")[-1], c.amount) for c in flat.cables}
    assert ends == {(c.source.node, c.target.node, c.amount) for c in tone().cables}
    assert loads(dumps(patch)) == patch
    while groups := [n for n, node in patch.nodes.items() if node.inside is not None]:
        patch, _, _ = ungrouped(patch, groups[0])
    assert patch.nodes == whole and set(patch.cables) == set(tone().cables)


def test_the_output_stays_outside() -> None:
    patch, name, _ = grouped(tone(), tone().nodes)
    assert set(patch.nodes) == {name, "out"}
    with pytest.raises(PatchError, match="the Output stays outside"):
        grouped(tone(), ["out"])


# -- data sheets and values --------------------------------------------------------------------------------------------------


def test_the_data_sheet_is_made_of_the_inner_declarations() -> None:
    spec = sheet_of(strings().nodes["strings"])
    assert list(spec.inlets) == ["input"] and list(spec.outlets) == ["audio"]
    assert spec.controls["cutoff"].unit == "Hz" and spec.controls["f0"].high == 16_000.0
    patch = port_shown(strings(), "strings", Port("tone", "distribution"))
    spec = sheet_of(patch.nodes["strings"])
    assert spec.channels("distribution") == 12 and len(spec.controls["distribution"].defaults(12)) == 12


def test_a_groups_values_are_those_of_its_inner_nodes() -> None:
    assert values_of(strings().nodes["strings"])["cutoff"] == (1500.0,)


def test_hashes_follow_what_is_inside() -> None:
    patch = strings()
    inner = patch.nodes["strings"].inside.patch
    other = nesting.with_level(patch, ("strings",), inner.with_value("filter", "cutoff", (300.0,)))
    assert other.structure() == patch.structure() and other.content_hash() != patch.content_hash()
    assert nesting.with_level(patch, ("strings",), inner.without_nodes(["env"])).structure() != patch.structure()
    assert "filter: Filter" in str(patch) and "cutoff = filter.cutoff" in str(patch)


# -- cables ------------------------------------------------------------------------------------------------------------------


def test_cables_to_groups_are_judged_and_named_by_what_they_reach() -> None:
    patch = strings()
    assert refusal(patch, port("lfo.out"), port("strings.input")) == "strings/level.input takes audio, and lfo.out gives control"
    assert "loop" in refusal(patch, port("strings.audio"), port("strings.input"))
    assert refusal(patch, port("voice.mod"), port("strings.cutoff")) is None
    assert natural_amount(patch, port("voice.mod"), port("strings.cutoff")) == 0.5
    assert "shows no port 'x'" in refusal(patch, port("lfo.out"), port("strings.x"))
    driven = port_shown(patch, "strings", Port("tone", "f0"))
    reason = refusal(driven, port("voice.f0"), port("strings.tone_f0"))
    assert reason == "strings/tone.f0 is already set by strings/bend.out"


def test_two_ways_through_a_group_are_no_loop() -> None:
    nodes = {"n": Node("FilteredNoise"), "a": Node("Gain"), "b": Node("Gain"), "c": Node("Gain"), "o": Node("Output")}
    chain = wired(nodes, "n.audio -> a.input", "a.audio -> b.input", "b.audio -> c.input", "c.audio -> o.input")
    patch, _, _ = grouped(chain, ["a", "c"])
    check(patch)
    assert flat_form(expand(patch), "group/") == flat_form(chain)


def test_a_muted_group_gives_no_audio_and_a_bypassed_one_leaves_a_way() -> None:
    patch = strings()
    muted = expand(patch.with_node("strings", replace(patch.nodes["strings"], muted=True)))
    assert muted.nodes["strings/filter"].muted and not muted.nodes["strings/env"].muted
    passed = expand(patch.with_node("strings", replace(patch.nodes["strings"], bypassed=True)))
    assert "strings/filter" not in passed.nodes and cable("air.audio -> mixer.input") in passed.cables
    check(passed)
    whole, name, _ = grouped(tone(), [*VOICE, "mixer"])
    mixing = replace(whole.nodes[name], bypassed=True)
    assert nesting.holds_mixer(mixing) and expand(whole.with_node(name, mixing)) == expand(whole)


# -- ports -------------------------------------------------------------------------------------------------------------------


def test_ports_are_shown_renamed_placed_and_hidden() -> None:
    patch = port_shown(strings(), "strings", Port("env", "attack"))
    assert patch.nodes["strings"].inside.ports[-1] == Exposed("attack", Port("env", "attack"))
    patch, moved = port_renamed(patch, "strings", "cutoff", "brightness")
    assert cable("lfo.out -> strings.brightness", 0.1) in patch.cables and moved(port("strings.cutoff")) == port(
        "strings.brightness"
    )
    patch = port_placed(patch, "strings", "attack", -1)
    assert [e.name for e in patch.nodes["strings"].inside.ports][-2:] == ["attack", "audio"]
    patch = port_hidden(patch, "strings", "brightness")
    assert not patch.into(port("strings.brightness"))
    check(patch)
    for new, words in (("f0", "is taken by another port"), ("two words", "a letter followed by letters")):
        with pytest.raises(PatchError, match=words):
            port_renamed(patch, "strings", "gate", new)


def test_inner_edits_take_their_ports_and_cables_along() -> None:
    patch = strings()
    inner = patch.nodes["strings"].inside.patch
    gone = nesting.with_level(patch, ("strings",), inner.without_nodes(["filter"]))
    assert gone.nodes["strings"].inside.port("cutoff") is None and not gone.into(port("strings.cutoff"))
    check(gone)
    renamed = nesting.with_level(
        patch,
        ("strings",),
        inner.renamed("filter", "body"),
        lambda p: Port("body", p.name) if p.node == "filter" else p,
    )
    assert renamed.nodes["strings"].inside.port("cutoff") == Port("body", "cutoff") and len(renamed.cables) == len(patch.cables)


def nested() -> Patch:
    patch, name, _ = grouped(strings(), ["strings", "air"])
    return patch.renamed(name, "section")


def test_levels_and_names_lead_in_and_out() -> None:
    patch = nested()
    assert set(expand(patch).nodes) >= {"section/strings/filter", "section/air"}
    path = ("section", "strings")
    assert nesting.existing(patch, (*path, "filter")) == path and nesting.existing(patch, ("x",)) == ()
    assert "filter" in nesting.level(patch, path).nodes and nesting.depth(patch) == 2
    far = deep(patch, port("section.cutoff"))
    assert str(far) == "section/strings/filter.cutoff"
    assert surface(patch, (), far) == port("section.cutoff")
    assert surface(patch, ("section",), far) == port("strings.cutoff")
    assert surface(patch, path, far) == port("filter.cutoff")
    assert surface(patch, (), Port("section/strings/env", "attack")) is None
    assert surface(patch, ("x",), far) is None
    assert nesting.at_level((), far.node) == "section" and nesting.at_level(path, far.node) == "filter"
    assert nesting.at_level(path, "voice") == ""


def test_a_node_is_found_and_changed_by_the_name_it_is_played_under() -> None:
    patch, name = nested(), "section/strings/filter"
    node = nesting.node_at(patch, name)
    assert node is not None and node.type == "Filter"
    changed = nesting.with_node_at(patch, name, replace(node, options={"mode": "high"}))
    assert expand(changed).nodes[name].options == {"mode": "high"} and len(changed.cables) == len(patch.cables)
    assert nesting.node_at(patch, "section/none/filter") is None and nesting.node_at(patch, "none") is None


def test_an_inner_port_that_goes_is_gone_at_every_level() -> None:
    patch = nested()
    inner = nesting.level(patch, ("section", "strings")).without_nodes(["filter"])
    changed = nesting.with_level(patch, ("section", "strings"), inner)
    assert changed.nodes["section"].inside.port("cutoff") is None and not changed.into(port("section.cutoff"))
    check(changed)


# -- patches as groups -------------------------------------------------------------------------------------------------------


def test_a_patch_is_inserted_as_a_group_and_a_saved_group_comes_back() -> None:
    node = as_group(replace(tone(), name="Tone"))
    assert node.label == "Tone" and [e.name for e in node.inside.ports] == ["audio"] and "out" not in node.inside.patch.nodes
    patch = wired({"a": node, "b": node, "o": Node("Output")}, "a.audio -> o.input", "b.audio -> o.input")
    check(patch)
    saved = saved_group("strings", strings().nodes["strings"])
    assert saved.name == "Strings" and as_group(loads(dumps(saved))).inside == strings().nodes["strings"].inside
    with pytest.raises(PatchError, match="holds no nodes"):
        as_group(Patch(name="Nothing"))


def test_a_free_effect_becomes_a_group_with_audio_ports() -> None:
    node = as_group(wired({"g": Node("Gain"), "d": Node("Delay", 2)}, "g.audio -> d.input"))
    assert {e.name: str(e.port) for e in node.inside.ports} == {"input": "g.input", "audio": "d.audio"}


# -- files -------------------------------------------------------------------------------------------------------------------


def test_files_hold_groups_and_old_ones_stay_readable() -> None:
    patch = nested()
    assert to_json(patch)["schema"] == 2 and to_json(tone())["schema"] == 1
    back = loads(dumps(patch))
    assert back == patch and back.content_hash() == patch.content_hash()
    assert from_json({**to_json(tone()), "schema": 1}) == tone()


def hostile(node: dict[str, object]) -> str:
    return json.dumps({"format": "ddsp_studio patch", "schema": 2, "nodes": {"g": node}, "cables": []})


def deepest(levels: int) -> dict[str, object]:
    node: dict[str, object] = {"type": "Gain"}
    for _ in range(levels):
        node = {"type": "Group", "inside": {"nodes": {"g": node}, "cables": []}}
    return node


def bushy() -> dict[str, object]:
    leaves = {f"n{i}": {"type": "Gain"} for i in range(30)}
    groups = {f"g{i}": {"type": "Group", "inside": {"nodes": leaves, "cables": []}} for i in range(30)}
    return {"type": "Group", "inside": {"nodes": groups, "cables": []}}


def with_ports(ports: object) -> dict[str, object]:
    return {"type": "Group", "inside": {"nodes": {"a": {"type": "Gain"}}, "cables": [], "ports": ports}}


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (deepest(MAX_DEPTH + 1), f"groups nest {MAX_DEPTH} deep at most"),
        (deepest(300), f"groups nest {MAX_DEPTH} deep at most"),
        (bushy(), f"a patch has {MAX_NODES} nodes at most, those in groups included, got 931"),
        ({"type": "Gain", "inside": {"nodes": {}}}, "g: only a Group has something inside"),
        ({"type": "Group", "inside": [1]}, "nodes and cables are written as a JSON object"),
        (with_ports([1]), "g: the ports of a group are an object"),
        (with_ports({"x": 1}), "g: a port of a group is a name and the node.port it stands for, got 'x'"),
        (with_ports({"a b": "a.gain"}), "g: a port of a group is a name"),
        (with_ports({"x": "a/b.gain"}), "a port is written node.port, got 'a/b.gain'"),
        (with_ports({"x": "b.gain"}), "g.x: shows a port of the node 'b', which the group has not"),
    ],
)
def test_a_hostile_group_is_refused_in_one_sentence(node: dict[str, object], words: str) -> None:
    with pytest.raises(PatchError) as refused:
        loads(hostile(node))
    assert words in str(refused.value) and "\n" not in str(refused.value)


def test_the_deepest_group_is_read() -> None:
    patch = loads(hostile(deepest(MAX_DEPTH)))
    check(patch)
    assert nesting.depth(patch) == MAX_DEPTH


@pytest.mark.parametrize(
    ("ports", "wires", "words"),
    [
        ({"x": "a.volume"}, [], "g.x: shows a.volume, which the group has not"),
        ({}, ["n.audio -> g.input"], "g.input: the group 'g' shows no port 'input'"),
    ],
)
def test_a_group_whose_ports_are_not_there_is_refused(ports: dict[str, str], wires: list[str], words: str) -> None:
    inside = Inside(wired({"a": Node("Gain")}), tuple(Exposed(k, Port.parse(v)) for k, v in ports.items()))
    with pytest.raises(PatchError, match=words):
        check(wired({"n": Node("FilteredNoise"), "g": Node("Group", inside=inside)}, *wires))
    with pytest.raises(PatchError, match="deep at most"):
        check_groups(wrapped(MAX_DEPTH + 1))


def wrapped(levels: int) -> Patch:
    patch = wired({"a": Node("Gain")})
    for _ in range(levels):
        patch, _, _ = grouped(patch, patch.nodes)
    return patch


# -- what is not installed ---------------------------------------------------------------------------------------------------


def theremin() -> Patch:
    """The tone through an effect from a package that is not here."""
    strange = Node("Theremin", version=3, values={"wave": (0.3, 0.4)}, options={"tubes": 2}, package="theremins")
    patch = tone().without_cables([cable("mixer.audio -> echo.input")]).with_node("strange", strange)
    for wire in (
        cable("mixer.audio -> strange.sound"),
        cable("strange.out -> echo.input"),
        cable("lfo.out -> strange.wave", 0.4),
    ):
        patch = patch.with_cable(wire)
    return patch


def test_a_missing_effect_is_kept_named_and_passed_by() -> None:
    patch = theremin()
    assert absent(patch) == {"strange": "processor type 'Theremin' is not installed; it comes with theremins"}
    with pytest.raises(PatchError, match="^strange: processor type 'Theremin' is not installed; it comes with theremins$"):
        check(patch)
    assert flat_form(playable(patch)) == flat_form(tone())
    check(playable(patch))
    back = loads(dumps(patch))
    assert back == patch and back.nodes["strange"].package == "theremins" and dumps(back) == dumps(patch)


def test_a_missing_source_is_silent_and_missing_nodes_in_a_row_are_passed_by() -> None:
    patch = theremin().with_node("again", Node("Theremin"))
    patch = patch.without_cables([cable("strange.out -> echo.input")])
    patch = patch.with_cable(cable("strange.out -> again.sound")).with_cable(cable("again.out -> echo.input"))
    assert cable("mixer.audio -> echo.input") in playable(patch).cables
    alone = tone().with_node("strange", Node("Theremin")).with_cable(cable("strange.out -> level.input"))
    assert flat_form(playable(alone)) == flat_form(tone())


def test_what_may_not_be_joined_is_not_joined_round_a_missing_node() -> None:
    patch = tone().without_nodes(["mixer"]).with_node("mixer", Node("Theremin"))
    patch = patch.with_cable(cable("filter.audio -> mixer.x")).with_cable(cable("mixer.y -> echo.input"))
    patch = patch.with_node("pan", Node("Pan")).with_cable(cable("mixer.y -> pan.input"))
    check(playable(patch))
    assert not playable(patch).into(port("pan.input"))


def test_a_newer_version_is_marked_too_and_a_group_may_hold_both() -> None:
    patch = tone().with_node("echo", replace(tone().nodes["echo"], version=9))
    assert "is version" in absent(patch)["echo"] and sheet_of(patch.nodes["echo"]) is None
    assert cable("mixer.audio -> out.input") in playable(patch).cables
    within, name, _ = grouped(theremin(), ["strange", "echo"])
    assert absent(within) == {f"{name}/strange": absent(theremin())["strange"]}
    assert Cable(port("mixer.audio"), port(f"{name}/echo.input")) in playable(within).cables
    assert loads(dumps(within)) == within


def calm() -> Patch:
    """The tone without its noise, which is another one under another name."""
    return tone().without_nodes(["air"])


def calm_nested() -> Patch:
    return nesting.with_level(nested(), ("section",), nesting.level(nested(), ("section",)).without_nodes(["air"]))


def test_a_nested_patch_sounds_as_it_does_without_its_walls() -> None:
    from .test_group import fresh, played

    one, other = played(fresh(calm_nested()), [5, 3]), played(fresh(calm()), [8])
    assert np.max(np.abs(other)) > 0.01 and np.max(np.abs(one - other)) < 1e-5


def test_gradients_reach_into_groups_for_any_split() -> None:
    """A nested patch is a processor as a flat one is: outputs and gradients are the flat one's, in one block or in three."""
    from .test_group import RATE, fresh

    found = {}
    for name, patch, sizes in (("flat", calm(), [8]), ("nested", calm_nested(), [8]), ("split", calm_nested(), [3, 1, 4])):
        group, player = ProcessorGroup(patch, sample_rate=RATE, playing=False), fresh(patch)
        held = tf.constant(np.tile(player._encoded(player.values[None]), (8, 1)))
        notes = tf.constant(performance(np.random.default_rng(2), 2, 8))
        state, begin, audio = group.start(2), 0, []
        with tf.GradientTape() as tape:
            tape.watch(held)
            for size in sizes:
                out, state = group.process(state, held[begin : begin + size], notes[:, begin : begin + size])
                audio.append(out.audio)
                begin += size
            loss = tf.reduce_sum(tf.square(tf.concat(audio, axis=1)))
        slope = tape.gradient(loss, held).numpy()
        column = next(c.columns for key, c in group.columns.items() if key.endswith("tone.distribution"))
        found[name] = slope[:, column]
    assert np.max(np.abs(found["flat"])) > 1e-4
    for name in ("nested", "split"):
        assert np.max(np.abs(found[name] - found["flat"])) < 1e-3 * np.max(np.abs(found["flat"]))
