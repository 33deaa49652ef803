"""The transport: where a song is in the stream, which of its messages fall into the next block, and where the beat is.

While the transport plays, the clock is the song's: its beats and its tempo, through seeks and loops. While it stands still the
clock counts freely, from beat 0, at the tempo that is set. Each turn of the clock is an event, `Beat`.

Thread rule: owned by the render thread; `state` returns plain data that any thread may be given.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass

from ddsp_studio.audio import keys as midi
from ddsp_studio.audio.events import SONG, Beat, Midi
from ddsp_studio.audio.midi_file import Song
from ddsp_studio.processors.performance import BPM

SLOWEST, FASTEST = 0.25, 4.0
_SHORTEST_LOOP_S = 0.01


@dataclass(frozen=True)
class TransportView:
    """Where the transport is."""

    song: str
    playing: bool
    looping: bool
    tempo: float
    position_s: float
    length_s: float
    bpm: float


class SongPlayer:
    """Plays a song into the stream: `tempo` is a ratio of the song's own tempo."""

    def __init__(self, sample_rate: int) -> None:
        self.sample_rate = sample_rate
        self.song: Song | None = None
        self.playing, self.looping, self.tempo = False, False, 1.0
        self._index = 0
        self._anchor_sample, self._anchor_s = 0, 0.0
        self._tempo_index = 0
        self._free = Beat(0, 0.0, BPM, False)
        self._down: set[tuple[int, int]] = set()
        self._pending: list[Midi | Beat] = []

    # -- commands: each takes the stream sample at which it acts ----------------------------------------------------------

    def load(self, song: Song | None, now: int) -> None:
        """Put a song on the transport, at its start and stopped."""
        self.stop(now)
        self.song = song
        self._locate(now, 0.0)
        self._turn(now)

    def play(self, now: int) -> None:
        """Play from where the transport stands; from the start if it stands at the end."""
        if self.song is None or self.playing:
            return
        if self._anchor_s >= self.song.length_s:
            self._anchor_s = 0.0
        self._locate(now, self._anchor_s)
        self._chase(now)
        self.playing = True
        self._turn(now)

    def stop(self, now: int) -> None:
        """Stop where the transport is; the song's keys are let go."""
        if self.playing:
            self._locate(now, self.position_s(now))
            self.playing = False
            self._run_freely(now)
        self._silence(now)

    def seek(self, now: int, seconds: float) -> None:
        """Go to a time of the song; what its wheels and pedals did before is caught up."""
        length = self.song.length_s if self.song else 0.0
        self._silence(now)
        self._locate(now, min(max(seconds, 0.0), length))
        if self.playing:
            self._chase(now)
        self._turn(now)

    def set_tempo(self, now: int, ratio: float) -> None:
        """Play at another ratio of the song's tempo, 0.25 to 4, from now on."""
        position, free = self.position_s(now), self.beat(now).beat
        self.tempo = min(max(ratio, SLOWEST), FASTEST)
        self._anchor_sample, self._anchor_s = now, position
        self._turn(now, free)

    # -- questions --------------------------------------------------------------------------------------------------------

    def position_s(self, now: int) -> float:
        """Song time in seconds at a stream sample."""
        if not self.playing or self.song is None:
            return self._anchor_s
        return min(self._anchor_s + (now - self._anchor_sample) / self.sample_rate * self.tempo, self.song.length_s)

    def state(self, now: int) -> TransportView:
        """Where the transport is at a stream sample."""
        song, position = self.song, self.position_s(now)
        length = song.length_s if song else 0.0
        return TransportView(
            song.name if song else "", self.playing, self.looping, self.tempo, position, length, self._bpm(position)
        )

    def beat(self, now: int) -> Beat:
        """Where the clock is at a stream sample, and how it goes on from there."""
        if self.playing and self.song is not None:
            position = self.position_s(now)
            return Beat(now, self.song.beat_at(position), self._bpm(position), True)
        beats = (now - self._free.sample) * self._free.bpm / (60.0 * self.sample_rate)
        return Beat(now, self._free.beat + beats, self._free.bpm, False)

    def events(self, start: int, stop: int) -> list[Midi | Beat]:
        """The song's messages and turns of the clock in stream samples [start, stop), in order; moves the transport on."""
        due, self._pending = self._pending, []
        while self.playing and self.song is not None:
            end = self._sample_of(self.song.length_s)
            due += self._collect(min(stop, end + 1))
            if end >= stop:
                break
            self._silence(max(start, end))
            due += self._take_pending()
            if not self.looping or self.song.length_s < _SHORTEST_LOOP_S:
                self.playing = False
                self._anchor_s = self.song.length_s
                self._run_freely(max(start, end))
                due += self._take_pending()
                break
            self._locate(end, 0.0)
            self._turn(end)
            due += self._take_pending()
        return due

    # -- inside -----------------------------------------------------------------------------------------------------------

    def _sample_of(self, seconds: float) -> int:
        return self._anchor_sample + round((seconds - self._anchor_s) / self.tempo * self.sample_rate)

    def _bpm(self, seconds: float) -> float:
        return (self.song.bpm_at(seconds) if self.song else BPM) * self.tempo

    def _turn(self, now: int, free_beat: float | None = None) -> None:
        """Tell where the clock is from now on; while it runs freely, at the tempo of where the transport stands."""
        if not self.playing:
            beat = self.beat(now).beat if free_beat is None else free_beat
            self._free = Beat(now, beat, self._bpm(self._anchor_s), False)
        self._pending.append(self.beat(now))

    def _run_freely(self, now: int) -> None:
        """Let the clock count by itself, from beat 0."""
        self._free = Beat(now, 0.0, self._bpm(self._anchor_s), False)
        self._pending.append(self._free)

    def _tempo_changes(self, stop: int) -> list[Beat]:
        found: list[Beat] = []
        song = self.song
        while song is not None and self._tempo_index < len(song.tempo_times):
            sample = self._sample_of(song.tempo_times[self._tempo_index])
            if sample >= stop:
                break
            bpm = song.tempos_bpm[self._tempo_index] * self.tempo
            found.append(Beat(sample, song.tempo_beats[self._tempo_index], bpm, True))
            self._tempo_index += 1
        return found

    def _collect(self, stop: int) -> list[Midi | Beat]:
        found: list[Midi | Beat] = [*self._tempo_changes(stop)]
        song = self.song
        while song is not None and self._index < len(song.times):
            sample = self._sample_of(song.times[self._index])
            if sample >= stop:
                break
            data = song.data[self._index]
            self._index += 1
            self._follow(data)
            found.append(Midi(sample, data, SONG))
        return sorted(found, key=lambda event: event.sample)

    def _follow(self, data: bytes) -> None:
        key = (data[0] & 0x0F, data[1])
        if data[0] & 0xF0 == midi.NOTE_ON and data[2]:
            self._down.add(key)
        elif data[0] & 0xF0 in (midi.NOTE_ON, midi.NOTE_OFF):
            self._down.discard(key)

    def _locate(self, now: int, seconds: float) -> None:
        self._anchor_sample, self._anchor_s = now, seconds
        self._index = bisect.bisect_left(self.song.times, seconds) if self.song else 0
        self._tempo_index = bisect.bisect_right(self.song.tempo_times, seconds) if self.song else 0

    def _silence(self, now: int) -> None:
        """Let go of everything that the song holds."""
        if self.song is None:
            return
        for channel, note in sorted(self._down):
            self._pending.append(Midi(now, bytes((midi.NOTE_OFF | channel, note, 0)), SONG))
        self._down.clear()
        for channel in sorted({data[0] & 0x0F for data in self.song.data}):
            for number in (midi.CC_RESET, midi.CC_NOTES_OFF):
                self._pending.append(Midi(now, bytes((midi.CONTROL | channel, number, 0)), SONG))

    def _chase(self, now: int) -> None:
        """Bring wheels and pedals to where the song has put them by now."""
        last: dict[tuple[int, ...], bytes] = {}
        for data in self.song.data[: self._index] if self.song else ():
            kind = data[0] & 0xF0
            if kind == midi.CONTROL and data[1] < midi.CC_SOUND_OFF:
                last[(data[0], data[1])] = data
            elif kind in (midi.BEND, midi.CHANNEL_PRESSURE):
                last[(data[0],)] = data
        self._pending += [Midi(now, data, SONG) for data in last.values()]

    def _take_pending(self) -> list[Midi | Beat]:
        pending, self._pending = self._pending, []
        return pending
