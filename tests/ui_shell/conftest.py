"""Fixtures: a private home folder, and a client of the fake engine."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

FAKE = Path(__file__).with_name("fake_engine.py")


def wait_until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait for a condition on another thread or process; fail when it does not come true."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail("the condition did not come true in time")
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Keep settings, logs and recovery files of a test in its own folder."""
    monkeypatch.setenv("DDSP_STUDIO_HOME", str(tmp_path / "home"))
    yield tmp_path / "home"


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
