"""A take: what was played, with exact sample times, so that it can be rendered again as it was heard.

On disk it is JSON (`name.take`) beside the recorded WAV and a .mid for other programs.

Thread rule: plain data and functions; file access never on the render thread.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from ddsp_studio.audio.events import HOP, Beat, Cut, Event, Midi, Move
from ddsp_studio.audio.keys import is_channel_message
from ddsp_studio.audio.voices import MODES
from ddsp_studio.files import FileTooLarge, read_bytes, write_text
from ddsp_studio.processors import patch_file
from ddsp_studio.processors.patch import Patch, PatchError

FORMAT, SCHEMA, SUFFIX = "ddsp_studio take", 3, ".take"
MAX_BYTES = 256 * 2**20
_LAST_BEAT, _FASTEST_BPM = 1e9, 1e5


class TakeError(ValueError):
    """A file that is no take; the text is one sentence."""


@dataclass(frozen=True)
class Take:
    """Events in samples from the take's start, and the instrument that they played. `length` is in samples.

    `heard` is the file of what came in meanwhile, if the instrument listened.
    """

    patch: Patch
    sample_rate: int
    voices: int
    mode: str
    length: int
    events: tuple[Event, ...]
    heard: Path | None = None


class _Data(msgspec.Struct, forbid_unknown_fields=True):
    format: str
    schema: int
    sample_rate: int
    voices: int
    mode: str
    length: int
    midi: list[tuple[int, int, list[int]]]
    moves: list[tuple[int, str, list[float]]]
    cuts: list[tuple[int, int]]
    patch: dict[str, Any]
    beats: list[tuple[int, float, float, bool]] = []
    """Since schema 2; an older take was played with the clock running freely from its start."""
    heard: str = ""
    """Since schema 3: name of a sound file beside the take."""


def save_take(take: Take, path: Path) -> None:
    """Write a take atomically (OSError if the folder cannot be written)."""
    data = _Data(
        format=FORMAT,
        schema=SCHEMA,
        sample_rate=take.sample_rate,
        voices=take.voices,
        mode=take.mode,
        length=take.length,
        midi=[(e.sample, e.source, list(e.data)) for e in take.events if isinstance(e, Midi)],
        moves=[(e.sample, e.name, list(e.values)) for e in take.events if isinstance(e, Move)],
        cuts=[(e.sample, e.hops) for e in take.events if isinstance(e, Cut)],
        patch=patch_file.to_json(take.patch),
        beats=[(e.sample, e.beat, e.bpm, e.running) for e in take.events if isinstance(e, Beat)],
        heard=take.heard.name if take.heard else "",
    )
    write_text(path, json.dumps(msgspec.to_builtins(data)) + "\n")


def load_take(path: Path) -> Take:
    """Read a take.

    Raises:
        TakeError: in one sentence, if the file is none. OSError: it cannot be read.
    """
    path = Path(path)
    try:
        content = read_bytes(path, MAX_BYTES, "take")
    except FileTooLarge as problem:
        raise TakeError(str(problem)) from problem
    try:
        data = msgspec.json.decode(content, type=_Data)
        if data.format != FORMAT or not 1 <= data.schema <= SCHEMA or data.mode not in MODES:
            raise TakeError(f"{path.name} is no take that this ddsp_studio reads")
        patch, heard = patch_file.from_json(data.patch), path.with_name(Path(data.heard).name) if data.heard else None
        return Take(patch, data.sample_rate, data.voices, data.mode, data.length, _events(data), heard)
    except (msgspec.DecodeError, PatchError) as problem:
        raise TakeError(f"{path.name} is no take, or is damaged: {problem}") from problem


def _events(data: _Data) -> tuple[Event, ...]:
    """All events by time; at one sample, knobs move before keys and cuts come first."""
    events: list[Event] = [Cut(sample, max(1, hops)) for sample, hops in data.cuts]
    events += [Beat(*anchor) for anchor in data.beats if abs(anchor[1]) <= _LAST_BEAT and 1.0 <= anchor[2] <= _FASTEST_BPM]
    events += [Move(sample, name, tuple(values)) for sample, name, values in data.moves]
    for sample, source, raw in data.midi:
        message = bytes(byte & 0xFF for byte in raw)
        if is_channel_message(message) and source in (0, 1):
            events.append(Midi(sample, message, source))
    return tuple(sorted((event for event in events if event.sample >= 0), key=lambda event: event.sample))


def take_hops(take: Take) -> int:
    """Whole hops that hold the take's length."""
    return -(-take.length // HOP)
