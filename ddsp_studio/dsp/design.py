"""Impulse responses of linear-phase FIR filters: from drawn magnitudes, and from cutoff frequencies.

Every response is symmetric about its centre tap, which is its delay: `centre(taps)`.
"""

from __future__ import annotations

import math

import numpy as np

from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.dsp.windows import hamming, hann


def centre(taps: int) -> int:
    """The tap about which a response of `taps` samples is symmetric, which is its delay in samples."""
    return taps // 2


def centred_hann(taps: int) -> Tensor:
    """Hann's window whose peak is at `centre(taps)`: periodic for an even number of taps, its own mirror image for an odd one."""
    return hann(taps, periodic=taps % 2 == 0)


def frequency_sampled(magnitudes: Tensor, taps: int = 0) -> Tensor:
    """Linear-phase response with the given magnitudes, by frequency sampling.

    The inverse transform of the magnitudes, which has no phase, is moved to the centre and windowed there by Hann's window
    (Smith, Spectral Audio Signal Processing, "Window Method for FIR Filter Design").

    Args:
        magnitudes: linear, evenly spaced from 0 Hz to Nyquist, [..., bands].
        taps: length, 2·(bands − 1) at most and where it is 0; a shorter response smooths the magnitudes.

    Returns:
        [..., taps], with its peak at `centre(taps)`.
    """
    return window_response(tf.signal.irfft(tf.complex(magnitudes, tf.zeros_like(magnitudes))), taps)


def window_response(response: Tensor, taps: int = 0) -> Tensor:
    """Cut a response without phase to `taps` samples about its centre, and window it there by Hann's window.

    Args:
        response: its centre at index 0, what comes before that at the end, [..., length].
        taps: how many to keep, `length` where it is 0 or more than that.

    Returns:
        [..., taps], with its centre at `centre(taps)`.
    """
    length = int(response.shape[-1])
    taps = length if taps <= 0 else min(taps, length)
    at = centre(taps)
    return tf.concat([response[..., length - at :], response[..., : taps - at]], axis=-1) * centred_hann(taps)


def sinc(x: Tensor) -> Tensor:
    """sin(πx) / (πx), 1 at 0, with a gradient everywhere."""
    zero = tf.equal(x, 0.0)
    angle = math.pi * tf.where(zero, tf.ones_like(x), x)
    return tf.where(zero, tf.ones_like(x), tf.sin(angle) / angle)


def windowed_sinc(cutoff: Tensor, taps: int = 513, high_pass: bool = False) -> Tensor:
    """Low- or high-pass by the window method: a sinc under Hamming's window, of unit gain at 0 Hz (low) or at Nyquist (high).

    Smith, The Scientist and Engineer's Guide to Digital Signal Processing (1997), chapter 16. The high-pass is what the low-pass
    leaves.

    Args:
        cutoff: as a share of Nyquist, 0..1, [..., 1].
        taps: odd, so that the centre is a sample.
        high_pass: pass what is above the cutoff instead.

    Returns:
        [..., taps], symmetric about `centre(taps)`.

    Raises:
        ValueError: for an even number of taps.
    """
    if taps % 2 == 0:
        raise ValueError(f"a windowed sinc is centred on a tap and needs an odd number of taps, got {taps}")
    at = centre(taps)
    place = np.arange(-at, at + 1, dtype=np.float32)
    response = sinc(cutoff * place) * hamming(taps, periodic=False)
    response = response / tf.reduce_sum(response, axis=-1, keepdims=True)
    if high_pass:
        response = (place == 0.0).astype(np.float32) - response
    return response
