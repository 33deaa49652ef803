"""What is played, as data: time-stamped MIDI, knob moves, beats and cuts, in absolute samples of the stream.

Thread rule: events are immutable, so any thread may make, hold and read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

HOP = 64
"""Samples in a hop. The same number as `dsp.tensor.HOP`; the audio edge does not load the tensor module for it."""

LIVE, SONG = 0, 1
"""Sources of MIDI: what hands play, and the song on the transport. Each has its own sixteen channels."""


@dataclass(frozen=True, slots=True)
class Midi:
    """A MIDI channel message at a sample of the stream; `source` keeps a song's keys apart from the player's."""

    sample: int
    data: bytes
    source: int = LIVE


@dataclass(frozen=True, slots=True)
class Move:
    """A knob (name "node.control") or modulation amount ("node.port->node.control") goes to `values`, in real units."""

    sample: int
    name: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Cut:
    """Silence everything: keys up at once, sound faded over `hops` hops from `sample` (a whole hop), then a fresh start."""

    sample: int
    hops: int


@dataclass(frozen=True, slots=True)
class Beat:
    """From a sample on the clock goes on from `beat` (in quarter notes) at `bpm`; `running` while the transport plays."""

    sample: int
    beat: float
    bpm: float
    running: bool


Event = Midi | Move | Cut | Beat


def at(event: Event, sample: int) -> Event:
    """The same event at another sample."""
    if isinstance(event, Midi):
        return Midi(sample, event.data, event.source)
    if isinstance(event, Move):
        return Move(sample, event.name, event.values)
    if isinstance(event, Beat):
        return Beat(sample, event.beat, event.bpm, event.running)
    return Cut(sample, event.hops)


def by_time(events: Iterable[Event]) -> list[Event]:
    """Events in the order of their samples; those of one sample keep their order."""
    return sorted(events, key=lambda event: event.sample)


def moves_to(values: Mapping[str, tuple[float, ...]], sample: int) -> list[Event]:
    """Moves that set every named value at a sample."""
    return [Move(sample, name, held) for name, held in values.items()]
