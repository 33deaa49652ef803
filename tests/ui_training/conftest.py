"""Fixtures: a private home folder, and a window with a fake engine, a fake trainer and other fake helpers in real processes."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QMessageBox

from ddsp_studio import resources
from ddsp_studio.audio import protocol as engine
from ddsp_studio.audio.client import Health
from ddsp_studio.processors import patch_file
from ddsp_studio.ui import paths, theme
from ddsp_studio.ui.settings import Store
from ddsp_studio.ui.training.control import Programs
from ddsp_studio.ui.training.session import TrainingSession
from ddsp_studio.ui.window import StudioWindow

HERE = Path(__file__).parent


def wait_until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait for a condition on another thread or process, serving Qt; fail when it does not come true."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail("the condition did not come true in time")
        QApplication.processEvents()
        time.sleep(0.003)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DDSP_STUDIO_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="session")
def themed(qapp: QApplication) -> QApplication:
    theme.apply(qapp)
    return qapp


@pytest.fixture
def programs() -> Programs:
    return Programs(*((sys.executable, str(HERE / f"fake_{name}.py")) for name in ("trainer", "listener", "transfer")))


@pytest.fixture
def diary(tmp_path: Path) -> Path:
    path = tmp_path / "diary"
    path.touch()
    return path


@pytest.fixture
def said(diary: Path) -> Callable[[type], list]:
    """What the engine was told, of one kind."""

    def of(kind: type) -> list:
        lines = diary.read_bytes().splitlines(keepends=True)
        return [held for line in lines if isinstance(held := engine.decode_command(line), kind)]

    return of


@pytest.fixture
def window(themed: QApplication, programs: Programs, diary: Path) -> Iterator[StudioWindow]:
    fake_engine = HERE.parent / "ui_shell" / "fake_engine.py"
    made = StudioWindow(
        Store(paths.settings_file()), engine=(sys.executable, str(fake_engine), "--diary", str(diary)), programs=programs
    )
    made.document.new(patch_file.load(resources.find(resources.PATCHES, "organ")))
    made.show()
    made.start_engine()
    wait_until(lambda: made.link.health is Health.RUNNING)
    yield made
    made.document.undo_stack.setClean()
    made.training.session.discard()
    made.close()
    made.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def session(window: StudioWindow) -> TrainingSession:
    return window.training.session


def listened(window: StudioWindow, *names: str) -> None:
    """Drop files and wait until they have been listened to."""
    window.drops.drop([Path(f"/recordings/{name}") for name in names or ("violin.wav",)])
    wait_until(lambda: window.training.panel.material.bar.isHidden())


def train(window: StudioWindow, name: str = "Violin", minutes: float = 1.0, template: str = "solo_instrument") -> None:
    """Train for as many hundreds of fake steps as minutes."""
    page = window.training.panel.material
    page.name.setText(name)
    page.minutes.setValue(minutes)
    page.base.setCurrentIndex(page.base.findData(template))
    page.train.click()


@pytest.fixture
def begun(window: StudioWindow) -> StudioWindow:
    """A window in which a long training has its first checkpoint."""
    listened(window)
    train(window, minutes=100.0)
    wait_until(lambda: window.training.session.story.points and window.training.session.training.model.is_file())
    return window


def sure(monkeypatch: pytest.MonkeyPatch, words: str) -> list[str]:
    """Answer every question with the button that says so; the questions that were asked."""
    asked: list[str] = []

    def answer(box: QMessageBox) -> int:
        asked.append(box.text())
        button = next(button for button in box.buttons() if words in button.text())
        monkeypatch.setattr(QMessageBox, "clickedButton", lambda _box: button)
        return 0

    monkeypatch.setattr(QMessageBox, "exec", answer)
    return asked
