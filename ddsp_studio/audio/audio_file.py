"""Writing sound to WAV and FLAC as it comes, atomically and with the right rounding.

Thread rule: a writer is used by one thread at a time and may block on the disk, so never by the render thread.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from ddsp_studio.files import replacing

BIT_DEPTHS = {"16": "PCM_16", "24": "PCM_24", "32f": "FLOAT"}
_BYTES = {"16": 2, "24": 3, "32f": 4}
SUFFIXES = (".wav", ".flac")
_WAV_LIMIT = 4_000_000_000
_DITHER_SEED = 20_240


class AudioFileError(ValueError):
    """A file that cannot be written as asked; the text is one sentence."""


def check_format(path: Path, bit_depth: str) -> None:
    """Refuse a suffix or bit depth that cannot be written (AudioFileError)."""
    if bit_depth not in BIT_DEPTHS:
        raise AudioFileError(f"the bit depth is one of {', '.join(BIT_DEPTHS)}, got {bit_depth!r}")
    if path.suffix.lower() not in SUFFIXES:
        raise AudioFileError(f"sound is written to .wav or .flac, got {path.name!r}")
    if path.suffix.lower() == ".flac" and bit_depth == "32f":
        raise AudioFileError("FLAC holds 16 or 24 bits, got 32f")


class AudioWriter:
    """An open sound file that takes blocks [channels, samples] of float32."""

    def __init__(
        self, path: Path, sample_rate: int, channels: int, bit_depth: str, *, dither: bool = False, expected: int = 0
    ) -> None:
        """Open the file. `expected` samples decide whether a WAV needs the 64-bit form; `dither` is TPDF, for 16 bits.

        Raises:
            OSError: the file cannot be written. AudioFileError: not in this format.
        """
        check_format(path, bit_depth)
        large = expected * channels * _BYTES[bit_depth] > _WAV_LIMIT
        kind = "FLAC" if path.suffix.lower() == ".flac" else "RF64" if large else "WAV"
        self.path, self.samples, self.peak = path, 0, 0.0
        self._channels, self._bit_depth = channels, bit_depth
        self._noise = np.random.default_rng(_DITHER_SEED) if dither and bit_depth == "16" else None
        with _as_os_error(path):
            self._file = soundfile.SoundFile(path, "w", sample_rate, channels, BIT_DEPTHS[bit_depth], format=kind)

    @property
    def full(self) -> bool:
        """Whether a plain WAV can take no more."""
        return bool(self._file.format == "WAV") and self.samples * self._channels * _BYTES[self._bit_depth] > _WAV_LIMIT

    def write(self, block: npt.NDArray[np.float32]) -> None:
        """Append a block [channels, samples]; full scale is ±1 (OSError if the disk is full)."""
        self.samples += block.shape[1]
        self.peak = max(self.peak, float(np.abs(block).max(initial=0.0)))
        with _as_os_error(self.path):
            self._file.write(self._rounded(block.T))

    def _rounded(self, frames: npt.NDArray[np.float32]) -> npt.NDArray[np.generic]:
        if self._bit_depth == "32f":
            return np.ascontiguousarray(frames, np.float32)
        scale = 2.0 ** (int(self._bit_depth) - 1)
        exact = frames.astype(np.float64) * scale
        if self._noise is not None:
            # triangular noise of one step decorrelates the rounding error (Lipshitz, Wannamaker, Vanderkooy 1992)
            exact += self._noise.random((*frames.shape, 2)) @ np.array([1.0, -1.0])
        whole = np.clip(np.rint(exact), -scale, scale - 1.0)
        return whole.astype(np.int16) if self._bit_depth == "16" else (whole * 256.0).astype(np.int32)

    def close(self) -> None:
        """Finish the file (OSError if the disk is full)."""
        with _as_os_error(self.path):
            self._file.close()


@contextlib.contextmanager
def _as_os_error(path: Path) -> Iterator[None]:
    """Libsndfile reports a full disk as a short count; say what the system would say."""
    try:
        yield
    except (soundfile.LibsndfileError, AssertionError, RuntimeError) as problem:
        free = shutil.disk_usage(path.parent).free if path.parent.is_dir() else 0
        code = errno.ENOSPC if free < 2**20 else errno.EIO
        raise OSError(code, os.strerror(code), str(path)) from problem


@contextlib.contextmanager
def writing(
    path: Path, sample_rate: int, channels: int, bit_depth: str, *, dither: bool = False, expected: int = 0
) -> Iterator[AudioWriter]:
    """An `AudioWriter` on a temporary file that takes the place of `path` at the end, and vanishes on failure."""
    check_format(path, bit_depth)
    with replacing(path) as temporary:
        writer = AudioWriter(temporary, sample_rate, channels, bit_depth, dither=dither, expected=expected)
        try:
            yield writer
        except BaseException:
            with contextlib.suppress(OSError):
                writer.close()
            raise
        writer.close()
