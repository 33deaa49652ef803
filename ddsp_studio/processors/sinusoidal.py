"""Additive synthesis without a common fundamental."""

from __future__ import annotations

from typing import Any, NamedTuple

from ddsp_studio.dsp.oscillators import fade_to_nyquist
from ddsp_studio.dsp.sinusoids import sinusoid_bank
from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.processors.bandwidth import BANDWIDTH, fading_rate
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Control, Law, Option, Outlet, Signal

_FIRST = 110.0


class Sinusoidal(Processor, version=1, category="Synth"):
    """A bank of sinusoids, each with a frequency and an amplitude of its own: bells, chords, inharmonic spectra.

    Sinusoids fade out between 0.45 and 0.5 of the sample rate (the sinusoidal model of McAulay and Quatieri, 1986;
    "Sinusoidal" in DDSP, Engel et al., ICLR 2020). Frequencies and amplitudes ramp linearly from frame to frame.
    """

    partials = Option(default=16, low=1, high=256, doc="How many sinusoids")
    bandwidth = BANDWIDTH
    frequencies = Control(
        unit="Hz", low=20.0, high=20000.0, channels="partials", law=Law.OCTAVES, doc="Frequency of each sinusoid",
        default=tuple(_FIRST * k for k in range(1, 65)),
    )  # fmt: skip
    amplitudes = Control(
        unit="", low=0.0, high=1.0, channels="partials", law=Law.CURVED, doc="Amplitude of each sinusoid",
        default=tuple(round(0.3 / k, 4) for k in range(1, 65)),
    )  # fmt: skip
    ratio = Control(unit="", low=0.125, high=8.0, default=1.0, law=Law.OCTAVES, doc="What every frequency is multiplied by")
    amplitude = Control(unit="", low=0.0, high=1.0, default=0.5, doc="Level of them all")
    audio = Outlet(doc="The sound")
    sounding = Outlet(signal=Signal.CONTROL, channels="partials", doc="Amplitude of every sinusoid that sounds")

    class Memory(NamedTuple):
        """`phase`: of every sinusoid in turns, [batch, partials] float64."""

        phase: Tensor

    def memory(self, batch: int) -> Memory:
        """Phase zero."""
        return self.Memory(tf.zeros([batch, self.channels("frequencies")], tf.float64))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Sum the sinusoids."""
        hertz = x.frequencies * x.ratio
        hertz = tf.broadcast_to(hertz, [memory.phase.shape[0], *hertz.shape[1:]])
        heard = fade_to_nyquist(x.amplitudes * x.amplitude, hertz, fading_rate(self.options, self.sample_rate))
        audio, phase = sinusoid_bank(hertz, heard, memory.phase, self.sample_rate)
        return {"audio": audio, "sounding": heard[:, 1:]}, self.Memory(phase)
