"""Loudness at the clock, notes, features in one pass, scales, fitting, and pictures' data."""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_studio.dsp import loudness as of_dsp
from ddsp_studio.dsp.tensor import tf
from ddsp_studio.training.features import notes
from ddsp_studio.training.features.clock import frame_count, frame_period
from ddsp_studio.training.features.conditioning import held_f0, scale_db, scale_f0_hz, unscale_db, unscale_f0_hz
from ddsp_studio.training.features.extract import extract
from ddsp_studio.training.features.f0 import F0, PIECE, track_f0
from ddsp_studio.training.features.fitting import Quantiles, smooth
from ddsp_studio.training.features.loudness import LoudnessMeter, loudness_db
from ddsp_studio.training.features.notes import find_notes
from ddsp_studio.training.features.spectrogram import envelope, octave_spectrogram

from .material import RATE, SHARED, harmonic, melody, needs_shared


@pytest.mark.parametrize("rate", (16_000, 22_050, 44_100, 48_000, 96_000))
def test_a_sine_reads_the_same_at_every_rate(rate):
    t = np.arange(rate) / rate
    found = loudness_db(np.sin(2 * np.pi * 1000.0 * t).astype(np.float32), rate)
    assert len(found) == frame_count(rate, rate)
    assert np.abs(found[20:-20] + 3.01).max() < 0.05


