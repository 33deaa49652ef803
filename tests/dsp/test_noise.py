"""Noise: golden words, statistics, and independence of the block."""

from __future__ import annotations

import numpy as np
import pytest

from ddsp_studio.dsp.noise import row_seeds, scramble, white_noise
from ddsp_studio.dsp.tensor import tf

GOLDEN_SEEDS = [1102731004, 468259194]
GOLDEN_NOISE = [-0.46762469, 0.13168411, 0.25045478, 0.98589039]


def lowbias32(word: int) -> int:
    """The published hash in plain integers."""
    word ^= word >> 16
    word = word * 0x7FEB352D & 0xFFFFFFFF
    word ^= word >> 15
    word = word * 0x846CA68B & 0xFFFFFFFF
    return word ^ word >> 16


def test_hash_equals_the_published_one() -> None:
    words = [0, 1, 2, 0x80000000, 0xDEADBEEF, 0xFFFFFFFF]
    found = scramble(tf.constant(np.array(words, np.uint32))).numpy()
    assert found.tolist() == [lowbias32(word) for word in words]


def test_golden_words() -> None:
    """A changed seed or hash would change every render of every patch."""
    assert row_seeds("noise", 2).numpy().tolist() == GOLDEN_SEEDS
    found = white_noise(row_seeds("noise", 1), tf.zeros([1], tf.uint32), 4).numpy()[0]
    assert found == pytest.approx(GOLDEN_NOISE, abs=1e-7)


def test_statistics_are_those_of_uniform_white_noise() -> None:
    noise = white_noise(row_seeds("a", 2), tf.zeros([2], tf.uint32), 1 << 16).numpy().astype(np.float64)
    assert np.abs(noise).max() <= 1.0
    assert noise.mean() == pytest.approx(0.0, abs=0.005)
    assert noise.var() == pytest.approx(1.0 / 3.0, rel=0.01)
    assert abs(np.corrcoef(noise)[0, 1]) < 0.015
    spectrum = np.abs(np.fft.rfft(noise[0])[1:]) ** 2
    bands = spectrum[: 32 * 1024].reshape(32, -1).mean(axis=1)
    assert bands.max() / bands.min() < 1.3
    for lag in (1, 2, 64, 256):
        assert abs(np.mean(noise[0, :-lag] * noise[0, lag:])) < 0.006


def test_any_block_gives_the_same_noise() -> None:
    seed = row_seeds("b", 1)
    one = white_noise(seed, tf.zeros([1], tf.uint32), 640).numpy()
    parts = [white_noise(seed, tf.constant([begin], tf.uint32), 128).numpy() for begin in range(0, 640, 128)]
    assert np.array_equal(one, np.concatenate(parts, axis=1))


def test_index_wraps_after_a_day_without_harm() -> None:
    noise = white_noise(row_seeds("c", 1), tf.constant([2**32 - 2], tf.uint32), 4).numpy()
    again = white_noise(row_seeds("c", 1), tf.zeros([1], tf.uint32), 2).numpy()
    assert np.array_equal(noise[:, 2:], again)
