"""Second-order sections with the responses of the audio cookbook, alone and in cascades, movable at audio rate.

The responses are those of Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter coefficients" (1998). The
structure is the trapezoidal state-variable filter with its outputs mixed, which has the very same responses (Simper, "Linear
Trapezoidal State Variable Filter", 2013) and, other than direct forms, stays stable when it is swept and keeps its precision:
a low-pass at 20 Hz and 48 kHz is right to better than −95 dB, and in direct form in float32 to −55 dB.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.recurrence import two_pole
from ddsp_studio.dsp.svf import pole_of, steps
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
    hertz, qs, gains_db = (tf.convert_to_tensor(x, tf.float32)[None] for x in (frequency_hz, q, gain_db))
    return Section(*(part[0] for part in sections((kind,), hertz, qs, gains_db, sample_rate)))


def sections(kinds: Sequence[str], frequency_hz: Tensor, q: Tensor, gain_db: Tensor, sample_rate: float) -> Section:
    """Several sections at once, as `section` makes them one by one.

    Args:
        kinds: of KINDS. frequency_hz, q, gain_db: [sections, …] of equal rank. sample_rate: Hz.

    Returns:
        A section of tensors [sections, …].

    Raises:
        ValueError: for an unknown kind.
    """
    for kind in kinds:
        if kind not in KINDS:
            raise ValueError(f"a section is one of {', '.join(KINDS)}, got {kind!r}")
    shares, powers = np.split(np.array([_SHAPES[kind] for kind in kinds], np.float32).T, 2)  # [7, sections] each
    column = [len(_COLUMNS), len(kinds)] + [1] * (max(len(x.shape) for x in (frequency_hz, q, gain_db)) - 1)
    # everything is a power of the square root of the linear gain
    root = gain_db * (math.log(10.0) / 40.0)
    pole, damping, through, more_band, less_band, more_low, less_low = tf.unstack(
        tf.exp(root * powers.reshape(column)) * shares.reshape(column)
    )
    k = 1.0 / q
    return Section(
        pole_of(frequency_hz, sample_rate) * pole, k * damping, through, k * (more_band - less_band), more_low - less_low
    )


_COLUMNS = ("pole", "damping", "through", "more_band", "less_band", "more_low", "less_low")
_SHAPES = {
    "low_pass": (1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0),
    "high_pass": (1, 1, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0),
    "band_pass": (1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    "notch": (1, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    "all_pass": (1, 1, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    "peak": (1, 1, 1, 1, 1, 0, 0, 0, -1, 0, 1, -1, 0, 0),
    "low_shelf": (1, 1, 1, 1, 1, 1, 1, -0.5, 0, 0, 1, 0, 2, 0),
    "high_shelf": (1, 1, 1, 1, 1, 1, 1, 0.5, 0, 2, 1, 2, 0, 2),
}
"""By kind: a factor for each of _COLUMNS, then the power of the square root of the linear gain that it goes with.

The band output is weighed by 1 / Q besides.
"""


def biquad(audio: Tensor, part: Section, state: Tensor) -> tuple[Tensor, Tensor]:
    """Filter a stream by one section.

    Args:
        audio: [batch, samples], whole hops. part: of `section`. state: the two integrators before the block, [batch, 2].

    Returns:
        [batch, samples], and the state after the block.
    """
    audio, end = cascade(audio, [part], state[:, None])
    return audio, end[:, 0]


def cascade(audio: Tensor, parts: Sequence[Section], state: Tensor) -> tuple[Tensor, Tensor]:
    """Filter a stream by sections in series.

    Args:
        audio: [batch, samples], whole hops. parts: sections. state: [batch, sections, 2].

    Returns:
        [batch, samples], and the state after the block.
    """
    rows = max((int(x.shape[0]) for part in parts for x in part if len(x.shape) == 2), default=1)
    shape = [rows, int(audio.shape[1])]
    stacked = (tf.stack([tf.broadcast_to(x, shape) for x in same]) for same in zip(*parts, strict=True))
    return in_series(audio, Section(*stacked), state)


def in_series(audio: Tensor, parts: Section, state: Tensor) -> tuple[Tensor, Tensor]:
    """As `cascade`, with all sections in one of tensors [sections, batch or 1, samples]: in half as many operations."""
    matrix, a1, a2, a3 = steps(parts.pole, parts.damping)
    by_state = tf.stack([parts.band * a1 + parts.low * a2, parts.low * (1.0 - a3) - parts.band * a2])
    through = tf.unstack(parts.through + parts.band * a2 + parts.low * a3)
    pushes = tf.unstack(tf.stack([2.0 * a2, 2.0 * a3]), axis=1)
    starts = tf.unstack(tf.transpose(state, [1, 2, 0]))
    each = zip(tf.unstack(matrix, axis=2), pushes, tf.unstack(by_state, axis=1), through, starts, strict=True)
    ends = []
    for matrix, push, shares, straight, start in each:
        before, end = two_pole(matrix, push * audio, start)
        audio = tf.reduce_sum(shares * before, axis=0) + straight * audio
        ends.append(end)
    return audio, tf.transpose(tf.stack(ends), [2, 0, 1])


def response(part: Section, frequencies_hz: npt.ArrayLike, sample_rate: float) -> npt.NDArray[np.complex128]:
    """Complex response of a section that stands still, for drawing it.

    With s = i·tan(π·f / rate) / pole the filter is through + (band·s + low) / (s² + damping·s + 1).

    Args:
        part: of numbers. frequencies_hz: under Nyquist. sample_rate: Hz.
    """
    pole, k, through, band, low = (float(np.ravel(x)[0]) for x in part)
    s = 1j * np.tan(np.pi * np.asarray(frequencies_hz, np.float64) / sample_rate) / pole
    return np.asarray(through + (band * s + low) / (s * s + k * s + 1.0))
