"""Takes that do not end well: the engine is killed, the disk is full, the folder cannot be written, no patch plays."""

import os
import shutil
import signal
import time

import numpy as np
import pytest
import soundfile

from ddsp_studio.audio import protocol
from ddsp_studio.audio.audio_file import AudioWriter
from ddsp_studio.audio.events import Midi, Move
from ddsp_studio.audio.journal import Begin, Journal, claimed, read_journal
from ddsp_studio.audio.midi_file import read_song
from ddsp_studio.audio.recorder import SoundRecorder, keep, part_of
from ddsp_studio.audio.rescue import rescue
from ddsp_studio.audio.session import EngineSession
from ddsp_studio.audio.take import load_take
from ddsp_studio.processors.patch import Node

from .patches import synth, wired

needs_posix = pytest.mark.skipif(os.name != "posix", reason="signals, limits and locks")
SILENT = protocol.Configure(settings=protocol.AudioSettings(device="none"))
STEM = "take 2026-01-02 03.04.05"


def until(condition):
    deadline = time.monotonic() + 15.0
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.01)


def noise(count, seed=1):
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (2, count)).astype(np.float32)


@pytest.fixture
def engine(fake_engine):
    with EngineSession(fake_engine) as session:
        session.send(SILENT)
        yield session


def recording(engine, stem, *, patch=None):
    engine.play_patch(patch or synth(), 1)
    since = len(engine.events)
    engine.send(protocol.Transport(recording=str(stem)))
    engine.wait_for(protocol.TransportState, lambda event: event.recording, since=since)


