"""Sinusoids of any frequencies: banks by control frames and by samples, and their kinship with harmonics.

A harmonic series is cheaper through `dsp.harmonic_bank.harmonic_bank`. Phase is counted in turns; sums over time are float64 and
wrapped, so that they stay exact for hours.
"""

from __future__ import annotations

import numpy as np

from ddsp_studio.dsp.oscillators import wrap
from ddsp_studio.dsp.ramps import RISE, samples
from ddsp_studio.dsp.scaling import safe_divide
from ddsp_studio.dsp.sine import sine
from ddsp_studio.dsp.tensor import HOP, Tensor, tf

_STEP = np.arange(1, HOP + 1, dtype=np.float32)
_PATH = np.stack([np.ones_like(_STEP), _STEP, _STEP * (_STEP + 1.0) / 2.0])
"""What a phase, a frequency, and a rise of frequency a sample come to at each sample of a hop, [3, HOP]."""
_GRAIN = float(2**16)
"""Steps a turn into which frequencies are split: a multiple of 1 / 2^16 times whole numbers stays exact in float32."""


def sinusoid_bank(frequencies_hz: Tensor, amplitudes: Tensor, phase: Tensor, sample_rate: float) -> tuple[Tensor, Tensor]:
    """Sum sinusoids whose frequencies and amplitudes ramp linearly across each hop.

    Sample j = 1..HOP of a hop from frequency f to g (in turns a sample) has the phase start + j·f + (g − f)·j(j + 1) / (2·HOP).
    Starts are summed in float64; inside the hop the frequencies are split into a coarse part, whose multiples are exact in
    float32 and are wrapped, and a remainder that is too small to lose anything. (McAulay and Quatieri, "Speech Analysis/Synthesis
    Based on a Sinusoidal Representation", 1986, have cubic phases where measured phases must be met; none are given here.)

    Args:
        frequencies_hz: [batch, hops + 1, sinusoids] float32, row 0 before the block.
        amplitudes: linear, [batch, hops + 1, sinusoids]; fade them to 0 at Nyquist, see `oscillators.fade_to_nyquist`.
        phase: in turns at the block's start, [batch, sinusoids] float64.
        sample_rate: Hz.

    Returns:
        Audio [batch, hops · HOP] float32, and the phase at the end, [batch, sinusoids] float64.
    """
    turns = tf.cast(frequencies_hz, tf.float64) / sample_rate
    before, rise = turns[:, :-1], turns[:, 1:] - turns[:, :-1]
    ends = phase[:, None] + tf.cumsum(before * HOP + rise * (0.5 * (HOP + 1)), axis=1)
    ends -= tf.floor(ends)
    starts = tf.concat([phase[:, None], ends[:, :-1]], axis=1)
    coarse, fine = (tf.stack(parts, axis=-1) for parts in zip(_split(before), _split(rise / HOP), strict=True))
    start = tf.cast(wrap(starts), tf.float32)[..., None]
    # [batch, hops, sinusoids, HOP], by few passes over large tensors
    place = wrap(wrap(tf.tensordot(coarse, _PATH[1:], 1)) + tf.tensordot(tf.concat([start, fine], axis=-1), _PATH, 1))
    levels = tf.stack([amplitudes[:, :-1], amplitudes[:, 1:]], axis=2)
    summed = tf.matmul(levels, sine(place))  # [batch, hops, 2, HOP], under the levels at both ends of the hop
    return samples(summed[:, :, 0] * (1.0 - RISE) + summed[:, :, 1] * RISE), ends[:, -1]


def _split(turns: Tensor) -> tuple[Tensor, Tensor]:
    """A multiple of 1 / 2^16 and the rest, both float32; the rest carries the gradient."""
    coarse = tf.round(turns * _GRAIN) / _GRAIN
    return tf.cast(tf.stop_gradient(coarse), tf.float32), tf.cast(turns - tf.stop_gradient(coarse), tf.float32)


