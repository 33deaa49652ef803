"""Which notes of NSynth there are, told compactly, and what a choice leaves of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ddsp_studio.training.data.nsynth import NSynthFilter, NSynthNote

Notes = dict[str, dict[int, list[int]]]
"""MIDI keys by instrument and velocity."""
_NAMED = 3


def gathered(notes: Iterable[NSynthNote]) -> Notes:
    """Notes by instrument and velocity."""
    held: Notes = {}
    for note in notes:
        held.setdefault(note.instrument, {}).setdefault(note.velocity, []).append(note.pitch)
    return held


def chosen(notes: Notes, wanted: NSynthFilter) -> Notes:
    """Those of the notes that are wanted."""
    (low, high), (soft, loud) = wanted.pitch, wanted.velocity
    left: Notes = {}
    for instrument, by_velocity in notes.items():
        family, source, _ = instrument.rsplit("_", 2)
        if not wanted.wants_instrument(instrument, family, source):
            continue
        for velocity, keys in by_velocity.items():
            held = [key for key in keys if low <= key <= high] if soft <= velocity <= loud else []
            if held:
                left.setdefault(instrument, {})[velocity] = held
    return left


def count(notes: Notes) -> int:
    """How many they are."""
    return sum(map(len, _keys(notes)))


def keys_of(notes: Notes) -> tuple[int, int] | None:
    """The lowest and the highest MIDI key; None without notes."""
    every = [key for keys in _keys(notes) for key in keys]
    return (min(every), max(every)) if every else None


def mixture(name: str, notes: Notes, *, whole: bool) -> list[str]:
    """A sentence, if these notes of the data set of this name, all or (not `whole`) its first, are of several instruments."""
    if len(notes) < 2:
        return []
    named = ", ".join(list(notes)[:_NAMED]) + (" …" if len(notes) > _NAMED else "")
    least = "" if whole else "at least "
    return [f"{name} holds {least}{len(notes):,} instruments ({named}): what learns from all of them is a mixture"]


def _keys(notes: Notes) -> Iterator[list[int]]:
    return (keys for by_velocity in notes.values() for keys in by_velocity.values())
