"""NSynth as it is published: TFRecord files, the folder of examples.json and audio/, or the .tar.gz of that folder.

J. Engel et al., "Neural audio synthesis of musical notes with WaveNet autoencoders" (2017). Notes of four seconds, 16 kHz,
mono; `note` is a number of the note in the data set and `pitch` the MIDI key. The name is
instrument_family_source_number-pitch-velocity; the family itself may hold an underscore (synth_lead), so names are split from
the right.
"""

from __future__ import annotations

import io
import math
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from ddsp_studio.files import check_regular
from ddsp_studio.training.data.audio_source import Floats, Tick, check_rate, file_facts, finite, raw_blocks
from ddsp_studio.training.data.sound import Sound, sound_of
from ddsp_studio.training.data.tables import inside, read_json
from ddsp_studio.training.data.tfrecord import Example, floats_of, left_out, read_usable

FAMILIES = ("bass", "brass", "flute", "guitar", "keyboard", "mallet", "organ", "reed", "string", "synth_lead", "vocal")
SOURCES = ("acoustic", "electronic", "synthetic")
_JSON_LIMIT = 1 << 30
_NOTE_LIMIT = 1 << 24
"""Bytes of a note's file: four seconds are 128 KB, and what is a hundred times as long is no note."""
_LONGEST_S = 60.0
"""How much sound a note may hold, all its channels together; a file of a few bytes may stand for hours of silence."""


@dataclass(frozen=True)
class NSynthFilter:
    """Which notes are wanted; an empty tuple wants all. Pitch (MIDI key) and velocity are ranges, ends included."""

    families: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    pitch: tuple[int, int] = (0, 127)
    velocity: tuple[int, int] = (0, 127)

    def __post_init__(self) -> None:
        """Refuse families, sources and ranges that NSynth does not have (ValueError)."""
        for given, known, what in ((self.families, FAMILIES, "families"), (self.sources, SOURCES, "sources")):
            for name in given:
                if name not in known:
                    raise ValueError(f"NSynth has the {what} {', '.join(known)}; got {name!r}")
        for what, (low, high) in (("pitch", self.pitch), ("velocity", self.velocity)):
            if not 0 <= low <= high <= 127:
                raise ValueError(f"NSynth: {what} is a range within 0 to 127, lower end first; got {low} to {high}")

    @property
    def words(self) -> str:
        """What is wanted, in words."""
        told = [f"of {' or '.join(names)}" for names in (self.families, self.sources, self.instruments) if names]
        for what, (low, high) in (("pitch", self.pitch), ("velocity", self.velocity)):
            if (low, high) != (0, 127):
                told.append(f"of {what} {low} to {high}" if low != high else f"of {what} {low}")
        return ", ".join(told)

    def wants(self, note: NSynthNote) -> bool:
        """Whether a note is wanted."""
        return (
            self.wants_instrument(note.instrument, note.family, note.source)
            and self.pitch[0] <= note.pitch <= self.pitch[1]
            and self.velocity[0] <= note.velocity <= self.velocity[1]
        )

    def wants_instrument(self, instrument: str, family: str, source: str) -> bool:
        """Whether any notes of an instrument are wanted."""
        return (
            (not self.families or family in self.families)
            and (not self.sources or source in self.sources)
            and (not self.instruments or instrument in self.instruments)
        )


@dataclass(frozen=True)
class NSynthNote:
    """What a note's name says: instrument "string_acoustic_000", family "string", source "acoustic", MIDI pitch and velocity."""

    name: str
    instrument: str
    family: str
    source: str
    pitch: int
    velocity: int


def parse_name(name: str) -> NSynthNote:
    """Take a note's name ("string_acoustic_000-067-100") apart (ValueError if it is not one)."""
    try:
        instrument, pitch, velocity = name.rsplit("-", 2)
        family, source, _ = instrument.rsplit("_", 2)
        return NSynthNote(name, instrument, family, source, int(pitch), int(velocity))
    except ValueError as problem:
        raise ValueError(f"{name!r} is not the name of an NSynth note") from problem


