"""Chance that is a pure function of numbers, so that a training can go on exactly where it stopped.

The hash is the finaliser of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014). It
does not depend on the version of any library.
"""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def scramble(words: Words) -> Words:
    """Hash 64-bit words to 64-bit words."""
    with np.errstate(over="ignore"):
        words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def words_of(seed: int, name: str, index: npt.ArrayLike) -> Words:
    """64-bit words for (seed, name, index), shaped as the index."""
    begin = np.array(((seed & 0xFFFFFFFF) << 32) | zlib.crc32(name.encode()), np.uint64)
    with np.errstate(over="ignore"):
        counted = scramble(begin) + (np.asarray(index, np.uint64) + np.uint64(1)) * _GOLDEN
    return scramble(counted)


def uniform(seed: int, name: str, index: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Numbers in 0 ≤ u < 1 for (seed, name, index), shaped as the index."""
    return (words_of(seed, name, index) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def permutation(seed: int, name: str, count: int) -> npt.NDArray[np.intp]:
    """The numbers 0 … count − 1 in an order that depends on (seed, name)."""
    return np.argsort(words_of(seed, name, np.arange(count)), kind="stable")
