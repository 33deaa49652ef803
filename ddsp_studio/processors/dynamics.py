"""Dynamics: compressor, limiter, gate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ddsp_studio.dsp import dynamics as dsp
from ddsp_studio.dsp.tensor import HOP, Tensor, tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Control, Inlet, Law, Option, Outlet

_AHEAD = HOP // dsp.STEP
_SOURCE = Option(default="input", choices=("input", "sidechain"), doc="Whose level is listened to")
_SIDECHAIN = Inlet(doc="The sound whose level is listened to, where the source is the sidechain")


class _Detector(NamedTuple):
    """`held` and `level` of the detector, `gain` at the block's start; [batch] each."""

    held: Tensor
    level: Tensor
    gain: Tensor


def _linked(processor: Processor, levels: Tensor, batch: int) -> Tensor:
    """One level for left and right after the VoiceMixer, so that the image stands still; each row's own elsewhere."""
    if not processor.stereo:
        return tf.broadcast_to(levels, [batch, levels.shape[1]])
    return tf.broadcast_to(tf.reduce_max(levels, axis=0, keepdims=True), [batch, levels.shape[1]])


class Compressor(Processor, version=1, category="Effect"):
    """Turn down what is louder than a threshold, by a ratio, as fast as attack and release say.

    Peaks are taken and the gain is set every 8 samples; there is no latency. Left and right are turned down together.
    Curve and detector: Giannoulis, Massberg and Reiss, "Digital Dynamic Range Compressor Design" (JAES 2012).
    """

    source = _SOURCE
    input = Inlet(doc="The sound")
    sidechain = _SIDECHAIN
    threshold = Control(unit="dB", low=-60.0, high=0.0, default=-20.0, doc="Peak level from which the sound is turned down")
    ratio = Control(unit="", low=1.0, high=20.0, default=4.0, law=Law.OCTAVES, doc="dB going in for each dB more coming out")
    knee = Control(unit="dB", low=0.0, high=24.0, default=6.0, doc="Width of the bend around the threshold")
    attack = Control(unit="s", low=0.0002, high=0.2, default=0.005, law=Law.OCTAVES, doc="Time to turn 63 % of the way down")
    release = Control(unit="s", low=0.005, high=2.0, default=0.12, law=Law.OCTAVES, doc="Time to come 63 % of the way back")
    makeup = Control(unit="dB", low=0.0, high=24.0, default=0.0, doc="Gain afterwards")
    audio = Outlet(doc="The sound with its level evened out")

    def memory(self, batch: int) -> _Detector:
        """Nothing turned down, and no gain set yet."""
        return _Detector(tf.zeros([batch]), tf.zeros([batch]), tf.fill([batch], -1.0))

    def render(self, memory: _Detector, x: Any) -> tuple[dict[str, Tensor], _Detector]:
        """Measure, compute the reduction in dB, smooth it, apply it."""
        batch = int(memory.held.shape[0])
        listened = x.input if self.options["source"] == "input" else x.sidechain
        level_db = dsp.to_db(_linked(self, dsp.peaks(listened), batch))
        over = dsp.excess(level_db, dsp.step_frames(x.threshold), dsp.step_frames(x.knee))
        wanted = over * (1.0 - 1.0 / dsp.step_frames(x.ratio))
        attack, release = (dsp.keep(dsp.step_frames(time), self.sample_rate) for time in (x.attack, x.release))
        held, reduction = dsp.detect(wanted, attack, release, memory.held, memory.level)
        gain = dsp.to_amplitude(dsp.step_frames(x.makeup) - reduction)
        before = tf.where(memory.gain < 0.0, dsp.to_amplitude(x.makeup[:, 0, 0]), memory.gain)
        return {"audio": dsp.apply(x.input, gain, before)}, _Detector(held[:, -1], reduction[:, -1], gain[:, -1])


