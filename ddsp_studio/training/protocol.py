"""What studio and trainer say to each other: one JSON line a message, typed and versioned, over the trainer's pipes.

The studio writes `Command`s to the trainer's standard input; the trainer answers with `Event`s on its standard output and ends
when its input ends. The trainer itself tells its events in the same words to whoever runs it in their own process.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ddsp_studio.training.runs import Source
from ddsp_studio.training.settings import Settings

VERSION = 1


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="what"):
    """A message; its class name travels as "what"."""


# -- studio to trainer ----------------------------------------------------------------------------------------------------


class Begin(Message, frozen=True, tag=True):
    """Begin a training in a folder of its own: `patch` is the JSON data of patch_file.to_json."""

    folder: str
    name: str
    patch: dict[str, Any]
    sources: list[Source]
    settings: Settings
    licence: str = ""


class GoOn(Message, frozen=True, tag=True):
    """Go on with the training in a folder, for so many minutes more than it was to take."""

    folder: str
    more_minutes: float = 0.0


class Pause(Message, frozen=True, tag=True):
    """Hold after the current step, or go on."""

    paused: bool = True


class Stop(Message, frozen=True, tag=True):
    """End after the current step; what was learned is kept, or (with `discard`) the folder removed."""

    discard: bool = False


class Quit(Message, frozen=True, tag=True):
    """Stop, keep, and end the process."""


Command = Begin | GoOn | Pause | Stop | Quit


# -- trainer to studio ----------------------------------------------------------------------------------------------------


class Hello(Message, frozen=True, tag=True):
    """First message: which trainer this is."""

    protocol: int
    pid: int
    version: str


class Preparing(Message, frozen=True, tag=True):
    """Recordings are being analysed: the share that is done, 0..1."""

    share: float


class Prepared(Message, frozen=True, tag=True):
    """What there is to learn from."""

    seconds: float
    clips: int
    held_out: int
    range_midi: list[float]
    weights: int
    problems: list[str]
    """Sentences about files that could not be used."""


class Progress(Message, frozen=True, tag=True):
    """How far the training is; a few times a second. `steps` is 0 while it is not known."""

    step: int
    steps: int
    loss: float
    steps_per_s: float
    seconds: float
    """Of training so far."""
    left_s: float
    paused: bool = False


class Checkpointed(Message, frozen=True, tag=True):
    """A checkpoint was made and judged."""

    step: int
    seconds: float
    best: bool
    scores: dict[str, float]
    target: str
    """Sound files and spectrograms of what was meant and what is played: "NAME.flac" and "NAME.npz" of these names."""
    played: str
    model: str
    """The model file of the best checkpoint."""


class Notice(Message, frozen=True, tag=True):
    """One sentence for the user: a `warning`, or a remark on how it is done."""

    text: str
    warning: bool = True


class Ended(Message, frozen=True, tag=True):
    """The training ended: "done", "stopped", "discarded" or "failed", with a sentence in the last case."""

    how: str
    model: str
    text: str = ""
    peak_mib: int = 0
    """Most memory that the process held."""
    peak_gpu_mib: int = 0
    """Most memory of GPUs that it held."""


Event = Hello | Preparing | Prepared | Progress | Checkpointed | Notice | Ended

_command_decoder = msgspec.json.Decoder(Command)
_event_decoder = msgspec.json.Decoder(Event)


def encode(message: Message) -> bytes:
    """One line of JSON, newline included."""
    return msgspec.json.encode(message) + b"\n"


def decode_command(line: bytes) -> Command:
    """Read a command; ValueError (msgspec.DecodeError) if the line is none."""
    command: Command = _command_decoder.decode(line)
    return command


def decode_event(line: bytes) -> Event:
    """Read an event; ValueError (msgspec.DecodeError) if the line is none."""
    event: Event = _event_decoder.decode(line)
    return event
