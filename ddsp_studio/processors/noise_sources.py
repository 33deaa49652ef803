"""Sources of noise: coloured, and stepped."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ddsp_studio.dsp.coloured import brown_bank, filter_poles, pink_bank
from ddsp_studio.dsp.curves import countable
from ddsp_studio.dsp.noise import row_seeds, scramble, white_noise
from ddsp_studio.dsp.ramps import ramp, ramp_hops, samples
from ddsp_studio.dsp.tensor import HOP, Tensor, tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Control, Law, Option, Outlet

_STEP = np.arange(1, HOP + 1, dtype=np.float64)
_GOLDEN = np.uint32(0x9E3779B9)


class NoiseSource(Processor, version=1, category="Synth"):
    """White, pink or brown noise of equal loudness, the same in every render.

    Uniform white noise is a hash of (name, voice, sample index). Pink falls by 3 dB an octave (within 0.5 dB from 20 Hz),
    brown by 6 dB above 20 Hz; both are the same noise through sums of one-pole low-passes, of the same power as the white.
    """

    colour = Option(default="white", choices=("white", "pink", "brown"), doc="How it falls with frequency")
    amplitude = Control(unit="", low=0.0, high=1.0, default=0.5, doc="Level")
    audio = Outlet(doc="The noise")

    class Memory(NamedTuple):
        """`seed` and `index` of the next sample, [batch] uint32; `levels` of the low-passes, [batch, poles]."""

        seed: Tensor
        index: Tensor
        levels: Tensor

    def prepare(self) -> None:
        """Design the filter."""
        makers = {"pink": pink_bank, "brown": brown_bank}
        maker = makers.get(str(self.options["colour"]))
        self._bank = maker(self.sample_rate) if maker else None

    def memory(self, batch: int) -> Memory:
        """Sample 0 of every voice's own noise."""
        poles = len(self._bank.keep) if self._bank else 1
        return self.Memory(row_seeds(self.name, batch), tf.zeros([batch], tf.uint32), tf.zeros([batch, poles]))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Filter the noise and set its level."""
        length = (int(x.amplitude.shape[1]) - 1) * HOP
        noise, levels = white_noise(memory.seed, memory.index, length), memory.levels
        if self._bank:
            noise, levels = filter_poles(noise, self._bank, levels)
        return {"audio": noise * ramp(x.amplitude)}, self.Memory(memory.seed, memory.index + np.uint32(length), levels)


class SteppedNoise(Processor, version=1, category="Synth"):
    """Noise that holds each random value for a while, as a sample-and-hold of white noise does: from a rattle to a hiss.

    The value of step n is a hash of (name, voice, n). A step that falls between two samples is divided between them (each
    sample is the mean over its own duration), which softens its edge and makes the rate differentiable.
    """

    rate = Control(unit="Hz", low=1.0, high=20000.0, default=1000.0, law=Law.OCTAVES, doc="New values a second")
    amplitude = Control(unit="", low=0.0, high=1.0, default=0.5, doc="Level")
    audio = Outlet(doc="The noise")

    class Memory(NamedTuple):
        """`steps`: how many values have passed, modulo 2^20, [batch] float64. `seed` [batch] uint32."""

        steps: Tensor
        seed: Tensor

    def memory(self, batch: int) -> Memory:
        """At the first value."""
        return self.Memory(tf.zeros([batch], tf.float64), row_seeds(self.name, batch))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Count steps; each sample is the mean of the values that it sees."""
        batch = int(memory.steps.shape[0])
        pace = tf.cast(tf.broadcast_to(x.rate, [batch, x.rate.shape[1], 1]), tf.float64) / self.sample_rate
        pace = countable(tf.minimum(pace, 0.5))
        before, rise = pace[:, :-1], (pace[:, 1:] - pace[:, :-1])
        totals = (before * HOP + rise * (0.5 * (HOP + 1)))[:, :, 0]
        ends = memory.steps[:, None] + tf.cumsum(totals, axis=1)
        start = tf.concat([memory.steps[:, None], ends[:, :-1]], axis=1)
        steps = start[..., None] + before * _STEP + rise * (_STEP * (_STEP + 1.0) / (2.0 * HOP))
        number = tf.floor(steps)
        share = tf.cast(tf.minimum((steps - number) / ramp_hops(pace), 1.0), tf.float32)
        index = tf.cast(tf.cast(number, tf.int64), tf.uint32)
        last, new = (self._value(memory.seed, index + shift) for shift in (np.uint32(0), np.uint32(1)))
        noise = samples(last + share * (new - last))
        return {"audio": noise * ramp(x.amplitude)}, self.Memory(tf.math.floormod(ends[:, -1], 2.0**20), memory.seed)

    @staticmethod
    def _value(seed: Tensor, index: Tensor) -> Tensor:
        word = scramble(seed[:, None, None] + (index % np.uint32(1 << 20)) * _GOLDEN)
        return tf.cast(tf.bitcast(word, tf.int32), tf.float32) * (1.0 / 2**31)
