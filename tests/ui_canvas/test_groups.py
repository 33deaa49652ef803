"""Groups on the canvas: made, opened, edited inside, taken apart; every edit undone exactly; what is missing is marked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QLineEdit, QMenu, QToolButton

from ddsp_studio.processors import nesting
from ddsp_studio.processors.check import check
from ddsp_studio.processors.nesting import expand
from ddsp_studio.processors.patch import Node, Patch
from ddsp_studio.ui.canvas import menus, tips
from ddsp_studio.ui.canvas.arrange import natural_places
from ddsp_studio.ui.canvas.editor import PatchEditor
from ddsp_studio.ui.canvas.scene import Hit, Under
from ddsp_studio.ui.document import Document
from ddsp_studio.ui.inspector.inspector import Inspector
from ddsp_studio.ui.inspector.node_page import NodePage
from ddsp_studio.ui.inspector.ports import LevelPage, PortRow
from ddsp_studio.ui.widgets.type_in import TypeIn

from .fakes import cable, port
from .hand import CTRL, SHIFT, Hand
from .test_document import heard


@pytest.fixture
def hand(qtbot, document: Document) -> Iterator[Hand]:
    editor = PatchEditor(document)
    qtbot.addWidget(editor)
    editor.resize(1400, 900)
    editor.show()
    editor.frame_all()
    yield Hand(editor)
    editor.view.cancel_gesture()


@pytest.fixture
def voice(document: Document) -> str:
    """A group of the tone's envelope, oscillator and filter."""
    name = document.group(["adsr", "harmonic", "filter"])
    assert document.rename(name, "tone")
    return "tone"


def ports(document: Document, group: str = "tone") -> list[str]:
    return [shown.name for shown in document.patch.nodes[group].inside.ports]


# -- making and opening ------------------------------------------------------------------------------------------------------


def test_ctrl_g_groups_and_ctrl_shift_g_takes_apart(hand: Hand, document: Document, instrument: Patch) -> None:
    document.select(["adsr", "harmonic", "filter"])
    hand.key(Qt.Key.Key_G, CTRL)
    assert document.selection == ("group",) and document.undo_stack.undoText() == "Group 3 nodes"
    assert ports(document, "group") == ["f0", "gate", "cutoff", "out"]
    assert set(hand.scene.nodes) == {"voice", "lfo", "group", "voice_mixer", "output"}
    hand.key(Qt.Key.Key_G, CTRL | SHIFT)
    assert document.patch.nodes == instrument.nodes and set(document.patch.cables) == set(instrument.cables)
    assert set(document.selection) == {"adsr", "harmonic", "filter"}
    document.undo()
    assert document.selection == ("group",)
    document.undo()
    assert document.patch == instrument


def test_grouping_is_no_edit_of_the_sound(document: Document, instrument: Patch) -> None:
    document.group(["adsr", "harmonic", "filter"])
    assert len(expand(document.patch).nodes) == len(instrument.nodes)
    check(document.patch)


def test_nothing_to_group_or_ungroup_is_said(hand: Hand, document: Document) -> None:
    document.select(["output"])
    hand.key(Qt.Key.Key_G, CTRL)
    assert "the Output stays outside" in hand.view.hint_text
    hand.key(Qt.Key.Key_G, CTRL | SHIFT)
    assert "select a group" in hand.view.hint_text and document.undo_stack.count() == 0


def test_a_double_click_opens_and_the_breadcrumb_leads_back(hand: Hand, document: Document, voice: str) -> None:
    hand.editor.frame_all()
    hand.view.zoom_by(1.4, QPointF(200.0, 200.0))
    outlook = hand.view.outlook()
    hand.double_click(hand.title("tone"))
    assert document.inside == ("tone",) and set(hand.scene.nodes) == {"adsr", "harmonic", "filter"}
    assert hand.editor.breadcrumb.isVisible() and [t for t in hand.editor.breadcrumb.texts() if t not in "‹›"][:2] == [
        "Test",
        "tone",
    ]
    buttons = hand.editor.breadcrumb.findChildren(QToolButton)
    next(b for b in buttons if b.text() == "Test" and b.isVisible()).click()
    assert document.inside == () and document.selection == ("tone",) and not hand.editor.breadcrumb.isVisible()
    assert hand.view.outlook()[0] == pytest.approx(outlook[0])
    assert (hand.view.outlook()[1] - outlook[1]).manhattanLength() < 3.0


