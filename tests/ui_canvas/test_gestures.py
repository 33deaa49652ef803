"""Every gesture of the canvas by real mouse and key events, each one undoable edit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication

from ddsp_studio.processors.patch import Node, Patch
from ddsp_studio.ui.canvas.editor import PatchEditor
from ddsp_studio.ui.canvas.scene import Under
from ddsp_studio.ui.document import Document
from ddsp_studio.ui.widgets.type_in import TypeIn

from .fakes import cable, port
from .hand import ALT, CTRL, MIDDLE, NONE, RIGHT, SHIFT, Hand


@pytest.fixture
def hand(qtbot, document: Document) -> Iterator[Hand]:
    editor = PatchEditor(document)
    qtbot.addWidget(editor)
    editor.resize(1400, 900)
    editor.show()
    qtbot.waitExposed(editor)
    QApplication.processEvents()
    editor.frame_all()
    yield Hand(editor)
    editor.view.cancel_gesture()


def editing(hand: Hand) -> TypeIn:
    return hand.view.viewport().findChildren(TypeIn)[-1]


def test_moving_snaps_and_is_one_command(hand: Hand, document: Document) -> None:
    start = hand.title("filter")
    hand.drag(start, start + QPointF(103.0, 55.0))
    assert document.patch.nodes["filter"].position == (784.0, 48.0)
    assert document.undo_stack.count() == 1 and document.undo_stack.undoText() == "Move filter"


def test_alt_moves_freely(hand: Hand, document: Document) -> None:
    start = hand.title("filter")
    hand.drag(start, start + QPointF(103.0, 55.0), modifiers=ALT)
    assert document.patch.nodes["filter"].position[0] % 16.0 != 0.0


def test_escape_puts_nodes_back(hand: Hand, document: Document) -> None:
    start = hand.title("filter")
    hand.drag(start, start + QPointF(103.0, 55.0), release=False)
    hand.key(Qt.Key.Key_Escape)
    assert hand.scene.nodes["filter"].x() == 680.0 and document.undo_stack.count() == 0


def test_rubber_band_selects(hand: Hand, document: Document) -> None:
    hand.drag(QPointF(420.0, -40.0), QPointF(900.0, 60.0))
    assert set(document.selection) == {"harmonic", "filter"}
    hand.click(QPointF(600.0, 600.0))
    assert document.selection == ()


def test_shift_click_adds_and_takes_away(hand: Hand, document: Document) -> None:
    hand.click(hand.title("filter"))
    hand.click(hand.title("harmonic"), modifiers=SHIFT)
    assert set(document.selection) == {"filter", "harmonic"}
    hand.click(hand.title("filter"), modifiers=SHIFT)
    assert document.selection == ("harmonic",)


def test_cable_connects_ports(hand: Hand, document: Document) -> None:
    hand.drag(hand.socket("voice.velocity", outlet=True), hand.socket("filter.resonance", outlet=False))
    assert cable("voice.velocity", "filter.resonance") in document.patch.cables
    assert document.undo_stack.undoText() == "Connect voice.velocity → filter.resonance"


def test_cable_may_be_dragged_backwards(hand: Hand, document: Document) -> None:
    hand.drag(hand.socket("filter.resonance", outlet=False), hand.socket("lfo.out", outlet=True))
    assert cable("lfo.out", "filter.resonance") in document.patch.cables


def test_forbidden_targets_dim_and_the_reason_is_shown(hand: Hand, document: Document) -> None:
    start, end = hand.socket("adsr.out", outlet=True), hand.socket("output.audio", outlet=False)
    hand.drag(start, end, release=False)
    allowed = hand.scene.nodes["output"].allowed
    assert port("output.audio") not in allowed and port("filter.resonance") in allowed
    assert hand.view.hint_text == "output.audio takes audio, and adsr.out gives control"
    hand.send("release", end)
    assert document.undo_stack.count() == 0 and hand.scene.nodes["output"].allowed is None
    assert "takes audio" in hand.view.hint_text


def test_cycle_is_refused_at_the_pointer(hand: Hand, document: Document) -> None:
    document.add_node("Gain", (900.0, 300.0), source=port("filter.out"))
    hand.drag(hand.socket("gain.out", outlet=True), hand.socket("filter.audio", outlet=False))
    assert "loop" in hand.view.hint_text


def test_dragging_off_the_inlet_disconnects(hand: Hand, document: Document) -> None:
    hand.drag(hand.socket("filter.audio", outlet=False), QPointF(600.0, 500.0))
    assert cable("harmonic.out", "filter.audio") not in document.patch.cables
    document.undo()
    assert cable("harmonic.out", "filter.audio") in document.patch.cables


def test_dragging_an_end_to_another_inlet_reconnects(hand: Hand, document: Document) -> None:
    hand.drag(hand.socket("filter.audio", outlet=False), hand.socket("voice_mixer.audio", outlet=False))
    assert cable("harmonic.out", "voice_mixer.audio") in document.patch.cables and document.undo_stack.count() == 1


def test_putting_an_end_back_changes_nothing(hand: Hand, document: Document) -> None:
    there = hand.socket("filter.audio", outlet=False)
    hand.drag(there, there + QPointF(-30.0, 40.0), release=False)
    hand.send("move", there)
    hand.send("release", there)
    assert document.undo_stack.count() == 0


def test_cable_in_empty_space_searches_what_fits_and_connects(hand: Hand, document: Document) -> None:
    hand.drag(hand.socket("filter.out", outlet=True), QPointF(980.0, 420.0))
    search = hand.editor.search
    assert search.isVisible() and "filter.out" in search._heading.text()
    assert {s.name for s in search._specs} == {"Filter", "Gain", "Reverb", "VoiceMixer"}
    search.field.setText("gai")
    search._search("gai")
    search._take(search.list.currentIndex())
    assert cable("filter.out", "gain.audio") in document.patch.cables and document.undo_stack.count() == 1


def test_double_click_and_tab_search(hand: Hand, document: Document, qtbot) -> None:
    hand.double_click(QPointF(600.0, 500.0))
    search = hand.editor.search
    assert search.isVisible()
    qtbot.keyClicks(search.field, "lf")
    qtbot.keyClick(search.field, Qt.Key.Key_Return)
    assert document.patch.nodes["lfo_2"].position == (608.0, 496.0) and not search.isVisible()
    hand.key(Qt.Key.Key_Tab)
    assert search.isVisible()
    qtbot.keyClick(search.field, Qt.Key.Key_Escape)
    assert not search.isVisible() and document.undo_stack.count() == 1


def test_space_searches_but_space_drag_pans(hand: Hand) -> None:
    hand.key(Qt.Key.Key_Space)
    assert hand.editor.search.isVisible()
    hand.editor.search.close_search()
    hand.view.hold_space(True)
    before = hand.view.mapFromScene(0.0, 0.0)
    hand.send("press", QPointF(100.0, 500.0))
    hand.send("move", QPointF(200.0, 500.0))
    hand.send("release", QPointF(200.0, 500.0))
    assert hand.view.mapFromScene(0.0, 0.0).x() > before.x() and hand.view.hold_space(False)


def test_middle_button_pans(hand: Hand) -> None:
    before = hand.view.mapFromScene(0.0, 0.0)
    hand.drag(QPointF(600.0, 600.0), QPointF(700.0, 650.0), MIDDLE, steps=1)
    assert hand.view.mapFromScene(0.0, 0.0) != before


def test_zoom_keeps_the_point_under_the_pointer(hand: Hand) -> None:
    at = QPointF(300.0, 200.0)
    before = hand.view.mapToScene(at.toPoint())
    hand.view.zoom_by(1.5, at)
    assert (hand.view.mapToScene(at.toPoint()) - before).manhattanLength() < 2.0


def test_value_is_dragged_on_the_node(hand: Hand, document: Document) -> None:
    start = hand.row("filter", "resonance")
    hand.drag(start, start - QPointF(0.0, 50.0 / hand.view.zoom()))
    assert document.values("filter")["resonance"][0] == pytest.approx(0.45, abs=0.03)
    assert document.undo_stack.undoText() == "Set filter.resonance" and document.undo_stack.count() == 1
    hand.double_click(hand.row("filter", "resonance"))
    assert document.values("filter")["resonance"] == (0.2,)


def test_fine_drag(hand: Hand, document: Document) -> None:
    start = hand.row("filter", "resonance")
    hand.drag(start, start - QPointF(0.0, 50.0 / hand.view.zoom()), modifiers=SHIFT)
    assert document.values("filter")["resonance"][0] == pytest.approx(0.225, abs=0.01)


def test_set_controls_have_no_knob(hand: Hand, document: Document) -> None:
    hand.drag(hand.row("harmonic", "f0"), hand.row("harmonic", "f0") + QPointF(0.0, 64.0))
    assert document.undo_stack.undoText() == "Move harmonic"


def test_bars_are_drawn_on_the_node(hand: Hand, document: Document) -> None:
    middle = hand.row("harmonic", "distribution")
    hand.drag(middle - QPointF(70.0, -8.0), middle + QPointF(70.0, 8.0), steps=12)
    values = document.values("harmonic")["distribution"]
    assert len({round(v, 2) for v in values[2:-2]}) <= 2 and document.undo_stack.count() == 1


def test_amount_is_dragged_and_typed_on_the_cable(hand: Hand, document: Document, qtbot) -> None:
    start = hand.amount("lfo.out", "filter.cutoff")
    hand.drag(start, start - QPointF(0.0, 25.0 / hand.view.zoom()))
    assert document.patch.into(port("filter.cutoff"))[0].amount == pytest.approx(0.75, abs=0.03)
    hand.double_click(hand.amount("lfo.out", "filter.cutoff"))
    editor = editing(hand)
    editor.setText("-30 %")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert document.patch.into(port("filter.cutoff"))[0].amount == pytest.approx(-0.3)


def test_enter_types_values_and_tab_goes_on(hand: Hand, document: Document, qtbot) -> None:
    document.select(["filter"])
    hand.key(Qt.Key.Key_Return)
    first = editing(hand)
    first.setText("nonsense")
    qtbot.keyClick(first, Qt.Key.Key_Return)
    assert first.isVisible()
    first.setText("A4")
    qtbot.keyClick(first, Qt.Key.Key_Tab)
    assert document.values("filter")["cutoff"] == (440.0,)
    second = editing(hand)
    second.setText("0.1*5")
    qtbot.keyClick(second, Qt.Key.Key_Return)
    assert document.values("filter")["resonance"] == (0.5,)


@pytest.mark.parametrize("typed, seconds", [("200 ms", 0.2), ("1.5 s", 1.5)])
def test_a_unit_is_typed_after_a_space(hand: Hand, document: Document, qtbot, typed: str, seconds: float) -> None:
    hand.hover(hand.row("adsr", "release"))
    hand.key(Qt.Key.Key_2, text=typed[0])
    editor = editing(hand)
    qtbot.keyClicks(editor, typed[1:])
    assert editor.isVisible() and editor.text() == typed and not hand.editor.search.isVisible()
    assert not document.undo_stack.count()
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert document.values("adsr")["release"] == (pytest.approx(seconds),)


@pytest.mark.parametrize("key", [Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_F2, Qt.Key.Key_Home, Qt.Key.Key_D])
def test_keys_typed_into_a_value_do_nothing_to_the_canvas(hand: Hand, document: Document, qtbot, key: Qt.Key) -> None:
    document.select(["filter"])
    hand.editor.type_value("filter", "cutoff")
    editor = editing(hand)
    before = document.patch, hand.scene.nodes["filter"].pos()
    for modifier in (NONE, CTRL):
        qtbot.keyClick(editor, key, modifier)
    assert (document.patch, hand.scene.nodes["filter"].pos()) == before and editor.isVisible()


def test_the_end_of_a_space_that_was_pressed_elsewhere_searches_nothing(hand: Hand) -> None:
    QApplication.sendEvent(hand.view, QKeyEvent(QEvent.Type.KeyRelease, Qt.Key.Key_Space, NONE, " "))
    assert not hand.editor.search.isVisible()


def test_delete_heals_and_cable_delete_cuts(hand: Hand, document: Document) -> None:
    document.select(["filter"])
    hand.key(Qt.Key.Key_Delete)
    assert cable("harmonic.out", "voice_mixer.audio") in document.patch.cables
    document.undo()
    hand.scene.select_cable(cable("harmonic.out", "filter.audio"))
    hand.key(Qt.Key.Key_Delete)
    assert "filter" in document.patch.nodes and cable("harmonic.out", "filter.audio") not in document.patch.cables


def test_a_patch_without_output_says_so_and_gets_one(hand: Hand, document: Document) -> None:
    notice = hand.editor.no_output
    assert not notice.isVisible()
    document.select(["output"])
    hand.key(Qt.Key.Key_Delete)
    assert notice.isVisible() and "no Output" in notice.text()
    assert hand.view.rect().contains(notice.geometry())
    notice.linkActivated.emit("add")
    assert not notice.isVisible() and cable("voice_mixer.out", "output.audio") in document.patch.cables
    boxes = [item.scene_rect() for item in hand.scene.nodes.values()]
    assert not any(a.intersects(b) for i, a in enumerate(boxes) for b in boxes[:i])
    document.undo()
    assert notice.isVisible()
    document.new()
    assert not notice.isVisible()


def test_cutting_line(hand: Hand, document: Document) -> None:
    hand.drag(QPointF(656.0, -60.0), QPointF(656.0, 90.0), RIGHT, CTRL)
    assert cable("harmonic.out", "filter.audio") not in document.patch.cables


def test_node_dropped_on_a_cable_is_inserted(hand: Hand, document: Document) -> None:
    document.add_node("Gain", (640.0, 400.0))
    start = hand.title("gain")
    path = hand.scene.cables[port("filter.out"), port("voice_mixer.audio")]
    goal = (path.ends()[0] + path.ends()[1]) / 2.0
    hand.drag(start, goal + (start - hand.scene.nodes["gain"].scene_rect().center()))
    assert (
        cable("filter.out", "gain.audio") in document.patch.cables
        and cable("gain.out", "voice_mixer.audio") in document.patch.cables
    )
    assert document.undo_stack.undoText() == "Insert gain"


def test_copy_paste_cut_duplicate(hand: Hand, document: Document) -> None:
    document.select(["harmonic", "filter"])
    hand.editor.copy()
    assert '"Harmonic"' in QApplication.clipboard().text()
    hand.editor.paste()
    assert cable("harmonic_2.out", "filter_2.audio") in document.patch.cables
    hand.editor.cut()
    assert "harmonic_2" not in document.patch.nodes and document.undo_stack.undoText() == "Cut 2 nodes"
    document.select(["lfo"])
    hand.key(Qt.Key.Key_D, CTRL)
    assert document.patch.nodes["lfo_2"].position == (252.0, 412.0)


def test_arrow_keys_move_and_choose(hand: Hand, document: Document) -> None:
    hand.key(Qt.Key.Key_Right)
    assert document.selection == ("voice",)
    hand.key(Qt.Key.Key_Right)
    assert document.patch.nodes["voice"].position == (16.0, 0.0)
    hand.key(Qt.Key.Key_Down, SHIFT)
    assert document.patch.nodes["voice"].position == (16.0, 1.0)
    hand.key(Qt.Key.Key_Right, CTRL)
    assert document.selection == ("harmonic",) or document.selection == ("adsr",)


def test_hover_lights_cables(hand: Hand) -> None:
    hand.hover(hand.socket("harmonic.out", outlet=True))
    assert hand.scene.cables[port("harmonic.out"), port("filter.audio")].lit
    assert hand.view.under.under is Under.SOCKET
    hand.hover(QPointF(600.0, 600.0))
    assert not hand.scene.cables[port("harmonic.out"), port("filter.audio")].lit


def test_fold_shows_advanced_controls(hand: Hand, document: Document) -> None:
    document.add_node("Gain", (640.0, 400.0))
    names = [r.name for r in hand.scene.nodes["gain"].geometry.rows]
    hand.click(hand.row("gain", "1"))
    assert "pan" not in names and "pan" in [r.name for r in hand.scene.nodes["gain"].geometry.rows]


def test_toggles_problems_and_arrange(hand: Hand, document: Document) -> None:
    document.select(["filter", "lfo"])
    hand.editor.toggle_bypass()
    assert document.patch.nodes["filter"].bypassed and not document.patch.nodes["lfo"].bypassed
    hand.editor.toggle_mute()
    assert document.patch.nodes["filter"].muted and not document.patch.nodes["lfo"].muted
    hand.editor.show_problem("filter", "cutoff", "takes 20 to 18000 Hz")
    assert hand.scene.nodes["filter"].problem
    hand.editor.clear_problems()
    hand.editor.auto_arrange()
    assert document.undo_stack.undoText().startswith("Arrange")
    boxes = [item.scene_rect() for item in hand.scene.nodes.values()]
    assert not any(a.intersects(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_unknown_types_are_kept_and_painted(hand: Hand, document: Document) -> None:
    patch = document.patch.with_node("strange", Node("FromElsewhere", values={"size": (3.0,)}, position=(400.0, 500.0)))
    patch = patch.with_cable(cable("strange.out", "voice_mixer.audio")).with_cable(cable("lfo.out", "strange.size", 0.3))
    document.new(patch)
    hand.editor.grab()
    document.move({"strange": (16.0, 16.0)})
    assert document.patch.nodes["strange"].values == {"size": (3.0,)} and len(document.patch.cables) == len(patch.cables)
    hand.view.zoom_by(0.2, QPointF(400.0, 300.0))
    hand.editor.grab()


def test_scene_follows_undo(hand: Hand, document: Document, instrument: Patch) -> None:
    document.select(["harmonic", "filter"])
    hand.key(Qt.Key.Key_Delete)
    assert set(hand.scene.nodes) == set(document.patch.nodes)
    document.undo()
    assert set(hand.scene.nodes) == set(instrument.nodes) and len(hand.scene.cables) == len(instrument.cables)
    hand.editor.set_levels({"filter": 0.5, "gone": 0.1})
    assert max(hand.scene.nodes["filter"].levels) == 0.5


def test_undo_in_the_middle_of_a_drag(hand: Hand, document: Document) -> None:
    document.add_node("Gain", (640.0, 400.0))
    start = hand.title("gain")
    hand.drag(start, start + QPointF(50.0, 50.0), release=False)
    document.undo()
    hand.send("move", start)
    hand.send("release", start)
    assert "gain" not in document.patch.nodes and hand.view.gesture is None


def test_the_patch_stays_framed_until_the_user_takes_over(hand: Hand, qtbot) -> None:
    before = hand.view.zoom()
    hand.editor.resize(700, 500)
    qtbot.waitUntil(lambda: hand.view.zoom() < before, timeout=2000)
    hand.view.zoom_by(1.2, QPointF(10.0, 10.0))
    taken = hand.view.zoom()
    hand.editor.resize(1400, 900)
    QApplication.processEvents()
    assert hand.view.zoom() == taken
