"""Opening the studio's window."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def has_display() -> bool:
    """Whether a window could be shown."""
    if sys.platform in ("darwin", "win32"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))


def open_window(patch: Path | None) -> int:
    """Run the studio until its window closes; returns the exit code.

    Raises:
        OSError: there is no display, or Qt's libraries cannot be loaded; in one sentence that says what to do.
    """
    if not has_display():
        raise OSError("there is no display to open a window on; `ddsp-studio demo` and `ddsp-studio render` need none")
    try:
        from ddsp_studio.ui.app import main
    except ImportError as problem:
        raise OSError(
            f"the window's libraries cannot be loaded ({problem}); `ddsp-studio doctor` says what to install"
        ) from problem
    return main(patch)
