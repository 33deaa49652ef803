"""A patch that sounds: its compiled function, its running state, and the values of its knobs.

The engine's render thread and the offline renderer both drive a `Player`, block by block. Thread rule: build, `warm` and
`refresh` it on any one thread; `render`, `adopt` and `reset` on the one thread that renders; `improve` on a third.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.tensor import HOP, tf
from ddsp_studio.processors.block import GroupState
from ddsp_studio.processors.check import values_of
from ddsp_studio.processors.declare import Control, Law
from ddsp_studio.processors.free_clock import free_clock
from ddsp_studio.processors.group import Column, ProcessorGroup, Weights, packed
from ddsp_studio.processors.patch import Patch
from ddsp_studio.processors.performance import CHANNELS, INPUT_WIDTH
from ddsp_studio.processors.tracer import Here, Tracer, Work
from ddsp_studio.processors.tracing import configure_runtime
from ddsp_studio.processors.ways import Compiler

Array = npt.NDArray[np.float32]
RAMP_HOPS = 8
"""Hops over which a moved knob travels (10.7 ms at 48 kHz): too short to wait for, too long to click."""


class Block(NamedTuple):
    """What was rendered: audio [2, samples], each node's peak [nodes], partial amplitudes [n] of the loudest voice and its f0."""

    audio: Array
    levels: Array
    partials: Array
    f0_hz: float


