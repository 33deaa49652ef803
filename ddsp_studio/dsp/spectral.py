"""The short-time Fourier transform, its inverse and its magnitude, offline and live.

Live forms carry the samples before the block as a value; they give the frames that the offline form gives with "causal" padding.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.framing import frame, frame_stream, overlap_add, overlap_add_stream, padding_sides, window_power
from ddsp_studio.dsp.scaling import safe_log
from ddsp_studio.dsp.tensor import Tensor, tf

_TINY = 1e-20
"""Below any magnitude that float32 audio has; spares a division by zero in gradients."""


@functools.lru_cache(maxsize=32)
def hann(size: int) -> npt.NDArray[np.float32]:
    """Periodic Hann window, [size]: copies a quarter of `size` apart add up to a constant, and so do their squares."""
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(size) / size)).astype(np.float32)


def fft_size_of(size: int) -> int:
    """The power of two that holds a frame of `size` samples."""
    return 1 << (size - 1).bit_length()


def spectra_of(frames: Tensor, fft_size: int | None = None) -> Tensor:
    """Hann-windowed spectrum of each frame [batch, frames, size]: complex64 [batch, frames, fft_size / 2 + 1]."""
    size = int(frames.shape[-1])
    return tf.signal.rfft(frames * hann(size), [fft_size or fft_size_of(size)])


def magnitudes_of(frames: Tensor, fft_size: int | None = None) -> Tensor:
    """Magnitude of the Hann-windowed spectrum of each frame [batch, frames, size]: [batch, frames, fft_size / 2 + 1].

    The gradient is written out, one inverse transform a frame: faster than through complex numbers by a third, and 0 where
    the magnitude is 0.
    """
    size = int(frames.shape[-1])
    points = fft_size or fft_size_of(size)

    def take(x: Tensor) -> tuple[Tensor, Any]:
        spectra = tf.signal.rfft(x * hann(size), [points])
        magnitude = tf.sqrt(tf.square(tf.math.real(spectra)) + tf.square(tf.math.imag(spectra)))

        def back(slope: Tensor) -> Tensor:
            scaled = slope * _fold(points) / (magnitude + _TINY)
            return tf.signal.irfft(spectra * tf.cast(scaled, tf.complex64), [points])[..., :size] * hann(size)

        return magnitude, back

    return tf.custom_gradient(take)(frames)


@functools.lru_cache(maxsize=32)
def _fold(points: int) -> npt.NDArray[np.float32]:
    """What turns the inverse transform into the transposed one: bins between 0 Hz and Nyquist stand for two."""
    weights = np.full(points // 2 + 1, 0.5 * points, np.float32)
    weights[0] = points
    if points % 2 == 0:
        weights[-1] = points
    return weights


# -- offline -------------------------------------------------------------------------------------------------------------


def stft(audio: Tensor, size: int = 2048, hop: int | None = None, padding: str = "end", fft_size: int | None = None) -> Tensor:
    """Short-time Fourier transform with a periodic Hann window.

    X[m, k] = Σₙ w[n]·x[m·hop + n]·e^(−2πi·k·n / fft_size) (Allen and Rabiner, "A unified approach to short-time Fourier
    analysis", 1977).

    Args:
        audio: [batch, samples].
        size, hop: samples of a frame and from frame to frame; a step is a quarter of a frame if not given.
        padding: "end", "centre", "valid" or "causal"; see `framing.padding_sides`.
        fft_size: points of the transform, the power of two above `size` if not given.

    Returns:
        complex64 [batch, frames, fft_size / 2 + 1].
    """
    return spectra_of(frame(audio, size, hop or size // 4, padding), fft_size)


def istft(spectra: Tensor, length: int, size: int = 2048, hop: int | None = None, padding: str = "centre") -> Tensor:
    """Audio whose short-time spectra are nearest to the given ones (Griffin and Lim, 1984, equation 6).

    It gives back what `stft` with the same arguments took apart, wherever a window reaches: everywhere with "centre"
    padding and steps of a quarter of a frame or less.

    Args:
        spectra: complex64 [batch, frames, bins]. length: of the audio, in samples.
        size, hop, padding: as in `stft`.

    Returns:
        Audio [batch, length].
    """
    step = hop or size // 4
    points = 2 * (int(spectra.shape[-1]) - 1)
    total = overlap_add(tf.signal.irfft(spectra, [points])[..., :size] * hann(size), step)
    before, _ = padding_sides(length, size, step, padding)
    rest = before + length - int(total.shape[1])
    if rest > 0:  # samples at the end that no whole frame reaches
        total = tf.pad(total, [[0, 0], [0, rest]])
    power = window_power(hann(size), length, step, padding)
    return total[:, before : before + length] * np.where(power > 1e-8, 1.0 / np.maximum(power, 1e-8), 0.0).astype(np.float32)


def magnitude(
    audio: Tensor, size: int = 2048, hop: int | None = None, padding: str = "end", fft_size: int | None = None
) -> Tensor:
    """Magnitude of `stft`, linear, [batch, frames, bins]."""
    return magnitudes_of(frame(audio, size, hop or size // 4, padding), fft_size)


def log_magnitude(audio: Tensor, size: int = 2048, hop: int | None = None, padding: str = "end", floor: float = 1e-5) -> Tensor:
    """Natural logarithm of `magnitude`, held at or above `floor`, [batch, frames, bins]."""
    return safe_log(magnitude(audio, size, hop, padding), floor)


# -- live ----------------------------------------------------------------------------------------------------------------


def stft_stream(audio: Tensor, tail: Tensor, size: int, hop: int) -> tuple[Tensor, Tensor]:
    """`stft` of the next block of a stream: the frames that end in it, so each is size / 2 samples behind its middle.

    Args:
        audio: [batch, samples], a whole number of steps. tail: `framing.tail_start`, or what the block before returned.
        size, hop: samples of a frame and from frame to frame.

    Returns:
        complex64 [batch, samples / hop, bins], and the new tail.
    """
    frames, tail = frame_stream(audio, tail, size, hop)
    return spectra_of(frames), tail


def istft_stream(spectra: Tensor, tail: Tensor, size: int, hop: int) -> tuple[Tensor, Tensor]:
    """Audio of the next frames of a stream, size − hop samples later than what `stft_stream` took apart.

    Args:
        spectra: complex64 [batch, frames, bins]. tail: `framing.tail_start`, or what the block before returned.
        size, hop: samples of a frame and from frame to frame; the step is at most half a frame and divides it.

    Returns:
        Audio [batch, frames·hop], and the new tail.
    """
    points = 2 * (int(spectra.shape[-1]) - 1)
    power = np.sum(np.square(hann(size), dtype=np.float64).reshape(-1, hop), axis=0)  # the same in every step
    window = hann(size) / np.tile(power, size // hop).astype(np.float32)
    return overlap_add_stream(tf.signal.irfft(spectra, [points])[..., :size] * window, tail, hop)


# -- levels --------------------------------------------------------------------------------------------------------------


def mean_square(audio: Tensor, size: int, hop: int, padding: str = "centre") -> Tensor:
    """Mean square of each frame of audio [batch, samples], without a window: [batch, frames]."""
    return tf.reduce_mean(tf.square(frame(audio, size, hop, padding)), axis=-1)


def rms(audio: Tensor, size: int, hop: int, padding: str = "centre") -> Tensor:
    """Root of `mean_square`, [batch, frames]. Its gradient at silence is 0."""
    power = mean_square(audio, size, hop, padding)
    heard = power > _TINY
    return tf.where(heard, tf.sqrt(tf.where(heard, power, 1.0)), 0.0)
