"""MAESTRO as it is published (v1 to v3): a table as csv or json, WAV files and MIDI files, with a split for every performance.

C. Hawthorne et al., "Enabling factorized piano music modeling and generation with the MAESTRO dataset" (2019). Version 3 has
its json by column, version 2 as a list of rows. It is polyphonic piano: not for instruments that follow one pitch.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ddsp_studio.training.data.sound import Sound, sound_of_file
from ddsp_studio.training.data.tables import called, inside, read_json, read_table

SPLITS = ("train", "validation", "test")
_COLUMNS = ("canonical_composer", "canonical_title", "split", "year", "midi_filename", "audio_filename", "duration")
_LARGEST_TABLE, _KIND = 64 * 2**20, "table of performances"


@dataclass(frozen=True)
class Performance:
    """One performance: composer, title, split, year, its files, and its length in seconds."""

    composer: str
    title: str
    split: str
    year: int
    midi: Path
    audio: Path
    seconds: float


def maestro_performances(folder: Path, *, splits: tuple[str, ...] = SPLITS, years: tuple[int, ...] = ()) -> list[Performance]:
    """The performances of a MAESTRO folder, or of its table, in the order of the table.

    Args:
        folder: the folder, or the csv or json file in it. splits: of "train", "validation", "test". years: all if none are given.

    Raises:
        ValueError: no table, a damaged one, or files that lead out of the folder; one sentence. OSError: it cannot be read.
    """
    for split in splits:
        if split not in SPLITS:
            raise ValueError(f"MAESTRO has the splits {', '.join(SPLITS)}; got {split!r}")
    table = _table(folder)
    rows = _csv_rows(table) if table.suffix == ".csv" else _json_rows(table)
    held = [_performance(row, table) for row in rows]
    return [one for one in held if one.split in splits and (not years or one.year in years)]


def maestro_sounds(
    folder: Path, *, splits: tuple[str, ...] = SPLITS, problems: list[str] | None = None
) -> Iterator[tuple[Sound, Path]]:
    """The recordings of a MAESTRO folder with their splits, and their files; one sentence in `problems` if some are missing."""
    missing = 0
    for one in maestro_performances(folder, splits=splits):
        if one.audio.is_file():
            yield sound_of_file(one.audio, name=f"{one.year}/{one.audio.name}", split=one.split), one.audio
        else:
            missing += 1
    if missing and problems is not None:
        problems.append(f"{folder.name}: {missing} performances have no audio file (the MIDI-only archive?)")


def _table(folder: Path) -> Path:
    if folder.is_file():
        return folder
    tables = [file for ending in (".csv", ".json") for file in sorted(folder.glob(f"maestro*{ending}"))]
    if not tables:
        raise ValueError(f"{folder.name} is not a MAESTRO folder: it has no maestro-v….csv or .json")
    return tables[0]


def _csv_rows(path: Path) -> list[dict[str, Any]]:
    reader = csv.DictReader(io.StringIO(read_table(path, _LARGEST_TABLE, _KIND), newline=""))
    try:
        rows = list(reader)
    except csv.Error as problem:
        line, longest = reader.reader.line_num, f"{csv.field_size_limit():,}"
        raise ValueError(
            f"{called(path)} is damaged in line {line}: fields of at most {longest} characters were expected"
        ) from problem
    if rows and not set(_COLUMNS) <= rows[0].keys():
        raise ValueError(f"{path.name} is not MAESTRO's table: it lacks {', '.join(sorted(set(_COLUMNS) - rows[0].keys()))}")
    return [dict(row) for row in rows]


def _json_rows(path: Path) -> list[dict[str, Any]]:
    held = read_json(path, _LARGEST_TABLE, _KIND)
    if isinstance(held, dict) and all(isinstance(held.get(column), dict) for column in _COLUMNS):
        return [{column: held[column].get(key) for column in _COLUMNS} for key in held["split"]]
    if isinstance(held, list) and all(isinstance(row, dict) for row in held):
        return held
    raise ValueError(f"{path.name} is not MAESTRO's table: columns or a list of performances were expected")


def _performance(row: dict[str, Any], table: Path) -> Performance:
    try:
        return Performance(
            composer=str(row["canonical_composer"]),
            title=str(row["canonical_title"]),
            split=str(row["split"]),
            year=int(row["year"]),
            midi=inside(table.parent, str(row["midi_filename"])),
            audio=inside(table.parent, str(row["audio_filename"])),
            seconds=float(row["duration"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as problem:
        raise ValueError(f"{table.name} has a damaged row: {str(problem).splitlines()[0]}") from problem
