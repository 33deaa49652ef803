"""The document: every verb is one undoable command, random editing never breaks the patch, files keep the stack."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ddsp_studio.processors.check import check
from ddsp_studio.processors.patch import Patch, PatchError
from ddsp_studio.ui.document import Document

from .fakes import SPECS, cable, port


def heard(signal, into: list) -> list:
    signal.connect(lambda *args: into.append(args))
    return into


def test_drag_previews_and_commits_once(document: Document) -> None:
    values = heard(document.value_changed, [])
    for hz in (500.0, 600.0, 700.0):
        document.preview_value("filter", "cutoff", [hz])
    assert [v[2] for v in values] == [(500.0,), (600.0,), (700.0,)] and document.undo_stack.count() == 0
    document.commit()
    assert document.undo_stack.count() == 1 and document.undo_stack.undoText() == "Set filter.cutoff"
    document.undo()
    assert values[-1] == ("filter", "cutoff", (1000.0,)) and document.patch.nodes["filter"].values == {}


def test_cancelled_drag_leaves_nothing(document: Document) -> None:
    before = document.patch
    document.preview_value("filter", "cutoff", [700.0])
    document.cancel()
    assert document.patch == before and document.undo_stack.count() == 0 and not document.dirty


def test_values_are_held_to_range_and_defaults_are_not_stored(document: Document) -> None:
    document.set_value("filter", "cutoff", [1e9])
    assert document.values("filter")["cutoff"] == (18_000.0,)
    document.set_value("filter", "cutoff", [1000.0])
    assert document.patch.nodes["filter"].values == {}


def test_no_number_is_refused(document: Document) -> None:
    refusals = heard(document.refused, [])
    document.set_value("filter", "cutoff", [float("nan")])
    assert refusals[0][:2] == ("filter", "cutoff") and "no number" in refusals[0][2]


def test_amount_is_no_structure(document: Document) -> None:
    structure, amounts = heard(document.structure_changed, []), heard(document.amount_changed, [])
    document.set_amount(port("lfo.out"), port("filter.cutoff"), -0.25)
    document.undo()
    assert not structure and amounts[-1] == ("lfo.out", "filter.cutoff", 0.5)


def test_removing_heals_the_audio_path(document: Document) -> None:
    document.remove(["filter"])
    assert cable("harmonic.out", "voice_mixer.audio") in document.patch.cables
    document.undo()
    assert document.selection == ("filter",)


def test_insert_new_node_on_cable(document: Document) -> None:
    name = document.add_node("Gain", (0.0, 0.0), cable=cable("harmonic.out", "filter.audio"))
    assert {cable("harmonic.out", "gain.audio"), cable("gain.out", "filter.audio")} <= set(document.patch.cables)
    assert document.selection == (name,) and document.undo_stack.undoText() == "Add gain"


def test_a_new_setting_cable_takes_the_place_of_the_old(document: Document) -> None:
    document.add_node("Voice", (0.0, 300.0))
    assert document.connect_ports(port("voice_2.f0_hz"), port("harmonic.f0"))
    assert [c.source for c in document.patch.into(port("harmonic.f0"))] == [port("voice_2.f0_hz")]


def test_cycle_is_refused_with_reason(document: Document) -> None:
    refusals = heard(document.refused, [])
    assert not document.connect_ports(port("filter.out"), port("filter.audio"))
    assert not document.connect_ports(port("adsr.out"), port("output.audio"))
    assert "cannot feed itself" in refusals[0][2] and "takes audio" in refusals[1][2]


def test_fewer_channels_drop_cables_that_no_longer_fit(document: Document) -> None:
    document.set_value("harmonic", "distribution", [1.0] * 24)
    document.set_option("harmonic", "partials", 8)
    assert len(document.values("harmonic")["distribution"]) == 8
    document.undo()
    assert document.values("harmonic")["distribution"] == (1.0,) * 24


def test_copy_paste_keeps_inner_cables(document: Document) -> None:
    names = document.paste(document.copy_text(["harmonic", "filter"]), at=(10.0, 900.0))
    assert names == ["harmonic_2", "filter_2"] and cable("harmonic_2.out", "filter_2.audio") in document.patch.cables
    assert document.patch.nodes["harmonic_2"].position == (10.0, 900.0) and set(document.selection) == set(names)


def test_there_is_one_output(document: Document) -> None:
    refusals = heard(document.refused, [])
    assert document.add_node("Output", (0.0, 0.0)) == "" and document.duplicate(["output"]) == []
    assert document.duplicate(["voice_mixer", "output"]) == ["voice_mixer_2"]
    assert [r[2] for r in refusals] == ["a patch has one Output"] * 2


def test_foreign_text_is_not_pasted(document: Document) -> None:
    refusals = heard(document.refused, [])
    assert document.paste("hello") == [] and refusals == [("", "", "the clipboard holds no nodes")]


def test_rename_follows_selection_and_cables(document: Document) -> None:
    document.select(["filter"])
    assert document.rename("filter", "warm") and document.selection == ("warm",)
    assert not document.rename("warm", "output")
    document.undo()
    assert document.selection == ("filter",) and document.undo_stack.redoText() == "Rename filter to warm"


def test_save_keeps_undo_and_open_failure_changes_nothing(document: Document, tmp_path: Path) -> None:
    document.move({"filter": (1.0, 2.0)})
    assert document.dirty
    document.save_as(tmp_path / "a.ddsp")
    assert not document.dirty and document.undo_stack.canUndo()
    (tmp_path / "bad.ddsp").write_text('{"format": ')
    before = document.patch
    with pytest.raises(PatchError, match="damaged"):
        document.open(tmp_path / "bad.ddsp")
    assert document.patch == before and document.path == tmp_path / "a.ddsp"
    document.open(tmp_path / "a.ddsp")
    assert document.patch == before and not document.dirty


def test_recovered_work_is_dirty(document: Document) -> None:
    document.recover(document.patch, None)
    assert document.dirty


class Editing:
    """Draws verbs and their arguments."""

    def __init__(self, data: st.DataObject, document: Document) -> None:
        self.data, self.document = data, document

    def draw(self, options):
        return self.data.draw(st.sampled_from(sorted(options)))

    def node(self) -> str:
        return self.draw(self.document.patch.nodes)

    def outlets(self) -> list[str]:
        return [f"{n}.{p}" for n, v in self.document.patch.nodes.items() for p in SPECS[v.type].outlets]

    def sockets(self) -> list[str]:
        return [
            f"{n}.{p}" for n, v in self.document.patch.nodes.items() for p in (*SPECS[v.type].inlets, *SPECS[v.type].controls)
        ]

    def step(self) -> None:
        document, patch = self.document, self.document.patch
        verbs = (
            ["add"]
            if not patch.nodes
            else ["add", "remove", "connect", "disconnect", "value", "option", "move", "rename", "flags", "duplicate", "insert"]
        )
        verb = self.draw(verbs)
        if verb == "add":
            document.add_node(self.draw(SPECS), (0.0, 0.0))
        elif verb == "remove":
            document.remove(self.data.draw(st.sets(st.sampled_from(sorted(patch.nodes)), max_size=3)))
        elif verb == "connect" and self.outlets() and self.sockets():
            document.connect_ports(port(self.draw(self.outlets())), port(self.draw(self.sockets())))
        elif verb in ("disconnect", "insert") and patch.cables:
            chosen = self.data.draw(st.sampled_from(patch.cables))
            document.disconnect_cables([chosen]) if verb == "disconnect" else document.insert(self.node(), chosen)
        elif verb == "value":
            self.value()
        elif verb == "option" and "harmonic" in patch.nodes:
            document.set_option("harmonic", "partials", self.data.draw(st.integers(-2, 110)))
        elif verb == "move":
            document.move({self.node(): (self.data.draw(st.floats(-99, 99)), 0.0)})
        elif verb == "rename":
            document.rename(self.node(), self.data.draw(st.sampled_from(["one", "two", "3 bad"])))
        elif verb == "flags":
            document.bypass([self.node()], self.data.draw(st.booleans()))
            document.mute([self.node()], self.data.draw(st.booleans()))
        elif verb == "duplicate":
            document.duplicate([self.node()])

    def value(self) -> None:
        node = self.node()
        if controls := SPECS[self.document.patch.nodes[node].type].controls:
            control = self.draw(controls)
            self.document.set_value(node, control, [self.data.draw(st.floats(-1e6, 1e6))])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), steps=st.integers(1, 14))
def test_random_editing_stays_valid_and_undo_is_exact(
    document: Document, instrument: Patch, data: st.DataObject, steps: int
) -> None:
    document.new(instrument)
    editing, seen = Editing(data, document), {0: document.patch}
    for _ in range(steps):
        editing.step()
        seen[document.undo_stack.index()] = document.patch
        check(document.patch)
    top = document.undo_stack.index()
    for index in range(top - 1, -1, -1):
        document.undo()
        assert index not in seen or document.patch == seen[index]
    for index in range(1, top + 1):
        document.redo()
        assert index not in seen or document.patch == seen[index]
