"""Splitters: one sound into bands that add up flat, for effects that should touch only the bass or only the treble."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from ddsp_studio.dsp.ramps import ramp
from ddsp_studio.dsp.svf import Steps, pole_of, steps, trapezoidal
from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Control, Inlet, Law, Outlet

_DAMPING = math.sqrt(2.0)
"""1/Q of a second-order Butterworth filter."""


def _ringing_s(cutoff_hz: float) -> float:
    """Seconds to −60 dB of two equal Butterworth sections in a row: (1 + a·t)·exp(−a·t) = 0.001 with a = √2·π·cutoff."""
    return 9.2 / (_DAMPING * math.pi * cutoff_hz)


def split(audio: Tensor, step: Steps, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Linkwitz-Riley crossover of fourth order: (low, high, state), whose sum is an all-pass, so flat.

    S. Linkwitz, "Active Crossover Networks for Noncoincident Drivers", JAES 24 (1976). Low is two equal Butterworth low-passes.
    For these low² + high² = all-pass, and the first section gives the all-pass as input − 2·damping·band; so high is the all-pass
    less low, exactly, while the crossover moves too.

    Args:
        audio: [batch, samples]. step: of `_butterworth`.
        state: integrators of both sections, [4, batch].
    """
    once, band, first = trapezoidal(audio, step, state[:2])
    low, _, second = trapezoidal(once, step, state[2:])
    return low, audio - 2.0 * _DAMPING * band - low, tf.concat([first, second], axis=0)


def _butterworth(cutoff_hz: Tensor, sample_rate: float) -> Steps:
    """One of the two sections, for a cutoff [batch or 1, samples]."""
    return steps(pole_of(cutoff_hz, sample_rate), tf.constant(_DAMPING))


class Splitter(Processor, version=1, category="Mix"):
    """Divide a sound at one frequency into low and high, 24 dB an octave, which add up flat (Linkwitz and Riley).

    The sum is the sound with its phase turned about the crossover, as every such filter turns it; its spectrum is untouched.
    """

    input = Inlet(doc="The sound")
    crossover = Control(unit="Hz", low=40.0, high=16000.0, default=500.0, law=Law.OCTAVES, doc="Where low ends and high begins")
    low = Outlet(doc="What is below")
    high = Outlet(doc="What is above")

    class Memory(NamedTuple):
        """The integrators, [batch, 4]."""

        integrators: Tensor

    def tail_s(self, values: Mapping[str, tuple[float, ...]]) -> float:
        """Both sections ring."""
        return _ringing_s(values["crossover"][0])

    def memory(self, batch: int) -> Memory:
        """At rest."""
        return self.Memory(tf.zeros([batch, 4]))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Split."""
        audio = tf.broadcast_to(x.input, [memory.integrators.shape[0], x.input.shape[1]])
        step = _butterworth(ramp(x.crossover), self.sample_rate)
        low, high, state = split(audio, step, tf.transpose(memory.integrators))
        return {"low": low, "high": high}, self.Memory(tf.transpose(state))


class ThreeWaySplitter(Processor, version=1, category="Mix"):
    """Divide a sound at two frequencies into low, mid and high, 24 dB an octave, which add up flat (Linkwitz and Riley).

    The low band passes the upper crossover's all-pass, so that all three turn alike. The upper is never below the lower one.
    """

    input = Inlet(doc="The sound")
    lower = Control(unit="Hz", low=40.0, high=4000.0, default=250.0, law=Law.OCTAVES, doc="Where low ends and mid begins")
    upper = Control(unit="Hz", low=200.0, high=16000.0, default=2500.0, law=Law.OCTAVES, doc="Where mid ends and high begins")
    low = Outlet(doc="What is below both")
    mid = Outlet(doc="What is between them")
    high = Outlet(doc="What is above both")

    class Memory(NamedTuple):
        """Integrators of the lower and the upper crossover, [batch, 4] each, and of the low band's all-pass, [batch, 2]."""

        lower: Tensor
        upper: Tensor
        turned: Tensor

    def tail_s(self, values: Mapping[str, tuple[float, ...]]) -> float:
        """The longer of both, for the other is over long before."""
        return max(_ringing_s(values["lower"][0]), _ringing_s(max(values["upper"][0], values["lower"][0])))

    def memory(self, batch: int) -> Memory:
        """At rest."""
        return self.Memory(tf.zeros([batch, 4]), tf.zeros([batch, 4]), tf.zeros([batch, 2]))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Split, then split the upper part; turn the low band as that does."""
        audio = tf.broadcast_to(x.input, [memory.lower.shape[0], x.input.shape[1]])
        cutoffs = ramp(tf.concat([x.lower, tf.maximum(x.upper, x.lower)], axis=0))
        below, above = (_butterworth(cutoff, self.sample_rate) for cutoff in tf.split(cutoffs, 2))
        low, rest, lower = split(audio, below, tf.transpose(memory.lower))
        mid, high, upper = split(rest, above, tf.transpose(memory.upper))
        _, band, turned = trapezoidal(low, above, tf.transpose(memory.turned))
        low = low - 2.0 * _DAMPING * band
        return {"low": low, "mid": mid, "high": high}, self.Memory(*map(tf.transpose, (lower, upper, turned)))
