"""Dropped recordings: listened to in a process, shown with what is wrong with them, and planned with good defaults."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
import soundfile
from PySide6.QtCore import QPointF, QRect, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu

from ddsp_studio import resources
from ddsp_studio.audio import protocol as engine
from ddsp_studio.processors import patch_file
from ddsp_studio.processors.patch import Node
from ddsp_studio.training import listen
from ddsp_studio.ui.training import plan
from ddsp_studio.ui.training.file_list import FileList
from ddsp_studio.ui.training.listening import Listening
from ddsp_studio.ui.window import StudioWindow

from ..training.material import framed, melody, nsynth_folder, nsynth_record, write
from .conftest import listened, wait_until


def texts(window: StudioWindow) -> list[list[str]]:
    tree = window.training.panel.material.files
    found = []
    for i in range(tree.topLevelItemCount()):
        item = tree.topLevelItem(i)
        found.append([item.text(c) for c in range(3)] + [item.child(k).text(0) for k in range(item.childCount())])
    return found


def of(path: str, usable_s: float = 9.0, kind: str = "", **more: object) -> listen.Heard:
    """What might be heard in a file."""
    curves = {"f0_hz": [220.0], "loudness_db": [-20.0]}
    return listen.Heard(path=path, seconds=10.0, usable_s=usable_s, keys=None, warnings=[], kind=kind, **curves, **more)


def test_the_empty_panel_says_what_to_do(window: StudioWindow) -> None:
    panel = window.training.panel
    assert panel.currentWidget() is panel.empty
    assert not window.docks["training"].isVisible()
    window.actions_["view.training"].trigger()
    assert window.docks["training"].isVisible()


def test_dropped_files_are_listened_to_and_shown(window: StudioWindow) -> None:
    listened(window, "violin.wav", "chords.flac", "silent.mp3")
    page = window.training.panel.material
    assert window.docks["training"].isVisible() and window.training.panel.currentWidget() is page
    assert texts(window) == [
        ["violin.wav", "31 s", "A3 – A4"],
        ["chords.flac", "31 s", "A3 – A4", "Several notes at once."],
        ["silent.mp3", "31 s", "", "Is silent."],
    ]
    assert page.total.text() == "3 files, 1:33 min of sound, 1:00 min usable"
    assert page.advice.text() == "1.0 minutes will do; three and more make a better instrument."
    assert page.train.isEnabled() and page.name.text() == "Recordings"


def test_nothing_usable_cannot_be_trained(window: StudioWindow) -> None:
    listened(window, "silent.wav")
    assert not window.training.panel.material.train.isEnabled()


def test_what_cannot_be_read_is_one_sentence(window: StudioWindow) -> None:
    listened(window, "missing.wav")
    page = window.training.panel.material
    assert page.advice.text() == "missing.wav: there is no such file or folder." and not page.train.isEnabled()


def test_listening_can_be_cancelled_at_once(window: StudioWindow) -> None:
    window.drops.drop([Path("/a/violin.wav"), Path("/a/slow.wav")])
    wait_until(lambda: texts(window))
    window.training.panel.material.clear.click()
    assert not window.training.listening.busy
    assert window.training.panel.currentWidget() is window.training.panel.empty
    listened(window, "flute.wav")  # and another survey is not disturbed
    assert [row[0] for row in texts(window)] == ["flute.wav"]


def test_the_octave_moves_the_curve(window: StudioWindow) -> None:
    listened(window)
    page = window.training.panel.material
    before = page.curves.span()
    page.octave.setCurrentIndex(page.octave.findData(1))
    assert page.curves.span() == (before[0] + 12, before[1] + 12)
    assert page.plan().octave == 1 and texts(window)[0][2] == "A4 – A5"


def test_zones_stand_side_by_side(window: StudioWindow, tmp_path: Path, said) -> None:
    path = tmp_path / "a.wav"
    assert [zone.title for zone in window.drops.fitting([path])] == ["Train on these", "Transfer this", "Play this"]
    assert [zone.title for zone in window.drops.fitting([tmp_path])] == ["Train on these"]
    window.drops.drop([path], QPointF(window.width() - 5, 100))
    wait_until(lambda: said(engine.Preview))
    assert said(engine.Preview)[0] == engine.Preview(files=[str(path)], looping=False)


def test_what_is_no_sound_among_dropped_files_is_named(window: StudioWindow) -> None:
    listened(window, "violin.wav", "notes.txt")
    assert any("notes.txt was left out" in text for text in window.toasts.texts())
    assert len(texts(window)) == 1


# -- the list ---------------------------------------------------------------------------------------------------------------


def test_files_are_added_to_those_that_are_shown(window: StudioWindow) -> None:
    listened(window, "violin.wav", "chords.flac")
    page = window.training.panel.material
    page.files.setCurrentItem(page.files.topLevelItem(1))
    listened(window, "flute.wav", "violin.wav")
    assert [row[0] for row in texts(window)] == ["violin.wav", "chords.flac", "flute.wav"]
    assert page.total.text().startswith("3 files, 1:33 min of sound, 1:30 min")
    assert page.files.current.path.endswith("chords.flac")


def test_what_is_of_use_is_seen_when_it_was_heard(window: StudioWindow) -> None:
    files = window.training.panel.material.files
    listened(window, "oboe.wav", *(f"silent {number}.wav" for number in range(30)))
    listened(window, "violin.wav")
    last = files.visualItemRect(files.topLevelItem(31))
    assert files.viewport().rect().intersects(last)


def test_files_dropped_while_others_are_listened_to_wait_for_their_turn(window: StudioWindow) -> None:
    for name in ("violin.wav", "flute.wav", "oboe.wav"):
        window.drops.drop([Path(f"/recordings/{name}")])
    wait_until(lambda: window.training.panel.material.bar.isHidden())
    assert [row[0] for row in texts(window)] == ["violin.wav", "flute.wav", "oboe.wav"] and not window.training.listening.busy


def test_what_cannot_be_read_leaves_what_was_heard(window: StudioWindow) -> None:
    listened(window, "violin.wav")
    listened(window, "missing.wav")
    page = window.training.panel.material
    assert page.advice.text().startswith("missing.wav: there is no such file") and page.train.isEnabled()
    assert [row[0] for row in texts(window)] == ["violin.wav"]


@pytest.mark.parametrize("how", ["key", "button", "menu"])
def test_single_files_are_removed(window: StudioWindow, how: str) -> None:
    listened(window, "violin.wav", "silent.mp3", "flute.wav")
    page = window.training.panel.material
    assert page.remove.isEnabled()  # the first one is selected
    page.files.setCurrentItem(page.files.topLevelItem(1))
    page.files.setFocus()
    if how == "key":
        QTest.keyClick(page.files, Qt.Key.Key_Delete)
    elif how == "button":
        page.remove.click()
    else:
        page.files.menu_of(page.files.heard[1]).actions()[-1].trigger()
    assert [row[0] for row in texts(window)] == ["violin.wav", "flute.wav"]
    assert page.total.text() == "2 files, 1:02 min of sound, 1:00 min usable"
    listened(window, "silent.mp3")  # it may come back
    assert [row[0] for row in texts(window)] == ["violin.wav", "flute.wav", "silent.mp3"]
    page.files.selectAll()
    page.remove.click()
    assert window.training.panel.currentWidget() is window.training.panel.empty


def test_the_neighbour_of_what_was_removed_is_chosen(window: StudioWindow) -> None:
    listened(window, "violin.wav", "oboe.wav", "flute.wav")
    page = window.training.panel.material
    page.files.setCurrentItem(page.files.topLevelItem(1))
    page.files.setFocus()
    for left in ("flute.wav", "violin.wav"):
        QTest.keyClick(page.files, Qt.Key.Key_Delete)
        assert [Path(path).name for path in page.files.chosen] == [left] and page.remove.isEnabled()


def test_keys_act_on_the_row_at_the_cursor(window: StudioWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    listened(window, "violin.wav", "silent.mp3", "flute.wav")
    files, heard, menus = window.training.panel.material.files, [], []
    files.hear_wanted.connect(lambda path: heard.append(Path(path).name))
    monkeypatch.setattr(files, "menu_of", lambda of: menus.append(Path(of.path).name) or QMenu())
    monkeypatch.setattr(QMenu, "exec", lambda *_: None)
    files.setCurrentItem(files.topLevelItem(2))
    QTest.keyClick(files, Qt.Key.Key_Return)
    files.itemDoubleClicked.emit(files.topLevelItem(0), 0)
    files.itemDoubleClicked.emit(files.topLevelItem(1), 0)  # there is nothing in it to be heard
    assert heard == ["flute.wav", "violin.wav"]
    first = files.visualItemRect(files.topLevelItem(0)).center()
    for reason, row in ((QContextMenuEvent.Reason.Keyboard, "flute.wav"), (QContextMenuEvent.Reason.Mouse, "violin.wav")):
        files.contextMenuEvent(QContextMenuEvent(reason, first, files.mapToGlobal(first)))
        assert menus[-1] == row


def test_select_all_is_meant_for_the_list_that_has_the_focus(window: StudioWindow) -> None:
    listened(window, "violin.wav", "flute.wav")
    files = window.training.panel.material.files
    window.activateWindow()
    files.setFocus()
    QTest.keyClick(files, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert len(files.chosen) == 2 and not window.document.selection


def test_an_empty_folder_among_others_is_named(window: StudioWindow, tmp_path: Path) -> None:
    for name in ("empty", "full"):
        (tmp_path / name).mkdir()
    window.drops.drop([tmp_path / "empty", Path("/recordings/violin.wav")])
    wait_until(lambda: window.training.panel.material.bar.isHidden())
    assert "empty: there are no recordings in it." in window.training.panel.material.advice.text()


def test_after_a_training_other_recordings_begin_anew(window: StudioWindow) -> None:
    listened(window, "violin.wav")
    window.training.panel.setCurrentWidget(window.training.panel.progress)
    page = window.training.panel.material
    page.octave.setCurrentIndex(page.octave.findData(-1))
    page.licence.setCurrentText("CC0 1.0")
    QTest.keyClicks(page.name, " of mine")
    listened(window, "flute.wav")
    assert [row[0] for row in texts(window)] == ["flute.wav"]
    assert (page.plan().octave, page.plan().licence, page.plan().name) == (0, "", "Flute")


def test_clips_are_varied_as_chosen(window: StudioWindow, tmp_path: Path) -> None:
    listened(window, "violin.wav")
    page = window.training.panel.material
    patch = patch_file.load(resources.find(resources.TEMPLATES, plan.FIRST))

    def varied() -> tuple[float | None, float | None, float]:
        settings = plan.order(page.plan(), page.heard, patch, tmp_path / "run").settings
        return settings.gain_db, settings.pitch_cents, settings.noise_db

    fields = page.variation.fields
    assert [field.text() for field in fields] == ["auto level", "auto pitch", "no noise"] and varied() == (None, None, -120.0)
    for field in fields:
        field.stepUp()
    assert [field.text() for field in fields] == ["± 0 dB", "± 0 ct", "-80 dB"] and varied() == (0.0, 0.0, -80.0)
    page.variation.pitch.setValue(-5.0)  # typed
    assert varied() == (0.0, 0.0, -80.0)
    for field in fields:
        field.setValue(field.maximum())
    assert varied() == (24.0, 200.0, -20.0)


@pytest.mark.parametrize("width", [300, 420])
def test_warnings_are_read_in_full(themed: QApplication, width: int) -> None:
    words = "d_rock.wav has no clear pitch (drums, noise, speech?): an instrument that follows pitch cannot learn from it"
    files = FileList()
    files.resize(width, 200)
    files.show()
    files.show_heard(msgspec.structs.replace(of("/a/d_rock.wav", 0.0), warnings=[words]))
    for _ in range(3):
        QApplication.processEvents()
    line = files.topLevelItem(0).child(0)
    assert line.text(0).startswith("Has no clear pitch (drums")
    assert line.isFirstColumnSpanned()
    room = files.visualItemRect(line)
    needed = files.fontMetrics().boundingRect(QRect(0, 0, room.width() - 8, 999), int(Qt.TextFlag.TextWordWrap), line.text(0))
    assert room.width() > 0.85 * width and room.height() >= needed.height() > files.fontMetrics().height()


# -- data sets --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["n.tfrecord", "train.tfrecord-00000-of-00010", "nsynth-train.jsonwav.tar.gz", "nsynth.tgz", "nsynth.tar"]
)
def test_archives_of_data_sets_can_be_dropped(window: StudioWindow, tmp_path: Path, name: str) -> None:
    assert [zone.title for zone in window.drops.fitting([tmp_path / name])] == ["Train on these"]
    assert not window.drops.fitting([tmp_path / "notes.gz"])


def test_data_sets_are_shown_for_what_they_are(themed: QApplication) -> None:
    files = FileList()
    files.show_heard(msgspec.structs.replace(of("/a/n.tar.gz", kind="nsynth"), sounds=12_678, exact=False, seconds=50_712.0))
    item = files.topLevelItem(0)
    assert [item.text(0), item.text(1), item.child(0).text(0)] == ["n.tar.gz", "≈ 14:05 h", "NSynth, about 12,678 notes"]


def test_the_real_listener_looks_at_data_sets(tmp_path: Path, qapp: QApplication) -> None:
    names = ["string_acoustic_000-067-100", "string_acoustic_000-069-050"]
    folder = nsynth_folder(tmp_path / "sets" / "nsynth-train", names)
    (tmp_path / "sets" / "a.tfrecord").write_bytes(framed([nsynth_record(names[0])]))
    write(tmp_path / "sets" / "own" / "own.wav", melody([60, 64, 67]))
    listening, heard, ends = Listening(), [], []
    listening.heard.connect(heard.append)
    listening.finished.connect(lambda: ends.append(True))
    listening.failed.connect(ends.append)
    listening.start([tmp_path / "sets"])
    wait_until(lambda: ends)
    records, notes, own = heard
    assert ends == [True]
    assert (records.kind, records.sounds, records.keys) == ("nsynth", 1, (67, 67))
    assert (notes.path, notes.kind, notes.sounds, notes.keys) == (str(folder), "nsynth", 2, (67, 69))
    assert notes.usable_s > 0.0 and len(notes.f0_hz) == len(notes.loudness_db) > 10
    assert own.kind == "" and own.path.endswith("own.wav")


# -- the real listener ------------------------------------------------------------------------------------------------------


def test_the_real_listener_hears_a_tone_and_refuses_a_text(tmp_path: Path, qapp: QApplication) -> None:
    rate = 16_000
    tone = 0.3 * np.sin(2 * np.pi * 220.0 * np.arange(2 * rate) / rate)
    soundfile.write(tmp_path / "tone.wav", tone.astype(np.float32), rate)
    (tmp_path / "text.wav").write_text("no sound")
    listening, heard, ends = Listening(), [], []
    listening.heard.connect(heard.append)
    listening.finished.connect(lambda: ends.append(True))
    listening.failed.connect(ends.append)
    listening.start([tmp_path / "text.wav", tmp_path / "tone.wav"])
    wait_until(lambda: ends)
    bad, good = heard
    assert bad.usable_s == 0.0 and "text.wav" in bad.warnings[0] and not bad.f0_hz
    assert good.keys == (57, 57) and good.seconds == pytest.approx(2.0)
    assert len(good.f0_hz) == len(good.loudness_db) <= listen.POINTS
    assert np.median([f for f in good.f0_hz if f]) == pytest.approx(220.0, rel=0.003)
    assert ends == [True] and 1.5 < good.usable_s < 2.1
    ends.clear()
    listening.start([tmp_path / "nowhere"])
    wait_until(lambda: ends)
    assert isinstance(ends[0], str) and "nowhere" in ends[0]


def test_a_name_that_is_no_text_costs_its_file_only(tmp_path: Path, qapp: QApplication) -> None:
    strange = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav")
    write(tmp_path / "own.wav", melody([60, 64, 67]))
    try:
        shutil.copyfile(tmp_path / "own.wav", strange)
    except OSError:
        pytest.skip("this file system takes no names that are not UTF-8")
    listening, heard, ends = Listening(), [], []
    listening.heard.connect(heard.append)
    listening.finished.connect(lambda: ends.append(True))
    listening.failed.connect(ends.append)
    listening.start([tmp_path])
    wait_until(lambda: ends)
    assert ends == [True] and sorted(each.usable_s > 0.0 for each in heard) == [False, True]
    assert "rename it" in next(each for each in heard if not each.usable_s).warnings[0]


def test_more_files_are_named_than_a_command_line_holds(qapp: QApplication) -> None:
    counting = 'import sys; n = len(sys.stdin.buffer.read().split(bytes(1))); print(\'{"what":"Refused","text":"%d"}\' % n)'
    listening, told = Listening((sys.executable, "-c", counting)), []
    listening.failed.connect(told.append)
    listening.start([Path("/a" + 200 * "b" + f"{number}.wav") for number in range(20_000)])
    wait_until(lambda: told)
    assert told == ["20000"]


def test_what_is_refused_does_not_end_what_waits(tmp_path: Path, qapp: QApplication) -> None:
    write(tmp_path / "own.wav", melody([60, 64, 67]))
    listening, refused, ends = Listening(), [], []
    listening.refused.connect(refused.append)
    listening.finished.connect(lambda: ends.append("finished"))
    listening.failed.connect(ends.append)
    listening.start([tmp_path / "nowhere"])
    listening.add([tmp_path / "own.wav"])
    wait_until(lambda: ends)
    assert ends == ["finished"] and len(refused) == 1 and "nowhere" in refused[0]


def test_the_end_of_listening_leaves_the_keyboard_where_it_is(window: StudioWindow) -> None:
    window.show()
    window.editor.setFocus()
    before = QApplication.focusWidget()
    listened(window, "violin.wav")
    assert before is not None and QApplication.focusWidget() is before


def test_a_listener_that_dies_is_one_sentence(qapp: QApplication) -> None:
    for command in ((sys.executable, "-c", "import os; os._exit(7)"), ("/no/such/program",)):
        listening, ends = Listening(command), []
        listening.failed.connect(ends.append)
        listening.start([Path("a.wav")])
        wait_until(lambda ends=ends: ends)
        assert ends[0].startswith("The recordings could not be listened to") and not listening.busy


# -- plans ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "name"),
    [
        (["/a/my_violin-take.1.wav"], "My violin take 1"),
        (["/a/nsynth-train.jsonwav.tar.gz"], "Nsynth train"),
        (["/a/violin_phrases/1.wav", "/a/violin_phrases/2.wav"], "Violin phrases"),
        ([], "Instrument"),
        (["/a/___.wav"], "Instrument"),
    ],
)
def test_a_name_comes_from_the_files(files: list[str], name: str) -> None:
    assert plan.name_of([Path(file) for file in files]) == name


def test_every_template_can_learn_and_takes_every_size(tmp_path: Path) -> None:
    assert next(iter(plan.templates())) == plan.FIRST
    for name in plan.templates():
        patch = patch_file.load(resources.find(resources.TEMPLATES, name))
        assert plan.learns(patch)
    for size in plan.SIZE_WORDS:
        begin = plan.order(plan.Plan("x", size=size), [of("a.wav")], patch, tmp_path / "run")
        sizes = [n["options"]["size"] for n in begin.patch["nodes"].values() if n["type"] == "RnnDecoder"]
        assert sizes == [size]
    networkless = patch_file.load(resources.find(resources.TEMPLATES, "solo_instrument"))
    networkless = networkless.without_nodes([name for name, node in networkless.nodes.items() if node.type == "RnnDecoder"])
    begin = plan.order(plan.Plan("x", template=""), [of("a.wav")], networkless, tmp_path / "run")  # its room can learn
    assert begin.patch == patch_file.to_json(networkless)


def test_a_patch_without_anything_to_learn_is_refused(tmp_path: Path) -> None:
    from ddsp_studio.processors.patch import Cable, Patch, Port

    dumb = Patch().with_node("tone", Node("Harmonic")).with_node("mixer", Node("VoiceMixer")).with_node("out", Node("Output"))
    for ends in (("tone.audio", "mixer.input"), ("mixer.audio", "out.input")):
        dumb = dumb.with_cable(Cable(*(Port.parse(end) for end in ends)))
    assert not plan.learns(dumb)
    with pytest.raises(ValueError, match="can learn"):
        plan.order(plan.Plan("x", template=""), [of("a.wav")], dumb, tmp_path / "run")


def test_only_what_can_be_learned_from_is_trained_on(tmp_path: Path) -> None:
    patch = patch_file.load(resources.find(resources.TEMPLATES, plan.FIRST))
    heard = [of("/a/good.wav"), of("/a/drums.wav", 0.0), of("/a/n.tfrecord", kind="nsynth")]
    begin = plan.order(plan.Plan("x", octave=-1), heard, patch, tmp_path / "run")
    assert [(s.path, s.kind, s.octave) for s in begin.sources] == [("/a/good.wav", "", -1), ("/a/n.tfrecord", "nsynth", -1)]
    with pytest.raises(ValueError, match="nothing can be learned"):
        plan.order(plan.Plan("x"), [of("/a/drums.wav", 0.0)], patch, tmp_path / "run")


@pytest.mark.parametrize(
    ("cores", "gpu", "cuda", "size"),
    [(1, "", None, "tiny"), (2, "", None, "small"), (16, "", "/c", "small"), (2, "/x", "/c", "full"), (2, "/x", None, "small")],
)
def test_the_size_suits_the_machine(monkeypatch: pytest.MonkeyPatch, cores: int, gpu: str, cuda: str | None, size: str) -> None:
    """A card without CUDA's libraries is of no use to TensorFlow."""
    monkeypatch.setattr(plan, "cores", lambda: cores)
    monkeypatch.setattr(plan.shutil, "which", lambda _name: gpu)
    monkeypatch.setattr(plan.importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setattr(plan.ctypes.util, "find_library", lambda _name: cuda)
    assert plan.good_size() == size
    assert "two cores" in plan.SIZE_WORDS["small"] and "four" not in plan.SIZE_WORDS["small"]


def test_checkpoints_come_often_enough_to_hear_progress() -> None:
    assert plan.checkpoint_s(1.0) == 20.0 and plan.checkpoint_s(10.0) == 50.0 and plan.checkpoint_s(600.0) == 120.0
