"""Dropped recordings: listened to in a process, shown with what is wrong with them, and planned with good defaults."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QApplication

from ddsp_studio import resources
from ddsp_studio.audio import protocol as engine
from ddsp_studio.processors import patch_file
from ddsp_studio.processors.patch import Node
from ddsp_studio.training import listen
from ddsp_studio.ui.training import plan
from ddsp_studio.ui.training.listening import Listening
from ddsp_studio.ui.window import StudioWindow

from .conftest import listened, wait_until


def texts(window: StudioWindow) -> list[list[str]]:
    tree = window.training.panel.material.files
    found = []
    for i in range(tree.topLevelItemCount()):
        item = tree.topLevelItem(i)
        found.append([item.text(c) for c in range(3)] + [item.child(k).text(0) for k in range(item.childCount())])
    return found


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
        ["chords.flac", "31 s", "A3 – A4", "several notes at once."],
        ["silent.mp3", "31 s", "", "silent.mp3 is silent."],
    ]
    assert page.total.text() == "3 files, 1:33 min of sound; 1:00 min of it can be learned from"
    assert page.advice.text() == "30 seconds are little."
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
    assert page.plan().octave == 1


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


# -- the real listener ------------------------------------------------------------------------------------------------------


def test_the_real_listener_hears_a_tone_and_refuses_a_text(tmp_path: Path, qapp: QApplication) -> None:
    rate = 16_000
    tone = 0.3 * np.sin(2 * np.pi * 220.0 * np.arange(2 * rate) / rate)
    soundfile.write(tmp_path / "tone.wav", tone.astype(np.float32), rate)
    (tmp_path / "text.wav").write_text("no sound")
    listening, heard, ends = Listening(), [], []
    listening.heard.connect(heard.append)
    listening.finished.connect(ends.append)
    listening.failed.connect(ends.append)
    listening.start([tmp_path / "text.wav", tmp_path / "tone.wav"])
    wait_until(lambda: ends)
    bad, good = heard
    assert bad.usable_s == 0.0 and "text.wav" in bad.warnings[0] and not bad.f0_hz
    assert good.keys == (57, 57) and good.seconds == pytest.approx(2.0)
    assert len(good.f0_hz) == len(good.loudness_db) <= listen.POINTS
    assert np.median([f for f in good.f0_hz if f]) == pytest.approx(220.0, rel=0.003)
    assert isinstance(ends[0], listen.Surveyed) and ends[0].usable_s == pytest.approx(good.usable_s)
    ends.clear()
    listening.start([tmp_path / "nowhere"])
    wait_until(lambda: ends)
    assert isinstance(ends[0], str) and "nowhere" in ends[0]


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
        begin = plan.order(plan.Plan("x", size=size), [tmp_path], patch, tmp_path / "run")
        sizes = [n["options"]["size"] for n in begin.patch["nodes"].values() if n["type"] == "RnnDecoder"]
        assert sizes == [size]


def test_a_patch_without_anything_to_learn_is_refused(tmp_path: Path) -> None:
    from ddsp_studio.processors.patch import Cable, Patch, Port

    dumb = Patch().with_node("tone", Node("Harmonic")).with_node("mixer", Node("VoiceMixer")).with_node("out", Node("Output"))
    for ends in (("tone.audio", "mixer.input"), ("mixer.audio", "out.input")):
        dumb = dumb.with_cable(Cable(*(Port.parse(end) for end in ends)))
    assert not plan.learns(dumb)
    with pytest.raises(ValueError, match="can learn"):
        plan.order(plan.Plan("x", template=""), [tmp_path], dumb, tmp_path / "run")


def test_checkpoints_come_often_enough_to_hear_progress() -> None:
    assert plan.checkpoint_s(1.0) == 20.0 and plan.checkpoint_s(10.0) == 50.0 and plan.checkpoint_s(600.0) == 120.0
