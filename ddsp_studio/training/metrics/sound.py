"""How near a sound is to another: in loudness, and in its spectra."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.loudness import FLOOR_DB, loudness
from ddsp_studio.dsp.tensor import HOP, Tensor, tf
from ddsp_studio.training.losses.spectral import SpectralLoss

AUDIBLE_DB = -80.0


def loudness_distance(target: npt.ArrayLike, audio: npt.ArrayLike, sample_rate: float, floor_db: float = AUDIBLE_DB) -> float:
    """Mean difference of A-weighted loudness in dB, frame by frame, of two sounds [batch, samples] of equal length.

    Levels under `floor_db` count as that, so that the depth of silence does not matter.
    """
    one, other = (
        np.maximum(loudness(np.asarray(x, np.float64), sample_rate, hop=_step(sample_rate)), max(floor_db, FLOOR_DB))
        for x in (target, audio)
    )
    return float(np.mean(np.abs(one - other)))


def _step(sample_rate: float) -> int:
    """About 4 ms in whole hops."""
    return HOP * max(1, round(0.004 * sample_rate / HOP))


def spectral_distance(target: Tensor, audio: Tensor) -> float:
    """Multi-scale distance of magnitudes and log-magnitudes of two sounds [batch, samples] of equal length.

    It is the default `SpectralLoss`.
    """
    one, other = (tf.convert_to_tensor(x, tf.float32) for x in (target, audio))
    return float(SpectralLoss()(one, other))
