"""Transfer: a recording is played by an instrument in a process of its own; it is heard, saved, cancelled, refused."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from ddsp_studio import resources
from ddsp_studio.audio import protocol as engine
from ddsp_studio.processors import model_file, patch_file
from ddsp_studio.processors.model_file import Model
from ddsp_studio.processors.model_patch import instrument
from ddsp_studio.ui import paths
from ddsp_studio.ui.training.transfer_dialog import TransferDialog
from ddsp_studio.ui.window import StudioWindow

from .conftest import sure, wait_until


@pytest.fixture
def models(home: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two instruments of the user's, and none that ships."""
    factory = resources.factory
    monkeypatch.setattr(resources, "factory", lambda kind: {} if kind == resources.MODELS else factory(kind))
    template = patch_file.load(resources.find(resources.TEMPLATES, "solo_instrument"))
    made = []
    for name in ("Flute", "Violin"):
        path = paths.models() / f"{name}.ddspmodel"
        path.parent.mkdir(parents=True, exist_ok=True)
        about = {"name": name, "sample_rate": 16_000, "nodes": {"decoder": "RnnDecoder"}, "range_midi": [55, 79]}
        files = {"patch.ddsp": patch_file.dumps(template).encode()}
        model_file.save(Model(about, {"decoder": {"gru": np.zeros(3, np.float32)}}, files), path)
        made.append(path)
    return made


def opened(window: StudioWindow, name: str = "voice.wav") -> TransferDialog:
    window.drops.drop([Path("/recordings") / name], QPointF(window.width() / 2, 100))
    return window.findChild(TransferDialog)


def test_it_is_made_heard_and_saved(models: list[Path], window: StudioWindow, said, tmp_path: Path) -> None:
    dialog = opened(window)
    assert [dialog.model.itemText(i) for i in range(dialog.model.count())] == ["Flute", "Violin"]
    dialog.start.click()
    assert dialog.progress.isVisible() and dialog.cancel.text() == "Cancel" and not dialog.start.isEnabled()
    wait_until(lambda: dialog.save.isVisible())
    wait_until(lambda: said(engine.Preview))
    heard = said(engine.Preview)[0]
    assert heard.track == 1 and heard.files[0] == "/recordings/voice.wav" and heard.files[1].endswith("voice on Flute.wav")
    dialog.save_to(tmp_path / "result")
    assert (tmp_path / "result.wav").stat().st_size > 800 and dialog.show_file.isVisible()
    scratch = Path(heard.files[1]).parent
    dialog.close()
    assert not scratch.exists() and window.training._dialog is None
    wait_until(lambda: said(engine.Preview)[-1].files == [])


@pytest.mark.parametrize("how", ["button", "escape"])
def test_it_is_closed_by_its_button_and_by_escape(models: list[Path], window: StudioWindow, how: str) -> None:
    dialog = made(window)
    scratch = dialog._folder
    if how == "button":
        dialog.cancel.click()
    else:
        QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible() and not scratch.exists() and window.training._dialog is None


def test_the_result_is_at_hand_when_it_is_there(models: list[Path], window: StudioWindow) -> None:
    dialog = made(window)
    assert dialog.focusWidget() is dialog.hear[1]


def made(window: StudioWindow) -> TransferDialog:
    """A dialog whose first result is there."""
    dialog = opened(window)
    dialog.start.click()
    wait_until(lambda: dialog.save.isVisible())
    return dialog


def test_a_second_transfer_begins_in_silence(models: list[Path], window: StudioWindow, said) -> None:
    dialog = made(window)
    wait_until(lambda: len(said(engine.Preview)) == 1)
    dialog.octaves.setCurrentIndex(2)
    dialog.start.click()
    wait_until(lambda: len(said(engine.Preview)) >= 2)
    assert said(engine.Preview)[1].files == []
    wait_until(lambda: len(said(engine.Preview)) == 3)
    assert said(engine.Preview)[2].track == 1


