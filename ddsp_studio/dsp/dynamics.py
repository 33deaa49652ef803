"""Level detection and gain for compressors, limiters and gates.

Levels are taken and gains are set once every STEP samples, at the step's end; the gain ramps across each step. The curves and
the smooth decoupled detector are those of Giannoulis, Massberg and Reiss, "Digital Dynamic Range Compressor Design" (JAES
2012).
"""

from __future__ import annotations

import numpy as np

from ddsp_studio.dsp.recurrence import one_pole_frames
from ddsp_studio.dsp.tensor import HOP, Tensor, tf

STEP = 8
"""Samples between two gains; a hop is a whole number of steps."""
_PER_HOP = HOP // STEP
_RISE = (np.arange(1, STEP + 1) / STEP).astype(np.float32)
_HOP_RISE = (np.arange(1, _PER_HOP + 1) / _PER_HOP).astype(np.float32)
FLOOR_DB = -120.0
_DB = 8.685889638065037  # 20 / ln 10
_FLOOR = 10.0 ** (FLOOR_DB / 20.0)


def peaks(audio: Tensor) -> Tensor:
    """Largest magnitude in each step: [batch, samples] to [batch, steps]."""
    return tf.reduce_max(tf.abs(tf.reshape(audio, [audio.shape[0], -1, STEP])), axis=2)


def to_db(amplitude: Tensor) -> Tensor:
    """Decibels of an amplitude, −120 at the least."""
    return _DB * tf.math.log(tf.maximum(amplitude, _FLOOR))


def to_amplitude(level_db: Tensor) -> Tensor:
    """Amplitude of decibels."""
    return tf.exp(level_db / _DB)


def step_frames(frames: Tensor) -> Tensor:
    """Ramp single-channel frames [batch, hops + 1, 1] to the ends of the steps, [batch, steps]; row 0 is before the block."""
    before, after = frames[:, :-1], frames[:, 1:]
    return tf.reshape(before + (after - before) * _HOP_RISE, [frames.shape[0], -1])


def apply(audio: Tensor, gain: Tensor, before: Tensor) -> Tensor:
    """Multiply audio [batch, samples] by a gain [batch, steps] that ramps across each step, from `before` [batch]."""
    start = tf.concat([before[:, None], gain[:, :-1]], axis=1)[..., None]
    ramped = start + (gain[..., None] - start) * _RISE
    return audio * tf.reshape(ramped, [gain.shape[0], -1])


def keep(time_s: Tensor, sample_rate: float) -> Tensor:
    """What is left of a distance after one step, for a time constant: exp(−STEP / (time·rate))."""
    return tf.exp(-STEP / (time_s * sample_rate))


def excess(level_db: Tensor, threshold_db: Tensor, knee_db: Tensor) -> Tensor:
    """How far a level is above a threshold, with a quadratic knee of the given width around it (their equation 4).

    Above the knee the distance itself, below it 0; in it (level − threshold + knee/2)² / (2·knee).
    """
    over = level_db - threshold_db
    knee = tf.maximum(knee_db, 1e-3)
    inside = tf.clip_by_value(over + 0.5 * knee, 0.0, knee)
    return inside * inside / (2.0 * knee) + tf.maximum(over - 0.5 * knee, 0.0)


def _later(x: Tensor, steps: int, fill: float) -> Tensor:
    return tf.pad(x, [[0, 0], [steps, 0]], constant_values=fill)[:, : x.shape[1]]


def hold(drive: Tensor, release: Tensor, level: Tensor) -> Tensor:
    """y[m] = max(x[m], r·y[m−1] + (1 − r)·x[m]): up at once, down exponentially.

    Such steps compose, max(c, r·y + d) after max(c', r'·y + d') being max(max(c, r·c' + d), r·r'·y + r·d' + d), so that all are
    found by doubling.

    Args:
        drive: x, [batch, steps]. release: r, of the same shape. level: y before, [batch].
    """
    ceiling, factor, offset = drive, release, (1.0 - release) * drive
    step = 1
    while step < int(drive.shape[1]):
        ceiling = tf.maximum(ceiling, factor * _later(ceiling, step, -1e30) + offset)
        offset += factor * _later(offset, step, 0.0)
        factor *= _later(factor, step, 1.0)
        step *= 2
    return tf.maximum(ceiling, factor * level[:, None] + offset)


def detect(drive: Tensor, attack: Tensor, release: Tensor, held: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
    """The smooth decoupled detector (their equation 17): rises with the attack, falls with the release.

    Args:
        drive: [batch, steps]. attack, release: what is left after a step (`keep`), of the same shape.
        held, level: the two values before, [batch].

    Returns:
        The held value and the smoothed one, [batch, steps] each.
    """
    held = hold(drive, release, held)
    return held, one_pole_frames(attack, (1.0 - attack) * held, level)


def sliding_max(x: Tensor, width: int) -> Tensor:
    """Largest of each `width` neighbours along the last axis: [batch, n] to [batch, n − width + 1]."""
    span = 1
    while 2 * span <= width:
        x = tf.maximum(x[:, :-span], x[:, span:])
        span *= 2
    return x if span == width else tf.maximum(x[:, : span - width], x[:, width - span :])