def nsynth_sounds(
    path: Path, wanted: NSynthFilter | None = None, problems: list[str] | None = None, tick: Tick | None = None
) -> Iterator[Sound]:
    """The notes of an NSynth file or folder, one after the other.

    Args:
        path: a TFRecord, a folder with examples.json, or a .tar or .tar.gz of one. wanted: which notes.
        problems: gets sentences if the archive is cut short, or notes are missing or cannot be used; what could be read is given.
        tick: called for every note, wanted or not.

    Raises:
        ValueError: it is none of these. OSError: it cannot be read.
    """
    choice, told = wanted or NSynthFilter(), problems if problems is not None else []
    heard = tick or (lambda share: None)
    if path.is_dir():
        yield from _from_folder(path, choice, told, heard)
    elif ".tar" in path.suffixes or path.suffix in (".tar", ".tgz"):
        yield from _from_tar(path, choice, told, heard)
    else:
        yield from _from_records(path, choice, told, heard)


def split_of(path: Path) -> str:
    """The split that a file or folder of the data set is called after, "" if none."""
    name = path.name.lower()
    return next((held for part, held in (("train", "train"), ("valid", "validation"), ("test", "test")) if part in name), "")


def _from_records(path: Path, wanted: NSynthFilter, problems: list[str], tick: Tick) -> Iterator[Sound]:
    split = split_of(path)

    def sound(number: int, example: Example) -> Sound | None:
        try:
            note = note_of_example(example, path)
        except ValueError as problem:
            raise ValueError(
                f"record {number + 1} is no note of NSynth: note_str, pitch, velocity and audio were expected"
            ) from problem
        if not wanted.wants(note):
            return None
        audio, rate = floats_of(example, "audio"), _rate_of(example)
        _check(note.name, len(audio), rate)
        return sound_of(note.name, audio, int(rate), split=split, pitch=note.pitch)

    yield from filter(None, read_usable(path, sound, problems, tick))


def _rate_of(example: Example) -> float:
    """Sample rate in Hz of a record: NSynth's where it names none, NaN where it names what is no number."""
    held = example.get("sample_rate", ())
    if not len(held):
        return 16_000.0
    return float(held[0]) if isinstance(held, np.ndarray) else math.nan


def _check(name: str, samples: int, rate: float, channels: int = 1) -> None:
    """Refuse what is no note by what its file says of itself, before it is decoded (ValueError); `rate` in Hz."""
    check_rate(name, rate)
    if not samples:
        raise ValueError(f"{name} holds no sound: its length is zero")
    seconds = samples * channels / rate
    if seconds > _LONGEST_S:
        raise ValueError(
            f"{name} holds {seconds:,.1f} s of sound in all its channels; a note has 4 s, and at most {_LONGEST_S:g} s are read"
        )


def note_of_example(example: Example, path: Path) -> NSynthNote:
    """What an Example of the file `path` says of its note (ValueError if it is none of NSynth's)."""
    try:
        name = bytes(example["note_str"][0]).decode("utf-8")
        note = parse_name(name)
        pitch, velocity = int(example["pitch"][0]), int(example["velocity"][0])
        _ = example["audio"]
    except (KeyError, IndexError, TypeError, ValueError, OverflowError) as problem:
        raise ValueError(f"{path.name} holds TFRecords, but not those of NSynth") from problem
    return NSynthNote(note.name, note.instrument, note.family, note.source, pitch, velocity)


def _from_folder(path: Path, wanted: NSynthFilter, problems: list[str], tick: Tick) -> Iterator[Sound]:
    listed, missing, refused = _listed(path / "examples.json"), 0, list[str]()
    for number, (name, entry) in enumerate(listed.items()):
        tick(number / len(listed))
        try:
            note = _note_of_entry(name, entry)
            if not wanted.wants(note):
                continue
            file = inside(path / "audio", f"{name}.wav")
            if not file.is_file():
                missing += 1
                continue
            audio, rate = _of_file(name, file)
        except OSError:  # a name that is too long for a file
            missing += 1
            continue
        except ValueError as problem:
            refused.append(str(problem))
            continue
        yield sound_of(name, audio, rate, split=split_of(path), pitch=note.pitch)
    if missing:
        problems.append(f"{path.name}: {missing} of the notes in examples.json have no readable file in audio/")
    problems += left_out(path.name, refused)


