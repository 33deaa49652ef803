"""Loudness of a programme in LUFS: momentary, short-term and integrated (ITU-R BS.1770-4, EBU R 128 and Tech 3341).

Everything follows from the K-weighted power of each hop, which a stream gives as well as a whole sound does. Blocks of 400 ms and
3 s are rounded to whole hops: exact at 16, 32 and 48 kHz, by 0.2 ms at 44.1 kHz.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.fixed_filter import FixedFilter, Section, apply, maths_of, unroll
from ddsp_studio.dsp.tensor import HOP, Tensor, tf

Powers = npt.NDArray[np.float64]

OFFSET_LU = -0.691
"""Brings a full-scale sine of 997 Hz in one channel to −3.01 LUFS."""
MOMENTARY_S, SHORT_TERM_S, STEP_S = 0.4, 3.0, 0.1
ABSOLUTE_GATE, RELATIVE_GATE_LU = -70.0, -10.0
_FLOOR = 1e-12
"""Power of silence: it reads −120.7 LUFS."""


def k_sections(sample_rate: float) -> tuple[Section, Section]:
    """The K weighting: a shelf for the head and a high-pass, through the bilinear transform at any rate.

    At 48 kHz these are the standard's tables; the analogue prototypes are those of De Man, "Evaluation of implementations of the
    EBU R128 loudness measurement" (2018).
    """
    tangent = math.tan(math.pi * 1681.974450955533 / sample_rate)
    quality, high = 0.7071752369554196, 10.0 ** (3.999843853973347 / 20.0)
    band = high**0.4996667741545416
    scale = 1.0 + tangent / quality + tangent**2
    shelf = (
        tuple(
            x / scale
            for x in (
                high + band * tangent / quality + tangent**2,
                2.0 * (tangent**2 - high),
                high - band * tangent / quality + tangent**2,
            )
        ),
        (1.0, 2.0 * (tangent**2 - 1.0) / scale, (1.0 - tangent / quality + tangent**2) / scale),
    )
    tangent, quality = math.tan(math.pi * 38.13547087602444 / sample_rate), 0.5003270373238773
    scale = 1.0 + tangent / quality + tangent**2
    high_pass = ((1.0, -2.0, 1.0), (1.0, 2.0 * (tangent**2 - 1.0) / scale, (1.0 - tangent / quality + tangent**2) / scale))
    return shelf, high_pass


@functools.lru_cache(maxsize=16)
def k_filter(sample_rate: float) -> FixedFilter:
    """`k_sections`, unrolled over a hop."""
    return unroll(k_sections(sample_rate))


def hop_powers_stream(audio: Tensor, state: Tensor, sample_rate: float) -> tuple[Tensor, Tensor]:
    """K-weighted mean square of each hop of the next block of a stream.

    Args:
        audio: [channels, samples], whole hops, a tensor or an array. state: `k_filter(sample_rate).start(channels)`, or zeros
            [channels, 4], or what the block before returned. sample_rate: Hz.

    Returns:
        Powers [channels, hops], and the new state.
    """
    weighted, state = apply(k_filter(float(sample_rate)), audio, state)
    mean = np.mean if maths_of(audio) is np else tf.reduce_mean
    return mean(weighted * weighted, axis=-1), state


def hop_powers(audio: npt.NDArray[np.floating], sample_rate: float) -> Powers:
    """K-weighted mean square of each whole hop of a sound [channels, samples], in float64: [channels, hops]."""
    whole = audio[:, : audio.shape[1] // HOP * HOP].astype(np.float64)
    return np.asarray(hop_powers_stream(whole, np.zeros((whole.shape[0], 4)), sample_rate)[0])


def _hops(seconds: float, sample_rate: float) -> int:
    return max(1, round(seconds * sample_rate / HOP))


def _lufs(power: npt.ArrayLike) -> Powers:
    return np.asarray(OFFSET_LU + 10.0 * np.log10(np.maximum(power, _FLOOR)))


def _summed(powers: npt.ArrayLike, weights: Sequence[float] | None) -> Powers:
    held = np.asarray(powers, np.float64)
    if weights is not None and len(weights) != held.shape[0]:
        raise ValueError(f"loudness takes one weight a channel, got {len(weights)} for {held.shape[0]} channels")
    return np.asarray(np.ones(held.shape[0]) if weights is None else weights, np.float64) @ held


def running_lufs(
    powers: npt.ArrayLike, sample_rate: float, window_s: float = MOMENTARY_S, weights: Sequence[float] | None = None
) -> Powers:
    """Loudness of the window that ends with each hop, [hops]: momentary with 0.4 s, short-term with 3 s.

    Silence precedes the first hop.

    Args:
        powers: of `hop_powers`, [channels, hops]. sample_rate: Hz. window_s: seconds.
        weights: of the channels; 1 for left, right and centre, 1.41 for surrounds. All 1 if not given.
    """
    width = _hops(window_s, sample_rate)
    sums = np.concatenate([np.zeros(width), np.cumsum(_summed(powers, weights))])
    return _lufs((sums[width:] - sums[:-width]) / width)


def integrated_lufs(powers: npt.ArrayLike, sample_rate: float, weights: Sequence[float] | None = None) -> float:
    """Loudness of a whole programme: the mean power of its 400 ms blocks, 100 ms apart, that pass both gates.

    Args:
        powers, sample_rate, weights: as in `running_lufs`.

    Returns:
        LUFS; −∞ if nothing reaches −70 LUFS or there is no whole block.
    """
    width, step = _hops(MOMENTARY_S, sample_rate), _hops(STEP_S, sample_rate)
    sums = np.concatenate([[0.0], np.cumsum(_summed(powers, weights))])
    blocks = (sums[width:] - sums[:-width])[::step] / width
    loud = blocks[_lufs(blocks) > ABSOLUTE_GATE]
    if loud.size:
        loud = loud[_lufs(loud) > _lufs(np.mean(loud)) + RELATIVE_GATE_LU]
    return float(_lufs(np.mean(loud))) if loud.size else -math.inf
