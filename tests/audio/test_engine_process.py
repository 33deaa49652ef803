"""The engine as a process, over real pipes, on the silent clock, with a player that needs no TensorFlow."""

import os
import signal
import time
from dataclasses import replace

import pytest
import soundfile

from ddsp_studio.audio import protocol
from ddsp_studio.audio.midi_file import read_song, write_midi
from ddsp_studio.audio.session import EngineSession
from ddsp_studio.audio.take import load_take
from ddsp_studio.processors import patch_file
from ddsp_studio.processors.patch import Node

from .patches import synth

SILENT = protocol.AudioSettings(device="none")


@pytest.fixture
def engine(fake_engine, tmp_path):
    with (tmp_path / "log").open("wb") as log, EngineSession(fake_engine, log=log) as session:
        session.send(protocol.Configure(settings=SILENT))
        session.wait_for(protocol.Status, lambda status: status.state == "silent")
        yield session


def until(condition, timeout_s=10.0):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.01)


def test_says_hello_first(engine):
    assert isinstance(engine.events[0], protocol.Hello)
    assert engine.events[0].pid == engine.process.pid


def test_plays_moves_and_panics(engine):
    page = engine.telemetry.data
    answer = engine.play_patch(synth(), 1)
    assert answer.nodes == list(synth().nodes)
    engine.notes(60, 64)
    until(lambda: page["voices"] == 2 and page["peak"][0] > 0.05)
    assert page["keys"][60] == 100
    loud = float(page["peak"][0])
    engine.send(protocol.SetValue(node="out", control="gain", values=[-30.0]))
    until(lambda: page["peak"][0] < 0.2 * loud)
    engine.send(protocol.Panic())
    until(lambda: page["voices"] == 0 and page["peak"][0] == 0.0)


def test_edits_swap_and_rapid_ones_coalesce(engine):
    patch = synth()
    engine.play_patch(patch, 1)
    slow = replace(patch, name="slow")
    for revision in range(2, 12):
        patch = slow.with_node(f"extra{revision}", Node("Lfo", 2))
        engine.send(protocol.LoadPatch(patch=patch_file.to_json(patch), revision=revision))
    engine.wait_for(protocol.PatchPlays, lambda event: event.revision == 11)
    answered = [event.revision for event in engine.events if isinstance(event, protocol.PatchPlays)]
    assert len(answered) <= 4


def test_a_value_edit_does_not_compile(engine):
    patch = replace(synth(), name="slow")  # compiling takes 0.3 s
    compiled = engine.play_patch(patch, 1)
    answer = engine.play_patch(patch.with_value("out", "gain", (-12.0,)), 2)
    assert answer.seconds < compiled.seconds


def test_a_bad_patch_is_refused_and_the_one_before_plays_on(engine):
    engine.play_patch(synth(), 1)
    engine.notes(60)
    engine.send(protocol.LoadPatch(patch={"format": "ddsp_studio patch", "schema": 1, "nodes": {"a": {}}}, revision=2))
    refusal = engine.wait_for(protocol.PatchRefused)
    assert (refusal.revision, refusal.node) == (2, "a")
    endless = synth().with_value("out", "gain", (1e9,))
    engine.send(protocol.LoadPatch(patch=patch_file.to_json(endless), revision=3))
    refusal = engine.wait_for(protocol.PatchRefused, lambda event: event.revision == 3)
    assert (refusal.node, refusal.port) == ("out", "gain")
    assert "takes -60 to 12 dB" in refusal.reason
    deadline = time.monotonic() + 10.0
    while int(engine.telemetry.data["voices"]) != 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert int(engine.telemetry.data["voices"]) == 1


def test_a_patch_that_gives_nan_is_silenced_and_told(engine):
    engine.play_patch(replace(synth(), name="broken"), 1)
    engine.notes(60)
    problem = engine.wait_for(protocol.Problem)
    assert "silenced" in problem.text
    assert engine.telemetry.data["peak"][0] == 0.0


@pytest.mark.parametrize(
    "line", [b"nonsense\n", b'{"what": "Fly"}\n', b'{"what": "Midi", "data": "x"}\n', b'{"what":"SetValue"}\n']
)
def test_a_line_that_is_no_command_is_survived(engine, line):
    engine.process.stdin.write(line)
    engine.process.stdin.flush()
    assert "not understood" in engine.wait_for(protocol.Problem).text
    engine.play_patch(synth(), 1)


@pytest.mark.parametrize(
    "change", [{"block": 100}, {"safety_blocks": 9}, {"voices": 65}, {"mode": "duo"}, {"sample_rate": 1}, {"gain_db": 99.0}]
)
def test_bad_settings_are_told_and_not_used(engine, change):
    from msgspec.structs import replace as changed

    engine.send(protocol.Configure(settings=changed(SILENT, **change)))
    assert engine.wait_for(protocol.Problem).who == "settings"