def _listed(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ValueError(f"{path.parent.name} is not an NSynth folder: it has no examples.json")
    listed = read_json(path, _JSON_LIMIT, "table of notes")
    if not isinstance(listed, dict):
        raise ValueError(f"{path.parent.name}/examples.json is not NSynth's: a table of notes was expected")
    return listed


def _of_file(name: str, file: Path) -> tuple[Floats, int]:
    """A note's sound [samples, channels] and its rate in Hz (ValueError in one sentence)."""
    facts = file_facts(file)
    _check(name, facts.samples, facts.sample_rate, facts.channels)
    blocks = list(raw_blocks(file))
    if not blocks:
        raise ValueError(f"{name} is damaged from its beginning: no sound can be read")
    return np.concatenate(blocks), facts.sample_rate


def _of_bytes(name: str, content: bytes) -> tuple[Floats, int]:
    """As `_of_file`, of what such a file holds (LibsndfileError if that is no sound)."""
    with soundfile.SoundFile(io.BytesIO(content)) as file:
        _check(name, file.frames, file.samplerate, file.channels)
        return finite(file.read(dtype="float32", always_2d=True)), int(file.samplerate)


def _note_of_entry(name: str, entry: Any) -> NSynthNote:
    note = parse_name(name)
    if not isinstance(entry, dict):
        return note
    given = {key: entry[key] for key in ("pitch", "velocity") if isinstance(entry.get(key), int)}
    for key, column in (("family", "instrument_family_str"), ("source", "instrument_source_str")):
        if isinstance(entry.get(column), str):
            given[key] = entry[column]
    return replace(note, **given)


def _from_tar(path: Path, wanted: NSynthFilter, problems: list[str], tick: Tick) -> Iterator[Sound]:
    """One pass over the archive: what a note is stands in its file's name, so examples.json is not needed before the audio."""
    check_regular(path)
    given, unreadable, refused, size = 0, 0, list[str](), path.stat().st_size
    try:
        with path.open("rb") as whole, tarfile.open(fileobj=whole, mode="r|*") as archive:
            for member in archive:
                tick(min(1.0, whole.tell() / size))
                note = note_of_member(member)
                if note is None:
                    continue
                if wanted.wants(note):
                    try:
                        audio, rate = _of_bytes(note.name, _content(archive, member))
                    except soundfile.LibsndfileError:
                        unreadable += 1
                        continue
                    except ValueError as problem:
                        refused.append(str(problem))
                        continue
                    yield sound_of(note.name, audio, rate, split=split_of(path), pitch=note.pitch)
                given += 1
    except (tarfile.TarError, EOFError, zlib.error) as problem:
        if not given:
            raise ValueError(f"{path.name} is not an archive that can be read: it is damaged or cut short") from problem
        problems.append(f"{path.name} is cut short or damaged after {given} note{'s' if given != 1 else ''}; those were read")
    if unreadable:
        problems.append(f"{path.name}: {unreadable} of the notes in it {'are' if unreadable > 1 else 'is'} not readable")
    problems += left_out(path.name, refused)


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    """What a file of an archive holds (ValueError if that is more than any note)."""
    if member.size > _NOTE_LIMIT:
        held, most = (f"{size / 2**20:,.0f} MiB" for size in (member.size, _NOTE_LIMIT))
        raise ValueError(f"{Path(member.name).stem} holds {held}; a note has 128 KB, and at most {most} are read")
    content = archive.extractfile(member)
    return content.read() if content else b""


def note_of_member(member: tarfile.TarInfo) -> NSynthNote | None:
    """The note whose sound a file of an archive is; None for other files, such as those that macOS puts beside each ("._…")."""
    file = Path(member.name)
    if not member.isfile() or file.suffix != ".wav" or file.name.startswith("."):
        return None
    try:
        return parse_name(file.stem)
    except ValueError:
        return None
