"""MIDI files in and out: a file becomes a song of messages timed in seconds, a take becomes a file.

Thread rule: plain functions on plain data; reading takes seconds for a huge file, so never call it on the render thread.
"""

from __future__ import annotations

import bisect
import functools
import io
import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import mido

from ddsp_studio.audio.keys import is_channel_message
from ddsp_studio.files import FileTooLarge, read_bytes, replacing

MAX_BYTES = 64 * 2**20
MAX_MESSAGES = 4_000_000
MAX_SECONDS = 24 * 3600.0
TICKS_PER_BEAT = 960
_DEFAULT_TEMPO = 500_000


class SongError(ValueError):
    """A MIDI file that cannot be used; the text is one sentence."""


@dataclass(frozen=True)
class Song:
    """A MIDI file in time: message `data[i]` is due `times[i]` seconds after the start, in order."""

    name: str
    times: tuple[float, ...]
    data: tuple[bytes, ...]
    length_s: float
    tempo_times: tuple[float, ...] = (0.0,)
    tempos_bpm: tuple[float, ...] = (120.0,)

    @functools.cached_property
    def tempo_beats(self) -> tuple[float, ...]:
        """Beat, in quarter notes from the start, of each tempo change."""
        steps = zip(self.tempo_times, self.tempo_times[1:], self.tempos_bpm, strict=False)
        return tuple(itertools.accumulate(((then - now) * bpm / 60.0 for now, then, bpm in steps), initial=0.0))

    def _tempo(self, seconds: float) -> int:
        return max(0, bisect.bisect_right(self.tempo_times, seconds) - 1)

    def bpm_at(self, seconds: float) -> float:
        """Tempo in beats a minute at a time."""
        return self.tempos_bpm[self._tempo(seconds)]

    def beat_at(self, seconds: float) -> float:
        """Beat in quarter notes at a time."""
        index = self._tempo(seconds)
        return self.tempo_beats[index] + (seconds - self.tempo_times[index]) * self.tempos_bpm[index] / 60.0


def read_song(path: Path) -> Song:
    """Read a standard MIDI file of type 0 or 1.

    Raises:
        SongError: in one sentence, if it is no MIDI file, is cut short, or is larger than any music.
        OSError: the file cannot be read.
    """
    path = Path(path)
    try:
        content = read_bytes(path, MAX_BYTES, "MIDI file")
    except FileTooLarge as problem:
        raise SongError(str(problem)) from problem
    if not content:
        raise SongError(f"{path.name} is empty (0 bytes), so no MIDI file")
    if not content.startswith(b"MThd"):
        raise SongError(f"{path.name} is no MIDI file")
    try:
        file = mido.MidiFile(file=io.BytesIO(content), clip=True)
    except EOFError as problem:
        raise SongError(f"{path.name} is cut short") from problem
    except OSError as problem:
        if problem.errno is not None:
            raise
        raise SongError(f"{path.name} is damaged: {problem}") from problem
    except (ValueError, IndexError, KeyError, TypeError) as problem:
        raise SongError(f"{path.name} is damaged: {problem}") from problem
    if file.type == 2:
        raise SongError(f"{path.name} holds separate patterns (MIDI type 2), which no transport can play")
    return _timed(file, path.name)


def _timed(file: mido.MidiFile, name: str) -> Song:
    ticks_per_beat = file.ticks_per_beat
    if ticks_per_beat <= 0:
        raise SongError(f"{name} counts time in film frames; save it with ticks per beat")
    seconds, tempo = 0.0, _DEFAULT_TEMPO
    times: list[float] = []
    data: list[bytes] = []
    tempo_times, tempos = [0.0], [mido.tempo2bpm(_DEFAULT_TEMPO)]
    for message in mido.merge_tracks(file.tracks):
        seconds += mido.tick2second(message.time, ticks_per_beat, tempo)
        if seconds > MAX_SECONDS:
            raise SongError(f"{name} is longer than {MAX_SECONDS / 3600:.0f} hours")
        if message.type == "set_tempo":
            tempo = max(1, message.tempo)
            tempo_times.append(seconds)
            tempos.append(mido.tempo2bpm(tempo))
        elif not message.is_meta and is_channel_message(raw := bytes(message.bytes())):
            times.append(seconds)
            data.append(raw)
            if len(times) > MAX_MESSAGES:
                raise SongError(f"{name} holds more than {MAX_MESSAGES} messages")
    return Song(name, tuple(times), tuple(data), seconds, tuple(tempo_times), tuple(tempos))


Timed = tuple[float, bytes]
"""A message and its time in seconds."""


def write_midi(path: Path, events: Iterable[Timed], bpm: float = 120.0, *, song: Iterable[Timed] = ()) -> None:
    """Write messages at times in seconds, atomically: type 0, or type 1 with those of a `song` on a track of their own.

    Raises:
        OSError: the folder cannot be written.
    """
    tempo, second = mido.bpm2tempo(bpm), list(song)
    tracks = [_track(events, tempo, mido.MetaMessage("set_tempo", tempo=tempo))]
    if second:
        tracks.append(_track(second, tempo, mido.MetaMessage("track_name", name="Song")))
    file = mido.MidiFile(type=len(tracks) - 1, ticks_per_beat=TICKS_PER_BEAT, tracks=tracks)
    with replacing(path) as temporary:
        file.save(temporary)


def _track(events: Iterable[Timed], tempo: int, first: mido.MetaMessage) -> mido.MidiTrack:
    track = mido.MidiTrack([first])
    now = 0
    for seconds, data in events:
        ticks = max(now, round(mido.second2tick(seconds, TICKS_PER_BEAT, tempo)))
        track.append(mido.Message.from_bytes(data, time=ticks - now))
        now = ticks
    track.append(mido.MetaMessage("end_of_track"))
    return track
