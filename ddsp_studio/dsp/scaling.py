"""Units, scales and safe arithmetic: the one home of each formula.

Every function takes numbers, numpy arrays or tensors of any shape, works element by element, and returns the kind it was given;
gradients are finite everywhere. Numbers and arrays keep their precision, tensors are float32.
"""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np

from ddsp_studio.dsp.tensor import Tensor, tf

_NUMPY = SimpleNamespace(
    exp=np.exp,
    log=np.log,
    where=np.where,
    maximum=np.maximum,
    clip=np.clip,
    softplus=lambda x: np.logaddexp(0.0, x),
    sigmoid=lambda x: np.exp(-np.logaddexp(0.0, -np.asarray(x))),
)
A4_HZ = 440.0
A4_MIDI = 69.0


def _maths(x: Any) -> Any:
    """The elementary functions for numbers and arrays, or those for tensors."""
    if isinstance(x, (int, float, list, tuple, np.ndarray, np.generic)):
        return _NUMPY
    return SimpleNamespace(
        exp=tf.exp,
        log=tf.math.log,
        where=tf.where,
        maximum=tf.maximum,
        clip=tf.clip_by_value,
        softplus=tf.math.softplus,
        sigmoid=tf.math.sigmoid,
    )


# -- safe arithmetic -----------------------------------------------------------------------------------------------------


def safe_divide(numerator: Tensor, denominator: Tensor, floor: float = 1e-7) -> Tensor:
    """Divide, where a denominator of exactly 0 counts as `floor`."""
    return numerator / _maths(denominator).where(denominator == 0.0, floor, denominator)


def safe_log(x: Tensor, floor: float = 1e-5) -> Tensor:
    """Natural logarithm of x held at or above `floor`: it rises everywhere, and its gradient is 0 below the floor."""
    maths = _maths(x)
    return maths.log(maths.maximum(x, floor))


def logb(x: Tensor, base: float = 2.0, floor: float = 1e-5) -> Tensor:
    """Logarithm of x to a base, with x held at or above `floor`."""
    return safe_log(x, floor) / math.log(base)


def soft_limit(x: Tensor, low: float = 0.0, high: float = 1.0) -> Tensor:
    """Hold x between low and high with rounded corners of about one unit, by a difference of two softplus functions.

    Far below it gives low, far above high; between it follows x + low (not x), as the heads that use it expect.
    """
    softplus = _maths(x).softplus
    return softplus(x) + low - softplus(x - (high - low))


def reverse_gradient(x: Tensor) -> Tensor:
    """Give x itself, whose gradient changes sign on the way back (Ganin and Lempitsky, "Domain-Adversarial Training", 2015)."""
    return tf.stop_gradient(2.0 * x) - x


# -- level ---------------------------------------------------------------------------------------------------------------


def power_to_db(power: Tensor, reference_db: float = 0.0, range_db: float = 80.0) -> Tensor:
    """Decibels of a power, 10·log10, less `reference_db`, and not below −range_db."""
    maths = _maths(power)
    db = maths.log(maths.maximum(power, 10.0 ** (-range_db / 10.0))) * (10.0 / math.log(10.0)) - reference_db
    return maths.maximum(db, -range_db)


def amplitude_to_db(amplitude: Tensor, reference_db: float = 0.0, range_db: float = 80.0) -> Tensor:
    """Decibels of a linear amplitude, 20·log10, less `reference_db`, and not below −range_db."""
    return power_to_db(amplitude * amplitude, reference_db, range_db)


def db_to_power(db: Tensor) -> Tensor:
    """Power of a level in decibels: 10^(dB / 10)."""
    return _maths(db).exp(db * (math.log(10.0) / 10.0))


def db_to_amplitude(db: Tensor) -> Tensor:
    """Linear amplitude of a level in decibels: 10^(dB / 20)."""
    return _maths(db).exp(db * (math.log(10.0) / 20.0))


# -- pitch ---------------------------------------------------------------------------------------------------------------


def midi_to_hz(midi: Tensor, zero_is_silence: bool = False) -> Tensor:
    """Frequency in Hz of a MIDI note number, fractional, A4 = 69 = 440 Hz, equal temperament.

    With `zero_is_silence` note 0, elsewhere 8.18 Hz, gives 0 Hz.
    """
    maths = _maths(midi)
    hertz = A4_HZ * maths.exp((midi - A4_MIDI) * (math.log(2.0) / 12.0))
    return maths.where(midi == 0.0, 0.0, hertz) if zero_is_silence else hertz


