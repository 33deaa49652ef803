"""Sound that comes in: from a ring that a device fills, from a file, and from a real audio server."""

import os
import time

import numpy as np
import pytest
import soundfile

from ddsp_studio.audio import protocol
from ddsp_studio.audio.input import InputError, InputFile, InputStream
from ddsp_studio.audio.jack_probe import leave
from ddsp_studio.audio.offline import render_file
from ddsp_studio.audio.session import EngineSession
from ddsp_studio.audio.take import Take, load_take, save_take
from ddsp_studio.processors.patch import Node

from .fake import FakeWorkshop
from .patches import wired
from .test_jack import jackd, running  # noqa: F401
from .test_jack import pytestmark as needs_jack

RATE = 48_000


def listener():
    """What comes in goes out."""
    return wired({"in": Node("AudioInput"), "out": Node("Output")}, ["in.audio -> out.input"])


# -- a ring that a device fills ---------------------------------------------------------------------------------------------


class Device:
    """A mixer that records what the test says, in the place of `rtmixer`'s."""

    def __init__(self):
        self.actions, self.ring, self.count = set(), None, 0

    def record_ringbuffer(self, ring):
        self.ring, action = ring, object()
        self.actions.add(action)
        return action

    def gives(self, count, channels):
        """The next samples of a ramp, the second channel being the first with another sign."""
        ramp = np.arange(self.count, self.count + count, dtype=np.float32)
        self.count += count
        self.ring.write(np.ascontiguousarray(np.stack([ramp, -ramp][:channels], axis=1)))


def stream(channels=2):
    pytest.importorskip("rtmixer", exc_type=(ImportError, OSError))
    device = Device()
    return device, InputStream(device, channels, RATE)


def test_what_has_arrived_is_read_in_order_by_blocks_of_another_length():
    device, held = stream()
    read = []
    for _ in range(10):
        device.gives(480, 2)
        read += [held.read(96) for _ in range(5)]
    sound = np.concatenate(read, axis=1)
    np.testing.assert_array_equal(sound, np.stack([np.arange(4800), -np.arange(4800)]))
    assert held.missing == 0


def test_one_channel_is_heard_on_both_sides():
    device, held = stream(channels=1)
    device.gives(64, 1)
    sound = held.read(64)
    np.testing.assert_array_equal(sound[0], np.arange(64))
    np.testing.assert_array_equal(sound[1], sound[0])


def test_what_is_no_number_is_silence():
    device, held = stream()
    sound = np.full((64, 2), 0.5, np.float32)
    sound[10], sound[20, 0], sound[30, 1] = np.nan, np.inf, -np.inf
    device.ring.write(np.ascontiguousarray(sound))
    read = held.read(64)
    assert np.count_nonzero(read == 0.0) == 4
    assert np.count_nonzero(read == 0.5) == 124


def test_silence_stands_in_for_what_has_not_come_and_nothing_is_lost():
    device, held = stream()
    assert np.abs(held.read(64)).max() == 0.0
    assert held.missing == 0  # nothing has begun yet
    device.gives(160, 2)
    held.read(64)
    held.read(64)
    late = held.read(64)
    assert held.missing == 1
    assert np.abs(late[:, :32]).max() == 0.0
    np.testing.assert_array_equal(late[0, 32:], np.arange(128, 160))


