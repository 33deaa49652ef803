"""One run of the engine as a child process. `client.py` keeps such runs alive."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from ddsp_studio.audio import protocol
from ddsp_studio.children import Child, describe_exit, process_alive

__all__ = ["EngineProcess", "describe_exit", "process_alive"]


class EngineProcess(Child[protocol.Event]):
    """A started engine; see `Child`."""

    def __init__(
        self,
        command: Sequence[str],
        log: logging.Logger,
        on_event: Callable[[EngineProcess, protocol.Event], None],
        on_end: Callable[[EngineProcess, int], None],
    ) -> None:
        """Start the process; OSError if it cannot be started."""
        super().__init__(command, log, protocol.decode_event, on_event, on_end, name="engine")

    def send(self, command: protocol.Command) -> None:
        """Queue a command (any thread; never waits)."""
        self.say(protocol.encode(command))

    def close(self, patience_s: float) -> None:
        """Ask the engine to quit, close its input and wait; kill it when it takes longer than `patience_s`."""
        self.end(protocol.encode(protocol.Quit()), patience_s)
