"""The window's line to the trainer: its events as Qt signals. The trainer runs while there is something to train."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from ddsp_studio.training import protocol
from ddsp_studio.training.client import TRAINER, TrainerClient


class TrainerLink(QObject):
    """Owns the client; its threads end in signals on the window's thread."""

    heard = Signal(object)
    """An event of the trainer."""
    died = Signal(str)
    """The trainer ended though it was not told to; one sentence."""
    _heard = Signal(object)
    _died = Signal(str)

    def __init__(self, command: Sequence[str] | None = None, parent: QObject | None = None) -> None:
        """Start nothing yet; `command` is the command line of another trainer, for tests."""
        super().__init__(parent)
        self._heard.connect(self.heard)
        self._died.connect(self.died)
        self.client = TrainerClient(self._heard.emit, self._died.emit, command=command or TRAINER)

    def begin(self, order: protocol.Begin | protocol.GoOn) -> None:
        """Begin a training, or go on with one (OSError if the trainer cannot be started)."""
        self.client.begin(order)

    def send(self, command: protocol.Command) -> None:
        """Send a command; never waits."""
        self.client.send(command)

    def rest(self) -> None:
        """Let the trainer go and give its memory back, without waiting for it."""
        self.client.rest()

    def close(self) -> None:
        """Stop, keep, and wait for the trainer's end."""
        self.client.close()
