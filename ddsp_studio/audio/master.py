"""The last stage before the device: what is heard beside the patch, the master gain, the test tone, and a limiter behind all.

A patch's own output stage cannot protect ears from what is added or amplified after it, so nothing leaves here above −0.1 dBFS.

Thread rule: owned by the render thread; `set_gain` and `fade_out` may be called on any other.
"""

from __future__ import annotations

import collections
import itertools
import math

import numpy as np
import numpy.typing as npt

from ddsp_studio.audio.events import HOP

Audio = npt.NDArray[np.float32]
CEILING = float(np.float32(10.0 ** (-0.1 / 20.0)))
"""Above the −0.3 dBFS of a patch's own limiter, so that at 0 dB what a patch plays passes untouched."""
_HOLD_HOPS, _RELEASE_S = 16, 0.1
_TONE_HZ, _TONE_GAIN, _LONGEST_TONE_S = 440.0, 0.1, 30.0


class Limiter:
    """Turns both channels down where a peak would pass `CEILING`, and some periods later up again, in a tenth of a second.

    The gain ramps from hop to hop, low enough for the hops on both sides of an edge. It looks ahead no further than the block, so
    what a block begins with is clipped where the gain had no time to fall. It costs nothing while nothing is too loud.
    """

    def __init__(self) -> None:
        self._gain = 1.0
        self._lately = collections.deque([1.0], maxlen=_HOLD_HOPS)

    @property
    def limiting(self) -> bool:
        """Whether it holds the sound down."""
        return self._gain < 1.0

    def process(self, audio: Audio, sample_rate: int) -> Audio:
        """The next block [2, samples], whole hops."""
        peaks = np.abs(audio).reshape(2, -1, HOP).max(axis=(0, 2))
        if self._gain == 1.0 and peaks.max() <= CEILING:
            return audio
        allowed = [*(min(1.0, CEILING / max(float(peak), 1e-9)) for peak in peaks), 1.0]
        rise, edges = 1.0 - math.exp(-HOP / (_RELEASE_S * sample_rate)), [self._gain]
        for before, after in itertools.pairwise(allowed):
            self._lately.append(before)
            edges.append(min(after, edges[-1] + rise * (1.0 - edges[-1]), *self._lately))
        self._gain = edges[-1] if edges[-1] < 0.9999 else 1.0
        gains = np.interp(np.arange(1, audio.shape[1] + 1) / HOP, np.arange(len(edges)), edges)
        return np.clip(audio * gains, -CEILING, CEILING).astype(np.float32)


class Master:
    """Gain, tone and limiter. The gain moves within a block."""

    def __init__(self) -> None:
        self._gain = self._goal = 1.0
        self._limiter = Limiter()
        self._tone_left, self._tone_phase = 0, 0.0

    @property
    def silent(self) -> bool:
        """Whether everything has been faded out."""
        return self._gain == 0.0

    @property
    def limiting(self) -> bool:
        """Whether the limiter holds the sound down."""
        return self._limiter.limiting

    def set_gain(self, gain_db: float) -> None:
        """Go to another gain with the next block."""
        self._goal = 10.0 ** (gain_db / 20.0)

    def fade_out(self) -> None:
        """Go to silence with the next block."""
        self._goal = 0.0

    def sound_tone(self, seconds: float, sample_rate: int) -> None:
        """Sound a quiet 440 Hz, whatever the gain."""
        self._tone_left = round(min(max(seconds, 0.0), _LONGEST_TONE_S) * sample_rate)

    def stop_tone(self) -> None:
        """End the tone."""
        self._tone_left = 0

    def process(self, audio: Audio, beside: Audio | None, sample_rate: int) -> Audio:
        """What leaves for a block of the patch and of what is heard beside it, [2, samples]; neither is changed."""
        if beside is not None:
            audio = audio + beside
        gain, self._gain = self._gain, self._goal
        if gain != 1.0 or self._gain != 1.0:
            steps = np.arange(1, audio.shape[1] + 1, dtype=np.float32) / audio.shape[1]
            audio = (audio * (gain + (self._gain - gain) * steps)).astype(np.float32)
        if self._tone_left > 0:
            audio = audio + self._tone(audio.shape[1], sample_rate)
        return self._limiter.process(audio, sample_rate)

    def _tone(self, count: int, sample_rate: int) -> Audio:
        turns = self._tone_phase + np.arange(count) * (_TONE_HZ / sample_rate)
        left = np.clip((self._tone_left - np.arange(count)) / (0.01 * sample_rate), 0.0, 1.0)
        self._tone_phase = float((self._tone_phase + count * _TONE_HZ / sample_rate) % 1.0)
        self._tone_left -= count
        return np.asarray(_TONE_GAIN * left * np.sin(2.0 * np.pi * turns), np.float32)
