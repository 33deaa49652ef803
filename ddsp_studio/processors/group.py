"""A patch compiled: its processors as one function of (state, values, performance, clock, audio input, weights).

Each node's `render` is traced once and kept by what shapes it; the patch's own function only wires calls, so an edit costs
milliseconds for every node type that was in use before.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.block import GroupState, Pass
from ddsp_studio.processors.catalogue import processor_types
from ddsp_studio.processors.check import ALL_VOICES, OUTPUT, Zone, check, listening, order, reachable, spec_of, values_of, zones
from ddsp_studio.processors.declare import Control, Head, Signal
from ddsp_studio.processors.free_clock import free_clock
from ddsp_studio.processors.nesting import expand
from ddsp_studio.processors.patch import Cable, Patch, PatchError, Port
from ddsp_studio.processors.performance import CHANNELS, CLOCK, INPUT_WIDTH
from ddsp_studio.processors.sketch import Definition, Sketch
from ddsp_studio.processors.tracing import Pending, remembered
from ddsp_studio.processors.ways import Compiler, Inline, Nodes, Way, Whole

Array = npt.NDArray[np.float32]
Weights = Mapping[str, Mapping[str, Any]]
"""Arrays or tensors by node, by name."""


class Rendered(NamedTuple):
    """A block: audio [channels, samples], peak of every node's first audio outlet [nodes], and the loudest voice's partials."""

    audio: Tensor
    levels: Tensor
    partials: Tensor
    f0_hz: Tensor


@dataclass(frozen=True)
class Column:
    """Which columns of the values array hold a control's value (or, with no control, a cable's amount)."""

    columns: slice
    control: Control | None
    modulated: bool = False


class ProcessorGroup:
    """The processors of a patch, wired. Thread rule: building and tracing on any thread, one at a time."""

    def __init__(self, patch: Patch, *, sample_rate: float, playing: bool = True) -> None:
        """Check the patch and configure its processors, groups expanded; nodes that do not lead to the Output are left out.

        Args:
            patch: the document.
            sample_rate: Hz.
            playing: batch rows are voices, mixed to left and right. Otherwise they are clips, and a VoiceMixer is the identity.

        Raises:
            PatchError: naming node, port and reason.
        """
        check(patch)
        patch = expand(patch)
        heard = reachable(patch)
        self.patch, self.sample_rate, self.playing = patch, sample_rate, playing
        self.order = [name for name in order(patch) if heard[name]]
        self.zones = zones(patch)
        self.output = next((name for name in self.order if patch.nodes[name].type == OUTPUT), None)
        self.listening = listening(patch)
        self.processors = {name: self._configure(name) for name in self.order}
        self.weights = {name: self._own_weights(p, name) for name, p in self.processors.items() if p.spec.weights}
        self.columns: dict[str, Column] = {}
        self._lay_out_columns()
        self.lag: dict[str, int] = {}
        self._align()
        self.partials_node = next((n for n in self.order if "amplitudes" in self.processors[n].spec.outlets), "")

    def _configure(self, name: str) -> Processor:
        node = self.patch.nodes[name]
        stereo = self.playing and (self.zones[name] is Zone.OUTPUT or node.type in ALL_VOICES)
        try:
            make = processor_types()[node.type]
            return make(self.sample_rate, name=name, stereo=stereo, heads=self._heads(name), **node.options)
        except ValueError as problem:
            raise PatchError(str(problem), name) from problem

    def _heads(self, name: str) -> tuple[Head, ...]:
        """What the learned outlets of a node drive, in the order of the targets' names."""
        learned = {port for port, outlet in spec_of(self.patch.nodes[name], name).outlets.items() if outlet.learned}
        found = []
        for cable in self.patch.cables:
            if cable.source.node == name and cable.source.name in learned and cable.target.node in self.order:
                node = self.patch.nodes[cable.target.node]
                spec = spec_of(node, cable.target.node)
                control = spec.controls[cable.target.name]
                found.append(Head(str(cable.target), control, spec.channels(cable.target.name, node.options)))
        return tuple(sorted(found, key=lambda head: head.target))

    def _own_weights(self, processor: Processor, name: str) -> dict[str, Array]:
        return dict(remembered("weights", processor, name, make=functools.partial(self._weights, processor, name)))

    def _weights(self, processor: Processor, name: str) -> dict[str, Array]:
        try:
            return processor.initial_weights()
        except ValueError as problem:
            raise PatchError(str(problem), name) from problem

    def read_weights(self) -> dict[str, dict[str, Array]]:
        """The weights as they are on disk now, by node: models that have changed are read again.

        Raises:
            PatchError: a model cannot be read any more, or does not fit.
        """
        return {name: self._weights(self._configure(name), name) for name in self.weights}

    def derive(self, weights: Weights) -> dict[str, Any]:
        """What the nodes need of their weights, by node: once for each change of them, and differentiable."""
        held = {**self.weights, **weights}
        return {name: self._derive(name, held[name]) for name in held}

    def derive_own(self) -> dict[str, Any]:
        """What `derive` makes of the weights on disk; remembered, so that an edit does not do it again."""
        return {
            name: remembered("derived", self.processors[name], name, make=functools.partial(self._derive, name, held))
            for name, held in self.weights.items()
        }

    def _derive(self, name: str, weights: Mapping[str, Any]) -> Any:
        return self.processors[name].derive({key: _number(weight) for key, weight in weights.items()})

    def _lay_out_columns(self) -> None:
        place = 0
        for name in self.order:
            for key, control in self.processors[name].spec.controls.items():
                size = self.processors[name].channels(key)
                modulated = any(c.amount is not None for c in self._into(Port(name, key)))
                self.columns[f"{name}.{key}"] = Column(slice(place, place + size), control, modulated)
                place += size
        for cable in self.patch.cables:
            if cable.amount is not None and cable.target.node in self.processors:
                self.columns[f"{cable.source}->{cable.target}"] = Column(slice(place, place + 1), None)
                place += 1
        self.width = place

    def _into(self, port: Port) -> list[Cable]:
        return [c for c in self.patch.into(port) if c.source.node in self.processors]

    def _align(self) -> None:
        """Find how far behind each node's output is, and how long each audio cable must wait for its neighbours."""
        self.waits: dict[str, int] = {}
        for name in self.order:
            audio = [
                c
                for key, i in self.processors[name].spec.inlets.items()
                if i.signal is Signal.AUDIO
                for c in self._into(Port(name, key))
            ]
            arrival = max((self.lag[c.source.node] for c in audio), default=0)
            self.waits |= {str(c): arrival - self.lag[c.source.node] for c in audio if arrival > self.lag[c.source.node]}
            own = 0 if self.patch.nodes[name].bypassed else self.processors[name].latency
            self.lag[name] = arrival + own

    @property
    def latency(self) -> int:
        """Samples from performance to output."""
        return self.lag[self.output] if self.output else 0

    def tail_s(self) -> float:
        """Seconds until silence after the last input, along the longest way, to about −60 dB."""
        until: dict[str, float] = {}
        for name in self.order:
            own = self.processors[name].tail_s(values_of(self.patch.nodes[name], name))
            before = [until[c.source.node] for c in self.patch.cables if c.target.node == name and c.source.node in until]
            until[name] = own + max(before, default=0.0)
        return until[self.output] if self.output else 0.0

    # -- state ------------------------------------------------------------------------------------------------------------

    def batch(self, name: str, rows: int) -> int:
        """Batch of a node when `rows` voices or clips are processed."""
        if self.zones[name] is Zone.FREE:
            return 1 if self.playing or name not in self.listening else rows
        return 2 if self.playing and self.zones[name] is Zone.OUTPUT else rows

    def leaving(self, name: str, rows: int) -> int:
        """Batch of a node's audio: a VoiceMixer that plays makes two channels of any number of voices."""
        return 2 if self.playing and self.patch.nodes[name].type == "VoiceMixer" else self.batch(name, rows)

    def heard_outlets(self, name: str) -> dict[str, int]:
        """Channels of each control outlet of a node that is heard, by outlet, or by "outlet->target" of a head."""
        processor = self.processors[name]
        heard: dict[str, int] = {}
        for port, outlet in processor.spec.outlets.items():
            if outlet.learned:
                heard |= {f"{port}->{head.target}": head.channels for head in processor.heads}
            elif outlet.signal is Signal.CONTROL and any(c.source == Port(name, port) for c in self.patch.cables):
                heard[port] = processor.channels(port)
        return heard

    def start(self, rows: int) -> GroupState:
        """The state before the first sample, for `rows` voices or clips."""
        frames: dict[str, tuple[Tensor, Tensor]] = {}
        delays: dict[str, Tensor] = {}
        for name in self.order:
            heard = self.heard_outlets(name).items()
            frames |= {f"{name}.{key}": (tf.zeros([1]), tf.zeros([self.batch(name, rows), size])) for key, size in heard}
        for cable in self.patch.cables:
            if str(cable) in self.waits:
                delays[str(cable)] = tf.zeros([self.leaving(cable.source.node, rows), self.waits[str(cable)]])
        nodes = {name: self._memory(name, self.batch(name, rows)) for name in self.order}
        return GroupState(nodes, frames, delays, (tf.zeros([1]), tf.zeros([1, self.width])))

    def _memory(self, name: str, batch: int) -> Any:
        processor = self.processors[name]
        return remembered("memory", processor, name, batch, make=lambda: processor.memory(batch))

    # -- processing -------------------------------------------------------------------------------------------------------

    def process(
        self,
        state: GroupState,
        values: Tensor,
        performance: Tensor,
        derived: Mapping[str, Any] | None = None,
        clock: Tensor | None = None,
        heard: Tensor | None = None,
    ) -> tuple[Rendered, GroupState]:
        """Go on by whole hops.

        Args:
            state: as `start` made it or `process` returned it.
            values: [hops, columns] float32, in real units, but knob positions 0..1 in modulated columns.
            performance: [rows, hops, 7] float32; see `performance.py`.
            derived: as `derive` made it; from the patch's own weights where it is left out.
            clock: [1, hops, 3] float64; see `performance.py`. Where it is left out the block begins at beat 0, 120 bpm.
            heard: the audio input, [1, hops, 128], or [rows, hops, 128] for clips; see `performance.py`. Silence if left out.

        Returns:
            The block and the new state. Audio is [2, samples] when playing, [rows, samples] otherwise.
        """
        held = self.derive({}) if derived is None else derived
        beat = tf.constant(free_clock(0, int(performance.shape[1]), self.sample_rate)) if clock is None else clock
        sound = tf.zeros([1, performance.shape[1], INPUT_WIDTH]) if heard is None else heard
        audio, shown, after = Pass(self, state, values, performance, beat, sound, held, Inline()).run()
        count = len(self.order)
        return Rendered(audio, shown[:count], shown[count:-1], shown[-1]), after

    def function(self, rows: int, hops: int, compiler: Compiler) -> tuple[Definition, Pending]:
        """The compiled `process` for this many rows and hops: one of flat tensors, and what XLA has still to compile.

        Takes what `packed` makes of values, performance, clock and input, the flattened state and the flattened derived
        weights; gives audio, then levels, partials and f0 in one vector, then the flattened state. Flat tensors spare a
        millisecond of Python in every call, and one tensor in place of four a third of one. Weights are arguments, so that
        others take their place without compiling.
        """
        start, held = self.start(rows), self.derive_own()
        count = len(tf.nest.flatten(start))
        shapes = (hops, self.width), (rows, hops, len(CHANNELS)), (1, hops, len(CLOCK)), (1, hops, INPUT_WIDTH)

        def flat(way: Way, given: Tensor, *tensors: Tensor) -> list[Tensor]:
            values, performance, clock, heard = way.apply(("unpack", shapes), functools.partial(_unpack, shapes), given)
            state = tf.nest.pack_sequence_as(start, list(tensors[:count]))
            derived = tf.nest.pack_sequence_as(held, list(tensors[count:]))
            audio, shown, after = Pass(self, state, values, performance, clock, heard, derived, way).run()
            return [audio, shown, *tf.nest.flatten(after)]

        state = [tf.TensorSpec(t.shape, t.dtype) for t in tf.nest.flatten((start, held))]
        specs = [tf.TensorSpec([sum(map(math.prod, shapes))], tf.float64), *state]
        jit = compiler is Compiler.WHOLE
        way = (Whole if jit else Nodes)(Sketch(specs))
        return way.sketch.finish(flat(way, *way.sketch.arguments), jit=jit), way.pending


def _unpack(shapes: Sequence[Sequence[int]], given: Tensor) -> tuple[Tensor, ...]:
    """What `packed` was given, in `shapes`."""
    parts = zip(tf.split(given, [math.prod(shape) for shape in shapes]), shapes, strict=True)
    values, performance, clock, heard = (tf.reshape(part, shape) for part, shape in parts)
    return tf.cast(values, tf.float32), tf.cast(performance, tf.float32), clock, tf.cast(heard, tf.float32)


def packed(
    values: npt.ArrayLike, performance: npt.ArrayLike, clock: npt.ArrayLike, heard: npt.ArrayLike
) -> npt.NDArray[np.float64]:
    """Arguments of a block, shaped as `ProcessorGroup.process` takes them, as one array: float64 holds float32 exactly."""
    return np.concatenate([np.ravel(part) for part in (values, performance, clock, heard)]).astype(np.float64, copy=False)


def _number(weight: Any) -> Tensor:
    """A weight as a tensor of float32, or of bfloat16 if it is that already."""
    return weight if tf.is_tensor(weight) and weight.dtype == tf.bfloat16 else tf.cast(weight, tf.float32)
