"""Loudness as the ear weighs it: the A-weighted level of frames, live and offline, for tensors and numpy arrays alike.

The level is the mean square of the A-weighted sound under a squared Hann window, in dB: a sine of amplitude 1 at 1 kHz reads
−3.01 dB, as does its plain power. By Parseval's theorem this equals the energy of the A-weighted, Hann-windowed power spectrum
divided by the window's own, so no frame size and no rate enters the number. The weighting is done by a filter before the window:
weighting the bins of a spectrum would let the window's skirts of low sounds pass where the ear is keener, and make the reading
depend on the frame size.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.fixed_filter import FixedFilter, Section, apply, maths_of, unroll
from ddsp_studio.dsp.spectral import hann
from ddsp_studio.dsp.tensor import HOP, Tensor, tf

FLOOR_DB = -100.0
"""Reading of silence. The floor is added as a power, so that the reading and its gradient are smooth."""
WINDOW_S = 0.032
"""Length of the window if none is given: 512 samples at 16 kHz."""

LOW_POLES_HZ = (20.598997, 20.598997, 107.65265, 737.86223)
HIGH_POLES_HZ = (12194.217, 12194.217)
"""Poles of the A weighting (IEC 61672-1:2013, annex E); four zeros lie at 0 Hz."""


def a_weighting_db(frequency_hz: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """A weighting in dB at a frequency in Hz, 0 dB at 1 kHz (IEC 61672-1:2013). At 0 Hz it is −∞."""
    with np.errstate(divide="ignore"):
        return np.asarray(10.0 * np.log10(_power(np.asarray(frequency_hz, np.float64)) / _power(np.asarray(1000.0))))


def _power(frequency_hz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    square = np.square(frequency_hz)
    power = np.ones_like(square)
    for pole in LOW_POLES_HZ:
        power *= square / (square + pole**2)
    for pole in HIGH_POLES_HZ:
        power /= 1.0 + square / pole**2
    return power


def _high_pass(pole_hz: float, sample_rate: float) -> Section:
    """High-pass s / (s + p), exact in power at 0 Hz, at its corner and at Nyquist.

    After Vicanek, "Matched Second Order Digital Filters" (2016).
    """
    corner, top = math.cos(2.0 * math.pi * pole_hz / sample_rate), 1.0 / (1.0 + (2.0 * pole_hz / sample_rate) ** 2)
    share = top * (1.0 - corner)
    swing = (1.0 - share) / (share + corner)  # the power is gain·(1 − cos ω) / (1 − swing·cos ω)
    pole = (1.0 - math.sqrt(1.0 - swing**2)) / swing
    gain = math.sqrt(top) * (1.0 + pole) / 2.0
    return (gain, -gain), (1.0, -pole)


_HELPERS = (-0.5, -0.9)
"""Poles that bend the response near Nyquist, where a digital filter's must be flat and the wanted one is not. Found by trial."""


def _rest(high_passes: list[Section], sample_rate: float) -> Section:
    """The filter of order four that is left between the high-passes and the A weighting.

    Its poles are matched to HIGH_POLES_HZ, with _HELPERS beside them. Its numerator's power, a sum of cosines, is fitted to the
    wanted one by least squares of the relative error, and is split into the zeros inside the unit circle (Fejér and Riesz).
    """
    angles = np.pi * (0.5 - 0.5 * np.cos(np.pi * (np.arange(256) + 0.5) / 256))
    poles = np.poly([*(math.exp(-2.0 * math.pi * pole / sample_rate) for pole in HIGH_POLES_HZ), *_HELPERS])
    goal = _power(angles / (2.0 * np.pi) * sample_rate) / float(_power(np.asarray(1000.0)))
    for numerator, denominator in high_passes:
        goal /= _response(numerator, angles) / _response(denominator, angles)
    goal *= _response(poles, angles)
    cosines = np.cos(np.outer(angles, np.arange(poles.size)))
    power = np.linalg.lstsq(cosines / goal[:, None], np.ones(angles.size), rcond=None)[0]
    roots = np.roots(np.concatenate([power[:0:-1] / 2.0, power[:1], power[1:] / 2.0]))
    zeros = np.poly(roots[np.abs(roots) < 1.0]).real
    zeros *= math.sqrt(float(np.sum(power))) / abs(float(np.sum(zeros)))
    return tuple(map(float, zeros)), tuple(map(float, poles.real))


