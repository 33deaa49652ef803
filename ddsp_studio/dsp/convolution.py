"""Streaming convolution with a long response at no latency, partitioned in two sizes.

The first SPAN samples of the response are convolved hop by hop, in a frequency-domain delay line of HOP-sample partitions;
the rest in partitions of SPAN samples, computed once each SPAN when a span of input is complete. What those
partitions say is due in the span that follows, so nothing is late. The scheme is that of Gardner, "Efficient Convolution without
Input-Output Delay" (1995), with two partition sizes.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ddsp_studio.dsp.ramps import hops
from ddsp_studio.dsp.tensor import HOP, Tensor, tf

SPAN = 16 * HOP
_SPAN_HOPS = SPAN // HOP
_LONG = 0.6
"""Length of a call, as a share of the response, from which one large FFT is cheaper than going on span by span."""


class Response(NamedTuple):
    """A response cut into partitions: `near` [rows, 16, HOP + 1], `far` [rows, partitions, SPAN + 1], complex64."""

    near: Tensor
    far: Tensor


class Memory(NamedTuple):
    """What a convolution remembers. `place` is the hop within the span, the same for every row."""

    place: Tensor  # [batch] int32
    near: Tensor  # spectra of the last hops, oldest first, [batch, 15, HOP + 1] complex64
    hop: Tensor  # the last hop of input, [batch, HOP]
    span: Tensor  # the last two spans of input, [batch, 2·SPAN]
    far: Tensor  # spectra of the last spans, newest first, [batch, partitions, SPAN + 1] complex64
    due: Tensor  # what the far partitions say in this span, [batch, SPAN]


def partitions(taps: int) -> int:
    """Far partitions of a response of `taps` samples."""
    return max(1, math.ceil((taps - SPAN) / SPAN))


def partition(impulse_response: Tensor) -> Response:
    """Cut an impulse response [rows, taps] into partitions, in the frequency domain."""
    rows, taps = impulse_response.shape
    padded = tf.pad(impulse_response, [[0, 0], [0, max(0, (partitions(taps) + 1) * SPAN - taps)]])
    near = tf.signal.rfft(tf.reshape(padded[:, :SPAN], [rows, _SPAN_HOPS, HOP]), [2 * HOP])
    return Response(near, tf.signal.rfft(tf.reshape(padded[:, SPAN:], [rows, -1, SPAN]), [2 * SPAN]))


def start(batch: int, taps: int) -> Memory:
    """Silence before the first sample."""
    return Memory(
        tf.zeros([batch], tf.int32),
        tf.zeros([batch, _SPAN_HOPS - 1, HOP + 1], tf.complex64),
        tf.zeros([batch, HOP]),
        tf.zeros([batch, 2 * SPAN]),
        tf.zeros([batch, partitions(taps), SPAN + 1], tf.complex64),
        tf.zeros([batch, SPAN]),
    )


def convolve(audio: Tensor, response: Response, memory: Memory) -> tuple[Tensor, Memory]:
    """Convolve audio [batch, samples] (whole hops); rows of the response are 1 or batch. Returns audio and memory."""
    length = int(audio.shape[1])
    if length > max(4, _LONG * int(response.far.shape[1])) * SPAN:
        return _long(audio, response, memory)
    near, memory = _near(audio, response.near, memory)
    pieces = []
    for begin in range(0, length, SPAN):
        piece, memory = _far(audio[:, begin : begin + SPAN], response.far, memory)
        pieces.append(piece)
    return near + (pieces[0] if len(pieces) == 1 else tf.concat(pieces, axis=1)), memory


def _cut(audio: Tensor, first_hop: Tensor, length: int) -> Tensor:
    """`length` samples of audio [batch, samples] from a hop that is known only at run time.

    Gathers whole hops: XLA compiles a slice anew for every place it begins at, but a gather once.
    """
    batch, samples = audio.shape
    index = first_hop + tf.range(length // HOP)
    return tf.reshape(tf.gather(tf.reshape(audio, [batch, samples // HOP, HOP]), index, axis=1), [batch, length])


def _near(audio: Tensor, response: Tensor, memory: Memory) -> tuple[Tensor, Memory]:
    x = hops(audio)
    count = int(x.shape[1])
    before = tf.concat([memory.hop[:, None], x[:, :-1]], axis=1)
    spectra = tf.concat([memory.near, tf.signal.rfft(tf.concat([before, x], axis=2))], axis=1)
    if count <= _SPAN_HOPS:
        lags = np.arange(count)[:, None] + np.arange(_SPAN_HOPS)
        recent = tf.gather(spectra, lags, axis=1)  # [batch, hops, 16, HOP + 1], oldest first
        total = tf.reduce_sum(recent * tf.reverse(response, [1])[:, None], axis=2)
    else:
        parts = [spectra[:, _SPAN_HOPS - 1 - p : _SPAN_HOPS - 1 - p + count] * response[:, p : p + 1] for p in range(_SPAN_HOPS)]
        total = tf.add_n(parts)
    out = tf.signal.irfft(total)[..., HOP:]
    return tf.reshape(out, audio.shape), memory._replace(near=spectra[:, -(_SPAN_HOPS - 1) :], hop=x[:, -1])


def _far(audio: Tensor, response: Tensor, memory: Memory) -> tuple[Tensor, Memory]:
    """Go on by at most a span, in which at most one span of input is completed."""
    length = int(audio.shape[1])
    place = memory.place[0]
    stream = tf.concat([memory.span, audio], axis=1)
    end = place * HOP + length

    def complete() -> tuple[Tensor, Tensor]:
        window = _cut(stream, tf.minimum(_SPAN_HOPS - place, length // HOP), 2 * SPAN)
        spectra = tf.concat([tf.signal.rfft(window)[:, None], memory.far[:, :-1]], axis=1)
        return spectra, tf.signal.irfft(tf.reduce_sum(spectra * response, axis=1))[:, SPAN:]

    spectra, due = tf.cond(end >= SPAN, complete, lambda: (memory.far, memory.due))
    out = _cut(tf.concat([memory.due, due], axis=1), place, length)
    moved = (memory.place + length // HOP) % _SPAN_HOPS
    # an input window ends at the span's end: keep the stream's last two spans
    return out, memory._replace(place=moved, span=stream[:, -2 * SPAN :], far=spectra, due=due)


def _long(audio: Tensor, response: Response, memory: Memory) -> tuple[Tensor, Memory]:
    """The same as many calls of `_near` and `_far`, by one FFT over the clip and what the response still hears of before."""
    batch, length = audio.shape
    count = int(response.far.shape[1])
    place = memory.place[0]
    # the spans held as spectra (windows of two, newest first), the open span, and the clip
    windows = tf.signal.irfft(memory.far)
    spans = tf.reverse(tf.concat([windows[..., SPAN:], windows[:, -1:, :SPAN]], axis=1), [1])
    opened = tf.concat([memory.span[:, SPAN:], audio, tf.zeros([batch, SPAN])], axis=1)
    opened = _cut(opened, _SPAN_HOPS - place, SPAN + length)
    stream = tf.concat([tf.reshape(spans, [batch, (count + 1) * SPAN]), opened], axis=1)
    rows = int(response.far.shape[0])
    taps = [tf.signal.irfft(part)[..., :size] for part, size in ((response.near, HOP), (response.far, SPAN))]
    taps = tf.concat([tf.reshape(part, [rows, -1]) for part in taps], axis=1)
    # what the circular convolution wraps lands before the clip: there are as many taps as samples of history
    size = _smooth(int(stream.shape[1]))
    heard = tf.signal.irfft(tf.signal.rfft(stream, [size]) * tf.signal.rfft(taps, [size]), [size])
    out = _cut(heard[:, : size // HOP * HOP], (count + 1) * _SPAN_HOPS + place, length)
    closed = (place + length // HOP) // _SPAN_HOPS
    framed = tf.reshape(_cut(stream, closed * _SPAN_HOPS, (count + 1) * SPAN), [batch, count + 1, SPAN])
    spectra = tf.signal.rfft(tf.reverse(tf.concat([framed[:, :-1], framed[:, 1:]], axis=2), [1]))
    due = tf.signal.irfft(tf.reduce_sum(spectra * response.far, axis=1))[:, SPAN:]
    latest = hops(audio[:, -_SPAN_HOPS * HOP :])
    near = tf.signal.rfft(tf.concat([latest[:, :-1], latest[:, 1:]], axis=2))
    moved, last = (memory.place + length // HOP) % _SPAN_HOPS, audio[:, -2 * SPAN :]
    return out, Memory(moved, near, latest[:, -1], last, spectra, due)


def _smooth(length: int) -> int:
    """The smallest size from `length` on that is even and has no prime factor beyond 5: FFTs of these are quick."""
    sizes: list[int] = [(1 << a) * 3**b * 5**c for a in range(1, 40) for b in range(4) for c in range(4)]
    return min(size for size in sizes if size >= length)