# -- the file of the sound ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bit_depth", ["16", "24", "32f"])
@pytest.mark.parametrize("torn", [0, 1, 5])
def test_a_file_that_nobody_closed_is_kept(tmp_path, bit_depth, torn):
    whole, part, path = tmp_path / "whole.wav", part_of(tmp_path / "a.b.wav"), tmp_path / "a.b.wav"
    assert part.name == ".a.b.part.wav"
    sound = noise(4800)
    writer = AudioWriter(whole, 48_000, 2, bit_depth)
    for block in np.split(sound, 10, axis=1):
        writer.write(block)
    shutil.copy(whole, part)
    writer.close()
    if torn:
        os.truncate(part, part.stat().st_size - torn)
    frame = (whole.stat().st_size - 44) // 4800
    assert keep(part, path) == 4800 - -(-torn // frame)
    assert not part.exists()
    kept, rate = soundfile.read(path, dtype="float32")
    assert rate == 48_000
    np.testing.assert_array_equal(kept, soundfile.read(whole, dtype="float32")[0][: len(kept)])
    before = whole.read_bytes()
    assert keep(whole, tmp_path / "b.wav") == 4800
    assert (tmp_path / "b.wav").read_bytes() == before, "a file that was closed stays as it is"


@pytest.mark.parametrize("content", [b"", b"RIFF", b"RIFF\x00\x00\x00\x00WAVEfmt ", b"nothing of the kind" * 10])
def test_what_holds_no_sound_is_not_kept(tmp_path, content):
    part = tmp_path / ".a.part.wav"
    part.write_bytes(content)
    assert keep(part, tmp_path / "a.wav") == 0
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fails_leaves_what_was_written(tmp_path, monkeypatch):
    results, write = [], AudioWriter.write

    def fails(writer, block):
        if writer.samples >= 48_000:
            raise OSError(28, "No space left on device")
        write(writer, block)

    monkeypatch.setattr(AudioWriter, "write", fails)
    recorder = SoundRecorder(tmp_path / "a.wav", 48_000, results.append)
    for _ in range(20):
        recorder.write(noise(4800))
    recorder.finish(10.0)
    assert results[0].problem == "The recording a.wav ends after 1.0 s: No space left on device."
    assert results[0].samples == soundfile.info(tmp_path / "a.wav").frames == 48_000


# -- the journal --------------------------------------------------------------------------------------------------------------


def test_a_journal_is_read_as_far_as_it_is_whole(tmp_path):
    events = [Midi(3, b"\x90\x3c\x64"), Move(64, "out.gain", (-9.0,)), Midi(70, b"\x80\x3c\x00", 1)]
    journal = Journal(tmp_path / "j", 44_100, synth())
    assert read_journal(tmp_path / "j") is None, "nobody knows yet how it is played"
    journal.begin(4, "legato", 90.0)
    journal.add(events)
    journal.flush()
    found = read_journal(tmp_path / "j")
    assert (found.sample_rate, found.begin, found.events) == (44_100, Begin(4, "legato", 90.0), tuple(events))
    assert found.patch == synth()
    os.truncate(tmp_path / "j", (tmp_path / "j").stat().st_size - 3)
    assert read_journal(tmp_path / "j").events == tuple(events[:2])
    journal.close(remove=True)
    assert not (tmp_path / "j").exists()
    assert read_journal(tmp_path / "j") is None


def test_a_folder_that_takes_no_journal_is_no_problem(tmp_path):
    journal = Journal(tmp_path / "gone" / "j", 48_000, synth())
    journal.add([Midi(0, b"\x90\x3c\x64")])
    journal.flush()
    journal.close(remove=True)


@needs_posix
def test_what_is_still_recorded_is_left_alone(tmp_path):
    journal = Journal(part_of(tmp_path / f"{STEM}.take"), 48_000, synth())
    sound = part_of(tmp_path / f"{STEM}.wav")
    AudioWriter(sound, 48_000, 2, "24").close()
    assert list(rescue(tmp_path)) == []
    assert sound.exists() and journal.path.exists()
    journal.close()
    with claimed(journal.path, sound) as ours, claimed(journal.path, sound) as others:
        assert (ours, others) == (True, False)
    journal.path.unlink()
    assert list(rescue(tmp_path)) == [], "without a journal only time tells"
    assert sound.exists()
    os.utime(sound, (1.0, 1.0))
    assert list(rescue(tmp_path)) == []
    assert list(tmp_path.iterdir()) == [], "it held no sound"


# -- in the engine ------------------------------------------------------------------------------------------------------------


@needs_posix
def test_a_take_outlives_its_engine(fake_engine, tmp_path):
    listening = wired({**synth().nodes, "in": Node("AudioInput")}, [], "listening")
    listening = synth().with_node("in", listening.nodes["in"])
    with EngineSession(fake_engine) as engine:
        engine.send(SILENT)
        recording(engine, tmp_path / STEM, patch=listening)
        engine.notes(60)
        time.sleep(0.3)
        engine.send(protocol.SetValue(node="out", control="gain", values=[-6.0]))
        engine.notes(60, velocity=0)
        time.sleep(0.7)
        assert [path.name for path in tmp_path.glob("[!.]*")] == []
        engine.process.send_signal(signal.SIGKILL)
        engine.process.wait()
    with EngineSession(fake_engine) as engine:
        engine.send(protocol.Rescue(folder=str(tmp_path)))
        done = engine.wait_for(protocol.Recorded)
        stem = tmp_path / STEM
        assert done.cut_short
        assert (done.audio_path, done.midi_path, done.take_path) == (f"{stem}.wav", f"{stem}.mid", f"{stem}.take")
        assert sorted(path.name for path in tmp_path.iterdir()) == [f"{STEM}{s}" for s in (".input.wav", ".mid", ".take", ".wav")]
        sound, rate = soundfile.read(done.audio_path)
        assert 0.8 < len(sound) / rate == pytest.approx(done.seconds)
        assert np.abs(sound).max() > 0.05
        assert os.stat(done.audio_path).st_mode & 0o777 == 0o666 & ~_umask()
        assert [data[0] for data in read_song(done.midi_path).data] == [0x90, 0x90]
        take = load_take(done.take_path)
        assert take.length == len(sound)
        assert take.heard is not None and soundfile.info(take.heard).frames > 0.8 * rate
        assert [type(event).__name__ for event in take.events] == ["Beat", "Midi", "Move", "Midi"]
        since = len(engine.events)
        engine.send(protocol.Rescue(folder=str(tmp_path)))
        engine.play_patch(synth(), 1)
        assert not any(isinstance(event, (protocol.Recorded, protocol.Problem)) for event in engine.events[since:])


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_sound_without_a_journal_is_saved_beside_what_is_there(tmp_path):
    part = part_of(tmp_path / f"{STEM}.wav")
    soundfile.write(part, noise(4800).T, 48_000)
    os.utime(part, (1.0, 1.0))
    (tmp_path / f"{STEM}.wav").write_bytes(b"another")
    part_of(tmp_path / f"{STEM}.take").write_bytes(b"damaged")
    (done,) = rescue(tmp_path)
    assert (done.sound.name, done.midi, done.take, done.seconds) == (f"{STEM} (2).wav", None, None, 0.1)
    assert (tmp_path / f"{STEM}.wav").read_bytes() == b"another"
    assert list(rescue(tmp_path)) == []


def test_notes_that_could_not_be_written_are_made_later(tmp_path):
    soundfile.write(tmp_path / f"{STEM}.wav", noise(4800).T, 48_000)
    journal = Journal(part_of(tmp_path / f"{STEM}.take"), 48_000, synth())
    journal.begin(4, "poly", 120.0)
    journal.add([Midi(0, b"\x90\x3c\x64")])
    journal.flush()
    journal.close()
    (done,) = rescue(tmp_path)
    assert (done.sound.name, done.take.name, done.problem) == (f"{STEM}.wav", f"{STEM}.take", "")
    assert load_take(done.take).length == 4800
    assert not journal.path.exists()


def test_before_a_patch_plays_the_refusal_says_where_the_transport_is(engine, tmp_path):
    engine.wait_for(protocol.TransportState)
    since = len(engine.events)
    engine.send(protocol.Transport(recording=str(tmp_path / "take")))
    assert "no patch plays" in engine.wait_for(protocol.Problem).text
    assert not engine.wait_for(protocol.TransportState, since=since).recording


@needs_posix
@pytest.mark.skipif(shutil.which("bash") is None, reason="bash sets the limit")
def test_a_disk_that_fills_ends_the_take_and_keeps_it(fake_engine, tmp_path):
    limited = ("bash", "-c", 'ulimit -f 1200; exec "$@"', "limited", *fake_engine)
    with EngineSession(limited) as engine:
        engine.send(SILENT)
        recording(engine, tmp_path / "take")
        engine.notes(60)
        problem = engine.wait_for(protocol.Problem)
        assert "take.wav ends after 4.3 s" in problem.text
        done = engine.wait_for(protocol.Recorded)
        since = engine.events.index(done)
        assert not engine.wait_for(protocol.TransportState, since=since).recording
        assert done.seconds == soundfile.info(done.audio_path).duration == pytest.approx(1200 * 1024 / 6 / 48_000, abs=0.1)
        assert load_take(done.take_path).length == round(48_000 * done.seconds)
        recording(engine, tmp_path / "second")
        time.sleep(0.2)
        engine.send(protocol.Transport(recording=""))
        assert engine.wait_for(protocol.Recorded, since=since + 1).audio_path.endswith("second.wav")


def test_a_take_is_whole_when_the_engine_ends_while_it_records(fake_engine, tmp_path):
    with EngineSession(fake_engine) as engine:
        engine.send(SILENT)
        recording(engine, tmp_path / "take")
        engine.notes(60)
        time.sleep(0.3)
        engine.send(protocol.Quit())
        assert engine.process.wait(10.0) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["take.mid", "take.take", "take.wav"]
    assert len(load_take(tmp_path / "take.take").events) == 2
