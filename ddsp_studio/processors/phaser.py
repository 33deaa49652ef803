"""Phaser."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from ddsp_studio.dsp.allpass import chain, coefficient, modes, regenerate, root
from ddsp_studio.dsp.ramps import ramp
from ddsp_studio.dsp.swing import sine, swing
from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Control, Inlet, Law, Option, Outlet


class Phaser(Processor, version=1, category="Effect"):
    """Notches that sweep through a sound: it is added to itself behind a chain of all-passes, which feeds back.

    Half as many notches as stages, at tan(π(2k − 1) / (2·stages)) of the corner, below and above it, which swings around
    `centre`. Feedback runs without any delay (Smith, Physical Audio Signal Processing, "Phasing with First-Order Allpass
    Filters").
    """

    stages = Option(default="4", choices=("2", "4", "6", "8", "12"), doc="All-passes in the chain")
    input = Inlet(doc="The sound")
    centre = Control(unit="Hz", low=50.0, high=8000.0, default=700.0, law=Law.OCTAVES, doc="Middle of the sweep")
    depth = Control(unit="oct", low=0.0, high=4.0, default=1.5, doc="Octaves of the sweep to either side")
    rate = Control(unit="Hz", low=0.02, high=10.0, default=0.4, law=Law.OCTAVES, doc="Swings a second")
    feedback = Control(unit="", low=0.0, high=0.95, default=0.4, doc="How sharply it rings between the notches")
    spread = Control(
        unit="", low=0.0, high=0.5, default=0.25, doc="Turns of the swing by which the right side is ahead of the left"
    )
    mix = Control(unit="", low=0.0, high=1.0, default=0.5, doc="Dry to shifted; notches are deepest in the middle")
    audio = Outlet(doc="The sound with its notches")

    class Memory(NamedTuple):
        """`turns`: place in the swing, [batch] float64; `chain` [batch, stages]; `loop` [batch, stages / 2 + 1] complex64."""

        turns: Tensor
        chain: Tensor
        loop: Tensor

    def prepare(self) -> None:
        """Count the stages."""
        self._stages = int(self.options["stages"])

    def tail_s(self, values: Mapping[str, tuple[float, ...]]) -> float:
        """Ringing of the slowest pole to −60 dB at the low end of the sweep; it begins with its share of the response."""
        lowest = values["centre"][0] * 2.0 ** -values["depth"][0]
        near = values["feedback"][0] ** (1.0 / self._stages)
        return float(math.log(1e3 / (2 * self._stages)) / (2.0 * math.pi * lowest) * (1.0 + near) / (1.0 - near))

    def memory(self, batch: int) -> Memory:
        """At rest, at the start of a swing."""
        loop = tf.zeros([batch, modes(self._stages)], tf.complex64)
        return self.Memory(tf.zeros([batch], tf.float64), tf.zeros([batch, self._stages]), loop)

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Feed back, pass through the chain, mix."""
        batch = int(memory.turns.shape[0])
        shape = [batch, x.input.shape[1]]
        dry = tf.broadcast_to(x.input, shape)
        places, turns = swing(x.rate, memory.turns, self.sample_rate)
        if self.stereo:
            places += tf.range(batch, dtype=tf.float64)[:, None] * tf.cast(x.spread[..., 0], tf.float64)
        corner = x.centre * tf.pow(2.0, x.depth * tf.cast(sine(places), tf.float32)[..., None])
        # what ramps is the coefficients: tangents and roots once a hop instead of once a sample
        a = tf.broadcast_to(ramp(coefficient(corner, self.sample_rate)), shape)
        p = tf.broadcast_to(ramp(root(x.feedback, self._stages)), shape)
        ringing, loop = regenerate(dry, a, p, memory.loop, self._stages)
        shifted, ends = chain(ringing, a, memory.chain)
        mix = ramp(x.mix)
        return {"audio": (1.0 - mix) * dry + mix * shifted}, self.Memory(turns, ends, loop)
