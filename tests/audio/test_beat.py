"""The beat: exact through tempo changes, seeks, loops and stops, however time is cut into blocks, and kept by a take."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_studio.audio.beat import BeatLine
from ddsp_studio.audio.events import HOP, Beat, Midi, at
from ddsp_studio.audio.midi_file import Song
from ddsp_studio.audio.renderer import Renderer
from ddsp_studio.audio.song_player import SongPlayer
from ddsp_studio.audio.take import Take, load_take, save_take
from ddsp_studio.audio.voices import VoiceAllocator
from ddsp_studio.processors.free_clock import free_clock
from ddsp_studio.processors.performance import BEAT, RUNNING, TEMPO

from .fake import FakePlayer, FakeSmoother
from .patches import synth

RATE, BLOCK = 48_000, 256
TWO_TEMPI = Song("s", (0.0,), (b"\x90\x3c\x64",), 2.0, (0.0, 1.0), (60.0, 240.0))


class Listening(FakePlayer):
    """Keeps the clock that it was played with."""

    def render(self, values, performance, clock, heard=None):
        self.heard = [*getattr(self, "heard", []), clock]
        return super().render(values, performance, clock, heard)


def clock_of(player, seconds, commands=(), block=BLOCK):
    """Drive a transport as the live thread does; the clock frames [hops, 3] that a patch gets, and all events."""
    heard = Listening(synth(), RATE, 2)
    renderer = Renderer(heard, FakeSmoother(heard), VoiceAllocator(2), sample_rate=RATE)
    waiting, seen = sorted(commands, key=lambda command: command[0]), []
    while renderer.position < round(seconds * RATE):
        while waiting and waiting[0][0] * RATE <= renderer.position:
            waiting.pop(0)[1](player, renderer.position)
        for event in player.events(renderer.position, renderer.position + block):
            renderer.post(event)
        seen += renderer.render(block // HOP).events
    return np.concatenate(heard.heard, axis=1)[0], seen


def ends(frames):
    return (np.arange(len(frames)) + 1) * HOP / RATE


def test_with_no_transport_it_counts_freely_from_beat_0():
    frames, _ = clock_of(SongPlayer(RATE), 1.0)
    np.testing.assert_allclose(frames, free_clock(0, len(frames), RATE)[0], atol=1e-12)
    assert frames[-1, BEAT] == pytest.approx(2.0, abs=0.01)


def loaded(song=TWO_TEMPI, **options):
    player = SongPlayer(RATE)
    player.load(song, 0)
    for key, value in options.items():
        setattr(player, key, value)
    return player


def test_a_song_s_tempo_map_is_followed():
    player = loaded()
    player.play(0)
    frames, _ = clock_of(player, 1.9)
    seconds = ends(frames)
    np.testing.assert_allclose(frames[:, BEAT], np.where(seconds <= 1.0, seconds, 1.0 + 4.0 * (seconds - 1.0)), atol=1e-4)
    assert set(frames[:, RUNNING]) == {1.0}
    assert frames[0, TEMPO] == 60.0
    assert frames[-1, TEMPO] == 240.0


def test_a_loop_begins_again_on_its_sample():
    player = loaded(looping=True)
    player.play(0)
    frames, _ = clock_of(player, 5.0)
    song_s = ends(frames) % 2.0
    expected = np.where(song_s <= 1.0, song_s, 1.0 + 4.0 * (song_s - 1.0))
    wrong = np.abs(frames[:, BEAT] - expected) > 1e-4
    assert np.flatnonzero(wrong).size == 0 or np.all(np.abs(song_s[wrong]) < 1e-9)  # a frame on the loop's end is its last


def test_stop_runs_freely_from_beat_0_and_play_goes_on_in_the_song():
    player = loaded()
    player.play(0)
    commands = [(0.5, lambda p, now: p.stop(now)), (0.9, lambda p, now: p.play(now))]
    frames, _ = clock_of(player, 1.5, commands)
    running = frames[:, RUNNING] > 0
    stopped = np.flatnonzero(~running)
    assert len(stopped) == pytest.approx(0.4 * RATE / HOP, abs=8)
    assert frames[stopped[0], BEAT] == pytest.approx(HOP / RATE, rel=1e-6)  # 60 bpm: one beat a second
    after = frames[stopped[-1] + 1]
    assert after[BEAT] == pytest.approx(frames[stopped[0] - 1, BEAT] + HOP / RATE, abs=1e-9)


def test_the_end_of_a_song_runs_freely_from_there():
    player = loaded()
    player.play(0)
    frames, _ = clock_of(player, 2.5)
    assert frames[-1, RUNNING] == 0.0
    assert frames[-1, BEAT] == pytest.approx((ends(frames)[-1] - 2.0) * 240.0 / 60.0, abs=1e-6)


@pytest.mark.parametrize("song", [None, TWO_TEMPI])
def test_a_new_tempo_bends_the_line_and_never_breaks_it(song):
    player = loaded(song)
    if song:
        player.play(0)
    frames, _ = clock_of(player, 0.9, [(0.3, lambda p, now: p.set_tempo(now, 2.0)), (0.6, lambda p, now: p.set_tempo(now, 0.5))])
    steps = np.diff(frames[:, BEAT])
    np.testing.assert_allclose(steps, frames[1:, TEMPO] / 60.0 * HOP / RATE, atol=1e-9)
    assert set(frames[:, TEMPO] / frames[0, TEMPO]) == {1.0, 2.0, 0.5}


anchors = st.lists(
    st.builds(Beat, st.integers(0, 40 * HOP), st.floats(0.0, 64.0), st.floats(20.0, 300.0), st.booleans()), max_size=8
)


@settings(max_examples=150, deadline=None)
@given(anchors, st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_blocks_do_not_matter(beats, sizes):
    beats = sorted(beats, key=lambda beat: beat.sample)
    whole = BeatLine(RATE).frames(beats, 0, 41)
    line, pieces, start, index = BeatLine(RATE), [], 0, 0
    while start < 41:
        hops = min(sizes[index % len(sizes)], 41 - start)
        due = [beat for beat in beats if start * HOP <= beat.sample < (start + hops) * HOP]
        pieces.append(line.frames(due, start, hops))
        start, index = start + hops, index + 1
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), whole)
    for hop in range(41):  # each frame is on the line of the last anchor before its end
        held = [beat for beat in beats if beat.sample < (hop + 1) * HOP]
        anchor = held[-1] if held else Beat(0, 0.0, 120.0, False)
        expected = anchor.beat + ((hop + 1) * HOP - anchor.sample) * anchor.bpm / 60.0 / RATE
        assert whole[0, hop, BEAT] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("block", [64, 512, 4800])
def test_the_transport_s_blocks_do_not_matter(block):
    def run(size):
        player = loaded(looping=True)
        player.play(0)
        return clock_of(player, 4.8, block=size)[0]

    np.testing.assert_allclose(run(block)[: 4 * RATE // HOP], run(256)[: 4 * RATE // HOP], atol=1e-12)


def test_a_take_keeps_the_clock(tmp_path):
    """Recording from the middle of a song: what the take's events give again is the clock that was heard."""
    player = loaded(looping=True)
    player.play(0)
    start = 100 * BLOCK
    begun = []
    commands = [(start / RATE, lambda p, now: begun.append(p.beat(now))), (1.4, lambda p, now: p.set_tempo(now, 1.5))]
    commands += [(2.0, lambda p, now: p.stop(now))]
    frames, events = clock_of(player, 2.5, commands)
    held = [at(begun[0], 0), *(at(event, event.sample - start) for event in events if event.sample >= start)]
    save_take(Take(synth(), RATE, 2, "poly", 1000, tuple(held)), tmp_path / "t.take")
    again = load_take(tmp_path / "t.take")
    beats = [event for event in again.events if isinstance(event, Beat)]
    assert len(beats) >= 4
    assert any(isinstance(event, Midi) for event in again.events)
    heard = frames[start // HOP :]
    np.testing.assert_allclose(BeatLine(RATE).frames(beats, 0, len(heard))[0], heard, atol=1e-9)


def test_a_take_from_before_the_clock_is_read(tmp_path):
    save_take(Take(synth(), RATE, 2, "poly", 1000, ()), tmp_path / "t.take")
    data = json.loads((tmp_path / "t.take").read_text())
    del data["beats"]
    data["schema"] = 1
    (tmp_path / "t.take").write_text(json.dumps(data))
    assert load_take(tmp_path / "t.take").events == ()
    data["beats"] = [[0, 1e300, 120.0, False], [0, 0.0, 1e-9, True]]
    (tmp_path / "t.take").write_text(json.dumps(data))
    assert load_take(tmp_path / "t.take").events == ()
