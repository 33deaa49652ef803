"""The pinned Qt: 6.12.0 aborts on Python 3.11 after some thousand calls that return None."""

from __future__ import annotations

import subprocess
import sys

MANY_CALLS = """
from PySide6.QtGui import QGuiApplication, QPainterPath
from PySide6.QtCore import QObject
app = QGuiApplication([])
thing, path = QObject(), QPainterPath()
for turn in range(20_000):
    thing.setObjectName(str(turn))
    path.moveTo(turn, 0.0)
    path.lineTo(0.0, turn)
print("whole")
"""


def test_many_calls_do_not_abort():
    done = subprocess.run([sys.executable, "-c", MANY_CALLS], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "whole"
