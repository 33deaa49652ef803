"""A data set at a glance: what it is, how much there is, and what some of its sounds are like, without reading all of it."""

from __future__ import annotations

import contextlib
import itertools
import os
import struct
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import soundfile

from ddsp_studio.files import check_regular
from ddsp_studio.training.data.audio_source import Floats
from ddsp_studio.training.data.corpus import Entry, expanded, kind_of
from ddsp_studio.training.data.crc32c import masked_crc32c
from ddsp_studio.training.data.ddsp_records import ddsp_record_files, ddsp_sounds
from ddsp_studio.training.data.maestro import maestro_performances, maestro_sounds
from ddsp_studio.training.data.nsynth import NSynthNote, note_of_example, note_of_member, nsynth_sounds, parse_name
from ddsp_studio.training.data.nsynth_notes import Notes, count, gathered, keys_of, mixture
from ddsp_studio.training.data.sound import Sound
from ddsp_studio.training.data.store import Analysis
from ddsp_studio.training.data.survey import FileReport
from ddsp_studio.training.data.tfrecord import LARGEST, TruncatedArchive, read_examples
from ddsp_studio.training.data.usable import loud_level_db, usable_stretches
from ddsp_studio.training.features.extract import Frames, extract

_SOUNDS, _OF_EACH_S, _ENOUGH_S = 12, 10.0, 30.0
"""Sounds that are analysed at most, how much of each, and how much of all is enough."""
_SCANNED = 32 * 2**20
"""Bytes of an archive that are unpacked to see what is in it."""
_RECORDS = 128
"""Records of NSynth that are opened to see which notes there are: about as many bytes."""
_CUT = "{} is cut short or damaged after {}; those before can be learned from"
_PIANO = "{} is piano with several notes at once: an instrument that follows one pitch learns little from it"


@dataclass(frozen=True)
class Glance:
    """A data set of a `kind`: how many `sounds` it holds (an estimate if not `exact`), and a report as of one recording.

    `notes` are those of NSynth that were seen: all, or those of its beginning. The report's curves are those of its first sounds;
    what can be learned from is reckoned from them.
    """

    kind: str
    sounds: int
    exact: bool
    report: FileReport
    notes: Notes = field(default_factory=dict)


@dataclass(frozen=True)
class _Contents:
    """What a look at a data set told; `seconds` is 0 and `notes` are empty where it does not tell that.

    `damaged` says in a sentence that it ends too early, `warning` what else is worth knowing.
    """

    sounds: int
    exact: bool = True
    seconds: float = 0.0
    notes: tuple[NSynthNote, ...] = ()
    damaged: str = ""
    warning: str = ""


def may_be_data_set(path: Path) -> bool:
    """Whether a file is called as archives of data sets are; nothing is read."""
    name = path.name.lower()
    return ".tfrecord" in name or name.endswith((".tar", ".tar.gz", ".tgz"))


def sorted_out(paths: Sequence[Path]) -> tuple[list[tuple[Path, str]], list[Path]]:
    """Data sets among paths with their kinds, and the rest: sound files and folders of them.

    Folders that hold data sets are opened as a training opens them.
    """
    sets: list[tuple[Path, str]] = []
    rest: list[Path] = []
    for path in paths:
        try:
            found = [entry.path for entry in expanded(Entry(path), [])]
        except OSError:
            found = [path]
        for one in found:
            kind = _kind(one)
            if kind == "audio":
                rest.append(one)
            else:
                sets.append((one, kind))
    return sets, rest


def _kind(path: Path) -> str:
    """One of corpus.KINDS; "audio", too, for what cannot be read, and for a folder that only holds data sets."""
    try:
        kind = kind_of(path)
    except (OSError, ValueError):
        return "audio"
    return "audio" if kind == "nsynth" and path.is_dir() and not (path / "examples.json").is_file() else kind


def glance(path: Path, kind: str, analysis: Analysis | None = None) -> Glance:
    """Look at a data set of one of corpus.KINDS but "audio"; what is wrong with it stands in its report's warnings."""
    how, problems = analysis or Analysis(), list[str]()
    try:
        contents = _LOOKS[kind](path)
        lengths, frames = _sampled(_SOURCES[kind](path, problems), how)
        if frames is None:
            raise ValueError(problems[0] if problems else f"{path.name} holds no sounds")
    except (ValueError, OSError, soundfile.LibsndfileError) as problem:
        reason = f"{path.name}: {problem.strerror}" if isinstance(problem, OSError) and problem.strerror else str(problem)
        return Glance(kind, 0, True, FileReport(path, 0.0, 0.0, None, how.sample_rate, None, -100.0, (reason,)))
    seconds = contents.seconds or contents.sounds * float(np.mean(lengths))
    stretches = usable_stretches(frames.loudness_db, how.sample_rate)
    share = sum(b - a for a, b in stretches) / max(1, len(frames.loudness_db))
    notes = gathered(contents.notes)
    whole = count(notes) == contents.sounds
    told = [contents.warning, *([contents.damaged] if contents.damaged else problems), *mixture(path.name, notes, whole=whole)]
    report = FileReport(
        path,
        seconds,
        min(1.0, share) * seconds,
        frames,
        how.sample_rate,
        keys_of(notes) if whole else None,
        loud_level_db(frames.loudness_db),
        tuple(filter(None, told)),
    )
    return Glance(kind, contents.sounds, contents.exact, report, notes)


