"""Losses between the controls of two synthesizers: amplitudes, frequencies, noise magnitudes."""

from __future__ import annotations

from ddsp_studio.dsp.scaling import hz_to_midi, logb
from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.training.losses.base import Loss
from ddsp_studio.training.losses.differences import Kind, mean_difference


def amplitude_difference(
    value: Tensor,
    target: Tensor,
    kind: Kind = "L1",
    weights: Tensor | None = None,
    logarithmic: bool = False,
    floor: float = 1e-5,
) -> Tensor:
    """Mean difference of linear amplitudes, or of their decimal logarithms held at or above `floor`.

    Args:
        value, target: linear, any shape. kind, weights: as in `mean_difference`.
        logarithmic: compare log₁₀, a twentieth of decibels. floor: linear amplitude that counts as silence there.
    """
    if logarithmic:
        value, target = logb(value, 10.0, floor), logb(target, 10.0, floor)
    return mean_difference(target, value, kind, weights)


def pitch_difference(value_hz: Tensor, target_hz: Tensor, kind: Kind = "L1", weights: Tensor | None = None) -> Tensor:
    """Mean difference of frequencies in Hz, in semitones. 0 Hz counts as note 0."""
    return mean_difference(hz_to_midi(target_hz), hz_to_midi(value_hz), kind, weights)


class NoiseConsistencyLoss(Loss, frozen=True, tag=True):
    """Filtered noise: L1 of its linear band magnitudes, [batch, frames, bands]."""

    def __call__(self, magnitudes: Tensor, target_magnitudes: Tensor) -> Tensor:
        """A number, 0 for equal magnitudes."""
        return self.weight * amplitude_difference(magnitudes, target_magnitudes)


class HarmonicConsistencyLoss(Loss, frozen=True, tag=True):
    """Harmonic synthesizer: L1 of amplitude, of the distribution and of the pitch in semitones.

    Distribution and pitch count only where the target's amplitude reaches `threshold` (linear), for in silence they mean nothing.
    """

    amplitude: float = 1.0
    distribution: float = 1.0
    f0: float = 1.0
    threshold: float = 1e-4

    def terms(
        self,
        amplitude: Tensor,
        target_amplitude: Tensor,
        distribution: Tensor,
        target_distribution: Tensor,
        f0_hz: Tensor,
        target_f0_hz: Tensor,
    ) -> dict[str, Tensor]:
        """The weighted terms by name.

        Args:
            amplitude, target_amplitude: linear, [batch, frames, 1].
            distribution, target_distribution: shares of the partials, [batch, frames, partials].
            f0_hz, target_f0_hz: Hz, [batch, frames, 1].
        """
        heard = tf.cast(target_amplitude >= self.threshold, tf.float32)
        return {
            "amplitude": self.weight * self.amplitude * amplitude_difference(amplitude, target_amplitude),
            "distribution": self.weight
            * self.distribution
            * amplitude_difference(distribution, target_distribution, weights=heard),
            "f0": self.weight * self.f0 * pitch_difference(f0_hz, target_f0_hz, weights=heard),
        }

    def __call__(self, *controls: Tensor) -> Tensor:
        """The sum of `terms`, which takes the same arguments."""
        return tf.add_n(list(self.terms(*controls).values()))
