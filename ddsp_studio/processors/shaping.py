"""Control signals made and reshaped: random, sampled, quantised, drawn, calculated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ddsp_studio.dsp.curves import countable, drawn, edges, hold
from ddsp_studio.dsp.noise import row_seeds, scramble
from ddsp_studio.dsp.scaling import hz_to_midi, midi_to_hz
from ddsp_studio.dsp.tensor import HOP, Tensor, tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Control, Law, Option, Outlet, Signal
from ddsp_studio.processors.units import note_name

_GOLDEN = np.uint32(0x9E3779B9)
_CURVE_POINTS = 17


def _passed(rate_hz: Tensor, before: Tensor, sample_rate: float) -> Tensor:
    """Cycles of a rate [batch, frames] that have passed at each frame's end, counted from `before` [batch]; float64."""
    advance = countable(tf.cast(rate_hz, tf.float64) * (HOP / sample_rate))
    return before[:, None] + tf.cumsum(advance, axis=1)


class Drift(Processor, version=1, category="Control"):
    """A smooth random walk between random values, the same in every render: the unsteadiness of a hand or of an old machine.

    Value n is a hash of (name, voice, n); between two of them it goes along 3u² − 2u³.
    """

    rate = Control(unit="Hz", low=0.01, high=50.0, default=0.7, law=Law.OCTAVES, doc="New values a second")
    depth = Control(unit="", low=0.0, high=1.0, default=1.0, doc="How far it goes")
    out = Outlet(signal=Signal.CONTROL, doc="-1..1")

    class Memory(NamedTuple):
        """`passed`: values so far, modulo 2^20, [batch] float64. `seed`: [batch] uint32."""

        passed: Tensor
        seed: Tensor

    def memory(self, batch: int) -> Memory:
        """At the first value."""
        return self.Memory(tf.zeros([batch], tf.float64), row_seeds(self.name, batch))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Go from value to value."""
        shape = [int(memory.passed.shape[0]), int(x.rate.shape[1]) - 1]
        passed = _passed(tf.broadcast_to(x.rate[:, 1:, 0], shape), memory.passed, self.sample_rate)
        number = tf.floor(passed)
        u = tf.cast(passed - number, tf.float32)
        index = tf.cast(tf.cast(number, tf.int64), tf.uint32)
        last, new = (self._value(memory.seed, index + shift) for shift in (np.uint32(0), np.uint32(1)))
        wave = last + (new - last) * (u * u * (3.0 - 2.0 * u))
        return {"out": wave[..., None] * x.depth[:, 1:]}, self.Memory(tf.math.floormod(passed[:, -1], 2.0**20), memory.seed)

    @staticmethod
    def _value(seed: Tensor, index: Tensor) -> Tensor:
        word = scramble(seed[:, None] + (index % np.uint32(1 << 20)) * _GOLDEN)
        return tf.cast(tf.bitcast(word, tf.int32), tf.float32) * (1.0 / 2**31)


class SampleAndHold(Processor, version=1, category="Control"):
    """Take the value of a control signal now and then, and hold it in between."""

    clock = Option(default="trigger", choices=("trigger", "rate"), doc="What makes it take a value")
    input = Control(unit="", low=-1.0, high=1.0, default=0.0, doc="The signal")
    trigger = Control(unit="", low=0.0, high=1.0, default=0.0, doc="Takes a value when it rises above 0.5")
    rate = Control(
        unit="Hz", low=0.1, high=1000.0, default=4.0, law=Law.OCTAVES, doc="Values a second, where the rate is the clock"
    )
    out = Outlet(signal=Signal.CONTROL, doc="The held value")

    class Memory(NamedTuple):
        """`value` held, `trigger` so far, float32; `passed`: values taken by the rate, float64; [batch]."""

        value: Tensor
        trigger: Tensor
        passed: Tensor

    def memory(self, batch: int) -> Memory:
        """Zero, just before the first value of the rate."""
        return self.Memory(tf.zeros([batch]), tf.zeros([batch]), tf.fill([batch], tf.constant(-(2.0**-20), tf.float64)))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Hold the value of the latest moment."""
        shape = [int(memory.value.shape[0]), int(x.input.shape[1]) - 1]
        trigger = tf.broadcast_to(x.trigger[:, 1:, 0], shape)
        passed = _passed(tf.broadcast_to(x.rate[:, 1:, 0], shape), memory.passed, self.sample_rate)
        if self.options["clock"] == "rate":
            whole = tf.floor(tf.concat([memory.passed[:, None], passed], axis=1))
            takes = whole[:, 1:] > whole[:, :-1]
        else:
            takes, _ = edges(trigger, memory.trigger)
        held = hold(takes, tf.broadcast_to(x.input[:, 1:, 0], shape), memory.value)
        last = passed[:, -1]
        return {"out": held[..., None]}, self.Memory(held[:, -1], trigger[:, -1], last - 2.0**19 * tf.floor(last / 2.0**19))


