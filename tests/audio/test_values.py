"""Knobs by name: those of groups reach the inner nodes, in the running patch and in the one that is kept."""

from __future__ import annotations

import pytest

from ddsp_studio.audio.values import check_amount, check_value, patch_values, structure_key, with_values
from ddsp_studio.processors.check import values_of
from ddsp_studio.processors.grouping import grouped
from ddsp_studio.processors.nesting import level
from ddsp_studio.processors.patch import Cable, Node, Patch, PatchError, Port


def chain() -> Patch:
    patch = Patch(nodes={"lfo": Node("Lfo", 2), "noise": Node("FilteredNoise"), "filter": Node("Filter"), "out": Node("Output")})
    for source, target, amount in (
        ("noise.audio", "filter.input", None),
        ("filter.audio", "out.input", None),
        ("lfo.out", "filter.cutoff", 0.25),
    ):
        patch = patch.with_cable(Cable(Port.parse(source), Port.parse(target), amount))
    return patch


@pytest.fixture
def patch() -> Patch:
    return grouped(chain(), ["filter"])[0]


def test_values_are_named_as_they_are_played(patch: Patch) -> None:
    held = patch_values(patch)
    assert held["group/filter.cutoff"] == values_of(Node("Filter"))["cutoff"]
    assert held["lfo.out->group/filter.cutoff"] == (0.25,)


def test_a_knob_of_a_group_is_a_knob_of_its_inner_node(patch: Patch) -> None:
    assert check_value(patch, "group", "cutoff", (500.0,)) == "group/filter.cutoff"
    assert check_value(patch, "group/filter", "resonance", (2.0,)) == "group/filter.resonance"
    assert check_amount(patch, "lfo.out", "group/filter.cutoff", 0.5) == "lfo.out->group/filter.cutoff"
    for node, control, words in (
        ("group", "resonance", "the group 'group' shows no port 'resonance'"),
        ("group/x", "gain", "there is no node 'group/x'"),
        ("group/filter", "x", "Filter has no control 'x'"),
    ):
        with pytest.raises(PatchError, match=words):
            check_value(patch, node, control, (1.0,))
    with pytest.raises(PatchError, match="takes 20 to"):
        check_value(patch, "group", "cutoff", (1.0,))
    with pytest.raises(PatchError, match="there is no modulation"):
        check_amount(patch, "lfo.out", "group.cutoff", 0.5)


def test_moved_values_are_kept_inside(patch: Patch) -> None:
    moved = with_values(patch, {"group/filter.cutoff": (321.0,), "lfo.out->group/filter.cutoff": (-0.5,), "gone.x": (1.0,)})
    assert level(moved, ("group",)).nodes["filter"].values["cutoff"] == (321.0,)
    assert [c.amount for c in moved.into(Port("group", "cutoff"))] == [-0.5]
    assert structure_key(moved) == structure_key(patch) and list(moved.nodes) == list(patch.nodes)


def test_missing_nodes_have_no_values_and_keep_theirs() -> None:
    patch = chain().with_node("strange", Node("Theremin", values={"x": (1.0,)}))
    assert not any(name.startswith("strange") for name in patch_values(patch))
    assert with_values(patch, {"strange.x": (2.0,)}).nodes["strange"].values == {"x": (1.0,)}
    assert structure_key(patch) == structure_key(chain())
