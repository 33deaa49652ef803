"""The engine's end of the pipes: commands come in on standard input, events go out on standard output.

Thread rule: `send` may be called on any thread, the render thread included; it never waits. A studio that does not read
loses the least important events first.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Iterator
from typing import BinaryIO

from ddsp_studio.audio.protocol import Command, Message, MidiReceived, TransportState, decode_command, encode

_QUEUE = 2_000
_LINE_LIMIT = 64 * 2**20


def protected_stdout() -> BinaryIO:
    """The real standard output; from now on whatever else writes to it, in Python or C, lands on standard error."""
    sys.stdout.flush()
    pipe = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return pipe


class Sender:
    """Writes events on a thread of its own."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe
        self._queue: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)
        self._thread.start()

    def send(self, event: Message) -> None:
        """Send an event soon."""
        if self._queue.qsize() < _QUEUE or not isinstance(event, (MidiReceived, TransportState)):
            self._queue.put(event)

    def close(self) -> None:
        """Write what is left, waiting a second at most."""
        self._queue.put(None)
        self._thread.join(1.0)

    def _run(self) -> None:
        while (event := self._queue.get()) is not None:
            try:
                self._pipe.write(encode(event))
            except OSError:
                return  # the studio is gone; the end of our input says so too


class BadCommand(ValueError):
    """A line that is no command; the text is one sentence."""


def commands(pipe: BinaryIO) -> Iterator[Command | BadCommand]:
    """Commands until the input ends; a line that is none is yielded as `BadCommand`."""
    while line := pipe.readline(_LINE_LIMIT):
        if not line.strip():
            continue
        try:
            yield decode_command(line)
        except ValueError as problem:
            yield BadCommand(f"a command was not understood: {str(problem)[:200]}")
