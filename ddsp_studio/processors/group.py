"""A patch compiled: the graph of its processors as one function of (state, values, performance).

Each node's `render` is traced once and kept by what shapes it; the patch's own function only wires calls, so an edit costs
milliseconds for every node type that was in use before.
"""

from __future__ import annotations

import contextlib
import enum
import functools
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.tensor import HOP, Tensor, fence, in_calling_thread, tf
from ddsp_studio.processors.base import Processor, extend
from ddsp_studio.processors.catalogue import processor_types
from ddsp_studio.processors.check import ALL_VOICES, OUTPUT, Zone, check, order, reachable, spec_of, values_of, zones
from ddsp_studio.processors.declare import MODEL, Control, Head, Law, Signal
from ddsp_studio.processors.patch import Cable, Patch, PatchError, Port
from ddsp_studio.processors.performance import CHANNELS, CLOCK, free_clock

Array = npt.NDArray[np.float32]
Weights = Mapping[str, Mapping[str, Any]]
"""Arrays or tensors by node, by name."""
_MAX_FUNCTIONS = 512
_functions: OrderedDict[Any, Any] = OrderedDict()
_run_before: set[Any] = set()
"""Keys of the functions that XLA has compiled, which it does when they are first run."""


class Compiler(enum.Enum):
    """How a patch's function is compiled.

    QUICK: TensorFlow's graph executor; a patch is ready at once. XLA_NODES: each node by XLA, compiled once for its type and
    shapes, about a third faster to run. XLA_WHOLE: the patch as one XLA program, for GPUs and for export.
    """

    QUICK = "quick"
    XLA_NODES = "xla nodes"
    XLA_WHOLE = "xla whole"


class NotCompiled(LookupError):
    """A node of this type and these shapes was not compiled in this way before."""