class Player:
    """A patch ready to be played by `voices` voices."""

    def __init__(self, patch: Patch, *, sample_rate: int, voices: int, jit: bool = False, tracer: Tracer | None = None) -> None:
        """Build the processors of a patch; `warm` then compiles.

        Args:
            patch: the document.
            sample_rate: Hz.
            voices: notes that can sound at once.
            jit: compile the whole patch as one XLA program: slow to be ready, right for a GPU.
            tracer: makes the functions; in this process where none is given.

        Raises:
            PatchError: naming node, port and reason.
        """
        configure_runtime()
        self.voices, self._rate = voices, sample_rate
        self._hops_played = 0
        self._compiler = Compiler.WHOLE if jit else Compiler.NODES
        self._tracer = tracer or Here()
        self._group = ProcessorGroup(patch, sample_rate=sample_rate)
        self.patch = self._group.patch
        self.layout: dict[str, Column] = dict(self._group.columns)
        self.columns: dict[str, slice] = {name: column.columns for name, column in self.layout.items()}
        self.values: Array = self._initial_values()
        self.nodes: list[str] = list(self._group.order)
        self.partials_node: str = self._group.partials_node
        self.latency_samples: int = self._group.latency
        self.tail_s: float = self._group.tail_s()
        self.listens: bool = any(name in self._group.listening for name in self.nodes)
        self._modulated = [column for column in self.layout.values() if column.modulated]
        self._functions: dict[int, Any] = {}
        self._work: dict[int, Work] = {}
        self._traced: dict[int, Any] = {}
        self._whole: dict[int, Any] = {}
        self._start: GroupState = self._group.start(voices)
        self._state: list[Any] = tf.nest.flatten(self._start)
        self._derived: list[Any] = tf.nest.flatten(self._group.derive_own())
        self._coming: list[Any] | None = None

    def _initial_values(self) -> Array:
        values = np.zeros(self._group.width, np.float32)
        for name in self._group.order:
            for key, numbers in values_of(self.patch.nodes[name], name).items():
                values[self.columns[f"{name}.{key}"]] = numbers
        for cable in self.patch.cables:
            if (column := self.columns.get(f"{cable.source}->{cable.target}")) is not None:
                values[column] = cable.amount
        return values

    def warm(self, hops: int) -> None:
        """Compile for blocks of `hops` hops, and run one on a state of its own, so that the first real block is quick.

        Nodes that XLA has compiled before, in this patch or another, are used as they are.
        """
        if hops not in self._functions:
            self._compile(hops)

    def improve(self, hops: int, apart: Callable[[Callable[[], Any]], Any] = lambda run: run()) -> bool:
        """Compile one more node, or at last the whole, by XLA; False when there is nothing to do. For a thread of its own.

        A node takes up to a second and serves every later patch at once, the whole takes some seconds. `refresh` puts it to use.

        Args:
            hops: of a block. apart: runs a function that computes for long in the thread that calls it, and waits for it.
        """
        if hops in self._work and self._work[hops].compile():
            return True
        function = self._traced.get(hops)
        if function is not None:
            apart(functools.partial(function, *self._blank(hops)))
            self._whole[hops] = self._traced.pop(hops)
        return function is not None

    def refresh(self, hops: int) -> bool:
        """Use what XLA has compiled from the next block on; True if there is more to improve.

        State and sound stay as they are, but for rounding.
        """
        if hops in self._whole or self._compiler is Compiler.WHOLE:
            self._functions[hops] = self._whole.get(hops, self._functions[hops])
            return False
        if hops in self._work:
            self._compile(hops)
        if self.nodes_left(hops):
            return True
        self._traced[hops], _ = self._tracer.trace(self._group, self.voices, hops, Compiler.WHOLE)
        return True

    def nodes_left(self, hops: int) -> bool:
        """Whether nodes are played by TensorFlow's own executor still, in blocks of `hops` hops."""
        return hops in self._work

    def _compile(self, hops: int) -> None:
        function, work = self._tracer.trace(self._group, self.voices, hops, self._compiler)
        function(*self._blank(hops))
        self._functions[hops] = function
        if work.keys:
            self._work[hops] = work
        else:
            self._work.pop(hops, None)

    def _blank(self, hops: int) -> list[Any]:
        """Arguments for a first run, on a state of its own."""
        values, clock = np.tile(self._encoded(self.values[None]), (hops, 1)), free_clock(0, hops, self._rate)
        given = packed(values, np.zeros([self.voices, hops, len(CHANNELS)]), clock, np.zeros([1, hops, INPUT_WIDTH]))
        return [tf.constant(given), *tf.nest.flatten(self._start), *self._derived]

    def render(
        self, values: Array, performance: Array, clock: npt.NDArray[np.float64] | None = None, heard: Array | None = None
    ) -> Block:
        """Render the next block.

        Args:
            values: a row for each hop, in real units, [hops, columns] float32.
            performance: [voices, hops, 7] float32; see `performance.py`.
            clock: [1, hops, 3] float64; where it is left out it counts from the player's first block, at 120 bpm.
            heard: the audio input, left and right, [2, samples]; silence where it is left out.
        """
        hops = values.shape[0]
        if hops not in self._functions:
            self.warm(hops)
        beat = free_clock(self._hops_played, hops, self._rate) if clock is None else clock
        self._hops_played += hops
        sound = np.zeros((1, hops, INPUT_WIDTH), np.float32) if heard is None else input_frames(heard)
        given = [tf.constant(packed(self._encoded(values), performance, beat, sound)), *self._state]
        before = self._derived
        coming, self._coming = self._coming, None
        self._derived = before if coming is None else coming
        audio, shown, *self._state = self._functions[hops](*given, *self._derived)
        played: Array = audio.numpy()
        if coming is not None:
            faded = self._functions[hops](*given, *before)[0].numpy()
            played = faded + (played - faded) * (np.arange(1, played.shape[1] + 1, dtype=np.float32) / played.shape[1])
        numbers, count = shown.numpy(), len(self.nodes)
        return Block(played, numbers[:count], numbers[count:-1], float(numbers[-1]))

    def use_weights(self, weights: Weights) -> None:
        """Play with other weights from the next block on (any thread): arrays by node and name, of the shapes that are in use."""
        self._derived = tf.nest.flatten(self._group.derive(weights))

    def reload_weights(self) -> None:
        """Read the weights of models again (any thread); the next block fades to them.

        Raises:
            PatchError: a model cannot be read any more, or does not fit; what plays stays as it is.
        """
        self._coming = tf.nest.flatten(self._group.derive(self._group.read_weights()))

    def _encoded(self, values: Array) -> Array:
        if not self._modulated:
            return values.astype(np.float32, copy=False)
        encoded = values.astype(np.float32)
        for column in self._modulated:
            if column.control is not None:
                encoded[:, column.columns] = knob_of(column.control, encoded[:, column.columns])
        return encoded

    def adopt(self, other: Player) -> None:
        """Take over the running state of every node, cable and outlet that is the same in `other`, so that it sounds on."""
        if other.voices != self.voices:
            return
        mine, theirs = self._structured(), other._structured()
        nodes = {
            name: theirs.nodes[name] if self._same(other, name, mine.nodes[name], theirs.nodes.get(name)) else memory
            for name, memory in mine.nodes.items()
        }
        frames = {k: theirs.frames[k] if _alike(v, theirs.frames.get(k)) else v for k, v in mine.frames.items()}
        delays = {k: theirs.delays[k] if _alike(v, theirs.delays.get(k)) else v for k, v in mine.delays.items()}
        self._state = tf.nest.flatten(GroupState(nodes, frames, delays, mine.values))

    def _structured(self) -> GroupState:
        state: GroupState = tf.nest.pack_sequence_as(self._start, self._state)
        return state

    def _same(self, other: Player, name: str, mine: Any, theirs: Any) -> bool:
        held, running = self.patch.nodes[name], other.patch.nodes.get(name)
        return running is not None and (held.type, held.options) == (running.type, running.options) and _alike(mine, theirs)

    def release(self) -> None:
        """Let go of the state; it plays no more."""
        self._state, self._derived, self._coming = [], [], None

    def reset(self) -> None:
        """Forget all that sounds."""
        self._hops_played = 0
        self._state = tf.nest.flatten(self._start)


