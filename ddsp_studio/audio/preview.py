"""Sound files that are heard beside the patch: a recording, or what was meant and what was learned, to compare at the same place.

The files of a reel are of equal loudness and share one position: turning from one to the other crossfades in place. Nothing of it
reaches a take.

Thread rule: `read_reel` is slow and belongs to a thread that may wait for the disk; a `PreviewPlayer` is owned by the render
thread, and its `view` is plain data that any thread may be given.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from ddsp_studio.dsp.programme_loudness import hop_powers, integrated_lufs
from ddsp_studio.files import check_regular

Audio = npt.NDArray[np.float32]
MOST_FILES, MOST_S = 8, 300.0
"""Files of a reel, and seconds of each that are kept in memory."""
FADE_S = 0.01
_EDGE_S = 0.005
_HEADROOM = 0.98


class PreviewError(ValueError):
    """A file that cannot be heard; the text is one sentence."""


@dataclass(frozen=True)
class Reel:
    """Sounds [2, samples] at the rate of the output, in the order of their files."""

    files: tuple[str, ...]
    sample_rate: int
    sounds: tuple[Audio, ...]


@dataclass(frozen=True)
class PreviewView:
    """Which file sounds where; `playing` is False while nothing does."""

    files: tuple[str, ...] = ()
    track: int = 0
    playing: bool = False
    position_s: float = 0.0
    length_s: float = 0.0


def read_reel(files: Sequence[str], sample_rate: int) -> Reel:
    """Read files as stereo at `sample_rate` Hz, and bring all of them to the loudness of the first (integrated, BS.1770).

    Where that would clip, all are softer by the same. Their ends are faded over 5 ms.

    Raises:
        PreviewError: in one sentence, for a file that cannot be read or holds no sound.
    """
    if len(files) > MOST_FILES:
        raise PreviewError(f"up to {MOST_FILES} files are compared at a time, got {len(files)}")
    sounds = [_read(Path(name), sample_rate) for name in files]
    gains = _gains(sounds, sample_rate)
    return Reel(tuple(files), sample_rate, tuple(_edged(s * g, sample_rate) for s, g in zip(sounds, gains, strict=True)))


def _read(path: Path, sample_rate: int) -> Audio:
    try:
        check_regular(path)
        with soundfile.SoundFile(path) as file:
            rate, sound = file.samplerate, file.read(int(MOST_S * file.samplerate), dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError, RuntimeError, TypeError) as problem:
        raise PreviewError(f"{path.name} cannot be heard: it is no sound file that can be read") from problem
    if not len(sound):
        raise PreviewError(f"{path.name} cannot be heard: it holds no sound")
    sound = np.nan_to_num(sound[:, :2] if sound.shape[1] > 1 else np.repeat(sound, 2, axis=1), posinf=0.0, neginf=0.0)
    if rate != sample_rate:
        sound = soxr.resample(sound, rate, sample_rate)
    return np.ascontiguousarray(sound.T, np.float32)


def _gains(sounds: Sequence[Audio], sample_rate: int) -> list[np.float32]:
    """Factors that bring sounds to the loudness of the first without clipping; silent ones stay as they are."""
    if len(sounds) < 2:
        return [np.float32(1.0)] * len(sounds)
    levels = [integrated_lufs(hop_powers(sound, sample_rate), sample_rate) for sound in sounds]
    gains = [10.0 ** ((levels[0] - level) / 20.0) if math.isfinite(levels[0] - level) else 1.0 for level in levels]
    peak = max(float(np.abs(sound).max()) * gain for sound, gain in zip(sounds, gains, strict=True))
    return [np.float32(gain * min(1.0, _HEADROOM / max(peak, 1e-9))) for gain in gains]


def _edged(sound: Audio, sample_rate: int) -> Audio:
    count = sound.shape[1]
    ramp = np.minimum(1.0, np.arange(1, count + 1, dtype=np.float32) / max(1.0, _EDGE_S * sample_rate))
    return np.asarray(sound * ramp * ramp[::-1], np.float32)


@dataclass
class _Head:
    """A sound that is being heard, at a place of its own: its gain moves to `goal` by a fixed step a sample."""

    sound: Audio
    place: int
    loops: bool
    gain: float = 0.0
    goal: float = 1.0

    @property
    def ended(self) -> bool:
        """Whether it has faded out, or come to its end."""
        return self.gain == self.goal == 0.0 or self.place >= self.sound.shape[1]

    def add_to(self, out: Audio, step: float) -> None:
        """Add its next samples to [2, samples] and go on; the gain moves by `step` a sample."""
        done = 0
        while done < out.shape[1] and not self.ended:
            part = self.sound[:, self.place : self.place + out.shape[1] - done]
            size = part.shape[1]
            out[:, done : done + size] += part * self._gains(size, step)
            done, self.place = done + size, self.place + size
            if self.loops:
                self.place %= self.sound.shape[1]

    def _gains(self, size: int, step: float) -> Audio:
        way = np.arange(1, size + 1, dtype=np.float32) * np.float32(step if self.goal > self.gain else -step)
        low, high = sorted((self.gain, self.goal))
        gains = np.clip(np.float32(self.gain) + way, np.float32(low), np.float32(high))
        self.gain = float(gains[-1])
        return np.asarray(gains, np.float32)


class PreviewPlayer:
    """Plays a reel in blocks. Everything that begins, ends or changes does so over 10 ms."""

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self.view = PreviewView()
        self._reel = Reel((), sample_rate, ())
        self._heads: list[_Head] = []
        self._track = 0

    def play(self, reel: Reel, track: int, *, looping: bool) -> None:
        """Play a file of a reel: on from the same place if something sounds, else from the beginning."""
        if reel.sample_rate != self.sample_rate or not reel.sounds:
            return
        self._reel, self._track = reel, min(max(track, 0), len(reel.sounds) - 1)
        sound, now = reel.sounds[self._track], self._now()
        if now is not None and now.sound is sound:
            now.loops = looping
            return
        place = now.place if now is not None and now.place < sound.shape[1] else 0
        self._fade_out()
        self._heads.append(_Head(sound, place, looping))
        self._show()

    def stop(self) -> None:
        """Fade out."""
        self._fade_out()
        self._show()

    def _now(self) -> _Head | None:
        return next((head for head in self._heads if head.goal and not head.ended), None)

    def _fade_out(self) -> None:
        for head in self._heads:
            head.goal = 0.0

    def _show(self) -> None:
        now, rate = self._now(), self.sample_rate
        length = self._reel.sounds[self._track].shape[1] if self._reel.sounds else 0
        place = now.place if now is not None else 0
        self.view = PreviewView(self._reel.files, self._track, now is not None, place / rate, length / rate)

    def block(self, count: int) -> Audio | None:
        """The next samples [2, count]; None while nothing sounds."""
        if not self._heads:
            return None
        mixed, step = np.zeros((2, count), np.float32), 1.0 / max(1.0, FADE_S * self.sample_rate)
        for head in self._heads:
            head.add_to(mixed, step)
        self._heads = [head for head in self._heads if not head.ended]
        self._show()
        return mixed
