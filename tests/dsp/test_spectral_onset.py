"""Onset strength: where it rises, what leaves it at rest, and the live form."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_studio.dsp.onset import onset_start, onset_stream, onset_strength
from ddsp_studio.dsp.tensor import tf

RATE = 16_000.0


def notes(starts: list[int], length: int) -> np.ndarray:
    """Harmonic notes that decay, each of another pitch."""
    audio, t = np.zeros((1, length)), np.arange(length) / RATE
    for i, start in enumerate(starts):
        tone = sum(np.sin(2 * np.pi * 220.0 * 1.26**i * k * t) / k for k in range(1, 8)) * np.exp(-3.0 * t)
        audio[0, start:] += 0.2 * tone[: max(0, length - start)]
    return audio.astype(np.float32)


def test_it_rises_where_notes_begin() -> None:
    starts = [3000, 11_000, 20_000, 27_000]
    strength = onset_strength(tf.constant(notes(starts, 32_000)), RATE, padding="centre").numpy()[0, :-3]  # the sound is cut off
    peaks = [
        m for m in range(1, strength.size - 1) if strength[m] == np.max(strength[max(0, m - 8) : m + 9]) and strength[m] > 0.1
    ]
    assert len(peaks) == 4
    assert np.max(np.abs(np.array(peaks) * 256 - starts)) <= 512


def test_steady_sound_and_silence_are_at_rest() -> None:
    t = np.arange(32_000) / RATE
    steady = onset_strength(tf.constant(0.3 * np.sin(2 * np.pi * 500.0 * t)[None], tf.float32), RATE).numpy()[0]
    assert np.max(steady[6:]) < 1e-3 < np.max(steady[:6])
    assert np.array_equal(onset_strength(tf.zeros([1, 4096]), RATE), np.zeros((1, 16)))


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_live_equals_offline_for_any_blocks(blocks: list[int]) -> None:
    audio = notes([300], sum(blocks) * 256)
    state, begin, found = onset_start(1, 1024, 256), 0, []
    for count in blocks:
        strength, state = onset_stream(tf.constant(audio[:, begin * 256 : (begin + count) * 256]), state, RATE)
        found.append(strength.numpy())
        begin += count
    assert np.max(np.abs(np.concatenate(found, 1) - onset_strength(tf.constant(audio), RATE))) < 1e-5
