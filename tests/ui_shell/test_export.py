"""The export dialog and its subprocess."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import soundfile
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

from ddsp_studio.audio.events import Midi, Move
from ddsp_studio.audio.midi_file import read_song
from ddsp_studio.audio.protocol import AudioSettings, Recorded
from ddsp_studio.audio.take import Take, save_take
from ddsp_studio.processors import patch_file
from ddsp_studio.processors.patch import Patch
from ddsp_studio.ui.dialogs.export import ExportDialog
from ddsp_studio.ui.render_job import RenderJob
from ddsp_studio.ui.settings import ExportChoices, Settings
from ddsp_studio.ui.window import StudioWindow
from tests.ui_shell.conftest import wait_until

GOOD = (
    'import json\nfor done in (0.25, 1.0): print(json.dumps({"done": done}), flush=True)\nprint(json.dumps({"file": "/x/y.wav"}))'
)
BAD = 'import json, sys\nprint(json.dumps({"error": "the disk is full"}))\nsys.exit(1)'
NAMED = 'import json, sys\nprint(json.dumps({"error": "text.wav is not a sound file"}))\nsys.exit(1)'
CRASH = 'import sys\nsys.exit("no words of JSON")'
SLOW = "import time\ntime.sleep(60)"
_DEAF = 'import json, signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint(json.dumps({"done": 0.5}), flush=True)\n'
DEAF = f"{_DEAF}time.sleep(60)"
DEAF_BUT_QUICK = f'{_DEAF}time.sleep(0.5)\nprint(json.dumps({{"file": "/x/y.wav"}}))'


class Watched:
    """A job that keeps what it says."""

    def __init__(self, script: str = "", arguments: Sequence[str] = (), grace_ms: int = 60_000) -> None:
        self.said: list[object] = []
        self.job = RenderJob(arguments, program=(sys.executable, "-c", script) if script else (), grace_ms=grace_ms)
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
        (NAMED, [("failed", "text.wav is not a sound file.")]),
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


def test_a_job_that_does_not_listen_is_ended_after_a_while(qapp: QApplication) -> None:
    watched = Watched(DEAF, grace_ms=300)
    wait_until(lambda: watched.said)  # it has put its fingers into its ears
    watched.job.cancel()
    wait_until(lambda: len(watched.said) > 1)
    assert watched.said == [0.5, "cancelled"]


def test_what_was_finished_before_it_could_be_cancelled_is_told(qapp: QApplication) -> None:
    watched = Watched(DEAF_BUT_QUICK)
    wait_until(lambda: watched.said)
    watched.job.cancel()
    wait_until(lambda: len(watched.said) > 1)
    assert watched.said == [0.5, ("finished", "/x/y.wav")]


def test_a_cancelled_export_leaves_nothing_behind(qapp: QApplication, organ: Patch, tmp_path: Path) -> None:
    """The real renderer, stopped in the middle of its work."""
    patch_file.save(organ, tmp_path / "organ.ddsp")
    target = tmp_path / "out" / "long.wav"
    target.parent.mkdir()
    words = ["render", str(tmp_path / "organ.ddsp"), "-o", str(target), "--seconds", "80000", "--progress-json"]
    watched = Watched(arguments=words)
    wait_until(lambda: list(target.parent.iterdir()) and len(watched.said) > 3, 200.0)
    watched.job.cancel()
    wait_until(lambda: "cancelled" in watched.said, 60.0)
    assert not list(target.parent.iterdir())


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


def test_flac_has_no_float_wherever_it_comes_from(
    dialog: ExportDialog, organ: Patch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(export=ExportChoices(format="flac", bit_depth="32", folder=str(tmp_path)))
    remembered = ExportDialog(organ, "Organ", None, None, settings)
    assert remembered.choices().bit_depth == "24"
    remembered.deleteLater()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "chosen.flac"), ""))
    for put in (dialog._choose_target, lambda: typed(dialog, "typed.flac")):
        typed(dialog, "it.wav")
        dialog.bits.setCurrentIndex(dialog.bits.findData("32"))
        assert dialog.choices().bit_depth == "32"
        put()
        assert (dialog.choices().format, dialog.choices().bit_depth) == ("flac", "24")


def typed(dialog: ExportDialog, name: str) -> None:
    dialog.target.setText(name)
    dialog.target.editingFinished.emit()


@pytest.mark.parametrize(
    ("note", "target", "words"),
    [
        *((note, "ok.wav", "a note is C-1 (8.176 Hz) to G9 (12.54 kHz), got ") for note in ("H9", "-5", "0", "20000", "C99999")),
        ("C4", "file/inside.wav", "in the way"),
        ("C4", "", "no file is named to write to"),
        ("C4", ".", "is a folder; name a file in it"),
    ],
)
def test_what_cannot_be_exported_is_one_sentence(
    dialog: ExportDialog, tmp_path: Path, note: str, target: str, words: str
) -> None:
    (tmp_path / "file").write_text("in the way")
    dialog.note.setText(note)
    dialog.target.setText(str(tmp_path / target) if target else "")
    dialog.export()
    said = dialog.message.text()
    assert said.startswith("Nothing was exported: ") and said.endswith(".")
    assert words in said or words == "in the way"
    assert dialog.export_button.isEnabled()


# -- what was heard -----------------------------------------------------------------------------------------------------------


def test_the_patch_is_exported_in_the_voice_mode_that_it_is_played_in(dialog: ExportDialog, tmp_path: Path) -> None:
    dialog._settings.audio = AudioSettings(voices=5, mode="legato")
    words = dialog.arguments(tmp_path)
    assert words[words.index("--voices") + 1] == "5" and words[words.index("--mode") + 1] == "legato"


@pytest.fixture
def taken(qapp: QApplication, organ: Patch, tmp_path: Path) -> ExportDialog:
    settings = Settings(audio=AudioSettings(mode="mono"))
    settings.export.folder, settings.export.sample_rate = str(tmp_path), 96_000
    made = ExportDialog(organ, "Organ", tmp_path / "song.mid", tmp_path / "jam.take", settings)
    yield made  # type: ignore[misc]
    made.deleteLater()


def test_a_take_is_exported_as_it_was_heard(taken: ExportDialog, tmp_path: Path) -> None:
    assert "jam" in taken.source.currentText()
    words = taken.arguments(tmp_path)
    assert words[:4] == ["render", str(tmp_path / "jam.take"), "-o", str(tmp_path / "Organ.wav")]
    assert not {"--voices", "--mode", "--sample-rate"} & set(words)
    assert taken.choices().sample_rate == 96_000  # what is remembered is left alone
    taken.sample_rate.setCurrentIndex(taken.sample_rate.findData(44_100))
    assert "44100" in taken.arguments(tmp_path)


def test_the_keys_of_a_take_play_the_patch_as_it_is_now(taken: ExportDialog, tmp_path: Path, organ: Patch) -> None:
    choose(taken, "again")
    words = taken.arguments(tmp_path)
    assert patch_file.load(Path(words[1])) == organ and words[2] == str(tmp_path / "jam.take")
    assert not {"--voices", "--mode"} & set(words)
    choose(taken, "song")
    words = taken.arguments(tmp_path)
    assert words[2] == str(tmp_path / "song.mid") and "--mode" in words
    assert taken.sample_rate.findData(0) < 0 and words[words.index("--sample-rate") + 1] == "96000"


def test_an_older_take_can_be_chosen(dialog: ExportDialog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(tmp_path / "old.take"), ""))
    choose(dialog, "file")
    assert dialog.source.currentData() == "take"
    assert dialog.arguments(tmp_path)[1] == str(tmp_path / "old.take")


def test_the_last_take_is_what_the_export_offers(window: StudioWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stem = str(tmp_path / "jam")
    window.link.recorded.emit(Recorded(audio_path=f"{stem}.wav", midi_path=f"{stem}.mid", seconds=2.0, take_path=f"{stem}.take"))
    window.link.recorded.emit(Recorded(audio_path="x.wav", midi_path="", seconds=0.0))  # a take that could not be written
    offered: list[list[str]] = []
    monkeypatch.setattr(ExportDialog, "exec", lambda shown: offered.append(shown.arguments(tmp_path)))
    window.open_export()
    assert offered[0][:2] == ["render", f"{stem}.take"]


def test_a_take_becomes_a_file(dialog: ExportDialog, organ: Patch, tmp_path: Path) -> None:
    """From the dialog to the disk, by the real renderer."""
    events = (Midi(0, b"\x90\x3c\x64"), Move(9600, "gain.level", (0.5,)))
    save_take(Take(organ, 44_100, 3, "legato", 22_050, events), tmp_path / "jam.take")
    dialog._offer(tmp_path / "jam.take")
    dialog._show_source()
    dialog.tail.setValue(0.5)
    dialog.export()
    assert dialog.progress.maximum() == 0
    wait_until(dialog.export_button.isEnabled, 200.0)
    assert dialog.message.text() == "Exported Organ.wav."
    assert dialog.progress.maximum() == dialog.progress.value() == 1000
    info = soundfile.info(tmp_path / "Organ.wav")
    assert (info.samplerate, info.frames) == (44_100, 44_100)


def choose(dialog: ExportDialog, kind: str) -> None:
    dialog.source.setCurrentIndex(dialog.source.findData(kind))
    dialog.source.activated.emit(dialog.source.currentIndex())


def test_a_range_ends_without_a_tail(dialog: ExportDialog, tmp_path: Path) -> None:
    words = dialog.arguments(tmp_path)
    assert "--start" not in words and "--stop" not in words and "--tail" in words
    dialog.range_start.setValue(1.5)
    dialog.range_stop.setValue(3.25)
    words = dialog.arguments(tmp_path)
    assert (words[words.index("--start") + 1], words[words.index("--stop") + 1]) == ("1.5", "3.25")
    assert "--tail" not in words and not dialog.tail.isEnabled()
    dialog.range_stop.setValue(1.0)
    dialog.export()
    assert dialog.message.text() == "Nothing was exported: the range ends after it starts, got 1.5 s to 1 s."


# -- the file, and the work ----------------------------------------------------------------------------------------------------


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[RenderJob]:
    """The jobs that were begun; none of them does anything."""
    jobs: list[RenderJob] = []

    def start(job: RenderJob) -> None:
        jobs.append(job)

    monkeypatch.setattr(RenderJob, "start", start)
    return jobs


def answers(monkeypatch: pytest.MonkeyPatch, answer: QMessageBox.StandardButton) -> list[str]:
    asked: list[str] = []

    def reply(box: QMessageBox) -> QMessageBox.StandardButton:
        asked.append(box.text())
        return answer

    monkeypatch.setattr(QMessageBox, "exec", reply)
    return asked


def test_a_file_is_replaced_only_if_the_user_says_so(
    dialog: ExportDialog, begun: list[RenderJob], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Organ.wav").write_text("dear to me")
    asked = answers(monkeypatch, QMessageBox.StandardButton.Cancel)
    dialog.export()
    assert len(asked) == 1 and "Organ.wav" in asked[0] and not begun
    asked = answers(monkeypatch, QMessageBox.StandardButton.Yes)
    dialog.export()
    assert len(asked) == 1 and len(begun) == 1


def test_what_the_file_chooser_asked_is_not_asked_again(
    dialog: ExportDialog, begun: list[RenderJob], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other.wav").write_text("not needed")
    asked = answers(monkeypatch, QMessageBox.StandardButton.Cancel)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "other.wav"), ""))
    dialog._choose_target()
    dialog.export()
    assert not asked and len(begun) == 1
    begun[0].finished.emit(str(tmp_path / "other.wav"))
    dialog.export()  # it is another file by now
    assert len(asked) == 1 and len(begun) == 1


@pytest.mark.parametrize(("typed", "written"), [("a", "a.wav"), ("take 21.08.56", "take 21.08.56.wav"), ("b.FLAC", "b.FLAC")])
def test_a_name_is_taken_in_the_folder_and_gets_a_suffix(
    dialog: ExportDialog, begun: list[RenderJob], tmp_path: Path, typed: str, written: str
) -> None:
    dialog.target.setText(typed)
    dialog.export()
    assert dialog.target.text() == str(tmp_path / written) and len(begun) == 1


def test_the_dialog_is_busy_until_the_first_sound_is_made(dialog: ExportDialog, begun: list[RenderJob]) -> None:
    dialog.export()
    assert dialog.progress.maximum() == 0 and dialog.message.text() == "Preparing…"
    begun[0].progressed.emit(0.25)
    assert (dialog.progress.maximum(), dialog.progress.value()) == (1000, 250) and dialog.message.text() == "Rendering…"
    dialog.reject()
    begun[0].progressed.emit(0.5)
    assert dialog.message.text() == "Cancelling…" and not dialog.close_button.isEnabled()
    begun[0].cancelled.emit()
    assert dialog.close_button.isEnabled() and dialog.export_button.isEnabled()
