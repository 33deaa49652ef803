import mido
import pytest

from ddsp_studio.audio.events import SONG, Midi
from ddsp_studio.audio.midi_file import Song, SongError, read_song, write_midi
from ddsp_studio.audio.song_player import SongPlayer

RATE = 48_000


def song(*, length=2.0):
    return Song("s", (0.0, 0.5, 1.0), (b"\x90\x3c\x64", b"\xb0\x01\x40", b"\x80\x3c\x00"), length)


def playing(held, **options):
    player = SongPlayer(RATE)
    player.load(held, 0)
    for key, value in options.items():
        setattr(player, key, value)
    player.play(0)
    return player


def collect(player, stop, block=256):
    found = []
    for start in range(0, stop, block):
        found += player.events(start, min(start + block, stop))
    return [(event.sample, event.data) for event in messages(found)]


def messages(events):
    return [event for event in events if isinstance(event, Midi)]


def test_messages_fall_on_their_samples():
    found = collect(playing(song()), RATE * 3)
    assert found[:3] == [(0, b"\x90\x3c\x64"), (24_000, b"\xb0\x01\x40"), (48_000, b"\x80\x3c\x00")]


@pytest.mark.parametrize("block", [64, 1000, 48_000])
def test_blocks_do_not_matter(block):
    assert collect(playing(song()), RATE * 3, block) == collect(playing(song()), RATE * 3, 4800)


def test_tempo_stretches():
    player = playing(song())
    player.set_tempo(0, 2.0)
    assert [sample for sample, _ in collect(player, RATE)[:3]] == [0, 12_000, 24_000]
    assert player.position_s(12_000) == pytest.approx(0.5)


def test_a_loop_starts_again_after_exactly_its_length():
    player = playing(song(), looping=True)
    notes = [sample for sample, data in collect(player, RATE * 7) if data == b"\x90\x3c\x64"]
    assert notes == [0, 2 * RATE, 4 * RATE, 6 * RATE]


def test_the_end_lets_keys_go_and_stops():
    held = Song("s", (0.0,), (b"\x90\x3c\x64",), 1.0)
    player = playing(held)
    found = collect(player, 2 * RATE)
    assert (RATE, b"\x80\x3c\x00") in found
    assert not player.playing
    assert player.position_s(2 * RATE) == 1.0


def test_stop_lets_keys_go_and_play_goes_on_from_there():
    player = playing(song())
    collect(player, 4800)
    player.stop(4800)
    assert b"\x80\x3c\x00" in [event.data for event in messages(player.events(4800, 4864))]
    player.play(9600)
    assert player.position_s(9600) == pytest.approx(0.1)


def test_seek_catches_up_wheels():
    player = playing(song())
    player.seek(0, 0.75)
    found = messages(player.events(0, 256))
    assert b"\xb0\x01\x40" in [event.data for event in found]
    assert all(event.source == SONG for event in found)


def test_a_written_file_reads_back(tmp_path):
    path = tmp_path / "a.mid"
    write_midi(path, [(0.0, b"\x90\x3c\x64"), (0.25, b"\x80\x3c\x00")], bpm=90.0)
    read = read_song(path)
    assert read.data == (b"\x90\x3c\x64", b"\x80\x3c\x00")
    assert read.times[1] == pytest.approx(0.25, abs=1e-3)
    assert read.bpm_at(0.1) == pytest.approx(90.0, abs=0.01)


def test_a_tempo_map_is_followed(tmp_path):
    track = mido.MidiTrack(
        [
            mido.MetaMessage("set_tempo", tempo=1_000_000),
            mido.Message("note_on", note=60, velocity=9, time=480),
            mido.MetaMessage("set_tempo", tempo=250_000, time=0),
            mido.Message("note_off", note=60, time=480),
        ]
    )
    file = mido.MidiFile(ticks_per_beat=480)
    file.tracks.append(track)
    file.save(tmp_path / "t.mid")
    assert read_song(tmp_path / "t.mid").times == pytest.approx((1.0, 1.25))


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"", "empty"), (b"RIFF....WAVE", "no MIDI file"), (b"MThd\0\0\0\6\0\0\0\1\1\xe0MTrk\0\0\1\0\0\x90", "cut short")],
)
def test_bad_files_get_one_sentence(tmp_path, data, words):
    path = tmp_path / "bad.mid"
    path.write_bytes(data)
    with pytest.raises(SongError, match=words) as problem:
        read_song(path)
    assert "bad.mid" in str(problem.value)
    assert "\n" not in str(problem.value)


def test_every_truncation_is_refused_or_read(tmp_path):
    whole = tmp_path / "whole.mid"
    write_midi(whole, [(0.1 * i, bytes((0x90, 60, i % 2))) for i in range(20)])
    data = whole.read_bytes()
    for cut in range(len(data)):
        (tmp_path / "cut.mid").write_bytes(data[:cut])
        with pytest.raises(SongError):
            read_song(tmp_path / "cut.mid")
