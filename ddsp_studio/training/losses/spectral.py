"""The multi-scale spectral loss: how two sounds differ in magnitude spectra of several sizes, phase left aside."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from ddsp_studio.dsp.chunks import sum_at_once
from ddsp_studio.dsp.loudness import loudness
from ddsp_studio.dsp.spectral import magnitude
from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.training.losses.base import Loss
from ddsp_studio.training.losses.differences import Kind, mean_difference

LOG_FLOOR = 1e-5
"""Magnitudes below this count as this in logarithms."""


_VIEWS: dict[str, Callable[[Tensor], Tensor]] = {
    "magnitude": lambda x: x,
    "delta_time": lambda x: x[:, 1:] - x[:, :-1],
    "delta_frequency": lambda x: x[..., 1:] - x[..., :-1],
    "cumulative_frequency": lambda x: tf.cumsum(x, axis=-1),
}
"""What a term compares, from magnitudes [batch, frames, bins], by the field that weighs it."""


class Spectra(NamedTuple):
    """What a loss keeps of a sound.

    `magnitudes`: one [batch, frames, bins] a size. `loudness_db`: [batch, frames]. () stands for what is not asked for.
    """

    magnitudes: tuple[Tensor, ...]
    loudness_db: Tensor


class SpectralLoss(Loss, frozen=True, tag=True):
    """Multi-scale spectral loss (Engel et al., "DDSP: Differentiable Digital Signal Processing", 2020, section 4.2.1).

    The sum over sizes of weighted mean differences of Hann-windowed magnitudes |X|, steps of a quarter of the size, and of what
    follows from them.

    - `magnitude`: |X|, which hears the loud. `log_magnitude`: ln |X| (not under LOG_FLOOR), which hears the quiet as well.
    - `delta_time`, `delta_frequency`: first differences of |X| from frame to frame, from bin to bin: onsets; edges of harmonics.
    - `cumulative_frequency`: running sums of |X| over bins, which pull two partials together that do not overlap.
    - `loudness`: A-weighted level in dB (`dsp.loudness`), once and not for each size.

    A term of weight 0 costs nothing. `sample_rate` is needed for the loudness only. All terms know L1, L2 and cosine.
    """

    sizes: tuple[int, ...] = (2048, 1024, 512, 256, 128, 64)
    kind: Kind = "L1"
    magnitude: float = 1.0
    log_magnitude: float = 1.0
    delta_time: float = 0.0
    delta_frequency: float = 0.0
    cumulative_frequency: float = 0.0
    loudness: float = 0.0
    sample_rate: float = 16_000.0

    def __post_init__(self) -> None:
        """Refuse sizes that have no quarter."""
        for size in self.sizes:
            if size < 4 or size % 4:
                raise ValueError(f"the sizes of a spectral loss are multiples of 4 samples, got {size}")

    def __call__(self, target: Tensor | Spectra, audio: Tensor, weights: Tensor | None = None) -> Tensor:
        """Compare two sounds [batch, samples]: a number. No gradient flows to the target.

        Args:
            target: [batch, samples], or its `spectra`. audio: [batch, samples].
            weights: of the differences, broadcast to [batch, frames, bins] of every size: a number, [batch, 1, 1], …
        """
        if isinstance(target, Spectra):
            return self.compare(target, audio, weights)
        return self._sum(audio, weights, lambda i: magnitude(target, self.sizes[i]), lambda: loudness(target, self.sample_rate))

    def spectra(self, audio: Tensor) -> Spectra:
        """What the loss needs of a sound [batch, samples]. For a target it may be made once and kept."""
        magnitudes = tuple(magnitude(audio, size) for size in self.sizes) if self._needs_spectra else ()
        return Spectra(magnitudes, loudness(audio, self.sample_rate) if self.loudness else ())

    @property
    def _needs_spectra(self) -> bool:
        return any((self.magnitude, self.log_magnitude, self.delta_time, self.delta_frequency, self.cumulative_frequency))

    def compare(self, target: Spectra, audio: Tensor, weights: Tensor | None = None) -> Tensor:
        """Compare audio [batch, samples] with the spectra of a target: a number.

        Args:
            target: of `spectra`. audio: [batch, samples].
            weights: of the differences, broadcast to [batch, frames, bins] of every size: a number, [batch, 1, 1], …
        """
        return self._sum(audio, weights, lambda i: target.magnitudes[i], lambda: target.loudness_db)

    def _sum(
        self, audio: Tensor, weights: Tensor | None, magnitudes: Callable[[int], Tensor], level: Callable[[], Tensor]
    ) -> Tensor:
        """All terms, one size after the other, each with its gradient at once: the memory is that of one size."""
        parts = [partial(self._size, i, magnitudes, weights) for i in range(len(self.sizes))] if self._needs_spectra else []
        parts += [partial(self._level, level, weights)] if self.loudness else []
        return self.weight * sum_at_once(parts, audio)

    def _size(self, i: int, magnitudes: Callable[[int], Tensor], weights: Tensor | None, audio: Tensor) -> Tensor:
        return self._scale(tf.stop_gradient(magnitudes(i)), magnitude(audio, self.sizes[i]), weights)

    def _level(self, level: Callable[[], Tensor], weights: Tensor | None, audio: Tensor) -> Tensor:
        flat = weights if weights is None else tf.reshape(weights, [-1, 1])
        found = loudness(audio, self.sample_rate)
        return self.loudness * mean_difference(tf.stop_gradient(level()), found, self.kind, flat)

    def _scale(self, target: Tensor, value: Tensor, weights: Tensor | None) -> Tensor:
        """The terms of one size."""
        terms = [
            getattr(self, name) * mean_difference(view(target), view(value), self.kind, weights)
            for name, view in _VIEWS.items()
            if getattr(self, name)
        ]
        if self.log_magnitude:
            terms.append(self.log_magnitude * mean_difference(*self._logarithms(target, value), self.kind, weights))
        return tf.add_n(terms)

    def _logarithms(self, target: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        if self.kind == "cosine":
            return tf.math.log(tf.maximum(target, LOG_FLOOR)), tf.math.log(tf.maximum(value, LOG_FLOOR))
        return tf.zeros([]), _log_ratio(target, value)


def loss_at(sample_rate: float) -> SpectralLoss:
    """What trainings and scores measure by: the default loss, its windows as long in seconds at every rate as at 16 kHz.

    Sizes stay powers of two: at 44.1 kHz they are doubled, at 48 kHz four times as large.
    """
    scale = 2.0 ** round(math.log2(sample_rate / SpectralLoss().sample_rate))
    return SpectralLoss(sizes=tuple(int(size * scale) for size in SpectralLoss().sizes))


def _log_ratio(target: Tensor, value: Tensor) -> Tensor:
    """Logarithm of value over target, both held at or above LOG_FLOOR: one logarithm for two, and a slope of one division.

    No gradient flows to the target.
    """

    def take(x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        held = tf.maximum(x, LOG_FLOOR)

        def back(slope: Tensor) -> Tensor:
            return tf.where(x >= LOG_FLOOR, slope / held, 0.0)

        return tf.math.log(held / tf.maximum(target, LOG_FLOOR)), back

    return tf.custom_gradient(take)(value)