SCALES: dict[str, tuple[int, ...]] = {
    "chromatic": tuple(range(12)),
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "melodic minor": (0, 2, 3, 5, 7, 9, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "major pentatonic": (0, 2, 4, 7, 9),
    "minor pentatonic": (0, 3, 5, 7, 10),
    "blues": (0, 3, 5, 6, 7, 10),
    "whole tone": (0, 2, 4, 6, 8, 10),
    "octaves": (0,),
}
"""Semitones above the root."""
_ROOTS = tuple(note_name(note)[:-1] for note in range(60, 72))


class Quantise(Processor, version=1, category="Control"):
    """Draw a frequency to the nearest note of a scale, in equal temperament on A4 = 440 Hz.

    Of two notes that are equally near it takes the lower.
    """

    root = Option(default="C", choices=_ROOTS, doc="Root of the scale")
    scale = Option(default="major", choices=tuple(SCALES), doc="Which notes there are")
    f0 = Control(unit="Hz", low=8.0, high=16000.0, default=220.0, law=Law.OCTAVES, doc="The frequency")
    strength = Control(unit="", low=0.0, high=1.0, default=1.0, doc="How far it is drawn: 1 is onto the note")
    out = Outlet(signal=Signal.CONTROL, unit="Hz", doc="The frequency, in the scale")

    def prepare(self) -> None:
        """Place the notes of the scale."""
        root = _ROOTS.index(str(self.options["root"]))
        self._notes = np.sort([(root + step) % 12 for step in SCALES[str(self.options["scale"])]]).astype(np.float64)

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        """The nearest octave of every note of the scale, and the nearest of those; in float64 for the reason given at Voice."""
        note = hz_to_midi(tf.cast(x.f0[:, 1:], tf.float64))
        octaves = tf.math.ceil((note - self._notes) / 12.0 - 0.5)
        distance = self._notes + 12.0 * octaves - note  # [batch, frames, notes]
        # a millionth of a semitone decides between two that are equally near
        nearest = tf.argmin(tf.abs(distance) + 1e-6 * tf.cast(distance > 0.0, tf.float64), axis=2)
        way = tf.gather(distance, nearest[..., None], batch_dims=2)
        moved = midi_to_hz(note + tf.cast(x.strength[:, 1:], tf.float64) * way)
        return {"out": tf.cast(moved, tf.float32)}, memory


class Curve(Processor, version=1, category="Control"):
    """Bend a control signal along a curve that you draw: how velocity becomes loudness, how a wheel opens a filter."""

    input = Control(
        unit="", low=0.0, high=1.0, default=0.0, doc="The signal, 0..1; what lies outside stays at the ends of the curve"
    )
    curve = Control(
        unit="", low=0.0, high=1.0, channels=_CURVE_POINTS, doc="What comes out for 0, for 1, and for what is between",
        default=tuple(n / (_CURVE_POINTS - 1) for n in range(_CURVE_POINTS)),
    )  # fmt: skip
    out = Outlet(signal=Signal.CONTROL, doc="The bent signal, 0..1")

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        """Read the curve."""
        return {"out": drawn(x.input[:, 1:, 0], x.curve[:, 1:])[..., None]}, memory


_TINY = 1e-4
OPERATIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a * b / (b * b + _TINY**2),
    "minimum": lambda a, b: tf.minimum(a, b),
    "maximum": lambda a, b: tf.maximum(a, b),
    "average": lambda a, b: 0.5 * (a + b),
    "distance": lambda a, b: tf.abs(a - b),
    "power": lambda a, b: a * tf.pow(a * a + _TINY, 0.5 * (b - 1.0)),
    "greater": lambda a, b: tf.cast(a > b, tf.float32) + 0.0 * (a + b),
}


class Math(Processor, version=1, category="Control"):
    """Calculate with two control signals.

    Dividing by nearly zero gives nearly zero, not infinity (a·b / (b² + 10⁻⁸)); a power keeps the sign of a and is rounded off
    within 0.01 of zero; "distance" is |a − b|; "greater" is 1 where a > b, otherwise 0.
    """

    operation = Option(default="multiply", choices=tuple(OPERATIONS), doc="What is calculated")
    a = Control(unit="", low=-4.0, high=4.0, default=0.0, doc="One signal")
    b = Control(unit="", low=-4.0, high=4.0, default=1.0, doc="The other")
    out = Outlet(signal=Signal.CONTROL, doc="The result")

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        """Calculate."""
        return {"out": OPERATIONS[str(self.options["operation"])](x.a[:, 1:], x.b[:, 1:])}, memory
