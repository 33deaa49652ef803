"""What happens when the program itself fails: a log, a sentence, and a trace that the next start finds."""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import logging.handlers
import os
import platform
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO

from ddsp_studio import __version__
from ddsp_studio.audio.client_process import process_alive

_LOG = logging.getLogger("ddsp_studio")


class CrashGuard:
    """Log file, exception hooks and the fault trace of this process.

    Args:
        folder: where the logs go.
        tell: is given one sentence on each exception that nobody caught; called on the thread that failed.
    """

    def __init__(self, folder: Path, tell: Callable[[str], object]) -> None:
        self.log_path = folder / "window.log"
        self._tell = tell
        self._trace_path = folder / f"crash-{os.getpid()}.txt"
        self._trace: IO[str] | None = None
        self._hooks = (sys.excepthook, threading.excepthook)
        self._handler: logging.Handler = logging.NullHandler()
        self.found = previous_crash(folder)
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            self._handler = logging.handlers.RotatingFileHandler(self.log_path, maxBytes=2**20, backupCount=2, encoding="utf-8")
            self._handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
            self._trace = self._trace_path.open("w", encoding="utf-8")
            faulthandler.enable(self._trace)
        _LOG.addHandler(self._handler)
        sys.excepthook = self._caught
        threading.excepthook = lambda args: self._caught(args.exc_type, args.exc_value, args.exc_traceback)

    def _caught(self, kind: type[BaseException], value: BaseException | None, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        text = "".join(traceback.format_exception(kind, value, trace))
        _LOG.error("nobody caught this:\n%s", text)
        sys.stderr.write(text)
        with contextlib.suppress(RuntimeError):  # the window may be gone already
            self._tell(f"Something failed inside the window ({kind.__name__}); your work is safe. Details are in the log.")

    def close(self) -> None:
        """Take the hooks off; the process ends in order."""
        sys.excepthook, threading.excepthook = self._hooks
        _LOG.removeHandler(self._handler)
        self._handler.close()
        if self._trace is not None:
            faulthandler.disable()
            self._trace.close()
            with contextlib.suppress(OSError):
                self._trace_path.unlink()


def previous_crash(folder: Path) -> str:
    """The fault trace that an earlier studio left, "" if there is none; it is shown once and kept as "last-crash.txt"."""
    found = ""
    for path in sorted(folder.glob("crash-*.txt")):
        owner = path.stem.removeprefix("crash-")
        if owner.isdigit() and process_alive(int(owner)):
            continue
        with contextlib.suppress(OSError, ValueError):
            text = path.read_text(encoding="utf-8", errors="replace")
            found = text or found
            if text:
                path.replace(folder / "last-crash.txt")
            else:
                path.unlink()
    return found


def report(trace: str, engine: str) -> str:
    """A text to send to the developers: versions, the window's trace, the engine's last words."""
    import PySide6

    about = f"ddsp_studio {__version__}, Python {platform.python_version()}, PySide6 {PySide6.__version__}, {platform.platform()}"
    parts = (about, trace and f"Trace of the window:\n{trace}", engine and f"Last lines of the sound engine:\n{engine}")
    return "\n\n".join(filter(None, parts)) + "\n"