def integrate_turns(turns: Tensor, phase: Tensor) -> tuple[Tensor, Tensor]:
    """Phase after each sample of frequencies that are given sample by sample: a sum in two levels, wrapped at every hop.

    Args:
        turns: frequency / sample rate, [batch, samples, …] float64; any number of samples, whole hops where a stream is to go on.
        phase: before the first sample, in turns, [batch, …] float64.

    Returns:
        Phase in turns, not wrapped within a hop, [batch, samples, …] float64; and wrapped after the last sample, [batch, …].
    """
    batch, count, *channels = turns.shape
    rows = -(-count // HOP)
    padded = tf.pad(turns, [[0, 0], [0, rows * HOP - count], *([[0, 0]] * len(channels))])
    inside = tf.cumsum(tf.reshape(padded, [batch, rows, HOP, *channels]), axis=2)
    ends = phase[:, None] + tf.cumsum(inside[:, :, -1], axis=1)
    ends -= tf.floor(ends)
    starts = tf.concat([phase[:, None], ends[:, :-1]], axis=1)
    return tf.reshape(starts[:, :, None] + inside, [batch, rows * HOP, *channels])[:, :count], ends[:, -1]


def oscillator_bank(
    frequencies_hz: Tensor, amplitudes: Tensor, phase: Tensor, sample_rate: float, *, summed: bool = True
) -> tuple[Tensor, Tensor]:
    """Sum sinusoids whose frequencies and amplitudes are given for every sample, as for frequency modulation.

    Args:
        frequencies_hz, amplitudes: [batch, samples, sinusoids] float32. phase: turns before the first sample, [batch, sinusoids]
            float64.
        sample_rate: Hz. summed: add the sinusoids up.

    Returns:
        Audio [batch, samples], or [batch, samples, sinusoids] where they are not summed; and the phase at the end.
    """
    turns, end = integrate_turns(tf.cast(frequencies_hz, tf.float64) / sample_rate, phase)
    waves = amplitudes * sine(tf.cast(wrap(turns), tf.float32))
    return tf.reduce_sum(waves, axis=-1) if summed else waves, end


# -- harmonics -----------------------------------------------------------------------------------------------------------


def harmonic_frequencies(f0_hz: Tensor, count: int) -> Tensor:
    """Frequencies in Hz of harmonics 1..count of f0_hz [batch, frames, 1]: [batch, frames, count]."""
    return f0_hz * np.arange(1, count + 1, dtype=np.float32)


def remove_above_nyquist(frequencies_hz: Tensor, amplitudes: Tensor, sample_rate: float) -> Tensor:
    """Silence what lies at or above Nyquist, at once; `oscillators.fade_to_nyquist` does it without a step."""
    return tf.where(frequencies_hz >= sample_rate / 2.0, tf.zeros_like(amplitudes), amplitudes)


def normalise_harmonics(distribution: Tensor, f0_hz: Tensor | None = None, sample_rate: float | None = None) -> Tensor:
    """Scale a harmonic distribution [batch, frames, harmonics] to a sum of 1 in each frame, without what is above Nyquist.

    Args:
        distribution: linear amplitudes. f0_hz: [batch, frames, 1], and sample_rate in Hz: if both are given, harmonics at or
            above Nyquist are silenced first. A distribution of all zeros stays one.
    """
    if f0_hz is not None and sample_rate is not None:
        frequencies = harmonic_frequencies(f0_hz, int(distribution.shape[-1]))
        distribution = remove_above_nyquist(frequencies, distribution, sample_rate)
    return safe_divide(distribution, tf.reduce_sum(distribution, axis=-1, keepdims=True))


def harmonic_to_sinusoidal(amplitude: Tensor, distribution: Tensor, f0_hz: Tensor, sample_rate: float) -> tuple[Tensor, Tensor]:
    """The controls of a harmonic synth as those of a sinusoidal one.

    Args:
        amplitude, f0_hz: [batch, frames, 1]. distribution: [batch, frames, harmonics]; it is normalised below Nyquist.
        sample_rate: Hz.

    Returns:
        Amplitudes and frequencies in Hz, [batch, frames, harmonics] both.
    """
    level = amplitude * normalise_harmonics(distribution, f0_hz, sample_rate)
    return level, harmonic_frequencies(f0_hz, int(distribution.shape[-1]))


def sinusoidal_to_harmonic(
    amplitudes: Tensor,
    frequencies_hz: Tensor,
    f0_hz: Tensor,
    sample_rate: float,
    *,
    harmonics: int = 100,
    width: float = 0.1,
    share: bool = False,
) -> tuple[Tensor, Tensor]:
    """Gather sinusoids into the harmonics that they are close to, each weighted by exp(−(distance / (f0·width))²).

    Args:
        amplitudes, frequencies_hz: [batch, frames, sinusoids]. f0_hz: [batch, frames, 1]. sample_rate: Hz; harmonics from Nyquist
            up are silent.
        harmonics: how many. width: of the weight, as a share of f0.
        share: where the weights of a harmonic exceed 1 in all, scale them to 1, so that no harmonic is louder than the loudest
            sinusoid near it.

    Returns:
        Amplitude [batch, frames, 1], and the distribution [batch, frames, harmonics], whose sum is 1 unless all is silent.
    """
    targets = harmonic_frequencies(f0_hz, harmonics)
    distance = safe_divide(frequencies_hz[:, :, None] - targets[..., None], f0_hz[..., None])
    weights = tf.exp(-tf.square(distance / width))  # [batch, frames, harmonics, sinusoids]
    if share:
        weights /= tf.maximum(tf.reduce_sum(weights, axis=-1, keepdims=True), 1.0)
    gathered = tf.reduce_sum(weights * amplitudes[:, :, None], axis=-1)
    gathered = remove_above_nyquist(targets, gathered, sample_rate)
    amplitude = tf.reduce_sum(gathered, axis=-1, keepdims=True)
    return amplitude, safe_divide(gathered, amplitude)
