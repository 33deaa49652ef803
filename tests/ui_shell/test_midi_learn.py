"""MIDI learn in the window: taught by menu and controller, listed, undone, followed without an echo."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QMenu

from ddsp_studio.audio import protocol
from ddsp_studio.processors.patch import Controller
from ddsp_studio.ui.dialogs.controllers import ControllersDialog
from ddsp_studio.ui.window import StudioWindow
from tests.ui_shell.conftest import told, wait_until

PEDAL = protocol.MidiReceived(port="Box", data=[0xB2, 20, 64])


def entries(window: StudioWindow, node: str, control: str) -> dict[str, object]:
    menu = QMenu()
    window.midi_learn.fill_menu(menu, node, control)
    return {action.text(): action for action in menu.actions() if action.text()}


def learn(window: StudioWindow, node: str = "gain", control: str = "gain") -> None:
    window.midi_learn.begin(node, control)
    window.link.midi_received.emit(PEDAL)


def test_a_knob_learns_the_controller_that_moves_next(playing: StudioWindow, diary: Path) -> None:
    assert list(entries(playing, "gain", "gain")) == ["Learn a MIDI controller"]
    playing.midi_learn.begin("gain", "gain")
    assert list(entries(playing, "gain", "gain")) == ["Learn no MIDI controller"]
    for data in ([0x90, 60, 100], [0xE0, 0, 64], [0xB0, 123, 0]):  # keys, the wheel and mode messages teach nothing
        playing.link.midi_received.emit(protocol.MidiReceived(port="Box", data=data))
    assert playing.midi_learn.learning == ("gain", "gain")
    playing.link.midi_received.emit(PEDAL)
    assert playing.midi_learn.learning is None
    assert playing.document.patch.nodes["gain"].midi == {"gain": Controller(20, 3)}
    assert list(entries(playing, "gain", "gain")) == ["Learn a MIDI controller", "Forget CC 20 on channel 3"]
    wait_until(lambda: len(told(diary, protocol.LoadPatch)) == 2)
    assert told(diary, protocol.LoadPatch)[-1].patch["nodes"]["gain"]["midi"] == {"gain": [20, 3]}  # type: ignore[attr-defined]
    playing.document.undo()
    assert not playing.document.patch.nodes["gain"].midi


def test_a_controller_turns_one_knob_only_and_is_forgotten(playing: StudioWindow) -> None:
    learn(playing)
    learn(playing, "output", "gain")
    nodes = playing.document.patch.nodes
    assert not nodes["gain"].midi
    assert nodes["output"].midi == {"gain": Controller(20, 3)}
    dialog = ControllersDialog(playing.document, playing)
    assert [dialog.table.item(0, column).text() for column in range(3)] == ["output", "gain", "CC 20 on channel 3"]  # type: ignore[union-attr]
    assert not dialog.forget.isEnabled()
    dialog.table.selectRow(0)
    dialog.forget.click()
    assert dialog.table.rowCount() == 0
    assert not playing.document.patch.nodes["output"].midi
    dialog.deleteLater()


def turn(window: StudioWindow, value: float, node: str = "gain", control: str = "gain") -> None:
    window.link.turned.emit(protocol.Turned(node=node, control=control, values=[value]))


def test_the_window_follows_what_was_turned_and_does_not_send_it_back(playing: StudioWindow, diary: Path) -> None:
    depth = playing.document.undo_stack.count()
    turn(playing, -7.0)
    assert playing.document.values("gain")["gain"] == (-7.0,)
    assert playing.document.undo_stack.count() == depth
    turn(playing, -7.0, "nobody")
    turn(playing, -7.0, "gain", "nothing")
    playing.document.set_value("output", "gain", [-3.0])
    wait_until(lambda: told(diary, protocol.SetValue))
    assert {command.node for command in told(diary, protocol.SetValue)} == {"output"}  # type: ignore[attr-defined]


def test_a_turn_is_one_edit_once_the_controller_rests(playing: StudioWindow, diary: Path) -> None:
    document = playing.document
    document.undo_stack.setClean()
    for value in (-1.0, -4.0, -7.0):
        turn(playing, value)
    assert document.dirty and not document.undo_stack.count()
    wait_until(lambda: document.undo_stack.count() == 1)
    assert document.undo_stack.undoText() == "Set gain.gain by MIDI" and document.dirty and playing.isWindowModified()
    playing.autosave.save()
    assert playing.autosave.file.exists()
    document.undo()
    assert document.values("gain")["gain"] == (0.0,) and not document.dirty
    wait_until(lambda: told(diary, protocol.SetValue))
    assert told(diary, protocol.SetValue)[-1].values == [0.0]  # type: ignore[attr-defined]
    document.redo()
    assert document.values("gain")["gain"] == (-7.0,)


def test_undoing_another_edit_leaves_what_was_turned(playing: StudioWindow) -> None:
    document = playing.document
    turn(playing, -7.0)
    document.set_value("output", "gain", [-3.0])
    turn(playing, -9.0)
    turn(playing, -2.0, "mixer", "gain")
    assert [document.undo_stack.text(n) for n in range(2)] == ["Set gain.gain by MIDI", "Set output.gain"]
    document.undo()
    assert document.undo_stack.text(2) == "Set 2 controls by MIDI"
    assert (document.values("gain")["gain"], document.values("mixer")["gain"]) == ((-7.0,), (-6.0,))
    document.undo()
    assert (document.values("gain")["gain"], document.values("output")["gain"]) == ((-7.0,), (0.0,))


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_turn_beside_a_drag_is_an_edit_of_its_own(playing: StudioWindow, cancelled: bool) -> None:
    document = playing.document
    document.preview_value("output", "gain", [-3.0])
    turn(playing, -7.0)
    document.preview_value("output", "gain", [-5.0])
    document.cancel() if cancelled else document.commit()
    wait_until(lambda: document.undo_stack.count() == 2 - cancelled)
    assert document.values("gain")["gain"] == (-7.0,)
    if not cancelled:
        assert document.values("output")["gain"] == (-5.0,)
        document.undo()
    assert (document.values("gain")["gain"], document.values("output")["gain"]) == ((-7.0,), (0.0,))
    document.undo()
    assert document.values("gain")["gain"] == (0.0,)


def test_a_drag_is_not_disturbed(playing: StudioWindow) -> None:
    playing.document.preview_value("gain", "gain", [-2.0])
    playing.link.turned.emit(protocol.Turned(node="gain", control="gain", values=[-7.0]))
    assert playing.document.values("gain")["gain"] == (-2.0,)
    playing.document.commit()


def test_a_knob_in_a_group_keeps_its_controller_when_the_group_goes(playing: StudioWindow) -> None:
    name = playing.document.group(["gain"])
    learn(playing, f"{name}/gain")
    playing.document.ungroup([name])
    assert playing.document.patch.nodes["gain"].midi == {"gain": Controller(20, 3)}


@pytest.mark.parametrize("node", ["nobody", "output"])
def test_what_is_no_single_knob_is_not_offered(playing: StudioWindow, node: str) -> None:
    assert entries(playing, node, "distribution") == {}
