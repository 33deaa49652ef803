"""Playing whole phrases by their features, block by block: as long as they like, in the memory of one block."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.tensor import HOP, Tensor, tf
from ddsp_studio.processors.free_clock import free_clock
from ddsp_studio.training.fitting import SOUNDING_DB, Before, Fitting
from ddsp_studio.training.statistics import FLOOR_DB

Array = npt.NDArray[np.float32]
_BLOCK_FRAMES = 250


class Playing:
    """A fitting that plays phrases; what was compiled is kept for the next ones. Thread rule: one thread at a time."""

    def __init__(self, fitting: Fitting) -> None:
        """Play what a fitting plays."""
        self.fitting = fitting
        self._hops = _BLOCK_FRAMES * fitting.period
        self._length = self._hops * HOP
        self._derive = tf.function(lambda vector: fitting.group.derive(fitting.weights(vector)), autograph=False)
        self._block = tf.function(self._go_on, autograph=False)

    def _go_on(self, state: Any, derived: Any, features: dict[str, Tensor], before: Before, clock: Tensor) -> Any:
        return self.fitting.go_on(state, derived, features, self._hops, before, clock)

    def sound(
        self, vector: Array, features: Mapping[str, Array], samples: int, progress: Callable[[float], None] | None = None
    ) -> Array:
        """What weights play for features, from silence on, latency taken out, [rows, samples].

        Args:
            vector: trained weights, [size].
            features: "f0_hz" (no zeros), "confidence" and "loudness_db", [rows, frames, 1], frame m at sample (m + 1)·period;
            "audio" for encoders, [rows, samples]; after their end pitch holds, and all else is silent.
            samples: how many. progress: called with 0..1.
        """
        late, rows = self.fitting.latency, len(features["f0_hz"])
        blocks = -(-(samples + late) // self._length)
        frames = blocks * _BLOCK_FRAMES
        f0_hz = _as_long(features["f0_hz"], frames, mode="edge")
        loudness = _as_long(features["loudness_db"], frames, constant_values=FLOOR_DB)
        confidence = _as_long(features["confidence"], frames)
        audio = _as_long(features["audio"], blocks * self._length)
        derived, state, parts = self._derive(tf.constant(vector)), self.fitting.group.start(rows), []
        for number in range(blocks):
            first, last = number * _BLOCK_FRAMES, (number + 1) * _BLOCK_FRAMES
            block = {
                "f0_hz": tf.constant(f0_hz[:, first:last]),
                "loudness_db": tf.constant(loudness[:, first:last]),
                "confidence": tf.constant(confidence[:, first:last]),
                "audio": tf.constant(audio[:, number * self._length : (number + 1) * self._length]),
            }
            clock = tf.constant(free_clock(number * self._hops, self._hops, self.fitting.sample_rate))
            out, state = self._block(state, derived, block, _before(f0_hz, loudness, first), clock)
            parts.append(out.numpy())
            if progress:
                progress((number + 1) / blocks)
        played: Array = np.concatenate(parts, axis=1)[:, late : late + samples]
        return played


def _as_long(array: Array, count: int, **how: Any) -> Array:
    """An array whose second axis is cut or padded to a length."""
    missing = max(0, count - array.shape[1])
    padded = np.pad(array, [(0, 0), (0, missing), *[(0, 0)] * (array.ndim - 2)], **how)
    return np.asarray(padded[:, :count], np.float32)


def _before(f0_hz: Array, loudness_db: Array, first: int) -> Before:
    """The frame before number `first`; before all of them no key is down."""
    frame = slice(max(0, first - 1), max(0, first - 1) + 1)
    down = (loudness_db[:, frame] > SOUNDING_DB) & (first > 0)
    return Before(*(tf.constant(value, tf.float32) for value in (f0_hz[:, frame], loudness_db[:, frame], down)))
