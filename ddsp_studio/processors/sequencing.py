"""Sequences on the clock: steps that are drawn, and arpeggios of the keys that are held."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from ddsp_studio.dsp.beats import latest_value, since_reset, steps, swung
from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.clock import NEVER, hop_places, pulses
from ddsp_studio.processors.declare import Control, Inlet, Law, Option, Outlet, Signal
from ddsp_studio.processors.divisions import DIVISIONS

_PHRASE = (0.0, 0.25, 0.5, 0.25, 1.0, 0.25, 0.5, 0.75)
_REST = 0.01
"""A gate under this is a rest."""


class Sequencer(Processor, version=1, category="Source"):
    """A row of steps on the transport's clock, each with a value to draw and a gate to draw: a melody, a rhythm, a moving filter.

    The step is a function of the beat alone, so it is the same in every take, at every place of a song and after every jump. With
    a reset it counts from there: a voice's trigger makes each note play its own row.
    """

    steps = Option(default=8, low=1, high=64, doc="How many steps there are")
    division = Option(default="1/16", choices=tuple(DIVISIONS), doc="Length of a step: D is dotted, T a triplet")
    pitch = Option(default="semitones", choices=("semitones", "gliding"), doc="Whether notes snap to whole semitones")
    clock = Inlet(signal=Signal.CLOCK, doc="The transport's clock")
    values = Control(unit="", low=0.0, high=1.0, default=_PHRASE, channels="steps", doc="Value of each step")
    gates = Control(unit="", low=0.0, high=1.0, default=1.0, channels="steps", doc="How long a step is held: 0 is a rest")
    length = Control(unit="", low=0.05, high=1.0, default=0.5, doc="How long all steps are held; 1 ties them")
    swing = Control(unit="", low=0.5, high=0.75, default=0.5, doc="Share of the first of two steps; 0.67 is a triplet")
    root = Control(unit="Hz", low=16.0, high=4000.0, default=110.0, law=Law.OCTAVES, doc="Pitch of a step of value 0")
    span = Control(unit="st", low=0.0, high=48.0, default=12.0, doc="Semitones from value 0 to value 1")
    reset = Control(unit="", low=0.0, high=1.0, default=0.0, advanced=True, doc="Starts the row anew when above 0.5")
    value = Outlet(signal=Signal.CONTROL, doc="Value of the step, 0..1")
    f0 = Outlet(signal=Signal.CONTROL, unit="Hz", doc="Pitch of the step; a rest keeps the last one")
    gate = Outlet(signal=Signal.CONTROL, doc="1 while the step is held")
    trigger = Outlet(signal=Signal.CONTROL, doc="1 in the hop in which a step that is no rest begins")

    class Memory(NamedTuple):
        """`place` in steps, `origin` of the row, and `value` that sounds: [batch] float64, float64, float32."""

        place: Tensor
        origin: Tensor
        sounding: Tensor

    def prepare(self) -> None:
        """Look up the note value."""
        self._beats = DIVISIONS[str(self.options["division"])]

    def memory(self, batch: int) -> Memory:
        """Before the first step of a row that began at beat 0."""
        return self.Memory(tf.fill([batch], tf.constant(NEVER, tf.float64)), tf.zeros([batch], tf.float64), tf.zeros([batch]))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Find the step and read its value."""
        batch, hops = int(memory.place.shape[0]), int(x.clock.shape[1])
        again = tf.broadcast_to(x.reset[:, 1:, 0] > 0.5, [batch, hops])
        counted, origin = since_reset(hop_places(x.clock, self._beats, batch), again, memory.origin)
        place = swung(counted, tf.cast(x.swing[:, 1:, 0], tf.float64))
        found = steps(place, memory.place)
        begins = tf.logical_or(found.begins, again)
        number = tf.cast(tf.math.floormod(found.number, float(self.options["steps"])), tf.int32)
        value, held = self._at(x.values, number), self._at(x.gates, number)
        rest = held < _REST
        sounding = latest_value(~rest, value, memory.sounding)
        outputs = {
            "value": value,
            "f0": self._pitch(sounding, x),
            "gate": tf.where(rest, 0.0, pulses(found, held * x.length[:, 1:, 0])),
            "trigger": tf.where(rest, 0.0, tf.cast(begins, tf.float32)),
        }
        return {k: v[..., None] for k, v in outputs.items()}, self.Memory(place[:, -1], origin, sounding[:, -1])

    def _at(self, rows: Tensor, number: Tensor) -> Tensor:
        """The drawn value of a step now, [batch, hops]: rows may move while they play."""
        return tf.gather(tf.broadcast_to(rows[:, 1:], [*number.shape, rows.shape[2]]), number, batch_dims=2)

    def _pitch(self, value: Tensor, x: Any) -> Tensor:
        semitones = value * x.span[:, 1:, 0]
        if self.options["pitch"] == "semitones":
            semitones = tf.round(semitones)
        # float64 for the reason given at Voice
        ratio = tf.exp(tf.cast(semitones, tf.float64) * (math.log(2.0) / 12.0))
        return tf.cast(tf.cast(x.root[:, 1:, 0], tf.float64) * ratio, tf.float32)
