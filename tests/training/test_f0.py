"""The pitch tracker: exact clock, any cutting of the stream, live and offline, and the figures on real recordings."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_studio.dsp.tensor import HOP
from ddsp_studio.training.features import clock
from ddsp_studio.training.features.f0 import F0Tracker, track_f0
from ddsp_studio.training.features.f0_candidates import Candidates
from ddsp_studio.training.features.f0_layout import F0Settings, favour, layout
from ddsp_studio.training.features.f0_path import finish, follow, start
from ddsp_studio.training.features.f0_swift import track_with

from .material import RATE, SHARED, harmonic, melody, needs_shared

RATES = (16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000)


def cents(f0_hz, truth):
    return 1200.0 * np.log2(np.maximum(f0_hz, 1e-3) / truth)


@pytest.mark.parametrize("rate", RATES)
def test_the_clock_counts_whole_hops(rate):
    period = clock.frame_period(rate)
    assert clock.HOP == HOP
    assert period % HOP == 0 and abs(period / rate - 0.004) <= 0.5 * HOP / rate
    for samples in (0, 1, period - 1, period, period + 1, 5 * period, rate):
        sound = np.zeros(samples, np.float32)
        assert len(track_f0(sound, rate).f0_hz) == clock.frame_count(samples, rate) == samples // period + 1


@pytest.mark.parametrize("rate", (7_999, 192_001))
def test_other_rates_are_refused(rate):
    with pytest.raises(ValueError, match="8 to 192 kHz"):
        F0Tracker(rate)


@pytest.mark.parametrize("rate", RATES)
def test_a_glide_is_followed_at_its_own_time(rate):
    octaves = np.linspace(0.0, 2.0, 2 * rate)
    truth = 220.0 * 2.0**octaves
    found = track_f0(harmonic(truth, 2.0, rate), rate)
    at = np.arange(len(found.f0_hz)) * clock.frame_period(rate)
    inner = slice(len(at) // 10, -len(at) // 10)
    error = cents(found.f0_hz[inner], truth[at[inner]])
    # 1200 cents a second: an error of 1 ms in time would be 1.2 cents
    assert np.abs(error).max() < 3.0
    assert abs(np.median(error)) < 0.3


@pytest.mark.parametrize("hertz", (65.0, 110.0, 440.0, 1046.5, 2093.0))
@pytest.mark.parametrize("slope", (0.0, 1.0, 2.0))
def test_steady_tones(hertz, slope):
    found = track_f0(harmonic(hertz, 1.0, slope=slope), RATE)
    inner = found.f0_hz[20:-20]
    assert np.abs(cents(inner, hertz)).max() < 5.0
    assert found.confidence[20:-20].min() > 0.95


def test_octave_traps():
    """A missing fundamental is heard; a strong second partial is none; a bare sine is what it is."""
    t = np.arange(RATE) / RATE
    without = sum(np.sin(2 * np.pi * 200 * k * t) for k in (2, 3, 4, 5)) / 8
    trap = 0.05 * np.sin(2 * np.pi * 233 * t) + 0.4 * np.sin(2 * np.pi * 466 * t) + 0.05 * np.sin(2 * np.pi * 699 * t)
    for sound, hertz in ((without, 200.0), (np.sin(2 * np.pi * 300 * t) / 3, 300.0)):
        assert np.abs(cents(track_f0(sound.astype(np.float32), RATE).f0_hz[20:-20], hertz)).max() < 5.0
    # 18 dB below: still 233 Hz to the ear
    assert (
        np.abs(cents(track_f0((trap + 0.1 * np.roll(harmonic(233.0), 3)).astype(np.float32), RATE).f0_hz[20:-20], 233.0)).max()
        < 5.0
    )


def test_noise_and_silence_have_no_pitch():
    noise = 0.1 * np.random.default_rng(0).standard_normal(2 * RATE).astype(np.float32)
    assert np.mean(track_f0(noise, RATE).voiced) < 0.01
    silence = track_f0(np.zeros(RATE, np.float32), RATE)
    assert not silence.voiced.any() and not silence.confidence.any()


def test_level_does_not_matter():
    sound = melody([60, 67, 64])
    loud, soft = track_f0(sound, RATE), track_f0(0.1 * sound, RATE)
    np.testing.assert_array_equal(loud.voiced, soft.voiced)
    np.testing.assert_allclose(loud.f0_hz, soft.f0_hz, rtol=1e-4)


def test_a_pause_ends_the_pitch():
    sound = melody([69, 69], seconds=0.5, gap=0.3)
    voiced = track_f0(sound, RATE).voiced
    assert voiced[round(0.5 / 0.004)] and voiced[round(1.3 / 0.004)]
    assert not voiced[round(0.95 / 0.004)] and not voiced[10]


def cut(sound, sizes, tracker):
    state, parts, place = tracker.start(), [], 0
    for size in [*sizes, len(sound)]:
        part, state = tracker.track(state, sound[place : place + size])
        parts.append(part)
        place += size
    parts.append(tracker.finish(state))
    return (np.concatenate(column) for column in zip(*parts, strict=True))


@settings(max_examples=12, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 6000), max_size=12),
    rate=st.sampled_from((16_000, 44_100, 48_000)),
    lag=st.sampled_from((0, 6, 50)),
)
def test_any_cutting_gives_the_same(sizes, rate, lag):
    sound = melody([62, 66, 69], seconds=0.3, gap=0.08, rate=rate)
    sound += 0.003 * np.random.default_rng(1).standard_normal(len(sound)).astype(np.float32)
    whole = track_f0(sound, rate, lag=lag)
    f0_hz, confidence = cut(sound, sizes, F0Tracker(rate, lag=lag))
    np.testing.assert_array_equal(f0_hz > 0.0, whole.voiced)
    np.testing.assert_allclose(f0_hz, whole.f0_hz, rtol=1e-4)
    np.testing.assert_allclose(confidence, whole.confidence, atol=1e-4)


@pytest.mark.parametrize(("rate", "lag"), [(16_000, 6), (48_000, 6), (44_100, 0), (96_000, 12)])
def test_latency_is_what_it_says(rate, lag):
    tracker = F0Tracker(rate, lag=lag)
    period = clock.frame_period(rate)
    _, state = tracker.track(tracker.start(), np.zeros(tracker.latency, np.float32))
    # frame 0 is decided with the sample that lies `latency` behind its centre, and each further one a period later
    for wanted, more in ((1, 1), (0, period - 1), (1, 1), (3, 3 * period)):
        part, state = tracker.track(state, np.zeros(more, np.float32))
        assert len(part.f0_hz) == wanted


def test_what_is_decided_does_not_look_further_than_the_latency():
    tracker = F0Tracker(RATE)
    sound = melody([60, 64], seconds=0.4)
    other = sound.copy()
    cut_at = 6000
    other[cut_at:] = 0.2 * np.random.default_rng(2).standard_normal(len(sound) - cut_at)
    known = (cut_at - tracker.latency - 1) // clock.frame_period(RATE) + 1
    a, b = (track_f0(s, RATE, lag=tracker.lag).f0_hz[:known] for s in (sound, other))
    np.testing.assert_allclose(a, b, rtol=1e-5)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), frames=st.integers(2, 14))
def test_the_path_is_the_cheapest(seed, frames):
    """Against dynamic programming written the slow way, over a whole sequence."""
    chance, how, count = np.random.default_rng(seed), F0Settings(candidates=3), 3
    f0_hz = np.where(chance.random((frames, count)) < 0.25, 0.0, 60.0 * 2.0 ** (5.0 * chance.random((frames, count)))).astype(
        np.float32
    )
    strength = np.where(f0_hz > 0, chance.random((frames, count)), -1.0).astype(np.float32)
    found = Candidates(f0_hz, strength, np.full(frames, -20.0, np.float32))
    got, _, state = follow(start(count, frames), found, how, 0.004)
    path = np.concatenate([got, finish(state)[0]])

    def price(a: float, b: float) -> float:
        if a > 0 and b > 0:
            return 2.5 * how.jump_cost * abs(np.log2(a / b))
        return 0.0 if a == b == 0 else 2.5 * how.switch_cost

    def worth(frame: int, hertz: float) -> float:
        if hertz == 0:
            return how.voicing
        return float(strength[frame][f0_hz[frame] == hertz][0]) + float(favour(np.log2(hertz / how.low_hz), how))

    best = {0.0: 0.0}
    for frame in range(frames):
        states = {0.0, *(float(h) for h in f0_hz[frame] if h > 0)}
        best = {s: max(v - price(b, s) for b, v in best.items()) + worth(frame, s) for s in states}
    total = sum(worth(i, float(h)) - price(float(path[i - 1]) if i else 0.0, float(h)) for i, h in enumerate(path))
    assert total == pytest.approx(max(best.values()), abs=1e-4)


def test_the_range_is_kept():
    sound = harmonic(110.0)
    assert np.median(track_f0(sound, RATE, F0Settings(low_hz=80.0)).f0_hz) == pytest.approx(110.0, rel=0.01)
    within = track_f0(sound, RATE, F0Settings(low_hz=150.0, high_hz=800.0)).f0_hz
    assert np.all((within == 0.0) | ((within >= 150.0) & (within <= 800.0)))
    bass = track_f0(harmonic(41.2, 1.5), RATE, F0Settings(low_hz=35.0, high_hz=300.0)).f0_hz[40:-40]
    assert np.abs(cents(bass, 41.2)).max() < 5.0
    with pytest.raises(ValueError, match="between 20 and 5000 Hz"):
        F0Settings(low_hz=10.0)


def test_decimation_leaves_no_alias():
    plan = layout(48_000, F0Settings())
    response = np.abs(np.fft.rfft(plan.taps, 1 << 14))
    hertz = np.fft.rfftfreq(1 << 14, 1.0 / 48_000)
    assert 20 * np.log10(response[hertz > 10_500.0].max()) < -60.0
    assert np.abs(20 * np.log10(response[hertz < 5_000.0])).max() < 0.1


def test_the_second_engine_says_when_it_is_not_there(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "swift_f0", None)
    with pytest.raises(ValueError, match=r"swift-f0 is not installed: pip install 'ddsp-studio\[swift-f0\]'"):
        track_with("swift-f0", [np.zeros(4000, np.float32)], RATE, F0Settings())
    with pytest.raises(ValueError, match="autocorrelation or swift-f0"):
        track_with("crepe", [], RATE, F0Settings())


def test_the_second_engine_is_brought_to_our_clock():
    pytest.importorskip("swift_f0", reason="the extra swift-f0 is not installed")
    sound = melody([69, 72], rate=48_000)
    found = track_with("swift-f0", [sound[:5000], sound[5000:]], 48_000, F0Settings())
    assert len(found.f0_hz) == clock.frame_count(len(sound), 48_000)
    assert abs(cents(found.f0_hz[round(0.35 / 0.004)], 440.0)) < 30.0


# -- the shared recordings -----------------------------------------------------------------------------------------------


def phrases(instrument):
    for file in sorted((SHARED / f"{instrument}_phrases").glob("*.flac")):
        audio, rate = soundfile.read(file, dtype="float32")
        yield audio, rate, json.loads(file.with_suffix(".json").read_text())


def scores(instrument, rate=None, noise_db=None, lag=50):
    """Raw pitch accuracy at 50 cents, and the share of silence that is called voiced; at the recordings' rate by default."""
    right = voiced = false = silent = 0
    for audio, own, truth in phrases(instrument):
        sound = audio if rate is None else soxr.resample(audio, own, rate)
        if noise_db is not None:
            spread = np.sqrt(np.mean(sound**2)) * 10 ** (-noise_db / 20)
            sound = (sound + spread * np.random.default_rng(0).standard_normal(len(sound))).astype(np.float32)
        found = track_f0(sound, rate or own, lag=lag).f0_hz
        at = np.arange(len(truth["f0_hz"])) / truth["frame_rate"] * (rate or own) / clock.frame_period(rate or own)
        heard = found[np.clip(np.round(at).astype(int), 0, len(found) - 1)]
        sounding, pause = np.array(truth["voiced"]) == 1, np.array(truth["voiced"]) == 0
        right += np.sum(np.abs(cents(heard[sounding], np.array(truth["f0_hz"])[sounding])) < 50.0)
        voiced, false, silent = voiced + sounding.sum(), false + np.sum(heard[pause] > 0), silent + pause.sum()
    return right / voiced, false / silent


