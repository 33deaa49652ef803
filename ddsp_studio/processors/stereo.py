"""Effects on left and right: width, tremolo and auto-pan, ping-pong echo."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from ddsp_studio.dsp.modulated_delay import SHORTEST, bounce
from ddsp_studio.dsp.ramps import ramp
from ddsp_studio.dsp.recurrence import one_pole_frames
from ddsp_studio.dsp.sine import crossfade
from ddsp_studio.dsp.swing import sine, swing
from ddsp_studio.dsp.tensor import HOP, Tensor, tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Control, Inlet, Law, Option, Outlet

_GLIDE_S = 0.15
_SHORTEST_S = 0.02


class StereoWidth(Processor, version=1, category="Effect", stereo=True):
    """Narrow or widen the stage: the difference of left and right times the width.

    0 is mono, 1 leaves all as it is, 2 doubles the difference. The sum of left and right never changes (Blumlein, 1931). In
    training, where a row is a clip and not a side, the sound passes as it is.
    """

    input = Inlet(doc="The sound, left and right")
    width = Control(unit="", low=0.0, high=2.0, default=1.0, doc="0 mono, 1 as it is, 2 twice as wide")
    audio = Outlet(doc="The sound, narrower or wider")

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        """Weigh the difference."""
        if not self.stereo:
            return {"audio": x.input}, memory
        middle = 0.5 * tf.reduce_sum(x.input, axis=0, keepdims=True)
        return {"audio": middle + (x.input - middle) * ramp(x.width)}, memory


class AutoPan(Processor, version=1, category="Effect"):
    """Tremolo and auto-pan: the level swings, on left and right together or one against the other.

    The gain goes from 1 down to 1 − depth and back, as a raised sine.
    """

    input = Inlet(doc="The sound")
    rate = Control(unit="Hz", low=0.02, high=20.0, default=4.0, law=Law.OCTAVES, doc="Swings a second")
    depth = Control(unit="", low=0.0, high=1.0, default=0.6, doc="How far the level falls")
    spread = Control(
        unit="",
        low=0.0,
        high=0.5,
        default=0.0,
        doc="Turns by which the right side is ahead: 0 is a tremolo, 0.5 moves from side to side",
    )
    audio = Outlet(doc="The swinging sound")

    class Memory(NamedTuple):
        """`turns`: place in the swing, 0..1, [batch] float64."""

        turns: Tensor

    def memory(self, batch: int) -> Memory:
        """At the start of a swing."""
        return self.Memory(tf.zeros([batch], tf.float64))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Multiply by the swing."""
        places, turns = swing(x.rate, memory.turns, self.sample_rate)
        if self.stereo:
            sides = tf.range(int(memory.turns.shape[0]), dtype=tf.float64)[:, None]
            places += sides * tf.cast(x.spread[..., 0], tf.float64)
        level = 1.0 - x.depth * tf.cast(0.5 - 0.5 * sine(places + 0.25), tf.float32)[..., None]
        return {"audio": x.input * ramp(level)}, self.Memory(turns)


class PingPong(Processor, version=1, category="Effect", stereo=True):
    """Echo that bounces from side to side: what left repeats, right repeats next, each time softer and darker.

    Left and right are added up and go to the left first. A new time is reached by gliding; the line is read between samples
    by Lagrange interpolation (Laakso et al., "Splitting the Unit Delay", 1996). In training, where a row is a clip and not a
    side, every clip hears all repeats.
    """

    longest = Option(default=1.0, low=0.1, high=4.0, unit="s", doc="Length of the delay line")
    input = Inlet(doc="The sound")
    time = Control(unit="s", low=_SHORTEST_S, high=4.0, default=0.3, law=Law.OCTAVES, doc="Time between repeats")
    feedback = Control(unit="", low=0.0, high=0.95, default=0.5, doc="Level of each repeat against the one before")
    tone = Control(unit="Hz", low=200.0, high=20000.0, default=6000.0, law=Law.OCTAVES, doc="Damping of each repeat")
    mix = Control(unit="", low=0.0, high=1.0, default=0.35, doc="Dry to wet, at constant power")
    audio = Outlet(doc="The sound with its echoes")

    class Memory(NamedTuple):
        """`line`: past of each side's line, [batch, length]. `damped`: last sample out of it, `time`: s, float64; [batch]."""

        line: Tensor
        damped: Tensor
        time: Tensor

    def prepare(self) -> None:
        """Size the line, and the chunk within which nothing can return."""
        if _SHORTEST_S * self.sample_rate < HOP + 4:
            raise ValueError(f"PingPong works at sample rates from {(HOP + 4) / _SHORTEST_S:g} Hz, got {self.sample_rate:g} Hz")
        self._chunk_hops = int(_SHORTEST_S * self.sample_rate - SHORTEST) // HOP

    def tail_s(self, values: Mapping[str, tuple[float, ...]]) -> float:
        """Repeats until −60 dB."""
        feedback = max(values["feedback"][0], 1e-3)
        return min(values["time"][0], float(self.options["longest"])) * math.ceil(1.0 + math.log(1e-3) / math.log(feedback))

    def memory(self, batch: int) -> Memory:
        """Silence, and no time yet."""
        length = math.ceil(float(self.options["longest"]) * self.sample_rate) + 8
        return self.Memory(tf.zeros([batch, length]), tf.zeros([batch]), tf.fill([batch], tf.constant(-1.0, tf.float64)))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Send the sum to the left line, and each line's end to the other line."""
        shape = [int(memory.damped.shape[0]), int(x.input.shape[1])]
        dry = tf.broadcast_to(x.input, shape)
        delay, times = self._glide(memory.time, x.time, shape)
        pole = tf.broadcast_to(tf.exp(-2.0 * math.pi * tf.minimum(ramp(x.tone) / self.sample_rate, 0.49)), shape)
        fed = dry
        if self.stereo:
            fed = tf.concat([tf.reduce_sum(dry, axis=0, keepdims=True) * math.sqrt(0.5), tf.zeros_like(dry[1:])], axis=0)
        feedback = tf.broadcast_to(ramp(x.feedback), shape)
        loop = (memory.line, memory.damped)
        wet, loop = bounce((fed, delay, pole, feedback), loop, self._chunk_hops * HOP, crossed=self.stereo)
        return {"audio": crossfade(dry, wet, ramp(x.mix))}, self.Memory(*loop, times)

    def _glide(self, before: Tensor, time_s: Tensor, shape: list[int]) -> tuple[Tensor, Tensor]:
        """The delay in samples, [batch, samples] float64, and the time at the end, [batch]."""
        # float64 for the reason given at Delay
        wanted = tf.cast(tf.minimum(time_s[:, 1:, 0], self.options["longest"]), tf.float64)
        wanted = tf.broadcast_to(wanted, [shape[0], shape[1] // HOP])
        keep = math.exp(-HOP / (_GLIDE_S * self.sample_rate))
        first = tf.where(before < 0.0, wanted[:, 0], before)
        times = one_pole_frames(tf.fill(wanted.shape, tf.constant(keep, tf.float64)), (1.0 - keep) * wanted, first)
        frames = tf.concat([first[:, None], times], axis=1)[..., None]
        return ramp(frames) * self.sample_rate, times[:, -1]
