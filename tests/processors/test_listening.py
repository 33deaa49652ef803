"""The pitch tracker of a patch against the one for recordings, and the audio input on its way through a patch."""

import numpy as np
import pytest

from ddsp_studio.dsp.tensor import HOP, tf
from ddsp_studio.processors.auto_level import AutoLevel
from ddsp_studio.processors.declare import Signal
from ddsp_studio.processors.free_clock import free_clock
from ddsp_studio.processors.group import ProcessorGroup
from ddsp_studio.processors.listening import UNKNOWN_HZ, AudioInput, Loudness, PitchTracker
from ddsp_studio.processors.patch import Cable, Node, Patch, PatchError, Port
from ddsp_studio.processors.performance import INPUT_WIDTH
from ddsp_studio.processors.player import Player, input_frames
from ddsp_studio.training.features.f0 import track_f0
from ddsp_studio.training.features.f0_layout import F0Settings
from ddsp_studio.training.features.loudness import loudness_db


def melody(rate, seconds=1.2):
    """Notes with vibrato, an octave leap, a pause, and a little noise: [samples], whole hops."""
    rng, time = np.random.default_rng(4), np.arange(int(rate * seconds) // 768 * 768) / rate
    f0_hz = np.where(time < 0.4, 220.0, np.where(time < 0.8, 440.0, 311.0)) * (1.0 + 0.006 * np.sin(2 * np.pi * 5.5 * time))
    phase = 2.0 * np.pi * np.cumsum(f0_hz) / rate
    sound = sum(np.sin(k * phase) / k for k in range(1, 9)) * 0.15 * ((time < 0.75) | (time > 0.88))
    return (sound + 0.001 * rng.normal(size=time.size)).astype(np.float32)


def said(tracker, sound, block_hops):
    """What a processor says of a sound, by outlet, [hops]."""
    step, state, pieces = tf.function(tracker.process, autograph=False), tracker.start(1), []
    for begin in range(0, len(sound), block_hops * HOP):
        out, state = step(state, {"input": tf.constant(sound[None, begin : begin + block_hops * HOP])})
        pieces.append({name: x.numpy()[0, :, 0] for name, x in out.items()})
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


@pytest.mark.parametrize(
    ("rate", "lowest", "delay"), [(16_000, 60.0, 24.0), (44_100, 150.0, 13.0), (48_000, 60.0, 24.0), (96_000, 100.0, 0.0)]
)
def test_the_tracker_says_what_the_one_for_recordings_says_of_the_same_moment(rate, lowest, delay):
    tracker, sound = PitchTracker(rate, lowest=lowest, delay=delay), melody(rate)
    heard = said(tracker, sound, 12)
    period_s = HOP * tracker._frame / rate
    f0 = track_f0(sound, rate, F0Settings(low_hz=lowest, high_hz=2500.0), lag=round(delay / 1e3 / period_s))
    loudness = loudness_db(sound, rate)
    # a frame around sample m is said in full `latency` samples after it
    hops = (np.arange(len(f0.f0_hz)) * tracker._frame * HOP + tracker.latency) // HOP - 1
    inside = hops < len(heard["f0"])
    f0_hz, hops = f0.f0_hz[inside], hops[inside]
    voiced = f0_hz > 0.0
    assert 0.6 < voiced.mean() < 1.0
    assert np.max(1200.0 * np.abs(np.log2(heard["f0"][hops][voiced] / f0_hz[voiced]))) < 0.1
    np.testing.assert_allclose(heard["confidence"][hops], f0.confidence[inside], atol=1e-4)
    wait = tracker._wait * HOP + tracker._window // 2  # what the loudness lags, where it needs more time than the pitch
    assert tracker.latency == wait
    np.testing.assert_allclose(heard["loudness"][hops], loudness[: len(inside)][inside], atol=1e-3)


def test_the_pitch_is_right_and_holds_through_a_pause():
    tracker, sound = PitchTracker(48_000), melody(48_000)
    heard = said(tracker, sound, 12)
    seconds = (np.arange(len(heard["f0"])) + 1) * HOP / 48_000 - tracker.latency / 48_000
    for moment, expected in ((0.2, 220.0), (0.6, 440.0), (0.82, 440.0), (1.05, 311.0)):
        found = heard["f0"][np.argmin(np.abs(seconds - moment))]
        assert abs(1200.0 * np.log2(found / expected)) < 14.0  # the vibrato is 10 cents deep
    assert heard["confidence"][np.argmin(np.abs(seconds - 0.82))] == 0.0
    assert heard["f0"][0] == UNKNOWN_HZ
    assert heard["level"][np.argmin(np.abs(seconds - 0.2))] == 1.0


def test_a_higher_lowest_pitch_is_heard_sooner():
    late = [PitchTracker(48_000, lowest=lowest).latency / 48 for lowest in (60.0, 160.0)]
    assert late == [pytest.approx(53.3, abs=0.1), pytest.approx(37.3, abs=0.1)]
    with pytest.raises(ValueError, match="PitchTracker: pitch is searched between 20 and 5000 Hz, got 900 to 500 Hz"):
        PitchTracker(48_000, lowest=900.0, highest=500.0)


@pytest.mark.parametrize("rate", [8_000, 16_000])
@pytest.mark.parametrize("lowest", [700.0, 762.0, 900.0, 1000.0])
def test_the_shortest_windows_are_heard_in_blocks_of_any_length(rate, lowest):
    sound = (0.3 * np.sin(2.0 * np.pi * 1200.0 / rate * np.arange(48 * HOP))).astype(np.float32)
    tracker = PitchTracker(rate, lowest=lowest)
    whole = said(tracker, sound, 48)
    assert abs(1200.0 * np.log2(whole["f0"][-1] / 1200.0)) < 10.0
    for block in (1, 2, 3, 8):
        cut = said(tracker, sound, block)
        for name, x in whole.items():
            np.testing.assert_allclose(cut[name], x, rtol=1e-4, atol=2e-3)
    shapes = [x.shape for x in tf.nest.flatten(tracker.start(1))]
    _, state = tracker.process(tracker.start(1), {"input": tf.constant(sound[None, : 6 * HOP])})
    assert [x.shape for x in tf.nest.flatten(state)] == shapes


def test_the_tracker_compiles_under_xla():
    tracker, sound = PitchTracker(16_000, lowest=100.0), melody(16_000, 0.3)
    plain, state = tracker.process(tracker.start(1), {"input": tf.constant(sound[None, : 16 * HOP])})
    compiled = tf.function(tracker.process, autograph=False, jit_compile=True)
    other, after = compiled(tracker.start(1), {"input": tf.constant(sound[None, : 16 * HOP])})
    for name, x in plain.items():
        np.testing.assert_allclose(other[name], x, rtol=1e-4, atol=1e-3)
    for one, two in zip(tf.nest.flatten(state), tf.nest.flatten(after), strict=True):
        np.testing.assert_allclose(two, one, rtol=1e-3, atol=2e-3)


def test_the_loudness_is_the_level_of_the_sound():
    time = np.arange(16_000 // HOP * HOP) / 16_000
    heard = said(Loudness(16_000), np.sin(2 * np.pi * 1000 * time).astype(np.float32), 25)
    assert heard["loudness"][-1] == pytest.approx(-3.01, abs=0.05)


def direct():
    """AudioInput to Output."""
    nodes = {"in": Node("AudioInput"), "out": Node("Output")}
    return Patch(nodes=nodes, cables=(Cable(Port("in", "audio"), Port("out", "input")),))


def stereo(samples):
    return np.random.default_rng(3).normal(0.0, 0.1, (2, samples)).astype(np.float32)


def test_what_comes_in_is_heard_the_same_in_blocks_of_any_length():
    sound, played = stereo(24 * HOP), []
    for hops in (4, 8, 24):
        player = Player(direct(), sample_rate=48_000, voices=2)
        assert player.listens
        values, notes = np.tile(player.values, (hops, 1)), np.zeros((2, hops, 7), np.float32)
        pieces = [
            player.render(values, notes, free_clock(i, hops, 48_000), sound[:, i * HOP : (i + hops) * HOP]).audio.copy()
            for i in range(0, 24, hops)
        ]
        played.append(np.concatenate(pieces, axis=1))
    for other in played[1:]:
        np.testing.assert_allclose(other, played[0], atol=1e-7)
    # the limiter looks ahead by the patch's latency, and leaves what is soft as it is
    lag = player.latency_samples
    np.testing.assert_allclose(played[0][0, lag:], 0.5 * (sound[0] + sound[1])[: 24 * HOP - lag], atol=1e-6)


def test_frames_of_the_input_keep_every_sample_in_its_place():
    sound = np.arange(2 * 3 * HOP, dtype=np.float32).reshape(2, -1)
    frames = input_frames(sound)
    assert frames.shape == (1, 3, INPUT_WIDTH)
    out, _ = AudioInput(48_000).process(AudioInput(48_000).start(1), {"input": tf.constant(frames)})
    np.testing.assert_array_equal(out["left"][0], sound[0])
    np.testing.assert_array_equal(out["right"][0], sound[1])


def test_a_player_without_an_input_hears_silence_and_listens_only_where_the_input_is_heard():
    player = Player(direct(), sample_rate=48_000, voices=1)
    block = player.render(np.tile(player.values, (4, 1)), np.zeros((1, 4, 7), np.float32))
    assert np.abs(block.audio).max() == 0.0
    apart = Patch(nodes={"in": Node("AudioInput"), "out": Node("Output")})
    assert not Player(apart, sample_rate=48_000, voices=1).listens


def test_in_training_each_clip_hears_its_own_recording():
    patch = Patch(
        nodes={"in": Node("AudioInput"), "gain": Node("Gain"), "out": Node("Output")},
        cables=(Cable(Port("in", "audio"), Port("gain", "input")), Cable(Port("gain", "audio"), Port("out", "input"))),
    )
    group = ProcessorGroup(patch, sample_rate=16_000, playing=False)
    clips = [input_frames(np.stack([sound, sound])) for sound in stereo(10 * HOP)]
    values = np.tile(Player(patch, sample_rate=16_000, voices=1).values, (10, 1))
    heard = tf.constant(np.concatenate(clips))
    audio = group.process(group.start(2), tf.constant(values), tf.zeros([2, 10, 7]), heard=heard)[0].audio
    assert audio.shape == (2, 10 * HOP)
    lag = group.latency
    for row, clip in zip(audio.numpy(), clips, strict=True):
        np.testing.assert_allclose(row[lag:], clip[0, :, :HOP].reshape(-1)[: 10 * HOP - lag], atol=1e-6)


def test_a_cable_cannot_end_in_the_input():
    nodes = {"noise": Node("Harmonic"), "in": Node("AudioInput"), "out": Node("Output")}
    patch = Patch(nodes=nodes, cables=(Cable(Port("noise", "audio"), Port("in", "input")),))
    with pytest.raises(PatchError, match=r"in.input takes input, and noise.audio gives audio"):
        ProcessorGroup(patch, sample_rate=16_000)
    assert AudioInput.spec.inlets["input"].signal is Signal.INPUT


@pytest.mark.parametrize("usual_db", [-48.0, -12.0])
def test_a_player_is_brought_to_the_level_of_the_instrument_and_stays_expressive(usual_db):
    hops = 12 * 250
    played = usual_db + 6.0 * np.sign(np.sin(2 * np.pi * np.arange(hops) / 250))
    played[1500:1900] = -90.0
    node = AutoLevel(16_000, name="fit")
    values = {"target": -30.0, "amount": 1.0, "time": 12.0, "threshold": -75.0}
    given = {key: tf.fill([1, hops, 1], tf.constant(value, tf.float32)) for key, value in values.items()}
    out, _ = node.process(node.start(1), {**given, "heard": tf.constant(played[None, :, None].astype(np.float32))})
    moved = out["loudness"].numpy()[0, :, 0]
    assert abs(moved[-500:].mean() + 30.0) < 2.0
    assert np.ptp(moved[-500:]) == pytest.approx(12.0, abs=1.5)
    # a pause teaches nothing: the offset is what it was
    assert moved[1899] - played[1899] == pytest.approx(moved[1505] - played[1505], abs=0.01)