def test_sound_that_is_never_needed_is_left_out_after_a_while():
    device, held = stream()
    device.gives(1000, 2)  # what the device is ahead by
    for _ in range(2 * RATE // 256 + 2):
        device.gives(256, 2)
        last = held.read(256)
    assert last[0, -1] == device.count - 1


def test_recording_goes_on_with_new_sound_after_the_ring_was_full():
    device, held = stream()
    device.gives(1000, 2)
    device.actions.clear()
    assert np.abs(held.read(64)).max() == 0.0
    device.gives(64, 2)
    np.testing.assert_array_equal(held.read(64)[0], np.arange(1000, 1064))


# -- files --------------------------------------------------------------------------------------------------------------------


def write(path, rate=RATE, seconds=0.5, channels=2):
    time_s = np.arange(int(rate * seconds)) / rate
    sides = [0.3 * np.sin(2 * np.pi * 440 * time_s), 0.2 * np.sin(2 * np.pi * 660 * time_s)][:channels]
    soundfile.write(path, np.stack(sides, axis=1), rate, subtype="FLOAT")
    return np.stack(sides).astype(np.float32)


def test_a_file_is_read_as_it_is_and_then_is_silent(tmp_path):
    sound = write(tmp_path / "in.wav")
    file = InputFile(tmp_path / "in.wav", RATE)
    read = np.concatenate([file.read(1000) for _ in range(30)], axis=1)
    assert file.length == 24_000
    np.testing.assert_array_equal(read[:, :24_000], sound)
    assert np.abs(read[:, 24_000:]).max() == 0.0


def test_a_file_of_another_rate_and_one_channel_is_brought_to_the_render(tmp_path):
    write(tmp_path / "in.wav", rate=44_100, channels=1)
    file = InputFile(tmp_path / "in.wav", RATE)
    assert file.length == 24_000
    read = np.concatenate([file.read(4800) for _ in range(5)], axis=1)
    expected = 0.3 * np.sin(2 * np.pi * 440 * np.arange(24_000) / RATE)
    np.testing.assert_allclose(read[0, 200:-200], expected[200:-200], atol=2e-3)
    np.testing.assert_array_equal(read[0], read[1])


@pytest.mark.parametrize("content", [b"", b"this is no sound"])
def test_what_is_no_sound_is_refused_in_one_sentence(tmp_path, content):
    (tmp_path / "in.wav").write_bytes(content)
    with pytest.raises(InputError, match=r"^in\.wav cannot be listened to: .*[^.]$"):
        InputFile(tmp_path / "in.wav", RATE)
    with pytest.raises(FileNotFoundError):
        InputFile(tmp_path / "absent.wav", RATE)


def test_a_render_hears_a_file_for_as_long_as_it_lasts(tmp_path):
    sound = write(tmp_path / "in.wav")
    for block in (64, 4800):
        out = tmp_path / "out.wav"
        report = render_file(
            listener(), None, out, heard=tmp_path / "in.wav", tail_s=0.0, bit_depth="32f", block=block, workshop=FakeWorkshop()
        )
        assert report.seconds == 0.5
        np.testing.assert_allclose(soundfile.read(out, dtype="float32")[0].T, sound, atol=1e-6)


def test_a_take_brings_what_was_heard_from_beside_it_only(tmp_path):
    write(tmp_path / "one.input.wav")
    take = Take(listener(), RATE, 2, "poly", 24_000, (), tmp_path / "one.input.wav")
    save_take(take, tmp_path / "one.take")
    assert load_take(tmp_path / "one.take").heard == tmp_path / "one.input.wav"
    text = (tmp_path / "one.take").read_text().replace('"one.input.wav"', '"../../etc/passwd"')
    (tmp_path / "two.take").write_text(text)
    assert load_take(tmp_path / "two.take").heard == tmp_path / "passwd"


# -- a real audio server ------------------------------------------------------------------------------------------------------


class Source:
    """A JACK client that plays noise whose every sample follows from the server's frame count."""

    NAME = f"ddsp_source_{os.getpid()}"

    def __init__(self):
        import jack

        self.client = jack.Client(self.NAME, no_start_server=True, servername=os.environ["JACK_DEFAULT_SERVER"])
        self.port = self.client.outports.register("out_1")
        self.noise = np.random.default_rng(8).uniform(-0.3, 0.3, 1 << 18).astype(np.float32)
        self.client.set_process_callback(self.process)
        self.client.activate()

    def process(self, frames):
        place = np.arange(frames) + self.client.last_frame_time
        self.port.get_array()[:] = self.noise[place % self.noise.size]

    def close(self):
        leave(self.client)


@pytest.fixture
def source(request):
    if any(mark.args[0] for mark in needs_jack):
        pytest.skip("this needs jackd and JACK-Client, under Linux")
    request.getfixturevalue("jackd")
    held = Source()
    yield held
    held.close()


def test_what_came_in_live_is_heard_and_rendered_again_the_same(source, fake_engine, tmp_path):
    for attempt in range(3):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        if _take_through(source, fake_engine, folder):
            return
    pytest.skip("the machine was too busy to play and to listen without losing samples")


def _take_through(source, fake_engine, folder):
    """Record a take of what comes in, and compare; False if samples were lost on the way."""
    from ddsp_studio.audio.jack_probe import JackProbe

    with JackProbe() as probe, EngineSession(fake_engine) as engine:
        engine.send(protocol.Configure(settings=protocol.AudioSettings(safety_blocks=6, input=source.NAME)))
        running(engine)
        engine.play_patch(listener(), 1)
        status = engine.wait_for(protocol.Status, lambda status: status.input == source.NAME, timeout_s=20.0)
        probe.connect()
        time.sleep(0.8)
        probe.recording = True
        engine.send(protocol.Transport(recording=str(folder / "take")))
        engine.wait_for(protocol.TransportState, lambda event: event.recording)
        time.sleep(1.0)
        assert engine.telemetry.data["input_peak"].min() > 0.1
        engine.send(protocol.Transport(recording=""))
        engine.wait_for(protocol.Recorded)
        first, captured = probe.recorded()
        spoiled = bool(engine.telemetry.data["dropouts"]) or probe.xruns > 0
        status = [event for event in engine.events if isinstance(event, protocol.Status)][-1]
    lost = _compare_sound(source, first, captured, status)
    take = load_take(folder / "take.take")
    assert take.heard == folder / "take.input.wav"
    out = folder / "again.wav"
    render_file(take.patch, take, out, bit_depth="32f", tail_s=0.0, workshop=FakeWorkshop())
    again, recorded = (soundfile.read(path, dtype="float32")[0].T for path in (out, folder / "take.wav"))
    length = again.shape[1] - 64  # the fake player's latency, which a render takes out
    assert np.abs(again[:, :length] - recorded[:, 64 : 64 + length]).max() < 1e-4
    assert np.abs(again).max() > 0.25
    assert not lost or spoiled
    return not lost


def _compare_sound(source, first, captured, status):
    """Whether samples were lost between what was played in and what came out; the way through takes as long as is told."""
    length = 1 << 14
    mid = captured.shape[1] // 2
    piece = captured[0, mid : mid + length]
    wanted = source.noise[(first + mid + np.arange(-length, length)) % source.noise.size]
    lags = np.correlate(wanted, piece[:4096], "valid")[: length + 1]
    lag = length - int(np.argmax(lags))
    expected = source.noise[(first + mid - lag + np.arange(length)) % source.noise.size]
    if np.abs(piece - expected).max() > 1e-4:
        return True
    told = status.input_latency_ms * RATE / 1000.0 + 64  # the fake player's own latency comes on top
    assert abs(lag - told) <= 2 * status.block, (lag, told)
    return False
