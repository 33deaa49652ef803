"""One step of a training, compiled: sound, loss, gradient and Adam in one function.

Recurrent networks begin most clips with what they remember of the clip before, whichever that was: one that always began at
rest would learn how long ago that was, and play worse and worse in phrases that are longer than a clip.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.chunks import mean_at_once
from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.training.data.batches import Batch
from ddsp_studio.training.data.chance import uniform
from ddsp_studio.training.fitting import Fitting
from ddsp_studio.training.losses.spectral import SpectralLoss

Array = npt.NDArray[np.float32]
_KEEP, _KEEP_SQUARE, _TINY = 0.9, 0.999, 1e-8
_UNSURE = 0.2
"""Weight of a clip of whose pitch the tracker is not sure at all."""
_HEARD_DB = -60.0
_AT_REST = 0.2
"""Share of the clips that begin at rest, as the first note of a phrase does."""
_HIDDEN = "hidden/"


class Learned(NamedTuple):
    """All that a training has learned: weights, and Adam's means of gradients and of their squares, [size] each; steps done.

    `hidden`: what recurrent networks remember of the last clips, by node, [batch, units]; empty: nothing.
    """

    weights: Array
    mean: Array
    square: Array
    step: int
    hidden: Mapping[str, Array] = MappingProxyType({})


class Told(NamedTuple):
    """What a step tells: the loss, and the length of the gradient before it was clipped."""

    loss: float
    norm: float

    @property
    def sound(self) -> bool:
        """Whether both are numbers."""
        return bool(np.isfinite(self.loss) and np.isfinite(self.norm))


class Stepper:
    """Weights in training. A step that gives no numbers changes nothing. Thread rule: one thread at a time."""

    def __init__(
        self,
        fitting: Fitting,
        loss: SpectralLoss,
        clip_norm: float,
        start: Learned | None = None,
        *,
        rounded: bool = False,
        seed: int = 0,
    ) -> None:
        """Begin with the patch's own weights, or where a checkpoint ended.

        With `rounded` the products of the networks are computed in bfloat16; the weights and all else stay float32. `seed`
        decides which clips begin at rest.
        """
        # a resumed training must compute the same sums, whatever else was compiled in this process before
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})
        self._fitting, self._loss, self._clip_norm, self._rounded, self._seed = fitting, loss, clip_norm, rounded, seed
        nothing = np.zeros(fitting.size, np.float32)
        first = start or Learned(fitting.vector(), nothing, nothing, 0)
        self.step, self._hidden = first.step, dict(first.hidden)
        self._rows, self._rest = 0, dict[str, Array]()
        self._weights, self._mean, self._square = (tf.Variable(x, trainable=False) for x in first[:3])
        self._run = tf.function(self._update, autograph=False)

    def learn(self, batch: Batch, rate: float, at_once: int = 0) -> Told:
        """Go one step down the gradient of a batch, with the learning rate `rate`.

        Args:
            at_once: clips whose gradient is computed at once, a divisor of the batch: the step is the same and needs less memory.
                0 for all.

        Raises:
            tf.errors.ResourceExhaustedError: so many clips are too much for the memory.
        """
        pieces = _pieces({**batch, **self._remembered(len(batch["audio"]))}, at_once)
        loss, norm, after = self._run(pieces, tf.constant(rate, tf.float32), tf.constant(self.step + 1, tf.float32))
        told = Told(float(loss), float(norm))
        self._hidden = {name: np.concatenate(list(tensor.numpy())) for name, tensor in after.items()}
        self.step += 1
        return told

    def _remembered(self, rows: int) -> dict[str, Array]:
        """What networks begin the next clips with; it depends on the seed and the step which of them begin at rest."""
        if rows != self._rows:
            self._rows, self._rest = rows, {name: tensor.numpy() for name, tensor in self._fitting.at_rest(rows).items()}
        rest = self._rest
        at_rest = uniform(self._seed, "at rest", self.step * rows + np.arange(rows)) < _AT_REST
        held = {name: self._hidden.get(name, zeros) for name, zeros in rest.items()}
        held = {name: array if array.shape == rest[name].shape else rest[name] for name, array in held.items()}
        return {f"{_HIDDEN}{name}": np.where(at_rest[:, None], rest[name], array) for name, array in held.items()}

    def learned(self) -> Learned:
        """All that was learned, as arrays."""
        return Learned(self._weights.numpy(), self._mean.numpy(), self._square.numpy(), self.step, dict(self._hidden))

    def restore(self, learned: Learned) -> None:
        """Go back (or on) to what was learned at another time."""
        for variable, value in zip((self._weights, self._mean, self._square), learned[:3], strict=True):
            variable.assign(value)
        self.step, self._hidden = learned.step, dict(learned.hidden)

    def _distance(self, weights: Tensor, pieces: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss, and what networks remember of all pieces, [pieces, clips, units]."""
        names = [key.removeprefix(_HIDDEN) for key in pieces if key.startswith(_HIDDEN)]
        if pieces["audio"].shape[0] == 1:
            loss, after = self._of_piece(weights, {key: tensors[0] for key, tensors in pieces.items()})
            return loss, {name: tensor[None] for name, tensor in zip(names, after, strict=True)}
        loss, after = mean_at_once(self._of_piece, tf.convert_to_tensor(weights), pieces, len(names))
        return loss, dict(zip(names, after, strict=True))

    def _of_piece(self, weights: Tensor, batch: dict[str, Tensor]) -> tuple[Tensor, list[Tensor]]:
        hidden = {key.removeprefix(_HIDDEN): tensor for key, tensor in batch.items() if key.startswith(_HIDDEN)}
        sound, after = self._fitting.sound_after(hidden, weights, batch, rounded=self._rounded)
        late = self._fitting.latency
        target = batch["audio"][:, : sound.shape[1]]
        kept = int(sound.shape[1]) - late
        return self._loss(target[:, :kept], sound[:, late:], _trust(batch)), list(after.values())

    def _update(self, pieces: dict[str, Tensor], rate: Tensor, number: Tensor) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """Adam (Kingma and Ba, 2015) on a gradient that is clipped to a length."""
        with tf.GradientTape() as tape:
            tape.watch(self._weights)
            loss, after = self._distance(self._weights, pieces)
        slope = tape.gradient(loss, self._weights)
        norm = tf.norm(slope)
        good = tf.math.is_finite(norm) & tf.math.is_finite(loss)
        slope = tf.where(good, slope, 0.0) * tf.minimum(1.0, self._clip_norm / tf.where(good, norm + _TINY, 1.0))
        mean = _KEEP * self._mean + (1.0 - _KEEP) * slope
        square = _KEEP_SQUARE * self._square + (1.0 - _KEEP_SQUARE) * slope * slope
        way = mean / (1.0 - _KEEP**number) / (tf.sqrt(square / (1.0 - _KEEP_SQUARE**number)) + _TINY)
        self._weights.assign(tf.where(good, self._weights - rate * way, self._weights))
        self._mean.assign(tf.where(good, mean, self._mean))
        self._square.assign(tf.where(good, square, self._square))
        return loss, norm, after


def _pieces(batch: Batch, at_once: int) -> dict[str, Tensor]:
    """A batch as [pieces, clips, …]."""
    tensors = {key: tf.convert_to_tensor(value) for key, value in batch.items()}
    return {key: tf.reshape(x, [-1, at_once or int(x.shape[0]), *x.shape[1:]]) for key, x in tensors.items()}


def _trust(batch: dict[str, Tensor]) -> Tensor:
    """Weight of each clip, [batch, 1, 1]: how sure its pitch is where it is heard. A wrong octave teaches a wrong instrument."""
    heard = tf.cast(batch["loudness_db"] > _HEARD_DB, tf.float32)
    sure = tf.reduce_sum(heard * batch["confidence"], axis=1, keepdims=True) / (tf.reduce_sum(heard, axis=1, keepdims=True) + 1.0)
    return _UNSURE + (1.0 - _UNSURE) * sure
