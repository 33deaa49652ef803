"""Transfer: a recording is played by an instrument in a process of its own; it is heard, saved, cancelled, refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF

from ddsp_studio import resources
from ddsp_studio.audio import protocol as engine
from ddsp_studio.processors import model_file, patch_file
from ddsp_studio.processors.model_file import Model
from ddsp_studio.processors.model_patch import instrument
from ddsp_studio.ui import paths
from ddsp_studio.ui.training.transfer_dialog import TransferDialog
from ddsp_studio.ui.window import StudioWindow

from .conftest import wait_until


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