def test_block_voices_and_rate_change_while_it_plays(engine):
    page = engine.telemetry.data
    engine.play_patch(synth(), 1)
    engine.notes(60)
    settings = protocol.AudioSettings(device="none", block=512, safety_blocks=0, voices=3, sample_rate=48_000)
    engine.send(protocol.Configure(settings=settings))
    engine.wait_for(protocol.Status, lambda status: status.block == 512 and status.voices == 3)
    until(lambda: page["voices"] == 1 and page["peak"][0] > 0.01)
    other = protocol.AudioSettings(device="none", block=512, sample_rate=44_100)
    engine.send(protocol.Configure(settings=other))
    engine.wait_for(protocol.Status, lambda status: status.sample_rate == 44_100)
    until(lambda: page["sample_rate"] == 44_100)
    until(lambda: page["keys"][60] and page["peak"][0] > 0.01)  # the key that was held sounds on


def test_keys_pressed_while_a_patch_is_compiled_sound_when_it_plays(engine):
    page = engine.telemetry.data
    engine.play_patch(replace(synth(), name="slow"), 1)
    engine.notes(60, 62)
    until(lambda: page["voices"] == 2)
    engine.send(protocol.Configure(settings=protocol.AudioSettings(device="none", sample_rate=44_100)))
    engine.wait_for(protocol.Status, lambda status: status.sample_rate == 44_100)
    engine.notes(64)
    engine.notes(65)
    engine.notes(62, 65, velocity=0)
    until(lambda: page["sample_rate"] == 44_100 and page["voices"] == 2)
    assert [note for note in range(128) if page["keys"][note]] == [60, 64]


def test_a_missing_device_falls_back_and_says_so(engine):
    engine.send(protocol.Configure(settings=protocol.AudioSettings(device="No such box")))
    status = engine.wait_for(protocol.Status, lambda event: bool(event.message), timeout_s=30.0)
    assert status.state == "silent"
    engine.play_patch(synth(), 1)


def test_a_song_plays_loops_and_stops(engine, tmp_path):
    write_midi(tmp_path / "s.mid", [(0.0, b"\x90\x3c\x64"), (0.2, b"\x80\x3c\x00"), (0.3, b"\x90\x40\x00")])
    engine.play_patch(synth(), 1)
    engine.send(protocol.Song(path=str(tmp_path / "s.mid")))
    engine.send(protocol.Transport(playing=True, looping=True, tempo=2.0))
    state = engine.wait_for(protocol.TransportState, lambda event: event.playing)
    assert (state.looping, state.tempo) == (True, 2.0)
    until(lambda: engine.telemetry.data["voices"] == 1)
    engine.send(protocol.Transport(playing=False))
    since = len(engine.events)
    engine.wait_for(protocol.TransportState, lambda event: not event.playing, since=since)
    until(lambda: engine.telemetry.data["voices"] == 0)


def test_a_bad_song_is_one_sentence(engine, tmp_path):
    (tmp_path / "bad.mid").write_bytes(b"nothing")
    engine.send(protocol.Song(path=str(tmp_path / "bad.mid")))
    assert "no MIDI file" in engine.wait_for(protocol.Problem).text
    engine.send(protocol.Song(path=str(tmp_path / "gone.mid")))
    assert engine.wait_for(protocol.Problem, lambda event: "gone.mid" in event.text).who == "song"


def test_records_sound_midi_and_take(engine, tmp_path):
    engine.play_patch(synth(), 1)
    engine.send(protocol.Transport(recording=str(tmp_path / "take")))
    engine.wait_for(protocol.TransportState, lambda event: event.recording)
    engine.notes(60)
    time.sleep(0.3)
    engine.notes(60, velocity=0)
    time.sleep(0.2)
    engine.send(protocol.Transport(recording=""))
    done = engine.wait_for(protocol.Recorded)
    sound, rate = soundfile.read(done.audio_path)
    assert rate == 48_000
    assert len(sound) == pytest.approx(done.seconds * rate)
    assert abs(sound).max() > 0.05
    assert [data[0] & 0xF0 for data in read_song(tmp_path / "take.mid").data] == [0x90, 0x90]
    assert [type(event).__name__ for event in load_take(tmp_path / "take.take").events] == ["Beat", "Midi", "Midi"]


def test_a_recording_that_cannot_be_written_is_told(engine, tmp_path):
    engine.play_patch(synth(), 1)
    engine.send(protocol.Transport(recording=str(tmp_path / "gone" / "take")))
    assert "cannot be written" in engine.wait_for(protocol.Problem).text


def test_the_test_tone_sounds_without_a_patch(engine):
    engine.send(protocol.TestTone(seconds=1.0))
    until(lambda: engine.telemetry.data["peak"][0] > 0.09)


def test_ends_with_its_input(engine):
    engine.play_patch(synth(), 1)
    assert engine.close() == 0


def test_ends_when_told(engine):
    engine.send(protocol.Quit())
    assert engine.process.wait(10.0) == 0


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_in_the_terminal_is_the_studios_business(engine):
    engine.process.send_signal(signal.SIGINT)
    engine.play_patch(synth(), 1)
