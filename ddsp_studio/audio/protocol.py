"""What studio and engine say to each other: one JSON line a message, typed and versioned, over the engine's pipes.

The studio writes `Command`s to the engine's standard input; the engine answers with `Event`s on its standard output and
ends when its input ends. Meters, scope and partials do not travel here but in shared memory (`telemetry.py`).
"""

from __future__ import annotations

from typing import Any

import msgspec

from ddsp_studio.audio.voices import DEFAULT_VOICES

VERSION = 1


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="what"):
    """A message; its class name travels as "what"."""


# -- studio to engine -----------------------------------------------------------------------------------------------------


class AudioSettings(Message, frozen=True, tag="AudioSettings"):
    """The wished-for devices, by `Device.key` or name. `device` "" is the system's default output; "none" is the silent clock.

    `input` "" is the default input, opened when a patch listens to it; "none" is never to listen.
    """

    device: str = ""
    sample_rate: int = 48_000
    block: int = 256
    safety_blocks: int = 2
    voices: int = DEFAULT_VOICES
    mode: str = "poly"
    """poly, mono (each note triggers) or legato (overlapping notes glide)."""
    midi_ports: list[str] | None = None
    """Names of the MIDI inputs to listen to; None means all of them."""
    gain_db: float = 0.0
    input: str = ""


class Configure(Message, frozen=True, tag=True):
    """Use these settings; answered by Status."""

    settings: AudioSettings


class LoadPatch(Message, frozen=True, tag=True):
    """Play this patch (the JSON data of patch_file.to_json); answered by PatchPlays or PatchRefused with the same revision."""

    patch: dict[str, Any]
    revision: int


class SetValue(Message, frozen=True, tag=True):
    """Move a control of a node: real units, one number a channel; heard in the next block."""

    node: str
    control: str
    values: list[float]


class SetAmount(Message, frozen=True, tag=True):
    """Move the amount of a modulation cable ("node.port" names)."""

    source: str
    target: str
    amount: float


class Midi(Message, frozen=True, tag=True):
    """A MIDI message from the studio's keyboard, as its bytes."""

    data: list[int]


class Panic(Message, frozen=True, tag=True):
    """Silence everything at once: all notes off, all tails cut with a short fade."""


class Song(Message, frozen=True, tag=True):
    """Put a MIDI file on the transport; "" takes it off."""

    path: str


class Transport(Message, frozen=True, tag=True):
    """Drive the transport. Fields left None stay as they are."""

    playing: bool | None = None
    looping: bool | None = None
    tempo: float | None = None
    """Tempo as a ratio of the file's own, 0.25 to 4."""
    position_s: float | None = None
    recording: str | None = None
    """Stem of the files to record to ("take" gives take.wav, take.mid and take.take); "" stops recording."""


class Rescue(Message, frozen=True, tag=True):
    """Finish the takes in a folder whose engine died; answered by a Recorded for each."""

    folder: str


class TestTone(Message, frozen=True, tag=True):
    """Sound a quiet 440 Hz tone for a while on the output."""

    seconds: float = 2.0


class Preview(Message, frozen=True, tag=True):
    """Let sound files be heard beside the patch, at equal loudness; no files: stop.

    While the same files sound, another `track` (a number among them) takes over at the same place.
    """

    files: list[str]
    track: int = 0
    looping: bool = True


class RefreshModel(Message, frozen=True, tag=True):
    """A model file has changed: nodes that take their weights from it read them again. Sound goes on, nothing is compiled."""

    path: str


class ResetCounters(Message, frozen=True, tag=True):
    """Set dropouts and peak load to zero."""


class Rescan(Message, frozen=True, tag=True):
    """List audio devices and MIDI ports again; answered by Devices."""


class Quit(Message, frozen=True, tag=True):
    """Fade out and end."""


Command = (
    Configure
    | LoadPatch
    | SetValue
    | SetAmount
    | Midi
    | Panic
    | Song
    | Transport
    | Rescue
    | TestTone
    | Preview
    | RefreshModel
    | ResetCounters
    | Rescan
    | Quit
)


