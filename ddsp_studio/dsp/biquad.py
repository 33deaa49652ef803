"""Second-order sections with the responses of the audio cookbook, alone and in cascades, movable at audio rate.

The responses are those of Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter coefficients" (1998). The
structure is the trapezoidal state-variable filter with its outputs mixed, which has the very same responses (Simper, "Linear
Trapezoidal State Variable Filter", 2013) and, other than direct forms, keeps its precision at low frequencies and stays stable
when it is swept.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.svf import trapezoidal
from ddsp_studio.dsp.tensor import Tensor, tf

KINDS = ("low_pass", "high_pass", "band_pass", "notch", "all_pass", "peak", "low_shelf", "high_shelf")


class Section(NamedTuple):
    """What a section does at each sample, all [batch or 1, samples] or numbers.

    `pole`: tan(π·f / rate), scaled for shelves. `damping`: 1 / Q, scaled for peaks. The output is through·input + band·b + low·l,
    where b and l are the band-pass and low-pass outputs of the state-variable filter.
    """

    pole: Tensor
    damping: Tensor
    through: Tensor
    band: Tensor
    low: Tensor


def section(kind: str, frequency_hz: Tensor, q: Tensor, sample_rate: float, gain_db: Tensor = 0.0) -> Section:
    """A section of the given kind.

    Args:
        kind: one of KINDS. band_pass has a peak of 0 dB.
        frequency_hz: corner, centre or middle of the shelf, held under 0.49 of the sample rate; [batch or 1, samples].
        q: above 0, of the same shape; 0.707 gives the steepest pass or shelf without a bump.
        sample_rate: Hz. gain_db: of peak and shelves; other kinds have none.

    Raises:
        ValueError: for an unknown kind.
    """
    if kind not in KINDS:
        raise ValueError(f"a section is one of {', '.join(KINDS)}, got {kind!r}")
    pole = tf.tan(math.pi * tf.minimum(frequency_hz / sample_rate, 0.49))
    k = 1.0 / q
    one, zero = tf.ones_like(k), tf.zeros_like(k)
    a = tf.exp(gain_db * (math.log(10.0) / 40.0) * one)
    match kind:
        case "low_pass":
            return Section(pole, k, zero, zero, one)
        case "high_pass":
            return Section(pole, k, one, -k, -one)
        case "band_pass":
            return Section(pole, k, zero, k, zero)
        case "notch":
            return Section(pole, k, one, -k, zero)
        case "all_pass":
            return Section(pole, k, one, -2.0 * k, zero)
        case "peak":
            return Section(pole, k / a, one, k / a * (a * a - 1.0), zero)
        case "low_shelf":
            return Section(pole / tf.sqrt(a), k, one, k * (a - 1.0), a * a - 1.0)
        case _:
            return Section(pole * tf.sqrt(a), k, a * a, k * (1.0 - a) * a, 1.0 - a * a)


def biquad(audio: Tensor, part: Section, state: Tensor) -> tuple[Tensor, Tensor]:
    """Filter a stream by one section.

    Args:
        audio: [batch, samples], whole hops. part: of `section`. state: the two integrators before the block, [batch, 2].

    Returns:
        [batch, samples], and the state after the block.
    """
    shape = [1, int(audio.shape[1])]
    pole, damping = (x + tf.zeros(shape) for x in (part.pole, part.damping))
    low, band, end = trapezoidal(audio, pole, damping, tf.transpose(state))
    return part.through * audio + part.band * band + part.low * low, tf.transpose(end)


def cascade(audio: Tensor, parts: list[Section], state: Tensor) -> tuple[Tensor, Tensor]:
    """Filter a stream by sections in series.

    Args:
        audio: [batch, samples], whole hops. parts: sections. state: [batch, sections, 2].

    Returns:
        [batch, samples], and the state after the block.
    """
    ends = []
    for i, part in enumerate(parts):
        audio, end = biquad(audio, part, state[:, i])
        ends.append(end)
    return audio, tf.stack(ends, axis=1)


def response(part: Section, frequencies_hz: npt.ArrayLike, sample_rate: float) -> npt.NDArray[np.complex128]:
    """Complex response of a section that stands still, for drawing it.

    With s = i·tan(π·f / rate) / pole the filter is through + (band·s + low) / (s² + damping·s + 1).

    Args:
        part: of numbers. frequencies_hz: under Nyquist. sample_rate: Hz.
    """
    pole, k, through, band, low = (float(np.ravel(x)[0]) for x in part)
    s = 1j * np.tan(np.pi * np.asarray(frequencies_hz, np.float64) / sample_rate) / pole
    return np.asarray(through + (band * s + low) / (s * s + k * s + 1.0))
