"""A bare line to an engine process, for measurements and tests: no watchdog, no restarts.

Thread rule: one thread sends and waits; events are gathered by a reader thread of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, TypeVar

from ddsp_studio.audio import protocol
from ddsp_studio.audio.telemetry import Telemetry
from ddsp_studio.processors import patch_file
from ddsp_studio.processors.patch import Patch

ENGINE = (sys.executable, "-m", "ddsp_studio.audio.engine")
E = TypeVar("E", bound=protocol.Message)


class EngineSession:
    """An engine that runs as long as the `with` block. `events` holds all that it said."""

    def __init__(self, command: Sequence[str] = ENGINE, *, log: IO[bytes] | None = None) -> None:
        """Start an engine; `log` takes its standard error (thrown away by default)."""
        self._folder = tempfile.TemporaryDirectory(prefix="ddsp_studio-session-")
        self.telemetry = Telemetry(Path(self._folder.name) / "telemetry", create=True)
        self.events: list[protocol.Event] = []
        self._heard = threading.Condition()
        self.process = subprocess.Popen(
            [*command, "--telemetry", str(self.telemetry.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if log is None else log,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        self._reader = threading.Thread(target=self._read, name="session", daemon=True)
        self._reader.start()

    def __enter__(self) -> EngineSession:
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            event = protocol.decode_event(line)
            with self._heard:
                self.events.append(event)
                self._heard.notify_all()

    def send(self, command: protocol.Command) -> None:
        """Send a command (OSError if the engine is gone)."""
        if self.process.stdin is not None:
            self.process.stdin.write(protocol.encode(command))
            self.process.stdin.flush()

    def wait_for(
        self, kind: type[E], accept: Callable[[E], bool] = lambda _: True, *, since: int = 0, timeout_s: float = 60.0
    ) -> E:
        """The first event of a kind from number `since` on that is accepted (TimeoutError if none comes in time)."""
        deadline = time.monotonic() + timeout_s
        with self._heard:
            while True:
                for event in self.events[since:]:
                    if isinstance(event, kind) and accept(event):
                        return event
                if not self._heard.wait(max(0.0, deadline - time.monotonic())) and time.monotonic() >= deadline:
                    raise TimeoutError(f"the engine sent no {kind.__name__} within {timeout_s:g} s")

    def play_patch(self, patch: Patch, revision: int, *, timeout_s: float = 120.0) -> protocol.PatchPlays:
        """Load a patch and wait until it sounds (RuntimeError if it is refused)."""
        self.send(protocol.LoadPatch(patch=patch_file.to_json(patch), revision=revision))

        def decided(event: protocol.Message) -> bool:
            return isinstance(event, (protocol.PatchPlays, protocol.PatchRefused)) and event.revision == revision

        answer = self.wait_for(protocol.Message, decided, timeout_s=timeout_s)
        if isinstance(answer, protocol.PatchPlays):
            return answer
        raise RuntimeError(f"the patch was refused: {answer}")

    def notes(self, *numbers: int, velocity: int = 100) -> None:
        """Press keys, or let them go with velocity 0."""
        for number in numbers:
            self.send(protocol.Midi(data=[0x90, number, velocity]))

    def close(self) -> int:
        """End the engine by ending its input, and return its exit status."""
        if self.process.stdin is not None and not self.process.stdin.closed:
            self.process.stdin.close()
        try:
            status = self.process.wait(10.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self._reader.join(2.0)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.telemetry.close(remove=True)
        self._folder.cleanup()
        return status
