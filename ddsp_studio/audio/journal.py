"""The journal of a take that is being recorded: what was played so far, should the engine not live to write the take.

A line of JSON for each thing, as `[name, what]`; the last may be torn. While its engine lives the file is locked.

Thread rule: `begin` and `add` are for the render thread and never wait; everything else may block on the disk.
"""

from __future__ import annotations

import contextlib
import queue
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import msgspec

from ddsp_studio.audio.events import Beat, Cut, Event, Midi, Move
from ddsp_studio.audio.take import MAX_BYTES
from ddsp_studio.files import read_bytes
from ddsp_studio.processors import patch_file
from ddsp_studio.processors.patch import Patch, PatchError

_BUSY_S = 10.0
"""Time for which a sound that nobody has touched may still be recorded, where locks do not tell."""


@dataclass(frozen=True)
class Opening:
    """First line: the instrument as a patch file's data, and the rate in Hz."""

    sample_rate: int
    patch: dict[str, Any]


@dataclass(frozen=True)
class Begin:
    """Second line: how the instrument was played."""

    voices: int
    mode: str
    bpm: float


@dataclass(frozen=True)
class Journaled:
    """What a journal holds."""

    sample_rate: int
    patch: Patch
    begin: Begin
    events: tuple[Event, ...]


_KINDS: dict[str, type] = {kind.__name__: kind for kind in (Opening, Begin, Beat, Cut, Midi, Move)}


class Journal:
    """A journal being written. A disk that cannot take it does not keep the take from being recorded."""

    def __init__(self, path: Path, sample_rate: int, patch: Patch) -> None:
        """Begin the file and lock it."""
        self.path = path
        self._waiting: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._file: IO[bytes] | None = None
        with contextlib.suppress(OSError):
            self._file = path.open("wb")
            _lock(self._file)
        self._waiting.put(Opening(sample_rate, patch_file.to_json(patch)))
        self.flush()

    def begin(self, voices: int, mode: str, bpm: float) -> None:
        """Note how the instrument is played."""
        self._waiting.put(Begin(voices, mode, bpm))

    def add(self, events: Iterable[Event]) -> None:
        """Note what was played, in samples from the take's start."""
        for event in events:
            self._waiting.put(event)

    def flush(self) -> None:
        """Hand what was noted to the system, which keeps it even if this process is killed."""
        lines = []
        with contextlib.suppress(queue.Empty):
            while True:
                noted = self._waiting.get_nowait()
                lines.append(msgspec.json.encode((type(noted).__name__, noted)) + b"\n")
        if self._file is None or not lines:
            return
        try:
            self._file.write(b"".join(lines))
            self._file.flush()
        except OSError:
            self.close()

    def close(self, *, remove: bool = False) -> None:
        """Let go of the file; `remove` it once the take is written."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()
        if remove:
            with contextlib.suppress(OSError):
                self.path.unlink()


def read_journal(path: Path) -> Journaled | None:
    """What a journal holds, up to where it is damaged; None if that is not even how the take began."""
    found: list[Any] = []
    try:
        for line in read_bytes(path, MAX_BYTES, "journal").splitlines():
            name, what = msgspec.json.decode(line, type=tuple[str, msgspec.Raw])
            found.append(msgspec.json.decode(what, type=_KINDS[name]))
    except (OSError, ValueError, KeyError):
        pass  # it was torn here
    match found:
        case [Opening(rate, patch), Begin() as begin, *events]:
            with contextlib.suppress(PatchError):
                return Journaled(rate, patch_file.from_json(patch), begin, tuple(events))
    return None


@contextlib.contextmanager
def claimed(journal: Path, sound: Path) -> Iterator[bool]:
    """Whether nobody records to a journal and its sound any more; within the block nobody else is told so."""
    with contextlib.ExitStack() as stack:
        locked = None
        with contextlib.suppress(FileNotFoundError):
            locked = _lock(stack.enter_context(journal.open("rb")))
        yield _left_alone(sound) if locked is None else locked


def _left_alone(sound: Path) -> bool:
    """Whether nothing was written there lately; a clock that was put back counts as left."""
    try:
        return not 0.0 <= time.time() - sound.stat().st_mtime < _BUSY_S
    except OSError:
        return True


def _lock(file: IO[bytes]) -> bool | None:
    """Lock a file for as long as it is open; False if another has locked it, None where there are no locks."""
    try:
        import fcntl
    except ImportError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # some folders in the network
        return None
    return True
