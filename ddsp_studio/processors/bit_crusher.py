"""Bit crusher."""

from __future__ import annotations

from typing import Any, NamedTuple

from ddsp_studio.dsp.oscillators import accumulate_phase
from ddsp_studio.dsp.ramps import ramp
from ddsp_studio.dsp.recurrence import latest
from ddsp_studio.dsp.tensor import HOP, Tensor, tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Control, Inlet, Law, Outlet


class BitCrusher(Processor, version=1, category="Effect"):
    """Fewer bits and fewer samples a second, as of an early sampler; what aliases, aliases.

    Levels are 2^(1 − bits) apart, one of them zero; bits may be fractional. Each sample is held until the clock of `rate` ticks
    again. The gradient goes straight through the rounding, by the sound and by the bits (Bengio, Léonard and Courville, 2013;
    Esser et al., "Learned Step Size Quantization", 2020), and to the sample that is held; there is none by the rate.
    """

    input = Inlet(doc="The sound")
    bits = Control(unit="bit", low=1.0, high=16.0, default=8.0, doc="Bits a sample")
    rate = Control(unit="Hz", low=200.0, high=48000.0, default=12000.0, law=Law.OCTAVES, doc="Samples a second")
    mix = Control(unit="", low=0.0, high=1.0, default=1.0, doc="Clean to crushed, added in a straight line")
    audio = Outlet(doc="The crushed sound")

    class Memory(NamedTuple):
        """`clock`: turns since the last tick, [batch] float64; `held`: the sample that is held, [batch]."""

        clock: Tensor
        held: Tensor

    def memory(self, batch: int) -> Memory:
        """At a tick."""
        return self.Memory(tf.zeros([batch], tf.float64), tf.zeros([batch]))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Hold, then round."""
        batch, length = int(memory.held.shape[0]), int(x.input.shape[1])
        dry = tf.broadcast_to(x.input, [batch, length])
        rate = tf.broadcast_to(x.rate, [batch, *x.rate.shape[1:]])
        turns, clock = accumulate_phase(rate, memory.clock, self.sample_rate)
        held = _held(dry, _ticks(turns), memory.held)
        step = tf.pow(2.0, 1.0 - ramp(x.bits))
        crushed = step * _rounded(held / step)
        mix = ramp(x.mix)
        return {"audio": (1.0 - mix) * dry + mix * crushed}, self.Memory(clock, held[:, -1])


def _ticks(turns: Tensor) -> Tensor:
    """Whether a clock passes a whole turn at each sample: from turns [batch, hops, HOP] to [batch, samples]."""
    whole = tf.floor(turns)
    before = tf.concat([tf.zeros_like(whole[..., :1]), whole[..., :-1]], axis=2)
    return tf.reshape(whole > before, [turns.shape[0], int(turns.shape[1]) * HOP])


def _held(audio: Tensor, ticks: Tensor, before: Tensor) -> Tensor:
    """The sample at the last tick, [batch, samples]; `before` [batch] until the first."""
    batch, length = audio.shape
    place = tf.broadcast_to(tf.range(1, length + 1), [batch, length])
    index = latest(ticks, place, tf.zeros([batch], tf.int32))
    return tf.gather(tf.concat([before[:, None], audio], axis=1), index, batch_dims=1)


def _rounded(x: Tensor) -> Tensor:
    """Round to the nearest whole number; the gradient is that of x."""
    return x + tf.stop_gradient(tf.round(x) - x)
