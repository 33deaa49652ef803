"""Starting the studio in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtGui import QImage

from ddsp_studio.ui import crash, paths
from ddsp_studio.ui.qt_check import refusal
from tests.ui_shell.conftest import FAKE


def run(script: str, home: Path, *arguments: str, timeout: float = 90.0) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", paths.HOME: str(home)}
    environment.pop("DISPLAY", None)
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=timeout, check=False)


def test_the_window_never_loads_tensorflow_and_photographs_itself(home: Path, tmp_path: Path) -> None:
    script = f"""
import sys
from pathlib import Path
from ddsp_studio.ui import screenshot
from ddsp_studio.ui.app import main
screenshot._SOUNDING_MS, screenshot._STEP_MS = 600, 50
status = main(screenshot=Path(sys.argv[1]), engine=({sys.executable!r}, {str(FAKE)!r}))
print(status, [name for name in ("tensorflow", "keras", "sounddevice", "rtmidi", "pyqtgraph", "scipy") if name in sys.modules])
"""
    picture = tmp_path / "window.png"
    done = run(script, home, str(picture))
    assert done.stdout.strip() == "0 []", done.stderr
    image = QImage(str(picture))
    assert image.width() >= 1280 and image.height() >= 800
    colours = {image.pixel(x, y) for x in range(0, image.width(), 7) for y in range(0, image.height(), 7)}
    assert len(colours) > 40, "the picture is empty"


def test_the_bad_pair_of_versions_is_refused() -> None:
    assert "6.11.3" in refusal("6.12.0", (3, 11))
    assert refusal("6.12.0", (3, 12)) == "" and refusal("6.11.3", (3, 11)) == ""


def test_twenty_thousand_qt_calls(home: Path) -> None:
    """PySide6 6.12.0 aborts here on Python 3.11: each call that returns None loses a reference to it."""
    script = """
from PySide6.QtWidgets import QApplication, QLabel
app = QApplication([])
label = QLabel()
for number in range(20_000):
    label.setToolTip("x")
    label.parentWidget()
print("alive")
"""
    assert run(script, home).stdout.strip() == "alive"


@pytest.mark.parametrize("where", ["main", "thread"])
def test_an_exception_is_logged_and_said(home: Path, tmp_path: Path, where: str) -> None:
    script = f"""
import sys, threading
from pathlib import Path
from PySide6.QtCore import QTimer
from ddsp_studio.ui import app, window
def fail():
    raise RuntimeError("on purpose")
def start():
    {"fail()" if where == "main" else "threading.Thread(target=fail).start()"}
original = app._after_show
def after(w):
    QTimer.singleShot(100, start)
    QTimer.singleShot(600, lambda: (print([t for t in w.toasts.texts() if "RuntimeError" in t]), w.close()))
app._after_show = after
sys.exit(app.main(engine=({sys.executable!r}, {str(FAKE)!r})))
"""
    done = run(script, home)
    assert done.returncode == 0, done.stderr
    assert "Something failed inside the window (RuntimeError); your work is safe." in done.stdout
    assert "on purpose" in (home / "logs" / "window.log").read_text()


def test_a_crash_leaves_a_trace_that_the_next_start_finds(home: Path) -> None:
    script = """
import faulthandler
from ddsp_studio.ui import paths
from ddsp_studio.ui.crash import CrashGuard
guard = CrashGuard(paths.logs(), print)
faulthandler._sigsegv()
"""
    assert run(script, home).returncode < 0
    trace = crash.previous_crash(home / "logs")
    assert "Segmentation fault" in trace
    assert "Segmentation fault" in crash.report(trace, "last words") and "last words" in crash.report("", "last words")
    assert crash.previous_crash(home / "logs") == "", "it is told once"