@pytest.mark.parametrize("typed", ["result", "result.wav"])
@pytest.mark.parametrize("answer", ["Replace", "Cancel"])
def test_a_file_whose_name_was_completed_is_asked_about(
    models: list[Path], window: StudioWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str, answer: str
) -> None:
    dialog, there, asked = made(window), tmp_path / "result.wav", sure(monkeypatch, answer)
    there.write_text("precious")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / typed), ""))
    dialog.save.click()
    assert asked == (["result.wav is there already. Replace it?"] if typed == "result" else [])
    kept = typed == "result" and answer == "Cancel"
    assert (there.read_bytes() == b"precious") is kept and dialog.show_file.isVisible() is not kept


def test_a_disk_that_is_full_leaves_what_was_there(
    models: list[Path], window: StudioWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog, there = made(window), tmp_path / "result.wav"
    there.write_text("precious")

    def full(_source: Path, target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("ddsp_studio.ui.training.transfer_dialog.shutil.copyfile", full)
    dialog.save_to(there)
    assert there.read_text() == "precious" and "No space left" in dialog.message.text()
    assert [path.name for path in tmp_path.glob("*.wav")] == ["result.wav"]


def test_the_instrument_in_the_editor_is_proposed(models: list[Path], window: StudioWindow) -> None:
    window.document.new(instrument(str(models[1])))
    assert opened(window).model.currentText() == "Violin"


def test_it_is_cancelled(models: list[Path], window: StudioWindow) -> None:
    dialog = opened(window, "slow.wav")
    dialog.start.click()
    wait_until(lambda: dialog.progress.value() == 500)
    dialog.cancel.click()
    wait_until(lambda: dialog.message.text() == "Cancelled.")
    assert dialog.start.isEnabled() and not dialog.save.isVisible()


def test_closing_ends_what_runs(models: list[Path], window: StudioWindow) -> None:
    dialog = opened(window, "slow.wav")
    dialog.start.click()
    wait_until(lambda: dialog.progress.value() == 500)
    scratch = dialog._folder
    dialog.close()
    wait_until(lambda: not scratch.exists())


def test_what_is_refused_is_one_sentence(models: list[Path], window: StudioWindow) -> None:
    dialog = opened(window, "bad.wav")
    dialog.start.click()
    wait_until(lambda: dialog.message.text() == "bad.wav is silent.")
    assert dialog.start.isEnabled()


def test_without_an_instrument_it_says_what_to_do(window: StudioWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "factory", lambda _kind: {})
    dialog = opened(window)
    assert "train one" in dialog.message.text() and not dialog.start.isEnabled()


# -- instruments in browser and editor ------------------------------------------------------------------------------------------


def test_the_browser_lists_and_opens_instruments(models: list[Path], window: StudioWindow) -> None:
    window.browser.refresh()
    entry = next(e for e in window.browser._entries if e.path == models[1])
    assert (entry.title, entry.group) == ("Violin", "My instruments") and "Notes G3 to G5" in entry.detail
    window.browser.chosen.emit(entry)
    assert window.document.patch.nodes["decoder"].options["model"] == str(models[1])
    assert window.document.path is None and window.displays.piano._known == (55, 79)


def test_a_damaged_instrument_is_listed_as_such(models: list[Path], window: StudioWindow) -> None:
    models[0].write_bytes(b"PK no zip")
    window.browser.refresh()
    entry = next(e for e in window.browser._entries if e.path == models[0])
    assert entry.damaged and "cannot be opened" in entry.detail
    before = window.document.patch
    window.browser.chosen.emit(entry)
    assert window.document.patch == before and any("was not opened" in text for text in window.toasts.texts())


def test_an_instrument_is_opened_by_dropping_it(models: list[Path], window: StudioWindow) -> None:
    window.drops.drop([models[0]])
    assert window.document.patch.nodes["decoder"].options["model"] == str(models[0])
    assert window.browser._current == models[0] and not window.document.dirty