def _response(polynomial: npt.ArrayLike, angles: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Power of a polynomial in e^(−iω)."""
    terms = np.asarray(polynomial, np.float64)
    return np.asarray(np.square(np.abs(np.exp(-1j * np.outer(angles, np.arange(terms.size))) @ terms)))


def a_sections(sample_rate: float) -> tuple[Section, ...]:
    """The A weighting as a cascade, within 0.1 dB of `a_weighting_db` from 10 Hz to Nyquist at 8 to 192 kHz."""
    high_passes = [_high_pass(pole, sample_rate) for pole in LOW_POLES_HZ]
    return (*high_passes, _rest(high_passes, sample_rate))


@functools.lru_cache(maxsize=16)
def a_filter(sample_rate: float) -> FixedFilter:
    """`a_sections`, unrolled over a hop."""
    return unroll(a_sections(sample_rate))


def window_size(sample_rate: float, seconds: float = WINDOW_S) -> int:
    """Window of about so many seconds: an even number of hops, in samples."""
    return 2 * HOP * max(1, round(seconds * sample_rate / (2 * HOP)))


class LoudnessState(NamedTuple):
    """Loudness before a block.

    `weighting`: the filter's state, [batch, 8]. `sums`: latest hops under each part of the window,
    [batch, size / HOP − 1, size / HOP].
    """

    weighting: Tensor
    sums: Tensor


def loudness_start(batch: int, size: int, like: Any = None) -> LoudnessState:
    """Loudness before the first block, for windows of `size` samples; arrays if `like` is an array, tensors otherwise."""
    rows = size // HOP
    m, kind = (np, like.dtype) if isinstance(like, np.ndarray) else (tf, np.float32)
    return LoudnessState(
        m.zeros([batch, len(LOW_POLES_HZ + HIGH_POLES_HZ + _HELPERS)], kind), m.zeros([batch, rows - 1, rows], kind)
    )


def loudness_stream(audio: Tensor, state: LoudnessState, sample_rate: float) -> tuple[Tensor, LoudnessState]:
    """A-weighted level of the next block of a stream, one frame a hop.

    Frame m weighs the `size` samples up to the end of hop m: it is a causal reading whose middle is size / 2 samples back.

    Args:
        audio: [batch, samples], whole hops. state: of `loudness_start`, or what the block before returned. sample_rate: Hz.

    Returns:
        dB, [batch, hops], never under FLOOR_DB; and the new state.
    """
    weighted, weighting = apply(a_filter(float(sample_rate)), audio, state.weighting)
    power, sums = _windowed_mean(weighted * weighted, state.sums)
    return _decibels(power), LoudnessState(weighting, sums)


def _decibels(power: Tensor) -> Tensor:
    logarithm = np.log if isinstance(power, np.ndarray) else tf.math.log
    return logarithm(power + 10.0 ** (FLOOR_DB / 10.0)) * (10.0 / math.log(10.0))


@functools.lru_cache(maxsize=32)
def _window(parts: int) -> npt.NDArray[np.float64]:
    """Squared Hann window of `parts` hops with unit sum, [HOP, parts]."""
    window = np.square(hann(parts * HOP), dtype=np.float64)
    return np.asarray((window / np.sum(window)).reshape(parts, HOP).T)


def _windowed_mean(squares: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
    """Weigh hops [batch, hops, HOP] by the window that ends with each: [batch, hops], and the sums to keep.

    Part j of the window lies on hop m − parts + 1 + j: each hop is summed under every part once, and the sums are added along
    diagonals.
    """
    m, kind = maths_of(squares), squares.dtype if isinstance(squares, np.ndarray) else np.float32
    parts = int(before.shape[2])
    sums = m.concat([before, m.tensordot(squares, _window(parts).astype(kind), 1)], axis=1)
    batch, rows = int(sums.shape[0]), int(sums.shape[1])
    hops = rows - parts + 1
    # row j moved left by j: flat place j·rows + m + j is place m of row j when rows are one longer
    flat = m.reshape(m.transpose(sums, [0, 2, 1]), [batch, parts * rows])
    skewed = m.reshape(m.pad(flat, [[0, 0], [0, parts]]), [batch, parts, rows + 1])[:, :, :hops]
    return (m.sum(skewed, axis=1) if m is np else tf.reduce_sum(skewed, axis=1)), sums[:, hops:]


def loudness(audio: Tensor, sample_rate: float, size: int | None = None, hop: int = HOP, centred: bool = True) -> Tensor:
    """A-weighted level of a whole sound.

    It is `loudness_stream` over the sound, moved by half a window if `centred`: frame m then has its middle at sample
    (m + 1)·hop, where the program's control frames stand, and otherwise its end. Frame periods are exact at every rate: `hop`
    samples.

    Args:
        audio: [batch, samples], a tensor or an array. sample_rate: Hz.
        size: samples of the window, an even number of hops; `window_size(sample_rate)` if not given.
        hop: samples from frame to frame, whole hops.
        centred: whether frames look both ways, as analysis of recordings should, or back only, as a live stream must.

    Returns:
        dB, [batch, ⌈samples / hop⌉], never under FLOOR_DB: a last part of a step counts as one, filled up with silence.

    Raises:
        ValueError: if the window or the step is no such multiple of the hop.
    """
    size = size or window_size(sample_rate)
    if size <= 0 or size % (2 * HOP) or hop <= 0 or hop % HOP:
        raise ValueError(
            f"loudness takes a window of a multiple of {2 * HOP} samples and a step of a multiple of {HOP}, got {size} and {hop}"
        )
    m = maths_of(audio)
    length, ahead = int(audio.shape[-1]), size // 2 if centred else 0
    padded = m.pad(audio, [[0, 0], [0, -length % hop + ahead]])
    db, _ = loudness_stream(padded, loudness_start(int(audio.shape[0]), size, audio), sample_rate)
    return db[:, ahead // HOP :][:, hop // HOP - 1 :: hop // HOP]
