"""TFRecords in the feature layout of magenta/ddsp's data preparation: audio, f0_hz, f0_confidence, loudness_db.

Audio is 16 kHz mono and frames come 250 a second, the first at sample 0, unless the lengths say otherwise. Pitch and
confidence are taken as they are; loudness is computed anew, since ours and theirs are not on one scale.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ddsp_studio.training.data.sound import Sound, sound_of
from ddsp_studio.training.data.tfrecord import Example, TruncatedArchive, read_examples
from ddsp_studio.training.features.clock import frame_count, frame_period
from ddsp_studio.training.features.f0 import F0

SAMPLE_RATE = 16_000
FRAME_RATE = 250
_SURE = 0.5
"""Confidence of the peer's tracker from which a frame counts as having a pitch."""


def ddsp_record_files(path: Path) -> list[Path]:
    """The TFRecord files in a folder ("name.tfrecord-00000-of-00010" as well), or the file itself.

    Raises:
        ValueError: a folder without any.
    """
    if path.is_file():
        return [path]
    files = sorted(file for file in path.rglob("*") if file.is_file() and ".tfrecord" in file.name)
    if not files:
        raise ValueError(f"{path.name} holds no TFRecord files")
    return files


def ddsp_sounds(path: Path, problems: list[str] | None = None, *, sample_rate: int = SAMPLE_RATE) -> Iterator[Sound]:
    """The examples of a file or folder, in order.

    Args:
        path: file or folder. problems: gets one sentence for every file that is cut short. sample_rate: of their audio, Hz.

    Raises:
        ValueError: no such records.
    """
    for file in ddsp_record_files(path):
        given = 0
        try:
            for example in read_examples(file):
                yield _sound(example, file, given, sample_rate)
                given += 1
        except TruncatedArchive as problem:
            if not given or problems is None:
                raise
            problems.append(str(problem))


def _sound(example: Example, file: Path, number: int, sample_rate: int) -> Sound:
    audio, f0_hz = _floats(example, "audio"), _floats(example, "f0_hz")
    if not len(audio):
        raise ValueError(f"{file.name} holds TFRecords without audio: not those of magenta/ddsp")
    confidence = (
        _floats(example, "f0_confidence") if len(_floats(example, "f0_confidence")) == len(f0_hz) else np.ones_like(f0_hz)
    )
    given = _GivenF0(f0_hz, confidence, len(audio) / sample_rate) if len(f0_hz) else None
    return sound_of(f"{file.name}#{number:05d}", audio, sample_rate, f0=given)


def _floats(example: Example, name: str) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    held = example.get(name)
    return held.astype(np.float32) if isinstance(held, np.ndarray) else np.zeros(0, np.float32)


class _GivenF0:
    """Pitch of an example at the frames of our clock, at any rate."""

    def __init__(self, f0_hz: np.ndarray, confidence: np.ndarray, seconds: float) -> None:
        self._f0_hz, self._confidence, self._seconds = f0_hz, confidence, seconds

    def __call__(self, sample_rate: int) -> F0:
        frames = frame_count(round(self._seconds * sample_rate), sample_rate)
        at = np.arange(frames) * (frame_period(sample_rate) / sample_rate) * FRAME_RATE
        nearest = np.clip(np.round(at).astype(int), 0, len(self._f0_hz) - 1)
        octaves = np.log2(np.maximum(self._f0_hz, 1.0))
        # between frames of one note the pitch glides; where it jumps the nearer frame holds
        smooth = np.interp(at, np.arange(len(octaves)), octaves)
        f0_hz = 2.0 ** np.where(np.abs(smooth - octaves[nearest]) < 1.0 / 12.0, smooth, octaves[nearest])
        sure = (self._confidence[nearest] >= _SURE) & (self._f0_hz[nearest] > 0.0)
        confidence = np.where(sure, np.clip(self._confidence[nearest], 0.0, 1.0), 0.0)
        return F0(np.where(sure, f0_hz, 0.0).astype(np.float32), confidence.astype(np.float32))
