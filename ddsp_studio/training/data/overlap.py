"""Sound that several recordings hold: examples of a data set that were cut with overlap, four seconds every second, say.

A sound is known by marks: hashes of some of its blocks, chosen by the hash itself, so that two sounds that share a second share
its marks (the idea is that of content-defined chunks: Manber, "Finding similar files in a large file system", 1994).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ddsp_studio.training.data.audio_source import Floats

Marks: TypeAlias = npt.NDArray[np.uint64]
_BLOCK, _ONE_IN = 32, 16
"""Samples of a block, whose multiples the steps between examples are; and one block in how many gives a mark."""
_SHARED = 3
"""So many marks in common are no chance: a tenth of a second."""
_MOST = 64
"""What stands in more places than this is no overlap, but a sound that repeats itself."""
_FACTORS = np.random.default_rng(0x0E81).integers(1, 2**63, _BLOCK, np.uint64) | np.uint64(1)


def marks_of(audio: Floats) -> Marks:
    """The marks of a sound [samples], at the rate at which it was cut: another one would change every sample."""
    blocks = audio[: len(audio) // _BLOCK * _BLOCK].astype(np.float32).reshape(-1, _BLOCK)
    blocks = blocks[np.ptp(blocks, axis=1) > 0.0]
    hashes = (np.ascontiguousarray(blocks).view(np.uint32).astype(np.uint64) * _FACTORS).sum(axis=1, dtype=np.uint64)
    hashes ^= hashes >> np.uint64(29)
    return np.asarray(hashes[hashes % np.uint64(_ONE_IN) == 0])


def overlapping(marks: Sequence[Marks]) -> list[set[int]]:
    """Of every sound, which others it shares sound with; those without marks share nothing."""
    found: list[set[int]] = [set() for _ in marks]
    values = np.concatenate([np.zeros(0, np.uint64), *marks])
    owners = np.repeat(np.arange(len(marks)), [len(each) for each in marks])
    order = np.argsort(values, kind="stable")
    values, owners = values[order], owners[order]
    common: dict[tuple[int, int], int] = defaultdict(int)
    for step in range(1, _MOST):
        same = (values[step:] == values[:-step]) & (owners[step:] != owners[:-step])
        if not same.any():
            break
        pairs, counts = np.unique(np.stack([owners[:-step][same], owners[step:][same]]), axis=1, return_counts=True)
        for (one, other), count in zip(pairs.T.tolist(), counts.tolist(), strict=True):
            common[one, other] += count
    for (one, other), count in common.items():
        if count >= _SHARED:
            found[one].add(other)
            found[other].add(one)
    return found


def distinct(marks: Sequence[Marks]) -> float:
    """Share of these sounds that is left when what several hold is counted once, 0..1; 1 without marks."""
    every = np.concatenate([np.zeros(0, np.uint64), *marks])
    return len(np.unique(every)) / len(every) if len(every) else 1.0
