"""How much of a sound lies at odd multiples of its pitch: what tells a tone from one an octave higher."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from ddsp_studio.training.features.clock import frame_period
from ddsp_studio.training.features.f0 import in_pieces
from ddsp_studio.training.features.f0_layout import Floats


def odd_shares(
    f0_hz: Floats, places: npt.NDArray[np.intp], blocks: Iterable[Floats], sample_rate: int, window_s: float
) -> Iterator[float]:
    """Share of odd multiples in the power at all multiples of a pitch, 0..1: without any an octave higher is heard.

    Args:
        f0_hz: pitch [frames]. places: frames to look at, which rise. blocks: the sound, mono [samples], in order.
        sample_rate: Hz. window_s: seconds around each; four periods at least, to tell partials apart.
    """
    size = 2 * round(0.5 * window_s * sample_rate)
    window = np.hanning(size).astype(np.float32)
    hertz = np.arange(size // 2 + 1) * (sample_rate / size)
    for place, sound in zip(places, _windows(places * frame_period(sample_rate) - size // 2, size, blocks), strict=False):
        power = np.abs(np.fft.rfft(sound * window)) ** 2
        order = np.round(hertz / f0_hz[place])
        near = (np.abs(hertz - order * f0_hz[place]) <= 2.0 / window_s) & (order > 0.0)
        yield float(power[near & (order % 2.0 == 1.0)].sum() / max(power[near].sum(), 1e-20))


def _windows(firsts: npt.NDArray[np.intp], size: int, blocks: Iterable[Floats]) -> Iterator[Floats]:
    """Parts of a stream of so many samples from each of `firsts` on, which rise; silence before it, none that ends behind it."""
    sound, begin, number = np.zeros(size, np.float32), -size, 0
    for block in in_pieces(blocks):
        sound = np.concatenate([sound, block])
        while number < len(firsts) and firsts[number] + size <= begin + len(sound):
            at = int(firsts[number]) - begin
            yield sound[at : at + size]
            number += 1
        gone = max(0, len(sound) - size)
        sound, begin = sound[gone:], begin + gone
