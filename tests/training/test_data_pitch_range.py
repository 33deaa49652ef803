"""Pitch beyond the usual range: found where it is played, and nothing else changed."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
import soxr

from ddsp_studio.training.data.corpus import Entry, open_corpus
from ddsp_studio.training.data.low_pitch import reaching_down
from ddsp_studio.training.data.pitch_range import reaching, track_for
from ddsp_studio.training.data.store import Analysis
from ddsp_studio.training.features.extract import extract
from ddsp_studio.training.features.f0 import PIECE, track_f0, tracked
from ddsp_studio.training.features.f0_layout import F0Settings

from .material import RATE, SHARED, framed, harmonic, melody, needs_shared, nsynth_record, write


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DDSP_STUDIO_HOME", str(tmp_path / "home"))


def heard(sound, rate=RATE, settings=None):
    settings = settings or F0Settings()
    return reaching(extract([sound], rate, settings), lambda: [sound], rate, settings)


def wrong(f0_hz, truth):
    """Share of the voiced frames that are more than 50 cents off."""
    voiced = f0_hz > 0.0
    return np.mean(np.abs(1200.0 * np.log2(f0_hz[voiced] / np.broadcast_to(truth, len(f0_hz))[voiced])) > 50.0)


def hissing(sound, db):
    return (sound + 10 ** (-db / 20) * np.random.default_rng(0).standard_normal(len(sound))).astype(np.float32)


@pytest.mark.parametrize("rate", (16_000, 48_000))
@pytest.mark.parametrize("hertz", (2637.0, 3000.0, 4000.0, 4186.0, 4900.0))
@pytest.mark.parametrize("partials", (1, 4))
def test_the_tracker_reaches_as_far_as_it_may(rate, hertz, partials):
    found = track_f0(harmonic(hertz, 1.0, rate, partials), rate, F0Settings(high_hz=5000.0)).f0_hz[20:-20]
    assert np.abs(1200.0 * np.log2(found / hertz)).max() < 5.0


@pytest.mark.parametrize("rate", (16_000, 44_100))
@pytest.mark.parametrize("partials", (1, 4))
def test_a_piccolo_keeps_its_octave(rate, partials):
    """Notes on both sides of the usual range's end, over a little noise."""
    keys = [86, 98, 100, 103, 107, 91]
    sound = hissing(np.concatenate([harmonic(440.0 * 2 ** ((k - 69) / 12), 0.5, rate, partials) for k in keys]), 60.0)
    truth = np.repeat([440.0 * 2 ** ((k - 69) / 12) for k in keys], len(sound) // len(keys))
    found = heard(sound, rate).f0_hz
    period = len(sound) / (len(found) - 1)
    at = np.minimum(np.round(np.arange(len(found)) * period).astype(int), len(truth) - 1)
    inner = np.abs(at % (len(sound) // len(keys)) - len(sound) // len(keys) // 2) < 0.2 * rate
    assert wrong(found[inner], truth[at[inner]]) == 0.0
    assert wrong(extract([sound], rate).f0_hz[inner], truth[at[inner]]) > 0.4  # what it was without


def test_vibrato_across_the_end_of_the_usual_range():
    f0_hz = 2480.0 * 2.0 ** (0.06 * np.sin(2 * np.pi * 5.5 * np.arange(3 * RATE) / RATE))
    found = heard(harmonic(f0_hz, 3.0, partials=3)).f0_hz
    assert wrong(found[20:-20], f0_hz[64 * np.arange(20, len(found) - 20)]) == 0.0


@pytest.mark.parametrize("rate", (16_000, 48_000))
def test_what_does_not_play_there_stays_as_it_is(rate):
    """A high flute, and a tone whose second partial is ten times as strong as its first."""
    turns = np.cumsum(np.full(2 * rate, 1400.0 / rate))
    second = sum(a * np.sin(2 * np.pi * k * turns) for k, a in ((1, 0.06), (2, 0.2), (3, 0.03))).astype(np.float32)
    for sound in (melody([88, 93, 98], 0.6, rate=rate), second):
        frames = extract([sound], rate)
        assert reaching(frames, lambda sound=sound: [sound], rate, F0Settings()) is frames


def test_a_range_that_was_asked_for_stays():
    settings = F0Settings(high_hz=2000.0)
    assert heard(harmonic(3000.0, 1.0, partials=1), settings=settings).f0_hz.max() < 2000.0


@pytest.mark.parametrize("key", (98, 99, 100, 104, 108))
def test_notes_of_a_known_key(tmp_path, key):
    path = tmp_path / "nsynth-test.tfrecord"
    path.write_bytes(framed([nsynth_record(f"mallet_acoustic_000-{key:03d}-100")]))
    found = open_corpus([Entry(path)]).recordings[0].frames.f0_hz[20:-20]
    assert wrong(found, 440.0 * 2 ** ((key - 69) / 12)) == 0.0
    assert Analysis().f0_settings(97) == F0Settings() and Analysis(high_hz=1000.0).f0_settings(key).high_hz == 1000.0


def test_a_file_is_searched_as_far_as_it_plays(tmp_path):
    (recording,) = open_corpus([Entry(write(tmp_path / "a.wav", harmonic(3000.0, 2.0, partials=2)))]).recordings
    assert np.median(recording.frames.f0_hz) == pytest.approx(3000.0, rel=0.003)


@pytest.mark.parametrize("hertz", (41.2, 440.0, 3000.0))
def test_what_was_asked_for_is_listened_for(hertz):
    sound = harmonic(hertz, 1.5, partials=6)
    asked = np.full(300, hertz, np.float32)
    assert np.median(track_for(sound, RATE, asked, sound).f0_hz[40:-40]) == pytest.approx(hertz, rel=0.003)


def test_pitch_alone_is_that_of_all_features():
    sound = np.tile(melody([62, 69]), 10)
    np.testing.assert_array_equal(tracked([sound], RATE, F0Settings()).f0_hz, extract([sound], RATE).f0_hz)
    assert len(sound) > PIECE


@needs_shared
@pytest.mark.parametrize("instrument", ("violin", "flute"))
def test_real_phrases_stay_as_they_are(instrument):
    files = sorted((SHARED / f"{instrument}_phrases").glob("*.flac"))
    for file in files[::4]:
        audio, own = soundfile.read(file, dtype="float32")
        sound = soxr.resample(audio, own, RATE)
        usual = reaching_down(extract([sound], RATE), lambda sound=sound: [sound], RATE, F0Settings())
        assert reaching(usual, lambda sound=sound: [sound], RATE, F0Settings()) is usual


# -- tails ----------------------------------------------------------------------------------------------------------------


def plucked(hertz, seconds=3.0, rate=RATE, fall=(14.0, 5.0)):
    """Six partials that fall by so many nepers in all, the odd ones and the even ones."""
    time = np.arange(round(seconds * rate)) / rate
    tone = sum(np.exp(-fall[1 - k % 2] * time / seconds) * np.sin(2 * np.pi * k * hertz * time) / k for k in range(1, 7))
    return (0.3 * np.minimum(time / 0.005, 1.0) * tone / np.abs(tone).max()).astype(np.float32)


@pytest.mark.parametrize("rate", (16_000, 44_100))
@pytest.mark.parametrize("hertz", (73.4, 110.0, 207.7))
def test_a_tail_keeps_the_note_when_its_odd_partials_are_gone(rate, hertz):
    sound = hissing(plucked(hertz, rate=rate), 80.0)
    raw = tracked([sound], rate, F0Settings()).f0_hz
    assert 0.2 < wrong(raw, hertz) < 0.9  # what rings on repeats twice as often
    assert wrong(heard(sound, rate).f0_hz[5:-5], hertz) < 0.01


@pytest.mark.parametrize("begin", (0.0, 1.8))
def test_what_an_instrument_plays_is_heard_as_a_recording_is(begin):
    """From its onset on, or in the midst of a tail, where what was asked for and is heard of the recording tells."""
    sound = hissing(plucked(110.0), 80.0)[round(begin * RATE) :]
    assert wrong(track_f0(sound, RATE).f0_hz, 110.0) > 0.2
    found = track_for(sound, RATE, np.full(len(sound) // 64 + 1, 110.0, np.float32), sound).f0_hz
    assert wrong(found[5:-5], 110.0) < 0.02


def test_an_octave_that_was_not_asked_for_is_heard():
    """Notes that are held, that ring, and plucked ones one after the other, an octave higher than asked for."""
    for make in (
        lambda hertz: harmonic(hertz, 2.0),
        lambda hertz: plucked(hertz, 2.0, fall=(3.0, 3.0)),
        lambda hertz: plucked(hertz, 2.0, fall=(0.3, 0.3)),
        lambda hertz: np.concatenate([plucked(hertz, 0.5, fall=(3.0, 3.0))] * 4),
    ):
        found = track_for(make(220.0), RATE, np.full(501, 110.0, np.float32), make(110.0)).f0_hz
        assert wrong(found[5:-5], 110.0) > 0.95


def test_what_is_kept_of_a_tail_is_in_the_corpus(tmp_path):
    write(tmp_path / "a.wav", plucked(110.0))
    frames = open_corpus([Entry(tmp_path)]).recordings[0].frames
    assert wrong(frames.f0_hz[5:-5], 110.0) < 0.01


def test_an_octave_in_legato_is_another_note():
    """Both notes have all partials; the second is as loud, softer, or falls as a tail does."""
    for level in (1.0, 0.5):
        sound = np.concatenate([harmonic(220.0, 1.0), level * harmonic(440.0, 1.0)]).astype(np.float32)
        truth = np.repeat([220.0, 440.0], 251)[: len(heard(sound).f0_hz)]
        inner = np.r_[10:240, 262:490]
        np.testing.assert_array_equal(heard(sound).f0_hz, tracked([sound], RATE, F0Settings()).f0_hz)
        assert wrong(heard(sound).f0_hz[inner], truth[inner]) == 0.0
    sound = np.concatenate([harmonic(220.0, 1.0), plucked(440.0, 1.0, fall=(3.0, 3.0))]).astype(np.float32)
    np.testing.assert_array_equal(heard(sound).f0_hz, tracked([sound], RATE, F0Settings()).f0_hz)


def test_a_note_that_begins_in_a_tail_is_one():
    """An octave above what rings on, and louder than it was just then."""
    low = plucked(110.0, 2.0, fall=(12.0, 4.0))
    sound = low.copy()
    sound[RATE * 3 // 2 :] += 0.5 * plucked(220.0, 0.5, fall=(2.0, 2.0))
    found = heard(sound).f0_hz
    assert wrong(found[10:360], 110.0) == 0.0 and wrong(found[390:480], 220.0) == 0.0
