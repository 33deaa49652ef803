"""The waves of analogue synthesizers, band-limited: pulse and triangle are made of shifted saws and parabolas."""

from __future__ import annotations

import math

import numpy as np

from ddsp_studio.dsp.oscillators import fade_to_nyquist, wrap
from ddsp_studio.dsp.sine import sine
from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.dsp.wavetable import MOST_HARMONICS, Waves, band_limit, level_of, read_waves

SHAPES = ("sine", "triangle", "saw", "pulse")


def saw_and_parabola() -> Waves:
    """Wave 0: 2·t − 1 for t in 0..1. Wave 1: its integral t² − t + 1/6. To be called outside of traced functions."""
    k = np.arange(1, MOST_HARMONICS + 1)
    nothing = np.zeros(MOST_HARMONICS)
    return band_limit([nothing, 1.0 / (math.pi * k) ** 2], [-2.0 / (math.pi * k), nothing])


def classic_wave(shape: str, waves: Waves, turns: Tensor, f0_hz: Tensor, width: Tensor, sample_rate: float) -> Tensor:
    """Band-limited sine, triangle, saw or pulse.

    The difference of a saw and of the same saw a share w of the cycle later is a pulse; that of two parabolas, the saw's
    integral, is a triangle (Välimäki and Huovinen, "Antialiasing Oscillators in Subtractive Synthesis", 2007). None has a
    constant part: the pulse steps by 2, between 2 − 2w and −2w; the others reach from −1 to 1.

    Args:
        shape: one of `SHAPES`. waves: as `saw_and_parabola` made them. turns: phase, [...] float64. f0_hz: [...].
        width: share of the cycle in which the pulse is high, or the triangle rises; inside 0..1, [...].
        sample_rate: Hz.

    Returns:
        [...] float32.
    """
    if shape == "sine":
        wave = sine(tf.cast(wrap(turns), tf.float32))
        return fade_to_nyquist(wave, f0_hz, sample_rate)
    level = level_of(f0_hz, sample_rate)
    if shape == "saw":
        return read_waves(waves, turns, level)
    index = 1 if shape == "triangle" else 0
    later = turns - tf.cast(width, tf.float64)
    both = read_waves(waves, tf.stack([turns, later]), tf.stack([level, level]), index)
    wave = both[1] - both[0]
    return wave / (width * (1.0 - width)) if shape == "triangle" else wave
