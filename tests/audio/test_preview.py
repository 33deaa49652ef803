"""Files heard beside the patch: equal loudness, one place, no clicks; and never in a take."""

import time

import numpy as np
import pytest
import soundfile

from ddsp_studio.audio import protocol
from ddsp_studio.audio.preview import FADE_S, PreviewError, PreviewPlayer, Reel, read_reel
from ddsp_studio.audio.session import EngineSession
from ddsp_studio.dsp.programme_loudness import hop_powers, integrated_lufs

from .patches import synth

RATE = 48_000


def tone(hz, level, seconds=1.0, rate=RATE):
    return (level * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


@pytest.fixture
def files(tmp_path):
    paths = []
    for name, hz, level, rate in (("target", 440.0, 0.2, 48_000), ("played", 660.0, 0.02, 16_000)):
        path = tmp_path / f"{name}.flac"
        soundfile.write(path, tone(hz, level, 1.0, rate), rate)
        paths.append(str(path))
    return paths


def lufs(sound):
    return integrated_lufs(hop_powers(sound, RATE), RATE)


def test_a_reel_is_of_one_loudness_and_rate(files):
    reel = read_reel(files, RATE)
    assert all(abs(sound.shape[1] - RATE) <= 3 for sound in reel.sounds)
    assert abs(lufs(reel.sounds[0]) - lufs(reel.sounds[1])) < 0.1


def test_what_would_clip_makes_all_softer_alike(tmp_path):
    sharp = np.zeros(RATE, np.float32)
    sharp[::400] = 0.9
    for name, sound in (("loud", tone(440.0, 0.9)), ("sharp", sharp)):
        soundfile.write(tmp_path / f"{name}.wav", sound, RATE, subtype="FLOAT")
    reel = read_reel([str(tmp_path / "loud.wav"), str(tmp_path / "sharp.wav")], RATE)
    assert max(np.abs(sound).max() for sound in reel.sounds) <= 0.99
    assert abs(lufs(reel.sounds[0]) - lufs(reel.sounds[1])) < 0.1


@pytest.mark.parametrize("content", [None, b"", b"no sound at all"])
def test_what_cannot_be_heard_is_refused_in_a_sentence(tmp_path, content):
    path = tmp_path / "broken.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PreviewError, match=r"broken\.wav cannot be heard"):
        read_reel([str(path)], RATE)


def reel(*sounds):
    return Reel(tuple(str(i) for i in range(len(sounds))), RATE, tuple(np.stack([s, s]) for s in sounds))


def run(player, blocks, size=256):
    parts = [player.block(size) for _ in range(blocks)]
    return np.concatenate([np.zeros((2, size), np.float32) if part is None else part for part in parts], axis=1)


def test_turning_keeps_the_place_and_does_not_click():
    # both files hold the place itself, so what is heard tells where it is read
    ramp = np.linspace(0.0, 0.5, RATE, dtype=np.float32)
    player, held = PreviewPlayer(RATE), reel(ramp, -ramp)
    player.play(held, 0, looping=True)
    before = run(player, 40)
    player.play(held, 1, looping=True)
    after = run(player, 40)
    fade = round(FADE_S * RATE)
    place = 40 * 256 + np.arange(fade, 40 * 256)
    np.testing.assert_allclose(after[0, fade:], -ramp[place], atol=1e-6)
    heard = np.concatenate([before, after], axis=1)[0]
    assert np.abs(np.diff(heard)).max() < 2 * 0.5 * (0.25 + 0.01) / fade


@pytest.mark.parametrize("size", [64, 256, 1024])
def test_beginning_looping_and_stopping_do_not_click(tmp_path, size):
    soundfile.write(tmp_path / "a.wav", np.full(RATE // 10, 0.5, np.float32), RATE, subtype="FLOAT")
    player = PreviewPlayer(RATE)
    player.play(read_reel([str(tmp_path / "a.wav")], RATE), 0, looping=True)
    heard = [run(player, RATE // size, size)]
    player.stop()
    heard.append(run(player, 2048 // size, size))
    sound = np.concatenate(heard, axis=1)[0]
    assert np.abs(np.diff(sound)).max() < 0.004
    assert sound.max() > 0.49 and player.block(size) is None and not player.view.playing


def test_the_block_length_is_not_heard():
    held = reel(tone(440.0, 0.5, 0.3), tone(550.0, 0.5, 0.3))
    heard = []
    for size in (64, 512):
        player = PreviewPlayer(RATE)
        player.play(held, 0, looping=True)
        parts = [run(player, 8192 // size, size)]
        player.play(held, 1, looping=True)
        heard.append(np.concatenate([*parts, run(player, 16384 // size, size)], axis=1))
    np.testing.assert_allclose(heard[0], heard[1], atol=1e-5)


def test_a_file_that_does_not_loop_ends():
    player = PreviewPlayer(RATE)
    player.play(reel(tone(440.0, 0.5, 0.02)), 0, looping=False)
    assert player.view.playing and player.view.length_s == pytest.approx(0.02)
    run(player, 5)
    assert not player.view.playing and player.block(256) is None


def test_quick_turns_do_not_click():
    held = reel(np.full(RATE, 0.4, np.float32), np.full(RATE, -0.4, np.float32))
    player, parts = PreviewPlayer(RATE), []
    for turn in range(20):
        player.play(held, turn % 2, looping=True)
        parts.append(run(player, 1, 64))
    assert np.abs(np.diff(np.concatenate(parts, axis=1)[0])).max() < 20 * 0.4 / (FADE_S * RATE)


# -- in the engine ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def engine(fake_engine):
    with EngineSession(fake_engine) as session:
        session.send(protocol.Configure(settings=protocol.AudioSettings(device="none")))
        session.wait_for(protocol.Status, lambda status: status.state == "silent")
        yield session


def until(condition):
    deadline = time.monotonic() + 15.0
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.01)


def test_the_engine_plays_turns_and_stops(engine, files):
    page = engine.telemetry.data
    engine.send(protocol.Preview(files=files))
    engine.wait_for(protocol.PreviewState, lambda state: state.playing and state.track == 0)
    until(lambda: page["peak"][0] > 0.1)
    engine.send(protocol.Preview(files=files, track=1))
    state = engine.wait_for(protocol.PreviewState, lambda state: state.playing and state.track == 1)
    assert state.files == files and state.length_s == pytest.approx(1.0, abs=0.01)
    engine.send(protocol.Preview(files=[]))
    engine.wait_for(protocol.PreviewState, lambda state: not state.playing)
    until(lambda: page["peak"][0] == 0.0)


def test_the_engine_says_what_it_cannot_play(engine, tmp_path):
    engine.send(protocol.Preview(files=[str(tmp_path / "nothing.wav")]))
    assert "nothing.wav" in engine.wait_for(protocol.Problem, lambda problem: problem.who == "preview").text


def test_no_take_holds_what_is_heard_beside_the_patch(engine, files, tmp_path):
    engine.play_patch(synth(), 1)
    engine.send(protocol.Preview(files=files))
    engine.wait_for(protocol.PreviewState, lambda state: state.playing)
    engine.send(protocol.Transport(recording=str(tmp_path / "take")))
    time.sleep(0.4)
    engine.send(protocol.Transport(recording=""))
    done = engine.wait_for(protocol.Recorded, lambda event: True)
    sound, _ = soundfile.read(done.audio_path)
    assert len(sound) and not sound.any()


def test_a_file_that_was_written_anew_is_read_anew(engine, tmp_path):
    path = tmp_path / "result.wav"
    for seconds in (1.0, 0.5):
        soundfile.write(path, np.full(int(seconds * RATE), 0.2, np.float32), RATE)
        engine.send(protocol.Preview(files=[str(path)]))
        engine.wait_for(
            protocol.PreviewState, lambda state, length=seconds: state.playing and abs(state.length_s - length) < 0.01
        )
