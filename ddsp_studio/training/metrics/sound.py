"""How near a sound is to another in its spectra."""

from __future__ import annotations

from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.training.losses.spectral import loss_at


def spectral_distance(target: Tensor, audio: Tensor, sample_rate: float) -> float:
    """Multi-scale distance of magnitudes and log-magnitudes of two sounds [batch, samples] of equal length, at a rate in Hz.

    It is the loss that is trained with (`losses.spectral.loss_at`).
    """
    one, other = (tf.convert_to_tensor(x, tf.float32) for x in (target, audio))
    return float(loss_at(sample_rate)(one, other))