def test_enter_opens_and_escape_leaves(hand: Hand, document: Document, voice: str) -> None:
    document.select(["tone"])
    hand.key(Qt.Key.Key_Return)
    assert document.inside == ("tone",)
    document.select(["filter"])
    hand.key(Qt.Key.Key_Escape)
    assert document.inside == ("tone",) and document.selection == ()
    hand.key(Qt.Key.Key_Escape)
    assert document.inside == ()
    hand.editor.open_group()
    assert document.inside == ("tone",)
    hand.editor.leave_group()
    assert document.inside == () and not document.leave() and not document.enter("lfo")


def test_f2_renames_a_group(hand: Hand, document: Document, voice: str, qtbot) -> None:
    document.select(["tone"])
    hand.key(Qt.Key.Key_F2)
    editor = hand.view.viewport().findChildren(TypeIn)[-1]
    editor.setText("strings")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert "strings" in document.patch.nodes and cable("voice.gate", "strings.gate") in document.patch.cables


# -- editing inside ----------------------------------------------------------------------------------------------------------


def test_edits_inside_are_edits_of_the_whole_and_undo_shows_where(document: Document, voice: str) -> None:
    told = heard(document.value_changed, [])
    document.enter("tone")
    document.set_value("filter", "cutoff", [500.0])
    assert told[-1] == ("tone/filter", "cutoff", (500.0,))
    document.move({"filter": (10.0, 20.0)})
    assert nesting.level(document.patch, ("tone",)).nodes["filter"].position == (10.0, 20.0)
    document.leave()
    document.undo()
    assert document.inside == ("tone",)
    document.undo()
    assert told[-1] == ("tone/filter", "cutoff", (1000.0,)) and document.inside == ("tone",)
    document.undo()
    document.undo()
    assert document.inside == () and "filter" in document.patch.nodes


def test_a_knob_of_the_group_is_the_inner_one(hand: Hand, document: Document, voice: str) -> None:
    told, structure = heard(document.value_changed, []), heard(document.structure_changed, [])
    start = hand.row("tone", "cutoff")
    hand.drag(start, start - QPointF(0.0, 30.0 / hand.view.zoom()))
    raised = document.values("tone")["cutoff"][0]
    assert raised > 1500.0 and told[-1][:2] == ("tone/filter", "cutoff") and not structure
    assert document.undo_stack.undoText() == "Set tone.cutoff"
    document.enter("tone")
    assert document.values("filter")["cutoff"] == (raised,)
    told.clear()
    document.preview_value("filter", "cutoff", [600.0])
    assert hand.scene.nodes["filter"].values["cutoff"] == (600.0,)
    document.cancel()
    assert told[-1] == ("tone/filter", "cutoff", (raised,))


def test_amounts_are_told_by_what_they_reach(hand: Hand, document: Document, voice: str) -> None:
    told = heard(document.amount_changed, [])
    document.preview_amount(port("lfo.out"), port("tone.cutoff"), 0.1)
    assert told == [("lfo.out", "tone/filter.cutoff", 0.1)]
    assert hand.scene.cables[port("lfo.out"), port("tone.cutoff")].cable.amount == 0.1
    assert hand.scene.nodes["tone"].depths == {"cutoff": (0.1,)}
    document.commit()
    document.undo()
    assert told[-1] == ("lfo.out", "tone/filter.cutoff", 0.5)


def test_removing_inside_heals_the_group(document: Document, voice: str) -> None:
    document.enter("tone")
    document.remove(["filter"])
    document.leave()
    inside = document.patch.nodes["tone"].inside
    assert inside.port("out") == port("harmonic.out") and inside.port("cutoff") is None
    assert cable("tone.out", "voice_mixer.audio") in document.patch.cables
    assert not document.patch.into(port("tone.cutoff"))
    document.undo()
    assert ports(document) == ["f0", "gate", "cutoff", "out"] and document.patch.into(port("tone.cutoff"))


def test_renaming_inside_keeps_the_ports(document: Document, voice: str) -> None:
    document.enter("tone")
    document.rename("filter", "body")
    assert document.patch.nodes["tone"].inside.port("cutoff") == port("body.cutoff")
    assert len(document.patch.into(port("tone.cutoff"))) == 1


def test_the_output_stays_outside(document: Document, voice: str) -> None:
    refusals = heard(document.refused, [])
    text = document.copy_text(["output"])
    document.enter("tone")
    assert not document.takes_output and document.add_node("Output", (0.0, 0.0)) == ""
    assert refusals[-1][2] == "the Output stays outside of groups" and document.paste(text) == []


