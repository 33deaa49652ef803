"""FIR filters whose response moves from frame to frame: without steps in a stream, and over whole clips."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.chunks import over_chunks
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
    size = _fft_size(HOP, fir_length(bands))

    def designed(frames: Tensor) -> Tensor:
        parts = tf.tensordot(frames, _design(bands, size), 1)
        return tf.complex(parts[..., : size // 2 + 1], parts[..., size // 2 + 1 :])

    return _filtered(audio, magnitudes, designed, fir_length(bands), tail)


def convolve_hops(audio: Tensor, responses: Tensor, tail: Tensor) -> tuple[Tensor, Tensor]:
    """Filter audio by impulse responses that cross-fade linearly across each hop, as `filter_hops` does by magnitudes.

    Args:
        audio: [batch, samples], whole hops.
        responses: [batch or 1, hops + 1, taps], row 0 before the block.
        tail: what earlier input still has to say, [batch, taps - 1].

    Returns:
        Audio [batch, samples], and the new tail.
    """
    taps = int(responses.shape[-1])
    return _filtered(audio, responses, lambda frames: tf.signal.rfft(frames, [_fft_size(HOP, taps)]), taps, tail)


def _fft_size(samples: int, taps: int) -> int:
    """The power of two that holds the convolution of so many samples and taps."""
    return 1 << (samples + taps - 2).bit_length()


def _filtered(
    audio: Tensor, frames: Tensor, spectra_of: Callable[[Tensor], Tensor], taps: int, tail: Tensor
) -> tuple[Tensor, Tensor]:
    """Filter by the responses of frames [batch or 1, hops + 1, …], given as spectra, which fade into each other in every hop."""

    def spoken(x: Tensor, held: Tensor) -> Tensor:
        response = spectra_of(held)
        size, count = 2 * (int(response.shape[-1]) - 1), int(x.shape[1])
        spectra = tf.signal.rfft(tf.concat([x * (1.0 - RISE), x * RISE], axis=1), [size])
        out = tf.signal.irfft(spectra[:, :count] * response[:, :-1] + spectra[:, count:] * response[:, 1:], [size])
        return out[..., : HOP + taps - 1]

    x = hops(audio)
    return overlap_add(over_chunks(spoken, int(x.shape[1]), x, frames), tail)


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


def fft_convolve(audio: Tensor, responses: Tensor, *, full: bool = False, delay: int = 0, cross_fade: bool = False) -> Tensor:
    """Convolve a whole clip with one response, or with a response for each of its equal parts.

    Args:
        audio: [batch, samples].
        responses: [batch or 1, taps], or [batch or 1, frames, taps]; part i of ⌈samples / frames⌉ samples is filtered by response
            i.
        full: return samples + taps − 1 samples, with the tail of the response, instead of as many as came in.
        delay: samples to leave out at the start, such as `design.centre(taps)` of a linear-phase response.
        cross_fade: let each part begin with the response before it and end with its own, as `filter_hops` does, instead of
            stepping from one to the next. The first part has its own response throughout.

    Returns:
        [batch, samples] or, if `full`, [batch, samples + taps − 1]; zeros where the convolution has ended.

    Raises:
        ValueError: if there are more responses than parts of the clip.
    """
    frames = responses if len(responses.shape) == 3 else responses[:, None]
    (batch, samples), (_, count, taps) = audio.shape, frames.shape
    part = -(-samples // count)
    if -(-samples // part) != count:
        raise ValueError(f"{samples} samples cannot be filtered by {count} responses, only by {-(-samples // part)} or fewer")
    x = tf.reshape(tf.pad(audio, [[0, 0], [0, part * count - samples]]), [batch, count, part])
    size = _fft_size(part, taps)
    spectra = tf.signal.rfft(frames, [size])
    if cross_fade:
        rise = np.arange(1, part + 1, dtype=np.float32) / part
        before = tf.concat([spectra[:, :1], spectra[:, :-1]], axis=1)
        product = tf.signal.rfft(x * (1.0 - rise), [size]) * before + tf.signal.rfft(x * rise, [size]) * spectra
    else:
        product = tf.signal.rfft(x, [size]) * spectra
    total = tf.signal.overlap_and_add(tf.signal.irfft(product, [size]), part)
    length = samples + taps - 1 if full else samples
    total = total[:, delay : delay + length]
    return tf.pad(total, [[0, 0], [0, length - int(total.shape[1])]])
