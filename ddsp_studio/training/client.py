"""The studio's end of the trainer: starts it when needed, talks to it, says what became of it. Free of TensorFlow and Qt."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Sequence

from ddsp_studio.children import Child, describe_exit
from ddsp_studio.training import protocol

TRAINER = (sys.executable, "-m", "ddsp_studio.training.process")
"""Command line of the trainer."""
CLOSE_S = 20.0
"""How long the trainer may take to make its last checkpoint."""


class TrainerClient:
    """A trainer process, started with the first command that needs one; after its death `begin` starts another.

    `on_event` is called with every event, and `on_death` with one sentence when the process ends though it was not told to; both
    on the reader thread. What was learned until the last checkpoint is in the training's folder: `GoOn` continues it.
    """

    def __init__(
        self,
        on_event: Callable[[protocol.Event], None],
        on_death: Callable[[str], None],
        *,
        command: Sequence[str] = TRAINER,
        log: logging.Logger | None = None,
    ) -> None:
        """Nothing is started yet.

        Args:
            on_event, on_death: see above. command: how to start the trainer. log: takes what it writes to its standard error.
        """
        self._on_event, self._on_death, self._command = on_event, on_death, command
        self._log = log or logging.getLogger("ddsp_studio.trainer")
        self._lock = threading.RLock()
        self._run: Child[protocol.Event] | None = None
        self._last_words: list[str] = []

    @property
    def pid(self) -> int:
        """Process id of the trainer, 0 if there is none."""
        run = self._run
        return run.pid if run else 0

    def begin(self, order: protocol.Begin | protocol.GoOn) -> None:
        """Begin a training, or go on with one (any thread; OSError if the process cannot be started)."""
        self._say(order, start=True)

    def send(self, command: protocol.Command) -> None:
        """Pause, stop and so on (any thread; never waits). Without a trainer there is nothing to do."""
        self._say(command, start=False)

    def report(self) -> str:
        """The last lines that the trainer wrote before it last ended, for a bug report."""
        with self._lock:
            return "\n".join(self._last_words or (self._run.tail if self._run else []))

    def close(self, patience_s: float = CLOSE_S) -> None:
        """Stop, keep, and end the process."""
        self._end(self._let_go(), patience_s)

    def rest(self) -> None:
        """As `close`, without waiting for it: what is begun now is begun in another process."""
        threading.Thread(target=self._end, args=(self._let_go(), CLOSE_S), name="trainer-rest", daemon=True).start()

    def _let_go(self) -> Child[protocol.Event] | None:
        with self._lock:
            run, self._run = self._run, None
        return run

    def _end(self, run: Child[protocol.Event] | None, patience_s: float) -> None:
        if run is not None:
            run.end(protocol.encode(protocol.Quit()), patience_s)

    def _say(self, command: protocol.Command, *, start: bool) -> None:
        with self._lock:
            if self._run is None and start:
                self._run = Child(self._command, self._log, protocol.decode_event, self._received, self._ended, name="trainer")
            if self._run is not None:
                self._run.say(protocol.encode(command))

    def _received(self, run: Child[protocol.Event], event: protocol.Event) -> None:
        if isinstance(event, protocol.Hello) and event.protocol != protocol.VERSION:
            run.kill()
            return
        if run is self._run:
            self._on_event(event)

    def _ended(self, run: Child[protocol.Event], status: int) -> None:
        with self._lock:
            expected = run is not self._run
            if not expected:
                self._run = None
            self._last_words = list(run.tail)
        if not expected:
            self._on_death(f"The trainer {describe_exit(status)}; the training can go on from its last checkpoint.")
