"""Play a sound through one effect: what the tests of the effects share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.tensor import HOP, tf
from ddsp_studio.processors.catalogue import processor_types

RATE = 48_000
Array = npt.NDArray[np.float64]


def play(
    name: str,
    audio: npt.ArrayLike,
    *,
    sample_rate: float = RATE,
    stereo: bool = False,
    options: dict[str, Any] | None = None,
    blocks: Sequence[int] = (),
    inlets: dict[str, Array] | None = None,
    **controls: Any,
) -> Array:
    """What an effect makes of audio [samples] or [batch, samples], cut to whole hops; of the same shape.

    A control is a number, or an array of values [hops] or [channels]. `blocks` are sizes in hops.
    """
    x = np.atleast_2d(np.asarray(audio, np.float32))
    hops = x.shape[1] // HOP
    processor = processor_types()[name](sample_rate, stereo=stereo, **(options or {}))
    inputs = {"input": x[:, : hops * HOP], **{k: np.atleast_2d(v)[:, : hops * HOP] for k, v in (inlets or {}).items()}}
    for control, value in controls.items():
        value = np.asarray(value, np.float32)
        frames = value[:, None] if value.shape == (hops,) and processor.channels(control) == 1 else value
        inputs[control] = np.broadcast_to(frames, (1, hops, processor.channels(control)))
    state, begin, pieces = processor.start(x.shape[0]), 0, []
    for size in blocks or [hops]:
        block = {}
        for port, value in inputs.items():
            scale = HOP if value.ndim == 2 else 1
            block[port] = tf.constant(value[:, begin * scale : (begin + size) * scale], tf.float32)
        outputs, state = processor.process(state, block)
        pieces.append(outputs["audio"].numpy())
        begin += size
    out = np.concatenate(pieces, axis=1).astype(np.float64)
    return out if np.ndim(audio) == 2 else out[0]


def sine(hertz: float, seconds: float, rate: float = RATE, amplitude: float = 1.0) -> Array:
    """A sine from phase zero, a whole number of hops long."""
    count = int(seconds * rate) // HOP * HOP
    return amplitude * np.sin(2.0 * np.pi * hertz / rate * np.arange(count))


def impulse(seconds: float, rate: float = RATE, at: int = 0) -> Array:
    """One sample of 1."""
    out = np.zeros(int(seconds * rate) // HOP * HOP)
    out[at] = 1.0
    return out


def db(x: Any) -> Any:
    """Decibels of an amplitude."""
    return 20.0 * np.log10(np.maximum(np.abs(x), 1e-12))
