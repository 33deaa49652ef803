"""What several recordings hold is known, counted once, and never both learnt and held out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_studio.training.data import corpus
from ddsp_studio.training.data.clips import Cutting, cut_clips, read_clip
from ddsp_studio.training.data.corpus import Entry, open_corpus
from ddsp_studio.training.data.overlap import distinct, marks_of, overlapping
from ddsp_studio.training.features.clock import frame_period

from .material import RATE, framed, melody, serialised, write


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DDSP_STUDIO_HOME", str(tmp_path / "home"))


def noise(seconds, seed=0):
    return np.random.default_rng(seed).normal(size=round(seconds * RATE)).astype(np.float32)


def cut(sound, seconds=4.0, hop=1.0):
    """As magenta/ddsp's data preparation does: so many seconds, every so many."""
    size, step = round(seconds * RATE), round(hop * RATE)
    return [sound[a : a + size] for a in range(0, len(sound) - size + 1, step)]


class Example:
    """A recording as the cutting of clips sees it: sound all along, without pitch."""

    sample_rate, split = RATE, ""

    def __init__(self, sound, number):
        self.marks, self.number = marks_of(sound), number
        self.frame_count = len(sound) // frame_period(RATE)
        level = np.full(self.frame_count, -20.0, np.float32)
        self.frames = corpus.Frames(0.0 * level, 0.0 * level, level)


def numbers(clips):
    return {clip.recording.number for clip in clips}


def test_what_shares_sound_is_found():
    parts = [*cut(noise(9.0)), noise(4.0, seed=1)]
    kin = overlapping([marks_of(part) for part in parts])
    assert kin == [{1, 2, 3}, {0, 2, 3, 4}, {0, 1, 3, 4, 5}, {0, 1, 2, 4, 5}, {1, 2, 3, 5}, {2, 3, 4}, set()]


def test_silence_and_level_are_no_overlap():
    quiet = [np.zeros(4 * RATE, np.float32), np.full(4 * RATE, 0.25, np.float32)]
    assert overlapping([marks_of(sound) for sound in quiet * 2]) == [set()] * 4
    one = noise(4.0)
    assert overlapping([marks_of(one), marks_of(0.5 * one)]) == [set(), set()]


@settings(max_examples=12, deadline=None)
@given(blocks=st.integers(0, 2000), seconds=st.floats(0.3, 2.0))
def test_wherever_it_stands(blocks, seconds):
    whole = noise(4.0)
    part = whole[32 * min(blocks, (len(whole) - round(seconds * RATE)) // 32) :][: round(seconds * RATE)]
    assert overlapping([marks_of(whole), marks_of(part)]) == [{1}, {0}]


def test_time_counts_once():
    parts = cut(noise(60.0))
    assert distinct([marks_of(part) for part in parts]) == pytest.approx(60.0 / (4.0 * len(parts)), abs=0.02)
    assert distinct([marks_of(noise(9.0))]) > 0.99 and distinct([]) == 1.0


@pytest.mark.parametrize("seed", range(3))
def test_examples_that_overlap_are_held_out_as_one_piece(seed):
    examples = [Example(sound, number) for number, sound in enumerate(cut(noise(60.0)))]
    np.random.default_rng(seed).shuffle(examples)  # in whatever order they are in their files
    clips = cut_clips(corpus.Corpus(RATE, tuple(examples)), Cutting(seed=seed))
    learnt, held = numbers(clips.train), numbers(clips.held_out)
    assert min(abs(one - other) for one in learnt for other in held) >= 4
    assert 5 <= len(held) <= 9 and len(learnt) >= 57 - len(held) - 8


def test_few_that_overlap_are_all_learnt():
    examples = [Example(sound, number) for number, sound in enumerate(cut(noise(8.0)))]
    clips = cut_clips(corpus.Corpus(RATE, tuple(examples)))
    assert numbers(clips.train) == set(range(5)) and not clips.held_out


def test_sound_that_repeats_itself_is_held_out_all_the_same():
    """As of a machine that plays one note: nothing can be learnt that is not what it is judged by."""
    one = noise(4.0)
    clips = cut_clips(corpus.Corpus(RATE, tuple(Example(one, number) for number in range(20))))
    assert len(numbers(clips.train)) >= 17 and clips.held_out


def test_the_same_sound_is_taken_once(tmp_path):
    write(tmp_path / "a.wav", melody([60]))
    write(tmp_path / "b.wav", melody([62]))
    twice = open_corpus([Entry(tmp_path), Entry(tmp_path / "a.wav")])
    assert [one.name for one in twice.recordings] == ["a.wav", "b.wav"] and not twice.problems
    write(tmp_path / "a copy.wav", melody([60]))
    copied = open_corpus([Entry(tmp_path)])
    assert [one.name for one in copied.recordings] == ["a copy.wav", "b.wav"]
    assert copied.problems == ("a.wav is left out: a copy.wav holds the same sound",)


def test_records_as_they_are_prepared_leak_nothing(tmp_path):
    """A minute in examples of 4 s every second, in four files, at a rate of their own and in another order."""
    rate = 32_000
    sound = np.repeat(noise(60.0), rate // RATE)
    examples = [
        serialised({"audio": part, "audio_16k": part[:: rate // RATE]})
        for part in (sound[a * rate : (a + 4) * rate] for a in np.random.default_rng(1).permutation(57))
    ]
    for shard in range(4):
        (tmp_path / f"mine.tfrecord-0000{shard}-of-00004").write_bytes(framed(examples[shard::4]))
    whole = open_corpus([Entry(tmp_path)])
    assert whole.problems == ("examples overlap: 228 s of them are about 60 s of sound",)
    clips = cut_clips(whole)
    learnt, held = (
        {
            sample.tobytes()
            for clip in part
            for sample in read_clip(clip.recording, clip.first * 64 + 640, clip.samples - 1280).reshape(-1, 64)
        }
        for part in (clips.train, clips.held_out)
    )
    assert len(held) > 500 and len(learnt) > 8_000 and not learnt & held
