"""Eight-fold oversampling for what makes new harmonics: up by a linear-phase FIR, and down again.

Both filters are Kaiser-windowed sincs (Kaiser and Schafer, "On the Use of the I0-Sinh Window", 1980) that pass up to 0.43 of the
sample rate and are 70 dB down from 0.52 on. They run as matrix products over frames of 16 samples.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.tensor import Tensor, tf

FACTOR = 8
"""Samples at the high rate for each at the low one."""
DELAY = 48
"""Samples, at the low rate, by which `raise_rate`, half a sample at the high rate, and `lower_rate` delay together."""
PAST = DELAY
"""Samples of the past, at the low rate, that either filter reads."""
_FRAME = 16
_BLOCKS = 1 + PAST // _FRAME
_CUTOFF = 0.475
_BETA = 6.8  # Kaiser and Schafer: 0.1102·(A − 8.7) for A = 70 dB


def _low_pass(length: int) -> npt.NDArray[np.float64]:
    """A low-pass at the high rate, of unit gain at 0 Hz, centred on (length − 1) / 2."""
    time = np.arange(length) - 0.5 * (length - 1)
    taps = np.sinc(2.0 * _CUTOFF / FACTOR * time) * np.kaiser(length, _BETA)
    return np.asarray(taps / np.sum(taps))


@functools.cache
def _raising() -> npt.NDArray[np.float32]:
    """[PAST + 16 samples of input, 16·FACTOR of output]; an odd number of taps delays by 24 samples."""
    taps = _low_pass(PAST * FACTOR + 1) * FACTOR
    matrix = np.zeros([_BLOCKS * _FRAME, _FRAME * FACTOR])
    for out in range(_FRAME * FACTOR):
        for source in range(_BLOCKS * _FRAME):
            lag = out - (source - PAST) * FACTOR
            if 0 <= lag < taps.size:
                matrix[source, out] = taps[lag]
    return matrix.astype(np.float32)


@functools.cache
def _lowering() -> npt.NDArray[np.float32]:
    """[(PAST + 16)·FACTOR samples of input, 16 of output]; an even number of taps delays by 24 samples less half a high one."""
    taps = _low_pass(PAST * FACTOR)
    matrix = np.zeros([_BLOCKS * _FRAME * FACTOR, _FRAME])
    for out in range(_FRAME):
        newest = (PAST + out) * FACTOR
        matrix[newest - taps.size + 1 : newest + 1, out] = taps[::-1]
    return matrix.astype(np.float32)


def _filtered(audio: Tensor, past: Tensor, matrix: npt.NDArray[np.float32], frame: int) -> tuple[Tensor, Tensor]:
    batch, samples = audio.shape
    stream = tf.concat([past, audio], axis=1)
    frames = tf.reshape(stream, [batch, -1, frame])
    count = samples // frame
    windows = tf.concat([frames[:, i : i + count] for i in range(_BLOCKS)], axis=2)
    out = tf.matmul(tf.reshape(windows, [batch * count, _BLOCKS * frame]), matrix)
    return tf.reshape(out, [batch, -1]), stream[:, samples:]


def raise_rate(audio: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
    """Audio at eight times the rate, 24 samples (of the low rate) late.

    Args:
        audio: [batch, samples], whole hops. past: the PAST samples before, [batch, PAST].

    Returns:
        [batch, samples·FACTOR], and the new past.
    """
    return _filtered(audio, past, _raising(), _FRAME)


def lower_rate(audio: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
    """Audio back at the low rate, 24 samples less half a sample of the high rate late.

    Args:
        audio: [batch, samples·FACTOR]. past: the samples before, [batch, PAST·FACTOR].

    Returns:
        [batch, samples], and the new past.
    """
    return _filtered(audio, past, _lowering(), _FRAME * FACTOR)
