"""Control processors: envelopes, oscillators below hearing, and arithmetic on control signals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ddsp_studio.dsp.beats import number_of, since_reset
from ddsp_studio.dsp.curves import edges
from ddsp_studio.dsp.noise import row_seeds, white_noise
from ddsp_studio.dsp.recurrence import latest, one_pole_frames, scan_frames
from ddsp_studio.dsp.tensor import HOP, Tensor, tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.clock import hop_places
from ddsp_studio.processors.declare import Control, Inlet, Law, Option, Outlet, Signal
from ddsp_studio.processors.divisions import DIVISIONS, FREE, SYNC

_OVERSHOOT = 1.25
"""The attack aims above full level and is cut there, as the charging capacitor of an analogue envelope is."""
_FLOOR = 1e-5
_LONG_AGO = float(2**23)


class Adsr(Processor, version=1, category="Control"):
    """Envelope with attack, decay, sustain and release, from where it stands: a retriggered note never clicks.

    For `attack` after each start it rises exponentially towards 1.25, so that it passes 1 at the end, and is cut at 1; decay and
    release fall exponentially, by 60 dB in their time. One step a hop, a linear recursion whose goal depends on the stage.
    """

    gate = Control(unit="", low=0.0, high=1.0, default=0.0, doc="Held while above 0.5")
    trigger = Control(unit="", low=0.0, high=1.0, default=0.0, advanced=True, doc="Starts the attack anew while the gate is held")
    attack = Control(unit="s", low=0.001, high=10.0, default=0.01, law=Law.OCTAVES, doc="Time to rise to full level")
    decay = Control(unit="s", low=0.005, high=20.0, default=0.5, law=Law.OCTAVES, doc="Time to fall by 60 dB towards sustain")
    sustain = Control(unit="", low=0.0, high=1.0, default=0.7, doc="Level while the key is held")
    release = Control(unit="s", low=0.005, high=20.0, default=0.4, law=Law.OCTAVES, doc="Time to fall by 60 dB after release")
    out = Outlet(signal=Signal.CONTROL, doc="The envelope, 0..1")

    class Memory(NamedTuple):
        """`level`: 0..1.2, before the cut. `age`: hops since the last start, held at 2^23. `gate`: so far. All [batch]."""

        level: Tensor
        age: Tensor
        gate: Tensor

    def tail_s(self, values: Mapping[str, tuple[float, ...]]) -> float:
        """The release, down to −60 dB."""
        return values["release"][0]

    def memory(self, batch: int) -> Memory:
        """At rest, started long ago."""
        return self.Memory(tf.zeros([batch]), tf.fill([batch], _LONG_AGO), tf.zeros([batch]))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Follow the gate."""
        shape = [int(memory.level.shape[0]), int(x.gate.shape[1]) - 1]
        per_hop = HOP / self.sample_rate
        gate = tf.broadcast_to(x.gate[:, 1:, 0], shape)
        begins = tf.logical_or(edges(gate, memory.gate)[0], x.trigger[:, 1:, 0] > 0.5)
        hop = np.arange(1.0, shape[1] + 1.0, dtype=np.float32)
        age = hop - latest(begins, hop + tf.zeros(shape), -memory.age)
        held = gate > 0.5
        rising = tf.logical_and(held, age * per_hop < x.attack[:, 1:, 0])
        times = tf.where(rising, x.attack[:, 1:, 0], tf.where(held, x.decay[:, 1:, 0], x.release[:, 1:, 0]))
        keep = tf.exp(tf.where(rising, math.log(1.0 - 1.0 / _OVERSHOOT), -math.log(1e3)) * per_hop / times)
        goal = tf.where(rising, _OVERSHOOT, tf.where(held, x.sustain[:, 1:, 0], 0.0))
        level = one_pole_frames(keep, (1.0 - keep) * goal, memory.level)
        level = tf.where(level < _FLOOR, 0.0, level)
        after = self.Memory(level[:, -1], tf.minimum(age[:, -1], _LONG_AGO), gate[:, -1])
        return {"out": tf.minimum(level, 1.0)[..., None]}, after