class Limiter(Processor, version=1, category="Effect"):
    """Hold every peak under a ceiling, looking one hop (64 samples) ahead, so that nothing is clipped.

    The gain begins to fall when a peak comes into sight, as fast as the attack says; what is missing when the peak arrives
    is taken at once, so that no sample ever passes the ceiling. Left and right are turned down together.
    """

    input = Inlet(doc="The sound")
    drive = Control(unit="dB", low=-12.0, high=24.0, default=0.0, doc="Level before the limiter")
    ceiling = Control(unit="dB", low=-24.0, high=0.0, default=-1.0, doc="What no sample passes")
    attack = Control(
        unit="s",
        low=0.00005,
        high=0.005,
        default=0.0003,
        law=Law.OCTAVES,
        doc="Time to turn 63 % of the way down to a peak in sight",
    )
    release = Control(unit="s", low=0.005, high=2.0, default=0.1, law=Law.OCTAVES, doc="Time to come 63 % of the way back")
    audio = Outlet(doc="The sound under the ceiling")

    class Memory(NamedTuple):
        """`ahead`: the hop that waits, [batch, HOP]. `needed`: its reductions, dB, [batch, 9]. The detector's values: [batch]."""

        ahead: Tensor
        needed: Tensor
        held: Tensor
        level: Tensor
        reduction: Tensor

    @property
    def latency(self) -> int:
        """The look-ahead."""
        return HOP

    def tail_s(self, values: Mapping[str, tuple[float, ...]]) -> float:
        """The look-ahead."""
        return HOP / self.sample_rate

    def memory(self, batch: int) -> Memory:
        """Silence at full gain."""
        zero = tf.zeros([batch])
        return self.Memory(tf.zeros([batch, HOP]), tf.zeros([batch, _AHEAD + 1]), zero, zero, zero)

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Delay by a hop; set each gain low enough for the steps on either side of it."""
        batch, length = int(memory.held.shape[0]), int(x.input.shape[1])
        driven = dsp.apply(
            tf.broadcast_to(x.input, [batch, length]), dsp.to_amplitude(dsp.step_frames(x.drive)), _amplitude(x.drive)
        )
        level_db = dsp.to_db(_linked(self, dsp.peaks(driven), batch))
        new = tf.maximum(level_db - dsp.step_frames(x.ceiling), 0.0)
        needed = tf.concat([memory.needed, new], axis=1)  # from one step before the oldest that waits
        attack, release = (dsp.keep(dsp.step_frames(time), self.sample_rate) for time in (x.attack, x.release))
        held, level = dsp.detect(dsp.sliding_max(needed, _AHEAD + 1)[:, 1:], attack, release, memory.held, memory.level)
        count = length // dsp.STEP
        due = tf.maximum(needed[:, 1 : count + 1], needed[:, 2 : count + 2])
        reduction = tf.maximum(level, due)
        stream = tf.concat([memory.ahead, driven], axis=1)
        out = dsp.apply(stream[:, :length], dsp.to_amplitude(-reduction), dsp.to_amplitude(-memory.reduction))
        kept = self.Memory(stream[:, length:], needed[:, count:], held[:, -1], level[:, -1], reduction[:, -1])
        return {"audio": out}, kept


def _amplitude(frames: Tensor) -> Tensor:
    """Amplitude of the frame before the block, [batch]."""
    return dsp.to_amplitude(frames[:, 0, 0])


class Gate(Processor, version=1, category="Effect"):
    """Turn down what is softer than a threshold: noise between notes falls silent.

    Below the threshold, each dB is turned into `ratio` dB, down to the range. Opens with the attack, closes with the release.
    Downward expansion with the detector of Giannoulis, Massberg and Reiss (JAES 2012). No latency.
    """

    source = _SOURCE
    input = Inlet(doc="The sound")
    sidechain = _SIDECHAIN
    threshold = Control(unit="dB", low=-80.0, high=0.0, default=-45.0, doc="Peak level below which the sound is turned down")
    ratio = Control(unit="", low=1.0, high=50.0, default=10.0, law=Law.OCTAVES, doc="dB coming out for each dB less going in")
    range = Control(unit="dB", low=0.0, high=80.0, default=60.0, doc="How far it turns down at most")
    attack = Control(unit="s", low=0.0002, high=0.1, default=0.001, law=Law.OCTAVES, doc="Time to open 63 % of the way")
    release = Control(unit="s", low=0.005, high=2.0, default=0.1, law=Law.OCTAVES, doc="Time to close 63 % of the way")
    audio = Outlet(doc="The sound without what is softer than the threshold")

    def memory(self, batch: int) -> _Detector:
        """Closed, and no gain set yet."""
        return _Detector(tf.zeros([batch]), tf.zeros([batch]), tf.fill([batch], -1.0))

    def render(self, memory: _Detector, x: Any) -> tuple[dict[str, Tensor], _Detector]:
        """Find how far open the gate should be, smooth that, apply it."""
        batch = int(memory.held.shape[0])
        listened = x.input if self.options["source"] == "input" else x.sidechain
        level_db = dsp.to_db(_linked(self, dsp.peaks(listened), batch))
        under = tf.maximum(dsp.step_frames(x.threshold) - level_db, 0.0)
        widest = tf.maximum(dsp.step_frames(x.range), 1e-3)
        closed = tf.minimum(under * (dsp.step_frames(x.ratio) - 1.0) / widest, 1.0)
        attack, release = (dsp.keep(dsp.step_frames(time), self.sample_rate) for time in (x.attack, x.release))
        held, opened = dsp.detect(1.0 - closed, attack, release, memory.held, memory.level)
        gain = dsp.to_amplitude((opened - 1.0) * widest)
        before = tf.where(memory.gain < 0.0, _amplitude(-x.range), memory.gain)
        return {"audio": dsp.apply(x.input, gain, before)}, _Detector(held[:, -1], opened[:, -1], gain[:, -1])
