"""The engine's end of the pipes: commands come in on standard input, events go out on standard output.

Thread rule: `send` may be called on any thread, the render thread included; it never waits. A studio that does not read
loses the least important events first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from ddsp_studio import children
from ddsp_studio.audio.protocol import Command, MidiReceived, TransportState, decode_command, encode
from ddsp_studio.children import BadCommand, LineSender, protected_stdout

__all__ = ["BadCommand", "Sender", "commands", "protected_stdout"]


class Sender(LineSender):
    """Writes events on a thread of its own."""

    def __init__(self, pipe: BinaryIO) -> None:
        """Write to a pipe."""
        super().__init__(pipe, encode, (MidiReceived, TransportState))


def commands(pipe: BinaryIO) -> Iterator[Command | BadCommand]:
    """Commands until the input ends; a line that is none is yielded as `BadCommand`."""
    return children.commands(pipe, decode_command)