def test_what_is_per_voice_outside_is_per_voice_inside(document: Document) -> None:
    """A cable that only the whole patch shows to be wrong is refused inside."""
    document.add_node("Gain", (900.0, 300.0), cable=cable("voice_mixer.out", "output.audio"))
    document.group(["gain", "harmonic"])
    document.enter("group")
    reason = document.why_not(port("harmonic.out"), port("gain.audio"))
    assert reason is not None and ("per voice" in reason or "loop" in reason)
    refusals = heard(document.refused, [])
    before = document.patch
    assert not document.connect_ports(port("harmonic.out"), port("gain.audio")) and document.patch == before
    assert refusals[-1][2] == reason


def test_copies_and_pastes_of_groups_hold_their_inside(hand: Hand, document: Document, voice: str) -> None:
    document.select(["tone"])
    hand.editor.duplicate()
    assert document.selection == ("tone_2",) and document.patch.nodes["tone_2"].inside == document.patch.nodes["tone"].inside
    document.enter("tone")
    hand.editor.select_all()
    hand.editor.copy()
    document.leave()
    hand.editor.paste()
    assert cable("harmonic.out", "filter.audio") in document.patch.cables


def test_groups_that_would_nest_too_deep_are_refused(document: Document) -> None:
    refusals = heard(document.refused, [])
    for _ in range(nesting.MAX_DEPTH):
        assert document.group([n for n in document.patch.nodes if n != "output"])
    before = document.patch
    assert document.group([n for n in document.patch.nodes if n != "output"]) == "" and document.patch == before
    assert refusals[-1][2] == "groups nest 8 deep at most"


# -- ports -------------------------------------------------------------------------------------------------------------------


def action(menu: QMenu, text: str):
    return next(entry for entry in menu.actions() if entry.text() == text)


def test_ports_are_shown_and_hidden_by_the_menus(hand: Hand, document: Document, voice: str) -> None:
    document.enter("tone")
    hand.editor.frame_all()
    menu = menus.build(hand.editor, hand.scene.hit(hand.row("filter", "resonance"), hand.view.zoom()))
    action(menu, "Show resonance outside").trigger()
    assert ports(document)[-1] == "resonance" and hand.scene.nodes["filter"].exposed["resonance"] == "resonance"
    menu = menus.build(hand.editor, hand.scene.hit(hand.socket("filter.cutoff", outlet=False), hand.view.zoom()))
    action(menu, "Hide outside (cutoff)").trigger()
    assert "cutoff" not in ports(document) and not document.patch.into(port("tone.cutoff"))
    document.undo()
    assert document.inside == ("tone",) and hand.scene.nodes["filter"].exposed["cutoff"] == "cutoff"
    hand.editor.grab()


def test_a_port_is_renamed_where_it_is_seen(hand: Hand, document: Document, voice: str, qtbot) -> None:
    hand.editor.frame_all()
    for inside, name, new in ((False, "cutoff", "brightness"), (True, "brightness", "shine")):
        if inside:
            document.enter("tone")
            hand.editor.frame_all()
        seen = port("filter.cutoff" if inside else "tone.cutoff")
        hit = hand.scene.hit(hand.socket(str(seen), outlet=False), hand.view.zoom())
        action(menus.build(hand.editor, hit), f"Rename outside ({name})…" if inside else "Rename port…").trigger()
        editor = hand.view.viewport().findChildren(TypeIn)[-1]
        editor.setText("f0")
        qtbot.keyClick(editor, Qt.Key.Key_Return)
        assert editor.isVisible() and name in ports(document), "a name that is taken is refused"
        editor.setText(new)
        qtbot.keyClick(editor, Qt.Key.Key_Return)
        assert cable("lfo.out", f"tone.{new}", 0.5) in document.patch.cables


