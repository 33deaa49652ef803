"""What the networks have in common: untrained weights, inputs in a network's own scale, and heads that drive controls."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.nn import Gru, Layer
from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.processors.declare import Head

Array = npt.NDArray[np.float32]
SIZES = ("tiny", "small", "full")
FRAME_MS = 4.0
"""A network's frame, at the rates at which that is a whole number of hops."""
PITCH = (64.0, 12.0)
"""Mean and deviation of the pitch in MIDI numbers, until a data set has been measured."""
LOUDNESS = (-35.0, 15.0)
"""Mean and deviation of the loudness in dB, until a data set has been measured."""
_HEAD_SCALE = 0.1
"""Deviation of an untrained head's logits: they play the drawn patch, nearly, and have a gradient."""


class Untrained:
    """Draws untrained weights, the same for the same name."""

    def __init__(self, name: str) -> None:
        """Seed by a node's name."""
        self._rng = np.random.default_rng(zlib.crc32(name.encode()))

    def dense(self, inputs: int, outputs: int, *, scale: float = 1.0) -> Array:
        """Uniform, of variance 2 / (inputs + outputs) (Glorot and Bengio, 2010)."""
        limit = scale * np.sqrt(6.0 / (inputs + outputs))
        return self._rng.uniform(-limit, limit, (inputs, outputs)).astype(np.float32)

    def layer(self, name: str, inputs: int, outputs: int, *, stack: int = 0) -> dict[str, Array]:
        """A `Layer` by name; a stack of several has one more axis in front.

        The biases of a layer for a single number are spread: a normalised layer without any hears the number's sign only.
        """
        kernels = [self.dense(inputs, outputs) for _ in range(max(stack, 1))]
        front = (stack,) if stack else ()
        shape = (*front, 1, outputs) if stack else (outputs,)
        return {
            f"{name}/kernel": np.stack(kernels) if stack else kernels[0],
            f"{name}/bias": self._rng.uniform(-1.0, 1.0, shape).astype(np.float32)
            if inputs == 1
            else np.zeros(shape, np.float32),
            f"{name}/gain": np.ones(shape, np.float32),
            f"{name}/shift": np.zeros(shape, np.float32),
        }

    def gru(self, name: str, inputs: int, units: int) -> dict[str, Array]:
        """A `Gru` by name, each third of its recurrent kernel orthogonal (Saxe et al., 2014)."""
        turns = [np.linalg.qr(self._rng.normal(size=(units, units)))[0] for _ in range(3)]
        return {
            f"{name}/kernel": self.dense(inputs, 3 * units),
            f"{name}/recurrent": np.concatenate(turns, axis=1).astype(np.float32),
            f"{name}/bias": np.zeros((2, 3 * units), np.float32),
        }

    def heads(self, name: str, inputs: int, heads: Iterable[Head]) -> dict[str, Array]:
        """A kernel and a bias for every head, named by its target."""
        held = {}
        for head in heads:
            kernel = self._rng.normal(0.0, _HEAD_SCALE / np.sqrt(inputs), (inputs, head.channels))
            held[f"{name}/{head.target}/kernel"] = kernel.astype(np.float32)
            held[f"{name}/{head.target}/bias"] = np.zeros(head.channels, np.float32)
        return held


def layer_of(weights: Mapping[str, Tensor], name: str) -> Layer:
    """The layer of that name."""
    return Layer(*(weights[f"{name}/{part}"] for part in Layer._fields))


def gru_of(weights: Mapping[str, Tensor], name: str) -> Gru:
    """The recurrent unit of that name."""
    return Gru(*(weights[f"{name}/{part}"] for part in Gru._fields))


def heads_of(weights: Mapping[str, Tensor], name: str, heads: Iterable[Head]) -> tuple[Tensor, Tensor]:
    """All heads as one: kernel [in, channels of all] and bias [channels of all]."""
    targets = [head.target for head in heads]
    if not targets:
        return tf.zeros([1, 0]), tf.zeros([0])
    return (
        tf.concat([weights[f"{name}/{target}/kernel"] for target in targets], axis=1),
        tf.concat([weights[f"{name}/{target}/bias"] for target in targets], axis=0),
    )


def width_of(heads: Iterable[Head]) -> int:
    """Channels of all heads."""
    return sum(head.channels for head in heads)


def parted(logits: Tensor, heads: tuple[Head, ...]) -> dict[str, Any]:
    """Logits of all heads [batch, hops, channels of all], by target."""
    if not heads:
        return {}
    pieces = tf.split(logits, [head.channels for head in heads], axis=2)
    return {head.target: piece for head, piece in zip(heads, pieces, strict=True)}


def midi_of(f0_hz: Tensor) -> Tensor:
    """Pitch in MIDI numbers, of frequencies above 0 Hz."""
    return 69.0 + (12.0 / np.log(2.0)) * tf.math.log(f0_hz / 440.0)
