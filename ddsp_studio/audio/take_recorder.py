"""Records a take: what the patch plays to WAV, what is played on it to .mid, and every event with its exact sample to .take.

What comes in is recorded, too, where the patch listens: to name.input.wav, in floating point, to be heard again exactly.
A journal holds the events until then, so that `rescue` can finish the take if the engine dies.

Thread rule: `start` and `on_block` run on the render thread and never wait; `finish` on a thread that may.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ddsp_studio.audio.events import LIVE, SONG, Event, Midi, at, moves_to
from ddsp_studio.audio.journal import Journal
from ddsp_studio.audio.live import LiveThread, Tap
from ddsp_studio.audio.midi_file import write_midi
from ddsp_studio.audio.recorder import Recording, SoundRecorder, part_of
from ddsp_studio.audio.take import SUFFIX, Take, save_take
from ddsp_studio.processors.patch import Patch

_MAX_EVENTS = 2_000_000
_WRITE_S = 10.0
_CHANGED = (
    "The patch or its voices changed while it was recorded: the sound file holds all of it, the take plays what it began with."
)
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recorded:
    """What was written: None for what could not be, and `problem` says why in one sentence."""

    sound: Path | None
    midi: Path | None
    take: Path | None
    seconds: float
    problem: str = ""


def named(stem: Path, suffix: str) -> Path:
    """A file of a take; its stem may hold dots."""
    return stem.with_name(stem.name + suffix)


def write_notes(stem: Path, take: Take, bpm: float) -> str:
    """Write .mid and .take of a take; "", or one sentence why that failed."""
    try:
        write_midi(named(stem, ".mid"), _messages(take, LIVE), bpm, song=_messages(take, SONG))
        save_take(take, named(stem, SUFFIX))
    except OSError as failure:
        return f"The recorded notes cannot be written: {failure.strerror or failure}."
    return ""


def _messages(take: Take, source: int) -> list[tuple[float, bytes]]:
    return [(e.sample / take.sample_rate, e.data) for e in take.events if isinstance(e, Midi) and e.source == source]


def existing(path: Path) -> Path | None:
    """The path of a file that is there."""
    return path if path.exists() else None


class TakeRecorder:
    """One take being recorded. `repeatable` says that it began in silence, so that a render gives the very same sound."""

    def __init__(self, stem: Path, live: LiveThread, patch: Patch, on_done: Callable[[TakeRecorder, Recorded], None]) -> None:
        """Prepare files beside `stem`. `on_done` is called once, on the writer's thread, when it ends, by whatever."""
        self._stem, self._live, self._patch, self._on_done = stem, live, patch, on_done
        self._rate = live.song.sample_rate
        self._events: list[Event] = []
        self._shape = (1, "poly")
        self._start = self._length = 0
        self._bpm = 120.0
        self._ended = self._changed = False
        self._began: object = None
        self.repeatable = False
        self._tap = Tap(self._on_block)
        self._journal = Journal(part_of(named(stem, SUFFIX)), self._rate, patch)
        self._input: SoundRecorder | None = None
        self._heard: Recording | None = None
        if live.listens:
            self._input = SoundRecorder(named(stem, ".input.wav"), self._rate, self._input_done, "32f")
        # last, because its thread calls `_sound_done` at once where the file cannot be made
        self._sound = SoundRecorder(named(stem, ".wav"), self._rate, self._sound_done, on_written=self._journal.flush)

    def start(self) -> None:
        """Begin with the next block (render thread, by `LiveThread.call`)."""
        if self._ended:
            return
        live, renderer = self._live, self._live.renderer
        self._start, self._bpm = live.position, live.song.state(live.position).bpm
        first: list[Event] = []
        if renderer is not None:
            self.repeatable = renderer.refresh()
            voices = renderer.allocator
            self._shape = (voices.voices, voices.mode)
            first.append(at(live.song.beat(live.position), 0))
            first += moves_to(renderer.sequencer.moved, 0)  # the patch is of a moment before
            for channel, data in voices.controllers.messages():
                first.append(Midi(0, data, channel // 16))
        self._began = self._instrument()
        self._journal.begin(*self._shape, self._bpm)
        self._note(first)
        live.tap = self._tap

    def _on_block(
        self, start: int, audio: npt.NDArray[np.float32], events: list[Event], heard: npt.NDArray[np.float32] | None
    ) -> None:
        self._note([at(event, event.sample - self._start) for event in events])
        self._sound.write(audio)
        if self._input is not None:
            self._input.write(np.zeros_like(audio) if heard is None else heard)
        self._length = start + audio.shape[1] - self._start

    def _note(self, events: list[Event]) -> None:
        if len(self._events) < _MAX_EVENTS:
            self._events += events
            self._journal.add(events)

    @property
    def begun(self) -> bool:
        """Whether it has sound, so that there is something to keep."""
        return self._length > 0

    def _instrument(self) -> object:
        """What plays and how; a take holds one from beginning to end."""
        renderer = self._live.renderer
        return renderer and (renderer.player, renderer.allocator.voices, renderer.allocator.mode)

    def _let_go(self) -> None:
        if self._live.tap is self._tap:
            self._live.tap = None
            self._changed = self._instrument() != self._began

    def finish(self) -> None:
        """Stop, and wait a while until the files are written."""
        self._live.call_and_wait(self._let_go)
        self._sound.finish(_WRITE_S)

    def _input_done(self, recording: Recording) -> None:
        self._heard = recording

    def _sound_done(self, recording: Recording) -> None:
        self._ended = True
        self._live.call(self._let_go)
        if self._input is not None:
            self._input.finish(_WRITE_S)  # first, for the take names it
        heard, self._heard = self._heard, None
        problem = recording.problem or (heard.problem if heard else "")
        if recording.path is None:
            self._journal.close(remove=True)
            if heard is not None and heard.path is not None:
                heard.path.unlink(missing_ok=True)
            self._on_done(self, Recorded(None, None, None, 0.0, problem))
            return
        listened = heard.path if heard else None
        length = min(self._length, recording.samples + recording.missing)
        take = Take(self._patch, self._rate, *self._shape, length, tuple(self._events), listened)
        failure = write_notes(self._stem, take, self._bpm)
        self._journal.close(remove=not failure)
        problem = problem or failure or (_CHANGED if self._changed else "")
        midi, notes = (existing(named(self._stem, suffix)) for suffix in (".mid", SUFFIX))
        self._on_done(self, Recorded(recording.path, midi, notes, recording.samples / self._rate, problem))
