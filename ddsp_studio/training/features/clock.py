"""The clock of features: a frame every so many whole samples, at every rate.

Frame m describes the sound around sample m·period, counted from sample 0 of the recording; a recording of n samples has
n // period + 1 frames. The period is a multiple of the hop (64 samples), so a frame is also a control frame of the processors.
"""

from __future__ import annotations

HOP = 64
"""The hop of the processors, in samples; `dsp.tensor.HOP` is the same number, and a test says so."""

PERIOD_S = 0.004
"""What a period is close to: 4 ms, exactly so at 16, 32, 48 and 96 kHz."""

LOWEST_RATE, HIGHEST_RATE = 8_000, 192_000
"""Sample rates that recordings may have, in Hz."""


def frame_period(sample_rate: int) -> int:
    """Samples from one frame to the next: the multiple of the hop that is closest to 4 ms, one hop at least.

    64 at 16 kHz (4 ms), 64 at 22.05 kHz (2.9 ms), 128 at 24 and 32 kHz, 192 at 44.1 kHz (4.35 ms) and 48 kHz (4 ms), 384 at
    88.2 and 96 kHz.

    Raises:
        ValueError: a rate outside 8 to 192 kHz.
    """
    if not LOWEST_RATE <= sample_rate <= HIGHEST_RATE:
        raise ValueError(f"sound of {LOWEST_RATE // 1000} to {HIGHEST_RATE // 1000} kHz can be analysed, got {sample_rate:g} Hz")
    return HOP * max(1, round(sample_rate * PERIOD_S / HOP))


def frame_count(samples: int, sample_rate: int) -> int:
    """Frames of a recording of so many samples, the frames at its beginning and (if it falls on one) at its end included."""
    return samples // frame_period(sample_rate) + 1
