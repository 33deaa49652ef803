"""The clock as control signals: phase, pulses and rate of a note value of the transport."""

from __future__ import annotations

from typing import Any, NamedTuple

from ddsp_studio.dsp.beats import Steps, steps, swung
from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Control, Inlet, Option, Outlet, Signal
from ddsp_studio.processors.divisions import DIVISIONS
from ddsp_studio.processors.performance import BEAT, RUNNING, TEMPO

NEVER = -2.0
"""A place before the first hop."""


def hop_places(clock: Tensor, beats: float, batch: int) -> Tensor:
    """The clock's beats counted in steps of `beats` quarter notes, [batch, hops] float64."""
    return tf.broadcast_to(clock[..., BEAT] / beats, [batch, int(clock.shape[1])])


def pulses(found: Steps, length: Tensor) -> Tensor:
    """1 during the first `length` (0..1) of each step, and in the hop in which it begins: [batch, hops] float32."""
    # just under 1, so that a length of 1 has no gap where a hop ends with its step
    held = found.within * (1.0 - 1e-9) < tf.cast(length, tf.float64)
    return tf.cast(tf.logical_or(found.begins, held), tf.float32)


class Clock(Processor, version=1, category="Source"):
    """The beat of the transport as control signals, at any note value; while the transport stands still it counts freely.

    Everything is exact to the hop: a pulse comes in the hop in which a note of the same time would.
    """

    division = Option(default="1/4", choices=tuple(DIVISIONS), doc="Note value: D is dotted, T a triplet")
    clock = Inlet(signal=Signal.CLOCK, doc="The transport's clock")
    shift = Control(unit="", low=0.0, high=1.0, default=0.0, doc="Part of a step by which all comes later")
    swing = Control(unit="", low=0.5, high=0.75, default=0.5, doc="Share of the first of two steps; 0.67 is a triplet")
    width = Control(unit="", low=0.05, high=1.0, default=0.5, doc="How much of a step the gate is held")
    phase = Outlet(signal=Signal.CONTROL, doc="Rises from 0 to 1 in each step")
    gate = Outlet(signal=Signal.CONTROL, doc="1 in the first part of each step")
    trigger = Outlet(signal=Signal.CONTROL, doc="1 in the hop in which a step begins")
    rate = Outlet(signal=Signal.CONTROL, unit="Hz", doc="Steps a second, for whatever has a rate")
    running = Outlet(signal=Signal.CONTROL, doc="1 while the transport plays")

    class Memory(NamedTuple):
        """`place` in steps at the last hop's end, [batch] float64."""

        place: Tensor

    def prepare(self) -> None:
        """Look up the note value."""
        self._beats = DIVISIONS[str(self.options["division"])]

    def memory(self, batch: int) -> Memory:
        """Before the first step."""
        return self.Memory(tf.fill([batch], tf.constant(NEVER, tf.float64)))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Cut the beat into steps."""
        batch, hops = int(memory.place.shape[0]), int(x.clock.shape[1])
        shift, swing = (tf.cast(control[:, 1:, 0], tf.float64) for control in (x.shift, x.swing))
        place = swung(hop_places(x.clock, self._beats, batch) - shift, swing)
        found = steps(place, memory.place)
        outputs = {
            "phase": tf.cast(found.within, tf.float32),
            "gate": pulses(found, x.width[:, 1:, 0]),
            "trigger": tf.cast(found.begins, tf.float32),
            "rate": tf.cast(x.clock[..., TEMPO] / (60.0 * self._beats), tf.float32),
            "running": tf.cast(x.clock[..., RUNNING], tf.float32),
        }
        return {k: tf.broadcast_to(v, [batch, hops])[..., None] for k, v in outputs.items()}, self.Memory(place[:, -1])
