"""Single-cycle waves without aliasing: as Fourier series, as tables in third-octave levels, and as plain lookups.

A wave that moves (drawn, learned, given by a network) is turned into its harmonics, which are faded out before Nyquist and
summed: exact, and differentiable in wave and pitch. A wave that is known beforehand is kept in tables, three an octave, each
with as many harmonics
as fit under Nyquist there: the cost does not grow with the harmonics.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.oscillators import wrap
from ddsp_studio.dsp.ramps import RISE
from ddsp_studio.dsp.sine import cosine, sine
from ddsp_studio.dsp.tensor import HOP, Tensor, tf

LEVELS_PER_OCTAVE = 3
MOST_HARMONICS = 1024
_POINTS_PER_HARMONIC = 16
_COARSE_FROM = 256
"""Levels of more harmonics have half as many points for each: their highest harmonics are faint in any wave that is musical."""
_SHORTEST = 32


def linear_lookup(turns: Tensor, tables: Tensor) -> Tensor:
    """Read a periodic table at any phase by linear interpolation: cheap, and as rough as early digital synthesizers.

    Args:
        turns: phase in turns, [batch, samples], float64 or float32; whole turns do not matter.
        tables: one cycle, [batch or 1, points] float32.

    Returns:
        [batch, samples] float32, differentiable by phase and by table.
    """
    points = int(tables.shape[-1])
    place = (turns - tf.floor(turns)) * points
    whole = tf.floor(place)
    share = tf.cast(place - whole, tf.float32)
    index = tf.math.floormod(tf.cast(whole, tf.int32), points)  # a phase just under 1 may round up to the end
    tables = tf.broadcast_to(tables, [turns.shape[0], points])
    left = tf.gather(tables, index, batch_dims=1)
    right = tf.gather(tables, tf.math.floormod(index + 1, points), batch_dims=1)
    return left + share * (right - left)


def linear_lookup_hops(turns: Tensor, tables: Tensor) -> Tensor:
    """Read tables that cross-fade across each hop by linear interpolation: [batch, hops, HOP].

    Args:
        turns: [batch, hops, HOP] float64. tables: [batch or 1, hops + 1, points], row 0 before the block.
    """
    batch, count, _ = turns.shape
    points = int(tables.shape[-1])
    tables = tf.broadcast_to(tables, [batch, count + 1, points])
    flat = tf.reshape(turns, [batch * count, HOP])
    before = linear_lookup(flat, tf.reshape(tables[:, :-1], [batch * count, points]))
    after = linear_lookup(flat, tf.reshape(tables[:, 1:], [batch * count, points]))
    return tf.reshape(before + RISE * (after - before), [batch, count, HOP])


@functools.lru_cache(maxsize=16)
def _analysis(points: int) -> npt.NDArray[np.float32]:
    """Linear map [points, 2·harmonics] from one cycle to cosine and then sine amplitudes."""
    harmonics = np.arange(1, (points + 1) // 2)
    angle = 2.0 * math.pi * np.outer(np.arange(points), harmonics) / points
    return (np.concatenate([np.cos(angle), np.sin(angle)], axis=1) * (2.0 / points)).astype(np.float32)


def harmonics_of(tables: Tensor) -> tuple[Tensor, Tensor]:
    """Amplitudes of the cosine and sine parts of single cycles, without the constant part and without Nyquist's.

    Args:
        tables: [..., points]; point n stands at n / points of a turn.

    Returns:
        Cosines and sines of harmonics 1, 2, …, [..., (points + 1) // 2 − 1] each.
    """
    points = int(tables.shape[-1])
    both = tf.tensordot(tables, _analysis(points), 1)
    count = (points + 1) // 2 - 1
    return both[..., :count], both[..., count:]


def fourier_bank(turns: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """Sum a_k·cos(2π·k·phase) + b_k·sin(2π·k·phase) over k = 1..K, with amplitudes that ramp linearly across each hop.

    With k = a + M·b, e^(ikx) = e^(iMbx)·e^(iax): about 2√K sines and cosines a sample, joined by a matrix product
    in each hop, as in `oscillators.harmonic_bank`, which is this without cosines.

    Args:
        turns: phase of the fundamental, [batch, hops, HOP] float64.
        cosines, sines: [batch or 1, hops + 1, K] float32, row 0 before the block.

    Returns:
        Audio in hops, [batch, hops, HOP] float32.
    """
    count = int(cosines.shape[-1])
    low = max(1, math.isqrt(count))
    high = -(-(count + 1) // low)
    multiples = np.concatenate([np.arange(low), low * np.arange(high)]).astype(np.float64)
    places = tf.cast(wrap(turns[:, :, None] * multiples[:, None]), tf.float32)
    up, across = sine(places), cosine(places)  # [batch, hops, low + high, HOP]
    near_sine, near_cosine = up[:, :, :low], across[:, :, :low]
    # harmonic 0 is empty and stands at the head of the grid
    room = [[0, 0], [0, 0], [1, low * high - count - 1]]
    grids = [tf.reshape(tf.pad(x, room), [*x.shape[:2], high, low]) for x in (cosines, sines)]
    grid = tf.concat(grids, axis=3)  # [batch, hops + 1, high, 2·low]
    ends = tf.concat([grid[:, :-1], grid[:, 1:]], axis=2)
    real = tf.concat([near_cosine, near_sine], axis=2)
    imaginary = tf.concat([near_sine, -near_cosine], axis=2)
    mixed = tf.matmul(ends, tf.concat([real, imaginary], axis=3))  # [batch, hops, 2·high, 2·HOP]
    rise = np.tile(RISE, 2)
    mixed = mixed[:, :, :high] + rise * (mixed[:, :, high:] - mixed[:, :, :high])
    outer = tf.concat([across[:, :, low:], -up[:, :, low:]], axis=3)
    halves = tf.reduce_sum(outer * mixed, axis=2)
    return halves[..., :HOP] + halves[..., HOP:]


class Waves(NamedTuple):
    """Waves in levels of 0, 1, … harmonics up to `MOST_HARMONICS`, three levels an octave.

    `cubics` [waves · entries, 4] float32 tensor: polynomial of every segment, constant first. `pairs` [levels, 4]: first entry
    and size of the level below and of the level itself. `entries`: of each wave.
    """

    cubics: Tensor
    pairs: npt.NDArray[np.int32]
    entries: int


def band_limit(cosines: npt.ArrayLike, sines: npt.ArrayLike) -> Waves:
    """Tables of waves from their harmonics. To be called outside of traced functions, which capture them.

    A table holds the coefficients of a cubic B-spline, with its droop divided out of the spectrum beforehand: with 16 points a
    harmonic or more, the strongest image lies 94 dB under the highest harmonic, with 8 points 68 dB (Unser, "Splines: A Perfect
    Fit for Signal and Image Processing", 1999).

    Args:
        cosines, sines: [waves, harmonics], from harmonic 1; those beyond `MOST_HARMONICS` are left out.
    """
    spectrum = (np.asarray(cosines, np.float64) - 1j * np.asarray(sines, np.float64))[:, :MOST_HARMONICS]
    top = LEVELS_PER_OCTAVE * int(math.log2(MOST_HARMONICS))
    counts = [0] + [math.floor(2.0 ** (level / LEVELS_PER_OCTAVE) + 1e-9) for level in range(top + 1)]
    tables, levels, begin = [], [], 0
    for count in counts:
        points = _POINTS_PER_HARMONIC * count // (2 if count > _COARSE_FROM else 1)
        size = max(_SHORTEST, 1 << math.ceil(math.log2(max(points, 1))))
        kept = spectrum[:, :count]
        bins = np.zeros((len(spectrum), size // 2 + 1), np.complex128)
        numbers = np.arange(1, kept.shape[1] + 1)
        bins[:, 1 : kept.shape[1] + 1] = kept * (0.5 * size) / np.sinc(numbers / size) ** 4
        tables.append(_cubics(np.fft.irfft(bins, size)))
        levels.append((begin, size))
        begin += size
    pairs = np.concatenate([np.array(levels[:1] + levels[:-1]), np.array(levels)], axis=1)
    return Waves(tf.constant(np.concatenate(tables, axis=1).reshape(-1, 4)), pairs.astype(np.int32), begin)


def _cubics(splines: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Polynomials [waves, size, 4] of periodic cubic B-splines [waves, size]."""
    before, here, after, later = (np.roll(splines, shift, axis=1) for shift in (1, 0, -1, -2))
    parts = (
        (before + 4.0 * here + after) / 6.0,
        (after - before) / 2.0,
        (before - 2.0 * here + after) / 2.0,
        (later - before + 3.0 * (here - after)) / 6.0,
    )
    return np.stack(parts, axis=-1).astype(np.float32)


def level_of(f0_hz: Tensor, sample_rate: float) -> Tensor:
    """Which level of `Waves` a frequency asks for, as a fraction: up to floor(level) nothing lies above Nyquist."""
    room = 0.5 * sample_rate / tf.maximum(f0_hz, 1e-3)
    return tf.math.log(room) * (LEVELS_PER_OCTAVE / math.log(2.0)) + 1.0


def read_waves(waves: Waves, turns: Tensor, level: Tensor, index: Any = 0) -> Tensor:
    """Read a wave at any phase, from the two levels next to each other that hold what fits under Nyquist.

    The richer one comes in over half a level as the pitch falls, from nothing where its highest harmonic touches Nyquist.

    Args:
        waves: as `band_limit` made them. turns: phase, [...] float64. level: as `level_of` gave it, [...].
        index: which wave, an integer or an int32 tensor [...].

    Returns:
        [...] float32.
    """
    whole = tf.clip_by_value(tf.floor(level), 1.0, len(waves.pairs) - 1.0)
    rich = tf.clip_by_value(2.0 * (level - whole), 0.0, 1.0)
    place = tf.gather(waves.pairs, tf.cast(whole, tf.int32))  # [..., 4]: begin and size of the poorer and of the richer level
    turns = turns - tf.floor(turns)
    first = index * waves.entries
    poor, full = (_read(waves.cubics, turns, first + place[..., i], place[..., i + 1]) for i in (0, 2))
    return poor + rich * (full - poor)


def _read(cubics: Tensor, turns: Tensor, begin: Tensor, size: Tensor) -> Tensor:
    at = turns * tf.cast(size, tf.float64)
    whole = tf.floor(at)
    d = tf.cast(at - whole, tf.float32)
    # a phase just under 1 may round up to the end, which is the beginning
    segment = tf.gather(cubics, begin + tf.bitwise.bitwise_and(tf.cast(whole, tf.int32), size - 1))
    a, b, c, e = (segment[..., i] for i in range(4))
    return a + d * (b + d * (c + d * e))
