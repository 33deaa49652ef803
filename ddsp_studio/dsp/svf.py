"""State-variable filter with coefficients that may change every sample."""

from __future__ import annotations

import math

from ddsp_studio.dsp.recurrence import two_pole
from ddsp_studio.dsp.tensor import Tensor, tf


def state_variable(
    audio: Tensor, cutoff_hz: Tensor, damping: Tensor, state: Tensor, sample_rate: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Trapezoidal state-variable filter: the low and band outputs and the new state.

    Zavalishin, The Art of VA Filter Design (2012), chapter 4; stable under modulation at audio rate.

    Args:
        audio: [batch, samples]. cutoff_hz: [batch or 1, samples], held under 0.49 of the sample rate.
        damping: 1 / Q, [batch or 1, samples]. state: the two integrators, [2, batch].
        sample_rate: Hz.

    Returns:
        (low, band, state): [batch, samples], [batch, samples], [2, batch]. High is audio − damping·band − low.
    """
    return trapezoidal(audio, tf.tan(math.pi * tf.minimum(cutoff_hz / sample_rate, 0.49)), damping, state)


def trapezoidal(audio: Tensor, pole: Tensor, damping: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The filter itself, as `state_variable`, with the cutoff given as tan(π·cutoff / sample rate), [batch or 1, samples]."""
    g = pole
    a1 = 1.0 / (1.0 + g * (g + damping))
    a2 = g * a1
    a3 = g * a2
    matrix = tf.stack([tf.stack([2.0 * a1 - 1.0, -2.0 * a2]), tf.stack([2.0 * a2, 1.0 - 2.0 * a3])])
    drive = tf.stack([2.0 * a2 * audio, 2.0 * a3 * audio])
    before, state = two_pole(matrix, drive, state)
    band = a1 * before[0] - a2 * before[1] + a2 * audio
    low = a2 * before[0] + (1.0 - a3) * before[1] + a3 * audio
    return low, band, state
