"""Notes of a sampler, and melodies: what they leave out, how far they are varied, and which of them can be spared."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddsp_studio.training.data import corpus
from ddsp_studio.training.data.augment import Augmentation
from ddsp_studio.training.data.clips import Cutting, cut_clips
from ddsp_studio.training.data.coverage import VARIED_CENTS, VARIED_DB, covered, hole, keys_of
from ddsp_studio.training.evaluation import spaced
from ddsp_studio.training.features.extract import Frames
from ddsp_studio.training.settings import Settings
from ddsp_studio.training.statistics import measure, widened
from ddsp_studio.training.trainer import _to_judge_by
from ddsp_studio.training.variation import variation, why_varied

from .material import RATE

THIRDS = range(48, 84, 3)


class Note:
    """A recorded note of 3 s as the survey of keys sees it, with a level that falls by `falls` dB."""

    sample_rate, split, frame_count, marks = RATE, "", 750, np.zeros(0, np.uint64)

    def __init__(self, key: float, falls: float = 0.0, *, sure: float = 1.0) -> None:
        self.key = key
        level = np.linspace(-15.0, -15.0 - falls, self.frame_count, dtype=np.float32)
        f0_hz = np.full_like(level, 440.0 * 2.0 ** ((key - 69.0) / 12.0))
        self.frames = Frames(f0_hz, np.full_like(level, sure), level)


def held_out(notes, seed, share=0.1):
    return {
        clip.recording.key for clip in cut_clips(corpus.Corpus(RATE, tuple(notes)), Cutting(held_out=share, seed=seed)).held_out
    }


def test_notes_in_thirds_leave_keys_out_and_a_scale_does_not():
    assert covered(Note(key) for key in THIRDS).keys == pytest.approx(12 / 34)
    assert covered(Note(key + 0.3) for key in range(48, 84)).keys == 1.0
    assert covered(Note(key) for key in THIRDS).pitch_cents == VARIED_CENTS
    assert covered(Note(key) for key in range(48, 84)).pitch_cents == 0.0


@pytest.mark.parametrize(("falls", "gain_db"), [(0.0, VARIED_DB), (5.0, VARIED_DB), (20.0, 0.0)])
def test_one_dynamic_is_known_by_how_far_levels_spread(falls, gain_db):
    heard = covered(Note(key, falls) for key in range(48, 84))
    assert heard.dynamics_db == pytest.approx(0.8 * falls, abs=0.6) and heard.gain_db == gain_db


def test_what_has_no_pitch_asks_for_nothing():
    for notes in ([], [Note(60, sure=0.1)]):
        assert (covered(notes).pitch_cents, covered(notes).gain_db) == (0.0, 0.0)
    assert keys_of(Note(60, sure=0.1)) == [] and keys_of(Note(60.4)) == [60]


def test_a_hole_is_as_wide_as_the_farther_side():
    assert hole([60], [57, 64]) == 4.0 and hole([60], [60]) == 0.0 and hole([60, 63], [57, 66]) == 6.0
    assert hole([96], [60, 81]) == hole([48], [51, 60]) == hole([60], []) == np.inf  # nobody learns what lies beyond the ends
    assert hole([48, 96], [48, 96]) == hole([], [60]) == 0.0


def test_what_is_set_is_done_and_the_rest_is_as_needed():
    thirds = [Note(key) for key in THIRDS]
    assert variation(Settings(), thirds) == Augmentation(VARIED_DB, VARIED_CENTS)
    assert variation(Settings(pitch_cents=0.0, noise_db=-50.0), thirds) == Augmentation(VARIED_DB, 0.0, -50.0)
    assert variation(Settings(gain_db=0.0), thirds) == Augmentation(0.0, VARIED_CENTS)
    assert variation(Settings(), [Note(key, 20.0) for key in range(48, 84)]) == Augmentation()


def test_a_variation_that_nobody_ordered_is_told_of():
    both = Augmentation(VARIED_DB, VARIED_CENTS)
    assert why_varied(Settings(), both) == (
        "Recorded are few different notes and notes of about one level: clips are varied by up to 200 cents and 6 dB,"
        " so that other keys and levels are learned, too."
    )
    assert why_varied(Settings(gain_db=6.0), both) == (
        "Recorded are few different notes: clips are varied by up to 200 cents, so that other keys are learned, too."
    )
    assert why_varied(Settings(gain_db=6.0, pitch_cents=200.0), both) == why_varied(Settings(), Augmentation()) == ""


def test_velocity_asks_for_the_levels_that_were_varied():
    known = measure([Note(key) for key in THIRDS])
    wider = widened(known, 6.0)
    for key, value in known.items():
        np.testing.assert_array_equal(widened(known, 0.0)[key], value)
        assert key in ("levels", "peaks", "loudness") or np.array_equal(wider[key], value)
    assert np.ptp(known["levels"]) == 0.0 and wider["levels"][[0, 5, 10]] == pytest.approx([-21.0, -15.0, -9.0])
    chance = np.random.default_rng(0).uniform(-6.0, 6.0, 100_000)
    assert wider["loudness"] == pytest.approx([-15.0, np.hypot(known["loudness"][1], chance.std())], abs=0.02)


@pytest.mark.parametrize("seed", range(12))
def test_no_hole_is_left_where_notes_are_held_out(seed):
    """Notes in thirds, and one far above: both ends are learned from, and of two neighbours one at least."""
    kept = held_out([Note(key) for key in (*THIRDS, 96)], seed, share=0.2)
    assert not kept & {48, 96} and 2 <= len(kept) <= 3
    assert all(abs(a - b) > 3 for a in kept for b in kept if a != b)


@pytest.mark.parametrize("seed", range(6))
def test_notes_that_are_farther_apart_keep_their_ends(seed):
    assert not held_out([Note(key) for key in range(40, 90, 5)], seed, share=0.2) & {40, 85}


@pytest.mark.parametrize("seed", range(3))
def test_notes_that_are_all_alone_are_judged_by_all_the_same(seed):
    assert len(held_out([Note(key) for key in range(24, 120, 12)], seed)) == 1


class Melody(Note):
    """A recording that plays several keys."""

    def __init__(self, *keys: int) -> None:
        super().__init__(keys[0])
        self.keys = keys
        midi = np.repeat(np.array(keys, np.float32), -(-self.frame_count // len(keys)))[: self.frame_count]
        self.frames = self.frames._replace(f0_hz=(440.0 * 2.0 ** ((midi - 69.0) / 12.0)).astype(np.float32))


def test_keys_that_nothing_else_plays_are_not_judged_by_alone():
    """Half are notes that were not heard, at most; melodies that share their keys are judged by what is held out."""
    clips = cut_clips(corpus.Corpus(RATE, tuple(Note(key) for key in range(40, 80))), Cutting(held_out=0.25))
    learnt, held = ({clip.recording.key for clip in part} for part in (clips.train, clips.held_out))
    assert {clip.recording.key for clip in clips.beside} == learnt and len(held) == 10
    assert {clip.frames for clip in clips.beside} == {clip.frames for clip in clips.held_out} == {750}
    judged, called = _to_judge_by(clips)
    assert called == "held out and training" and sum(clip.recording.key in held for clip in judged) == 5 and len(judged) == 11
    shared = tuple(Melody(60 + i, 64, 67, 72) for i in range(12))
    clips = cut_clips(corpus.Corpus(RATE, shared), Cutting())
    assert clips.held_out and not clips.beside and _to_judge_by(clips) == (clips.held_out, "held out")
    clips = cut_clips(corpus.Corpus(RATE, shared), Cutting(held_out=0.0))
    assert _to_judge_by(clips) == (clips.train, "training")


@given(count=st.integers(1, 50), most=st.integers(0, 60))
def test_clips_are_spaced_evenly(count, most):
    chosen = spaced(list(range(count)), most)
    assert len(chosen) == min(count, max(1, most)) and chosen[0] == 0 and list(chosen) == sorted(set(chosen))
    assert len(chosen) == 1 or (chosen[-1] == count - 1 and np.ptp(np.diff(chosen)) <= 1)