class GroupState(NamedTuple):
    """All that a sounding patch remembers, by node and port name; tensors, first axis the node's batch."""

    nodes: dict[str, Any]
    frames: dict[str, tuple[Tensor, Tensor]]  # (started [1], last frame) of each control outlet that is heard
    delays: dict[str, Tensor]  # audio held back so that parallel ways arrive together
    values: tuple[Tensor, Tensor]  # (started [1], last row of values)


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
        """Check the patch and configure its processors; nodes that do not lead to the Output are left out.

        Args:
            patch: the document.
            sample_rate: Hz.
            playing: batch rows are voices, mixed to left and right. Otherwise they are clips, and a VoiceMixer is the identity.

        Raises:
            PatchError: naming node, port and reason.
        """
        check(patch)
        heard = reachable(patch)
        self.patch, self.sample_rate, self.playing = patch, sample_rate, playing
        self.order = [name for name in order(patch) if heard[name]]
        self.zones = zones(patch)
        self.output = next((name for name in self.order if patch.nodes[name].type == OUTPUT), None)
        self.processors = {name: self._configure(name) for name in self.order}
        self.weights = {name: self._weights(name) for name, p in self.processors.items() if p.spec.weights}
        self.columns: dict[str, Column] = {}
        self._lay_out_columns()
        self.lag: dict[str, int] = {}
        self._align()
        self._called: list[Any] = []
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

    def _weights(self, name: str) -> dict[str, Array]:
        try:
            return self.processors[name].initial_weights()
        except ValueError as problem:
            raise PatchError(str(problem), name) from problem

    def derive(self, weights: Weights) -> dict[str, Any]:
        """What the nodes need of their weights, by node: once for each change of them, and differentiable."""
        held = {**self.weights, **weights}
        return {name: self.processors[name].derive({k: tf.cast(w, tf.float32) for k, w in held[name].items()}) for name in held}

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
            return 1
        return 2 if self.playing and self.zones[name] is Zone.OUTPUT else rows

    def leaving(self, name: str, rows: int) -> int:
        """Batch of a node's audio: a VoiceMixer that plays makes two channels of any number of voices."""
        return 2 if self.playing and self.patch.nodes[name].type == "VoiceMixer" else self.batch(name, rows)

    def start(self, rows: int) -> GroupState:
        """The state before the first sample, for `rows` voices or clips."""
        frames: dict[str, tuple[Tensor, Tensor]] = {}
        delays: dict[str, Tensor] = {}
        for name in self.order:
            processor = self.processors[name]
            for port, outlet in processor.spec.outlets.items():
                if outlet.learned:
                    wide = {f"{name}.{port}->{head.target}": head.channels for head in processor.heads}
                elif outlet.signal is Signal.CONTROL and any(c.source == Port(name, port) for c in self.patch.cables):
                    wide = {f"{name}.{port}": processor.channels(port)}
                else:
                    continue
                frames |= {key: (tf.zeros([1]), tf.zeros([self.batch(name, rows), size])) for key, size in wide.items()}
        for cable in self.patch.cables:
            if str(cable) in self.waits:
                delays[str(cable)] = tf.zeros([self.leaving(cable.source.node, rows), self.waits[str(cable)]])
        nodes = {name: self.processors[name].memory(self.batch(name, rows)) for name in self.order}
        return GroupState(nodes, frames, delays, (tf.zeros([1]), tf.zeros([1, self.width])))

    # -- processing -------------------------------------------------------------------------------------------------------

    def process(
        self,
        state: GroupState,
        values: Tensor,
        performance: Tensor,
        derived: Mapping[str, Any] | None = None,
        clock: Tensor | None = None,
    ) -> tuple[Rendered, GroupState]:
        """Go on by whole hops.

        Args:
            state: as `start` made it or `process` returned it.
            values: [hops, columns] float32, in real units, but knob positions 0..1 in modulated columns.
            performance: [rows, hops, 7] float32; see `performance.py`.
            derived: as `derive` made it; from the patch's own weights where it is left out.
            clock: [1, hops, 3] float64; see `performance.py`. Where it is left out the block begins at beat 0, 120 bpm.

        Returns:
            The block and the new state. Audio is [2, samples] when playing, [rows, samples] otherwise.
        """
        held = self.derive({}) if derived is None else derived
        beat = tf.constant(free_clock(0, int(performance.shape[1]), self.sample_rate)) if clock is None else clock
        return _Block(self, state, values, performance, beat, held, Compiler.XLA_WHOLE).run()

    def has_run(self) -> None:
        """Note that the function has been run once, so that its nodes count as compiled."""
        _run_before.update(self._called)
        self._called.clear()

    def function(self, rows: int, hops: int, compiler: Compiler, *, known_only: bool = False) -> Any:
        """The compiled `process` for this many rows and hops: a concrete function of flat tensors.

        Takes values, performance, clock, the flattened state and the flattened derived weights; gives audio, then levels,
        partials and f0 in one vector, then the flattened state. Flat tensors spare a millisecond of Python in every call.
        Weights are arguments, so that others take their place without compiling.

        Raises:
            NotCompiled: with `known_only`, when a node was not compiled before.
        """
        start, held = self.start(rows), self.derive({})
        count = len(tf.nest.flatten(start))

        def flat(values: Tensor, performance: Tensor, clock: Tensor, *tensors: Tensor) -> list[Tensor]:
            state = tf.nest.pack_sequence_as(start, list(tensors[:count]))
            derived = tf.nest.pack_sequence_as(held, list(tensors[count:]))
            block, after = _Block(self, state, values, performance, clock, derived, compiler, known_only).run()
            shown = tf.concat([block.levels, block.partials, block.f0_hz[None]], axis=0)
            return [block.audio, shown, *tf.nest.flatten(after)]

        traced = tf.function(flat, autograph=False, jit_compile=compiler is Compiler.XLA_WHOLE or None)
        spec = functools.partial(tf.TensorSpec, dtype=tf.float32)
        state = [tf.TensorSpec(t.shape, t.dtype) for t in tf.nest.flatten((start, held))]
        with in_calling_thread() if compiler is Compiler.XLA_NODES else contextlib.nullcontext():
            clock = tf.TensorSpec([1, hops, len(CLOCK)], tf.float64)
            return traced.get_concrete_function(spec([hops, self.width]), spec([rows, hops, len(CHANNELS)]), clock, *state)


