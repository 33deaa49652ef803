"""One run of the engine as a child process: its pipes, its log, its end. `client.py` keeps such runs alive."""

from __future__ import annotations

import collections
import contextlib
import logging
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from typing import IO

from ddsp_studio.audio import protocol

LOG_LINES = 60
"""How many of the engine's last log lines a report holds."""


class EngineProcess:
    """A started engine. Lines are written and read on threads of its own, so that no caller ever waits for the engine.

    `on_event` and `on_end` are called on the reader thread; `on_end` once, after the last event, with the exit status.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: logging.Logger,
        on_event: Callable[[EngineProcess, protocol.Event], None],
        on_end: Callable[[EngineProcess, int], None],
    ) -> None:
        """Start the process; OSError if it cannot be started."""
        self.started = time.monotonic()
        self.tail: collections.deque[str] = collections.deque(maxlen=LOG_LINES)
        self._log, self._on_event, self._on_end = log, on_event, on_end
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        # a session of its own: Ctrl+C in the terminal is for the window, which then ends the engine in order
        self._process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONFAULTHANDLER": "1", "PYTHONUNBUFFERED": "1"},
            start_new_session=os.name == "posix",
        )
        self.pid = self._process.pid
        self._threads = [
            threading.Thread(target=target, name=f"engine-{name}", daemon=True)
            for name, target in (("writer", self._write), ("log", self._read_log), ("reader", self._read))
        ]
        for thread in self._threads:
            thread.start()

    def send(self, command: protocol.Command) -> None:
        """Queue a command (any thread; never waits)."""
        self._lines.put(protocol.encode(command))

    def kill(self) -> None:
        """End the process at once (any thread); `on_end` follows."""
        with contextlib.suppress(OSError):
            self._process.kill()

    def close(self, patience_s: float) -> None:
        """Ask the engine to quit, close its input and wait; kill it when it takes longer than `patience_s`."""
        self.send(protocol.Quit())
        self._lines.put(None)
        try:
            self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.kill()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(2.0)

    def _write(self) -> None:
        pipe = _present(self._process.stdin)
        with contextlib.suppress(OSError, ValueError):
            while (line := self._lines.get()) is not None:
                pipe.write(line)
                if self._lines.empty():
                    pipe.flush()
        with contextlib.suppress(OSError, ValueError):
            pipe.close()

    def _read_log(self) -> None:
        with _present(self._process.stderr) as pipe:
            for raw in pipe:
                line = raw.decode("utf-8", "replace").rstrip()
                self.tail.append(line[:2000])
                self._log.info("%s", line)

    def _read(self) -> None:
        with _present(self._process.stdout) as pipe:
            for line in pipe:
                try:
                    event = protocol.decode_event(line)
                except ValueError:
                    # a library that prints to standard output must not end the conversation
                    self.tail.append(line.decode("utf-8", "replace").rstrip()[:2000])
                    continue
                self._on_event(self, event)
        status = self._process.wait()
        self._lines.put(None)
        self._threads[1].join(1.0)
        self._on_end(self, status)


def _present(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise RuntimeError("the engine was started without pipes")
    return pipe


def describe_exit(status: int) -> str:
    """Words for a process's exit status: "was killed (SIGKILL)", "ended with status 3"."""
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"


def process_alive(pid: int) -> bool:
    """Whether a process of that id runs; where the system cannot tell (Windows has no signal 0) it is taken to run."""
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
