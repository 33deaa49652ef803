"""The offline renderer as a subprocess of low priority that reports its progress."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QTimer, Signal

_NICE = "10"
_GRACE_MS = 5_000
"""Longer than a block takes to render; only compiling holds the renderer up for longer, and then there is no file yet."""


class RenderJob(QObject):
    """One export. Ends with exactly one of `finished`, `failed` and `cancelled`; but for the first, no file is left behind."""

    progressed = Signal(float)
    """Share that is done, 0..1."""
    finished = Signal(str)
    """Path of the file."""
    failed = Signal(str)
    """One sentence."""
    cancelled = Signal()

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        program: Sequence[str] = (),
        scratch: Path | None = None,
        grace_ms: int = _GRACE_MS,
        parent: QObject | None = None,
    ) -> None:
        """Prepare `ddsp_studio.cli` with these arguments; `scratch` is a folder to remove at the end."""
        super().__init__(parent)
        self._scratch = scratch
        self._ended, self._cancelling, self._file, self._error = False, False, "", ""
        self._words: list[str] = []
        self.told = ""
        """What the program said of what it made."""
        command = [*(program or (sys.executable, "-m", "ddsp_studio.cli")), *arguments]
        nice = shutil.which("nice")
        self._command = [nice, "-n", _NICE, *command] if nice else command
        self._process = QProcess(self)
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.readyReadStandardError.connect(self._read_errors)
        self._process.finished.connect(self._done)
        self._process.errorOccurred.connect(self._could_not)
        self._patience = QTimer(self, singleShot=True, interval=grace_ms)
        self._patience.timeout.connect(self._process.kill)

    def start(self) -> None:
        """Start rendering."""
        self._process.start(self._command[0], self._command[1:])

    def cancel(self) -> None:
        """Stop rendering; `cancelled` follows when the renderer has removed what it had begun, or was given time to."""
        if not self._cancelling:
            self._cancelling = True
            self._process.terminate()
            self._patience.start()

    def _read(self) -> None:
        while self._process.canReadLine():
            line = bytes(self._process.readLine().data())
            with contextlib.suppress(ValueError):
                self._take(json.loads(line))

    def _take(self, data: object) -> None:
        if not isinstance(data, dict):
            return
        if isinstance(data.get("done"), (int, float)):
            self.progressed.emit(float(data["done"]))
        self._file = str(data.get("file", self._file))
        self._error = str(data.get("error", self._error))
        self.told = str(data.get("told", self.told))

    def _read_errors(self) -> None:
        text = bytes(self._process.readAllStandardError().data()).decode("utf-8", "replace")
        self._words = [*self._words, *filter(None, (line.strip() for line in text.splitlines()))][-20:]

    def _could_not(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._end(f"The renderer could not be started: {self._process.errorString()}.")

    def _done(self, code: int, status: QProcess.ExitStatus) -> None:
        self._read()
        self._read_errors()
        good = code == 0 and status == QProcess.ExitStatus.NormalExit and self._file
        last = self._words[-1] if self._words else f"the renderer ended with status {code}"
        self._end("" if good else _sentence(self._error or last))

    def _end(self, problem: str) -> None:
        if self._ended:
            return
        self._ended = True
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
        if not problem:
            self.finished.emit(self._file)
        elif self._cancelling:
            self.cancelled.emit()
        else:
            self.failed.emit(problem)


def _sentence(words: str) -> str:
    """A problem as a sentence; a file that it begins with keeps its name."""
    first = words.split(" ", 1)[0]
    begun = words if "." in first or "/" in first else f"{words[:1].upper()}{words[1:]}"
    return f"{begun.rstrip('.')}."


def scratch_folder(owner: object) -> Path:
    """A folder for a job's files; it goes when its owner does, or with the program, if nobody removes it before."""
    folder = tempfile.mkdtemp(prefix="ddsp_studio-export-")
    weakref.finalize(owner, shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
