"""Audio cut into overlapping frames, and frames added up to audio again: offline with padding, live with a tail.

A frame clock counts exact samples: frame m begins `hop` samples after frame m − 1, whatever the rate.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ddsp_studio.dsp.tensor import Tensor, tf

PADDINGS = ("end", "centre", "valid", "causal")


def padding_sides(length: int, size: int, hop: int, padding: str) -> tuple[int, int]:
    """Samples of silence before and after a sound of `length` samples.

    Args:
        length, size, hop: of the sound, a frame and a step, in samples.
        padding: "end": frame m begins at sample m·hop and there are ⌈length / hop⌉ frames. "centre": frame m has its middle at
            sample m·hop, ⌊length / hop⌋ + 1 frames. "valid": no silence, whole frames only. "causal": frame m ends with sample
            (m + 1)·hop − 1, as a live stream sees it, ⌊length / hop⌋ frames.

    Raises:
        ValueError: if the padding is none of these, or the step is longer than the frame where frames must overlap.
    """
    if padding not in PADDINGS:
        raise ValueError(f"padding is one of {', '.join(PADDINGS)}, got {padding!r}")
    if hop > size and padding != "valid":
        raise ValueError(f"a step is at most a frame of {size} samples, got {hop}")
    if padding == "end":
        return 0, max(0, (-(-length // hop) - 1) * hop + size - length)
    if padding == "centre":
        return size // 2, size // 2
    return (size - hop if padding == "causal" else 0), 0


def pad(audio: Tensor, size: int, hop: int, padding: str) -> Tensor:
    """Add the silence of `padding_sides` to audio [..., samples]."""
    before, after = padding_sides(int(audio.shape[-1]), size, hop, padding)
    if before == after == 0:
        return audio
    return tf.pad(audio, [[0, 0]] * (len(audio.shape) - 1) + [[before, after]])


def frame(audio: Tensor, size: int, hop: int, padding: str = "valid") -> Tensor:
    """Cut audio [batch, samples] into frames [batch, frames, size].

    The gradient adds the frames' gradients up where they overlap; TensorFlow's own scatters them, in half as much time again.
    """

    def cut(x: Tensor) -> tuple[Tensor, Any]:
        def back(slope: Tensor) -> Tensor:
            total = overlap_add(slope, hop)
            return tf.pad(total, [[0, 0], [0, int(x.shape[-1]) - int(total.shape[-1])]])

        return tf.signal.frame(x, size, hop), back

    return tf.custom_gradient(cut)(pad(audio, size, hop, padding))


def overlap_add(frames: Tensor, hop: int) -> Tensor:
    """Add up frames [batch, frames, size], each begun `hop` samples after the last: [batch, (frames − 1)·hop + size]."""
    batch, count, size = (int(n) for n in frames.shape)
    if size % hop:
        return tf.signal.overlap_and_add(frames, hop)
    parts = size // hop
    if parts == 1:
        return tf.reshape(frames, [batch, -1])
    padded = tf.pad(frames, [[0, 0], [parts - 1, parts - 1], [0, 0]])
    rows = count + parts - 1
    pieces = [padded[:, parts - 1 - i : parts - 1 - i + rows, i * hop : (i + 1) * hop] for i in range(parts)]
    return tf.reshape(tf.add_n(pieces), [batch, -1])


def tail_start(batch: int, size: int, hop: int) -> Tensor:
    """Silence before the first block of a stream: the tail of `frame_stream` and `overlap_add_stream`, [batch, size − hop]."""
    return tf.zeros([batch, size - hop])


def frame_stream(audio: Tensor, tail: Tensor, size: int, hop: int) -> tuple[Tensor, Tensor]:
    """Cut the next block of a stream into the frames that end in it: the frames of `frame` with "causal" padding.

    Args:
        audio: [batch, samples], a whole number of steps. tail: the samples before it, [batch, size − hop].
        size, hop: of a frame and a step, in samples.

    Returns:
        Frames [batch, samples / hop, size], frame m ending with sample (m + 1)·hop − 1 of the block; and the new tail.
    """
    joined = tf.concat([tail, audio], axis=1)
    return frame(joined, size, hop), joined[:, int(joined.shape[1]) - (size - hop) :]


def overlap_add_stream(frames: Tensor, tail: Tensor, hop: int) -> tuple[Tensor, Tensor]:
    """Add up the next frames of a stream: the samples that no later frame will change, and the new tail.

    Args:
        frames: [batch, frames, size]. tail: what earlier frames still have to say, [batch, size − hop].
        hop: samples from frame to frame.

    Returns:
        Audio [batch, frames·hop], size − hop samples later than the frames' ends; and the new tail.
    """
    count = int(frames.shape[1])
    total = overlap_add(frames, hop)
    total += tf.pad(tail, [[0, 0], [0, int(total.shape[1]) - int(tail.shape[1])]])
    return total[:, : count * hop], total[:, count * hop :]


def window_power(window: np.ndarray, length: int, hop: int, padding: str) -> np.ndarray:
    """Sum of the squared windows that cover each sample of a sound, [length], for windows laid out as `frame` does."""
    size = window.size
    before, after = padding_sides(length, size, hop, padding)
    total = np.zeros(before + length + after)
    for begin in range(0, total.size - size + 1, hop):
        total[begin : begin + size] += np.square(window, dtype=np.float64)
    return total[before : before + length]
