"""How long the studio takes from its start to a visible window and to sound.

`python -m ddsp_studio.bench.startup SPAWNED` is the studio with a stopwatch: it prints the seconds since SPAWNED (time.time())
as JSON and closes. Without a display, a virtual one is started.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from ddsp_studio.bench.measure import Times

_PATIENCE_S = 90.0


def rows(*, quick: bool) -> list[dict[str, Any]]:
    """Times to a visible window and to sound over several starts, the first (cold) one left out.

    Raises:
        OSError: the studio did not start.
    """
    visible, ready = [], []
    with display() as environment:
        for turn in range(3 if quick else 6):
            times = _start(environment)
            if turn:
                visible.append(times["visible"])
                ready.append(times["ready"])
    return [{"what": "window visible", **_summary(visible)}, {"what": "sound ready", **_summary(ready)}]


def _summary(seconds: list[float]) -> dict[str, Any]:
    times = Times.of(seconds)
    return {"count": times.count, "median_s": times.median / 1e3, "worst_s": times.worst / 1e3}


def _start(environment: dict[str, str]) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", __name__, repr(time.time())]
        own = environment | {"DDSP_STUDIO_HOME": home}
        done = subprocess.run(command, env=own, capture_output=True, text=True, timeout=_PATIENCE_S, stdin=subprocess.DEVNULL)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        reason = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        raise OSError(f"the studio did not start: {reason}")
    times: dict[str, float] = json.loads(lines[-1])
    return times


@contextlib.contextmanager
def display() -> Iterator[dict[str, str]]:
    """An environment with a display: the user's, or a virtual X server for as long as it is needed."""
    environment = dict(os.environ)
    if environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY") or sys.platform in ("darwin", "win32"):
        yield environment
        return
    program = shutil.which("Xvfb")
    if program is None:
        yield environment | {"QT_QPA_PLATFORM": "offscreen"}
        return
    read, write = os.pipe()
    command = [program, "-displayfd", str(write), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as told:
            number = told.readline().strip()
        environment.pop("QT_QPA_PLATFORM", None)
        yield environment | {"DISPLAY": f":{number}"}
    finally:
        server.terminate()
        server.wait(10)


def _studio_with_stopwatch(spawned: float) -> int:
    """Run the studio until it sounds; prints when its window was on the screen and when the patch played."""
    from PySide6.QtCore import QTimer

    from ddsp_studio.ui import app
    from ddsp_studio.ui.window import StudioWindow

    times: dict[str, float] = {}

    class Timed(StudioWindow):
        """The studio's window; it notes when it is seen and closes when it sounds."""

        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            self._look = QTimer(self, interval=2)
            self._look.timeout.connect(self._seen)
            self._look.start()
            self.link.patch_plays.connect(self._plays)

        def _seen(self) -> None:
            handle = self.windowHandle()
            if handle is not None and handle.isExposed():
                times.setdefault("visible", time.time() - spawned)
                self._look.stop()

        def _plays(self, *_: object) -> None:
            if "ready" not in times:
                times["ready"] = time.time() - spawned
                self.document.undo_stack.setClean()
                QTimer.singleShot(0, self, self.close)

    import ddsp_studio.ui.window

    ddsp_studio.ui.window.StudioWindow = Timed  # type: ignore[misc]
    status = app.main()
    sys.stdout.write(json.dumps(times) + "\n")
    return status


if __name__ == "__main__":
    sys.exit(_studio_with_stopwatch(float(sys.argv[1])))
