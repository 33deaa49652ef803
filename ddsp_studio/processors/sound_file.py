"""Recordings that processors play: read from a file, or the one that is there when there is none."""

from __future__ import annotations

import functools
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt

MAX_S = 30.0
ROOT_HZ = 440.0 * 2.0 ** (-9.0 / 12.0)
"""Pitch of the built-in sound, C4."""


def read(path: Path, what: str) -> tuple[npt.NDArray[np.float32], float]:
    """A sound file as one channel [samples], the mean of its channels, and its sample rate in Hz.

    Args:
        path: the file. what: it is meant to be, for the sentence.

    Raises:
        ValueError: in one sentence, when it is missing, no audio, longer than 30 s, or holds what is no number.
    """
    import soundfile

    path = Path(path)
    try:
        with soundfile.SoundFile(path) as file:
            if file.frames > MAX_S * file.samplerate:
                length_s = file.frames / file.samplerate
                raise ValueError(f"a {what} lasts {MAX_S:g} s at most, {path.name} lasts {length_s:.1f} s")
            audio, rate = file.read(dtype="float32", always_2d=True), float(file.samplerate)
    except (OSError, soundfile.LibsndfileError) as problem:
        raise ValueError(f"the {what} {path.name!r} cannot be read: {problem}") from problem
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