def test_the_inspector_shows_and_edits_the_ports(document: Document, voice: str, qtbot) -> None:
    inspector = Inspector(document)
    qtbot.addWidget(inspector)
    inspector.resize(300, 800)
    inspector.show()
    document.select(["tone"])
    page = inspector.page
    assert isinstance(page, NodePage) and set(page.values) == {"f0", "gate", "cutoff"} and not page.options
    rows = {row.shown.name: row for row in page.findChildren(PortRow)}
    rows["out"].placed.emit(-1)
    qtbot.waitUntil(lambda: ports(document) == ["f0", "gate", "out", "cutoff"])
    field = next(f for f in inspector.page.findChildren(QLineEdit) if f.accessibleName() == "Name of port cutoff")
    field.setText("two words")
    field.editingFinished.emit()
    qtbot.waitUntil(lambda: field.text() == "cutoff")
    field.setText("shine")
    field.editingFinished.emit()
    qtbot.waitUntil(lambda: "shine" in ports(document))
    document.preview_value("tone", "shine", [700.0])
    assert inspector.page.values["shine"].value == 700.0
    document.cancel()
    document.enter("tone")
    assert isinstance(inspector.page, LevelPage) and len(inspector.page.findChildren(PortRow)) == 4
    document.select(["filter"])
    assert isinstance(inspector.page, NodePage) and inspector.page.name == "filter"


# -- drawing -----------------------------------------------------------------------------------------------------------------


def test_levels_and_problems_of_inner_nodes_show_on_the_group(hand: Hand, document: Document, voice: str) -> None:
    hand.editor.set_levels({"tone/filter": 0.5, "tone/harmonic": 0.9, "voice_mixer": 0.2})
    assert max(hand.scene.nodes["tone"].levels) == 0.5
    hand.editor.show_problem("tone/filter", "cutoff", "takes 20 to 18000 Hz")
    assert hand.scene.nodes["tone"].problem
    hand.editor.grab()
    document.enter("tone")
    hand.editor.set_levels({"tone/filter": 0.5, "tone/harmonic": 0.9})
    assert max(hand.scene.nodes["harmonic"].levels) == 0.9
    hand.view.zoom_by(0.1, QPointF(400.0, 300.0))
    hand.editor.grab()


def test_cables_are_dragged_to_groups(hand: Hand, document: Document, voice: str) -> None:
    document.disconnect_cables([cable("lfo.out", "tone.cutoff")])
    hand.editor.frame_all()
    hand.drag(hand.socket("lfo.out", outlet=True), hand.socket("tone.cutoff", outlet=False))
    assert cable("lfo.out", "tone.cutoff", 0.5) in document.patch.cables
    start, end = hand.socket("tone.out", outlet=True), hand.socket("tone.gate", outlet=False)
    hand.drag(start, end)
    assert "takes control" in hand.view.hint_text


def test_tips_tell_what_stands_for_what(hand: Hand, document: Document, voice: str) -> None:
    assert "opens it" in tips.of(document, Hit(Under.NODE, "tone"))
    socket = hand.scene.nodes["tone"].geometry.socket("cutoff", is_outlet=False)
    assert "Stands for filter.cutoff inside" in tips.of(document, Hit(Under.SOCKET, "tone", socket))
    document.enter("tone")
    socket = hand.scene.nodes["filter"].geometry.socket("cutoff", is_outlet=False)
    assert "Shown outside as cutoff" in tips.of(document, Hit(Under.SOCKET, "filter", socket))


def test_arranging_bears_two_ways_through_a_group(document: Document) -> None:
    document.group(["harmonic", "voice_mixer"])
    places = natural_places(document.patch)
    assert set(places) == set(document.patch.nodes)


def test_missing_nodes_are_drawn_with_their_ports_and_say_what_is_missing(hand: Hand, document: Document, qtbot) -> None:
    strange = Node("FromElsewhere", values={"size": (3.0,)}, position=(400.0, 500.0), package="elsewhere")
    newer = Node("Gain", version=9, position=(700.0, 500.0))
    patch = document.patch.with_node("strange", strange).with_node("newer", newer)
    patch = patch.with_cable(cable("lfo.out", "strange.size")).with_cable(cable("strange.out", "newer.audio"))
    document.new(patch)
    sockets = hand.scene.nodes["strange"].geometry.sockets
    assert {name: s.signal.value for (_, name), s in sockets.items()} == {"size": "control", "out": "audio"}
    assert "it comes with elsewhere" in tips.of(document, Hit(Under.NODE, "strange"))
    assert "version 9" in tips.of(document, Hit(Under.NODE, "newer"))
    inspector = Inspector(document)
    qtbot.addWidget(inspector)
    document.select(["strange"])
    inspector.grab()
    hand.editor.grab()
    document.remove(["lfo"])
    document.undo()
    group = document.group(["strange", "lfo"])
    assert document.patch.nodes[group].inside.patch.nodes["strange"].values == {"size": (3.0,)}
    hand.editor.grab()


