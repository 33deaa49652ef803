"""One pass over a patch's graph: signals as they appear, and the state that is left."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ddsp_studio.dsp.loudness import FLOOR_DB
from ddsp_studio.dsp.tensor import HOP, Tensor, tf
from ddsp_studio.processors.base import Processor, extend
from ddsp_studio.processors.check import Zone
from ddsp_studio.processors.declare import Control, Signal
from ddsp_studio.processors.knob_space import to_knob
from ddsp_studio.processors.patch import Cable, Port
from ddsp_studio.processors.performance import CHANNELS
from ddsp_studio.processors.tracing import Left, identity, leave
from ddsp_studio.processors.ways import Way

if TYPE_CHECKING:
    from ddsp_studio.processors.group import ProcessorGroup


class GroupState(NamedTuple):
    """All that a sounding patch remembers, by node and port name; tensors, first axis the node's batch."""

    nodes: dict[str, Any]
    frames: dict[str, tuple[Tensor, Tensor]]  # (started [1], last frame) of each control outlet that is heard
    delays: dict[str, Tensor]  # audio held back so that parallel ways arrive together
    values: tuple[Tensor, Tensor]  # (started [1], last row of values)


class Pass:
    """One pass over the graph: signals as they appear, and the state that is left.

    Every operation goes by `way`, under a key, for the signals may be wires of a function that is only put together.
    """

    def __init__(
        self,
        group: ProcessorGroup,
        state: GroupState,
        values: Tensor,
        performance: Tensor,
        clock: Tensor,
        heard: Tensor,
        derived: Mapping[str, Any],
        way: Way,
    ) -> None:
        self.group, self.state, self.derived, self.way = group, state, derived, way
        self.given = {Signal.NOTES: performance, Signal.CLOCK: clock, Signal.INPUT: heard}
        self.rows, self.hops = int(performance.shape[0]), int(performance.shape[1])
        widths = tuple(column.columns.stop - column.columns.start for column in group.columns.values())
        self.last_values, pieces = self._apply(("columns", widths), partial(_columns, widths), values, *state.values)
        self.columns = dict(zip(group.columns, pieces, strict=True))
        self.started = self._apply("started", lambda: tf.ones([1]))
        self.signals: dict[str, Tensor] = {}
        self.nodes: dict[str, Any] = {}
        self.frames: dict[str, tuple[Tensor, Tensor]] = {}
        self.delays: dict[str, Tensor] = {}
        self.partials: tuple[Tensor, Tensor] | None = None

    def _apply(self, key: Hashable, body: Callable[..., Any], *tensors: Tensor) -> Any:
        return self.way.apply(key, body, *tensors)

    def run(self) -> tuple[Tensor, Tensor, GroupState]:
        """Audio, what the meters show (peak of every node, amplitudes and f0 of the loudest voice's partials), and the state."""
        group = self.group
        for name in group.order:
            self._node(name)
        audio = self.signals[f"{group.output}.audio"] if group.output else self._silence(2 if group.playing else self.rows)
        return audio, self._shown(), GroupState(self.nodes, self.frames, self.delays, (self.started, self.last_values))

    def _silence(self, rows: int = 1) -> Tensor:
        shape = (rows, self.hops * HOP)
        return self._apply(("zeros", shape), lambda: tf.zeros(shape))

    def _node(self, name: str) -> None:
        group, node = self.group, self.group.patch.nodes[name]
        processor = group.processors[name]
        x = {key: self._inlet(name, key, inlet.signal) for key, inlet in processor.spec.inlets.items()}
        x |= {key: self._control(name, key) for key in processor.spec.controls}
        x |= {"weights": self.derived[name]} if processor.spec.weights else {}
        before = {key: self.state.frames[f"{name}.{key}"] for key in group.heard_outlets(name)}
        memory = self.state.nodes[name]
        if node.bypassed or node.muted:
            left = self._idle(name, x, before, passing=node.bypassed and not node.muted)._replace(memory=memory)
        else:
            left = self.way.call(processor, memory, processor.Inputs(**x), before)
        self._hear(name, left)
        if name == group.partials_node:
            self.partials = left.signals["amplitudes"], x["f0"]

    def _hear(self, name: str, left: Left) -> None:
        self.nodes[name] = left.memory
        self.signals |= {f"{name}.{key}": signal for key, signal in left.signals.items()}
        self.frames |= {f"{name}.{key}": (self.started, last) for key, last in left.last.items()}

    def _shown(self) -> Tensor:
        """What the meters show, in few operations however many nodes there are."""
        names = self.group.order
        heard = {name: self.signals[port] for name in names if (port := self._first_audio(name))}
        owner = tuple(names.index(name) for name, signal in heard.items() for _ in range(int(signal.shape[0])))
        tensors = [*heard.values(), *(self.partials or ())]
        key = ("shown", owner, len(names), self.partials is None)
        return self._apply(key, partial(_shown, owner, len(names), self.partials is not None), *tensors)

    def _first_audio(self, name: str) -> str:
        outlets = self.group.processors[name].spec.outlets
        return next((f"{name}.{port}" for port, outlet in outlets.items() if outlet.signal is Signal.AUDIO), "")

    def _idle(self, name: str, x: Mapping[str, Tensor], before: Mapping[str, Any], *, passing: bool) -> Left:
        """What a bypassed or muted node leaves: its first audio inlet, or nothing, which is silence in dB."""
        group, processor = self.group, self.group.processors[name]
        rows, batch = group.batch(name, self.rows), group.leaving(name, self.rows)
        inlets = {key: x[key] for key, inlet in processor.spec.inlets.items() if inlet.signal in (Signal.AUDIO, Signal.NOTES)}
        given = (inlets, dict(before))

        def body(*tensors: Tensor) -> Left:
            heard, held = tf.nest.pack_sequence_as(given, list(tensors))
            return leave(processor, _idle(processor, heard, rows, batch, self.hops, passing=passing), (), held)

        key = ("idle", identity(processor), tuple(before), rows, batch, self.hops, passing)
        return self._apply(key, body, *tf.nest.flatten(given))  # type: ignore[no-any-return]

    def _inlet(self, name: str, key: str, signal: Signal) -> Tensor:
        cables = self.group._into(Port(name, key))
        if signal is not Signal.AUDIO:
            return next((self.signals[str(cable.source)] for cable in cables), self.given[signal])
        heard = [self._delayed(cable, self.signals[str(cable.source)]) for cable in cables]
        unmixed = tuple(self._unmixed(name, cable) for cable in cables)
        if not heard:
            return self._silence()
        if len(heard) == 1 and not any(unmixed):
            return heard[0]
        return self._apply(("sum", unmixed), partial(_summed, unmixed), *heard)

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
        delayed, self.delays[str(cable)] = self._apply("delayed", _delayed, held, audio)
        return delayed

    def _control(self, name: str, key: str) -> Tensor:
        """Frames [batch or 1, hops + 1, channels] of a control: its knob or the cable that sets it, then modulations."""
        column = self.group.columns[f"{name}.{key}"]
        cables = self.group._into(Port(name, key))
        control = column.control
        setting = next((self._set(c, control) for c in cables if c.amount is None), None)
        frames = self.columns[f"{name}.{key}"] if setting is None else setting
        if not column.modulated or control is None:
            return frames
        modulations = [
            tensor
            for cable in cables
            if cable.amount is not None
            for tensor in (self.columns[f"{cable.source}->{cable.target}"], self.signals[str(cable.source)])
        ]
        body = partial(_modulated, control, setting is not None)
        return self._apply(("modulated", control, setting is not None), body, frames, *modulations)

    def _set(self, cable: Cable, control: Control | None) -> Tensor:
        own = f"{cable.source}->{cable.target}"  # the head of a learned outlet
        if own in self.signals:
            return self.signals[own]
        signal = self.signals[str(cable.source)]
        if control is None or control.low <= 0.0:
            return signal
        # a node that is muted gives 0, and there is no logarithm or inverse of 0 Hz or 0 s
        return self._apply(("held", control.low), partial(_held, control.low), signal)


