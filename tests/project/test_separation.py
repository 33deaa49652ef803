"""Which process loads what: the window no TensorFlow, the engine no Qt, the command line neither."""

from __future__ import annotations

import subprocess
import sys

import pytest

WINDOW = """
import ddsp_studio.ui.app, ddsp_studio.ui.window
from ddsp_studio.processors.catalogue import specs
from ddsp_studio.processors import patch_file, check
assert len(specs()) >= 12
"""
ENGINE = "import ddsp_studio.audio.engine, ddsp_studio.audio.offline, ddsp_studio.processors.player"
COMMANDS = "import ddsp_studio.cli"


@pytest.mark.parametrize(
    ("program", "unwanted"),
    [
        (WINDOW, ("tensorflow", "keras", "sounddevice", "rtmidi")),
        (ENGINE, ("PySide6", "pyqtgraph")),
        (COMMANDS, ("tensorflow", "keras", "PySide6", "numpy", "rich.progress")),
    ],
    ids=["window", "engine", "command line"],
)
def test_loads_nothing_unwanted(program: str, unwanted: tuple[str, ...]) -> None:
    told = f"{program}\nimport sys; print(sorted({set(unwanted)!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
