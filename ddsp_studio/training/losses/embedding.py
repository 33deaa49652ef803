"""Losses between what a model hears in two sounds: any model, under a name."""

from __future__ import annotations

from collections.abc import Callable

from ddsp_studio.dsp.mel import log_mel_spectrum, mfcc
from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.training.losses.base import Loss
from ddsp_studio.training.losses.differences import Kind, mean_difference

Model = Callable[[Tensor, float], Tensor]
"""From audio [batch, samples] and its rate in Hz to embeddings, [batch, …], differentiable."""

MODELS: dict[str, Model] = {}
"""The models by name. A module that brings one enters it here with `register`."""


def register(name: str, model: Model) -> None:
    """Make a model known under a name, which a training's configuration may then use.

    Raises:
        ValueError: if the name is taken by another model.
    """
    if MODELS.setdefault(name, model) is not model:
        raise ValueError(f"there is an embedding called {name!r} already")


def mfcc_frames(audio: Tensor, sample_rate: float) -> Tensor:
    """Thirty mel-frequency cepstral coefficients a frame of about 64 ms: timbre as it moves, [batch, frames, 30]."""
    return mfcc(audio, sample_rate, coefficients=30, size=_frame_size(sample_rate))


def timbre_statistics(audio: Tensor, sample_rate: float) -> Tensor:
    """Mean, deviation and mean rise of 64 log-mel bands over a whole clip: timbre wherever the notes are, [batch, 192]."""
    bands = log_mel_spectrum(audio, sample_rate, bands=64, size=_frame_size(sample_rate))
    mean = tf.reduce_mean(bands, axis=1)
    square = tf.reduce_mean(tf.square(bands - mean[:, None]), axis=1)
    rise = tf.reduce_mean(tf.abs(bands[:, 1:] - bands[:, :-1]), axis=1)
    return tf.concat([mean, tf.sqrt(square + 1e-6), rise], axis=-1)


def _frame_size(sample_rate: float) -> int:
    """The power of two nearest to 64 ms in ratio."""
    return 1 << round(0.064 * sample_rate - 1).bit_length()


register("mfcc", mfcc_frames)
register("timbre-statistics", timbre_statistics)


class EmbeddingLoss(Loss, frozen=True, tag=True):
    """Mean difference of the embeddings of two sounds: what they are like rather than what they are.

    `model`: "mfcc", "timbre-statistics", or a name that was registered. `sample_rate`: Hz.
    """

    model: str = "mfcc"
    kind: Kind = "L1"
    sample_rate: float = 16_000.0

    def __call__(self, target_audio: Tensor, audio: Tensor) -> Tensor:
        """Compare two sounds [batch, samples]: a number. No gradient flows to the target.

        Raises:
            ValueError: if no model has that name.
        """
        if self.model not in MODELS:
            raise ValueError(f"an embedding is one of {', '.join(sorted(MODELS))}, got {self.model!r}")
        hears = MODELS[self.model]
        target = tf.stop_gradient(hears(target_audio, self.sample_rate))
        return self.weight * mean_difference(target, hears(audio, self.sample_rate), self.kind)
