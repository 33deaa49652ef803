"""Wavetable synthesizers: one drawn wave, built-in series of waves, and waves that are learned."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ddsp_studio.dsp.oscillators import accumulate_phase, fade_to_nyquist
from ddsp_studio.dsp.ramps import ramp_hops, samples
from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.dsp.wavetable import band_limit, fourier_bank, harmonics_of, level_of, linear_lookup_hops, read_waves
from ddsp_studio.processors import wave_banks
from ddsp_studio.processors.bandwidth import BANDWIDTH, fading_rate
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Control, Law, Option, Outlet, Weight

_DRAWN = 64


class Phase(NamedTuple):
    """`phase`: of the fundamental in turns, [batch] float64."""

    phase: Tensor


def _audible(cosines: Tensor, sines: Tensor, f0_hz: Tensor, rate: float) -> tuple[Tensor, Tensor]:
    """Harmonics [batch or 1, frames, K] without what is above half the rate in Hz for f0_hz [batch, frames, 1]."""
    numbers = np.arange(1, int(cosines.shape[-1]) + 1, dtype=np.float32)
    gains = fade_to_nyquist(tf.ones_like(f0_hz), f0_hz * numbers, rate)
    return cosines * gains, sines * gains


class Wavetable(Processor, version=1, category="Synth"):
    """One cycle of a wave that you draw, or that a network draws, repeated at any pitch.

    "clean" turns every frame of the table into its harmonics, fades them out before Nyquist and sums them: nothing aliases,
    and the constant part is dropped. "rough" reads the table by linear interpolation as early digital synthesizers did, and as
    DDSP's Wavetable does (Shan et al., "Differentiable Wavetable Synthesis", ICASSP 2022). Tables cross-fade from frame to frame.
    The bandwidth holds for "clean": what the rough reading adds has no frequency of its own.
    """

    points = Option(default=_DRAWN, low=8, high=512, doc="How many points the wave has")
    reading = Option(
        default="clean", choices=("clean", "rough"), doc="Free of aliasing, or with the grit of linear interpolation"
    )
    bandwidth = BANDWIDTH
    f0 = Control(unit="Hz", low=8.0, high=16000.0, default=220.0, law=Law.OCTAVES, doc="Frequency")
    amplitude = Control(unit="", low=0.0, high=1.0, default=0.5, doc="Level")
    table = Control(
        unit="", low=-1.0, high=1.0, channels="points", doc="The wave, from the start of the cycle to its end",
        default=tuple(round(math.sin(2.0 * math.pi * n / _DRAWN), 4) for n in range(_DRAWN)),
    )  # fmt: skip
    audio = Outlet(doc="The sound")

    def memory(self, batch: int) -> Phase:
        """Phase zero."""
        return Phase(tf.zeros([batch], tf.float64))

    def render(self, memory: Phase, x: Any) -> tuple[dict[str, Tensor], Phase]:
        """Sum the wave's harmonics, or look it up."""
        f0_hz = tf.broadcast_to(x.f0, [memory.phase.shape[0], *x.f0.shape[1:]])
        turns, end = accumulate_phase(f0_hz, memory.phase, self.sample_rate)
        if self.options["reading"] == "rough":
            wave = linear_lookup_hops(turns, x.table)
        else:
            wave = fourier_bank(turns, *_audible(*harmonics_of(x.table), f0_hz, fading_rate(self.options, self.sample_rate)))
        return {"audio": samples(wave * ramp_hops(x.amplitude))}, Phase(end)