def _sampled(sounds: Iterable[Sound], how: Analysis) -> tuple[list[float], Frames | None]:
    """Lengths in seconds of the first sounds, and their features one after the other; None if there are none."""
    rate, lengths, parts = how.sample_rate, list[float](), list[Frames]()
    for sound in itertools.islice(sounds, _SOUNDS):
        blocks = list(_first(sound.blocks(rate), round(_OF_EACH_S * rate)))
        if not blocks:
            continue
        given = sound.f0(rate) if sound.f0 else None
        lengths.append(sum(map(len, blocks)) / rate)
        parts.append(extract(blocks, rate, how.f0_settings(sound.pitch), given=given))
        if sum(lengths) >= _ENOUGH_S:
            break
    return lengths, Frames(*(np.concatenate(column) for column in zip(*parts, strict=True))) if parts else None


def _first(blocks: Iterator[Floats], samples: int) -> Iterator[Floats]:
    for block in blocks:
        yield block[:samples]
        samples -= len(block)
        if samples <= 0:
            return


# -- how much there is ------------------------------------------------------------------------------------------------------


def _look_at_nsynth(path: Path) -> _Contents:
    if path.is_dir():
        with os.scandir(path / "audio") as files:
            names = [file.name[:-4] for file in files if file.name.endswith(".wav") and not file.name.startswith(".")]
        return _Contents(len(names), notes=tuple(_notes(names)))
    if ".tfrecord" not in path.name:
        return _look_into_archive(path)
    return replace(_look_at_records([path]), notes=tuple(_notes_of_records(path)))


def _notes_of_records(path: Path) -> Iterator[NSynthNote]:
    with contextlib.suppress(TruncatedArchive):
        for example in itertools.islice(read_examples(path), _RECORDS):
            with contextlib.suppress(ValueError):  # told when it is read
                yield note_of_example(example, path)


def _look_into_archive(path: Path) -> _Contents:
    """The names in its first part; how many there are in all is reckoned from that."""
    check_regular(path)
    notes: list[NSynthNote] = []
    size, read, damaged = path.stat().st_size, 0, ""
    try:
        with path.open("rb") as file, tarfile.open(fileobj=file, mode="r|*") as archive:
            for member in archive:
                note = note_of_member(member)
                notes += [note] if note else []
                read = file.tell()
                if read > _SCANNED:
                    break
    except (tarfile.TarError, EOFError, zlib.error):
        notes = notes[:-1]  # its sound is not all there
        damaged = _CUT.format(path.name, _count(len(notes), "note"))
    whole = read <= _SCANNED
    sounds = len(notes) if whole else round(len(notes) * size / read)
    return _Contents(sounds, whole, notes=tuple(notes), damaged=damaged)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _notes(names: Iterable[str]) -> Iterator[NSynthNote]:
    for name in names:
        with contextlib.suppress(ValueError):
            yield parse_name(name)


def _look_at_records(files: Sequence[Path]) -> _Contents:
    counted, damaged = 0, ""
    for file in files:
        count, whole = _records(file)
        counted += count
        damaged = damaged if whole else _CUT.format(file.name, _count(count, "record"))
    return _Contents(counted, damaged=damaged)


def _records(path: Path) -> tuple[int, bool]:
    """How many records of a TFRecord file are there, by their lengths, and whether the file ends with the last one."""
    size, at, count = path.stat().st_size, 0, 0
    with path.open("rb") as file:
        while len(head := file.read(12)) == 12:
            length, check = struct.unpack("<QI", head)
            at += 12 + length + 4
            if length > LARGEST or at > size or masked_crc32c(head[:8]) != check:
                return count, False
            count += 1
            file.seek(at)
    return count, not head


def _look_at_maestro(path: Path) -> _Contents:
    held = [one for one in maestro_performances(path) if one.audio.is_file()]
    return _Contents(len(held), seconds=sum(one.seconds for one in held), warning=_PIANO.format(path.name))


_LOOKS: dict[str, Callable[[Path], _Contents]] = {
    "nsynth": _look_at_nsynth,
    "maestro": _look_at_maestro,
    "ddsp": lambda path: _look_at_records(ddsp_record_files(path)),
}
_SOURCES: dict[str, Callable[[Path, list[str]], Iterable[Sound]]] = {
    "nsynth": lambda path, problems: nsynth_sounds(path, problems=problems),
    "maestro": lambda path, problems: (sound for sound, _ in maestro_sounds(path, problems=problems)),
    "ddsp": lambda path, problems: ddsp_sounds(path, problems),
}