def _columns(widths: Sequence[int], values: Tensor, started: Tensor, last: Tensor) -> tuple[Tensor, list[Tensor]]:
    """The last row of the values, and each control's columns, with the row before the block in front."""
    extended = extend(values[None], last, started)
    return extended[:, -1], tf.split(extended, widths, axis=2) if widths else []


def _shown(owner: Sequence[int], nodes: int, partials: bool, *tensors: Tensor) -> Tensor:
    """Peak of every node's first audio outlet, 0 where it has none; amplitudes of the loudest voice's partials, and its f0.

    The peak of sound that holds numbers that are none is infinite.
    """
    heard = tensors[:-2] if partials else tensors
    peaks = tf.zeros([nodes])
    if heard:
        sounds = tf.concat(heard, axis=0)
        # a maximum may pass by what is no number; it never passes by infinity
        found = tf.reduce_max(tf.where(tf.math.is_finite(sounds), tf.abs(sounds), np.float32(np.inf)), axis=1)
        peaks = tf.maximum(tf.math.unsorted_segment_max(found, np.array(owner), nodes), 0.0)
    if not partials:
        return tf.concat([peaks, tf.zeros([2])], axis=0)
    amplitudes, f0_hz = tensors[-2][:, -1], tensors[-1][:, -1, 0]
    loudest = tf.argmax(tf.reduce_sum(amplitudes, axis=1))
    # an index in brackets must be a constant under XLA, which would compile anew for every block
    f0_hz = tf.gather(tf.broadcast_to(f0_hz, [amplitudes.shape[0]]), loudest)
    return tf.concat([peaks, tf.gather(amplitudes, loudest), f0_hz[None]], axis=0)


