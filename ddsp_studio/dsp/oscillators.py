"""Phase that stays exact for hours, and the fading of what comes near Nyquist."""

from __future__ import annotations

import numpy as np

from ddsp_studio.dsp.tensor import HOP, Tensor, tf

_STEP = np.arange(1, HOP + 1, dtype=np.float64)
_RAMP_SUM = _STEP * (_STEP + 1.0) / (2.0 * HOP)
FADE_FROM = 0.45
"""Share of the sample rate at which a partial begins to fade; it is silent at Nyquist, 0.5."""


def accumulate_phase(f0_hz: Tensor, phase: Tensor, sample_rate: float) -> tuple[Tensor, Tensor]:
    """Integrate a frequency that ramps linearly across each hop, in closed form inside the hop.

    Sample j = 1..HOP of a hop from frequency f to g (in turns a sample) has the phase
    start + j·f + (g − f)·j(j + 1) / (2·HOP). All in float64 turns, wrapped at every hop, so that the error does not grow.

    Args:
        f0_hz: [batch, hops + 1, 1] float32, Hz, row 0 before the block.
        phase: [batch] float64, turns in 0..1 at the block's start.
        sample_rate: Hz.

    Returns:
        Phase in turns, not wrapped within the hop, [batch, hops, HOP] float64; and the phase at the end, [batch] float64.
    """
    turns = tf.cast(f0_hz, tf.float64) / sample_rate
    before, rise = turns[:, :-1], turns[:, 1:] - turns[:, :-1]
    total = (before * HOP + rise * (0.5 * (HOP + 1)))[:, :, 0]
    end = phase[:, None] + tf.cumsum(total, axis=1)
    end = end - tf.floor(end)
    start = tf.concat([phase[:, None], end[:, :-1]], axis=1)
    return start[:, :, None] + before * _STEP + rise * _RAMP_SUM, end[:, -1]


def wrap(turns: Tensor) -> Tensor:
    """Bring turns into -0.5..0.5, keeping the dtype."""
    return turns - tf.round(turns)


def fade_to_nyquist(amplitudes: Tensor, ratios: Tensor, sample_rate: float) -> Tensor:
    """Fade partials out between 0.45 and 0.5 of the sample rate, so that none aliases and none pops.

    Args:
        amplitudes: [batch, frames, partials], linear.
        ratios: frequency of each partial in Hz, [batch, frames, partials].
        sample_rate: Hz.
    """
    room = (0.5 - ratios / sample_rate) / (0.5 - FADE_FROM)
    return amplitudes * tf.clip_by_value(room, 0.0, 1.0)
