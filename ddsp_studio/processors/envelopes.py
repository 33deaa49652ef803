"""Envelopes: drawn in segments, and followed from a sound."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from ddsp_studio.dsp.curves import Run, Segments, edges, segment_envelope
from ddsp_studio.dsp.dynamics import detect, keep, peaks, step_frames
from ddsp_studio.dsp.tensor import HOP, Tensor, tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Control, Inlet, Law, Option, Outlet, Signal

_LONG_AGO = 2.0**40


class Envelope(Processor, version=1, category="Control"):
    """Envelope of as many segments as you draw, each with its level, time and curve, from where it stands: it never jumps.

    The gate runs the segments up to the sustain point, where it waits or begins again; its release runs the rest. Without a
    sustain point (0) all of them run from every start. A segment of curve c goes along p / (p + (1 − p)·2^(−5c)), p being the
    share of its time (the bias curve of Schlick, Graphics Gems IV, 1994).
    """

    segments = Option(default=4, low=1, high=16, doc="How many segments")
    sustain = Option(default=3, low=0, high=16, doc="The segment after which it waits for the release; 0 for none")
    loop = Option(default="off", choices=("off", "on"), doc="Repeat the held segments instead of waiting")
    gate = Control(unit="", low=0.0, high=1.0, default=0.0, doc="Held while above 0.5")
    trigger = Control(unit="", low=0.0, high=1.0, default=0.0, advanced=True, doc="Starts anew while above 0.5")
    levels = Control(
        unit="", low=0.0, high=1.0, channels="segments", default=(1.0, 0.4, 0.6, 0.0), doc="Level at the end of each segment"
    )
    times = Control(
        unit="s", low=0.002, high=20.0, channels="segments", law=Law.OCTAVES, default=(0.01, 0.15, 0.3, 0.5),
        doc="Duration of each segment",
    )  # fmt: skip
    curves = Control(
        unit="", low=-1.0, high=1.0, channels="segments", default=(0.0, 0.4, 0.0, 0.4),
        doc="Bend of each segment: below 0 slow first, above 0 fast first",
    )  # fmt: skip
    speed = Control(unit="", low=0.125, high=8.0, default=1.0, law=Law.OCTAVES, doc="How many times faster than drawn")
    out = Outlet(signal=Signal.CONTROL, doc="The envelope, 0..1")

    class Memory(NamedTuple):
        """`run`: where the envelope stands. `gate`: so far, [batch]."""

        run: Run
        gate: Tensor

    def prepare(self) -> None:
        """A sustain point beyond the last segment is the last."""
        self._sustain = min(int(self.options["sustain"]), self.channels("levels"))

    def tail_s(self, values: Mapping[str, tuple[float, ...]]) -> float:
        """The segments after the release, or all of them."""
        return sum(values["times"][self._sustain :]) / values["speed"][0]

    def memory(self, batch: int) -> Memory:
        """At rest, since long ago."""
        long_ago = tf.fill([batch], tf.constant(_LONG_AGO, tf.float64))
        return self.Memory(Run(tf.zeros([batch]), tf.zeros([batch]), long_ago, tf.zeros([batch])), tf.zeros([batch]))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Follow the gate."""
        gate = tf.broadcast_to(x.gate[:, 1:, 0], [memory.gate.shape[0], int(x.gate.shape[1]) - 1])
        rises, falls = edges(gate, memory.gate)
        begins = tf.logical_or(rises, x.trigger[:, 1:, 0] > 0.5)
        drawn = Segments(x.levels[:, 1:], x.times[:, 1:] / x.speed[:, 1:], x.curves[:, 1:])
        hop_s, loop = HOP / self.sample_rate, self.options["loop"] == "on"
        level, run = segment_envelope(drawn, begins, falls, memory.run, sustain=self._sustain, loop=loop, hop_s=hop_s)
        run = run._replace(age=tf.minimum(run.age, _LONG_AGO))
        return {"out": level[..., None]}, self.Memory(run, gate[:, -1])


class Follower(Processor, version=1, category="Control"):
    """The envelope of a sound, as a control signal: makes one sound move another.

    Peaks are held and fall by 60 dB in the release; what is held is smoothed by the attack (the decoupled detector of Giannoulis,
    Massberg and Reiss, JAES 2012). Sensitivity scales the sound before.
    """

    input = Inlet(doc="The sound to follow")
    sensitivity = Control(unit="dB", low=-24.0, high=48.0, default=0.0, doc="Gain before the detector")
    attack = Control(unit="s", low=0.001, high=1.0, default=0.005, law=Law.OCTAVES, doc="Time to come within 5 % going up")
    release = Control(unit="s", low=0.005, high=5.0, default=0.2, law=Law.OCTAVES, doc="Time to fall by 60 dB")
    out = Outlet(signal=Signal.CONTROL, doc="Amplitude of the sound")

    class Memory(NamedTuple):
        """`held`: peak that falls, `level`: smoothed; [batch]."""

        held: Tensor
        level: Tensor

    def tail_s(self, values: Mapping[str, tuple[float, ...]]) -> float:
        """The release, and what the attack holds back."""
        release, attack = values["release"][0] / math.log(1e3), values["attack"][0] / math.log(20.0)
        return max(release, attack) * math.log(1e3) + min(release, attack)

    def memory(self, batch: int) -> Memory:
        """Silence."""
        return self.Memory(tf.zeros([batch]), tf.zeros([batch]))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Hold the peaks, smooth them, and take the value at each hop's end."""
        batch = int(memory.held.shape[0])
        loudest = peaks(tf.broadcast_to(x.input, [batch, x.input.shape[1]]))
        drive = loudest * step_frames(tf.pow(10.0, x.sensitivity / 20.0))
        attack = tf.broadcast_to(keep(step_frames(x.attack) / math.log(20.0), self.sample_rate), drive.shape)
        release = tf.broadcast_to(keep(step_frames(x.release) / math.log(1e3), self.sample_rate), drive.shape)
        held, level = detect(drive, attack, release, memory.held, memory.level)
        frames = tf.reshape(level, [batch, int(x.attack.shape[1]) - 1, -1])[:, :, -1:]
        return {"out": frames}, self.Memory(held[:, -1], level[:, -1])
