"""State-variable filter with coefficients that may change every sample."""

from __future__ import annotations

from typing import NamedTuple

from ddsp_studio.dsp.recurrence import two_pole
from ddsp_studio.dsp.sine import tangent
from ddsp_studio.dsp.tensor import Tensor, tf


class Steps(NamedTuple):
    """What the filter does at each sample, all [batch or 1, samples]: s becomes `matrix`·s + drive.

    `matrix`: [2, 2, batch or 1, samples]. `a1`, `a2`, `a3`: shares of the integrators and of the input in the outputs.
    """

    matrix: Tensor
    a1: Tensor
    a2: Tensor
    a3: Tensor


def steps(pole: Tensor, damping: Tensor) -> Steps:
    """Prepare the filter for tan(π·cutoff / sample rate) and 1 / Q, both [batch or 1, samples]; damping may be a number."""
    a1 = 1.0 / (1.0 + pole * (pole + damping))
    a2 = pole * a1
    a3 = pole * a2
    turn = 2.0 * a2
    matrix = tf.stack([2.0 * a1 - 1.0, -turn, turn, 1.0 - 2.0 * a3])
    return Steps(tf.reshape(matrix, [2, 2, *matrix.shape[1:]]), a1, a2, a3)


def pole_of(cutoff_hz: Tensor, sample_rate: float) -> Tensor:
    """tan(π·cutoff / sample rate), with the cutoff held under 0.49 of the sample rate."""
    return tangent(0.5 * tf.minimum(cutoff_hz / sample_rate, 0.49))


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
    return trapezoidal(audio, steps(pole_of(cutoff_hz, sample_rate), damping), state)


def trapezoidal(audio: Tensor, step: Steps, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The filter itself, as `state_variable`, with what `steps` prepared."""
    heard = tf.stack([step.a2 * audio, step.a3 * audio])
    before, state = two_pole(step.matrix, 2.0 * heard, state)
    first, second = tf.unstack(before)
    into_band, into_low = tf.unstack(heard)
    band = step.a1 * first - step.a2 * second + into_band
    low = step.a2 * first + (1.0 - step.a3) * second + into_low
    return low, band, state