def test_frames_stand_where_the_clock_says():
    """A click is loudest in the frame it falls on, and the reading is that of the tensors' loudness."""
    for rate, at in ((16_000, 8_000), (48_000, 24_000), (44_100, 192 * 100)):
        click = np.zeros(rate, np.float32)
        click[at : at + 2] = 0.5
        found = loudness_db(click, rate)
        assert abs(int(found.argmax()) - round(at / frame_period(rate))) <= 1
    sound = harmonic(330.0, 0.5)
    tensors = of_dsp.loudness(tf.constant(sound[None]), float(RATE)).numpy()[0]
    # the tensors' frames stand at the hops' ends, ours begin at sample 0
    np.testing.assert_allclose(loudness_db(sound, RATE)[1:], tensors[: len(sound) // 64], atol=1e-3)


@settings(max_examples=15, deadline=None)
@given(sizes=st.lists(st.integers(0, 3000), max_size=12), rate=st.sampled_from((16_000, 44_100)))
def test_any_cutting_gives_the_same_loudness(sizes, rate):
    sound = melody([60, 64], seconds=0.2, rate=rate)
    meter = LoudnessMeter(rate)
    state, parts, place = meter.start(), [], 0
    for size in [*sizes, len(sound)]:
        part, state = meter.measure(state, sound[place : place + size])
        parts.append(part)
        place += size
    parts.append(meter.finish(state))
    np.testing.assert_allclose(np.concatenate(parts), loudness_db(sound, rate), atol=1e-3)


@pytest.mark.parametrize("samples", (0, 1, 63, 64, 65, 255, 256, 257, 1000))
def test_short_sounds_have_their_frames(samples):
    frames = extract([np.full(samples, 0.1, np.float32)], RATE)
    assert {len(column) for column in frames} == {frame_count(samples, RATE)}


def test_one_long_block_is_analysed_in_pieces():
    """The same to the last digit, in memory that does not grow with the block."""
    sound = np.tile(melody([62, 69]), 60)
    pieces = [sound[first : first + PIECE] for first in range(0, len(sound), PIECE)]
    for one, other in zip(extract([sound], RATE), extract(pieces, RATE), strict=True):
        np.testing.assert_array_equal(one, other)
    peaks = []
    for seconds in (15, 60):
        tracemalloc.start()
        extract([sound[: seconds * RATE]], RATE)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


def test_one_pass_equals_the_parts():
    sound, kept = melody([62, 69]), []
    frames = extract(iter(np.array_split(sound, 7)), RATE, keep=kept.append)
    np.testing.assert_array_equal(np.concatenate(kept), sound)
    np.testing.assert_allclose(frames.f0_hz, track_f0(sound, RATE).f0_hz, rtol=1e-4)
    np.testing.assert_allclose(frames.loudness_db, loudness_db(sound, RATE), atol=1e-3)
    known = F0(np.full(10, 220.0, np.float32), np.ones(10, np.float32))
    given_frames = extract([sound], RATE, given=known)
    assert given_frames.f0_hz[:10].tolist() == [220.0] * 10 and not given_frames.f0_hz[10:].any()


# -- notes ---------------------------------------------------------------------------------------------------------------


def test_notes_of_a_melody():
    keys = [60, 62, 64, 65, 67, 67, 60]
    sound = melody(keys, seconds=0.4, gap=0.12)
    notes = find_notes(*(extract([sound], RATE)[i] for i in (0, 2)), RATE)
    assert [round(note.pitch) for note in notes] == keys
    for number, note in enumerate(notes):
        assert note.onset_s == pytest.approx(0.12 + 0.52 * number, abs=0.03)
        assert note.offset_s == pytest.approx(0.52 + 0.52 * number, abs=0.03)


@pytest.mark.parametrize("spread", (0.05, 0.3, 0.8))
@pytest.mark.parametrize("jump", (0.0, 0.6, 1.0))
def test_a_single_note_is_known_without_the_search(monkeypatch, spread, jump):
    """Where no search is made, it would have found the same."""
    chance, searched = np.random.default_rng(0), []
    real = notes._cheapest
    monkeypatch.setattr(notes, "_cheapest", lambda *how: searched.append(1) or real(*how))
    for _ in range(40):
        pitch = chance.uniform(50.0, 70.0) + jump * (np.arange(60) > chance.integers(60)) + spread * chance.normal(size=60)
        keys = np.arange(notes._LOW_KEY, notes._HIGH_KEY)
        cost = np.minimum(0.5 * ((pitch[:, None] - keys) / notes._SPREAD) ** 2, notes._FARTHEST)
        np.testing.assert_array_equal(notes._keys(pitch, 1.0), keys[real(cost, notes._SWITCH)])
    if jump == 0.0 and spread < 0.1:
        assert not searched


def test_vibrato_is_one_note_and_detuning_does_not_matter():
    t = np.arange(2 * RATE) / RATE
    for detuned in (0.0, 0.45):
        hertz = 440.0 * 2.0 ** ((detuned + 0.45 * np.sin(2 * np.pi * 5.5 * t)) / 12)
        frames = extract([harmonic(hertz, 2.0)], RATE)
        (note,) = find_notes(frames.f0_hz, frames.loudness_db, RATE)
        assert note.pitch == pytest.approx(69.0 + detuned, abs=0.1)


def test_a_slur_is_two_notes_and_a_fresh_stroke_too():
    slur = harmonic(np.where(np.arange(RATE) < RATE // 2, 440.0, 493.88), 1.0)
    stroke = harmonic(440.0, 1.0)
    dip = np.abs(np.arange(RATE) - RATE // 2) / (0.03 * RATE)
    stroke *= np.clip(0.1 + dip, 0.0, 1.0).astype(np.float32)
    for sound in (slur, stroke):
        frames = extract([sound], RATE)
        notes = find_notes(frames.f0_hz, frames.loudness_db, RATE)
        assert len(notes) == 2
        assert notes[1].onset_s == pytest.approx(0.5, abs=0.03)


def test_silence_has_no_notes():
    assert find_notes(np.zeros(500, np.float32), np.full(500, -100.0, np.float32), RATE) == []


@needs_shared
def test_notes_of_phrases():
    """Onsets within 50 ms on the right key, against the score, over every fourth phrase; other keys' edges are not notes."""
    right = wanted = found = 0
    for file in [
        *sorted((SHARED / "violin_phrases").glob("*.flac"))[1::4],
        *sorted((SHARED / "flute_phrases").glob("*.flac"))[1::4],
    ]:
        audio, rate = soundfile.read(file, dtype="float32")
        truth = json.loads(file.with_suffix(".json").read_text())["notes"]
        frames = extract([audio], rate)
        notes = find_notes(frames.f0_hz, frames.loudness_db, rate)
        free = list(notes)
        for key in truth:
            fitting = [n for n in free if abs(n.onset_s - key["onset"]) < 0.05 and abs(n.pitch - key["midi"]) < 0.6]
            if fitting:
                free.remove(min(fitting, key=lambda n: abs(n.onset_s - key["onset"])))
                right += 1
        wanted, found = wanted + len(truth), found + len(notes)
    assert 2 * right / (wanted + found) >= 0.97


# -- scales and fitting --------------------------------------------------------------------------------------------------


def test_held_pitch():
    assert held_f0(np.array([0, 0, 3, 0, 5, 0, 0], np.float32)).tolist() == [3, 3, 3, 3, 5, 5, 5]
    assert held_f0(np.zeros(3, np.float32)).tolist() == [220.0] * 3


def test_scales_are_inverse_for_arrays_and_tensors():
    hertz, db = np.array([27.5, 440.0, 4186.0]), np.array([-100.0, -40.0, 0.0, 6.0])
    np.testing.assert_allclose(unscale_f0_hz(scale_f0_hz(hertz)), hertz, rtol=1e-9)
    np.testing.assert_allclose(unscale_db(scale_db(db)), db)
    assert scale_f0_hz(440.0) == pytest.approx(69 / 127) and scale_db(-80.0) == 0.0
    np.testing.assert_allclose(scale_f0_hz(tf.constant(hertz, tf.float32)).numpy(), scale_f0_hz(hertz), atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-90.0, 0.0), min_size=2, max_size=60, unique=True))
def test_quantiles_are_inverse_within_what_they_know(values):
    known = Quantiles.of(values, 200)
    shares = known.to_shares(values)
    assert np.all((shares >= 0.0) & (shares <= 1.0))
    np.testing.assert_allclose(known.from_shares(shares), values, atol=1e-6)
    assert known.to_shares([-200.0, 50.0]).tolist() == [0.0, 1.0]


def test_fitted_loudness_has_the_wanted_distribution():
    chance = np.random.default_rng(0)
    own, wanted = (
        chance.normal(-50.0, 3.0, 4000),
        np.concatenate([chance.normal(-30.0, 5.0, 2000), chance.normal(-60.0, 2.0, 2000)]),
    )
    fitted = Quantiles.of(wanted).from_shares(Quantiles.of(own).to_shares(own))
    for share in (0.02, 0.2, 0.4, 0.6, 0.8, 0.98):
        assert np.quantile(fitted, share) == pytest.approx(np.quantile(wanted, share), abs=0.5)
    assert np.all(np.argsort(fitted, kind="stable") == np.argsort(own, kind="stable"))
    with pytest.raises(ValueError, match="quantiles are taken of values"):
        Quantiles.of([])


def test_smoothing_keeps_a_straight_track():
    assert np.allclose(smooth(np.full((2, 30), 7.0), 9), 7.0)
    line = np.arange(50.0)[None]
    np.testing.assert_allclose(smooth(line, 5)[:, 2:-2], line[:, 2:-2])
    with pytest.raises(ValueError, match="one frame or more"):
        smooth(line, 0)


# -- pictures ------------------------------------------------------------------------------------------------------------


def test_the_spectrogram_shows_a_tone_where_it_is():
    sound = np.concatenate([np.zeros(RATE, np.float32), harmonic(1000.0, 1.0, partials=1)])
    picture = octave_spectrogram(sound, RATE, 100, 200)
    assert picture.shape == (200, 100) and picture.max() == 0.0 and picture.min() == -80.0
    hertz = np.geomspace(8000.0, 40.0, 200)
    assert hertz[picture[:, 75].argmax()] == pytest.approx(1000.0, rel=0.05)
    assert picture[:, 20].max() < -60.0
    low, high = envelope(sound, 10)
    assert high[:5].max() == 0.0 and high[7] == pytest.approx(0.3, abs=0.01) and low[7] == pytest.approx(-0.3, abs=0.01)
    assert octave_spectrogram(np.zeros(0, np.float32), RATE, 5, 7).shape == (7, 5)


def test_nothing_here_loads_tensorflow():
    """The studio previews files: features and data are numpy."""
    program = """
import sys
import numpy as np
from ddsp_studio.training.data import batches, clips, corpus, survey
from ddsp_studio.training.features import conditioning, extract, fitting, notes, spectrogram
frames = extract.extract([np.sin(np.arange(8000) * 0.2).astype(np.float32)], 16_000)
notes.find_notes(frames.f0_hz, frames.loudness_db, 16_000)
conditioning.scale_f0_hz(frames.f0_hz)
print([name for name in ("tensorflow", "keras", "PySide6") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
