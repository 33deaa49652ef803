"""Frequency-sampled FIR filters whose response moves from frame to frame without steps."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.ramps import RISE, hops
from ddsp_studio.dsp.tensor import HOP, Tensor, tf


@functools.lru_cache(maxsize=32)
def _design(bands: int, fft_size: int) -> npt.NDArray[np.float32]:
    """Linear map [bands, 2·(fft_size / 2 + 1)] from band magnitudes to the windowed FIR's response, real then imaginary."""
    length = 2 * (bands - 1)
    taps = np.fft.irfft(np.eye(bands), length)  # zero phase, one row for each band
    taps = np.roll(taps, length // 2, axis=1) * np.hanning(length + 1)[:-1]  # made causal, Hann-windowed about its centre
    response = np.fft.rfft(taps, fft_size)
    return np.concatenate([response.real, response.imag], axis=1).astype(np.float32)


def fir_length(bands: int) -> int:
    """Taps of the FIR that `bands` magnitudes define; its delay is half of that."""
    return 2 * (bands - 1)


def filter_hops(audio: Tensor, magnitudes: Tensor, tail: Tensor) -> tuple[Tensor, Tensor]:
    """Filter audio by magnitudes that cross-fade linearly across each hop.

    Sample j of a hop is filtered by (1 − r)·h_before + r·h_after, r = j / HOP: each hop's input is weighted down into the
    old filter and up into the new one, so the response never steps. Magnitudes are spaced evenly from 0 Hz to
    Nyquist. Frequency sampling with a centred Hann window (Smith, Spectral Audio Signal Processing, "Window Method").

    Args:
        audio: [batch, samples], whole hops.
        magnitudes: linear, [batch or 1, hops + 1, bands], row 0 before the block.
        tail: what earlier input still has to say, [batch, fir_length - 1].

    Returns:
        Audio delayed by fir_length / 2 samples, [batch, samples]; and the new tail.
    """
    bands = int(magnitudes.shape[-1])
    taps = fir_length(bands)
    size = 1 << (HOP + taps - 2).bit_length()
    parts = tf.tensordot(magnitudes, _design(bands, size), 1)
    response = tf.complex(parts[..., : size // 2 + 1], parts[..., size // 2 + 1 :])
    x = hops(audio)
    spectra = tf.signal.rfft(tf.concat([x * (1.0 - RISE), x * RISE], axis=1), [size])
    count = int(x.shape[1])
    spoken = tf.signal.irfft(spectra[:, :count] * response[:, :-1] + spectra[:, count:] * response[:, 1:], [size])
    spoken = spoken[..., : HOP + taps - 1]
    return overlap_add(spoken, tail)


def overlap_add(pieces: Tensor, tail: Tensor) -> tuple[Tensor, Tensor]:
    """Add pieces [batch, hops, length] that start a hop apart to a tail [batch, length − HOP].

    Returns:
        The finished samples [batch, hops·HOP], and the tail [batch, length − HOP] that later hops still add to.
    """
    batch, count, length = pieces.shape
    steps = -(-length // HOP)
    padded = tf.pad(pieces, [[0, 0], [0, 0], [0, steps * HOP - length]])
    grid = tf.reshape(padded, [batch, count, steps, HOP])
    room = (count + steps - 1) * HOP - (length - HOP)
    total = tf.pad(tail, [[0, 0], [0, room]]) if room > 0 else tail
    total = tf.reshape(total, [batch, count + steps - 1, HOP])
    for step in range(steps):
        total += tf.pad(grid[:, :, step], [[0, 0], [step, steps - 1 - step], [0, 0]])
    flat = tf.reshape(total, [batch, -1])
    return flat[:, : count * HOP], flat[:, count * HOP : count * HOP + length - HOP]
