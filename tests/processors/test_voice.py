"""What keys ask for: the pitch of a voice from the first note on, however time is cut into blocks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from ddsp_studio.audio.events import HOP, Midi
from ddsp_studio.audio.voices import VoiceAllocator
from ddsp_studio.dsp.tensor import tf
from ddsp_studio.processors.sources import Voice
from ddsp_studio.processors.units import note_to_hz

RATE, HOPS = 48_000, 60


def key(hop: int, note: int, *, down: bool = True) -> Midi:
    """A key that is pressed or let go in a hop."""
    return Midi(hop * HOP, bytes((0x90, note, 100 if down else 0)))


def pitches(events: Sequence[Midi], glide_s: float, blocks: Sequence[int], mode: str = "poly") -> np.ndarray:
    """Frequency in Hz of two voices that an allocator lets play, [2, HOPS]; `blocks` are hops, and are repeated."""
    voice, allocator = Voice(RATE), VoiceAllocator(2, mode)
    state, begin = voice.start(2), 0
    pieces: list[np.ndarray] = []
    left = sorted(events, key=lambda event: event.sample)
    while begin < HOPS:
        size = min(blocks[len(pieces) % len(blocks)], HOPS - begin)
        due = [event for event in left if event.sample < (begin + size) * HOP]
        left = left[len(due) :]
        played = tf.constant(allocator.frames(due, begin, size))
        outputs, state = voice.process(state, {"performance": played, "glide": tf.fill([1, size, 1], glide_s)})
        pieces.append(outputs["f0"].numpy()[..., 0])
        begin += size
    return np.concatenate(pieces, axis=1)


BLOCKS = [[HOPS], [1], [4], [7, 2, 19]]


@pytest.mark.parametrize("blocks", BLOCKS)
def test_the_first_note_of_a_voice_does_not_glide(blocks: list[int]) -> None:
    f0_hz = pitches([key(20, 84), key(30, 40)], 1.0, blocks)
    np.testing.assert_allclose(f0_hz[0, 20:], note_to_hz(84), rtol=1e-5)
    np.testing.assert_allclose(f0_hz[1, 30:], note_to_hz(40), rtol=1e-5)


@pytest.mark.parametrize("mode", ["mono", "legato"])
def test_the_second_note_glides_from_the_first(mode: str) -> None:
    whole = pitches([key(20, 60), key(30, 72)], 0.05, BLOCKS[0], mode)[0]
    assert note_to_hz(60) < whole[30] < note_to_hz(62)
    assert np.all(np.diff(whole[29:]) > 0.0)
    for blocks in BLOCKS[1:]:
        np.testing.assert_allclose(pitches([key(20, 60), key(30, 72)], 0.05, blocks, mode)[0], whole, rtol=1e-5)


def test_a_voice_glides_from_the_note_that_it_let_go() -> None:
    events = [key(5, 84), key(10, 84, down=False), key(20, 83), key(25, 83, down=False), key(30, 60)]
    for blocks in BLOCKS:
        f0_hz = pitches(events, 0.2, blocks)
        assert note_to_hz(82) < f0_hz[0, 30] < note_to_hz(84)


def test_a_note_that_begins_with_a_trigger_alone_is_the_first() -> None:
    voice = Voice(RATE)
    played = np.zeros((1, 12, 7), np.float32)
    played[..., 0] = 60.0
    played[:, 4:, 0], played[:, 4, 2], played[:, 8:, 0] = 72.0, 1.0, 48.0
    outputs, state = voice.process(voice.start(1), {"performance": tf.constant(played), "glide": tf.fill([1, 12, 1], 0.5)})
    f0_hz = outputs["f0"].numpy()[0, :, 0]
    np.testing.assert_allclose(f0_hz[4:8], note_to_hz(72), rtol=1e-5)
    assert f0_hz[8] > note_to_hz(71)
    _, state = voice.process(voice.start(1), {"performance": tf.zeros([1, 3, 7])})
    assert float(state.memory.note[0]) == -1.0
