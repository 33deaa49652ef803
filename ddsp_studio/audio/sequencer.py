"""The sequencer: events from all sources, merged and cut into blocks of value frames, performance frames and the clock.

The live render thread and the offline renderer both drive a patch through it, so that a take and its offline render are
made of the same numbers.

Thread rule: `post` may be called on any thread and never waits. Everything else belongs to the thread that renders.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ddsp_studio.audio.beat import BeatLine
from ddsp_studio.audio.events import HOP, Beat, Cut, Event, Midi, Move, at
from ddsp_studio.audio.instrument import Frames, Smoother
from ddsp_studio.audio.keys import CONTROL
from ddsp_studio.audio.values import Turns
from ddsp_studio.audio.voices import VoiceAllocator

_MOST_TURNED = 4096


@dataclass(frozen=True)
class Due:
    """One block's input: value frames [hops, columns], performance [voices, hops, 7], clock [1, hops, 3], and their events."""

    values: Frames
    performance: Frames
    clock: npt.NDArray[np.float64]
    events: list[Event]
    cut: Cut | None = None


class Sequencer:
    """Holds events until their block comes and turns them into frames."""

    def __init__(self, allocator: VoiceAllocator, columns: Mapping[str, slice], smoother: Smoother, beat: BeatLine) -> None:
        self.allocator = allocator
        self._beat = beat
        self._columns, self._smoother = columns, smoother
        self._arrived: deque[Event] = deque()
        self._waiting: list[tuple[int, int, Event]] = []
        self._count = 0
        self.moved: dict[str, tuple[float, ...]] = {}
        """Where knobs have gone to since the player began."""
        self.turns: Turns = {}
        """What MIDI controllers turn."""
        self.turned: deque[tuple[str, tuple[float, ...]]] = deque(maxlen=_MOST_TURNED)
        """What they have turned, for whoever shows it (any thread may take it from there)."""

    def post(self, event: Event) -> None:
        """Add an event (any thread). One whose time has passed acts at the start of the next block."""
        self._arrived.append(event)

    def use(self, columns: Mapping[str, slice], smoother: Smoother) -> None:
        """From the next block on, write values for another player's columns."""
        self._columns, self._smoother = columns, smoother
        self.moved = {}

    def next_cut(self, before: int) -> Cut | None:
        """The first waiting cut before a sample, or None."""
        self._sort_in()
        cuts = [entry for entry in self._waiting if isinstance(entry[2], Cut) and entry[0] < before]
        cut = min(cuts)[2] if cuts else None
        return cut if isinstance(cut, Cut) else None

    def block(self, start: int, hops: int) -> Due:
        """The frames of the block of `hops` hops at sample `start`; its events carry the sample at which they acted.

        A cut acts at the block's start; the renderer cuts blocks so that it lies there.
        """
        self._sort_in()
        stop, due = start + hops * HOP, []
        while self._waiting and self._waiting[0][0] < stop:
            sample, _, event = heapq.heappop(self._waiting)
            due.append(at(event, max(sample, start)))
        notes: list[Midi] = []
        beats: list[Beat] = []
        rows: list[Frames] = []
        done, cut = 0, None
        for event in due:
            moves: list[Move] = []
            if isinstance(event, Midi):
                notes.append(event)
                moves = self._turned(event)
            elif isinstance(event, Beat):
                beats.append(event)
            elif isinstance(event, Cut):
                cut = event
                notes.clear()
                self.allocator.silence()
            else:
                moves = [event]
            # knobs go on to the hop of the move first: what a smoother does then depends on no block
            frame = (event.sample - start) // HOP
            if moves and frame > done:
                rows.append(self._smoother.frames(frame - done))
                done = frame
            for move in moves:
                self._move(move)
        rows.append(self._smoother.frames(hops - done))
        values = rows[0] if len(rows) == 1 else np.concatenate(rows)
        first = start // HOP
        return Due(values, self.allocator.frames(notes, first, hops), self._beat.frames(beats, first, hops), due, cut)

    def _turned(self, event: Midi) -> list[Move]:
        """The knobs that a MIDI controller turns, where the patch says so."""
        if event.data[0] & 0xF0 != CONTROL or event.data[1] not in self.turns:
            return []
        channel, moves = (event.data[0] & 0x0F) + 1, []
        for own, name, control, width in self.turns[event.data[1]]:
            if own in (0, channel):
                values = (float(control.from_knob(event.data[2] / 127.0)),) * width
                self.turned.append((name, values))
                moves.append(Move(event.sample, name, values))
        return moves

    def _move(self, move: Move) -> None:
        column = self._columns.get(move.name)
        if column is not None and column.stop - column.start == len(move.values):
            self._smoother.set(column, np.asarray(move.values, np.float32), 0)
            self.moved[move.name] = move.values

    def _sort_in(self) -> None:
        while self._arrived:
            event = self._arrived.popleft()
            self._count += 1
            heapq.heappush(self._waiting, (event.sample, self._count, event))
