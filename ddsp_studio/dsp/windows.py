"""Windows, as arrays: they are constants of whoever uses them.

Harris, "On the Use of Windows for Harmonic Analysis with the Discrete Fourier Transform" (1978).
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt


@functools.lru_cache(maxsize=64)
def cosine_window(length: int, edge: float, periodic: bool = True) -> npt.NDArray[np.float32]:
    """A raised cosine, (1 + edge) / 2 − (1 − edge) / 2 · cos(2π·n / period).

    Args:
        length: samples.
        edge: value at its ends, 0..1.
        periodic: the period is `length`, so that windows half a length apart add up to a constant and sample length / 2 is the
            peak; otherwise it is length − 1 and the window is its own mirror image.

    Returns:
        [length] float32; kept, so not to be written to.
    """
    period = length if periodic else max(length - 1, 1)
    raised = 0.5 * (1.0 + edge) - 0.5 * (1.0 - edge) * np.cos(2.0 * np.pi * np.arange(length) / period)
    window = (raised if length > 1 else np.ones(1)).astype(np.float32)
    window.setflags(write=False)
    return window


def hann(length: int, periodic: bool = True) -> npt.NDArray[np.float32]:
    """Hann's window, which ends in 0."""
    return cosine_window(length, 0.0, periodic)


def hamming(length: int, periodic: bool = True) -> npt.NDArray[np.float32]:
    """Hamming's window, whose step of 0.08 at the ends cancels the first side lobe."""
    return cosine_window(length, 0.08, periodic)
