"""Metrics: pitch against mir_eval, spectra by what they must read."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mir_eval import melody

from ddsp_studio.training.losses.spectral import loss_at
from ddsp_studio.training.metrics import pitch_distance, pitch_score, spectral_distance


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([25.0, 50.0]))
def test_pitch_scores_are_those_of_mir_eval(seed: int, tolerance: float) -> None:
    rng = np.random.default_rng(seed)
    true = np.where(rng.uniform(size=60) < 0.7, rng.uniform(80, 1000, 60), 0.0)
    off = rng.choice([0.0, 0.3, 0.6, 12.0, -12.2, 24.1, 7.0], 60) + 0.1 * rng.normal(size=60)
    found = np.where(true > 0, true, 300.0) * 2.0 ** (off / 12.0) * (rng.uniform(size=60) < 0.95)
    voiced = (rng.uniform(size=60) < 0.8) & (found > 0)
    score = pitch_score(true, found, voiced, tolerance)
    given = (true > 0, melody.hz2cents(true), voiced, melody.hz2cents(found))
    recall, alarm = melody.voicing_measures(true > 0, voiced)
    assert score.pitch_accuracy == pytest.approx(melody.raw_pitch_accuracy(*given, cent_tolerance=tolerance))
    assert score.chroma_accuracy == pytest.approx(melody.raw_chroma_accuracy(*given, cent_tolerance=tolerance))
    assert score.octave_errors == pytest.approx(score.chroma_accuracy - score.pitch_accuracy)
    assert score.voicing_recall == pytest.approx(recall)
    assert score.false_alarm == pytest.approx(alarm)


def test_pitch_score_of_a_track_made_by_hand() -> None:
    true = [[440.0, 440.0, 440.0, 440.0, 0.0, 0.0, math.nan]]
    found = [[440.0, 450.0, 880.0, 0.0, 200.0, 0.0, 123.0]]
    score = pitch_score(true, found)
    assert score[:5] == (0.5, 0.75, 0.25, 0.75, 0.5)
    assert score.error_cents == pytest.approx(1200.0 * math.log2(450.0 / 440.0))


def test_pitch_score_where_there_is_nothing_to_judge() -> None:
    score = pitch_score([0.0, 0.0], [0.0, 100.0])
    assert math.isnan(score.pitch_accuracy)
    assert math.isnan(score.error_cents)
    assert score.false_alarm == 0.5
    with pytest.raises(ValueError, match=r"pitch tracks must have equal shapes, got \(2,\), \(3,\) and \(3,\)"):
        pitch_score([1.0, 1.0], [1.0, 1.0, 1.0])


def test_pitch_distance_counts_sure_frames_only() -> None:
    assert pitch_distance([440.0, 440.0, 440.0], [880.0, 440.0, 100.0], [0.9, 0.9, 0.1]) == pytest.approx(6.0)
    assert pitch_distance([440.0, 440.0], [880.0, 440.0], [0.5, 0.4], threshold=0.5) == pytest.approx(12.0)
    assert pitch_distance([440.0], [0.0], [1.0]) == pytest.approx(69.0)
    assert pitch_distance([440.0], [440.0], [0.2]) is None


def test_spectral_distance_grows_with_what_is_changed() -> None:
    rng = np.random.default_rng(2)
    audio = rng.normal(size=8000).astype(np.float32)
    near, far = (audio + scale * rng.normal(size=audio.shape).astype(np.float32) for scale in (0.01, 0.5))
    assert spectral_distance([(audio, audio)], 16_000) == 0.0
    assert 0.0 < spectral_distance([(audio, near)], 16_000) < 0.2 * spectral_distance([(audio, far)], 16_000)


def test_spectral_distance_is_the_mean_over_all_sound_however_long() -> None:
    rng = np.random.default_rng(3)
    audio = rng.normal(size=20 * 16_000).astype(np.float32)
    other = audio * np.repeat(np.float32([1.0, 0.5]), 10 * 16_000)
    whole = float(loss_at(16_000)(audio[None], other[None]))
    assert spectral_distance([(audio, other)], 16_000) == pytest.approx(whole, rel=0.01)
    half = [(x[160_000:], y[160_000:]) for x, y in ((audio, other), (audio[:160_400], other[:160_400]))]
    assert spectral_distance(half, 16_000) == pytest.approx(2.0 * whole, rel=0.03)  # the short one counts for little
