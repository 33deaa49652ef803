"""Recordings that processors play: read from a file, or the one that is there when there is none."""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ddsp_studio.files import check_regular

if TYPE_CHECKING:
    import soundfile

MAX_S = 30.0
ROOT_HZ = 440.0 * 2.0 ** (-9.0 / 12.0)
"""Pitch of the built-in sound, C4."""


class SoundFileError(ValueError):
    """A sound file that cannot be read; the text is the reason, which ends a sentence."""


@contextlib.contextmanager
def opened(path: Path) -> Iterator[soundfile.SoundFile]:
    """A sound file to read from (SoundFileError while it is opened or read)."""
    import soundfile

    try:
        check_regular(path)
        if not path.stat().st_size:
            raise SoundFileError("it is empty (0 bytes)")
        with soundfile.SoundFile(path) as file:
            yield file
    except FileNotFoundError as problem:
        raise SoundFileError("there is no such file") from problem
    except OSError as problem:
        raise SoundFileError(problem.strerror or str(problem)) from problem
    except (soundfile.LibsndfileError, RuntimeError, TypeError) as problem:
        raise SoundFileError("it is no sound file that can be read (WAV, FLAC, OGG, MP3 and AIFF can)") from problem


def read_channels(path: Path, what: str, most_s: float) -> tuple[npt.NDArray[np.float32], float]:
    """A sound file [samples, channels] and its sample rate in Hz.

    Args:
        path: the file. what: it is meant to be, for the sentence. most_s: seconds that it may last.

    Raises:
        ValueError: in one sentence, when it is missing, no audio, or longer.
    """
    try:
        with opened(path) as file:
            rate, length_s = float(file.samplerate), file.frames / file.samplerate
            audio = file.read(dtype="float32", always_2d=True) if length_s <= most_s else None
    except SoundFileError as problem:
        raise ValueError(f"the {what} {path.name!r} cannot be read: {problem}") from problem
    if audio is None:
        article = "an" if what[0] in "aeiou" else "a"
        raise ValueError(f"{article} {what} lasts {most_s:g} s at most, {path.name} lasts {length_s:.1f} s")
    return audio, rate


def read(path: Path, what: str) -> tuple[npt.NDArray[np.float32], float]:
    """A sound file as one channel [samples], the mean of its channels, and its sample rate in Hz.

    Args:
        path: the file. what: it is meant to be, for the sentence.

    Raises:
        ValueError: in one sentence, when it is missing, no audio, longer than 30 s, or holds what is no number.
    """
    path = Path(path)
    audio, rate = read_channels(path, what, MAX_S)
    if not audio.size:
        raise ValueError(f"the {what} {path.name!r} is empty")
    if not np.isfinite(audio).all():
        raise ValueError(f"the {what} {path.name!r} holds what is no number")
    return audio.mean(axis=1), rate


def load(path: str, sample_rate: float) -> npt.NDArray[np.float32]:
    """The recording of a file at the given rate, or the built-in one for an empty path: [samples].

    Raises:
        ValueError: in one sentence, see `read`.
    """
    import soxr

    if not path:
        return pluck(sample_rate)
    audio, rate = read(Path(path), "recording")
    return np.asarray(soxr.resample(audio, rate, sample_rate) if rate != sample_rate else audio, np.float32)


@functools.lru_cache(maxsize=4)
def pluck(sample_rate: float) -> npt.NDArray[np.float32]:
    """A plucked string at C4, [samples] for two seconds: its partials are a little sharp and the higher ones die sooner."""
    time = np.arange(int(2.0 * sample_rate)) / sample_rate
    out = np.zeros_like(time)
    for k in range(1, 41):
        hertz = ROOT_HZ * k * math.sqrt(1.0 + 1e-4 * k * k)
        if hertz < 0.45 * sample_rate:
            out += math.sin(0.29 * math.pi * k) / k * np.exp(-(1.5 + 0.45 * k) * time) * np.sin(2.0 * math.pi * hertz * time)
    out *= np.clip((time[-1] - time) / 0.05, 0.0, 1.0)
    return np.asarray(out * (0.8 / np.abs(out).max()), np.float32)
