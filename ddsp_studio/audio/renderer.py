"""The renderer: one instrument that sounds, block after block. Live playing and offline rendering both use it.

It owns the player (a compiled patch) and the sequencer, swaps players with a crossfade, cuts the sound on demand and
keeps numbers that are none from reaching anyone's ears.

Thread rule: owned by one thread, the one that renders; only `post` may be called by others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ddsp_studio.audio.beat import BeatLine
from ddsp_studio.audio.events import HOP, Cut, Event
from ddsp_studio.audio.instrument import Block, Frames, Player, Smoother
from ddsp_studio.audio.sequencer import Sequencer
from ddsp_studio.audio.voices import VoiceAllocator

SILENCE = 10.0 ** (-90.0 / 20.0)
"""Amplitude under which a block counts as silent."""


@dataclass(frozen=True)
class Rendered:
    """A block that was rendered: audio [2, samples], the meters of its player, the events in it, and how it went."""

    audio: npt.NDArray[np.float32]
    shown: Block
    events: list[Event]
    faulty: bool = False
    """The player gave numbers that are none; the block was silenced and the player started afresh."""


@dataclass(frozen=True)
class _Incoming:
    player: Player
    smoother: Smoother
    shape: tuple[int, str] | None
    adopts: bool


class Renderer:
    """Plays one patch from sample 0 of its stream on. `position` is the next sample to render, a whole hop."""

    def __init__(
        self, player: Player, smoother: Smoother, allocator: VoiceAllocator, position: int = 0, *, sample_rate: int
    ) -> None:
        self.player = player
        self.sequencer = Sequencer(allocator, player.columns, smoother, BeatLine(sample_rate, position))
        self.position = position
        self.origin = position
        """Sample at which the player last started from nothing: a render from there repeats what was heard since."""
        self.quiet = True
        """Whether the last block was silent with no key down."""
        self._smoother = smoother
        self._incoming: _Incoming | None = None
        self._fading: Cut | None = None

    @property
    def allocator(self) -> VoiceAllocator:
        """The voice allocator in use."""
        return self.sequencer.allocator

    def post(self, event: Event) -> None:
        """Add an event (any thread)."""
        self.sequencer.post(event)

    def swap(self, player: Player, smoother: Smoother, *, shape: tuple[int, str] | None = None, adopt: bool = True) -> None:
        """Play another patch from the next block on, faded in over that block at equal gain.

        With `adopt` it takes over the running state of unchanged nodes. `shape` is another voice count and mode.
        """
        self._incoming = _Incoming(player, smoother, shape, adopt)

    def reshape(self, voices: int, mode: str) -> None:
        """Give out voices in another mode; the voice count must be the player's."""
        self.sequencer.allocator = self.allocator.resized(voices, mode, fading=True)

    def refresh(self) -> bool:
        """Start player and voices from nothing if nothing sounds, so that what follows can be repeated exactly."""
        if self.quiet and self._incoming is None and self._fading is None:
            self._start_over()
            return True
        return False

    @property
    def listens(self) -> bool:
        """Whether the patch hears the audio input."""
        return self.player.listens

    def render(self, hops: int, heard: Frames | None = None) -> Rendered:
        """Render the next `hops` hops, with [2, samples] coming in. Cuts may split the block; live they never do."""
        stop = self.position + hops * HOP
        if self._next_edge(stop) == stop:
            return self._render_piece(hops, heard)
        # pieces of one hop: only one more block length to compile, wherever the cuts lie
        parts = [None] * hops if heard is None else np.split(heard, hops, axis=1)
        pieces = [self._render_piece(1, part) for part in parts]
        audio = np.concatenate([piece.audio for piece in pieces], axis=1)
        events = [event for piece in pieces for event in piece.events]
        return Rendered(audio, pieces[-1].shown, events, any(piece.faulty for piece in pieces))

    def _next_edge(self, stop: int) -> int:
        """Where the next piece ends: where a cut begins, where one has faded, or at the block's end."""
        if self._fading is not None:
            return min(stop, self._fading.sample + self._fading.hops * HOP)
        cut = self.sequencer.next_cut(stop)
        if cut is None:
            return stop
        begin = max(self.position, cut.sample // HOP * HOP)
        return begin if begin > self.position else min(stop, begin + cut.hops * HOP)

    def _render_piece(self, hops: int, heard: Frames | None) -> Rendered:
        incoming, self._incoming = self._incoming, None
        old_player, old_smoother, old_allocator = self.player, self._smoother, self.allocator
        if incoming is not None:
            self._install(incoming)
        due = self.sequencer.block(self.position, hops)
        shown = self.player.render(due.values, due.performance, due.clock, heard)
        audio = shown.audio
        if incoming is not None:
            performance = due.performance
            if old_allocator is not self.allocator:
                old_allocator.silence()
                performance = old_allocator.frames([], self.position // HOP, hops)
            before = old_player.render(old_smoother.frames(hops), performance, due.clock, heard).audio
            audio = _crossfade(np.nan_to_num(before), audio)
        # an Output makes silence of what is no number, and would hide a patch that has come to nothing else
        if faulty := not (np.isfinite(audio).all() and np.isfinite(shown.levels).all()):
            audio = np.zeros_like(audio)
            self.player.reset()
        if due.cut is not None and self._fading is None:
            self._fading = Cut(self.position, due.cut.hops)
        self.position += hops * HOP
        audio = self._faded(audio)
        self.quiet = not self.allocator.sounding and float(np.abs(audio).max(initial=0.0)) < SILENCE
        return Rendered(audio, shown, due.events, faulty)

    def _install(self, incoming: _Incoming) -> None:
        if incoming.adopts:
            incoming.player.adopt(self.player)
        self.player, self._smoother = incoming.player, incoming.smoother
        self.sequencer.use(incoming.player.columns, incoming.smoother)
        if incoming.shape is not None:
            self.sequencer.allocator = self.allocator.resized(*incoming.shape, fading=incoming.adopts)

    def _faded(self, audio: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Fade a piece that ends at `position`, if a cut is under way; at the cut's end everything starts over."""
        if self._fading is None:
            return audio
        done, length = self.position - self._fading.sample, self._fading.hops * HOP
        ramp = 1.0 - np.arange(done - audio.shape[1] + 1, done + 1, dtype=np.float32) / length
        if done >= length:
            self._fading = None
            self._start_over()
        return (audio * ramp).astype(np.float32)

    def _start_over(self) -> None:
        self.player.reset()
        held = self.allocator
        self.sequencer.allocator = held.resized(held.voices, held.mode)
        self.origin = self.position


def _crossfade(old: npt.NDArray[np.float32], new: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """From one block [2, samples] to the other at equal gain: the two sound alike where a patch was edited."""
    ramp = (np.arange(new.shape[1], dtype=np.float32) + 1.0) / new.shape[1]
    mixed: npt.NDArray[np.float32] = (old + (new - old) * ramp).astype(np.float32)
    return mixed
