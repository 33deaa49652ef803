"""Numbers of the pitch tracker at the frames of the clock."""

from __future__ import annotations

from ddsp_studio.dsp import pitch_layout
from ddsp_studio.dsp.pitch_layout import F0Settings, Floats, Layout, favour
from ddsp_studio.training.features.clock import frame_period

__all__ = ["F0Settings", "Floats", "Layout", "favour", "layout"]


def layout(sample_rate: int, settings: F0Settings) -> Layout:
    """Work out the numbers for a sample rate in Hz (ValueError outside 8 to 192 kHz)."""
    return pitch_layout.layout(sample_rate, settings, frame_period(sample_rate))
