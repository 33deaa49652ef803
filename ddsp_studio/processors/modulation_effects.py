"""Effects of a short delay that moves: chorus, flanger, vibrato, and the bare modulated delay."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ddsp_studio.dsp.modulated_delay import SHORTEST, chunk_of, comb, taps
from ddsp_studio.dsp.ramps import ramp
from ddsp_studio.dsp.sine import crossfade
from ddsp_studio.dsp.swing import sine, swing
from ddsp_studio.dsp.tensor import HOP, Tensor, tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Control, Inlet, Law, Outlet

_MIX = Control(unit="", low=0.0, high=1.0, default=0.5, doc="Dry to wet, at constant power")
_SPREAD = Control(unit="", low=0.0, high=0.5, default=0.25, doc="Turns of the swing by which the right side is ahead of the left")


class Line(NamedTuple):
    """`line`: past sound, [batch, length]. `turns`: place in the swing, 0..1, [batch] float64."""

    line: Tensor
    turns: Tensor


def _line(seconds: float, sample_rate: float, batch: int) -> Tensor:
    return tf.zeros([batch, math.ceil(seconds * sample_rate) + 4])


def _exact(frames: Tensor) -> Tensor:
    """Frames [batch, hops + 1, 1] as float64 [batch, hops + 1]."""
    return tf.cast(frames[..., 0], tf.float64)


def _delay(frames_s: Tensor, sample_rate: float, shortest: float = SHORTEST) -> Tensor:
    """Samples of delay, ramped across each hop: from seconds at the edges, [..., hops + 1], to [..., samples], both float64."""
    frames = frames_s[..., None]
    before, after = frames[..., :-1, :], frames[..., 1:, :]
    seconds = before + (after - before) * (np.arange(1, HOP + 1) / HOP)
    return tf.maximum(tf.reshape(seconds * sample_rate, [*frames_s.shape[:-1], -1]), shortest)


def _apart(processor: Processor, places: Tensor, spread: Tensor) -> Tensor:
    """Places in the swing, [batch, hops + 1]: after the VoiceMixer the right side is ahead of the left."""
    if not processor.stereo:
        return places
    side = tf.range(tf.cast(tf.shape(places)[0], tf.float64), dtype=tf.float64)[:, None]
    return places + side * tf.cast(spread[..., 0], tf.float64)


class Chorus(Processor, version=1, category="Effect"):
    """Three copies of a sound whose delays swing around a middle, each in its own time: one player becomes several.

    Each delay goes from `delay` − `depth` to `delay` + `depth` and back at the rate, a third of a cycle apart. Read between
    samples by third-order Lagrange interpolation (Dattorro, "Effect Design, Part 2", JAES 1997).
    """

    input = Inlet(doc="The sound")
    delay = Control(unit="s", low=0.006, high=0.04, default=0.015, law=Law.OCTAVES, doc="Middle of the delays")
    depth = Control(unit="s", low=0.0, high=0.005, default=0.002, doc="How far each delay swings to either side")
    rate = Control(unit="Hz", low=0.02, high=10.0, default=0.6, law=Law.OCTAVES, doc="Swings a second")
    spread = _SPREAD
    mix = _MIX
    audio = Outlet(doc="The sound in company")

    def tail_s(self, values: Mapping[str, tuple[float, ...]]) -> float:
        """The longest delay."""
        return values["delay"][0] + values["depth"][0]

    def memory(self, batch: int) -> Line:
        """Silence, at the start of a swing."""
        return Line(_line(0.045, self.sample_rate, batch), tf.zeros([batch], tf.float64))

    def render(self, memory: Line, x: Any) -> tuple[dict[str, Tensor], Line]:
        """Read three taps and mix."""
        batch = int(memory.turns.shape[0])
        dry = tf.broadcast_to(x.input, [batch, x.input.shape[1]])
        places, turns = swing(x.rate, memory.turns, self.sample_rate)
        places = _apart(self, places, x.spread)[:, None] + np.arange(3)[:, None] / 3.0
        middle, depth = _exact(x.delay), _exact(x.depth)
        delay_s = middle[:, None] + depth[:, None] * sine(places)
        copies, line = taps(dry, memory.line, _delay(delay_s, self.sample_rate))
        wet = tf.reduce_sum(copies, axis=1) * (1.0 / math.sqrt(3.0))
        return {"audio": crossfade(dry, wet, ramp(x.mix))}, Line(line, turns)


class Vibrato(Processor, version=1, category="Effect"):
    """Pitch that swings, by a delay that swings: a depth in semitones at any rate.

    A delay that swings by A seconds at the rate f bends the pitch by the ratio 1 ± 2πf·A; A follows from depth and rate
    (Dattorro, "Effect Design, Part 2", JAES 1997).
    """

    input = Inlet(doc="The sound")
    rate = Control(unit="Hz", low=1.0, high=14.0, default=5.5, law=Law.OCTAVES, doc="Swings a second")
    depth = Control(unit="st", low=0.0, high=2.0, default=0.3, doc="How far the pitch goes up and down")
    spread = _SPREAD
    audio = Outlet(doc="The sound with its pitch swinging")

    @property
    def latency(self) -> int:
        """At no depth; with depth, the delay swings from here upwards."""
        return round(SHORTEST)

    def _amplitude_s(self, rate: Any, depth: Any) -> Any:
        return (2.0 ** (depth / 12.0) - 1.0) / (2.0 * math.pi * rate)

    def tail_s(self, values: Mapping[str, tuple[float, ...]]) -> float:
        """The longest delay."""
        return float(2.0 * self._amplitude_s(values["rate"][0], values["depth"][0])) + SHORTEST / self.sample_rate

    def memory(self, batch: int) -> Line:
        """Silence, at the start of a swing."""
        return Line(_line(float(2.0 * self._amplitude_s(1.0, 2.0)), self.sample_rate, batch), tf.zeros([batch], tf.float64))

    def render(self, memory: Line, x: Any) -> tuple[dict[str, Tensor], Line]:
        """Read one tap, and nothing of the dry sound."""
        batch = int(memory.turns.shape[0])
        dry = tf.broadcast_to(x.input, [batch, x.input.shape[1]])
        places, turns = swing(x.rate, memory.turns, self.sample_rate)
        wave = 1.0 + sine(_apart(self, places, x.spread))
        delay_s = self._amplitude_s(_exact(x.rate), _exact(x.depth)) * wave + SHORTEST / self.sample_rate
        wet, line = taps(dry, memory.line, _delay(delay_s, self.sample_rate)[:, None])
        return {"audio": wet[:, 0]}, Line(line, turns)


class Flanger(Processor, version=1, category="Effect"):
    """A sound against a copy of itself a few ms late, which swings and feeds back: a comb that sweeps, as of two tape machines.

    The delay goes from 1 ms to `delay` and back at the rate, evenly in octaves, as far as `depth` says. Notches stand at odd
    multiples of half of its inverse (Smith, Physical Audio Signal Processing, "Flanging").
    """

    input = Inlet(doc="The sound")
    delay = Control(unit="s", low=0.002, high=0.015, default=0.006, law=Law.OCTAVES, doc="Longest delay of the swing")
    depth = Control(unit="", low=0.0, high=1.0, default=0.8, doc="0: the delay stands still; 1: it swings down to 1 ms")
    rate = Control(unit="Hz", low=0.02, high=10.0, default=0.2, law=Law.OCTAVES, doc="Swings a second")
    feedback = Control(unit="", low=-0.95, high=0.95, default=0.5, doc="What returns to the delay; below 0 upside down")
    spread = _SPREAD
    mix = _MIX
    audio = Outlet(doc="The sweeping sound")

    def prepare(self) -> None:
        """Size the chunk in which nothing can return yet."""
        try:
            self._chunk = chunk_of(_FLANGER_S * self.sample_rate)
        except ValueError:
            raise ValueError(f"Flanger works at sample rates from {4 / _FLANGER_S:g} Hz, got {self.sample_rate:g} Hz") from None

    def tail_s(self, values: Mapping[str, tuple[float, ...]]) -> float:
        """Rounds to −60 dB, at the longest delay."""
        loss = max(abs(values["feedback"][0]), 1e-3)
        return values["delay"][0] * (1.0 + math.log(1e-3) / math.log(loss))

    def memory(self, batch: int) -> Line:
        """Silence, at the start of a swing."""
        return Line(_line(0.015, self.sample_rate, batch), tf.zeros([batch], tf.float64))

    def render(self, memory: Line, x: Any) -> tuple[dict[str, Tensor], Line]:
        """Go round the comb, and mix."""
        batch, length = int(memory.turns.shape[0]), int(x.input.shape[1])
        dry = tf.broadcast_to(x.input, [batch, length])
        places, turns = swing(x.rate, memory.turns, self.sample_rate)
        down = _exact(x.depth) * (0.5 - 0.5 * sine(_apart(self, places, x.spread)))
        longest = _exact(x.delay)
        delay_s = longest * tf.pow(_FLANGER_S / longest, down)
        delay = _delay(delay_s, self.sample_rate, self._chunk + SHORTEST)
        feedback = tf.broadcast_to(ramp(x.feedback), [batch, length])
        wet, line = comb(dry, memory.line, tf.broadcast_to(delay, [batch, length]), feedback, self._chunk)
        return {"audio": crossfade(dry, wet, ramp(x.mix))}, Line(line, turns)


_FLANGER_S = 0.001


class ModDelay(Processor, version=1, category="Effect"):
    """A short delay that a cable or a network moves, from nothing to 50 ms: chorus, doubling and vibrato of your own making.

    The delay ramps across each hop and is read between samples by third-order Lagrange interpolation (Laakso et al., "Splitting
    the Unit Delay", 1996); it is `delay` seconds and nothing else, down to two samples (the DDSP library's
    ModDelay, whose documented range is not the one that it has).
    """

    input = Inlet(doc="The sound")
    delay = Control(unit="s", low=0.0, high=0.05, default=0.01, doc="The delay, of two samples at least")
    gain = Control(unit="", low=-1.0, high=1.0, default=1.0, doc="Level of the delayed sound; below 0 upside down")
    mix = _MIX
    audio = Outlet(doc="The sound and its delayed copy")

    class Memory(NamedTuple):
        """`line`: past sound, [batch, length]."""

        line: Tensor

    def tail_s(self, values: Mapping[str, tuple[float, ...]]) -> float:
        """The delay."""
        return values["delay"][0]

    def memory(self, batch: int) -> Memory:
        """Silence."""
        return self.Memory(_line(0.05, self.sample_rate, batch))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Read one tap and mix."""
        batch, length = int(memory.line.shape[0]), int(x.input.shape[1])
        dry = tf.broadcast_to(x.input, [batch, length])
        delay = tf.broadcast_to(_delay(_exact(x.delay), self.sample_rate), [batch, length])
        wet, line = taps(dry, memory.line, delay[:, None])
        return {"audio": crossfade(dry, wet[:, 0] * ramp(x.gain), ramp(x.mix))}, self.Memory(line)