def hz_to_midi(hertz: Tensor) -> Tensor:
    """MIDI note number, fractional, of a frequency in Hz. 0 Hz and below, which have no pitch, give note 0."""
    maths = _maths(hertz)
    pitched = hertz > 0.0
    ratio = maths.where(pitched, hertz, A4_HZ) / A4_HZ
    return maths.where(pitched, maths.log(ratio) * (12.0 / math.log(2.0)) + A4_MIDI, 0.0)


def unit_to_midi(unit: Tensor, low: float = 20.0, high: float = 90.0, clip: bool = False) -> Tensor:
    """MIDI note number at a place between two notes, 0..1; with `clip` the place is held to 0..1."""
    unit = _maths(unit).clip(unit, 0.0, 1.0) if clip else unit
    return low + (high - low) * unit


def midi_to_unit(midi: Tensor, low: float = 20.0, high: float = 90.0, clip: bool = False) -> Tensor:
    """Place of a MIDI note number between two notes, 0..1; with `clip` it is held to 0..1."""
    unit = (midi - low) / (high - low)
    return _maths(unit).clip(unit, 0.0, 1.0) if clip else unit


def unit_to_hz(unit: Tensor, low_hz: float, high_hz: float, clip: bool = False) -> Tensor:
    """Frequency in Hz at a place between two, 0..1, in equal steps of pitch. A `low_hz` of 0 stands for note 0, 8.18 Hz."""
    return midi_to_hz(unit_to_midi(unit, float(hz_to_midi(low_hz)), float(hz_to_midi(high_hz)), clip))


def hz_to_unit(hertz: Tensor, low_hz: float, high_hz: float, clip: bool = False) -> Tensor:
    """Place of a frequency in Hz between two, 0..1, in equal steps of pitch."""
    return midi_to_unit(hz_to_midi(hertz), float(hz_to_midi(low_hz)), float(hz_to_midi(high_hz)), clip)


# -- hearing -------------------------------------------------------------------------------------------------------------


def hz_to_mel(hertz: Tensor) -> Tensor:
    """Mel of a frequency in Hz: 2595·log10(1 + f / 700) (Young et al., The HTK Book, section 5.4)."""
    return _maths(hertz).log(1.0 + hertz / 700.0) * (2595.0 / math.log(10.0))


def mel_to_hz(mel: Tensor) -> Tensor:
    """Frequency in Hz of a mel value, the inverse of `hz_to_mel`."""
    return 700.0 * (_maths(mel).exp(mel * (math.log(10.0) / 2595.0)) - 1.0)


def hz_to_bark(hertz: Tensor) -> Tensor:
    """Critical-band rate in bark of a frequency in Hz: 26.81·f / (1960 + f) − 0.53.

    Traunmüller, "Analytical expressions for the tonotopic sensory scale" (1990), without its corrections at the ends.
    """
    return 26.81 * hertz / (1960.0 + hertz) - 0.53


def bark_to_hz(bark: Tensor) -> Tensor:
    """Frequency in Hz of a critical-band rate under 26.28 bark, the inverse of `hz_to_bark`."""
    return 1960.0 * (bark + 0.53) / (26.28 - bark)


def hz_to_erb(hertz: Tensor) -> Tensor:
    """Equivalent rectangular bandwidth in Hz of the auditory filter at a frequency in Hz: 0.108·f + 24.7.

    Moore and Glasberg, "A Revision of Zwicker's Loudness Model" (1996).
    """
    return 0.108 * hertz + 24.7


# -- heads of networks ---------------------------------------------------------------------------------------------------


def exp_sigmoid(x: Tensor, exponent: float = 10.0, maximum: float = 2.0, floor: float = 1e-7) -> Tensor:
    """Map any number to floor..maximum + floor, so that low values move by equal ratios: maximum·sigmoid(x)^ln(exponent) + floor.

    Far below 0 a step of 1 in x is a factor of `exponent` (Engel et al., "DDSP", 2020, section B.5). The power is taken in the
    logarithm, exp(−ln(exponent)·softplus(−x)), whose gradient is finite for every x.
    """
    maths = _maths(x)
    return maximum * maths.exp(-math.log(exponent) * maths.softplus(-x)) + floor


def symmetric_exp_sigmoid(x: Tensor, width: float = 8.0) -> Tensor:
    """`exp_sigmoid` of the distance from 0: nearly 0 at x = 0, and 0.4 at both x = ±2, rising outwards over ±`width` / 4."""
    return exp_sigmoid(width * (abs(x) / 2.0 - 1.0))
