"""Filters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from ddsp_studio.dsp.ramps import ramp
from ddsp_studio.dsp.svf import state_variable
from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Control, Inlet, Law, Option, Outlet


class Filter(Processor, version=1, category="Filter"):
    """State-variable filter, two poles: low, high or band pass, or notch, with a resonance that may ring.

    Cutoff and resonance move at audio rate, without zipper noise (Zavalishin, The Art of VA Filter Design, chapter 4).
    """

    mode = Option(default="low", choices=("low", "high", "band", "notch"), doc="What passes")
    input = Inlet(doc="The sound to filter")
    cutoff = Control(unit="Hz", low=20.0, high=20000.0, default=2000.0, law=Law.OCTAVES, doc="Where the filter works")
    resonance = Control(unit="", low=0.5, high=30.0, default=0.707, law=Law.OCTAVES, doc="Q: emphasis at the cutoff")
    audio = Outlet(doc="The filtered sound")

    class Memory(NamedTuple):
        """The two integrators, [batch] each."""

        first: Tensor
        second: Tensor

    def tail_s(self, values: Mapping[str, tuple[float, ...]]) -> float:
        """Ringing to −60 dB: 6.9·Q / (π·cutoff)."""
        return math.log(1e3) * max(values["resonance"][0], 1.0) / (math.pi * values["cutoff"][0])

    def memory(self, batch: int) -> Memory:
        """At rest."""
        return self.Memory(tf.zeros([batch]), tf.zeros([batch]))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Filter."""
        batch = int(memory.first.shape[0])
        audio = tf.broadcast_to(x.input, [batch, x.input.shape[1]])
        damping = 1.0 / ramp(x.resonance)
        low, band, state = state_variable(audio, ramp(x.cutoff), damping, tf.stack(memory), self.sample_rate)
        match self.options["mode"]:
            case "low":
                out = low
            case "band":
                out = damping * band
            case "high":
                out = audio - damping * band - low
            case _:
                out = audio - damping * band
        return {"audio": out}, self.Memory(state[0], state[1])
