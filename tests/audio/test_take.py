"""Takes: what the command line renders from one is what was heard, and each part of what was played is kept."""

import queue
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import soundfile

from ddsp_studio.audio import protocol
from ddsp_studio.audio.events import LIVE, SONG, Midi, Move
from ddsp_studio.audio.live import LiveThread
from ddsp_studio.audio.midi_file import read_song, write_midi
from ddsp_studio.audio.offline import RenderError, render_file
from ddsp_studio.audio.output import SilentOutput
from ddsp_studio.audio.session import EngineSession
from ddsp_studio.audio.take import Take, load_take, save_take
from ddsp_studio.audio.take_recorder import TakeRecorder
from ddsp_studio.audio.telemetry import Telemetry
from ddsp_studio.processors.patch import Node

from .fake import FakeWorkshop
from .patches import synth, wired

LATENCY = 64  # of the limiter, which an offline render leaves out
ALMOST = 1e-4  # −80 dB of full scale


def bass():
    """Glides between overlapping notes, through a filter that wants to be swept."""
    nodes = {
        "voice": Node("Voice", values={"glide": (0.05,)}),
        "amp": Node("Adsr", values={"release": (0.05,)}),
        "tone": Node("Harmonic", options={"partials": 20}),
        "level": Node("Gain"),
        "filter": Node("Filter", values={"cutoff": (2000.0,)}),
        "voices": Node("VoiceMixer"),
        "out": Node("Output"),
    }
    cables = ["voice.f0 -> tone.f0", "voice.gate -> amp.gate", "voice.trigger -> amp.trigger", "amp.out -> level.level"]
    cables += ["tone.audio -> level.input", "level.audio -> filter.input", "filter.audio -> voices.input"]
    return wired(nodes, [*cables, "voices.audio -> out.input"])


