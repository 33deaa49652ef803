"""Meters, scope and partials in shared memory: a small file mapped by both processes, written by the render thread.

The studio makes the file and hands its path to the engine, so that it outlives either. The writer never waits. `blocks`
is raised after each block's numbers are in place; a reader that sees torn numbers shows them for one frame at worst. The
spectrum is taken by the reader from the scope ring: the render thread has better things to do.
"""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

VERSION = 2
SCOPE = 1 << 16
"""Length of the scope ring in samples of each channel."""
PARTIALS, NODES, KEYS = 512, 512, 128

_LAYOUT = np.dtype(
    [
        ("version", "<i8"),
        ("blocks", "<i8"),  # blocks rendered since the engine started
        ("position", "<i8"),  # samples rendered; sample p of the stream is in scope[:, p % SCOPE]
        ("dropouts", "<i8"),  # blocks that came too late, since the counters were reset
        ("load", "<f4"),  # time to render the last blocks as a share of their length, smoothed
        ("load_peak", "<f4"),
        ("voices", "<i4"),  # voices that sound
        ("sample_rate", "<i4"),
        ("limiting", "<i4"),  # 1 while the safety limiter holds the output down
        ("clipped", "<i4"),  # blocks with a sample at full scale
        ("peak", "<f4", (2,)),  # of the last block, linear
        ("rms", "<f4", (2,)),
        ("input_peak", "<f4", (2,)),  # of what came in with the last block
        ("f0_hz", "<f4"),  # of the voice whose partials are shown
        ("n_partials", "<i4"),
        ("partials", "<f4", (PARTIALS,)),  # amplitudes, linear
        ("node_levels", "<f4", (NODES,)),  # peak of each node's first audio outlet, in the order of PatchPlays.nodes
        ("keys", "u1", (KEYS,)),  # velocity of every sounding key, 0 if it is up
        ("scope", "<f4", (2, SCOPE)),
    ]
)


class Telemetry:
    """The mapped page. `data[name]` reads and writes a field; both sides use the same class."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        """Map the file at `path`; `create` makes it first (the studio does).

        Raises:
            OSError: the file cannot be made or read. ValueError: it is no telemetry page of this version.
        """
        self.path = Path(path)
        if create:
            self.path.write_bytes(bytes(_LAYOUT.itemsize))
        with self.path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _LAYOUT.itemsize)
        self.data: Any = np.ndarray((), _LAYOUT, self._map)
        if create:
            self.data["version"] = VERSION
        elif int(self.data["version"]) != VERSION:
            raise ValueError(f"{self.path} is no telemetry page of version {VERSION}")

    def write_audio(self, block: npt.NDArray[np.float32]) -> None:
        """Append a block [2, samples] to the scope ring and advance `position` (render thread only)."""
        position, length = int(self.data["position"]), block.shape[1]
        start = position % SCOPE
        first = min(length, SCOPE - start)
        self.data["scope"][:, start : start + first] = block[:, :first]
        self.data["scope"][:, : length - first] = block[:, first:]
        self.data["position"] = position + length

    def recent_audio(self, length: int, end: int | None = None) -> npt.NDArray[np.float32]:
        """The `length` samples [2, length] before stream sample `end` (now if None); at most SCOPE / 2."""
        stop = int(self.data["position"]) if end is None else end
        index = np.arange(stop - length, stop) % SCOPE
        audio: npt.NDArray[np.float32] = self.data["scope"][:, index].copy()
        return audio

    def close(self, *, remove: bool = False) -> None:
        """Let go of the page; `remove` deletes the file (the studio does, at its end)."""
        self.data = None
        if remove:
            self.path.unlink(missing_ok=True)
