"""Convolution with noise that dies away at a rate that may change while it sounds.

The response is n(t)·e^(−D), n being noise that never changes, and D the decay that has passed since the sound went in:

    y(t) = Σ_s x(s)·n(t − s)·e^(D(s) − D(t)),    D(t) = ∫ 6.91 / decay,

so that a new decay holds for all that sounds in the room, from now on. e^D can be drawn out of the sum: the input is weighed by
e^D, convolved with n, and weighed back. D counts from the last span boundary, where the memory of the convolution is weighed
anew, so it never grows large. Convolution itself is `convolution.convolve`, of which only is asked that its memory is linear in
the audio.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp import convolution
from ddsp_studio.dsp.convolution import SPAN
from ddsp_studio.dsp.noise import row_seeds, white_noise
from ddsp_studio.dsp.recurrence import scan_chunks
from ddsp_studio.dsp.tensor import HOP, Tensor, tf

_SPAN_HOPS = SPAN // HOP
_LONGEST = 4 * SPAN
"""Samples that are convolved at once: over a longer time e^D would outgrow the digits of float32."""
_STEP = np.arange(1, HOP + 1, dtype=np.float64)
_RAMP_SUM = _STEP * (_STEP + 1.0) / (2.0 * HOP)
NEPERS = math.log(1e3)
"""60 dB."""


class Memory(NamedTuple):
    """`convolution`: leaves [batch, bands, …]. `decayed`: D since the last span boundary, [batch, bands] float64."""

    convolution: Any
    decayed: Tensor
    place: Tensor


def band_noise(name: str, rows: int, bands: int, taps: int, silence: int, sample_rate: float) -> npt.NDArray[np.float32]:
    """White noise of unit variance, cut into bands: [rows, bands, taps].

    The edges lie evenly in octaves between 250 Hz and 8 kHz, without these two. The noise fades in over 4 ms after `silence`
    samples and out over the last twentieth.
    """
    noise = white_noise(row_seeds(name, rows), tf.zeros([rows], tf.uint32), taps).numpy() * math.sqrt(3.0)
    hertz = np.fft.rfftfreq(taps, 1.0 / sample_rate)
    edges = np.geomspace(250.0, 8000.0, bands + 1)[1:-1]
    band = np.searchsorted(edges, hertz, side="right")
    spectrum = np.fft.rfft(noise)[:, None] * (band == np.arange(bands)[:, None])
    time = np.arange(taps)
    rise = np.clip((time - silence) / (0.004 * sample_rate), 0.0, 1.0)
    fall = np.clip((taps - time) / (0.05 * taps), 0.0, 1.0)
    return np.asarray(np.fft.irfft(spectrum, taps) * rise * fall, np.float32)


def start(batch: int, bands: int, taps: int) -> Memory:
    """Silence."""
    held = _split(convolution.start(batch * bands, taps), batch, bands)
    return Memory(held, tf.zeros([batch, bands], tf.float64), tf.zeros([batch], tf.int32))


def energy(decay_s: Tensor, first_s: float, last_s: float) -> Tensor:
    """Integral of e^(−2D) from the first to the last second of the response, in seconds."""
    rate = 2.0 * NEPERS / decay_s
    return (tf.exp(-rate * first_s) - tf.exp(-rate * last_s)) / rate


def convolve(audio: Tensor, noise: Any, decay_s: Tensor, memory: Memory, sample_rate: float) -> tuple[Tensor, Memory]:
    """Convolve with each band's decaying noise.

    Args:
        audio: what goes into each band, [batch, samples, bands], whole hops.
        noise: a partitioned response (`convolution.partition`) of batch·bands rows.
        decay_s: time to −60 dB, ramped as a rate, [batch, hops + 1, bands], row 0 before the block. sample_rate: Hz.

    Returns:
        [batch, samples, bands] and the memory.
    """
    batch, length, bands = audio.shape
    rate = NEPERS / (tf.cast(decay_s, tf.float64) * sample_rate)
    rates = tf.concat([rate[:, :-1], rate[:, 1:] - rate[:, :-1]], axis=2)  # at each hop's start, and its rise
    outs, begin = [], 0
    for count, part in ((length // _LONGEST, _LONGEST), (1, length % _LONGEST)):
        if count and part:
            pieces = (
                tf.reshape(audio[:, begin : begin + count * part], [batch, count, part, bands]),
                tf.reshape(rates[:, begin // HOP : (begin + count * part) // HOP], [batch, count, part // HOP, 2 * bands]),
            )
            out, memory = scan_chunks(lambda state, piece: _go_on(state, piece, noise), memory, pieces)
            outs.append(tf.reshape(out, [batch, count * part, bands]))
            begin += count * part
    return outs[0] if len(outs) == 1 else tf.concat(outs, axis=1), memory


def _go_on(memory: Memory, piece: tuple[Tensor, Tensor], noise: Any) -> tuple[Memory, Tensor]:
    audio, rates = piece
    batch, length, bands = audio.shape
    before, rise = rates[..., :bands], rates[..., bands:]
    total = tf.cumsum(before * HOP + rise * (0.5 * (HOP + 1)), axis=1)
    edges = tf.concat([memory.decayed[:, None], memory.decayed[:, None] + total], axis=1)  # [batch, hops + 1, bands]
    inside = edges[:, :-1, None] + before[:, :, None] * _STEP[:, None] + rise[:, :, None] * _RAMP_SUM[:, None]
    passed = tf.transpose(tf.cast(tf.reshape(inside, [batch, length, bands]), tf.float32), [0, 2, 1])
    weighed = tf.reshape(tf.transpose(audio, [0, 2, 1]) * tf.exp(passed), [batch * bands, length])
    wet, held = convolution.convolve(weighed, noise, _joined(memory.convolution, batch, bands))
    out = tf.reshape(wet, [batch, bands, length]) * tf.exp(-passed)
    held, decayed, place = _settle(_split(held, batch, bands), edges, memory.place)
    return Memory(held, decayed, place), tf.transpose(out, [0, 2, 1])


def _settle(held: Any, edges: Tensor, place: Tensor) -> tuple[Any, Tensor, Tensor]:
    """Count D from the last span boundary that was passed, if one was."""
    hops = int(edges.shape[1]) - 1
    last = (place[0] + hops) // _SPAN_HOPS * _SPAN_HOPS - place[0]
    since = tf.gather(edges, tf.maximum(last, 0), axis=1)
    crossed = last > 0

    def weigh() -> list[Tensor]:
        factor = tf.cast(tf.exp(-since), tf.float32)
        return [_scaled(leaf, factor) for leaf in tf.nest.flatten(held)]

    leaves = tf.cond(crossed, weigh, lambda: tf.nest.flatten(held))
    decayed = edges[:, -1] - tf.where(crossed, since, 0.0)
    return tf.nest.pack_sequence_as(held, leaves), decayed, (place + hops) % _SPAN_HOPS


def _scaled(leaf: Tensor, factor: Tensor) -> Tensor:
    if not (leaf.dtype.is_floating or leaf.dtype.is_complex):
        return tf.identity(leaf)
    return leaf * tf.cast(tf.reshape(factor, [*factor.shape, *([1] * (len(leaf.shape) - 2))]), leaf.dtype)


def _split(held: Any, batch: int, bands: int) -> Any:
    return tf.nest.map_structure(lambda leaf: tf.reshape(leaf, [batch, bands, *leaf.shape[1:]]), held)


def _joined(held: Any, batch: int, bands: int) -> Any:
    return tf.nest.map_structure(lambda leaf: tf.reshape(leaf, [batch * bands, *leaf.shape[2:]]), held)
