"""Differences of sounds, of controls, of sets of sinusoids, and sums of these.

Trainings and scores use the spectral loss (`spectral.loss_at`) and cannot choose another. The others are for programs of one's
own: those of magenta/ddsp, compared in docs/parity.md.
"""

from __future__ import annotations

from ddsp_studio.training.losses.controls import HarmonicConsistencyLoss, NoiseConsistencyLoss
from ddsp_studio.training.losses.group import AnyLoss, LossGroup, Term, from_data
from ddsp_studio.training.losses.mismatch import TwoWayMismatchLoss
from ddsp_studio.training.losses.sinusoids import DensityConsistencyLoss, WassersteinConsistencyLoss
from ddsp_studio.training.losses.spectral import Spectra, SpectralLoss
from ddsp_studio.training.losses.transcriber import TranscriptionLoss

__all__ = [
    "AnyLoss",
    "DensityConsistencyLoss",
    "HarmonicConsistencyLoss",
    "LossGroup",
    "NoiseConsistencyLoss",
    "Spectra",
    "SpectralLoss",
    "Term",
    "TranscriptionLoss",
    "TwoWayMismatchLoss",
    "WassersteinConsistencyLoss",
    "from_data",
]
