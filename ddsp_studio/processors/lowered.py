"""Nodes as StableHLO modules, kept on disk: a later start traces none of them anew.

A file holds one node's module under a name made of all that shapes it, the program's own source included, so that another
version finds nothing. It lies beside the machine code that XLA made of it (`audio/xla_cache.py`) and goes with that.
Thread rule: one thread at a time.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import logging
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from ddsp_studio.files import replacing

ENDING = ".lowered"
_OURS = ("dsp", "processors")
_logger = logging.getLogger(__name__)

Spec = tuple[list[int], str]
"""Shape and type of a tensor."""


class Lowered(NamedTuple):
    """A node as a function of flat tensors: its arguments as in `specs` and then `held`."""

    code: bytes
    held: list[npt.NDArray[Any]]
    specs: list[Spec]
    outputs: list[Spec]
    """Signals, last frames and memory, flat."""
    signals: list[str]
    last: list[str]


class _Array(msgspec.Struct):
    kind: str
    shape: list[int]
    data: bytes


class _File(msgspec.Struct):
    key: str
    code: bytes
    held: list[_Array]
    specs: list[Spec]
    outputs: list[Spec]
    signals: list[str]
    last: list[str]


class Shelf:
    """A folder of lowered nodes."""

    def __init__(self, folder: Path) -> None:
        """Nothing is read or written yet; the folder may not be there."""
        self.folder = folder

    def find(self, kind: type, key: Sequence[Any]) -> Lowered | None:
        """The node of a processor type with this key; None if it is not kept, or cannot be read."""
        text = _text(kind, key)
        path = self._path(text)
        try:
            found = msgspec.msgpack.decode(path.read_bytes(), type=_File)
            if found.key != text:
                raise ValueError("it is another node's")
            held = [np.frombuffer(array.data, array.kind).reshape(array.shape) for array in found.held]
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, TypeError) as problem:
            _logger.warning("%s is not used: %s", path, problem)
            return None
        return Lowered(found.code, held, found.specs, found.outputs, found.signals, found.last)

    def keep(self, kind: type, key: Sequence[Any], node: Lowered) -> None:
        """Keep a node; where the disk refuses, it is made again by the next start."""
        text = _text(kind, key)
        held = [_Array(array.dtype.name, list(array.shape), array.tobytes()) for array in node.held]
        data = msgspec.msgpack.encode(_File(text, node.code, held, node.specs, node.outputs, node.signals, node.last))
        try:
            with replacing(self._path(text)) as temporary:
                temporary.write_bytes(data)
        except OSError as problem:
            _logger.warning("a lowered node is not kept: %s", problem)

    def _path(self, text: str) -> Path:
        return self.folder / (hashlib.sha256(text.encode()).hexdigest()[:32] + ENDING)


def _text(kind: type, key: Sequence[Any]) -> str:
    return f"{kind.__module__}.{kind.__qualname__} {_source(__name__, _OURS)} {_source(kind.__module__)} {key!r}"


@functools.cache
def _source(module: str, parts: tuple[str, ...] = ()) -> str:
    """A hash of the source of the package that a module belongs to, or of these parts of it."""
    package = importlib.import_module(module.split(".")[0])
    if not parts and package.__name__ == __name__.split(".")[0]:
        return ""
    # a namespace has no file, but its modules have; what has none at all was typed in, and is of this process alone
    found = getattr(package, "__file__", None) or getattr(sys.modules.get(module), "__file__", None)
    if found is None:
        return secrets.token_hex(8)
    file = Path(found)
    places = [file.parent / part for part in parts] or ([file.parent] if file.name == "__init__.py" else [file])
    digest = hashlib.sha256()
    for place in places:
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]
