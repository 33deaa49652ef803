"""Records what is heard to a sound file, and what was played to MIDI and a take, while the render thread goes on.

Thread rule: `write` is for the render thread: it never waits, and drops sound (counted) if the disk cannot follow. `finish`
may be called on any other thread.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ddsp_studio.audio.audio_file import writing

_QUEUE_SAMPLES = 20 * 48_000
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recording:
    """A recording that was closed; `problem` is one sentence if not all is well."""

    path: Path
    samples: int
    problem: str


class SoundRecorder:
    """One WAV file being written on its own thread; it appears whole when it is closed."""

    def __init__(self, path: Path, sample_rate: int, on_done: Callable[[Recording], None], bit_depth: str = "24") -> None:
        """Start the writer thread; `on_done` is called on it when the file is closed, also after a failure."""
        self._path, self._rate, self._bit_depth, self._on_done = path, sample_rate, bit_depth, on_done
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
        problem = ""
        samples = 0
        try:
            with writing(self._path, self._rate, 2, self._bit_depth) as file:
                while (block := self._queue.get()) is not None:
                    file.write(block)
                    samples = file.samples
                    self._written += block.shape[1]
                    if file.full:
                        problem = f"The recording {self._path.name} has reached the 4 GB that a WAV file holds and was closed."
                        break
        except OSError as failure:
            problem = f"The recording {self._path.name} cannot be written: {failure.strerror or failure}."
            samples = 0
        self._ended = True
        if self._lost and not problem:
            problem = f"The disk was too slow: {self._lost / self._rate:.2f} s are missing in {self._path.name}."
        with contextlib.suppress(Exception):
            self._on_done(Recording(self._path, samples, problem))
