"""How good a resynthesis or an analysis is: pitch, loudness, spectra, notes."""

from __future__ import annotations

from ddsp_studio.training.metrics.notes import Notes, NoteScore, note_score
from ddsp_studio.training.metrics.pitch import PitchScore, pitch_distance, pitch_score
from ddsp_studio.training.metrics.sound import loudness_distance, spectral_distance

__all__ = [
    "NoteScore",
    "Notes",
    "PitchScore",
    "loudness_distance",
    "note_score",
    "pitch_distance",
    "pitch_score",
    "spectral_distance",
]
