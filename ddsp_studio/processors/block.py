"""One pass over a patch's graph: signals as they appear, and the state that is left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ddsp_studio.dsp.tensor import HOP, Tensor, tf
from ddsp_studio.processors.base import extend
from ddsp_studio.processors.check import Zone
from ddsp_studio.processors.declare import Signal
from ddsp_studio.processors.knob_space import to_knob
from ddsp_studio.processors.patch import Cable, Port
from ddsp_studio.processors.performance import CHANNELS
from ddsp_studio.processors.tracing import Compiler, Left, Pending, call, leave

if TYPE_CHECKING:
    from ddsp_studio.processors.group import ProcessorGroup


class GroupState(NamedTuple):
    """All that a sounding patch remembers, by node and port name; tensors, first axis the node's batch."""

    nodes: dict[str, Any]
    frames: dict[str, tuple[Tensor, Tensor]]  # (started [1], last frame) of each control outlet that is heard
    delays: dict[str, Tensor]  # audio held back so that parallel ways arrive together
    values: tuple[Tensor, Tensor]  # (started [1], last row of values)


class Pass:
    """One pass over the graph: signals as they appear, and the state that is left."""

    def __init__(
        self,
        group: ProcessorGroup,
        state: GroupState,
        values: Tensor,
        performance: Tensor,
        clock: Tensor,
        heard: Tensor,
        derived: Mapping[str, Any],
        compiler: Compiler,
    ) -> None:
        self.group, self.state, self.derived = group, state, derived
        self.given = {Signal.NOTES: performance, Signal.CLOCK: clock, Signal.INPUT: heard}
        self.compiler, self.pending = compiler, Pending()
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

    def run(self) -> tuple[Tensor, Tensor, GroupState]:
        """Audio, what the meters show (peak of every node, amplitudes and f0 of the loudest voice's partials), and the state."""
        group = self.group
        for name in group.order:
            self._node(name)
        silent = tf.zeros([2 if group.playing else self.rows, self.hops * HOP])
        audio = self.signals[f"{group.output}.audio"] if group.output else silent
        amplitudes, f0_hz = self.partials
        shown = tf.concat([self._peaks(), amplitudes, f0_hz[None]], axis=0)
        return audio, shown, self._state()

    def _state(self) -> GroupState:
        return GroupState(self.nodes, self.frames, self.delays, (tf.ones([1]), self.values[:, -1]))

    def _node(self, name: str) -> None:
        group, node = self.group, self.group.patch.nodes[name]
        processor = group.processors[name]
        x = {key: self._inlet(name, key, inlet.signal) for key, inlet in processor.spec.inlets.items()}
        x |= {key: self._control(name, key) for key in processor.spec.controls}
        x |= {"weights": self.derived[name]} if processor.spec.weights else {}
        before = {key: self.state.frames[f"{name}.{key}"] for key in group.heard_outlets(name)}
        memory = self.state.nodes[name]
        if node.bypassed or node.muted:
            outputs = self._idle(name, x, passing=node.bypassed and not node.muted)
            left = leave(processor, outputs, memory, before)
        else:
            left = call(processor, memory, processor.Inputs(**x), before, self.compiler, self.pending)
        self._hear(name, left)
        if name == group.partials_node:
            self._show(left.signals["amplitudes"][:, -1], x["f0"][:, -1, 0])

    def _hear(self, name: str, left: Left) -> None:
        self.nodes[name] = left.memory
        self.signals |= {f"{name}.{key}": signal for key, signal in left.signals.items()}
        self.frames |= {f"{name}.{key}": (tf.ones([1]), last) for key, last in left.last.items()}

    def _peaks(self) -> Tensor:
        """Peak of every node's first audio outlet, 0 where it has none: few operations, however many nodes there are."""
        names = self.group.order
        heard = {name: self.signals[port] for name in names if (port := self._first_audio(name))}
        if not heard:
            return tf.zeros([len(names)])
        peaks = tf.reduce_max(tf.abs(tf.concat(list(heard.values()), axis=0)), axis=1)
        owner = np.repeat([names.index(name) for name in heard], [int(signal.shape[0]) for signal in heard.values()])
        return tf.maximum(tf.math.unsorted_segment_max(peaks, owner, len(names)), 0.0)

    def _first_audio(self, name: str) -> str:
        outlets = self.group.processors[name].spec.outlets
        return next((f"{name}.{port}" for port, outlet in outlets.items() if outlet.signal is Signal.AUDIO), "")

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
            return next((self.signals[str(cable.source)] for cable in self.group._into(Port(name, key))), self.given[signal])
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
        knob = frames if setting is None else to_knob(control, setting)
        for cable in cables:
            if cable.amount is not None:
                knob += self.columns[f"{cable.source}->{cable.target}"] * self.signals[str(cable.source)]
        return control.from_knob(tf.clip_by_value(knob, 0.0, 1.0))

    def _set(self, cable: Cable) -> Tensor:
        own = f"{cable.source}->{cable.target}"  # the head of a learned outlet
        return self.signals[own if own in self.signals else str(cable.source)]
