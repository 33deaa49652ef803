"""Impulse responses: made from a few numbers, or read from a file."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ddsp_studio.processors.sound_file import read_channels

_BANDS = ((0.0, 300.0, 1.1), (300.0, 2500.0, 1.0), (2500.0, 7000.0, 0.6), (7000.0, 1e9, 0.35))
"""Edges in Hz and decay relative to the mid band: air and walls swallow the highs first."""
MAX_S = 12.0


@functools.lru_cache(maxsize=8)
def generate(sample_rate: float, decay_s: float, predelay_s: float, seed: int) -> npt.NDArray[np.float32]:
    """Noise that decays exponentially, sooner at high frequencies: a diffuse hall, left and right independent.

    Moorer, "About This Reverberation Business" (1979): a good hall's response is close to decaying white noise.

    Args:
        sample_rate: Hz. decay_s: time to −60 dB in the mid band. predelay_s: silence before it. seed: which hall.

    Returns:
        [2, taps], of unit energy in each row; kept, so not to be written to.
    """
    length = int(decay_s * 1.1 * sample_rate)
    time = np.arange(length) / sample_rate
    noise = np.random.default_rng(seed).standard_normal((2, length))
    spectrum, hertz = np.fft.rfft(noise), np.fft.rfftfreq(length, 1.0 / sample_rate)
    response = np.zeros((2, length))
    for low, high, share in _BANDS:
        band = np.fft.irfft(spectrum * ((hertz >= low) & (hertz < high)), length)
        response += band * np.exp(-np.log(1e3) * time / (decay_s * share))
    fade = int(0.02 * length)
    response[:, length - fade :] *= np.linspace(1.0, 0.0, fade)
    response[:, : int(0.004 * sample_rate)] *= np.linspace(0.0, 1.0, int(0.004 * sample_rate))
    return _unit_energy(np.pad(response, [(0, 0), (int(predelay_s * sample_rate), 0)]))


def load(path: Path, sample_rate: float) -> npt.NDArray[np.float32]:
    """Read a response from an audio file, at the given rate, of unit energy: [2, taps].

    Raises:
        ValueError: one sentence, when the file is missing, no audio, silent or longer than 12 s.
    """
    path = Path(path)
    audio, rate = read_channels(path, "impulse response", MAX_S)
    audio = at_rate(audio.T, rate, sample_rate).T
    stereo = np.stack([audio[:, 0], audio[:, min(1, audio.shape[1] - 1)]]) if audio.size else np.zeros((2, 0))
    if not np.isfinite(stereo).all() or np.abs(stereo).max(initial=0.0) < 1e-6:
        raise ValueError(f"the impulse response {path.name!r} is silent")
    return _unit_energy(stereo)


def at_rate(response: npt.NDArray[np.float32], from_hz: float, to_hz: float) -> npt.NDArray[np.float32]:
    """A response [rows, taps] at another sample rate, with the same gain at every frequency."""
    if from_hz == to_hz:
        return response
    import soxr

    resampled = soxr.resample(np.ascontiguousarray(response.T), from_hz, to_hz).T
    return np.asarray(resampled * (from_hz / to_hz), np.float32)


def _unit_energy(response: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    return np.asarray(response / np.sqrt(np.mean(np.sum(response**2, axis=1))), np.float32)
