"""Coloured noise: fixed sums of one-pole low-passes, filtered a hop at a time by matrix products."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.ramps import hops, samples
from ddsp_studio.dsp.recurrence import one_pole_frames
from ddsp_studio.dsp.tensor import HOP, Tensor, tf

_LOWEST_HZ = 10.0
_POLES_PER_OCTAVE = 1.0


class PoleBank(NamedTuple):
    """A filter Σ_i gain_i / (1 − pole_i·z⁻¹) for whole hops.

    `direct` [HOP, HOP]: what the hop's input says in the hop itself. `into` [HOP, poles]: what it leaves in each pole. `out`
    [poles, HOP]: what the poles still say. `keep` [poles]: how a pole falls in a hop.
    """

    direct: npt.NDArray[np.float32]
    into: npt.NDArray[np.float32]
    out: npt.NDArray[np.float32]
    keep: npt.NDArray[np.float32]


def pole_bank(poles: npt.NDArray[np.float64], gains: npt.NDArray[np.float64]) -> PoleBank:
    """Matrices of a bank of real poles in −1..1 with their gains."""
    step = np.arange(HOP)
    answers = poles[:, None] ** step  # [poles, HOP]
    response = gains @ answers
    lag = step[None, :] - step[:, None]  # from input row to output column
    direct = np.where(lag >= 0, response[np.maximum(lag, 0)], 0.0)
    out = gains[:, None] * answers * poles[:, None]
    parts = (direct, answers[:, ::-1].T, out, poles**HOP)
    return PoleBank(*(np.ascontiguousarray(part, np.float32) for part in parts))


def filter_poles(audio: Tensor, bank: PoleBank, levels: Tensor) -> tuple[Tensor, Tensor]:
    """Filter audio [batch, samples] by a bank whose poles stand at `levels` [batch, poles]; the result, and the new levels."""
    x = hops(audio)
    left = tf.transpose(tf.tensordot(x, bank.into, 1), [0, 2, 1])  # [batch, poles, hops]
    ends = one_pole_frames(tf.broadcast_to(bank.keep[:, None], left.shape), left, levels)
    start = tf.concat([levels[:, :, None], ends[:, :, :-1]], axis=2)
    spoken = tf.tensordot(x, bank.direct, 1) + tf.tensordot(tf.transpose(start, [0, 2, 1]), bank.out, 1)
    return samples(spoken), ends[:, :, -1]


def _responses(poles: npt.NDArray[np.float64], hertz: npt.NDArray[np.float64], sample_rate: float) -> npt.NDArray[np.complex128]:
    z = np.exp(-2j * math.pi * hertz / sample_rate)
    return np.asarray(1.0 / (1.0 - poles[:, None] * z), np.complex128)


def pink_bank(sample_rate: float) -> PoleBank:
    """A filter that falls by 3 dB an octave from 20 Hz to 0.45 of the sample rate, of unit power gain for white noise.

    Poles stand an octave apart and their gains follow from the integral of 1/√s over its poles (a "fractional integrator";
    Corsini and Saletti, "A 1/f^γ power spectrum noise sequence generator", 1988); least squares on the squared magnitude put
    them right near Nyquist.
    """
    count = int(_POLES_PER_OCTAVE * math.log2(0.5 * sample_rate / _LOWEST_HZ)) + 1
    corners = _LOWEST_HZ * 2.0 ** (np.arange(count) / _POLES_PER_OCTAVE)
    poles = np.exp(-2.0 * math.pi * corners / sample_rate)
    hertz = np.geomspace(20.0, 0.45 * sample_rate, 200)
    found = _responses(poles, hertz, sample_rate)
    gains = np.sqrt(corners) * (1.0 - poles) / corners
    wanted = 1.0 / np.sqrt(hertz)
    for _ in range(60):  # keep the phase that there is, fit the magnitude
        total = gains @ found
        goal = total / np.abs(total) * wanted
        rows = np.concatenate([(found / wanted).real, (found / wanted).imag], axis=1).T
        gains = np.linalg.lstsq(rows, np.concatenate([(goal / wanted).real, (goal / wanted).imag]), rcond=None)[0]
    return _unit_power(poles, gains)


def brown_bank(sample_rate: float) -> PoleBank:
    """A filter that falls by 6 dB an octave above 20 Hz, of unit power gain for white noise: a leaky integrator."""
    return _unit_power(np.array([math.exp(-2.0 * math.pi * 20.0 / sample_rate)]), np.ones(1))


def _unit_power(poles: npt.NDArray[np.float64], gains: npt.NDArray[np.float64]) -> PoleBank:
    power = gains @ (1.0 / (1.0 - np.outer(poles, poles))) @ gains  # the sum of the squared impulse response
    return pole_bank(poles, gains / math.sqrt(power))