class _Block:
    """One pass over the graph: signals as they appear, and the state that is left."""

    def __init__(
        self,
        group: ProcessorGroup,
        state: GroupState,
        values: Tensor,
        performance: Tensor,
        clock: Tensor,
        derived: Mapping[str, Any],
        compiler: Compiler,
        known_only: bool = False,
    ) -> None:
        self.group, self.state, self.derived = group, state, derived
        self.performance, self.clock = performance, clock
        self.compiler, self.known_only = compiler, known_only
        self.rows, self.hops = int(performance.shape[0]), int(performance.shape[1])
        started, last = state.values
        self.values = extend(values[None], last, started)
        widths = [column.columns.stop - column.columns.start for column in group.columns.values()]
        pieces = tf.split(self.values, widths, axis=2) if widths else []
        self.columns = dict(zip(group.columns, pieces, strict=True))
        self.signals: dict[str, Tensor] = {}
        self.nodes: dict[str, Any] = {}
        self.frames: dict[str, tuple[Tensor, Tensor]] = {}
        self.delays: dict[str, Tensor] = {}
        self.partials = tf.zeros([1]), tf.zeros([])

    def run(self) -> tuple[Rendered, GroupState]:
        group = self.group
        for name in group.order:
            self._node(name)
        silent = tf.zeros([2 if group.playing else self.rows, self.hops * HOP])
        audio = self.signals[f"{group.output}.audio"] if group.output else silent
        levels = self._peaks([self.signals[port] for port in map(self._first_audio, group.order) if port])
        state = GroupState(self.nodes, self.frames, self.delays, (tf.ones([1]), self.values[:, -1]))
        return Rendered(audio, levels, *self.partials), state

    def _peaks(self, signals: list[Tensor]) -> Tensor:
        """Peak of every node's first audio outlet, 0 where it has none: few operations, however many nodes there are."""
        names = self.group.order
        heard = [name for name in names if self._first_audio(name)]
        if not heard:
            return tf.zeros([len(names)])
        rows = [int(signal.shape[0]) for signal in signals]
        peaks = tf.reduce_max(tf.abs(tf.concat(signals, axis=0)), axis=1)
        owner = np.repeat([names.index(name) for name in heard], rows)
        return tf.maximum(tf.math.unsorted_segment_max(peaks, owner, len(names)), 0.0)

    def _first_audio(self, name: str) -> str:
        outlets = self.group.processors[name].spec.outlets
        return next((f"{name}.{port}" for port, outlet in outlets.items() if outlet.signal is Signal.AUDIO), "")

    def _node(self, name: str) -> None:
        group, node = self.group, self.group.patch.nodes[name]
        processor = group.processors[name]
        x = {key: self._inlet(name, key, inlet.signal) for key, inlet in processor.spec.inlets.items()}
        x |= {key: self._control(name, key) for key in processor.spec.controls}
        x |= {"weights": self.derived[name]} if processor.spec.weights else {}
        memory = self.state.nodes[name]
        if node.bypassed or node.muted:
            outputs = self._idle(name, x, passing=node.bypassed and not node.muted)
        else:
            outputs, memory = _call(processor, memory, processor.Inputs(**x), self.compiler, self.known_only, group._called)
        self.nodes[name] = memory
        if name == group.partials_node and "amplitudes" in outputs:
            self._show(outputs["amplitudes"][:, -1], x["f0"][:, -1, 0])
        for port, outlet in processor.spec.outlets.items():
            if outlet.learned:
                for head in processor.heads:
                    self._leave(f"{name}.{port}->{head.target}", head.control.from_logits(outputs[port][head.target]))
            else:
                self._leave(f"{name}.{port}", outputs[port])

    def _leave(self, key: str, signal: Tensor) -> None:
        """Hand a signal to who listens; control gets the frame before the block in row 0."""
        self.signals[key] = signal
        if key in self.state.frames:
            started, last = self.state.frames[key]
            self.frames[key] = (tf.ones([1]), signal[:, -1])
            self.signals[key] = extend(signal, last, started)

    def _show(self, amplitudes: Tensor, f0_hz: Tensor) -> None:
        loudest = tf.argmax(tf.reduce_sum(amplitudes, axis=1))
        # an index in brackets must be a constant under XLA, which would compile anew for every block
        self.partials = tf.gather(amplitudes, loudest), tf.gather(tf.broadcast_to(f0_hz, [amplitudes.shape[0]]), loudest)

    def _idle(self, name: str, x: Mapping[str, Tensor], *, passing: bool) -> dict[str, Tensor]:
        """What a bypassed or muted node gives: its first audio inlet, or nothing."""
        spec, batch = self.group.processors[name].spec, self.group.leaving(name, self.rows)
        first = next((x[key] for key, inlet in spec.inlets.items() if inlet.signal is Signal.AUDIO), None)
        out = {}
        for port, outlet in spec.outlets.items():
            if outlet.signal is Signal.AUDIO:
                rows = self.group.batch(name, self.rows)
                passed = first if passing and first is not None else tf.zeros([1, self.hops * HOP])
                mixed = tf.reduce_sum(passed, axis=0, keepdims=True) if batch != rows else passed
                out[port] = tf.broadcast_to(mixed, [batch, self.hops * HOP])
            elif outlet.signal is Signal.NOTES:
                played = next((x[key] for key, inlet in spec.inlets.items() if inlet.signal is Signal.NOTES), None)
                out[port] = played if passing and played is not None else tf.zeros([batch, self.hops, len(CHANNELS)])
            elif outlet.learned:
                heads = self.group.processors[name].heads
                out[port] = {head.target: tf.zeros([batch, self.hops, head.channels]) for head in heads}
            else:
                out[port] = tf.zeros([batch, self.hops, self.group.processors[name].channels(port)])
        return out

    def _inlet(self, name: str, key: str, signal: Signal) -> Tensor:
        if signal is not Signal.AUDIO:
            given = self.performance if signal is Signal.NOTES else self.clock
            return next((self.signals[str(cable.source)] for cable in self.group._into(Port(name, key))), given)
        total = None
        for cable in self.group._into(Port(name, key)):
            audio = self._delayed(cable, self.signals[str(cable.source)])
            if self._unmixed(name, cable):
                audio = 0.5 * tf.reduce_sum(audio, axis=0, keepdims=True)
            total = audio if total is None else total + audio
        return tf.zeros([1, self.hops * HOP]) if total is None else total

    def _unmixed(self, name: str, cable: Cable) -> bool:
        """Whether voices reach the Output without a VoiceMixer."""
        group, source = self.group, cable.source.node
        return (
            name == group.output
            and group.playing
            and group.zones[source] is Zone.VOICE
            and group.patch.nodes[source].type != "VoiceMixer"
        )

    def _delayed(self, cable: Cable, audio: Tensor) -> Tensor:
        held = self.state.delays.get(str(cable))
        if held is None:
            return audio
        stream = tf.concat([held, audio], axis=1)
        self.delays[str(cable)] = stream[:, self.hops * HOP :]
        return stream[:, : self.hops * HOP]

    def _control(self, name: str, key: str) -> Tensor:
        """Frames [batch or 1, hops + 1, channels] of a control: its knob or the cable that sets it, then modulations."""
        column = self.group.columns[f"{name}.{key}"]
        cables = self.group._into(Port(name, key))
        setting = next((self._set(c) for c in cables if c.amount is None), None)
        frames = self.columns[f"{name}.{key}"] if setting is None else setting
        control = column.control
        if not column.modulated or control is None:
            return frames
        knob = frames if setting is None else _to_knob(control, setting)
        for cable in cables:
            if cable.amount is not None:
                knob += self.columns[f"{cable.source}->{cable.target}"] * self.signals[str(cable.source)]
        return control.from_knob(tf.clip_by_value(knob, 0.0, 1.0))

    def _set(self, cable: Cable) -> Tensor:
        own = f"{cable.source}->{cable.target}"  # the head of a learned outlet
        return self.signals[own if own in self.signals else str(cable.source)]


