"""The whole studio at work: chords of eight voices, an edit each second, the window open and drawing.

`python -m ddsp_studio.bench.window SECONDS` is the studio with a player and an editor in it (`busy_window.py`): it prints counts
as JSON and closes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from typing import Any

from ddsp_studio import resources
from ddsp_studio.bench.live import QUICK_SECONDS, SECONDS
from ddsp_studio.bench.startup import display


def row(*, quick: bool) -> dict[str, Any]:
    """Dropouts, load, edit times and the pace of the pictures.

    Raises:
        OSError: the studio did not start.
    """
    seconds = QUICK_SECONDS if quick else SECONDS
    with display() as environment, tempfile.TemporaryDirectory() as home:
        own = environment | {"DDSP_STUDIO_HOME": home}
        command = [sys.executable, "-m", __name__, str(seconds)]
        done = subprocess.run(command, env=own, capture_output=True, text=True, timeout=seconds + 120.0, stdin=subprocess.DEVNULL)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        raise OSError(f"the studio did not start: {(done.stderr.strip().splitlines() or ['no answer'])[-1]}")
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def _studio_at_work(seconds: float) -> int:
    import ddsp_studio.ui.window
    from ddsp_studio.bench.busy_window import BusyWindow

    BusyWindow.seconds = seconds
    ddsp_studio.ui.window.StudioWindow = BusyWindow  # type: ignore[misc]
    from ddsp_studio.ui import app

    status = app.main(next(iter(resources.factory(resources.PATCHES).values())))
    sys.stdout.write(json.dumps(BusyWindow.report) + "\n")
    return status


if __name__ == "__main__":
    sys.exit(_studio_at_work(float(sys.argv[1])))
