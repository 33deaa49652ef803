"""Mel spectra and cepstra: linear maps of the magnitude spectrum, so they stream as the spectrum does."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.scaling import hz_to_mel, safe_log
from ddsp_studio.dsp.spectral import hann, magnitude
from ddsp_studio.dsp.tensor import Tensor, tf

TIMBRE_BANDS, TIMBRE_COEFFICIENTS, TIMBRE_WINDOW_S = 64, 30, 0.064
"""How encoders hear timbre: bands, cepstral coefficients and seconds under a window."""
_TIMBRE_HZ = (40.0, 7600.0)
_FLOOR = 1e-6


@functools.lru_cache(maxsize=32)
def mel_filters(bands: int, bins: int, sample_rate: float, low_hz: float, high_hz: float) -> npt.NDArray[np.float32]:
    """Triangles evenly spaced on the mel scale, of height 1, [bins, bands] (Young et al., The HTK Book, section 5.4).

    Args:
        bands: triangles. bins: of the spectrum, 0 Hz to Nyquist. sample_rate: Hz.
        low_hz, high_hz: where the first triangle begins and the last one ends.

    Raises:
        ValueError: if the range is empty or reaches beyond Nyquist.
    """
    if not 0.0 <= low_hz < high_hz <= sample_rate / 2.0:
        raise ValueError(f"mel bands take a range within 0 to {sample_rate / 2.0:g} Hz, got {low_hz:g} to {high_hz:g} Hz")
    mel = hz_to_mel(np.linspace(0.0, sample_rate / 2.0, bins))[:, None]
    edges = np.linspace(float(hz_to_mel(low_hz)), float(hz_to_mel(high_hz)), bands + 2)
    left, middle, right = edges[:-2], edges[1:-1], edges[2:]
    heights = np.maximum(0.0, np.minimum((mel - left) / (middle - left), (right - mel) / (right - middle)))
    heights[0] = 0.0  # a constant offset is not sound
    return np.asarray(heights, np.float32)


@functools.lru_cache(maxsize=32)
def cepstrum_matrix(bands: int, coefficients: int) -> npt.NDArray[np.float32]:
    """Discrete cosine transform of type II over mel bands, scaled by √(2 / bands), [bands, coefficients]."""
    angle = np.pi / bands * (np.arange(bands)[:, None] + 0.5) * np.arange(coefficients)
    return np.asarray(np.cos(angle) * np.sqrt(2.0 / bands), np.float32)


def mel_of(magnitudes: Tensor, sample_rate: float, bands: int = 64, low_hz: float = 0.0, high_hz: float | None = None) -> Tensor:
    """Mel spectrum [..., bands] of magnitudes [..., bins]; up to Nyquist if `high_hz` is not given."""
    filters = mel_filters(bands, int(magnitudes.shape[-1]), sample_rate, low_hz, high_hz or sample_rate / 2.0)
    return _library(magnitudes).tensordot(magnitudes, filters, 1)


def cepstrum_of(log_mel: Tensor, coefficients: int = 13) -> Tensor:
    """Mel-frequency cepstral coefficients [..., coefficients] of log mel bands [..., bands] (Davis and Mermelstein, 1980)."""
    return _library(log_mel).tensordot(log_mel, cepstrum_matrix(int(log_mel.shape[-1]), coefficients), 1)


def timbre_bands(magnitudes: Tensor, size: int, sample_rate: float) -> Tensor:
    """Natural logarithm of the power in 64 mel bands from 40 Hz to 7.6 kHz: by this the encoders hear timbre.

    A band holds the same power however many points the transform has. Between the partials of a chord it depends on where the
    bins lie all the same: a transform of `size` points has them at the same frequencies at every rate.

    Args:
        magnitudes: of Hann windows of `size` samples, [..., bins]; arrays or tensors. sample_rate: Hz.
    """
    points = 2 * (int(magnitudes.shape[-1]) - 1)
    scaled = magnitudes * np.float32(2.0 / float(np.sum(hann(size))) * math.sqrt(size / points))
    power = mel_of(scaled * scaled, sample_rate, TIMBRE_BANDS, _TIMBRE_HZ[0], min(_TIMBRE_HZ[1], 0.475 * sample_rate))
    log = np.log if isinstance(power, np.ndarray) else tf.math.log
    return log(power + np.float32(_FLOOR))


def _library(x: Tensor) -> Any:
    return np if isinstance(x, np.ndarray) else tf


def mel_spectrum(
    audio: Tensor,
    sample_rate: float,
    bands: int = 64,
    low_hz: float = 0.0,
    high_hz: float | None = None,
    size: int = 2048,
    hop: int | None = None,
    padding: str = "end",
) -> Tensor:
    """Mel spectrum of audio [batch, samples], linear: [batch, frames, bands].

    Args:
        audio: [batch, samples]. sample_rate: Hz. bands, low_hz, high_hz: see `mel_filters`.
        size, hop, padding: see `spectral.stft`.
    """
    return mel_of(magnitude(audio, size, hop, padding), sample_rate, bands, low_hz, high_hz)


def log_mel_spectrum(
    audio: Tensor,
    sample_rate: float,
    bands: int = 64,
    low_hz: float = 80.0,
    high_hz: float | None = None,
    size: int = 2048,
    hop: int | None = None,
    padding: str = "end",
    floor: float = 1e-5,
) -> Tensor:
    """Natural logarithm of `mel_spectrum`, held at or above `floor`: [batch, frames, bands]."""
    return safe_log(mel_spectrum(audio, sample_rate, bands, low_hz, high_hz, size, hop, padding), floor)


def mfcc(
    audio: Tensor,
    sample_rate: float,
    coefficients: int = 13,
    bands: int = 128,
    low_hz: float = 20.0,
    high_hz: float | None = None,
    size: int = 1024,
    hop: int | None = None,
    padding: str = "end",
) -> Tensor:
    """Mel-frequency cepstral coefficients of audio [batch, samples]: [batch, frames, coefficients]."""
    return cepstrum_of(log_mel_spectrum(audio, sample_rate, bands, low_hz, high_hz, size, hop, padding), coefficients)