def _idle(processor: Processor, x: Mapping[str, Tensor], rows: int, batch: int, hops: int, *, passing: bool) -> dict[str, Tensor]:
    first = {signal: next((x[key] for key in x if processor.spec.inlets[key].signal is signal), None) for signal in Signal}
    out: dict[str, Any] = {}
    for port, outlet in processor.spec.outlets.items():
        if outlet.signal is Signal.AUDIO:
            sound = first[Signal.AUDIO] if passing else None
            passed = tf.zeros([1, hops * HOP]) if sound is None else sound
            mixed = tf.reduce_sum(passed, axis=0, keepdims=True) if batch != rows else passed
            out[port] = tf.broadcast_to(mixed, [batch, hops * HOP])
        elif outlet.signal is Signal.NOTES:
            played = first[Signal.NOTES] if passing else None
            out[port] = tf.zeros([batch, hops, len(CHANNELS)]) if played is None else played
        elif outlet.learned:
            out[port] = {head.target: tf.zeros([batch, hops, head.channels]) for head in processor.heads}
        else:
            out[port] = tf.fill([batch, hops, processor.channels(port)], FLOOR_DB if outlet.unit == "dB" else 0.0)
    return out


def _summed(unmixed: Sequence[bool], *heard: Tensor) -> Tensor:
    """The sum of what cables bring; of voices that nobody mixed, half their sum."""
    total = None
    for audio, voices in zip(heard, unmixed, strict=True):
        part = 0.5 * tf.reduce_sum(audio, axis=0, keepdims=True) if voices else audio
        total = part if total is None else total + part
    return total


def _delayed(held: Tensor, audio: Tensor) -> tuple[Tensor, Tensor]:
    """The sound behind by as much as is held, and what is held now."""
    stream = tf.concat([held, audio], axis=1)
    samples = int(audio.shape[1])
    return stream[:, :samples], stream[:, samples:]


def _held(low: float, frames: Tensor) -> Tensor:
    """Frames of which what is not above 0 is the lowest value of a control."""
    return tf.where(frames > 0.0, frames, low)


def _modulated(control: Control, cabled: bool, frames: Tensor, *modulations: Tensor) -> Tensor:
    """A control's frames, moved by amounts and signals that come in pairs; in knob space, where a knob's column is already."""
    knob = to_knob(control, frames) if cabled else frames
    for amount, signal in zip(modulations[::2], modulations[1::2], strict=True):
        knob += amount * signal
    return control.from_knob(tf.clip_by_value(knob, 0.0, 1.0))
