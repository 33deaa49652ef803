"""Records what is heard to a sound file while the render thread goes on. Whatever ends it, what was written stays.

Until it is finished the file has a hidden name (`part_of`); `keep` finishes it, also after the death of who wrote it.

Thread rule: `write` is for the render thread: it never waits, and drops sound (counted) if the disk cannot follow. `finish`
may be called on any other thread; `keep` blocks on the disk.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ddsp_studio.audio.audio_file import AudioWriter

_QUEUE_SAMPLES = 20 * 48_000
_HEAD_BYTES = 4096
PART = ".part"
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recording:
    """A recording that was closed; `problem` is one sentence if not all is well. No `path`: there is no file.

    `missing` samples came in between that a slow disk could not take.
    """

    path: Path | None
    samples: int
    problem: str
    missing: int = 0


def part_of(path: Path) -> Path:
    """Where a file is written until it is whole."""
    return path.with_name(f".{path.stem}{PART}{path.suffix}")


class SoundRecorder:
    """One WAV file being written on its own thread; it appears when it is closed."""

    def __init__(
        self,
        path: Path,
        sample_rate: int,
        on_done: Callable[[Recording], None],
        bit_depth: str = "24",
        *,
        on_written: Callable[[], None] = lambda: None,
    ) -> None:
        """Start the writer thread; it calls `on_written` after each block, and `on_done` at the end, also after a failure."""
        self._path, self._rate, self._bit_depth = path, sample_rate, bit_depth
        self._on_done, self._on_written = on_done, on_written
        self._queue: queue.SimpleQueue[npt.NDArray[np.float32] | None] = queue.SimpleQueue()
        self._queued = self._written = self._lost = 0
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def write(self, block: npt.NDArray[np.float32]) -> None:
        """Append a block [2, samples], which is not changed afterwards by anyone."""
        if self._ended:
            return
        if self._queued - self._written > _QUEUE_SAMPLES:
            self._lost += block.shape[1]
            return
        self._queued += block.shape[1]
        self._queue.put(block)

    def finish(self, timeout_s: float | None = None) -> None:
        """Close the file; with a timeout, wait for it that long."""
        self._queue.put(None)
        if timeout_s:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        recording = self._record()
        self._ended = True
        try:
            self._on_done(recording)
        except Exception:
            _logger.exception("a recording was not taken over")

    def _record(self) -> Recording:
        part, name = part_of(self._path), self._path.name
        problem = failure = ""
        try:
            problem = self._write_all(part)
        except OSError as reason:
            failure = reason.strerror or str(reason)
        samples = 0
        try:
            samples = keep(part, self._path)
        except OSError as reason:
            failure = failure or reason.strerror or str(reason)
        if failure and samples:
            problem = f"The recording {name} ends after {samples / self._rate:.1f} s: {failure}."
        elif failure:
            problem = f"The recording {name} cannot be written: {failure}."
        elif not samples:
            problem = "Nothing was recorded: it ended before the first block."
        elif self._lost and not problem:
            problem = f"The disk was too slow: {self._lost / self._rate:.2f} s are missing in {name}."
        return Recording(self._path if samples else None, samples, problem, self._lost)

    def _write_all(self, part: Path) -> str:
        """Write what comes; the sentence to say where that has ended before its time."""
        part.touch()  # says more clearly than libsndfile what is wrong with a folder
        writer = AudioWriter(part, self._rate, 2, self._bit_depth)
        try:
            while (block := self._queue.get()) is not None:
                writer.write(block)
                self._written += block.shape[1]
                self._on_written()
                if writer.full:
                    return f"The recording {self._path.name} has reached the 4 GB that a WAV file holds and was closed."
        except OSError:
            with contextlib.suppress(OSError):
                writer.close()
            raise
        writer.close()
        return ""


def keep(part: Path, path: Path) -> int:
    """Finish a sound file that was written as far as `part` goes, and call it `path`; its samples, 0 if there are none to keep.

    Raises:
        OSError: it cannot be finished; then it stays where it is.
    """
    samples = _mend(part) if part.exists() else 0
    if not samples:
        part.unlink(missing_ok=True)
        return 0
    with part.open("rb+") as file, contextlib.suppress(OSError):
        os.fsync(file.fileno())
    os.replace(part, path)
    return samples


def _mend(path: Path) -> int:
    """Write the true lengths into the header of a WAV file, which are not there if nobody closed it; its samples.

    The header is libsndfile's: its chunks come before the data, and nothing after them.
    """
    with path.open("rb+") as file:
        head, size = file.read(_HEAD_BYTES), file.seek(0, os.SEEK_END)
        place, align, fact = 12, 0, 0
        while head[place : place + 4] != b"data":
            if place + 24 > len(head) or head[:4] != b"RIFF":
                return 0
            if head[place : place + 4] == b"fmt ":
                (align,) = struct.unpack_from("<H", head, place + 20)
            elif head[place : place + 4] == b"fact":
                fact = place + 8
            (length,) = struct.unpack_from("<I", head, place + 4)
            place += 8 + length + length % 2
        samples = (size - place - 8) // align if align else 0
        end = place + 8 + samples * align
        file.truncate(end)
        for where, number in ((4, end - 8), (place + 4, samples * align), (fact, samples)):
            if where:
                file.seek(where)
                file.write(struct.pack("<I", number))
    return samples
