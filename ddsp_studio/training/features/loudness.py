"""Loudness at the frames of the clock, in any cutting of the stream: `dsp.loudness` with numpy arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ddsp_studio.dsp.loudness import LoudnessState, loudness_start, loudness_stream, window_size
from ddsp_studio.training.features.clock import HOP, frame_period
from ddsp_studio.training.features.f0_layout import Floats


class MeterState(NamedTuple):
    """Where a meter stands.

    Attributes:
        tail: samples that are no whole hop yet, [0 … 63]. filters: of `dsp.loudness`. hops: heard. frames: given.
    """

    tail: Floats
    filters: LoudnessState
    hops: int
    frames: int


class LoudnessMeter:
    """A-weighted level of a stream, window centred on each frame of the clock.

    A full-scale sine at 1 kHz reads −3.01 dB at every rate, silence −100 dB; see `dsp.loudness`.
    """

    def __init__(self, sample_rate: int) -> None:
        """Set up for a sample rate in Hz (ValueError outside 8 to 192 kHz)."""
        self.sample_rate = sample_rate
        self._step = frame_period(sample_rate) // HOP
        self._size = window_size(sample_rate)

    @property
    def latency(self) -> int:
        """Samples from a frame's centre to the sample with which it is known."""
        return self._size // 2

    def start(self) -> MeterState:
        """Before the first sample: silence."""
        empty = np.zeros(0, np.float32)
        return MeterState(empty, loudness_start(1, self._size, empty), 0, 0)

    def measure(self, state: MeterState, audio: Floats) -> tuple[Floats, MeterState]:
        """Hear mono [samples], any number: dB of the frames that are known now, in order, and where the meter stands."""
        sound = np.concatenate([state.tail, np.asarray(audio, np.float32)])
        hops = len(sound) // HOP
        if not hops:
            return np.zeros(0, np.float32), state._replace(tail=sound)
        by_hop, filters = loudness_stream(sound[None, : hops * HOP], state.filters, float(self.sample_rate))
        # the window of hop h (from 0) has its middle at sample (h + 1)·HOP − size / 2
        middles = np.arange(state.hops + 1, state.hops + 1 + hops) - self._size // 2 // HOP
        chosen = (middles >= 0) & (middles % self._step == 0)
        after = MeterState(sound[hops * HOP :], filters, state.hops + hops, state.frames + int(chosen.sum()))
        return np.asarray(by_hop[0][chosen], np.float32), after

    def finish(self, state: MeterState) -> Floats:
        """DB of the frames that remain when the stream ends, up to the last that lies within it."""
        samples = state.hops * HOP + len(state.tail)
        rest, _ = self.measure(state, np.zeros(-samples % HOP + self._size // 2, np.float32))
        return rest[: samples // (self._step * HOP) + 1 - state.frames]


def loudness_db(audio: Floats, sample_rate: int) -> Floats:
    """Loudness of a whole recording: mono [samples] to dB [samples // period + 1] at the frames of the clock."""
    meter = LoudnessMeter(sample_rate)
    first, state = meter.measure(meter.start(), audio)
    return np.concatenate([first, meter.finish(state)])