def _to_knob(control: Control, value: Tensor) -> Tensor:
    held = tf.clip_by_value(value, control.low, control.high)
    if control.law is Law.OCTAVES:
        return tf.math.log(held / control.low) / tf.math.log(control.high / control.low)
    share = (held - control.low) / (control.high - control.low)
    if control.law is Law.LINEAR:
        return share
    return tf.math.log1p(share * 999.0) / tf.math.log(1000.0)


def _call(
    processor: Processor, memory: Any, x: Any, compiler: Compiler, known_only: bool, called: list[Any]
) -> tuple[dict[str, Tensor], Any]:
    """Call a node's `render`, traced once for its type, options and shapes (inlined where XLA compiles the whole)."""
    if compiler is Compiler.XLA_WHOLE:
        return _fenced(processor.render(memory, x))
    shapes = tuple((tuple(t.shape), t.dtype.name) for t in tf.nest.flatten((memory, tuple(x))))
    options = tuple(sorted(item for item in processor.options.items() if item[0] != MODEL))  # weights are inputs
    files = tuple(_stamp(str(processor.options[n])) for n, o in processor.spec.options.items() if o.path and n != MODEL)
    key = (type(processor), options, files, processor.sample_rate, processor.stereo, processor.heads, shapes, compiler)
    function = _functions.get(key)
    if known_only and (function is None or key not in _run_before):
        raise NotCompiled(processor.spec.name)
    called.append(key)
    if function is None:
        specs = tf.nest.map_structure(lambda t: tf.TensorSpec(t.shape, t.dtype), (memory, tuple(x)))
        jit = compiler is Compiler.XLA_NODES or None
        with tf.init_scope():
            traced = tf.function(lambda m, v: processor.render(m, processor.Inputs(*v)), autograph=False, jit_compile=jit)
            function = _functions[key] = traced.get_concrete_function(*specs)
        while len(_functions) > _MAX_FUNCTIONS:
            _functions.popitem(last=False)
    else:
        _functions.move_to_end(key)
    return function(memory, tuple(x))  # type: ignore[no-any-return]


def _fenced(result: tuple[dict[str, Tensor], Any]) -> tuple[dict[str, Tensor], Any]:
    """Keep XLA from fusing a node into those that hear it: it would compute the node again for each, and compile for minutes."""
    return tf.nest.pack_sequence_as(result, fence(tf.nest.flatten(result)))  # type: ignore[no-any-return]


def _stamp(path: str) -> int:
    return Path(path).stat().st_mtime_ns if path and Path(path).exists() else 0
