"""Reading a recording at any speed without aliasing and without images.

The recording is kept in levels, three an octave, each low-passed so that it can be read that much faster; every level is
sampled at twice its octave's rate at least and holds the coefficients of quintic B-splines, whose droop is divided out
beforehand (Unser, "Splines: A Perfect Fit for Signal and Image Processing", 1999).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.tensor import HOP, Tensor, tf

LEVELS_PER_OCTAVE = 3
OCTAVES_UP = 4
"""Octaves by which a recording can be read faster before it aliases."""
_MARGIN = 32 << OCTAVES_UP
"""Silent samples before and after the recording."""
_EDGE = 128
_STEP = np.arange(HOP, dtype=np.float64)
_RAMP_SUM = _STEP * (_STEP + 1.0) / (2.0 * HOP)
_QUINTIC = (
    np.array(
        [
            [1, -5, 10, -10, 5, -1],
            [26, -50, 20, 20, -20, 5],
            [66, 0, -60, 0, 30, -10],
            [26, 50, 20, -20, -20, 10],
            [1, 5, 10, 10, 5, -5],
            [0, 0, 0, 0, 0, 1],
        ],
        np.float32,
    ).T
    / 120.0
)
"""Weight of each of six neighbours, columns, as a polynomial of the place between the middle two, rows by power."""


class Recording(NamedTuple):
    """A recording in levels.

    `splines`: all levels, [entries] float32 tensor. `places` [levels, 3]: of each its first entry, the last entry from which six
    can be read (counted from the first), and 1024 times its entries for each sample. `length`: samples.
    """

    splines: Tensor
    places: npt.NDArray[np.int32]
    length: int


def recording(audio: npt.NDArray[np.float32]) -> Recording:
    """Prepare a recording [samples] for `read`. To be called outside of traced functions, which capture it."""
    room = 2 << OCTAVES_UP
    length = -(-(audio.size + 2 * _MARGIN) // room) * room
    padded = np.zeros(length)
    around = _with_edges(np.asarray(audio, np.float64))
    begin_at = _MARGIN - (around.size - audio.size) // 2
    padded[begin_at : begin_at + around.size] = around
    spectrum, cycles = np.fft.rfft(padded), np.arange(length // 2 + 1) / length
    spectrum[-1] *= 0.5  # Nyquist becomes a frequency like any other, with a negative twin
    tables, places, begin = [], [], 0
    for level in range(LEVELS_PER_OCTAVE * OCTAVES_UP + 1):
        density = 2.0 / (1 << level // LEVELS_PER_OCTAVE)
        size = int(length * density)
        edge = 0.5 * 2.0 ** (-level / LEVELS_PER_OCTAVE)
        gain = np.clip((edge - cycles) / (0.03 * edge), 0.0, 1.0) if level else np.ones_like(cycles)
        bins = np.zeros(size // 2 + 1, np.complex128)
        count = min(len(bins), len(spectrum))
        bins[:count] = (spectrum * gain)[:count] * density / np.sinc(np.arange(count) / size) ** 6
        splines = np.fft.irfft(bins, size)
        splines[:8] = splines[-8:] = 0.0  # what is read outside is silent
        tables.append(splines.astype(np.float32))
        places.append((begin, size - 6, round(1024 * density)))
        begin += size
    return Recording(tf.constant(np.concatenate(tables)), np.array(places, np.int32), int(audio.size))


def _with_edges(audio: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Go on beyond both ends, mirrored about the last value and fading out: an abrupt end must not ring between samples."""
    room = min(_EDGE, audio.size - 1)
    if room < 1:
        return audio
    fade = 0.5 + 0.5 * np.cos(np.pi * np.arange(1, room + 1) / (room + 1))
    before = (2.0 * audio[0] - audio[1 : room + 1]) * fade
    after = (2.0 * audio[-1] - audio[-room - 1 : -1][::-1]) * fade
    return np.concatenate([before[::-1], audio, after])


def speed_level(speed: Tensor) -> Tensor:
    """The level of `Recording` that a speed (samples of the recording for each sample) asks for, as a fraction; float32."""
    return tf.math.log(tf.maximum(speed, 1.0)) * (LEVELS_PER_OCTAVE / math.log(2.0))


def read_level(recorded: Recording, at: Tensor, level: Tensor) -> Tensor:
    """Read one level at any place.

    Args:
        recorded: as `recording` made it. at: place in samples from the beginning, [...] float64; silence outside.
        level: int32, [...] or broadcastable.

    Returns:
        [...] float32.
    """
    place = tf.gather(recorded.places, level)
    density = tf.cast(place[..., 2], tf.float64) * (1.0 / 1024.0)
    within = tf.clip_by_value((at + _MARGIN) * density - 2.0, 0.0, tf.cast(place[..., 1], tf.float64))
    whole = tf.floor(within)
    d = tf.cast(within - whole, tf.float32)[..., None]
    index = (place[..., 0] + tf.cast(whole, tf.int32))[..., None] + tf.range(6)
    neighbours = tf.gather(recorded.splines, index)
    polynomial = tf.matmul(neighbours, _QUINTIC.T.copy())  # by power of d, lowest first
    out = polynomial[..., 5:]
    for power in range(4, -1, -1):
        out = polynomial[..., power : power + 1] + d * out
    return out[..., 0]


def read(recorded: Recording, at: Tensor, speed: Tensor) -> Tensor:
    """Read a recording at any place, such that nothing aliases at a speed: what lies over 0.35 of the sample rate fades out.

    Two levels are mixed. A level is heard until its upper edge lies a sixth of an octave above Nyquist, so that nothing folds
    to below 0.438 of the sample rate, and a recording read at its own speed passes as it is.

    Args:
        recorded: as `recording` made it. at: place in samples, [...] float64. speed: samples of the recording for each sample,
            [...].

    Returns:
        [...] float32.
    """
    level = speed_level(speed)
    whole = tf.clip_by_value(tf.floor(level), 0.0, len(recorded.places) - 2.0)
    share = tf.clip_by_value(2.0 * (level - whole), 0.0, 1.0)
    lower = tf.cast(whole, tf.int32)
    both = read_level(recorded, tf.stack([at, at]), tf.stack([lower, lower + 1]))
    return both[0] + share * (both[1] - both[0])


def travel(speed: Tensor) -> tuple[Tensor, Tensor]:
    """How far a head has come since the block began, for a speed that ramps linearly across each hop.

    Args:
        speed: [batch, hops + 1] float64, samples of the recording for each sample; row 0 before the block.

    Returns:
        Distance before each sample, [batch, hops, HOP] float64; and before each hop and after the last, [batch, hops + 1].
    """
    before, rise = speed[:, :-1], speed[:, 1:] - speed[:, :-1]
    ends = tf.cumsum(before * HOP + rise * (0.5 * (HOP + 1)), axis=1)
    edges = tf.concat([tf.zeros_like(ends[:, :1]), ends], axis=1)
    inside = before[..., None] * _STEP + rise[..., None] * _RAMP_SUM
    return edges[:, :-1, None] + inside, edges
