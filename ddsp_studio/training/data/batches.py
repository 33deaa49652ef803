"""Batches of clips, each a pure function of (seed, number): a training goes on exactly where it stopped.

Every epoch shows each clip once, in an order of its own; batches run across the ends of epochs.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ddsp_studio.training.data.augment import Augmentation, example
from ddsp_studio.training.data.chance import permutation
from ddsp_studio.training.data.clips import Clip
from ddsp_studio.training.features.clock import frame_period
from ddsp_studio.training.features.conditioning import held_f0
from ddsp_studio.training.features.f0_layout import Floats

Batch: TypeAlias = dict[str, Floats]
"""A batch: "audio" [batch, samples]; "f0_hz" (no zeros: held over pauses), "confidence" 0..1 (0 in pauses) and "loudness_db",
[batch, frames, 1]."""


@dataclass(frozen=True)
class Batches:
    """Batches from clips of one length.

    Attributes:
        clips: of equal length, one at least. size: clips in a batch. seed: of order and augmentation.
        augmentation: how clips are varied. shuffled: whether in a new order every epoch; held-out clips come in theirs.
    """

    clips: tuple[Clip, ...]
    size: int = 8
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)
    shuffled: bool = True

    def __post_init__(self) -> None:
        """Refuse what makes no batch (ValueError)."""
        if not self.clips or self.size < 1:
            raise ValueError(f"a batch takes clips, got {self.size} of {len(self.clips)}")
        if len({(clip.frames, clip.recording.sample_rate) for clip in self.clips}) > 1:
            raise ValueError("clips of one batch are of one length and sample rate")

    @property
    def sample_rate(self) -> int:
        """Hz."""
        return self.clips[0].recording.sample_rate

    @property
    def samples(self) -> int:
        """Length of a clip."""
        return self.clips[0].samples

    @property
    def frames(self) -> int:
        """Frames in a clip; frame m stands at sample (m + 1)·period of it."""
        return self.clips[0].frames

    @property
    def period(self) -> int:
        """Samples from frame to frame: a multiple of the hop."""
        return frame_period(self.sample_rate)

    @property
    def per_epoch(self) -> int:
        """Batches in which every clip has been seen, rounded up."""
        return -(-len(self.clips) // self.size)

    def chosen(self, number: int) -> list[int]:
        """Which clips batch `number` holds."""
        places = range(number * self.size, (number + 1) * self.size)
        return [int(self._order(place // len(self.clips))[place % len(self.clips)]) for place in places]

    def _order(self, epoch: int) -> npt.NDArray[np.intp]:
        count = len(self.clips)
        return _order_of(self.seed, epoch, count) if self.shuffled else np.arange(count)

    def batch(self, number: int) -> Batch:
        """Batch `number` from 0 on, always the same for the same number."""
        first = number * self.size
        held = [example(self.clips[c], self.augmentation, self.seed, first + i) for i, c in enumerate(self.chosen(number))]
        frames = [features for _, features in held]
        return {
            "audio": np.stack([audio for audio, _ in held]),
            "f0_hz": np.stack([held_f0(f.f0_hz) for f in frames])[..., None],
            "confidence": np.stack([f.confidence for f in frames])[..., None],
            "loudness_db": np.stack([f.loudness_db for f in frames])[..., None],
        }


@functools.lru_cache(maxsize=4)
def _order_of(seed: int, epoch: int, count: int) -> npt.NDArray[np.intp]:
    return permutation(seed, f"epoch {epoch}", count)