class Lfo(Processor, version=2, category="Control"):
    """Low-frequency oscillator, -1..1, one value a hop. The random shape holds a new value for each cycle.

    It runs at its own rate, or with the transport's clock, one cycle a note value: then the place in the cycle follows from the
    beat alone, through seeks, loops and changes of tempo, and a reset counts from there.
    """

    sync = Option(default=FREE, choices=SYNC, doc="Cycle as a note value of the clock (D is dotted, T a triplet), or free")
    shape = Option(default="sine", choices=("sine", "triangle", "saw", "square", "random"), doc="Waveform")
    clock = Inlet(signal=Signal.CLOCK, doc="The transport's clock")
    rate = Control(unit="Hz", low=0.01, high=50.0, default=5.0, law=Law.OCTAVES, doc="Cycles a second, when it runs free")
    depth = Control(unit="", low=0.0, high=1.0, default=1.0, doc="Size of the swing")
    phase = Control(unit="", low=0.0, high=1.0, default=0.0, advanced=True, doc="Offset within the cycle")
    reset = Control(unit="", low=0.0, high=1.0, default=0.0, advanced=True, doc="Starts the cycle anew when above 0.5")
    out = Outlet(signal=Signal.CONTROL, doc="-1..1")

    class Memory(NamedTuple):
        """`turns`: cycles passed, modulo 2^16, or, on the clock, those at the last reset, [batch] float64.

        `seed`: of the random shape, [batch] uint32.
        """

        turns: Tensor
        seed: Tensor

    def memory(self, batch: int) -> Memory:
        """At the start of cycle 0."""
        return self.Memory(tf.zeros([batch], tf.float64), row_seeds(self.name, batch))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Advance by the rate at each hop's end; a reset goes back to the start of the cycle."""
        shape = [int(memory.turns.shape[0]), int(x.rate.shape[1]) - 1]
        again = tf.broadcast_to(x.reset[:, 1:, 0] > 0.5, shape)
        whole, part, kept = (self._free if self.options["sync"] == FREE else self._synced)(memory, x, again)
        place = tf.cast(part, tf.float32) + x.phase[:, 1:, 0]
        cycle = tf.cast(tf.cast(tf.math.floormod(whole, 65536.0), tf.int32) + tf.cast(place, tf.int32), tf.uint32)
        wave = self._wave(place - tf.floor(place), cycle, memory.seed)
        return {"out": (wave * x.depth[:, 1:, 0])[..., None]}, self.Memory(kept, memory.seed)

    def _free(self, memory: Memory, x: Any, again: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Whole cycles, part of one, and what is kept, at the rate."""
        advance = tf.cast(tf.broadcast_to(x.rate[:, 1:, 0], again.shape), tf.float64) * (HOP / self.sample_rate)
        passed = tf.cumsum(advance, axis=1)
        turns = tf.math.floormod(passed - latest(again, passed, -memory.turns), 65536.0)
        whole = tf.floor(turns)
        return whole, turns - whole, turns[:, -1]

    def _synced(self, memory: Memory, x: Any, again: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The same, on the clock."""
        beats = DIVISIONS[self.options["sync"]]
        turns, origin = since_reset(hop_places(x.clock, beats, int(again.shape[0])), again, memory.turns)
        whole = number_of(turns)
        return whole, turns - whole, origin

    def _wave(self, turns: Tensor, cycle: Tensor, seed: Tensor) -> Tensor:
        match self.options["shape"]:
            case "triangle":
                return 1.0 - 4.0 * tf.abs(tf.math.floormod(turns + 0.25, 1.0) - 0.5)
            case "saw":
                return 2.0 * turns - 1.0
            case "square":
                return tf.where(turns < 0.5, 1.0, -1.0)
            case "random":
                batch, hops = cycle.shape
                return tf.reshape(white_noise(tf.repeat(seed, hops), tf.reshape(cycle, [-1]), 1), [batch, hops])
            case _:
                return tf.sin(2.0 * math.pi * turns)


class Constant(Processor, version=1, category="Control"):
    """One value for several listeners, to turn many knobs with one."""

    value = Control(unit="", low=-1.0, high=1.0, default=0.5, doc="The value")
    out = Outlet(signal=Signal.CONTROL, doc="The value")

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        """Hand the value on."""
        return {"out": x.value[:, 1:]}, memory


class Scale(Processor, version=1, category="Control"):
    """Multiply a control signal by a factor and shift it by an offset."""

    input = Control(unit="", low=-1.0, high=1.0, default=0.0, doc="The signal")
    factor = Control(unit="", low=-4.0, high=4.0, default=1.0, doc="What it is multiplied by")
    offset = Control(unit="", low=-1.0, high=1.0, default=0.0, doc="What is added then")
    out = Outlet(signal=Signal.CONTROL, doc="input × factor + offset")

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        """Scale, then shift."""
        return {"out": x.input[:, 1:] * x.factor[:, 1:] + x.offset[:, 1:]}, memory


class Sum(Processor, version=1, category="Control"):
    """Add two control signals."""

    a = Control(unit="", low=-1.0, high=1.0, default=0.0, doc="One signal")
    b = Control(unit="", low=-1.0, high=1.0, default=0.0, doc="The other")
    out = Outlet(signal=Signal.CONTROL, doc="a + b")

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        """Add."""
        return {"out": x.a[:, 1:] + x.b[:, 1:]}, memory


class Multiply(Processor, version=1, category="Control"):
    """Multiply two control signals: an envelope by a velocity, a vibrato by the modulation wheel."""

    a = Control(unit="", low=-1.0, high=1.0, default=1.0, doc="One signal")
    b = Control(unit="", low=-1.0, high=1.0, default=1.0, doc="The other")
    out = Outlet(signal=Signal.CONTROL, doc="a × b")

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        """Multiply."""
        return {"out": x.a[:, 1:] * x.b[:, 1:]}, memory


class Transpose(Processor, version=1, category="Control"):
    """Move a frequency by a ratio, by semitones and by a bend that signals drive (vibrato, pitch envelopes)."""

    f0 = Control(unit="Hz", low=8.0, high=16000.0, default=220.0, law=Law.OCTAVES, doc="The frequency")
    ratio = Control(unit="", low=0.125, high=32.0, default=1.0, law=Law.OCTAVES, doc="What it is multiplied by")
    semitones = Control(unit="st", low=-24.0, high=24.0, default=0.0, doc="Semitones added")
    bend = Control(unit="", low=-1.0, high=1.0, default=0.0, doc="Drive this by an LFO or an envelope")
    bend_range = Control(unit="st", low=0.0, high=24.0, default=0.5, law=Law.CURVED, doc="Semitones of a full bend")
    out = Outlet(signal=Signal.CONTROL, unit="Hz", doc="The moved frequency")

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        """Multiply by the ratio and by two to the octaves."""
        semitones = x.semitones[:, 1:] + x.bend[:, 1:] * x.bend_range[:, 1:]
        # float64 for the reason given at Voice
        moved = tf.cast(x.f0[:, 1:] * x.ratio[:, 1:], tf.float64) * 2.0 ** (tf.cast(semitones, tf.float64) / 12.0)
        return {"out": tf.cast(moved, tf.float32)}, memory


class Slew(Processor, version=1, category="Control"):
    """Follow a control signal no faster than a time: smooths steps, turns gates into swells."""

    input = Control(unit="", low=-1.0, high=1.0, default=0.0, doc="The signal")
    rise = Control(unit="s", low=0.001, high=10.0, default=0.05, law=Law.OCTAVES, doc="Time to come within 5 % going up")
    fall = Control(unit="s", low=0.001, high=10.0, default=0.05, law=Law.OCTAVES, doc="Time to come within 5 % going down")
    out = Outlet(signal=Signal.CONTROL, doc="The smoothed signal")

    class Memory(NamedTuple):
        """`level` [batch]."""

        level: Tensor

    def tail_s(self, values: Mapping[str, tuple[float, ...]]) -> float:
        """To −60 dB of the fall."""
        return values["fall"][0] * math.log(1e3) / math.log(20.0)

    def memory(self, batch: int) -> Memory:
        """At zero."""
        return self.Memory(tf.zeros([batch]))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Go part of the way at each hop."""
        shape = [memory.level.shape[0], int(x.input.shape[1]) - 1]
        hop_s = HOP / self.sample_rate
        target = tf.broadcast_to(x.input[:, 1:, 0], shape)
        up = tf.broadcast_to(0.05 ** (hop_s / x.rise[:, 1:, 0]), shape)
        down = tf.broadcast_to(0.05 ** (hop_s / x.fall[:, 1:, 0]), shape)

        def step(level: Tensor, frame: tuple[Tensor, Tensor, Tensor]) -> Tensor:
            target, up, down = frame
            level = target + (level - target) * tf.where(target > level, up, down)
            return tf.where(tf.abs(level) < _FLOOR, 0.0, level)

        level, last = scan_frames(step, memory.level, (target, up, down))
        return {"out": level[..., None]}, self.Memory(last)
