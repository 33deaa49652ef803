"""Fixtures: a private home folder, the fake engine, a window that speaks to it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

from ddsp_studio.audio import protocol
from ddsp_studio.audio.telemetry import Telemetry
from ddsp_studio.processors.catalogue import specs
from ddsp_studio.processors.check import check, natural_amount
from ddsp_studio.processors.patch import Cable, Node, Patch, Port
from ddsp_studio.ui import paths, theme
from ddsp_studio.ui.settings import Store
from ddsp_studio.ui.window import StudioWindow

FAKE = Path(__file__).with_name("fake_engine.py")


def wait_until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait for a condition on another thread or process, serving Qt; fail when it does not come true."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail("the condition did not come true in time")
        if QApplication.instance() is not None:
            QApplication.processEvents()
        time.sleep(0.005)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep settings, logs and recovery files of a test in its own folder."""
    monkeypatch.setenv("DDSP_STUDIO_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def diary(tmp_path: Path) -> Path:
    """The file in which the fake engine writes what it was told."""
    path = tmp_path / "diary"
    path.touch()
    return path


@pytest.fixture
def fake_command(diary: Path) -> tuple[str, ...]:
    """The command line of the fake engine."""
    return (sys.executable, str(FAKE), "--diary", str(diary))


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Telemetry]:
    """A telemetry page at 48 kHz."""
    made = Telemetry(tmp_path / "page", create=True)
    made.data["sample_rate"] = 48_000
    yield made
    made.close(remove=True)


@pytest.fixture
def organ() -> Patch:
    """A small patch that can be played."""
    patch = Patch(name="Test organ")
    for name, kind in (
        ("voice", "Voice"),
        ("harmonic", "Harmonic"),
        ("gain", "Gain"),
        ("mixer", "VoiceMixer"),
        ("output", "Output"),
    ):
        patch = patch.with_node(name, Node(kind, specs()[kind].version))
    for source, target in (
        ("voice.f0", "harmonic.f0"),
        ("harmonic.audio", "gain.input"),
        ("gain.audio", "mixer.input"),
        ("mixer.audio", "output.input"),
    ):
        ends = Port.parse(source), Port.parse(target)
        patch = patch.with_cable(Cable(*ends, natural_amount(patch, *ends)))
    check(patch)
    return replace(patch, tags=("test",))


@pytest.fixture(scope="session")
def themed(qapp: QApplication) -> QApplication:
    """The application in its look."""
    theme.apply(qapp)
    return qapp


@pytest.fixture
def window(themed: QApplication, fake_command: tuple[str, ...], organ: Patch) -> Iterator[StudioWindow]:
    """A shown window with the organ open and the fake engine started."""
    made = StudioWindow(Store(paths.settings_file()), engine=fake_command)
    made.document.new(organ)
    made.show()
    made.start_engine()
    yield made
    made.document.undo_stack.setClean()
    made.close()
    made.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def playing(window: StudioWindow, diary: Path) -> StudioWindow:
    """The window, when the engine plays."""
    wait_until(lambda: window.engine_status.playing_nodes)
    return window


def told(diary: Path, kind: type) -> list[protocol.Command]:
    """The commands of a kind that the fake engine was told."""
    lines = (protocol.decode_command(line) for line in diary.read_bytes().splitlines(keepends=True) if line.endswith(b"\n"))
    return [command for command in lines if isinstance(command, kind)]
