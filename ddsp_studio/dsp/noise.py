"""Noise as a pure function of (seed, sample index): the same for any block size, on any device."""

from __future__ import annotations

import zlib

import numpy as np

from ddsp_studio.dsp.tensor import Tensor, tf

_GOLDEN = np.uint32(0x9E3779B9)
"""2^32 divided by the golden ratio, the step of the Weyl sequence."""


def _u32(value: int) -> np.uint32:
    return np.uint32(value & 0xFFFFFFFF)


def scramble(word: Tensor) -> Tensor:
    """Hash uint32 words to uint32 words whose bits are all close to independent of the input's (bias about 0.17 of 2^-16).

    The two-round multiply-xorshift "lowbias32" of C. Wellons, "Prospecting for Hash Functions" (2018).
    """
    shift = tf.bitwise.right_shift
    word = tf.bitwise.bitwise_xor(word, shift(word, _u32(16))) * _u32(0x7FEB352D)
    word = tf.bitwise.bitwise_xor(word, shift(word, _u32(15))) * _u32(0x846CA68B)
    return tf.bitwise.bitwise_xor(word, shift(word, _u32(16)))


def row_seeds(name: str, batch: int) -> Tensor:
    """A uint32 seed for every batch row, [batch], from a name."""
    rows = np.arange(batch, dtype=np.uint32) * _GOLDEN
    return scramble(tf.constant(rows ^ _u32(zlib.crc32(name.encode()))))


def white_noise(seed: Tensor, start: Tensor, length: int) -> Tensor:
    """Uniform white noise in -1..1, [batch, length] float32.

    A Weyl sequence through a hash, as in Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators" (2014).

    Args:
        seed: [batch] uint32. start: index of the first sample, [batch] uint32 (it may wrap after 24 hours at 48 kHz).
        length: samples.
    """
    index = start[:, None] + np.arange(length, dtype=np.uint32)
    word = scramble(seed[:, None] + index * _GOLDEN)
    signed = tf.bitcast(word, tf.int32)
    return tf.cast(signed, tf.float32) * (1.0 / 2**31)
