"""A sound of a corpus before it is analysed: a name, and blocks of mono at any rate that is asked for."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soxr

from ddsp_studio.training.data.audio_source import Floats, Tick, choose_mixdown, file_facts, mono_blocks, raw_blocks
from ddsp_studio.training.data.clipping import clipped_places
from ddsp_studio.training.data.overlap import Marks
from ddsp_studio.training.features.f0 import F0


@dataclass(frozen=True)
class Sound:
    """One sound.

    Attributes:
        name: unique in its corpus.
        blocks: gives mono blocks [samples] at a sample rate in Hz.
        split: "train", "validation", "test", or "" where the corpus has none.
        pitch: MIDI key where the corpus knows it.
        f0: pitch frames at a rate where the corpus brings them, or None.
        clipped: counts the places in which it is clipped.
        marks: by which it is known if it overlaps with others of its corpus (`overlap`); none where that cannot be.
    """

    name: str
    blocks: Callable[[int], Iterator[Floats]]
    split: str = ""
    pitch: int | None = None
    f0: Callable[[int], F0] | None = None
    clipped: Callable[[], int] = lambda: 0
    marks: Marks = field(default_factory=lambda: np.zeros(0, np.uint64))


def sound_of_file(path: Path, *, name: str = "", split: str = "", tick: Tick | None = None) -> Sound:
    """A sound file, read when it is asked for (AudioProblem then); `tick` hears how far it is read."""
    mixdown = functools.cache(lambda: choose_mixdown(path, tick))

    def blocks(rate: int) -> Iterator[Floats]:
        done, whole = 0, file_facts(path).seconds * rate
        for block in mono_blocks(path, rate, mixdown()):
            yield block
            done += len(block)
            if tick:
                tick(min(1.0, done / whole))

    def clipped() -> int:
        return clipped_places(_ticking(raw_blocks(path), tick))

    return Sound(name or path.name, blocks, split, clipped=clipped)


def _ticking(blocks: Iterator[Floats], tick: Tick | None) -> Iterator[Floats]:
    for block in blocks:
        if tick:
            tick(None)
        yield block


def sound_of(
    name: str,
    audio: Floats,
    sample_rate: int,
    *,
    split: str = "",
    pitch: int | None = None,
    f0: Callable[[int], F0] | None = None,
) -> Sound:
    """Sound that is in memory, [samples] or [samples, channels] at `sample_rate` Hz."""
    mono = audio if audio.ndim == 1 else audio.mean(axis=1, dtype=np.float32)

    def blocks(rate: int) -> Iterator[Floats]:
        yield mono if rate == sample_rate else soxr.resample(mono, sample_rate, rate, quality="HQ").astype(np.float32)

    channels = audio[:, None] if audio.ndim == 1 else audio
    return Sound(name, blocks, split, pitch, f0, lambda: clipped_places([channels]))