def _alike(mine: Any, theirs: Any) -> bool:
    """Whether two pieces of state have the same structure, shapes and types."""
    if theirs is None:
        return False
    a, b = tf.nest.flatten(mine), tf.nest.flatten(theirs)
    return len(a) == len(b) and all(x.shape == y.shape and x.dtype == y.dtype for x, y in zip(a, b, strict=True))


def input_frames(heard: Array) -> Array:
    """The audio input, left and right [2, samples], as frames [1, hops, 128]."""
    return np.ascontiguousarray(heard.reshape(2, -1, HOP).transpose(1, 0, 2).reshape(1, -1, INPUT_WIDTH), np.float32)


def knob_of(control: Control, values: Array) -> Array:
    """Knob positions of an array of values, held to 0..1."""
    held = np.clip(values, control.low, control.high)
    if control.law is Law.OCTAVES:
        knob = np.log(held / control.low) / math.log(control.high / control.low)
    else:
        knob = (held - control.low) / (control.high - control.low)
        knob = np.log1p(knob * 999.0) / math.log(1000.0) if control.law is Law.CURVED else knob
    return np.asarray(knob, np.float32)


class Smoother:
    """The values of a player's knobs over time: each move is a straight line in knob space over RAMP_HOPS hops.

    Counted in hops, so that the block length changes nothing. Thread rule: render thread only.
    """

    def __init__(self, player: Player) -> None:
        """Start from the patch's own values."""
        self._layout = {(c.columns.start, c.columns.stop): c.control for c in player.layout.values()}
        self._values = player.values.copy()
        self._moves: dict[tuple[int, int], tuple[Control | None, Array, Array, int]] = {}

    def set(self, columns: slice, values: Array | list[float], hop: int = 0) -> None:
        """Move a knob, `hop` hops after the start of the next block, to values in real units, one a column."""
        key = (columns.start, columns.stop)
        control, goal = self._layout[key], np.asarray(values, np.float32)
        now = self._at(key, hop)
        start, end = (now, goal) if control is None else (knob_of(control, now), knob_of(control, goal))
        self._moves[key] = (control, start, end, -hop)

    def jump(self, values: Array) -> None:
        """Set every knob at once, without a ramp."""
        self._values = values.copy()
        self._moves.clear()

    def _at(self, key: tuple[int, int], hop: int) -> Array:
        now: Array = self._values[slice(*key)]
        if key in self._moves:
            control, start, end, done = self._moves[key]
            now = _between(control, start, end, np.array([done + hop], np.float32))[0] if done + hop > 0 else now
        return now

    def frames(self, hops: int) -> Array:
        """The values of the next hops, [hops, columns] in real units; goes on by as many."""
        rows = np.repeat(self._values[None], hops, axis=0)
        for key, (control, start, end, done) in list(self._moves.items()):
            steps = np.arange(1, hops + 1, dtype=np.float32) + done
            moving = steps > 0
            if moving.any():
                rows[moving, slice(*key)] = _between(control, start, end, steps[moving])
            if done + hops >= RAMP_HOPS:
                del self._moves[key]
            else:
                self._moves[key] = (control, start, end, done + hops)
        self._values = rows[-1].copy()
        return rows


def _between(control: Control | None, start: Array, end: Array, step: Array) -> Array:
    share = np.clip(step / RAMP_HOPS, 0.0, 1.0)[:, None]
    knob = start + (end - start) * share
    return np.asarray(knob if control is None else control.from_knob(knob), np.float32)
