"""How far up a synthesizer sounds: an instrument that was trained at a low sample rate says nothing of what lies above."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ddsp_studio.processors.declare import Option

NAME = "bandwidth"
BANDWIDTH = Option(
    default=0.0, low=0.0, high=96_000.0, unit="Hz", doc="Frequency up to which it sounds, as a model was trained; 0: all of them"
)


def fading_rate(options: Mapping[str, Any], sample_rate: float) -> float:
    """Sample rate in Hz towards whose Nyquist partials fade out: that of the training, or a lower one that is played at."""
    return min(sample_rate, 2.0 * float(options[NAME]) or sample_rate)
