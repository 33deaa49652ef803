"""The two-way mismatch between sinusoids and the harmonics of a fundamental, made smooth."""

from __future__ import annotations

import numpy as np

from ddsp_studio.dsp.scaling import hz_to_midi, safe_divide
from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.training.losses.base import Loss
from ddsp_studio.training.losses.sinusoids import heard_shares, log_density


class TwoWayMismatchLoss(Loss, frozen=True, tag=True):
    """How badly sinusoids fit the harmonics of the best of several fundamentals, and those harmonics the sinusoids.

    After Maher and Beauchamp, "Fundamental frequency estimation of musical signals using a two-way mismatch procedure" (1994),
    with likelihoods for their error measures and a soft minimum over candidates. Sinusoids given harmonics favour low
    fundamentals, whose harmonics lie everywhere; harmonics given sinusoids favour high ones, which ask for little; the two meet
    at the true one.

    `sinusoids`, `harmonics`: weights of the two directions. `harmonic_deviation`: width of a harmonic, in harmonic numbers.
    `sinusoid_deviation`: width of a sinusoid, in semitones. `harmonic_points`: harmonics asked for. `harmonic_bells`: harmonics
    that sinusoids may belong to. `temperature`: the lower, the harder the minimum. `sample_rate`: Hz; harmonics beyond Nyquist
    do not count.
    """

    sinusoids: float = 1.0
    harmonics: float = 1.0
    sinusoid_deviation: float = 0.5
    harmonic_deviation: float = 0.2
    harmonic_points: int = 10
    harmonic_bells: int = 30
    temperature: float = 1.0
    sample_rate: float = 16_000.0

    def __call__(self, candidates_hz: Tensor, frequencies_hz: Tensor, amplitudes: Tensor) -> Tensor:
        """The mean over frames and candidates of each candidate's mismatch times its share in the soft minimum.

        Args:
            candidates_hz: fundamentals to try, [batch, frames, candidates].
            frequencies_hz, amplitudes: of the sinusoids, linear, [batch, frames, sinusoids].
        """
        mismatch = self._mismatch(candidates_hz, frequencies_hz, amplitudes)
        return self.weight * tf.reduce_mean(mismatch * tf.nn.softmax(-mismatch / self.temperature, axis=-1))

    def best(self, candidates_hz: Tensor, frequencies_hz: Tensor, amplitudes: Tensor) -> Tensor:
        """The candidate that fits best, Hz, [batch, frames, 1]. Arguments as above."""
        mismatch = self._mismatch(candidates_hz, frequencies_hz, amplitudes)
        return tf.gather(candidates_hz, tf.argmin(mismatch, axis=-1)[..., None], batch_dims=2)

    def _mismatch(self, candidates_hz: Tensor, frequencies_hz: Tensor, amplitudes: Tensor) -> Tensor:
        one, other = self.mismatches(candidates_hz, frequencies_hz, amplitudes)
        return self.sinusoids * one + self.harmonics * other

    def mismatches(self, candidates_hz: Tensor, frequencies_hz: Tensor, amplitudes: Tensor) -> tuple[Tensor, Tensor]:
        """Both directions for every candidate, [batch, frames, candidates].

        They are −ln p(sinusoids | harmonics) and −ln p(harmonics | sinusoids).
        """
        numbers = safe_divide(frequencies_hz[:, :, None, :], candidates_hz[..., None])
        bells = tf.range(1.0, self.harmonic_bells + 1.0)
        density = log_density(numbers, bells, tf.fill([self.harmonic_bells], 1.0 / self.harmonic_bells), self.harmonic_deviation)
        levels = amplitudes[:, :, None, :]
        sinusoids = -safe_divide(tf.reduce_sum(density * levels, axis=-1), tf.reduce_sum(levels, axis=-1))

        harmonics = hz_to_midi(candidates_hz[..., None] * np.arange(1, self.harmonic_points + 1, dtype=np.float32))
        shape = harmonics.shape
        flat = tf.reshape(harmonics, [shape[0], shape[1], -1])
        density = log_density(flat, hz_to_midi(frequencies_hz), heard_shares(amplitudes), self.sinusoid_deviation)
        below = tf.cast(harmonics < float(hz_to_midi(self.sample_rate / 2.0)), tf.float32)
        importance = np.linspace(1.0, 1.0 / self.harmonic_points, self.harmonic_points).astype(np.float32)
        counted = tf.reshape(density, shape) * importance * safe_divide(below, tf.reduce_mean(below, axis=-1, keepdims=True))
        return sinusoids, -tf.reduce_mean(counted, axis=-1)
