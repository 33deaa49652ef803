"""Records a take: the master output to WAV, what is played to .mid, and every event with its exact sample to .take.

What comes in is recorded, too, where the patch listens: to name.input.wav, in floating point, to be heard again exactly.

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
from ddsp_studio.audio.live import LiveThread, Tap
from ddsp_studio.audio.midi_file import write_midi
from ddsp_studio.audio.recorder import Recording, SoundRecorder
from ddsp_studio.audio.take import SUFFIX, Take, save_take
from ddsp_studio.processors.patch import Patch

_MAX_EVENTS = 2_000_000
_WRITE_S = 10.0
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recorded:
    """What was written: None for what could not be, and `problem` says why in one sentence."""

    sound: Path
    midi: Path | None
    take: Path | None
    seconds: float
    problem: str = ""


class TakeRecorder:
    """One take being recorded. `repeatable` says that it began in silence, so that a render gives the very same sound."""

    def __init__(self, stem: Path, live: LiveThread, patch: Patch, on_done: Callable[[Recorded], None]) -> None:
        """Prepare files beside `stem`; `on_done` is called when all is written."""
        self._stem, self._live, self._patch, self._on_done = stem, live, patch, on_done
        self._rate = live.song.sample_rate
        self._events: list[Event] = []
        self._shape = (1, "poly")
        self._start = self._length = 0
        self._bpm = 120.0
        self.repeatable = False
        self._input: SoundRecorder | None = None
        self._heard: Recording | None = None
        if live.listens:
            self._input = SoundRecorder(stem.with_name(stem.name + ".input.wav"), self._rate, self._input_done, "32f")
        # last, because its thread calls `_sound_done` at once where the file cannot be made
        self._sound = SoundRecorder(stem.with_name(stem.name + ".wav"), self._rate, self._sound_done)

    def start(self) -> None:
        """Begin with the next block (render thread, by `LiveThread.call`)."""
        live, renderer = self._live, self._live.renderer
        self._start, self._bpm = live.position, live.song.state(live.position).bpm
        if renderer is not None:
            self.repeatable = renderer.refresh()
            voices = renderer.allocator
            self._shape = (voices.voices, voices.mode)
            self._events.append(at(live.song.beat(live.position), 0))
            self._events += moves_to(renderer.sequencer.moved, 0)  # the patch is of a moment before
            for channel, data in voices.controllers.messages():
                self._events.append(Midi(0, data, channel // 16))
        live.tap = Tap(self._on_block)

    def _on_block(
        self, start: int, audio: npt.NDArray[np.float32], events: list[Event], heard: npt.NDArray[np.float32] | None
    ) -> None:
        self._sound.write(audio)
        if self._input is not None:
            self._input.write(np.zeros_like(audio) if heard is None else heard)
        self._length = start + audio.shape[1] - self._start
        if len(self._events) < _MAX_EVENTS:
            self._events += [at(event, event.sample - self._start) for event in events]

    def finish(self) -> None:
        """Stop and write the files; `on_done` follows on the writer's thread."""
        live = self._live
        live.call_and_wait(lambda: setattr(live, "tap", None))
        if self._input is not None:
            self._input.finish(_WRITE_S)  # first, for the take names it
        self._sound.finish()

    def _input_done(self, recording: Recording) -> None:
        self._heard = recording

    def _sound_done(self, recording: Recording) -> None:
        heard = self._heard
        problem = recording.problem or (heard.problem if heard else "")
        midi, take = (self._stem.with_name(self._stem.name + suffix) for suffix in (".mid", SUFFIX))
        try:
            write_midi(midi, self._messages(LIVE), self._bpm, song=self._messages(SONG))
            save_take(self._take(), take)
        except OSError as failure:
            problem = problem or f"The recorded notes cannot be written: {failure.strerror or failure}."
        seconds = recording.samples / self._rate
        self._on_done(Recorded(recording.path, _written(midi), _written(take), seconds, problem))

    def _messages(self, source: int) -> list[tuple[float, bytes]]:
        return [(e.sample / self._rate, e.data) for e in self._events if isinstance(e, Midi) and e.source == source]

    def _take(self) -> Take:
        heard = self._heard.path if self._heard else None
        return Take(self._patch, self._rate, *self._shape, self._length, tuple(self._events), heard)


def _written(path: Path) -> Path | None:
    return path if path.exists() else None
