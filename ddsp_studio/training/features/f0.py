"""Pitch of a solo instrument or voice, in any cutting of the stream, live or from a file: the same code.

Autocorrelation candidates (Boersma 1993) and the cheapest path through them. A frame is decided when `lag` further frames
have been heard; the path of a whole recording is that of the live form with a longer lag.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from ddsp_studio.training.features import f0_path
from ddsp_studio.training.features.f0_candidates import candidates
from ddsp_studio.training.features.f0_layout import F0Settings, Floats, Layout, layout
from ddsp_studio.training.features.f0_path import PathState

OFFLINE_LAG = 50
"""Frames by which files are decided late: 0.2 s."""
LIVE_LAG = 6
"""Frames by which live input is decided late: 24 ms."""
PIECE = 65_536
"""Samples that are analysed at a time: memory does not grow with the length of a block."""


class F0(NamedTuple):
    """Pitch at the frames of the clock.

    Attributes:
        f0_hz: [frames], 0 where there is no pitch.
        confidence: periodicity, 0..1, [frames]; 0 where there is no pitch.
    """

    f0_hz: Floats
    confidence: Floats

    @property
    def voiced(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Whether there is a pitch, [frames]."""
        return self.f0_hz > 0.0


class F0State(NamedTuple):
    """Where a tracker stands: a value, so it can be kept and gone back to.

    Attributes:
        tail: sound that is still needed, [samples]. waiting: its first sample, relative to what the next frame needs first.
        path: the path so far.
    """

    tail: Floats
    path: PathState


class F0Tracker:
    """Tracks pitch in a stream of any sample rate from 8 to 192 kHz."""

    def __init__(self, sample_rate: int, settings: F0Settings | None = None, *, lag: int = LIVE_LAG) -> None:
        """Set up for a sample rate in Hz; `lag` is in frames (0..250).

        Raises:
            ValueError: a rate, range or lag that cannot be served.
        """
        if not 0 <= lag <= 250:
            raise ValueError(f"pitch is decided 0 to 250 frames late, got {lag}")
        self.sample_rate, self.lag = sample_rate, lag
        self.plan: Layout = layout(sample_rate, settings or F0Settings())
        self._period_s = self.plan.period / sample_rate

    @property
    def latency(self) -> int:
        """Samples from a frame's centre to the sample with which it is decided."""
        return self.plan.half + self.lag * self.plan.period

    def start(self) -> F0State:
        """Before the first sample: silence."""
        return F0State(np.zeros(self.plan.half, np.float32), f0_path.start(self.plan.settings.candidates, self.lag))

    def track(self, state: F0State, audio: Floats) -> tuple[F0, F0State]:
        """Hear more sound.

        Args:
            state: where the tracker stands. audio: mono, [samples], any number.

        Returns:
            The frames that are decided now, in order, none left out; and where the tracker stands.
        """
        sound = np.concatenate([state.tail, np.asarray(audio, np.float32)])
        reach = 2 * self.plan.half + 1
        count = max(0, (len(sound) - reach) // self.plan.period + 1)
        found = candidates(self._frames(sound, count), self.plan)
        f0_hz, confidence, path = f0_path.follow(state.path, found, self.plan.settings, self._period_s)
        return F0(f0_hz, confidence), F0State(sound[count * self.plan.period :], path)

    def finish(self, state: F0State) -> F0:
        """The frames that remain when the stream ends, up to the last that lies within it."""
        last, state = self.track(state, np.zeros(self.plan.half + 1, np.float32))
        rest = f0_path.finish(state.path)
        return F0(np.concatenate([last.f0_hz, rest[0]]), np.concatenate([last.confidence, rest[1]]))

    def _frames(self, sound: Floats, count: int) -> Floats:
        """Decimated sound under each frame's window, [count, window]."""
        plan, length = self.plan, len(self.plan.window)
        if count == 0:
            return np.zeros((0, length), np.float32)
        low = _decimate(sound, plan.factor, plan.taps, (count - 1) * plan.step + length)
        return np.lib.stride_tricks.sliding_window_view(low, length)[:: plan.step][:count]


def _decimate(sound: Floats, factor: int, taps: Floats, length: int) -> Floats:
    """Every `factor`-th sample of the filtered sound, [length]; the first is centred under the first full filter."""
    if factor == 1:
        return sound[:length]
    out = np.zeros(length, np.float32)
    for phase in range(factor):
        part = taps[phase::factor]
        line = sound[phase::factor][: length + len(part) - 1]
        out += np.convolve(line, part[::-1], mode="valid")[:length]
    return out


def track_f0(audio: Floats, sample_rate: int, settings: F0Settings | None = None, *, lag: int = OFFLINE_LAG) -> F0:
    """Pitch of a whole recording: mono [samples] to frames [samples // period + 1] of `clock.frame_period`.

    Raises:
        ValueError: a rate or range that cannot be served.
    """
    return tracked([audio], sample_rate, settings, lag=lag)


def tracked(blocks: Iterable[Floats], sample_rate: int, settings: F0Settings | None = None, *, lag: int = OFFLINE_LAG) -> F0:
    """The same of a recording in mono blocks [samples], in order."""
    tracker = F0Tracker(sample_rate, settings, lag=lag)
    state, parts = tracker.start(), []
    for block in in_pieces(blocks):
        part, state = tracker.track(state, block)
        parts.append(part)
    parts.append(tracker.finish(state))
    return F0(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def in_pieces(blocks: Iterable[Floats]) -> Iterator[Floats]:
    """The blocks, those that are longer than `PIECE` cut."""
    for block in blocks:
        yield from (block[first : first + PIECE] for first in range(0, len(block), PIECE))
