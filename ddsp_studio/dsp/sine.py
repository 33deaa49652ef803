"""Sines and cosines of turns, and the crossfade of constant power that is made of them."""

from __future__ import annotations

import math

from ddsp_studio.dsp.tensor import Tensor, is_for_xla, tf

_ODD = (6.28318516, -41.34165503, 81.60100403, -76.5497813, 39.53669818)
"""sin(2π·t) = t·(c₀ + c₁t² + … + c₄t⁸) for |t| ≤ 1/4, within 4e-9: fitted for the smallest largest error."""


def sine(turns: Tensor) -> Tensor:
    """sin(2π·turns), of at most half a turn either way: within 3e-7.

    For XLA as a polynomial: on a CPU its own sines are calls of the C library, one by one, and take thirty times as long.
    """
    if not is_for_xla():
        return tf.sin(turns * (2.0 * math.pi))
    return _quarter(tf.where(tf.abs(turns) > 0.25, 0.5 * tf.sign(turns) - turns, turns))


def cosine(turns: Tensor) -> Tensor:
    """cos(2π·turns); see `sine`."""
    return _quarter(0.25 - tf.abs(turns)) if is_for_xla() else tf.cos(turns * (2.0 * math.pi))


def tangent(turns: Tensor) -> Tensor:
    """tan(2π·turns), of less than a quarter turn either way: within 1e-5 of itself up to 0.245; see `sine`."""
    return sine(turns) / cosine(turns) if is_for_xla() else tf.tan(turns * (2.0 * math.pi))


def _quarter(turns: Tensor) -> Tensor:
    square, total = turns * turns, _ODD[-1]
    for coefficient in _ODD[-2::-1]:
        total = total * square + coefficient
    return turns * total


def crossfade(one: Tensor, other: Tensor, share: Tensor) -> Tensor:
    """From one signal (share 0) to the other (share 1) at constant power: cosine and sine of a quarter turn."""
    return cosine(0.25 * share) * one + sine(0.25 * share) * other
