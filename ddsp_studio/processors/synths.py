"""Synthesizers: the differentiable sound sources."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ddsp_studio.dsp.fir import filter_hops, fir_length
from ddsp_studio.dsp.harmonic_bank import harmonic_bank
from ddsp_studio.dsp.noise import row_seeds, white_noise
from ddsp_studio.dsp.oscillators import accumulate_phase, fade_to_nyquist
from ddsp_studio.dsp.ramps import samples
from ddsp_studio.dsp.tensor import HOP, Tensor, tf
from ddsp_studio.processors.bandwidth import BANDWIDTH, fading_rate
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Control, Law, Option, Outlet, Signal

_NEPERS = math.log(10.0) / 20.0
"""dB of one octave for a slope of one power of the frequency."""


class Harmonic(Processor, version=1, category="Synth"):
    """A bank of sine partials at whole multiples of one frequency, with a drawable distribution.

    The distribution is tilted, faded to zero between 0.45 and 0.5 of the sample rate, and normalised to a sum of 1; the
    amplitude scales it. Partials start in sine phase (Engel et al., DDSP, ICLR 2020, section 3.1).
    """

    partials = Option(default=64, low=1, high=512, doc="How many partials")
    bandwidth = BANDWIDTH
    f0 = Control(unit="Hz", low=8.0, high=16000.0, default=220.0, law=Law.OCTAVES, doc="Fundamental frequency")
    amplitude = Control(unit="", low=0.0, high=1.0, default=0.5, doc="Sum of the partials' amplitudes")
    tilt = Control(unit="dB/oct", low=-24.0, high=24.0, default=0.0, doc="Darkens (below 0) or brightens the distribution")
    distribution = Control(
        unit="", low=0.0, high=1.0, channels="partials", law=Law.CURVED, doc="Amplitude of each partial, relative to the others",
        default=tuple(round(1.0 / k, 4) for k in range(1, 65)),
    )  # fmt: skip
    audio = Outlet(doc="The sound")
    amplitudes = Outlet(signal=Signal.CONTROL, channels="partials", doc="Amplitude of every partial that sounds")

    class Memory(NamedTuple):
        """`phase`: of the fundamental in turns, [batch] float64."""

        phase: Tensor

    def prepare(self) -> None:
        """Number the partials."""
        self._numbers = np.arange(1, self.channels("distribution") + 1, dtype=np.float32)
        self._slopes = (np.log2(self._numbers) * _NEPERS).astype(np.float32)
        self._fade_hz = fading_rate(self.options, self.sample_rate)

    def memory(self, batch: int) -> Memory:
        """Phase zero."""
        return self.Memory(tf.zeros([batch], tf.float64))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Sum the partials."""
        batch = int(memory.phase.shape[0])
        f0_hz = tf.broadcast_to(x.f0, [batch, *x.f0.shape[1:]])
        shaped = x.distribution * tf.exp(x.tilt * self._slopes)
        audible = fade_to_nyquist(shaped, f0_hz * self._numbers, self._fade_hz)
        amplitudes = audible * (x.amplitude / (tf.reduce_sum(audible, axis=-1, keepdims=True) + 1e-7))
        turns, end = accumulate_phase(f0_hz, memory.phase, self.sample_rate)
        audio = samples(harmonic_bank(turns, amplitudes))
        return {"audio": audio, "amplitudes": amplitudes[:, 1:]}, self.Memory(end)


class FilteredNoise(Processor, version=1, category="Synth"):
    """White noise through a drawable filter: breath, bow, wind, attack.

    Magnitudes are linear and evenly spaced from 0 Hz to Nyquist; the response cross-fades within each hop, so it never steps. The
    noise is a hash of (name, voice, sample index), so that every render is the same (Engel et al., DDSP, section 3.1).
    """

    bands = Option(default=65, low=5, high=513, doc="How many bands the filter has")
    bandwidth = BANDWIDTH
    amplitude = Control(unit="", low=0.0, high=1.0, default=0.5, doc="Level of the noise")
    tilt = Control(unit="dB/oct", low=-24.0, high=24.0, default=0.0, doc="Darkens or brightens, about 1 kHz")
    magnitudes = Control(
        unit="", low=0.0, high=1.0, channels="bands", law=Law.CURVED, default=0.5, doc="Gain of each band"
    )  # fmt: skip
    audio = Outlet(doc="The sound")

    class Memory(NamedTuple):
        """`seed` and `index` of the next sample, [batch] uint32; `tail` of the filter, [batch, taps - 1]."""

        seed: Tensor
        index: Tensor
        tail: Tensor

    def prepare(self) -> None:
        """Place the bands."""
        bands, nyquist = self.channels("magnitudes"), self.sample_rate / 2.0
        # a band has its place in hertz: above the bandwidth further ones are silent, and what lies above Nyquist is left out
        share = nyquist / (float(self.options["bandwidth"]) or nyquist)
        self._bands = max(3, round((bands - 1) * share) + 1)
        # white noise has its power spread up to Nyquist: what a band holds must not depend on where that is
        self._density = np.float32(math.sqrt(share))
        hertz = np.maximum(np.arange(bands), 0.5) / (bands - 1) * nyquist / share
        self._slopes = (np.log2(hertz / 1000.0) * _NEPERS).astype(np.float32)

    @property
    def latency(self) -> int:
        """Half the filter."""
        return fir_length(self._bands) // 2

    def tail_s(self, values: Any) -> float:
        """The filter."""
        return fir_length(self._bands) / self.sample_rate

    def memory(self, batch: int) -> Memory:
        """Sample 0 of every voice's own noise."""
        tail = tf.zeros([batch, fir_length(self._bands) - 1])
        return self.Memory(row_seeds(self.name, batch), tf.zeros([batch], tf.uint32), tail)

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Filter the noise."""
        length = (int(x.magnitudes.shape[1]) - 1) * HOP
        noise = white_noise(memory.seed, memory.index, length)
        gains = x.magnitudes * tf.exp(x.tilt * self._slopes) * x.amplitude
        heard = gains[..., : self._bands] * self._density
        if (silent := self._bands - int(heard.shape[2])) > 0:
            heard = tf.pad(heard, [[0, 0], [0, 0], [0, silent]])
        audio, tail = filter_hops(noise, heard, memory.tail)
        return {"audio": audio}, self.Memory(memory.seed, memory.index + np.uint32(length), tail)
