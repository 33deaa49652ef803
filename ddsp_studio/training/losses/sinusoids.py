"""Losses between two sets of sinusoids, whose order and number may differ.

Amplitudes are linear and not negative, frequencies in Hz: [batch, frames, sinusoids], `a` and `b` each with a number of its own.
"""

from __future__ import annotations

import math

from ddsp_studio.dsp.scaling import hz_to_midi, safe_divide
from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.training.losses.base import Loss

_SILENT = 1e-7


def wasserstein_distance(
    u_values: Tensor, v_values: Tensor, u_weights: Tensor | None = None, v_weights: Tensor | None = None, p: float = 1.0
) -> Tensor:
    """Distance between two weighted sets of numbers: (∫ |U(x) − V(x)|ᵖ dx)^(1/p), U and V their cumulative distributions.

    With p = 1 the Wasserstein distance, how far mass must be carried on average; with p = 2 the Cramér distance, the energy
    distance over √2 (Ramdas, García Trillos and Cuturi, "On Wasserstein two-sample testing and related families", 2017). Weights
    are shares of their sum: only their ratios matter.

    Args:
        u_values, v_values: [..., n] and [..., m]. u_weights, v_weights: alike, not negative; equal ones if not given. A set
            without weight has no place: its share is 0 everywhere.
        p: 1 or more.

    Returns:
        [...].
    """
    values = tf.concat([u_values, v_values], axis=-1)
    shares = tf.concat([_shares(u_weights, u_values), -_shares(v_weights, v_values)], axis=-1)
    order = tf.argsort(values, axis=-1)
    values, shares = (
        tf.gather(values, order, batch_dims=len(values.shape) - 1),
        tf.gather(shares, order, batch_dims=len(values.shape) - 1),
    )
    gap = tf.abs(tf.cumsum(shares, axis=-1)[..., :-1])
    if p == 1.0:
        return tf.reduce_sum((values[..., 1:] - values[..., :-1]) * gap, axis=-1)
    area = tf.reduce_sum((values[..., 1:] - values[..., :-1]) * gap**p, axis=-1)
    apart = area > 0.0
    return tf.where(apart, tf.where(apart, area, 1.0) ** (1.0 / p), 0.0)


def _shares(weights: Tensor | None, values: Tensor) -> Tensor:
    held = tf.ones_like(values) if weights is None else weights
    return safe_divide(held, tf.reduce_sum(held, axis=-1, keepdims=True))


class WassersteinConsistencyLoss(Loss, frozen=True, tag=True):
    """How far the amplitude of one set of sinusoids must be carried to become the other, on average over frames.

    In semitones, or in hertz with `semitones` false. Blind to the level as a whole, for amplitudes are shares of their sum.
    """

    semitones: bool = True

    def __call__(self, a_amplitudes: Tensor, a_hz: Tensor, b_amplitudes: Tensor, b_hz: Tensor) -> Tensor:
        """A number in semitones or hertz, times the weight."""
        if self.semitones:
            a_hz, b_hz = hz_to_midi(a_hz), hz_to_midi(b_hz)
        return self.weight * tf.reduce_mean(wasserstein_distance(a_hz, b_hz, a_amplitudes, b_amplitudes))


def log_density(points: Tensor, middles: Tensor, shares: Tensor, deviation: float) -> Tensor:
    """Logarithm of a sum of normal distributions, at points.

    Args:
        points: [..., n]. middles, shares: [..., m], shares not negative and of unit sum. deviation: of all, in the points' unit.

    Returns:
        [..., n].
    """
    distance = (points[..., :, None] - middles[..., None, :]) / deviation
    each = -0.5 * tf.square(distance) + tf.math.log(tf.maximum(shares, 1e-30))[..., None, :]
    return tf.reduce_logsumexp(each, axis=-1) - math.log(deviation * math.sqrt(2.0 * math.pi))


def heard_shares(amplitudes: Tensor) -> Tensor:
    """Amplitudes as shares of their sum, silent ones as the faintest sound."""
    held = tf.where(amplitudes == 0.0, _SILENT, amplitudes)
    return held / tf.reduce_sum(held, axis=-1, keepdims=True)


class DensityConsistencyLoss(Loss, frozen=True, tag=True):
    """Each set of sinusoids seen from the other: how unlikely it is if the other's partials are bells on the scale of pitch.

    Kernel density estimates in both directions, near to the Jeffreys divergence, and the difference of the mean amplitudes, to
    which that is blind. `a`, `b`: weights of −ln p(a | b) and −ln p(b | a). `mean_amplitude`: weight of the third. `a_deviation`,
    `b_deviation`: width of the bells of a and b in semitones. Not bounded below: it is least, and may be negative, where the sets
        coincide.
    """

    a: float = 1.0
    b: float = 1.0
    mean_amplitude: float = 1.0
    a_deviation: float = 0.1
    b_deviation: float = 0.1

    def __call__(self, a_amplitudes: Tensor, a_hz: Tensor, b_amplitudes: Tensor, b_hz: Tensor) -> Tensor:
        """A number, times the weight."""
        a, b = hz_to_midi(a_hz), hz_to_midi(b_hz)
        terms = [tf.constant(0.0)]
        if self.a:
            terms.append(self.a * _unlikeliness(a_amplitudes, a, b_amplitudes, b, self.b_deviation))
        if self.b:
            terms.append(self.b * _unlikeliness(b_amplitudes, b, a_amplitudes, a, self.a_deviation))
        if self.mean_amplitude:
            gap = tf.reduce_mean(a_amplitudes, axis=-1) - tf.reduce_mean(b_amplitudes, axis=-1)
            terms.append(self.mean_amplitude * tf.reduce_mean(tf.abs(gap)))
        return self.weight * tf.add_n(terms)


def _unlikeliness(
    amplitudes: Tensor, pitches: Tensor, other_amplitudes: Tensor, other_pitches: Tensor, deviation: float
) -> Tensor:
    density = log_density(pitches, other_pitches, heard_shares(other_amplitudes), deviation)
    shares = safe_divide(amplitudes, tf.reduce_sum(amplitudes, axis=-1, keepdims=True))
    return -tf.reduce_mean(density * shares)
