"""TFRecord files of tf.train.Example messages, read without TensorFlow.

A record is its length (uint64), a checksum of that, the bytes, and a checksum of those. An Example is a protocol buffer:
field 1 holds features, a map from names to lists of bytes, floats or integers. Checksums are compared, sizes are bounded,
nothing is executed.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np
import numpy.typing as npt

from ddsp_studio.files import check_regular
from ddsp_studio.training.data.audio_source import Floats, Tick, finite
from ddsp_studio.training.data.crc32c import masked_crc32c

LARGEST = 1 << 30
"""Bytes of a record beyond which a file is taken for damaged."""
_NAMED = 3
"""How many of the records or notes that are left out are told one by one."""

Value = list[bytes] | npt.NDArray[np.float32] | npt.NDArray[np.int64]
Example = dict[str, Value]
Used = TypeVar("Used")


class TruncatedArchive(ValueError):
    """A file that ends or goes wrong in its middle; what came before it was whole. The text is one sentence."""


def read_examples(path: Path) -> Iterator[Example]:
    """The Examples of a file, in order.

    Raises:
        TruncatedArchive: where the file is cut short or damaged, after everything before it has been yielded.
        OSError: the file cannot be opened.
    """
    for number, record in enumerate(read_records(path)):
        try:
            yield parse_example(record)
        except (ValueError, IndexError, struct.error) as problem:
            raise TruncatedArchive(f"{path.name}: record {number + 1} holds no tf.train.Example") from problem


def read_usable(path: Path, use: Callable[[int, Example], Used], problems: list[str] | None, tick: Tick | None) -> Iterator[Used]:
    """What `use` makes of a file's Examples and their numbers, counted from 0; what it refuses (ValueError) costs a sentence.

    Args:
        path: the file. use: makes something of an Example. tick: called for every Example.
        problems: gets a sentence if the file is cut short, and about the records that are refused.

    Raises:
        ValueError: none of them can be used, or some cannot and there are no `problems`. OSError: the file cannot be opened.
    """
    read, given, refused, size = 0, 0, list[str](), path.stat().st_size
    try:
        for number, example in enumerate(read_examples(path)):
            read += sum(value.nbytes for value in example.values() if isinstance(value, np.ndarray))  # nearly all of a record
            if tick:
                tick(min(1.0, read / size))
            try:
                used = use(number, example)
            except ValueError as problem:
                refused.append(str(problem))
                continue
            given += 1
            yield used
    except TruncatedArchive as problem:
        if not given or problems is None:
            raise
        problems.append(str(problem))
    told = left_out(path.name, refused)
    if told and (not given or problems is None):
        raise ValueError(told[0])
    if problems is not None:
        problems += told


def left_out(place: str, refused: Sequence[str]) -> list[str]:
    """What is said of a data set in which some is `refused`, a sentence each: the first of these, and how many more there are."""
    more = len(refused) - _NAMED
    counted = [f"{more:,} more {'is' if more == 1 else 'are'} left out"] if more > 0 else []
    return [f"{place}: {said}" for said in (*refused[:_NAMED], *counted)]


def floats_of(example: Example, name: str) -> Floats:
    """A feature as `finite` float32; empty where it is not there, or is text."""
    held = example.get(name)
    return finite(held.astype(np.float32)) if isinstance(held, np.ndarray) else np.zeros(0, np.float32)


def read_records(path: Path) -> Iterator[bytes]:
    """The records of a file, in order; raises as `read_examples`."""
    number = 0
    check_regular(path)
    with path.open("rb") as file:
        while True:
            record = _record(file, path.name, number)
            if record is None:
                return
            yield record
            number += 1


def _record(file: BinaryIO, name: str, number: int) -> bytes | None:
    head = file.read(12)
    if not head:
        return None
    if len(head) == 12:
        length, check = struct.unpack("<QI", head)
        if masked_crc32c(head[:8]) != check or length > LARGEST:
            if number == 0:
                raise TruncatedArchive(f"{name} is not a TFRecord file")
            raise TruncatedArchive(
                f"{name} is damaged after {number} record{'s' if number != 1 else ''}; what came before was read"
            )
        body = file.read(length + 4)
        if len(body) == length + 4:
            if masked_crc32c(body[:-4]) != struct.unpack("<I", body[-4:])[0]:
                raise TruncatedArchive(f"{name} is damaged in {_place(number)}")
            return body[:-4]
    raise TruncatedArchive(f"{name} is cut short in {_place(number)}")


def _place(number: int) -> str:
    before = {0: "there is nothing before it", 1: "the one before it was read"}
    return f"record {number + 1}; {before.get(number, f'the {number} before it were read')}"


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than ten bytes")


_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def _fields(data: memoryview) -> Iterator[tuple[int, int, memoryview | int]]:
    """Number, wire type and content of each field of a message."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield tag >> 3, kind, value
            continue
        if kind == _BYTES:
            size, at = _varint(data, at)
        elif kind in (_FIXED32, _FIXED64):
            size = 4 if kind == _FIXED32 else 8
        else:
            raise ValueError(f"wire type {kind}")
        if at + size > len(data):
            raise ValueError("a field is longer than its message")
        yield tag >> 3, kind, data[at : at + size]
        at += size


def _messages(data: memoryview, wanted: int) -> Iterator[memoryview]:
    for number, _, content in _fields(data):
        if number == wanted and isinstance(content, memoryview):
            yield content


def parse_example(record: bytes) -> Example:
    """The features of a serialised tf.train.Example, by name (ValueError or IndexError if it is none)."""
    example: Example = {}
    for features in _messages(memoryview(record), 1):
        for entry in _messages(features, 1):
            name, value = "", memoryview(b"")
            for number, _, content in _fields(entry):
                if isinstance(content, memoryview):
                    if number == 1:
                        name = bytes(content).decode("utf-8")
                    elif number == 2:
                        value = content
            example[name] = _feature(value)
    return example


def _feature(data: memoryview) -> Value:
    for number, _, content in _fields(data):
        if not isinstance(content, memoryview):
            continue
        if number == 1:
            return [bytes(item) for item in _messages(content, 1)]
        if number == 2:
            return _floats(content)
        if number == 3:
            return _integers(content)
    return np.zeros(0, np.float32)


def _floats(data: memoryview) -> npt.NDArray[np.float32]:
    parts = [np.frombuffer(c, "<f4") for number, _, c in _fields(data) if number == 1 and isinstance(c, memoryview)]
    return np.concatenate(parts).astype(np.float32) if parts else np.zeros(0, np.float32)


def _integers(data: memoryview) -> npt.NDArray[np.int64]:
    values: list[int] = []
    for number, _, content in _fields(data):
        if number != 1:
            continue
        if isinstance(content, int):
            values.append(content)
            continue
        at = 0
        while at < len(content):
            value, at = _varint(content, at)
            values.append(value)
    return np.array(values, np.uint64).view(np.int64)
