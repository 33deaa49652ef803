"""The render thread: the instrument, block after block, ahead of the device.

Thread rule: everything that sounds is touched by this thread only. Others hand it functions with `call`, which run between
two blocks, and events with `post_midi`; neither ever waits. `output` is replaced by the device keeper's thread.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ddsp_studio.audio.events import HOP, LIVE, SONG, Cut, Event, Midi
from ddsp_studio.audio.instrument import Player, Smoother
from ddsp_studio.audio.keys import CC_NOTES_OFF, CC_RESET, CONTROL
from ddsp_studio.audio.master import Master
from ddsp_studio.audio.meters import Meters
from ddsp_studio.audio.output import Output
from ddsp_studio.audio.preview import PreviewPlayer
from ddsp_studio.audio.priority import raise_priority
from ddsp_studio.audio.renderer import Rendered, Renderer
from ddsp_studio.audio.song_player import SongPlayer, TransportView
from ddsp_studio.audio.telemetry import Telemetry
from ddsp_studio.audio.values import Turns
from ddsp_studio.audio.voices import VoiceAllocator
from ddsp_studio.audio.waiting_keys import WaitingKeys

Audio = npt.NDArray[np.float32]
_CUT_S = 0.005
_logger = logging.getLogger(__name__)


@dataclass
class Tap:
    """Listens to what the patch itself plays: `on_block(start, audio, events, heard)`, on the render thread, must not wait."""

    on_block: Callable[[int, Audio, list[Event], Audio | None], None]


class LiveThread(threading.Thread):
    """Renders into the current output for as long as the engine runs."""

    def __init__(self, page: Telemetry, output: Output, block: int, on_problem: Callable[[str], None]) -> None:
        """Make the thread; `start` begins with silence. `on_problem` takes one sentence and must not wait."""
        super().__init__(name="render", daemon=True)
        self.output, self.block, self.safety_blocks = output, block, 2
        self.renderer: Renderer | None = None
        self._waiting = WaitingKeys()
        self._turns: Turns = {}
        self._allocator: VoiceAllocator | None = None
        """Of what played before the sound was interrupted."""
        self.song = SongPlayer(output.sample_rate)
        self.preview = PreviewPlayer(output.sample_rate)
        self.position = 0
        self.tap: Tap | None = None
        self._meters, self._on_problem = Meters(page), on_problem
        self._calls: deque[Callable[[], None]] = deque()
        self._master = Master()
        self._dropout_base = self._dropouts_before = 0
        self._ending = False
        self._faults = 0
        self.view: TransportView = self.song.state(0)

    # -- any thread -------------------------------------------------------------------------------------------------------

    def call(self, function: Callable[[], None]) -> None:
        """Run a function on the render thread before the next block."""
        self._calls.append(function)

    def call_and_wait(self, function: Callable[[], None], timeout_s: float = 5.0) -> bool:
        """Run a function on the render thread and wait for it; False if it did not come to it in time."""
        done = threading.Event()
        self._calls.append(function)
        self._calls.append(done.set)
        return done.wait(timeout_s)

    def post_midi(self, seconds: float, data: bytes) -> None:
        """Play a channel message that happened at a `perf_counter` time."""
        renderer, sample = self.renderer, self.output.stream_sample(seconds)
        if renderer is not None:
            renderer.post(Midi(renderer.position if sample is None else sample, data, LIVE))
            return
        self._waiting.post(data)
        if (renderer := self.renderer) is not None:  # it came meanwhile
            self._press_waiting(renderer)

    def set_gain(self, gain_db: float) -> None:
        """Go to another master gain within a block."""
        self._master.set_gain(gain_db)

    def take_turned(self) -> dict[str, tuple[float, ...]]:
        """The knobs that MIDI controllers have turned since this was asked last, and where to."""
        renderer, found = self.renderer, dict[str, tuple[float, ...]]()
        while renderer is not None and renderer.sequencer.turned:
            name, values = renderer.sequencer.turned.popleft()
            found[name] = values
        return found

    @property
    def listens(self) -> bool:
        """Whether what plays hears the audio input."""
        renderer = self.renderer
        return renderer is not None and renderer.listens

    @property
    def dropouts(self) -> int:
        """Blocks of a patch that came too late since the counters were reset."""
        return self._dropouts_before + self.output.dropouts - self._dropout_base

    def _press_waiting(self, renderer: Renderer) -> None:
        for data in self._waiting.take():
            renderer.post(Midi(renderer.position, data, LIVE))

    # -- between two blocks, by `call` ------------------------------------------------------------------------------------

    def use_output(self, output: Output) -> None:
        """Go on in another output; a patch compiled for another rate falls silent."""
        self._dropouts_before = self.dropouts
        self._dropout_base = output.dropouts
        if output.sample_rate != self.song.sample_rate:
            self._fall_silent()
            song, self.song = self.song.song, SongPlayer(output.sample_rate)
            self.preview = PreviewPlayer(output.sample_rate)
            self.song.load(song, self.position)
        output.set_depth(self.block, self.safety_blocks)
        self.output = output

    def _fall_silent(self) -> None:
        if self.renderer is not None:
            self._allocator = self.renderer.allocator
        self.renderer = None

    def begin(self, player: Player, smoother: Smoother, voices: int, mode: str) -> None:
        """Play a first patch, or one after silence: keys that are held sound, those of the song have to be played again."""
        rate, held = self.song.sample_rate, self._allocator
        allocator = VoiceAllocator(voices, mode) if held is None else held.resized(voices, mode)
        renderer = Renderer(player, smoother, allocator, self.position, sample_rate=rate)
        if held is not None:
            for channel in range(16):
                for number in (CC_RESET, CC_NOTES_OFF):
                    renderer.post(Midi(self.position, bytes((CONTROL | channel, number, 0)), SONG))
        renderer.post(self.song.beat(self.position))
        renderer.sequencer.turns = self._turns
        self.renderer, self._allocator = renderer, None
        self._press_waiting(renderer)

    def use_turns(self, turns: Turns) -> None:
        """Let MIDI controllers turn these knobs from now on."""
        self._turns = turns
        if self.renderer is not None:
            self.renderer.sequencer.turns = turns

    def set_blocks(self, block: int, safety_blocks: int) -> None:
        """Render blocks of another length, or further ahead; the players must be warm for it."""
        self.block, self.safety_blocks = block, safety_blocks
        self.output.set_depth(block, safety_blocks)

    def cut(self) -> None:
        """Silence everything with a short fade."""
        self.song.stop(self.position)
        self.preview.stop()
        self._waiting.take()
        self._allocator = None
        self._master.stop_tone()
        if self.renderer is not None:
            hops = max(self.block // HOP, math.ceil(_CUT_S * self.song.sample_rate / HOP))
            hops = -(-hops * HOP // self.block) * self.block // HOP  # whole blocks, so that none is split
            self.renderer.post(Cut(self.position, hops))

    def sound_tone(self, seconds: float) -> None:
        """Sound a quiet 440 Hz."""
        self._master.sound_tone(seconds, self.song.sample_rate)

    def reset_counters(self) -> None:
        """Set dropouts and peak load to zero."""
        self._dropouts_before, self._dropout_base = 0, self.output.dropouts
        self._meters.reset_load()

    def end(self) -> None:
        """Fade out over the next blocks and stop."""
        self._master.fade_out()
        self._ending = True

    # -- the thread -------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Render until told to end."""
        raise_priority()
        while not (self._ending and self._master.silent):
            self._run_calls()
            output = self.output
            if not output.wanted():
                output.wait()
                continue
            try:
                block = self._next_block()
            except Exception:  # whatever a patch does, the clock and the pipes go on
                self._recover()
                block = np.zeros((2, self.block), np.float32)
                self.position += self.block
            output.write(block)
            if self.renderer is None:
                output.forgive()

    def _run_calls(self) -> None:
        while self._calls:
            try:
                self._calls.popleft()()
            except Exception:
                self._recover()

    def _recover(self) -> None:
        _logger.exception("a block failed")
        self._fall_silent()
        self._on_problem("The patch failed while playing and was taken off; change it or load another.")

    def _next_block(self) -> Audio:
        begin = time.perf_counter()
        length = self.block
        events: list[Event] = []
        audio = np.zeros((2, length), np.float32)
        song_events = self.song.events(self.position, self.position + length)
        rendered: Rendered | None = None
        heard = self.output.read_input(length)
        if self.renderer is not None:
            for event in song_events:
                self.renderer.post(event)
            rendered = self.renderer.render(length // HOP, heard)
            audio, events = rendered.audio, rendered.events
            self._note_fault(rendered.faulty)
        if self.tap is not None:
            self.tap.on_block(self.position, audio, events, heard)
        audio = self._master.process(audio, self.preview.block(length), self.song.sample_rate)
        self.position += length
        self.view = self.song.state(self.position)
        self._show(audio, heard, rendered, time.perf_counter() - begin)
        return audio

    def _note_fault(self, faulty: bool) -> None:
        if faulty and self._faults == 0:
            self._on_problem("The patch gave numbers that are no sound; it was silenced and started afresh.")
        # told again only after a second of good blocks
        self._faults = self.song.sample_rate // self.block if faulty else max(0, self._faults - 1)

    def _show(self, audio: Audio, heard: Audio | None, rendered: Rendered | None, seconds: float) -> None:
        rate = self.song.sample_rate
        self._meters.show_format(rate)
        self._meters.show_input(heard)
        if rendered is not None and self.renderer is not None:
            voices = self.renderer.allocator
            ceiling = 10.0 ** (-0.31 / 20.0)
            limiting = self._master.limiting or bool(np.abs(rendered.audio).max() >= ceiling)
            self._meters.show_patch(rendered.shown, voices.sounding, voices.velocities(), limiting)
        else:
            self._meters.show_nothing()
        self._meters.show_block(audio, seconds, audio.shape[1] / rate, self.dropouts)
