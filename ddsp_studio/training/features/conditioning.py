"""From measured features to what a decoder is told, and back: filled pitch, and the scales of the DDSP paper.

J. Engel et al., "DDSP: differentiable digital signal processing" (2020): pitch as MIDI key / 127, levels as dB / 80 + 1.
Numbers, arrays and tensors alike.
"""

from __future__ import annotations

import numpy as np

from ddsp_studio.dsp.scaling import hz_to_midi, midi_to_hz
from ddsp_studio.dsp.tensor import Tensor
from ddsp_studio.training.features.f0_layout import Floats

F0_RANGE = 127.0
"""MIDI keys of the scale 0..1."""
DB_RANGE = 80.0
"""Decibels of the scale 0..1, which ends at 0 dB."""
_SILENT_F0_HZ = 220.0


def held_f0(f0_hz: Floats) -> Floats:
    """Pitch without gaps: the last one holds through a pause, as live; the first one before it; 220 Hz if there is none.

    Args:
        f0_hz: [frames], 0 where there is no pitch.
    """
    voiced = np.flatnonzero(f0_hz > 0.0)
    if not len(voiced):
        return np.full_like(f0_hz, _SILENT_F0_HZ)
    latest = np.searchsorted(voiced, np.arange(len(f0_hz)), side="right") - 1
    return np.asarray(f0_hz[voiced[np.maximum(latest, 0)]], np.float32)


def scale_f0_hz(f0_hz: Tensor) -> Tensor:
    """Pitch in Hz to the scale 0..1 (0 Hz and below: 0)."""
    return hz_to_midi(f0_hz) / F0_RANGE


def unscale_f0_hz(scaled: Tensor) -> Tensor:
    """Inverse of `scale_f0_hz`, Hz."""
    return midi_to_hz(scaled * F0_RANGE)


def scale_db(db: Tensor) -> Tensor:
    """Level in dB to the scale 0..1 of −80..0 dB; it goes on below and above."""
    return db / DB_RANGE + 1.0


def unscale_db(scaled: Tensor) -> Tensor:
    """Inverse of `scale_db`, dB."""
    return (scaled - 1.0) * DB_RANGE