@needs_shared
@pytest.mark.parametrize(
    ("instrument", "noise_db", "least"),
    [("violin", None, 0.998), ("violin", 20.0, 0.998), ("flute", None, 0.995), ("flute", 20.0, 0.995)],
)
def test_accuracy_on_phrases(instrument, noise_db, least):
    accuracy, false = scores(instrument, None if noise_db else RATE, noise_db)
    assert accuracy >= least
    assert false <= 0.01


@needs_shared
def test_live_is_nearly_as_good():
    """Decided 24 ms late instead of 200."""
    accuracy, false = scores("violin", RATE, lag=6)
    assert accuracy >= 0.998 and false <= 0.01


@needs_shared
def test_the_offline_lag_is_long_enough():
    """Decided 0.2 s late, nothing differs from the path that waits a whole second."""
    for audio, own, _ in list(phrases("flute"))[5:8]:
        sound = soxr.resample(audio, own, RATE)
        a, b, live = (track_f0(sound, RATE, lag=lag).f0_hz for lag in (50, 250, 12))
        np.testing.assert_allclose(a, b, rtol=1e-5)
        assert np.mean(np.abs(a - live) > 0.03 * a) < 0.002


@needs_shared
def test_recorded_notes_keep_their_octave():
    """Frames within 20 dB of the loudest, on the right key; the saxophone is the trap."""
    listed = json.loads((SHARED / "recorded" / "manifest.json").read_text())["files"]
    for instrument, least in (("saxophone", 0.999), ("flute", 0.998)):
        right = total = 0
        for entry in (entry for entry in listed if entry["instrument"] == instrument):
            audio, own = soundfile.read(SHARED / "recorded" / entry["file"], dtype="float32")
            sound = soxr.resample(audio, own, RATE)
            found = track_f0(sound, RATE).f0_hz
            level = np.array([np.mean(sound[max(0, 64 * m - 200) : 64 * m + 200] ** 2) for m in range(len(found))])
            off = cents(found[level > level.max() / 100], 440.0 * 2.0 ** ((entry["midi"] + entry["cents"] / 100 - 69) / 12))
            right, total = right + np.sum(np.abs(off) < 50.0), total + len(off)
        assert right / total >= least


def test_a_low_string_whose_second_partial_is_loudest_keeps_its_octave():
    turns = np.cumsum(np.full(RATE, 82.4 / RATE))
    amplitudes = (0.17, 1.0, 0.1, 0.5, 0.07, 0.3)
    sound = sum(a * np.sin(2 * np.pi * k * turns) for k, a in enumerate(amplitudes, start=1)).astype(np.float32) / 4
    assert np.median(track_f0(sound, RATE).f0_hz) == pytest.approx(82.4, rel=0.01)
