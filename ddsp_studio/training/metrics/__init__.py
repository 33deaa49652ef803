"""How good a resynthesis or an analysis is: pitch and spectra."""

from __future__ import annotations

from ddsp_studio.training.metrics.pitch import PitchScore, pitch_distance, pitch_score
from ddsp_studio.training.metrics.sound import spectral_distance

__all__ = [
    "PitchScore",
    "pitch_distance",
    "pitch_score",
    "spectral_distance",
]
