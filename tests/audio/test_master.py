"""The last stage before the device: nothing leaves above full scale, and no take holds what is added there."""

import time

import numpy as np
import pytest
import soundfile

from ddsp_studio.audio import protocol
from ddsp_studio.audio.live import LiveThread
from ddsp_studio.audio.master import CEILING, Limiter, Master
from ddsp_studio.audio.output import SilentOutput
from ddsp_studio.audio.session import EngineSession
from ddsp_studio.audio.telemetry import Telemetry

from .patches import synth

RATE = 48_000


def tone(level, seconds=1.0, hz=220.0):
    sound = level * np.sin(2 * np.pi * hz * np.arange(round(seconds * RATE) // 1024 * 1024) / RATE)
    return np.stack([sound, 0.5 * sound]).astype(np.float32)


def passed(process, sound, size):
    return np.concatenate([process(block) for block in np.split(sound, sound.shape[1] // size, axis=1)], axis=1)


@pytest.mark.parametrize("size", [64, 256, 1024])
def test_nothing_passes_the_ceiling_and_little_of_it_is_clipped(size):
    limiter, sound = Limiter(), tone(4.0)
    heard = passed(lambda block: limiter.process(block, RATE), sound, size)
    assert limiter.limiting
    assert np.abs(heard).max() <= CEILING < 1.0
    # the rest is turned down as a whole: the shape stays, and so does the balance
    late = slice(RATE // 4, None)
    assert np.mean(np.abs(heard[0, late]) > 0.999 * CEILING) < 0.05
    assert np.abs(heard[1, late]).max() == pytest.approx(0.5 * CEILING, rel=0.05)
    ideal = sound[0, late] * (CEILING / 4.0)
    assert np.sqrt(np.mean((heard[0, late] - ideal) ** 2)) < 0.1 * CEILING


def test_what_is_not_too_loud_passes_untouched_and_the_gain_comes_back():
    limiter, soft = Limiter(), tone(0.96)
    np.testing.assert_array_equal(passed(lambda block: limiter.process(block, RATE), soft, 256), soft)
    passed(lambda block: limiter.process(block, RATE), tone(3.0), 256)
    heard = passed(lambda block: limiter.process(block, RATE), tone(0.5, 2.0), 256)
    assert not limiter.limiting
    np.testing.assert_array_equal(heard[:, -256:], tone(0.5, 2.0)[:, -256:])


def test_gain_tone_and_what_is_beside_are_limited_together():
    master = Master()
    master.set_gain(24.0)
    master.sound_tone(1.0, RATE)
    beside = tone(0.98, hz=330.0)[:, :256]
    for _ in range(40):
        heard = master.process(tone(0.96)[:, :256], beside, RATE)
        assert np.abs(heard).max() <= CEILING
    assert master.limiting
    np.testing.assert_array_equal(beside, tone(0.98, hz=330.0)[:, :256])


def test_what_comes_too_late_while_no_patch_plays_is_no_dropout(tmp_path):
    page = Telemetry(tmp_path / "page", create=True)
    live = LiveThread(page, SilentOutput(RATE, 64, 0, 0), 64, lambda _: None)
    live.start()
    for _ in range(5):
        live.call_and_wait(lambda: time.sleep(0.1))
    time.sleep(0.1)
    assert int(page.data["blocks"]) > 0
    assert int(page.data["dropouts"]) == live.dropouts == 0
    live.call(live.end)
    live.join(5.0)


# -- in the engine ----------------------------------------------------------------------------------------------------------


def until(condition):
    deadline = time.monotonic() + 15.0
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.005)


def test_a_take_holds_what_the_patch_plays_whatever_the_master_does(fake_engine, tmp_path):
    with EngineSession(fake_engine) as engine:
        page = engine.telemetry.data
        engine.send(protocol.Configure(settings=protocol.AudioSettings(device="none", gain_db=24.0)))
        engine.wait_for(protocol.Status, lambda status: status.state == "silent")
        engine.play_patch(synth(), 1)
        engine.send(protocol.TestTone(seconds=2.0))
        until(lambda: page["peak"][0] > 0.09)
        engine.send(protocol.Transport(recording=str(tmp_path / "take")))
        engine.wait_for(protocol.TransportState, lambda event: event.recording)
        time.sleep(0.2)
        engine.notes(60, velocity=127)
        until(lambda: page["peak"][0] > 0.9)
        assert float(page["peak"].max()) <= CEILING
        assert page["limiting"] == 1
        engine.notes(60, velocity=0)
        engine.send(protocol.Transport(recording=""))
        sound, _ = soundfile.read(engine.wait_for(protocol.Recorded).audio_path)
    begun = int(np.argmax(np.abs(sound[:, 0]) > 1e-6))
    assert begun > 0.1 * RATE, "the tone must not be in the take"
    assert 0.05 < np.abs(sound).max() <= 0.11, "the fake player's voice is as loud as a tenth of full scale"
