"""What is heard beside the patch: a file once, or files to compare."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from ddsp_studio.audio import protocol
from ddsp_studio.audio.client import Health
from ddsp_studio.ui.engine_link import EngineLink
from ddsp_studio.ui.toasts import Toasts, Tone

_NO_ENGINE = "Nothing can be heard: there is no sound engine."


class Hearing(QObject):
    """Asks the engine for sounds, and says when none of them is heard any more."""

    lost = Signal()
    """Whatever was asked for is not heard: a file cannot be read, or there is no engine."""

    def __init__(self, link: EngineLink, toasts: Toasts, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._link, self._toasts = link, toasts
        self._file, self._words, self._seen = "", "", False
        link.preview_state.connect(self._follow)
        link.problem.connect(self._problem)
        link.health_changed.connect(self._follow_health)

    def hear(self, files: Sequence[str], track: int = 0) -> None:
        """Let sound files be heard beside the patch, looping; none: silence."""
        self._forget()
        if not files or self._can_sound():
            self._link.send(protocol.Preview(files=list(files), track=track))

    def play_file(self, path: Path) -> None:
        """Let a file be heard once."""
        self._forget()
        if self._can_sound():
            self._file, self._words = str(path), f"Playing {path.name}."
            self._link.send(protocol.Preview(files=[self._file], looping=False))
            self._toasts.show(self._words, Tone.INFO, (("Stop", lambda: self.hear([])),))

    def _can_sound(self) -> bool:
        there = self._link.health not in (Health.FAILED, Health.STOPPED)
        if not there:
            self._toasts.show(_NO_ENGINE, Tone.WARNING)
            self.lost.emit()
        return there

    def _forget(self) -> None:
        """The file that was heard once is not any more."""
        words, self._file, self._words, self._seen = self._words, "", "", False
        if words:
            self._toasts.withdraw(words)

    def _follow(self, state: protocol.PreviewState) -> None:
        ours = bool(self._file) and state.playing and state.files == [self._file]
        if self._seen and not ours:
            self._forget()
        self._seen = ours

    def _problem(self, problem: protocol.Problem) -> None:
        if problem.who == "preview":
            self.hear([])  # what was heard before is not what was asked for
            self.lost.emit()

    def _follow_health(self, health: Health, _sentence: str) -> None:
        if health is not Health.RUNNING:
            self._forget()
            self.lost.emit()
