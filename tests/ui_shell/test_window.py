"""The window with a fake engine in a real process."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace as replace_struct
from PySide6.QtCore import QMimeData, QPoint, QPointF, QRect, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

from ddsp_studio.audio import protocol
from ddsp_studio.audio.client import Health
from ddsp_studio.audio.midi_file import write_midi
from ddsp_studio.children import process_mark
from ddsp_studio.processors import patch_file
from ddsp_studio.processors.patch import Patch
from ddsp_studio.ui import autosave, paths
from ddsp_studio.ui.dialogs.audio_settings import AudioSettingsDialog
from ddsp_studio.ui.dialogs.command_palette import CommandPalette
from ddsp_studio.ui.dialogs.shortcuts import ShortcutsDialog
from ddsp_studio.ui.drop_zones import Zone
from ddsp_studio.ui.live import FRAME_MS
from ddsp_studio.ui.settings import Store
from ddsp_studio.ui.window import StudioWindow
from tests.ui_shell.conftest import told, wait_until


def sounding(window: StudioWindow) -> int:
    return int(window.link.telemetry.data["voices"])


# -- the engine -----------------------------------------------------------------------------------------------------------


def test_a_killed_engine_is_replaced_while_a_chord_sounds(playing: StudioWindow) -> None:
    piano = playing.displays.piano
    QTest.mousePress(piano, Qt.MouseButton.LeftButton, pos=piano.key_rect(60).center().toPoint())
    playing.link.note_on(67, 90)
    wait_until(lambda: sounding(playing) == 2)
    patch = playing.document.patch
    os.kill(playing.link.client.pid, signal.SIGKILL)
    wait_until(lambda: any("ended by SIGKILL" in text for text in playing.toasts.texts()))
    wait_until(lambda: "The sound is back." in playing.toasts.texts() and sounding(playing) == 2)
    assert playing.document.patch is patch
    QTest.mouseRelease(piano, Qt.MouseButton.LeftButton)
    playing.link.note_off(67)
    wait_until(lambda: sounding(playing) == 0)


def test_a_drag_sends_few_values_and_the_last_one(playing: StudioWindow, diary: Path) -> None:
    for step in range(500):
        playing.document.preview_value("gain", "gain", [-step / 20.0])
    playing.document.commit()
    wait_until(lambda: told(diary, protocol.SetValue))
    wait_until(lambda: told(diary, protocol.SetValue)[-1].values == pytest.approx([-499 / 20.0]))  # type: ignore[attr-defined]
    assert len(told(diary, protocol.SetValue)) < 60
    assert len(told(diary, protocol.LoadPatch)) == 1
    playing.document.undo()
    wait_until(lambda: told(diary, protocol.SetValue)[-1].values == [0.0])  # type: ignore[attr-defined]


def test_a_structural_edit_is_sent_once_and_checked_first(playing: StudioWindow, diary: Path) -> None:
    names = [playing.document.add_node("Gain", (0.0, 0.0)) for _ in range(3)]
    wait_until(lambda: len(told(diary, protocol.LoadPatch)) == 2)
    assert set(names) <= set(told(diary, protocol.LoadPatch)[-1].patch["nodes"])  # type: ignore[attr-defined]
    second = replace(playing.document.patch, nodes={**playing.document.patch.nodes, "o2": playing.document.patch.nodes["output"]})
    playing.document.replace_all(second, "Break")
    wait_until(lambda: any("one Output" in text for text in playing.toasts.texts()))
    assert len(told(diary, protocol.LoadPatch)) == 2, "a patch against the rules is not sent"
    playing.document.undo()
    wait_until(lambda: len(told(diary, protocol.LoadPatch)) == 3)


def test_a_patch_is_played_by_the_audio_input_and_by_keys_again(playing: StudioWindow, diary: Path) -> None:
    before = playing.document.patch
    playing.actions_["audio.listen"].trigger()
    types = {node.type for node in playing.document.patch.nodes.values()}
    assert {"AudioInput", "PitchTracker"} <= types and "Voice" not in types
    wait_until(lambda: len(told(diary, protocol.LoadPatch)) == 2)
    playing.actions_["audio.listen"].trigger()
    wait_until(lambda: any("Nothing in this patch takes a pitch" in text for text in playing.toasts.texts()))
    playing.document.undo()
    assert playing.document.patch == before


def test_a_patch_that_the_engine_refuses_is_marked(playing: StudioWindow) -> None:
    playing.document.new(replace(playing.document.patch, notes="refused"))
    wait_until(lambda: any("not to my taste" in text for text in playing.toasts.texts()))
    assert playing.link.health is Health.RUNNING


def test_a_missing_device_keeps_the_choice_and_says_so(playing: StudioWindow) -> None:
    wanted = protocol.AudioSettings(device="Focusrite", block=128)
    playing.configure(wanted)
    wait_until(lambda: any("'Focusrite' is not there" in text for text in playing.toasts.texts()))
    assert Store(paths.settings_file()).settings.audio == wanted


def test_transport_and_panic(playing: StudioWindow, diary: Path, tmp_path: Path) -> None:
    playing.actions_["play.start"].trigger()
    assert any("no MIDI file" in text for text in playing.toasts.texts())
    assert not playing.actions_["play.start"].isChecked()
    song = tmp_path / "song.mid"
    write_midi(song, [(0.0, b"\x90\x3c\x40"), (1.0, b"\x80\x3c\x40")])
    playing.transport.load(song, play=True)
    wait_until(lambda: playing.actions_["play.start"].isChecked())
    playing.actions_["play.panic"].trigger()
    wait_until(lambda: told(diary, protocol.Panic))
    assert told(diary, protocol.Song) == [protocol.Song(path=str(song))]


def song_bytes(folder: Path) -> bytes:
    write_midi(folder / "whole.mid", [(step / 4, bytes((0x90, 60, 64 * (1 - step % 2)))) for step in range(40)])
    return (folder / "whole.mid").read_bytes()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (lambda _whole: b"", "x.mid is empty"),
        (lambda _whole: b"RIFF0000WAVE", "x.mid is no MIDI file"),
        (lambda whole: b"RIFF" + bytes(4) + b"RMID" + whole, "x.mid is no MIDI file"),
        (lambda whole: whole[: len(whole) // 2], "x.mid is cut short"),
        (None, "x.mid cannot be read: No such file"),
    ],
)
def test_what_is_no_midi_file_is_refused_and_the_song_before_stays(
    playing: StudioWindow, diary: Path, tmp_path: Path, content: Callable[[bytes], bytes] | None, reason: str
) -> None:
    path, whole = tmp_path / "x.mid", song_bytes(tmp_path)
    if content is not None:
        path.write_bytes(content(whole))
    playing.transport.load(tmp_path / "whole.mid")
    wait_until(lambda: playing.transport.song == tmp_path / "whole.mid")
    playing.transport.load(path, play=True)
    wait_until(lambda: any(reason in text and "not loaded" in text for text in playing.toasts.texts()))
    assert playing.transport.song == tmp_path / "whole.mid"
    wait_until(lambda: told(diary, protocol.Song))
    assert told(diary, protocol.Song) == [protocol.Song(path=str(tmp_path / "whole.mid"))]
    assert not any(command.playing for command in told(diary, protocol.Transport))  # type: ignore[attr-defined]


def test_the_file_that_was_chosen_last_is_the_one_that_is_played(playing: StudioWindow, tmp_path: Path) -> None:
    (tmp_path / "last.mid").write_bytes(song_bytes(tmp_path))
    playing.transport.load(tmp_path / "whole.mid")
    playing.transport.load(tmp_path / "last.mid")
    wait_until(lambda: playing.transport.song is not None)
    assert playing.transport.song == tmp_path / "last.mid"


def sought(diary: Path) -> list[float]:
    places = [command.position_s for command in told(diary, protocol.Transport)]  # type: ignore[attr-defined]
    return [place for place in places if place is not None]


def test_a_click_on_the_song_goes_there(playing: StudioWindow, diary: Path, qtbot) -> None:
    bar = playing.bar.position
    middle = bar.rect().center()
    qtbot.mouseClick(bar, Qt.MouseButton.LeftButton, pos=middle)
    assert not bar.isSliderDown()  # there is no song yet
    playing.link.transport.emit(transport_state(position_s=3.0))
    assert bar.accessibleDescription() == "0:03.0 / 1:00"
    qtbot.mousePress(bar, Qt.MouseButton.LeftButton, pos=middle)
    playing.link.transport.emit(transport_state(position_s=4.0))
    assert bar.sliderPosition() == pytest.approx(30_000, abs=600)
    qtbot.mouseRelease(bar, Qt.MouseButton.LeftButton, pos=middle)
    wait_until(lambda: sought(diary))
    assert sought(diary) == [pytest.approx(30.0, abs=0.6)]
    qtbot.keyClick(bar, Qt.Key.Key_Right)
    qtbot.keyClick(bar, Qt.Key.Key_Home)
    wait_until(lambda: len(sought(diary)) == 3)
    assert sought(diary)[1:] == [pytest.approx(sought(diary)[0] + 1.0), 0.0]


def transport_state(**fields: float) -> protocol.TransportState:
    flags = {"playing": False, "looping": False, "recording": False}
    known: dict[str, Any] = {**flags, "song": "a/b.mid", "tempo": 1.0, "bpm": 120.0, "position_s": 0.0, "length_s": 60.0}
    return protocol.TransportState(**{**known, **fields})


def test_the_master_level_is_heard_at_once_and_kept(playing: StudioWindow, diary: Path, qtbot) -> None:
    master = playing.bar.master
    depth = len(told(diary, protocol.Configure))
    qtbot.mousePress(master, Qt.MouseButton.LeftButton, pos=QPoint(20, 10))
    qtbot.mouseMove(master, QPoint(20, 30))
    wait_until(lambda: len(told(diary, protocol.Configure)) > depth)
    assert playing.store.settings.audio.gain_db == 0.0
    qtbot.mouseRelease(master, Qt.MouseButton.LeftButton, pos=QPoint(20, 30))
    level = playing.store.settings.audio.gain_db
    assert level == master.value < -3.0 and Store(paths.settings_file()).settings.audio.gain_db == level
    wait_until(lambda: told(diary, protocol.Configure)[-1].settings.gain_db == level)  # type: ignore[attr-defined]
    playing.configure(protocol.AudioSettings(gain_db=-2.0))
    assert master.value == -2.0


@pytest.mark.parametrize("width", [806, 960, 1280, 1480])
def test_the_bar_keeps_what_matters_in_a_narrow_window(window: StudioWindow, width: int) -> None:
    window.resize(width, 540)
    QApplication.processEvents()
    assert (window.width(), window.height()) == (width, 540)
    bar = window.bar
    for part in (bar.position, bar.master, bar.meter, bar.load, bar._panic):
        assert part.isVisible() and window.rect().contains(QRect(part.mapTo(window, QPoint()), part.size()))
    assert bar.tempo.isVisible() == (width >= 960) and bar.patch_name.isVisible() == (width >= 1280)
    assert window.editor.view.viewport().width() >= 0.45 * width


def test_panels_of_a_large_window_leave_the_canvas_of_a_small_one_its_room(
    window: StudioWindow, fake_command: tuple[str, ...], organ: Patch
) -> None:
    window.resize(1480, 940)
    QApplication.processEvents()
    window.resizeDocks([window.docks["spectrogram"]], [300], Qt.Orientation.Vertical)
    QApplication.processEvents()
    window._remember()
    window.store.settings.geometry = ""
    again = StudioWindow(window.store, engine=fake_command)
    again.document.new(organ)
    again.resize(960, 540)
    again.show()
    wait_until(lambda: again._settled)
    QApplication.processEvents()
    assert (again.width(), again.height()) == (960, 540)
    assert again.editor.width() >= 480 and again.editor.height() >= 200
    again.document.undo_stack.setClean()
    again.close()
    again.deleteLater()


def test_the_training_panel_fits_a_low_window(window: StudioWindow) -> None:
    window.show_training()
    window.resize(960, 540)
    QApplication.processEvents()
    assert window.height() == 540 and window.docks["training"].isVisible()


def test_what_is_compiled_is_said_unless_it_is_over_at_once(playing: StudioWindow) -> None:
    line = playing.status_line
    wait_until(lambda: "compiling" not in line.text())
    revision = playing.patch_sender.revision
    playing.patch_sender.compiling.emit("compiling the edit; the patch before sounds on")
    assert "compiling" not in line.text()
    wait_until(lambda: "the patch before sounds on" in line.text())
    plays = protocol.PatchPlays(revision=revision, seconds=0.1, latency_samples=0, nodes=["gain"], partials_node="")
    playing.link.patch_plays.emit(replace_struct(plays, revision=revision - 1))
    assert "compiling" in line.text()
    playing.link.patch_plays.emit(plays)
    assert "compiling" not in line.text()


def test_one_voice_is_one(playing: StudioWindow) -> None:
    playing.configure(protocol.AudioSettings(voices=1))
    wait_until(lambda: playing.status_line.words.endswith("1 voice"))
    dialog = AudioSettingsDialog(protocol.AudioSettings(voices=1, safety_blocks=1))
    assert (dialog.voices.text(), dialog.safety.text()) == ("1 voice", "1 block")
    dialog.voices.setValue(2)
    assert dialog.voices.text() == "2 voices"


def test_pictures_give_way_to_the_sound(playing: StudioWindow) -> None:
    clock = playing.clock
    clock.text()
    assert clock._timers[0].interval() == FRAME_MS
    playing.engine_status.playing_nodes = []
    clock.text()
    assert clock._timers[0].interval() > 4 * FRAME_MS


# -- files ----------------------------------------------------------------------------------------------------------------


def test_save_reopen_and_the_recent_list(window: StudioWindow, tmp_path: Path) -> None:
    window.document.set_value("gain", "gain", [-6.0])
    assert window.isWindowModified()
    assert window.files.save_to(tmp_path / "mine")
    assert not window.isWindowModified() and window.document.path == tmp_path / "mine.ddsp"
    assert window.document.undo_stack.canUndo(), "the stack survives the save"
    assert window.files.open(tmp_path / "mine.ddsp")
    assert Store(paths.settings_file()).settings.recent == [str(tmp_path / "mine.ddsp")]


@pytest.mark.parametrize("text", ["", "{", '{"format": "other"}', '{"format": "ddsp_studio patch", "schema": 99}'])
def test_a_bad_patch_leaves_everything_as_it_is(window: StudioWindow, tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.ddsp"
    path.write_text(text)
    before = window.document.patch
    assert not window.files.open(path)
    assert window.document.patch is before
    assert any(sentence.startswith("bad.ddsp was not opened") for sentence in window.toasts.texts())


def test_a_failed_save_says_so(window: StudioWindow, tmp_path: Path) -> None:
    assert not window.files.save_to(tmp_path / "no such folder" / "x.ddsp")
    assert any("was not saved" in text for text in window.toasts.texts())


def test_a_folder_is_no_place_to_save_to(window: StudioWindow, tmp_path: Path) -> None:
    (tmp_path / "mine.ddsp").mkdir()
    assert not window.files.save_to(tmp_path / "mine")
    assert window.toasts.texts()[-1] == "mine.ddsp was not saved: it is a folder, not a file."
    assert not list((tmp_path / "mine.ddsp").iterdir())
    assert not (tmp_path / "mine.ddsp~").exists()


def test_a_refusal_of_the_engine_is_one_sentence(window: StudioWindow) -> None:
    window._show_problem("hall", "", "the file is empty.")
    assert window.toasts.texts()[-1] == "hall: the file is empty. The last good patch plays on."
    assert window.document.path is None


@pytest.mark.parametrize(
    ("answer", "leaves"), [(QMessageBox.StandardButton.Discard, True), (QMessageBox.StandardButton.Cancel, False)]
)
def test_unsaved_work_is_asked_about(
    window: StudioWindow, monkeypatch: pytest.MonkeyPatch, answer: QMessageBox.StandardButton, leaves: bool
) -> None:
    window.document.set_value("gain", "gain", [-6.0])
    monkeypatch.setattr(QMessageBox, "exec", lambda _box: answer)
    window.files.new()
    assert bool(window.document.patch.nodes) is not leaves


def test_save_as_asks_for_a_file(window: StudioWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "asked.ddsp"), ""))
    assert window.files.save()
    assert patch_file.load(tmp_path / "asked.ddsp").nodes.keys() == window.document.patch.nodes.keys()


# -- recovery -------------------------------------------------------------------------------------------------------------


def test_never_saved_work_is_recovered(window: StudioWindow, organ: Patch) -> None:
    window.document.set_value("gain", "gain", [-12.0])
    window.autosave.save()
    left = window.autosave.file.rename(window.autosave.file.with_name("1-1.json"))
    found = autosave.find(left.parent)  # process 1 runs, but it is not the one that wrote this
    assert found[0].path is None
    window.document.new(Patch())
    window.files.recover(found[0])
    assert window.document.patch.nodes["gain"].values["gain"] == (-12.0,)
    assert window.document.dirty and not left.exists()


def test_work_of_a_studio_that_runs_is_left_to_it(window: StudioWindow) -> None:
    window.document.set_value("gain", "gain", [-12.0])
    window.autosave.save()
    data = json.loads(window.autosave.file.read_text())
    other = window.autosave.file.with_name(f"{os.getppid()}-1.json")
    for since, left in ((process_mark(os.getppid()), False), ("", False), (f"{data['since']}0", data["since"] != "")):
        other.write_text(json.dumps({**data, "since": since}))
        assert (other in [item.file for item in autosave.find(other.parent)]) == left


def test_a_bad_recovery_file_is_put_aside(home: Path) -> None:
    folder = paths.recovery()
    folder.mkdir(parents=True)
    for number, text in enumerate(
        ("", "[]", '{"patch": {}}', '{"path": "", "saved": "x", "patch": {"format": "ddsp_studio patch"}}')
    ):
        (folder / f"{number + 999_999_000}-1.json").write_text(text)
    assert autosave.find(folder) == []
    assert not list(folder.glob("*.json")) and len(list(folder.glob("*.bad"))) == 4


def test_saved_work_leaves_no_recovery_file(window: StudioWindow, tmp_path: Path) -> None:
    window.document.set_value("gain", "gain", [-12.0])
    window.autosave.save()
    assert window.autosave.file.exists()
    window.files.save_to(tmp_path / "kept.ddsp")
    window.autosave.save()
    assert not window.autosave.file.exists()


# -- the shell itself -----------------------------------------------------------------------------------------------------


def test_every_action_has_a_shortcut_of_its_own_and_words(window: StudioWindow) -> None:
    keys: dict[str, str] = {}
    for name, action in window.actions_.all().items():
        assert action.text() and action.statusTip(), name
        assert action.shortcuts(), f"{name} has no shortcut"
        for sequence in action.shortcuts():
            text = sequence.toString(QKeySequence.SequenceFormat.PortableText)
            assert text and keys.setdefault(text, name) == name, f"{name} and {keys[text]} share {text}"


def test_undo_and_redo_are_named(window: StudioWindow) -> None:
    window.document.add_node("Gain", (0.0, 0.0))
    undo = window.actions_["edit.undo"]
    assert undo.isEnabled() and undo.text().startswith("&Undo ") and len(undo.text()) > len("&Undo ")
    undo.trigger()
    assert window.actions_["edit.redo"].isEnabled() and not undo.isEnabled()


def test_the_palette_finds_and_starts(window: StudioWindow) -> None:
    palette = CommandPalette(window.actions_, window)
    palette.field.setText("panic")
    assert palette.list.count() == 1
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    assert palette.chosen == "play.panic"
    palette.deleteLater()


def test_the_shortcut_list_filters(window: StudioWindow) -> None:
    dialog = ShortcutsDialog(window.actions_, window)
    dialog._field.setText("freeze spectro")
    rows = [dialog._tree.topLevelItem(row) for row in range(dialog._tree.topLevelItemCount())]
    assert [row.text(0) for row in rows if not row.isHidden()] == ["View: Freeze spectrogram"]
    dialog.deleteLater()


def test_docks_are_hidden_and_come_back(window: StudioWindow) -> None:
    window.actions_["view.browser"].trigger()
    assert not window.docks["browser"].isVisible()
    window._remember()
    other = StudioWindow(Store(paths.settings_file()), engine=("true",))
    other.show()
    assert not other.docks["browser"].isVisible() and other.docks["piano"].isVisible()
    other.reset_layout()
    assert other.docks["browser"].isVisible()
    other.close()
    other.deleteLater()


def test_settings_survive_and_bad_ones_do_not_block(home: Path) -> None:
    store = Store(paths.settings_file())
    store.settings.remember(Path("/a/b.ddsp"))
    store.settings.audio = protocol.AudioSettings(voices=3)
    store.save()
    again = Store(paths.settings_file())
    assert again.settings == store.settings
    for bad_text in ('{"version": 1, "recent": 5}', '{"version": 0}', '{"version": 1, "audio": 3}'):
        paths.settings_file().write_text(bad_text)
        bad = Store(paths.settings_file())
        assert "could not be read" in bad.problem and bad.settings.recent == []
        assert paths.settings_file().with_name("settings.json.bad").exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the numbers are ALSA's")
def test_older_settings_keep_their_ports_and_devices(qapp: QApplication) -> None:
    paths.settings_file().parent.mkdir(parents=True)
    old = '{"version": 1, "audio": {"what": "AudioSettings", "device": "Box", "midi_ports": ["Keys:1 24:0", "Keys:1 28:0"]}}'
    paths.settings_file().write_text(old)
    store = Store(paths.settings_file())
    assert store.problem == ""
    assert store.settings.audio.midi_ports == ["Keys:1", "Keys:1 (2)"]
    dialog = AudioSettingsDialog(store.settings.audio)
    boxes = [device("Box", "MME"), device("Box", "WASAPI"), device("Box", "WASAPI", "Box, WASAPI (2)")]
    dialog.show_devices(protocol.Devices(outputs=boxes, midi_inputs=["Keys:1"]))
    assert dialog.settings().device == "Box, MME", "the first of a name is what was used"
    dialog.device.setCurrentIndex(dialog.device.count() - 2)
    assert dialog.settings().device == "Box, WASAPI (2)"
    dialog._touched()
    dialog.show_devices(protocol.Devices(outputs=boxes, midi_inputs=["Keys:1"]))
    assert dialog.device.currentIndex() == dialog.device.count() - 2
    assert dialog.settings().midi_ports == ["Keys:1", "Keys:1 (2)"]
    dialog.deleteLater()


def test_the_settings_dialog_keeps_what_is_gone(qapp: QApplication) -> None:
    wanted = protocol.AudioSettings(device="Gone", midi_ports=["Also gone"], block=192, sample_rate=32_000)
    dialog = AudioSettingsDialog(wanted)
    dialog.show_devices(protocol.Devices(outputs=[], midi_inputs=["Here"]))
    assert dialog.settings() == wanted
    assert "(not connected)" in dialog.device.currentText()
    dialog.block.setCurrentIndex(dialog.block.findData(64))
    assert dialog.settings().block == 64
    dialog.deleteLater()


def device(name: str, host: str, key: str = "", *, channels: int = 2) -> protocol.Device:
    return protocol.Device(name=name, host=host, channels=channels, sample_rate=48_000, key=key or f"{name}, {host}")


def test_an_input_is_chosen_and_its_level_shown(qapp: QApplication) -> None:
    dialog = AudioSettingsDialog(protocol.AudioSettings(input="Microphone"))
    assert "(not connected)" in dialog.input.currentText()
    microphone = device("Microphone", "ALSA", channels=1)
    dialog.show_devices(protocol.Devices(outputs=[], midi_inputs=[], inputs=[microphone]))
    assert dialog.input.currentText() == "Microphone  (ALSA, 1 channel)"
    dialog.input.setCurrentIndex(dialog.input.findData("none"))
    assert dialog.settings().input == "none"
    dialog.show_input_level(0.1)
    assert dialog.input_level.value() == -20
    dialog.show_input_level(0.0)
    assert -60 < dialog.input_level.value() < -20
    facts = {"state": "running", "device": "Box", "sample_rate": 48_000, "block": 256, "latency_ms": 10.0, "voices": 8}
    dialog.show_status(protocol.Status(**facts, input="Microphone", input_latency_ms=21.3))
    assert dialog.input_state.text() == "Microphone · 21.3 ms from sound in to sound out"
    dialog.deleteLater()


# -- drops ----------------------------------------------------------------------------------------------------------------


def drop(window: StudioWindow, *files: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in files])
    given = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(window, QDragEnterEvent(QPoint(300, 300), *given))
    QApplication.sendEvent(window, QDropEvent(QPointF(300, 300), *given))


def test_dropped_files_go_where_they_belong(window: StudioWindow, organ: Patch, tmp_path: Path) -> None:
    patch_file.save(replace(organ, name="Dropped"), tmp_path / "dropped.ddsp")
    drop(window, tmp_path / "dropped.ddsp")
    assert window.document.patch.name == "Dropped"
    drop(window, tmp_path / "x.pdf")
    assert any("x.pdf is neither" in text for text in window.toasts.texts())
    taken: list[list[Path]] = []
    window.drops.add(Zone("Keep these", (".kept",), taken.append))
    drop(window, tmp_path / "a.kept", tmp_path / "x.pdf")
    assert taken == [[tmp_path / "a.kept"]]


# -- browser --------------------------------------------------------------------------------------------------------------


def test_what_is_saved_stands_in_the_browser_at_once(window: StudioWindow) -> None:
    paths.patches().mkdir(parents=True)
    window.files.save_to(paths.patches() / "Newborn.ddsp")
    assert any(entry.title == "Test organ" and entry.group == "My patches" for entry in window.browser._entries)


def test_the_browser_steps_and_searches(window: StudioWindow, organ: Patch) -> None:
    paths.patches().mkdir(parents=True)
    for name in ("Zeta", "Zeta two", "Zeta three"):
        patch_file.save(replace(organ, name=name), paths.patches() / f"{name}.ddsp")
    (paths.patches() / "Zeta broken.ddsp").write_text("{")
    window.browser.refresh()
    window.browser._search.setText("zeta")
    opened = []
    for step in (1, 1, 1, 1, -1):
        window.browser.step(step)
        opened.append(window.document.patch.name)
    assert opened == ["Zeta", "Zeta three", "Zeta two", "Zeta", "Zeta two"], "what is damaged is passed by"
