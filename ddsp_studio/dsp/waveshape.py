"""Distortion curves, each averaged over the straight line from one sample to the next.

That average is what a memoryless curve does to the straight-line signal between samples, box-filtered over one sample; it takes
away most of the aliasing that a sharp curve makes (Parker, Zavalishin and Le Bivic, "Reducing the Aliasing of Nonlinear
Waveshaping Using Continuous-Time Convolution", DAFx 2016). Their form, a difference of antiderivatives over a difference of
samples, loses its digits where samples are close; the curves here are chosen so that the division can be carried out by hand,
and no case needs special care. Every function delays by half a sample, passes 0 as 0, and takes and returns [batch, samples].
"""

from __future__ import annotations

import math
from collections.abc import Callable

from ddsp_studio.dsp.tensor import Tensor, tf

_BIAS = 0.5


def _root(x: Tensor) -> Tensor:
    """√(1 + x²), for any x that float32 holds."""
    size = tf.minimum(tf.abs(x), 1e15)
    return tf.sqrt(1.0 + size * size)


def _soft(a: Tensor, b: Tensor) -> Tensor:
    """Average of x / √(1 + x²) from a to b: the antiderivative is √(1 + x²), and r(b) − r(a) = (b² − a²) / (r(b) + r(a))."""
    return (a + b) / (_root(a) + _root(b))


def _size(a: Tensor, b: Tensor) -> Tensor:
    """Average of |x| from a to b: half of |a + b| on one side of zero, (a² + b²) / (2·|b − a|) across it."""
    across = tf.where(a * b < 0.0, tf.abs(a) + tf.abs(b), 1.0)
    # divided first: a² would overflow
    return 0.5 * tf.where(a * b < 0.0, a / across * a + b / across * b, tf.abs(a + b))


def soft(a: Tensor, b: Tensor) -> Tensor:
    """The curve x / √(1 + x²): gentle from the start, never quite flat."""
    return _soft(a, b)


def tube(a: Tensor, b: Tensor) -> Tensor:
    """The soft curve about a bias: one half-wave bends sooner than the other, which adds even harmonics and an offset."""
    return _soft(a + _BIAS, b + _BIAS) - _BIAS / math.sqrt(1.0 + _BIAS * _BIAS)


def hard(a: Tensor, b: Tensor) -> Tensor:
    """Straight up to ±1 and flat beyond: (|x + 1| − |x − 1|) / 2, where |x| is averaged."""
    return 0.5 * (_size(a + 1.0, b + 1.0) - _size(a - 1.0, b - 1.0))


def fold(a: Tensor, b: Tensor) -> Tensor:
    """sin(πx / 2): beyond ±1 the wave folds back. Its average is the sine of the middle times a sinc of the distance."""
    middle, half = (0.25 * math.pi) * (a + b), (0.25 * math.pi) * (b - a)
    small = tf.abs(half) < 1e-2
    safe = tf.where(small, 1.0, half)
    return tf.sin(middle) * tf.where(small, 1.0 - half * half / 6.0, tf.sin(safe) / safe)


def rectify(a: Tensor, b: Tensor) -> Tensor:
    """|x|: the lower half-waves turned up, an octave above, with an offset."""
    return _size(a, b)


def half(a: Tensor, b: Tensor) -> Tensor:
    """(x + |x|) / 2: the upper half-waves only, with an offset."""
    return 0.5 * (0.5 * (a + b) + _size(a, b))


CURVES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "soft": soft,
    "tube": tube,
    "hard": hard,
    "fold": fold,
    "rectify": rectify,
    "half": half,
}
"""Each curve by name, as a function of the sample before and the sample."""

UNEVEN = frozenset({"tube", "rectify", "half"})
"""Curves that make an offset (0 Hz) of a symmetric wave."""


def shape(audio: Tensor, before: Tensor, curve: str) -> Tensor:
    """Bend audio by a curve of `CURVES`.

    Args:
        audio: [batch, samples]. before: the sample before it, [batch].
    """
    return CURVES[curve](tf.concat([before[:, None], audio[:, :-1]], axis=1), audio)
