"""Listening to recordings: a process of low priority that tells what is in them, file by file."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, Signal

from ddsp_studio.training import listen

LISTENER = (sys.executable, "-m", "ddsp_studio.training.listen")
_PATIENCE_MS = 2000


class Listening(QObject):
    """One survey at a time."""

    progressed = Signal(float)
    heard = Signal(object)
    """A file (`listen.Heard`)."""
    finished = Signal()
    """All of them."""
    failed = Signal(str)
    """One sentence; nothing more comes."""
    refused = Signal(str)
    """One sentence about some of it; the rest is listened to."""

    def __init__(self, command: Sequence[str] | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._command = list(command or LISTENER)
        self._busy = False
        self._waiting: list[bytes] = []
        """Paths with a zero byte between them: thousands are more than a command line holds."""
        self._process = QProcess(self)
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.finished.connect(self._ended)
        self._process.errorOccurred.connect(self._could_not)

    @property
    def busy(self) -> bool:
        """Whether there is something to wait for."""
        return self._busy or bool(self._waiting)

    def start(self, files: Sequence[Path]) -> None:
        """Listen to files and folders, and to nothing else: a survey that goes on ends."""
        self.cancel()
        self.add(files)

    def add(self, files: Sequence[Path]) -> None:
        """Listen to files and folders after those that are being listened to."""
        self._waiting.append(b"\0".join(os.fsencode(path) for path in files))
        self._begin()

    def _begin(self) -> None:
        if self._waiting and self._process.state() == QProcess.ProcessState.NotRunning:
            self._busy = True
            self._process.start(self._command[0], self._command[1:])
            self._process.write(self._waiting.pop(0))
            self._process.closeWriteChannel()

    def cancel(self) -> None:
        """Stop listening; nothing more is told."""
        self._busy, self._waiting = False, []
        if self._process.state() != QProcess.ProcessState.NotRunning:
            self._process.terminate()

    def close(self) -> None:
        """Stop, and wait for the end."""
        self.cancel()
        if self._process.state() != QProcess.ProcessState.NotRunning and not self._process.waitForFinished(_PATIENCE_MS):
            self._process.kill()
            self._process.waitForFinished(_PATIENCE_MS)

    def _read(self) -> None:
        while self._process.canReadLine():
            line = bytes(self._process.readLine().data())
            if self._busy:
                with contextlib.suppress(ValueError):
                    self._take(listen.decode(line))

    def _take(self, word: listen.Word) -> None:
        match word:
            case listen.Listening():
                self.progressed.emit(word.share)
            case listen.Heard():
                self.heard.emit(word)
            case listen.Surveyed():
                self._busy = False
                if not self._waiting:
                    self.finished.emit()
            case listen.Refused():
                self._fail(word.text)

    def _ended(self) -> None:
        self._read()
        if self._busy:
            self._fail("The recordings could not be listened to: the process that does it ended unexpectedly.")
        self._begin()

    def _could_not(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart and self._busy:
            self._fail(f"The recordings could not be listened to: {self._process.errorString()}.")

    def _fail(self, sentence: str) -> None:
        self._busy = False
        (self.refused if self._waiting else self.failed).emit(sentence)