# -- engine to studio -----------------------------------------------------------------------------------------------------


class Hello(Message, frozen=True, tag=True):
    """First message: which engine this is."""

    protocol: int
    pid: int
    version: str


class Device(Message, frozen=True, tag="Device"):
    """An audio output or input."""

    name: str
    host: str
    channels: int
    sample_rate: int
    key: str
    """What `AudioSettings` calls it: name and sound system, and a number where that is not enough."""


class Devices(Message, frozen=True, tag=True):
    """What is plugged in now; sent at start, on Rescan and on every change."""

    outputs: list[Device]
    midi_inputs: list[str]
    inputs: list[Device] = []


class Status(Message, frozen=True, tag=True):
    """What the output is doing, whenever it changes."""

    state: str
    """starting, running, silent (no device: a clock runs, export works) or failed."""
    device: str
    sample_rate: int
    block: int
    latency_ms: float
    voices: int
    message: str = ""
    """One sentence for the user when something is not as wished for."""
    input: str = ""
    """The device that sound comes in from, "" if none is open."""
    input_latency_ms: float = 0.0
    """From a sound that comes in to the same sound played."""


class PatchPlays(Message, frozen=True, tag=True):
    """The patch of this revision sounds now."""

    revision: int
    seconds: float
    latency_samples: int
    nodes: list[str]
    """Node names in the order of the telemetry's node levels."""
    partials_node: str
    """The node whose partials the telemetry shows, or ""."""


class PatchRefused(Message, frozen=True, tag=True):
    """The patch of this revision cannot be played; the one before plays on."""

    revision: int
    node: str
    port: str
    reason: str


class TransportState(Message, frozen=True, tag=True):
    """Where the transport is; sent on change and a few times a second while it moves."""

    song: str
    playing: bool
    looping: bool
    recording: bool
    """Sound is being kept: a recording that ends now holds some."""
    tempo: float
    position_s: float
    length_s: float
    bpm: float


class MidiReceived(Message, frozen=True, tag=True):
    """A controller moved on a hardware port (for MIDI learn and the activity light); notes are in the telemetry."""

    port: str
    data: list[int]


class Turned(Message, frozen=True, tag=True):
    """A MIDI controller has turned a control of a node (groups expanded) to these values, in real units."""

    node: str
    control: str
    values: list[float]


class Recorded(Message, frozen=True, tag=True):
    """A recording was closed, and this is what there is of it."""

    audio_path: str
    midi_path: str
    seconds: float
    cut_short: bool = False
    """Whether its engine died while it was recorded."""
    take_path: str = ""
    """What was played, to be rendered again as it was heard; "", like the others, for what could not be written."""


class PreviewState(Message, frozen=True, tag=True):
    """Which sound file is heard beside the patch and where; sent on change and a few times a second while it plays."""

    files: list[str]
    track: int
    playing: bool
    position_s: float
    length_s: float


class Problem(Message, frozen=True, tag=True):
    """One sentence for the user."""

    who: str
    text: str


Event = (
    Hello
    | Devices
    | Status
    | PatchPlays
    | PatchRefused
    | TransportState
    | MidiReceived
    | Turned
    | Recorded
    | PreviewState
    | Problem
)


def encode(message: Message) -> bytes:
    """One line of JSON, newline included."""
    return msgspec.json.encode(message) + b"\n"


_command_decoder = msgspec.json.Decoder(Command)
_event_decoder = msgspec.json.Decoder(Event)


def decode_command(line: bytes) -> Command:
    """Read a command; ValueError (msgspec.DecodeError) if the line is none."""
    command: Command = _command_decoder.decode(line)
    return command


def decode_event(line: bytes) -> Event:
    """Read an event; ValueError (msgspec.DecodeError) if the line is none."""
    event: Event = _event_decoder.decode(line)
    return event
