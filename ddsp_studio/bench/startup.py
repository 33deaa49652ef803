"""How long the studio takes from its start to a visible window and to sound.

`python -m ddsp_studio.bench.startup SPAWNED STAY` is the studio with a stopwatch: it prints seconds since SPAWNED (time.time())
as JSON, and closes STAY seconds after its first sound. Without a display, a virtual one is started.
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
_SETTLING_S = 25.0
"""Until XLA has compiled the nodes of the first patch."""


def rows(*, quick: bool) -> list[dict[str, Any]]:
    """Times to a visible window and to sound over several starts of a new user and of one who has played before.

    The first start of all, when the disk is cold, is left out; in it the patch is played until its nodes are compiled.

    Raises:
        OSError: the studio did not start.
    """
    starts = 3 if quick else 5
    with display() as environment, tempfile.TemporaryDirectory() as known:
        _start(environment, known, stay_s=_SETTLING_S)
        later = [_start(environment, known) for _ in range(starts)]
        first = []
        for _ in range(starts):
            with tempfile.TemporaryDirectory() as new:
                first.append(_start(environment, new))
    what = {"window visible": [*first, *later], "sound ready": later, "sound ready, very first start": first}
    return [
        {"what": name, **_summary([t["visible" if "window" in name else "ready"] for t in times])} for name, times in what.items()
    ]


def _summary(seconds: list[float]) -> dict[str, Any]:
    times = Times.of(seconds)
    return {"count": times.count, "median_s": times.median / 1e3, "worst_s": times.worst / 1e3}


def _start(environment: dict[str, str], home: str, *, stay_s: float = 0.0) -> dict[str, float]:
    command = [sys.executable, "-m", __name__, repr(time.time()), str(stay_s)]
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


def _studio_with_stopwatch(spawned: float, stay_s: float) -> int:
    """Run the studio until it has sounded for `stay_s` seconds; prints when its window was seen and when the patch played."""
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
                QTimer.singleShot(round(1e3 * stay_s), self, self.close)

    import ddsp_studio.ui.window

    ddsp_studio.ui.window.StudioWindow = Timed  # type: ignore[misc]
    status = app.main()
    sys.stdout.write(json.dumps(times) + "\n")
    return status


if __name__ == "__main__":
    sys.exit(_studio_with_stopwatch(float(sys.argv[1]), float(sys.argv[2])))
