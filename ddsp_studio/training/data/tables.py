"""Tables of data sets: what they name lies in their folder, and what is wrong with them is said in one sentence."""

from __future__ import annotations

import json
from pathlib import Path, PurePath
from typing import Any

from ddsp_studio.files import read_text


def inside(folder: Path, name: str) -> Path:
    """A file of a data set that its table names; the table must not reach outside the folder (ValueError).

    Links that lie in the folder are followed: whoever has laid them there has chosen that.
    """
    asked = PurePath(name)
    if asked.anchor or ".." in asked.parts:
        raise ValueError(f"{name!r} lies outside the folder")
    return folder / name


def read_json(path: Path, most: int, kind: str) -> Any:
    """What a data set's table in JSON holds.

    Args:
        path: the file. most: bytes. kind: what it is meant to be ("table of notes"), for the sentence.

    Raises:
        ValueError: larger than that, damaged, or not UTF-8; one sentence. OSError: it cannot be read.
    """
    text = read_table(path, most, kind)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as problem:  # lists within lists without end are damage, too
        raise ValueError(f"{called(path)} is damaged or cut short") from problem


def read_table(path: Path, most: int, kind: str) -> str:
    """The text of a table; arguments and errors as of `read_json`."""
    try:
        return read_text(path, most, kind)
    except UnicodeDecodeError as problem:
        byte = problem.object[problem.start]
        raise ValueError(f"{called(path)} is no {kind}: text in UTF-8 was expected, got the byte {byte:#04x}") from problem


def called(path: Path) -> str:
    """The file with its folder: each part of a data set has one of the same name."""
    return Path(path.parent.name, path.name).as_posix()
