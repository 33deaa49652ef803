"""The sound that comes in: what a duplex device records, in step with what it plays, or a sound file when rendering.

Both streams of a duplex device are moved by one callback in C, so they share a clock and nothing has to be resampled. A block's
input is what has arrived when the block is rendered: it comes as far behind its moment as the output is ahead of its own.

Thread rule: an `InputStream` belongs to the render thread, an `InputFile` to the thread that renders.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ddsp_studio.files import check_regular

Audio = npt.NDArray[np.float32]
_RING_FRAMES = 1 << 16
_FIRST_SETTLE_S, _SETTLE_S = 0.2, 2.0
"""Time after which samples that were never needed are left out, so that what comes in is not old: soon at first, while the output
still finds its depth, and doubling up to the longest."""
_MOMENT_S = 0.0003
_CHUNK = 1 << 14


class InputError(ValueError):
    """Sound that cannot be used as input; the text is one sentence."""


class InputStream:
    """What a duplex `rtmixer` stream records, read in blocks. `missing` counts blocks for which too little had come."""

    def __init__(self, mixer: Any, channels: int, sample_rate: int) -> None:
        """Record from the next callback on."""
        import rtmixer

        self._mixer, self._channels = mixer, channels
        self._ring: Any = rtmixer.RingBuffer(4 * channels, _RING_FRAMES)
        self._action: Any = mixer.record_ringbuffer(self._ring)
        self._window, self._longest = round(_FIRST_SETTLE_S * sample_rate), round(_SETTLE_S * sample_rate)
        self._seen, self._spare = 0, _RING_FRAMES
        self._flows = False
        self.missing = 0

    def read(self, count: int) -> Audio:
        """The next samples, left and right [2, count]; silence comes first where too few have arrived. Never waits long."""
        if self._action not in self._mixer.actions:
            self._record_again()
        if self._ring.read_available < count and self._flows:
            time.sleep(_MOMENT_S)  # the callback that has played may be about to record
        held = self._take(min(count, int(self._ring.read_available)))
        short = count - held.shape[1]
        self.missing += bool(short and self._flows)
        self._flows = self._flows or held.shape[1] > 0
        self._keep_fresh(count, short)
        return np.pad(held, [[0, 0], [short, 0]])

    def _take(self, count: int) -> Audio:
        sound = np.frombuffer(self._ring.read(count), np.float32).reshape(-1, self._channels).T
        sides = np.broadcast_to(sound, (2, sound.shape[1])) if self._channels == 1 else sound[:2]
        # other programs may send anything; one number that is none would stay in whatever listens
        return np.ascontiguousarray(np.nan_to_num(sides, posinf=0.0, neginf=0.0))

    def _keep_fresh(self, count: int, short: int) -> None:
        self._seen += count
        self._spare = 0 if short else min(self._spare, int(self._ring.read_available))
        if self._seen >= self._window:
            self._take(self._spare)
            self._seen, self._spare = 0, _RING_FRAMES
            self._window = min(2 * self._window, self._longest)

    def _record_again(self) -> None:
        """The ring was full, which ended its recording: what it holds is old."""
        self._take(int(self._ring.read_available))
        self._action = self._mixer.record_ringbuffer(self._ring)
        self._flows = False


class InputFile:
    """A sound file as input, at the rate of the render, read as it goes; silence after its end."""

    def __init__(self, path: Path, sample_rate: int) -> None:
        """Open a file.

        Raises:
            InputError: it is no sound file. OSError: it cannot be read.
        """
        import soundfile

        path = Path(path)
        check_regular(path)
        with path.open("rb"):
            pass
        try:
            self._file = soundfile.SoundFile(path)
        except (soundfile.LibsndfileError, RuntimeError) as problem:
            raise InputError(f"{path.name} cannot be listened to: it is no sound file that can be read") from problem
        if self._file.frames == 0:
            raise InputError(f"{path.name} cannot be listened to: it holds no sound")
        self.length = round(self._file.frames * sample_rate / self._file.samplerate)
        """Samples at the rate of the render."""
        self._rate, self._pieces = sample_rate, self._read()
        self._held: Audio = np.zeros((2, 0), np.float32)

    def read(self, count: int) -> Audio:
        """The next samples, left and right, [2, count]."""
        parts, total = [self._held], self._held.shape[1]
        while total < count:
            piece = next(self._pieces, None)
            if piece is None:
                parts.append(np.zeros((2, count - total), np.float32))
                break
            parts.append(piece)
            total += piece.shape[1]
        joined = np.concatenate(parts, axis=1)
        self._held = joined[:, count:]
        return np.ascontiguousarray(joined[:, :count])

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _read(self) -> Iterator[Audio]:
        import soxr

        own = self._file.samplerate
        moved = soxr.ResampleStream(own, self._rate, 2, dtype="float32") if own != self._rate else None
        while True:
            read = self._file.read(_CHUNK, dtype="float32", always_2d=True)
            last = len(read) < _CHUNK
            sound = np.nan_to_num(read[:, :2] if read.shape[1] > 1 else np.repeat(read, 2, axis=1), posinf=0.0, neginf=0.0)
            yield (sound if moved is None else moved.resample_chunk(np.ascontiguousarray(sound), last=last)).T
            if last:
                return
