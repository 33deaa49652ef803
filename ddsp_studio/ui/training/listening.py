"""Listening to recordings: a process of low priority that tells what is in them, file by file."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, Signal

from ddsp_studio.training import listen

LISTENER = (sys.executable, "-m", "ddsp_studio.training.listen")
_PATIENCE_MS = 2000


class Listening(QObject):
    """One survey at a time; a new one ends the one before."""

    progressed = Signal(float)
    heard = Signal(object)
    """A file (`listen.Heard`)."""
    finished = Signal(object)
    """All of them (`listen.Surveyed`)."""
    failed = Signal(str)
    """One sentence."""

    def __init__(self, command: Sequence[str] | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._command = list(command or LISTENER)
        self._process: QProcess | None = None

    @property
    def busy(self) -> bool:
        """Whether there is something to wait for."""
        return self._process is not None

    def start(self, files: Sequence[Path]) -> None:
        """Listen to files and folders."""
        self.cancel()
        process = QProcess(self)
        process.readyReadStandardOutput.connect(lambda: self._read(process))
        process.finished.connect(lambda *_: self._ended(process))
        process.errorOccurred.connect(lambda error: self._could_not(process, error))
        self._process = process
        process.start(self._command[0], [*self._command[1:], *(str(path) for path in files)])

    def cancel(self) -> None:
        """Stop listening; nothing more is told."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            process.finished.connect(process.deleteLater)

    def close(self) -> None:
        """Stop, and wait for the end."""
        process = self._process
        self.cancel()
        if process is not None and not process.waitForFinished(_PATIENCE_MS):
            process.kill()
            process.waitForFinished(_PATIENCE_MS)

    def _read(self, process: QProcess) -> None:
        while process is self._process and process.canReadLine():
            with contextlib.suppress(ValueError):
                self._take(listen.decode(bytes(process.readLine().data())))

    def _take(self, word: listen.Word) -> None:
        match word:
            case listen.Listening():
                self.progressed.emit(word.share)
            case listen.Heard():
                self.heard.emit(word)
            case listen.Surveyed():
                self._process = None
                self.finished.emit(word)
            case listen.Refused():
                self._process = None
                self.failed.emit(word.text)

    def _ended(self, process: QProcess) -> None:
        self._read(process)
        process.deleteLater()
        if process is self._process:
            self._process = None
            self.failed.emit("The recordings could not be listened to: the process that does it ended unexpectedly.")

    def _could_not(self, process: QProcess, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart and process is self._process:
            self._process = None
            self.failed.emit(f"The recordings could not be listened to: {process.errorString()}.")
