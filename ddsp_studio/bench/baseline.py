"""The baseline: the same sound the way one writes it first, straight from the equations.

Sine bank with one float32 phase accumulator and one sine per partial and sample; noise by multiplying the spectrum of each
frame; reverb by one FFT as long as the response for each block. One compiled function a block. It leaves out what a playable
instrument needs beyond that: smooth envelopes, modulation, meters, safety limiter, exactness over long times.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ddsp_studio.bench.subject import BANDS, HOP, PARTIALS, REVERB_S, SAMPLE_RATE
from ddsp_studio.dsp.tensor import Tensor, tf


def _upsampled(frames: Tensor, samples: int) -> Tensor:
    """Control frames [voices, frames, channels] as samples, by linear interpolation."""
    return tf.image.resize(frames[:, :, None, :], [samples, 1])[:, :, 0, :]


def _sine_bank(phase: Tensor, f0_hz: Tensor, amplitudes: Tensor, samples: int) -> tuple[Tensor, Tensor]:
    """Phase [voices, 1, partials] in radians, f0 [voices, frames, 1], amplitudes [voices, frames, partials]."""
    numbers = tf.range(1, PARTIALS + 1, dtype=tf.float32)
    f0 = _upsampled(f0_hz, samples)
    omega = 2.0 * math.pi / SAMPLE_RATE * f0 * numbers
    audible = tf.where(f0 * numbers < SAMPLE_RATE / 2.0, _upsampled(amplitudes, samples), 0.0)
    turned = phase + tf.cumsum(omega, axis=1)
    return tf.einsum("vnk,vnk->vn", audible, tf.sin(turned)), tf.math.floormod(turned[:, -1:], 2.0 * math.pi)


def _noise(tail: Tensor, magnitudes: Tensor, samples: int) -> tuple[Tensor, Tensor]:
    """Magnitudes [voices, frames, bands] filter white noise frame by frame; overlapping ends [voices, taps] are carried on."""
    voices, frames = magnitudes.shape[0], magnitudes.shape[1]
    taps = 2 * (BANDS - 1)
    window = tf.signal.hann_window(taps)
    response = tf.roll(tf.signal.irfft(tf.cast(magnitudes, tf.complex64)), taps // 2, axis=-1) * window
    white = tf.random.uniform([voices, frames, HOP], -1.0, 1.0)
    length = HOP + taps
    spectrum = tf.signal.rfft(white, [length]) * tf.signal.rfft(response, [length])
    pieces = tf.signal.overlap_and_add(tf.signal.irfft(spectrum, [length]), HOP)
    stream = pieces + tf.pad(tail, [[0, 0], [0, pieces.shape[1] - taps]])
    return stream[:, :samples], stream[:, samples : samples + taps]


def _reverb(tail: Tensor, response: Tensor, dry: Tensor) -> tuple[Tensor, Tensor]:
    """Both channels through one FFT that holds the block and the whole response [2, taps]."""
    taps, samples = response.shape[1], dry.shape[1]
    length = 1 << (taps + samples - 1).bit_length()
    spectrum = tf.signal.rfft(dry, [length]) * tf.signal.rfft(response, [length])
    wet = tf.signal.irfft(spectrum, [length])[:, : taps + samples] + tf.pad(tail, [[0, 0], [0, samples]])
    return wet[:, :samples], wet[:, samples:]


def endless(voices: int, hops: int, *, reverb: bool = True) -> Callable[[], Any]:
    """A call that renders the baseline's next block of `hops` hops with every voice sounding, to audio [2, samples]."""
    samples, taps = hops * HOP, round(REVERB_S * SAMPLE_RATE)
    room = np.random.default_rng(1).normal(size=[2, taps]) * np.exp(np.linspace(0.0, -6.9, taps))
    response = tf.constant(room, tf.float32)

    def block(
        state: tuple[Tensor, ...], f0_hz: Tensor, amplitudes: Tensor, magnitudes: Tensor
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        phase, noise_tail, wet_tail = state
        harmonic, phase = _sine_bank(phase, f0_hz, amplitudes, samples)
        noise, noise_tail = _noise(noise_tail, magnitudes, samples)
        mono = tf.reduce_sum(harmonic + 0.1 * noise, axis=0) / voices
        audio = tf.stack([mono, mono])
        if reverb:
            wet, wet_tail = _reverb(wet_tail, response, audio)
            audio = 0.75 * audio + 0.25 * wet
        return audio, (phase, noise_tail, wet_tail)

    compiled = tf.function(block, autograph=False)
    state = (tf.zeros([voices, 1, PARTIALS]), tf.zeros([voices, 2 * (BANDS - 1)]), tf.zeros([2, taps]))
    notes = 48.0 + np.arange(voices) * 7 % 25
    f0 = np.tile((440.0 * 2.0 ** ((notes - 69.0) / 12.0))[:, None, None], [1, hops, 1]).astype(np.float32)
    amplitudes = np.tile((1.0 / np.arange(1, PARTIALS + 1))[None, None], [voices, hops, 1]).astype(np.float32)
    magnitudes = np.full([voices, hops, BANDS], 0.5, np.float32)

    def render() -> Any:
        nonlocal state
        audio, state = compiled(state, tf.constant(f0), tf.constant(amplitudes), tf.constant(magnitudes))
        return audio.numpy()

    return render
