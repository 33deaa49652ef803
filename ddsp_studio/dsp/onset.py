"""Onset strength: how much louder the bands of the ear get from frame to frame."""

from __future__ import annotations

from typing import NamedTuple

from ddsp_studio.dsp.framing import frame, frame_stream, tail_start
from ddsp_studio.dsp.mel import mel_of
from ddsp_studio.dsp.spectral import magnitudes_of
from ddsp_studio.dsp.tensor import Tensor, tf

BANDS = 40
COMPRESSION = 100.0
"""Magnitudes are compressed by ln(1 + 100·X), X = 1 for a sine of full scale: what lies under −40 dB hardly counts."""


class OnsetState(NamedTuple):
    """`tail`: samples before the block, [batch, size − hop]; `bands`: compressed bands of the frame before, [batch, BANDS]."""

    tail: Tensor
    bands: Tensor


def onset_start(batch: int, size: int, hop: int) -> OnsetState:
    """Silence before the first block, for frames of `size` samples, `hop` apart."""
    return OnsetState(tail_start(batch, size, hop), tf.zeros([batch, BANDS]))


def _compressed(frames: Tensor, sample_rate: float) -> Tensor:
    full_scale = 4.0 / int(frames.shape[-1])  # a sine of amplitude 1 has a peak of size / 4 under a Hann window
    return tf.math.log1p(COMPRESSION * full_scale * mel_of(magnitudes_of(frames), sample_rate, BANDS))


def _rise(bands: Tensor, before: Tensor) -> Tensor:
    return tf.reduce_mean(tf.nn.relu(bands - tf.concat([before[:, None], bands[:, :-1]], axis=1)), axis=-1)


def onset_strength(audio: Tensor, sample_rate: float, size: int = 1024, hop: int = 256, padding: str = "causal") -> Tensor:
    """Spectral flux over compressed mel bands: the mean over bands of max(0, b[m] − b[m − 1]).

    Böck and Widmer, "Maximum filter vibrato suppression for onset detection" (2013), section 2.1, with mel triangles for bands
    and no maximum filter.

    Args:
        audio: [batch, samples]. sample_rate: Hz. size, hop: samples of a frame and from frame to frame.
        padding: "causal" as `onset_stream` sees it, or "centre"; see `framing.padding_sides`.

    Returns:
        [batch, frames], 0 in silence and in steady sound. The frame before the first counts as silence.
    """
    bands = _compressed(frame(audio, size, hop, padding), sample_rate)
    return _rise(bands, tf.zeros([int(audio.shape[0]), BANDS]))


def onset_stream(
    audio: Tensor, state: OnsetState, sample_rate: float, size: int = 1024, hop: int = 256
) -> tuple[Tensor, OnsetState]:
    """`onset_strength` of the next block of a stream, a whole number of steps: [batch, samples / hop], and the new state.

    A sudden sound is strongest in the frame whose window it fills by half: about size / 2 samples after it began.
    """
    frames, tail = frame_stream(audio, state.tail, size, hop)
    bands = _compressed(frames, sample_rate)
    return _rise(bands, state.bands), OnsetState(tail, bands[:, -1])