class WavetableBank(Processor, version=1, category="Synth"):
    """Move through a series of waves: four built-in banks, or the cycles of a WAV file of yours.

    Measured at 48 kHz up to 7 kHz: what is no harmonic lies 100 dB under the strongest one. The waves stand in tables,
    three an octave, each with the harmonics that fit under Nyquist; between two waves, and between two tables, the sound is a
    mixture.
    """

    bank = Option(default="analogue", choices=wave_banks.NAMES, doc="Which waves")
    file = Option(default="", path="audio", doc="A file of single cycles to use in place of the bank")
    cycle = Option(default=2048, low=16, high=8192, doc="Samples of one cycle in the file")
    f0 = Control(unit="Hz", low=8.0, high=16000.0, default=220.0, law=Law.OCTAVES, doc="Frequency")
    amplitude = Control(unit="", low=0.0, high=1.0, default=0.5, doc="Level")
    position = Control(
        unit="", low=0.0, high=1.0, default=0.3, doc="From the first wave to the last; an envelope or LFO may move it"
    )
    audio = Outlet(doc="The sound")

    def prepare(self) -> None:
        """Make the tables."""
        file = str(self.options["file"])
        spectra = wave_banks.from_file(Path(file), self.options["cycle"]) if file else wave_banks.built_in(self.options["bank"])
        self._count = len(spectra)
        self._waves = band_limit(spectra.real, -spectra.imag)

    def memory(self, batch: int) -> Phase:
        """Phase zero."""
        return Phase(tf.zeros([batch], tf.float64))

    def render(self, memory: Phase, x: Any) -> tuple[dict[str, Tensor], Phase]:
        """Read the two waves next to the position."""
        f0_hz = tf.broadcast_to(x.f0, [memory.phase.shape[0], *x.f0.shape[1:]])
        turns, end = accumulate_phase(f0_hz, memory.phase, self.sample_rate)
        level = level_of(ramp_hops(f0_hz), self.sample_rate)
        if self._count == 1:
            wave = read_waves(self._waves, turns, level)
        else:
            place = tf.broadcast_to(ramp_hops(x.position), turns.shape) * (self._count - 1.0)
            first = tf.clip_by_value(tf.floor(place), 0.0, self._count - 2.0)
            index = tf.cast(first, tf.int32)
            pair = read_waves(self._waves, tf.stack([turns, turns]), tf.stack([level, level]), tf.stack([index, index + 1]))
            wave = pair[0] + (place - first) * (pair[1] - pair[0])
        return {"audio": samples(wave * ramp_hops(x.amplitude))}, Phase(end)


class LearnedWavetable(Processor, version=1, category="Synth"):
    """Waves that training fits to a recording, and a position that moves between them.

    Differentiable wavetable synthesis (Shan et al., ICASSP 2022) with waves that cannot alias: the harmonics of each are
    summed up to Nyquist.
    """

    tables = Option(default=4, low=1, high=32, doc="How many waves are learned")
    points = Option(default=128, low=16, high=1024, doc="How many points each wave has")
    bandwidth = BANDWIDTH
    f0 = Control(unit="Hz", low=8.0, high=16000.0, default=220.0, law=Law.OCTAVES, doc="Frequency")
    amplitude = Control(unit="", low=0.0, high=1.0, default=0.5, doc="Level")
    position = Control(unit="", low=0.0, high=1.0, default=0.3, doc="From the first wave to the last")
    waves = Weight(doc="One cycle of each wave")
    audio = Outlet(doc="The sound")

    def weights(self) -> dict[str, Any]:
        """From a sine to a saw, each wave brighter than the one before: [tables, points]."""
        count, points = int(self.options["tables"]), int(self.options["points"])
        k = np.arange(1, points // 2)
        steep = np.linspace(4.0, 1.0, count)[:, None] if count > 1 else np.array([[2.0]])
        waves = (k**-steep) @ np.sin(2.0 * math.pi * np.outer(k, np.arange(points)) / points)
        return {"waves": (waves / np.abs(waves).max(axis=1, keepdims=True)).astype(np.float32)}

    def derive(self, weights: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """The harmonics of every wave, cosines and sines, [tables, harmonics] each."""
        cosines, sines = harmonics_of(weights["waves"])
        return cosines, sines

    def memory(self, batch: int) -> Phase:
        """Phase zero."""
        return Phase(tf.zeros([batch], tf.float64))

    def render(self, memory: Phase, x: Any) -> tuple[dict[str, Tensor], Phase]:
        """Mix the harmonics of the waves next to the position, and sum them."""
        f0_hz = tf.broadcast_to(x.f0, [memory.phase.shape[0], *x.f0.shape[1:]])
        turns, end = accumulate_phase(f0_hz, memory.phase, self.sample_rate)
        count = int(self.options["tables"])
        distance = x.position * (count - 1.0) - np.arange(count, dtype=np.float32)
        shares = tf.nn.relu(1.0 - tf.abs(distance))  # [batch or 1, frames, tables]
        cosines, sines = (tf.tensordot(shares, part, 1) for part in x.weights)
        wave = fourier_bank(turns, *_audible(cosines, sines, f0_hz, fading_rate(self.options, self.sample_rate)))
        return {"audio": samples(wave * ramp_hops(x.amplitude))}, Phase(end)
