"""Child processes and the lines of text that are said over their pipes: both ends, for the engine and for the trainer.

A message is one line. The parent writes to the child's standard input, the child to its standard output; its standard error is
the log. A child ends when its input ends.
"""

from __future__ import annotations

import collections
import contextlib
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, BinaryIO, Generic, TypeVar

Event = TypeVar("Event")
Command = TypeVar("Command")
LOG_LINES = 60
"""How many of a child's last log lines a report holds."""
_QUEUE = 2_000
_LINE_LIMIT = 64 * 2**20


# -- the parent's end -------------------------------------------------------------------------------------------------------


class Child(Generic[Event]):
    """A started child. Lines are written and read on threads of its own, so that no caller ever waits for it.

    `on_event` and `on_end` are called on the reader thread; `on_end` once, after the last event, with the exit status.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: logging.Logger,
        decode: Callable[[bytes], Event],
        on_event: Callable[[Any, Event], None],
        on_end: Callable[[Any, int], None],
        *,
        name: str,
    ) -> None:
        """Start the process; OSError if it cannot be started.

        Args:
            command: its command line. log: takes what it writes to its standard error.
            decode: reads an event from a line (ValueError if it is none). name: of its threads.
            on_event, on_end: see above; the first argument is this child.
        """
        self.started = time.monotonic()
        self.tail: collections.deque[str] = collections.deque(maxlen=LOG_LINES)
        self._log, self._decode, self._on_event, self._on_end = log, decode, on_event, on_end
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        # a session of its own: Ctrl+C in the terminal is for the window, which then ends the child in order
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
            threading.Thread(target=target, name=f"{name}-{part}", daemon=True)
            for part, target in (("writer", self._write), ("log", self._read_log), ("reader", self._read))
        ]
        for thread in self._threads:
            thread.start()

    def say(self, line: bytes) -> None:
        """Queue a line, its newline included (any thread; never waits)."""
        self._lines.put(line)

    def kill(self) -> None:
        """End the process at once (any thread); `on_end` follows."""
        with contextlib.suppress(OSError):
            self._process.kill()

    def end(self, farewell: bytes, patience_s: float) -> None:
        """Say a last line, close the child's input and wait; kill it when it takes longer than `patience_s`."""
        self.say(farewell)
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
                    event = self._decode(line)
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


def process_mark(pid: int) -> str:
    """What tells a process from a later one of the same id: when it began, and in which run of the machine.

    "" where the system does not tell, or there is none.
    """
    try:
        run = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return f"{run} {told.rpartition(')')[2].split()[19]}"
    except (OSError, UnicodeDecodeError, IndexError):
        return ""


def runs_elsewhere(pid: int, mark: str) -> bool:
    """Whether another process than this one that had this id and `process_mark` still runs; without marks the id decides."""
    if pid == os.getpid() or not process_alive(pid):
        return False
    now = process_mark(pid)
    return not (mark and now) or now == mark


# -- the child's end --------------------------------------------------------------------------------------------------------


def protected_stdout() -> BinaryIO:
    """The real standard output; from now on whatever else writes to it, in Python or C, lands on standard error."""
    sys.stdout.flush()
    pipe = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return pipe


class LineSender:
    """Writes events on a thread of its own. Any thread may send, and never waits; a parent that does not read loses some."""

    def __init__(self, pipe: BinaryIO, encode: Callable[[Any], bytes], unimportant: tuple[type, ...]) -> None:
        """Write to a pipe; when very many events wait, those of the types `unimportant` are left out."""
        self._pipe, self._encode, self._unimportant = pipe, encode, unimportant
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)
        self._thread.start()

    def send(self, event: Any) -> None:
        """Send an event soon."""
        if self._queue.qsize() < _QUEUE or not isinstance(event, self._unimportant):
            self._queue.put(event)

    def close(self) -> None:
        """Write what is left, waiting a second at most."""
        self._queue.put(None)
        self._thread.join(1.0)

    def _run(self) -> None:
        while (event := self._queue.get()) is not None:
            try:
                line = self._encode(event)
            except ValueError as problem:
                sys.stderr.write(f"{type(event).__name__} cannot be told: {problem}\n")
                continue
            try:
                self._pipe.write(line)
            except OSError:
                return  # the parent is gone; the end of our input says so too


class BadCommand(ValueError):
    """A line that is no command; the text is one sentence."""


def commands(pipe: BinaryIO, decode: Callable[[bytes], Command]) -> Iterator[Command | BadCommand]:
    """Commands until the input ends; a line that is none is yielded as `BadCommand`."""
    while line := pipe.readline(_LINE_LIMIT):
        if not line.strip():
            continue
        try:
            yield decode(line)
        except ValueError as problem:
            yield BadCommand(f"a command was not understood: {str(problem)[:200]}")