def command_line(*words):
    command = [sys.executable, "-m", "ddsp_studio", "render", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr


def sound(path):
    return soundfile.read(path, dtype="float32", always_2d=True)[0].T


def difference(one, other):
    count = min(one.shape[1], other.shape[1])
    assert count > 4800
    return float(np.abs(one[:, :count] - other[:, :count]).max())


def test_the_command_line_renders_a_take_as_it_was_heard(tmp_path):
    """Legato, with the filter swept, in the engine that people play."""
    settings = protocol.AudioSettings(device="none", mode="legato", voices=5)
    with EngineSession() as engine:
        engine.send(protocol.Configure(settings=settings))
        engine.play_patch(bass(), 1, timeout_s=300.0)
        engine.send(protocol.SetValue(node="filter", control="cutoff", values=[500.0]))
        engine.send(protocol.Transport(recording=str(tmp_path / "take")))
        engine.wait_for(protocol.TransportState, lambda event: event.recording)
        for step, note in enumerate((40, 47, 43, 52)):  # each key goes down before the one before goes up
            engine.notes(note)
            engine.send(protocol.SetValue(node="filter", control="cutoff", values=[500.0 * 2.0**step]))
            time.sleep(0.15)
        engine.notes(40, 47, 43, 52, velocity=0)
        time.sleep(0.2)
        engine.send(protocol.Transport(recording=""))
        done = engine.wait_for(protocol.Recorded)
    assert done.take_path == str(tmp_path / "take.take")
    heard = sound(done.audio_path)[:, LATENCY:]
    assert np.abs(heard).max() > 0.05
    command_line(done.take_path, "-o", tmp_path / "out.wav", "--bit-depth", "32", "--tail", "0")
    assert difference(heard, sound(tmp_path / "out.wav")) < ALMOST
    cut = ["--mode", "poly", "--start", "0.1", "--stop", "0.5"]
    command_line(done.take_path, "-o", tmp_path / "poly.wav", "--bit-depth", "32", *cut)
    poly = sound(tmp_path / "poly.wav")
    assert poly.shape == (2, 19_200)
    assert difference(heard[:, 4800:], poly) > 0.01


# -- what is left to a take, and what is asked for, with a player that needs no TensorFlow --------------------------------------

OVERLAP = (Midi(0, b"\x90\x30\x64"), Midi(4800, b"\x90\x37\x64"), Move(9600, "out.gain", (-12.0,)), Midi(19_200, b"\x80\x37\x00"))


def take(mode="legato", events=OVERLAP, sample_rate=48_000):
    return Take(synth(), sample_rate, 4, mode, 24_000, events)


def rendered(tmp_path, patch, played, **options):
    path = tmp_path / "out.wav"
    render_file(patch, played, path, bit_depth="32f", tail_s=0.0, workshop=FakeWorkshop(), **options)
    return sound(path)


def test_a_take_brings_patch_voices_mode_and_rate(tmp_path):
    alone = rendered(tmp_path, None, take())
    asked = rendered(tmp_path, synth(), take(), voices=4, mode="legato", sample_rate=48_000)
    assert np.array_equal(alone, asked)
    assert difference(alone, rendered(tmp_path, synth(), take())) == 0.0
    assert difference(alone, rendered(tmp_path, None, take(), mode="poly")) > 0.01
    rendered(tmp_path, None, take(sample_rate=44_100))
    assert soundfile.info(tmp_path / "out.wav").samplerate == 44_100


def test_what_is_asked_for_goes_before_the_take(tmp_path):
    louder = synth().with_node("out", Node("Output", values={"gain": (6.0,)}))
    before, after = rendered(tmp_path, None, take()), rendered(tmp_path, louder, take())
    assert np.abs(after[:, :4800]).max() == pytest.approx(2.0 * np.abs(before[:, :4800]).max(), rel=0.01)
    with pytest.raises(ValueError, match="65"):
        rendered(tmp_path, None, take(), voices=65)
    with pytest.raises(RenderError, match="no patch"):
        rendered(tmp_path, None, None)


def test_the_command_line_wants_a_take_or_a_song(tmp_path):
    save_take(take(), tmp_path / "a.take")
    command = [sys.executable, "-m", "ddsp_studio", "render", tmp_path / "a.take", "song.mid", "-o", tmp_path / "o.wav"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "is played by itself" in done.stderr and done.stderr.count("\n") == 1


def test_a_range_that_begins_after_the_end_is_refused(tmp_path):
    with pytest.raises(RenderError, match="starts at 9 s"):
        rendered(tmp_path, None, take(), start_s=9.0)
    assert not list(tmp_path.iterdir())


# -- what a recording keeps --------------------------------------------------------------------------------------------------


@pytest.fixture
def engine(fake_engine):
    with EngineSession(fake_engine) as session:
        session.send(protocol.Configure(settings=protocol.AudioSettings(device="none")))
        session.play_patch(synth(), 1)
        yield session


def test_the_song_on_the_transport_is_recorded_too(engine, tmp_path):
    write_midi(tmp_path / "s.mid", [(0.05, b"\x90\x3c\x64"), (0.2, b"\x80\x3c\x00"), (5.0, b"\x80\x3d\x00")])
    engine.send(protocol.Song(path=str(tmp_path / "s.mid")))
    engine.send(protocol.Transport(recording=str(tmp_path / "take"), playing=True))
    engine.wait_for(protocol.TransportState, lambda event: event.recording and event.position_s > 0.1)
    engine.notes(67)
    engine.wait_for(protocol.TransportState, lambda event: event.position_s > 0.4)
    engine.send(protocol.Transport(recording=""))
    done = engine.wait_for(protocol.Recorded)
    song = read_song(done.midi_path)
    keys = [data[:2] for data in song.data if data[0] & 0xF0 == 0x90]
    assert sorted(keys) == [b"\x90\x3c", b"\x90\x43"]
    events = [event for event in load_take(done.take_path).events if isinstance(event, Midi)]
    times = {event.source: event.sample / 48_000 for event in events if event.data[0] == 0x90}
    for source, key in ((SONG, b"\x90\x3c"), (LIVE, b"\x90\x43")):
        at = next(when for when, data in zip(song.times, song.data, strict=True) if data[:2] == key)
        assert at == pytest.approx(times[source], abs=0.001)


def test_a_take_begins_with_the_knobs_where_they_were(engine, tmp_path):
    engine.send(protocol.SetValue(node="out", control="gain", values=[-9.0]))
    engine.notes(60)
    time.sleep(0.2)
    engine.send(protocol.Transport(recording=str(tmp_path / "take")))
    engine.wait_for(protocol.TransportState, lambda event: event.recording)
    engine.send(protocol.Transport(recording=""))
    done = engine.wait_for(protocol.Recorded)
    assert Move(0, "out.gain", (-9.0,)) in load_take(done.take_path).events


def test_a_recording_has_begun_when_it_holds_sound(tmp_path):
    """Who stops it as soon as it is shown keeps something."""
    page = Telemetry(tmp_path / "page", create=True)
    live = LiveThread(page, SilentOutput(48_000, 256, 0, 0), 256, lambda _: None)
    held, done = threading.Event(), queue.SimpleQueue()
    recorder = TakeRecorder(tmp_path / "take", live, synth(), lambda _, recorded: done.put(recorded))
    live.call(held.wait)
    live.call(recorder.start)
    live.start()
    assert not recorder.begun
    held.set()
    deadline = time.monotonic() + 30.0
    while not recorder.begun and time.monotonic() < deadline:
        time.sleep(0.001)
    recorder.finish()
    live.call(live.end)
    live.join(5.0)
    recorded = done.get(timeout=30.0)
    assert recorded.sound is not None
    assert recorded.seconds > 0
    page.close(remove=True)


@pytest.mark.parametrize("change", ["nothing", "a knob", "the patch", "the mode"])
def test_what_a_take_cannot_repeat_is_told(engine, tmp_path, change):
    engine.send(protocol.Transport(recording=str(tmp_path / "take")))
    engine.wait_for(protocol.TransportState, lambda event: event.recording)
    if change == "a knob":
        engine.play_patch(synth().with_node("out", Node("Output", values={"gain": (-9.0,)})), 2)
    elif change == "the patch":
        engine.play_patch(synth(partials=41), 2)
    elif change == "the mode":
        engine.send(protocol.Configure(settings=protocol.AudioSettings(device="none", mode="mono")))
    time.sleep(0.3)
    engine.send(protocol.Transport(recording=""))
    engine.wait_for(protocol.Recorded)
    told = [event.text for event in engine.events if isinstance(event, protocol.Problem)]
    assert ["changed while it was recorded" in text for text in told] == [True] * (change in ("the patch", "the mode"))


def test_without_a_folder_nothing_is_claimed(engine, tmp_path):
    engine.send(protocol.Transport(recording=str(tmp_path / "gone" / "take")))
    problem = engine.wait_for(protocol.Problem)
    assert "take.wav cannot be written: No such file" in problem.text
    engine.wait_for(protocol.TransportState, lambda event: not event.recording, since=engine.events.index(problem))
    engine.send(protocol.Transport(recording=""))
    time.sleep(0.3)
    assert not any(isinstance(event, protocol.Recorded) for event in engine.events)
