"""Mixing, panning, and the way out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ddsp_studio.dsp.ramps import RISE, hops, ramp, ramp_hops, samples
from ddsp_studio.dsp.recurrence import decaying_max
from ddsp_studio.dsp.sine import cosine, crossfade, sine
from ddsp_studio.dsp.tensor import HOP, Tensor, tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Control, Inlet, Outlet

_CEILING = 10.0 ** (-0.3 / 20.0)
_RELEASE_S = 0.1


class Add(Processor, version=1, category="Mix"):
    """Add two sounds."""

    a = Inlet(doc="One sound")
    b = Inlet(doc="The other")
    audio = Outlet(doc="a + b")

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        """Add."""
        return {"audio": x.a + x.b}, memory


class Mix(Processor, version=1, category="Mix"):
    """Cross-fade between two sounds at constant power: the squares of the gains always add up to 1."""

    a = Inlet(doc="Heard alone at 0")
    b = Inlet(doc="Heard alone at 1")
    mix = Control(unit="", low=0.0, high=1.0, default=0.5, doc="From a to b")
    audio = Outlet(doc="The mixture")

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        """Weigh by cosine and sine."""
        return {"audio": crossfade(x.a, x.b, ramp(x.mix))}, memory


class Pan(Processor, version=1, category="Mix", stereo=True):
    """Balance of left and right: the louder side keeps its level, the other falls as a constant-power pan does.

    In training, where a row is a clip and not a side, the sound passes as it is.
    """

    input = Inlet(doc="The sound, left and right")
    pan = Control(unit="", low=-1.0, high=1.0, default=0.0, doc="-1 left, 1 right")
    audio = Outlet(doc="The sound, moved")

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        """Weigh each side against the centre."""
        if not self.stereo:
            return {"audio": x.input}, memory
        place = (ramp(x.pan) + 1.0) * 0.125
        gains = tf.concat([cosine(place[:1]), sine(place[-1:])], axis=0)
        return {"audio": x.input * tf.minimum(gains * math.sqrt(2.0), 1.0)}, memory


class VoiceMixer(Processor, version=1, category="Mix"):
    """Bring the voices together on left and right. In training, where a row is a clip, it is a gain only.

    Voices are spread evenly over the stage, neighbours on opposite sides, at constant power.
    """

    input = Inlet(doc="One sound for each voice")
    gain = Control(unit="dB", low=-60.0, high=12.0, default=-6.0, doc="Level of the mixture")
    spread = Control(unit="", low=0.0, high=1.0, default=0.4, doc="How far apart the voices stand")
    pan = Control(unit="", low=-1.0, high=1.0, default=0.0, doc="Where each voice stands; an LFO or velocity may move it")
    audio = Outlet(doc="Left and right")

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        """Pan each voice and add them up."""
        amplitude = tf.pow(10.0, x.gain / 20.0)
        if not self.stereo:
            return {"audio": x.input * ramp(amplitude)}, memory
        voices = int(x.input.shape[0])
        stage = _stage(voices)[:, None, None]
        place = tf.clip_by_value(x.pan + x.spread * stage, -1.0, 1.0)
        gains = amplitude * tf.concat([side((place + 1.0) * 0.125) for side in (cosine, sine)], axis=2)
        # by the gains at a hop's start and end: a small matrix product in each hop, left and right at once
        ends = tf.concat([gains[:, :-1], gains[:, 1:]], axis=2)  # [voices, hops, 4]
        mixed = tf.einsum("vhe,vhs->ehs", ends, hops(x.input))
        return {"audio": samples(mixed[:2] * (1.0 - RISE) + mixed[2:] * RISE)}, memory


def _stage(voices: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Places in -1..1, neighbours on opposite sides; a single voice stands in the middle."""
    ranks = np.arange(voices, dtype=np.float32)
    sides = np.where(ranks % 2 == 0, 1.0, -1.0)
    return np.asarray(sides * (ranks // 2 * 2 + 1) / max(voices, 2) * (voices > 1), np.float32)


class Output(Processor, version=1, category="Output"):
    """What is heard, behind a limiter that no patch can overrun: −0.3 dBFS, whatever comes. What is no number is silence.

    The limiter looks one hop ahead: the gain at a hop's edge is low enough for the hop before and the hop after, and ramps
    between edges, so no sample passes the ceiling. It recovers in 0.1 s.
    """

    input = Inlet(doc="The sound")
    gain = Control(unit="dB", low=-60.0, high=12.0, default=0.0, doc="Level before the limiter")
    audio = Outlet(doc="What is heard")

    class Memory(NamedTuple):
        """`held`: the hop that waits, [batch, HOP]; `needed`: reduction it needs; `reduction`: 1 − gain at its start. [batch]."""

        held: Tensor
        needed: Tensor
        reduction: Tensor

    @property
    def latency(self) -> int:
        """The look-ahead."""
        return HOP

    def memory(self, batch: int) -> Memory:
        """Silence at full gain."""
        return self.Memory(tf.zeros([batch, HOP]), tf.zeros([batch]), tf.zeros([batch]))

    def tail_s(self, values: Mapping[str, tuple[float, ...]]) -> float:
        """The look-ahead."""
        return HOP / self.sample_rate

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Delay by a hop and hold down the peaks."""
        batch = int(memory.needed.shape[0])
        audio = tf.broadcast_to(x.input, [batch, x.input.shape[1]]) * ramp(tf.pow(10.0, x.gain / 20.0))
        audio = tf.where(tf.math.is_finite(audio), audio, 0.0)
        heard = tf.concat([memory.held[:, None], hops(audio)], axis=1)
        peaks = tf.reduce_max(tf.abs(heard[:, 1:]), axis=2)
        needed = tf.concat([memory.needed[:, None], 1.0 - _CEILING / tf.maximum(peaks, _CEILING)], axis=1)
        recovery = math.exp(-HOP / (_RELEASE_S * self.sample_rate))
        edges = decaying_max(tf.maximum(needed[:, :-1], needed[:, 1:]), recovery, memory.reduction)
        gain = 1.0 - tf.concat([memory.reduction[:, None], edges], axis=1)
        # beyond +100 dB, 1 − gain rounds coarsely: the clip holds what that lets through
        out = tf.clip_by_value(samples(heard[:, :-1] * ramp_hops(gain[..., None])), -_CEILING, _CEILING)
        return {"audio": out}, self.Memory(heard[:, -1], needed[:, -1], edges[:, -1])