def test_a_patch_is_inserted_as_a_group_in_the_middle(hand: Hand, document: Document, instrument: Patch) -> None:
    hand.editor.insert_group(instrument)
    assert document.selection == ("test",) and ports(document, "test") == ["out"]
    hand.editor.insert_group(Patch(name="Nothing"))
    assert "holds no nodes" in hand.view.hint_text and document.undo_stack.count() == 1
    asked = heard(hand.editor.group_save_requested, [])
    action(menus.build(hand.editor, Hit(Under.NODE, "test")), "Save group as…").trigger()
    assert asked == [("test",)]
    assert hand.view.viewport().rect().contains(hand.view.mapFromScene(hand.scene.nodes["test"].pos()) + QPoint(1, 1))


# -- random editing ----------------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), steps=st.integers(1, 14))
def test_random_editing_at_any_level_stays_valid_and_undo_is_exact(
    document: Document, instrument: Patch, data: st.DataObject, steps: int
) -> None:
    document.new(instrument)
    seen = {0: document.patch}
    for _ in range(steps):
        names = sorted(document.shown.nodes)
        some = data.draw(st.sets(st.sampled_from(names), min_size=1, max_size=4)) if names else set()
        verb = data.draw(
            st.sampled_from(
                ["group", "ungroup", "enter", "leave", "remove", "rename", "duplicate", "show", "hide", "value", "add"]
            )
        )
        if verb == "group":
            document.group(some)
        elif verb == "ungroup":
            document.ungroup(some)
        elif verb == "enter":
            document.enter(next(iter(some), ""))
        elif verb == "leave":
            document.leave()
        elif verb == "remove":
            document.remove(some)
        elif verb == "rename" and some:
            document.rename(min(some), data.draw(st.sampled_from(["one", "two", "3 bad"])))
        elif verb == "duplicate":
            document.duplicate(some)
        elif verb == "show" and some:
            values = document.values(min(some))
            document.show_port(port(f"{min(some)}.{data.draw(st.sampled_from(sorted(values)))}") if values else port("x.y"))
        elif verb == "hide" and document.shown_ports:
            document.hide_port(data.draw(st.sampled_from(sorted(document.shown_ports.values()))))
        elif verb == "value" and some and (values := document.values(min(some))):
            control = data.draw(st.sampled_from(sorted(values)))
            document.set_value(min(some), control, [data.draw(st.floats(0.0, 1e4))] * len(values[control]))
        elif verb == "add":
            document.add_node(data.draw(st.sampled_from(["Gain", "Filter", "Lfo"])), (0.0, 0.0))
        seen[document.undo_stack.index()] = document.patch
        check(document.patch)
        assert document.selection == tuple(n for n in document.selection if n in document.shown.nodes)
    top = document.undo_stack.index()
    for index in range(top - 1, -1, -1):
        document.undo()
        assert index not in seen or document.patch == seen[index]
    for index in range(1, top + 1):
        document.redo()
        assert index not in seen or document.patch == seen[index]


def test_a_node_whose_cable_the_whole_patch_refuses_is_added_alone(document: Document) -> None:
    document.add_node("Gain", (900.0, 300.0), cable=cable("voice_mixer.out", "output.audio"))
    document.group(["gain", "harmonic"])
    document.enter("group")
    document.add_node("Filter", (0.0, 0.0), source=port("harmonic.out"))
    refusals = heard(document.refused, [])
    document.connect_ports(port("filter.out"), port("gain.audio"))
    assert len(refusals) == 1
    name = document.add_node("Gain", (0.0, 0.0), cable=cable("filter.out", "gain.audio"))
    assert name == "gain_2" and not document.shown.of_node("gain_2") and len(refusals) == 2


def test_nodes_are_counted_inside_of_groups_too(document: Document) -> None:
    refusals = heard(document.refused, [])
    document.group([n for n in document.patch.nodes if n != "output"])
    for _ in range(7):
        document.duplicate([n for n in document.patch.nodes if n != "output"])
    assert "512 nodes at most, those in groups included" in refusals[-1][2]
    assert nesting.count(document.patch) <= 512


def test_deleting_a_missing_effect_leaves_the_way_that_audio_took(document: Document) -> None:
    patch = document.patch.without_cables([cable("filter.out", "voice_mixer.audio")]).with_node("strange", Node("FromElsewhere"))
    document.new(patch.with_cable(cable("filter.out", "strange.sound")).with_cable(cable("strange.out", "voice_mixer.audio")))
    document.remove(["strange"])
    assert cable("filter.out", "voice_mixer.audio") in document.patch.cables
