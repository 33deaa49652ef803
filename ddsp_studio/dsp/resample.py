"""Control frames at another rate: whole clips, and block by block with the frames before held as a value.

All methods are one: an output is a weighted sum of the frames around it, with weights that depend on how far it lies between two
of them.

- "nearest" holds a frame until the next one (a clip without end point), or takes the nearer one (with).
- "linear" goes straight from frame to frame.
- "window" overlaps Hann windows by a half, which is a raised cosine from frame to frame: no corners, and no overshoot.
- "cubic" is Keys' convolution, smooth and with slight overshoot (Keys, "Cubic Convolution Interpolation", 1981).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.tensor import Tensor, tf

METHODS = ("nearest", "linear", "window", "cubic")
CATMULL_ROM = -0.5
"""Keys' slope with which the cubic reproduces every parabola."""
_BEFORE = {"nearest": 0, "linear": 0, "window": 0, "cubic": 1}
_AFTER = {"nearest": 0, "linear": 1, "window": 1, "cubic": 2}


def _weights(method: str, fraction: npt.NDArray[np.float64], slope: float) -> npt.NDArray[np.float32]:
    """Weights [outputs, taps] of the frames around each place, which lies `fraction` (0..1) beyond a frame."""
    if method == "nearest":
        columns = [np.ones_like(fraction)]
    elif method == "linear":
        columns = [1.0 - fraction, fraction]
    elif method == "window":
        rise = 0.5 - 0.5 * np.cos(np.pi * fraction)
        columns = [1.0 - rise, rise]
    else:
        columns = [
            _keys(fraction + 1.0, slope),
            _keys(fraction, slope),
            _keys(1.0 - fraction, slope),
            _keys(2.0 - fraction, slope),
        ]
    return np.stack(columns, axis=-1).astype(np.float32)


def _keys(distance: npt.NDArray[np.float64], slope: float) -> npt.NDArray[np.float64]:
    d = np.abs(distance)
    near = (slope + 2.0) * d**3 - (slope + 3.0) * d**2 + 1.0
    far = slope * (d**3 - 5.0 * d**2 + 8.0 * d - 4.0)
    return np.where(d <= 1.0, near, np.where(d < 2.0, far, 0.0))


def _check(method: str) -> None:
    if method not in METHODS:
        raise ValueError(f"resampling knows {', '.join(METHODS)}, got {method!r}")


def _places(frames: int, count: int, method: str, endpoint: bool) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Whole and fractional place among the frames of each of `count` outputs; computed in integers, so that no edge moves."""
    i = np.arange(count)
    if endpoint:
        top, bottom = i * frames, count
    else:
        # the windows of a clip without its last hold divide the clip itself, the other methods the way to its last sample
        top, bottom = i * (frames - 1), count if method == "window" else max(count - 1, 1)
    if method == "nearest" and not endpoint:
        top, bottom = 2 * top + bottom, 2 * bottom
    whole = top // bottom
    return whole, (top - whole * bottom) / bottom


def resample(frames: Tensor, count: int, method: str = "linear", endpoint: bool = True, slope: float = CATMULL_ROM) -> Tensor:
    """Resample a whole clip of control frames.

    Args:
        frames: [batch, frames, …] float32.
        count: how many outputs.
        method: "nearest", "linear", "window" or "cubic".
        endpoint: the last frame is held for a further step, so that every frame has count / frames outputs and output 0 is frame
            0. Without, the outputs reach from the first frame to the last.
        slope: of the cubic at distance 1, −0.5 (Catmull–Rom, exact for parabolas) to −1.

    Returns:
        [batch, count, …]. Beyond the ends the first and last frame go on.

    Raises:
        ValueError: for a method that is none of these.
    """
    _check(method)
    total = int(frames.shape[1])
    whole, fraction = _places(total, count, method, endpoint)
    weights = _weights(method, fraction, slope)
    shape = [count] + [1] * (len(frames.shape) - 2)
    out: Tensor = 0.0
    for tap, offset in enumerate(range(-_BEFORE[method], _AFTER[method] + 1)):
        taken = tf.gather(frames, np.clip(whole + offset, 0, total - 1), axis=1)
        out += taken if method == "nearest" else taken * np.reshape(weights[:, tap], shape)
    return out


class Held(NamedTuple):
    """The frames that a resampler still needs, oldest first, [batch, taps − 1, channels]."""

    frames: Tensor


def start_upsampling(first: Tensor, method: str = "linear") -> Held:
    """As if the first frame [batch, channels] had always been there.

    Raises:
        ValueError: for an unknown method.
    """
    _check(method)
    return Held(tf.repeat(first[:, None], _BEFORE[method] + _AFTER[method], axis=1))


def upsampling_latency(factor: int, method: str = "linear") -> int:
    """Outputs by which `upsample` lags behind `resample` of the whole clip: a frame for linear and window, two for cubic."""
    _check(method)
    return _AFTER[method] * factor


def upsample(frames: Tensor, held: Held, factor: int, method: str = "linear", slope: float = CATMULL_ROM) -> tuple[Tensor, Held]:
    """Go on resampling by a whole factor, block by block.

    What comes out is `resample(…, endpoint=True)` of the stream so far, late by `upsampling_latency`: a frame must have arrived
    before the way to it can be gone.

    Args:
        frames: the block, [batch, frames, channels]. held: as `start_upsampling` made it or this returned it.
        factor: outputs a frame. method, slope: as for `resample`, the same at every call.

    Returns:
        [batch, frames · factor, channels], and the frames to hold.
    """
    taps = int(held.frames.shape[1]) + 1
    batch, count, channels = frames.shape
    stream = tf.concat([held.frames, frames], axis=1)
    weights = _weights(method, np.arange(factor) / factor, slope)  # [factor, taps]
    out: Tensor = 0.0
    for tap in range(taps):
        out += stream[:, tap : tap + count, None] * weights[:, tap, None]
    return tf.reshape(out, [batch, count * factor, channels]), Held(stream[:, count:])
