"""The export dialog and its subprocess."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from ddsp_studio.audio.midi_file import read_song
from ddsp_studio.processors import patch_file
from ddsp_studio.processors.patch import Patch
from ddsp_studio.ui.dialogs.export import ExportDialog
from ddsp_studio.ui.render_job import RenderJob
from ddsp_studio.ui.settings import Settings
from tests.ui_shell.conftest import wait_until

GOOD = (
    'import json\nfor done in (0.25, 1.0): print(json.dumps({"done": done}), flush=True)\nprint(json.dumps({"file": "/x/y.wav"}))'
)
BAD = 'import json, sys\nprint(json.dumps({"error": "the disk is full"}))\nsys.exit(1)'
CRASH = 'import sys\nsys.exit("no words of JSON")'
SLOW = "import time\ntime.sleep(60)"


class Watched:
    """A job that keeps what it says."""

    def __init__(self, script: str) -> None:
        self.said: list[object] = []
        self.job = RenderJob([], program=(sys.executable, "-c", script))
        self.job.progressed.connect(self.said.append)
        self.job.finished.connect(lambda path: self.said.append(("finished", path)))
        self.job.failed.connect(lambda words: self.said.append(("failed", words)))
        self.job.cancelled.connect(lambda: self.said.append("cancelled"))
        self.job.start()


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (GOOD, [0.25, 1.0, ("finished", "/x/y.wav")]),
        (BAD, [("failed", "The disk is full.")]),
        (CRASH, [("failed", "No words of JSON.")]),
    ],
)
def test_a_job_ends_with_one_word(qapp: QApplication, script: str, expected: list[object]) -> None:
    watched = Watched(script)
    wait_until(lambda: len(watched.said) >= len(expected))
    assert watched.said == expected


def test_a_job_can_be_cancelled(qapp: QApplication) -> None:
    watched = Watched(SLOW)
    watched.job.cancel()
    wait_until(lambda: watched.said)
    assert watched.said == ["cancelled"]


@pytest.fixture
def dialog(qapp: QApplication, organ: Patch, tmp_path: Path) -> ExportDialog:
    settings = Settings()
    settings.export.folder = str(tmp_path)
    made = ExportDialog(organ, "Organ", None, None, settings)
    yield made  # type: ignore[misc]
    made.deleteLater()


def test_a_held_note_becomes_a_midi_file(dialog: ExportDialog, tmp_path: Path, organ: Patch) -> None:
    dialog.note.setText("A3")
    dialog.seconds.setValue(1.5)
    dialog.level.setCurrentIndex(dialog.level.findData("peak"))
    words = dialog.arguments(tmp_path)
    assert words[0] == "render" and patch_file.load(Path(words[1])) == organ
    song = read_song(Path(words[2]))
    assert song.data[0][:2] == bytes([0x90, 57]) and song.times[-1] == pytest.approx(1.5, abs=0.01)
    assert words[words.index("-o") + 1] == str(tmp_path / "Organ.wav")
    assert words[words.index("--normalise") + 1] == "peak" and "--progress-json" in words


def test_loudness_and_dither_are_asked_for_and_remembered(dialog: ExportDialog, tmp_path: Path, organ: Patch) -> None:
    assert not dialog.lufs.isEnabled() and not dialog.dither.isEnabled()  # 24 bits need no dither
    dialog.level.setCurrentIndex(dialog.level.findData("lufs"))
    dialog.level.activated.emit(dialog.level.currentIndex())
    dialog.bits.setCurrentIndex(dialog.bits.findData("16"))
    dialog.bits.activated.emit(dialog.bits.currentIndex())
    assert dialog.lufs.isEnabled() and dialog.dither.isEnabled()
    dialog.lufs.setValue(-23.0)
    dialog.dither.setChecked(False)
    words = dialog.arguments(tmp_path)
    assert words[words.index("--normalise") :][:4] == ["--normalise", "lufs", "--target", "-23"]
    assert "--no-dither" in words
    settings = Settings()
    settings.export = dialog.choices()
    again = ExportDialog(organ, "Organ", None, None, settings)
    assert again.choices() == settings.export
    again.deleteLater()


def test_the_patch_alone_has_a_length_and_no_notes(dialog: ExportDialog, tmp_path: Path) -> None:
    dialog.source.setCurrentIndex(dialog.source.findData("free"))
    words = dialog.arguments(tmp_path)
    song = read_song(Path(words[2]))
    assert song.length_s == pytest.approx(4.0, abs=0.01) and all(data[0] == 0x80 for data in song.data)


def test_flac_has_no_float(dialog: ExportDialog) -> None:
    dialog.bits.setCurrentIndex(dialog.bits.findData("32"))
    dialog.container.setCurrentIndex(dialog.container.findData("flac"))
    dialog._format_chosen()
    assert dialog.bits.currentData() == "24" and dialog.target.text().endswith(".flac")


@pytest.mark.parametrize(("note", "target"), [("H9", "ok.wav"), ("C4", "file/inside.wav")])
def test_what_cannot_be_exported_is_one_sentence(dialog: ExportDialog, tmp_path: Path, note: str, target: str) -> None:
    (tmp_path / "file").write_text("in the way")
    dialog.note.setText(note)
    dialog.target.setText(str(tmp_path / target))
    dialog.export()
    assert dialog.message.text().startswith("Nothing was exported: ")
    assert dialog.export_button.isEnabled()
