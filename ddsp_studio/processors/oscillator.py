"""The classic oscillator."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ddsp_studio.dsp.classic import SHAPES, classic_wave, saw_and_parabola
from ddsp_studio.dsp.noise import row_seeds, scramble
from ddsp_studio.dsp.oscillators import accumulate_phase
from ddsp_studio.dsp.ramps import ramp_hops, samples
from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Control, Law, Option, Outlet


class Oscillator(Processor, version=1, category="Synth"):
    """Sine, triangle, saw or pulse of an analogue synthesizer, alone or several side by side, free of aliasing.

    Measured at 48 kHz with fundamentals from 55 Hz to 7 kHz: whatever is no harmonic lies 105 dB under the fundamental or
    lower. Pulse and triangle are differences of two saws or parabolas (Välimäki and Huovinen, IEEE Signal Processing Magazine,
    2007), read from tables that hold the harmonics under Nyquist. The voices of a unison start at phases of their own and
    their powers add up to one.
    """

    shape = Option(default="saw", choices=SHAPES, doc="Waveform")
    unison = Option(default=1, low=1, high=7, doc="How many oscillators sound together")
    f0 = Control(unit="Hz", low=8.0, high=16000.0, default=220.0, law=Law.OCTAVES, doc="Frequency")
    amplitude = Control(unit="", low=0.0, high=1.0, default=0.5, doc="Level")
    width = Control(
        unit="", low=0.02, high=0.98, default=0.5, doc="Share of the cycle in which a pulse is high or a triangle rises"
    )
    detune = Control(unit="ct", low=0.0, high=100.0, default=15.0, doc="How far the outermost of a unison stand from the middle")
    audio = Outlet(doc="The sound")

    class Memory(NamedTuple):
        """`phase`: of every oscillator in turns, [batch, unison] float64."""

        phase: Tensor

    def prepare(self) -> None:
        """Compute the tables, and where the oscillators of a unison stand."""
        self._waves = saw_and_parabola()
        count = int(self.options["unison"])
        self._stand = np.linspace(-1.0, 1.0, count) if count > 1 else np.zeros(1)

    def memory(self, batch: int) -> Memory:
        """One starts at phase zero, several anywhere."""
        count = len(self._stand)
        if count == 1:
            return self.Memory(tf.zeros([batch, 1], tf.float64))
        words = scramble(row_seeds(self.name, batch)[:, None] + np.arange(count, dtype=np.uint32))
        return self.Memory(tf.cast(words, tf.float64) * 2.0**-32)

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Read the wave at every oscillator's phase and add them up."""
        batch, count = memory.phase.shape
        frames = int(x.f0.shape[1])
        f0_hz = tf.broadcast_to(x.f0, [batch, frames, 1])
        if count > 1:
            # float64 for the reason given at Voice
            ratio = tf.pow(tf.constant(2.0, tf.float64), tf.cast(x.detune, tf.float64) * (self._stand / 1200.0))
            f0_hz = tf.reshape(tf.transpose(tf.cast(f0_hz, tf.float64) * ratio, [0, 2, 1]), [batch * count, frames, 1])
        turns, end = accumulate_phase(f0_hz, tf.reshape(memory.phase, [batch * count]), self.sample_rate)
        width = ramp_hops(tf.broadcast_to(x.width, [batch, frames, 1]))
        width = tf.repeat(width, count, axis=0) if count > 1 else width
        hertz = ramp_hops(tf.cast(f0_hz, tf.float32))
        wave = classic_wave(str(self.options["shape"]), self._waves, turns, hertz, width, self.sample_rate)
        if count > 1:
            wave = tf.reduce_sum(tf.reshape(wave, [batch, count, *wave.shape[1:]]), axis=1) * (1.0 / math.sqrt(count))
        return {"audio": samples(wave * ramp_hops(x.amplitude))}, self.Memory(tf.reshape(end, [batch, count]))
