"""How far apart two tensors are, as one number."""

from __future__ import annotations

from typing import Literal

from ddsp_studio.dsp.tensor import Tensor, tf

Kind = Literal["L1", "L2", "cosine"]

_TINY = 1e-12


def mean_difference(target: Tensor, value: Tensor, kind: Kind = "L1", weights: Tensor | None = None) -> Tensor:
    """Mean difference of two tensors of equal shape.

    L1: |t − v|. L2: (t − v)². cosine: along the last axis, 1 − cos of the angle between t and v; it is taken as ½·|t/|t| −
        v/|v||², which is the
    same, and gives 0 for two silences and ½ for silence against sound.

    Args:
        target, value: any shape. kind: "L1", "L2" or "cosine".
        weights: for each element (for each row of the last axis with "cosine", whose axis they then lack or have as 1),
            broadcast.

    Returns:
        A number. Its gradient is finite everywhere.

    Raises:
        ValueError: for another kind.
    """
    if kind == "cosine":
        return _mean(
            0.5 * tf.reduce_sum(tf.square(_unit(target) - _unit(value)), axis=-1, keepdims=True), _row_weights(weights, target)
        )
    if kind == "L1":
        return _mean(tf.abs(target - value), weights)
    if kind == "L2":
        return _mean(tf.square(target - value), weights)
    raise ValueError(f'a difference is "L1", "L2" or "cosine", got {kind!r}')


def _mean(x: Tensor, weights: Tensor | None) -> Tensor:
    if weights is None:
        return tf.reduce_mean(x)
    held = tf.convert_to_tensor(weights, tf.float32)
    # what is weighed alike is summed before it is weighed: for one weight a clip the large tensor is touched once less
    lead = len(x.shape) - len(held.shape)
    alike = [axis for axis in range(len(x.shape)) if axis < lead or held.shape[axis - lead] == 1]
    return tf.reduce_mean(tf.reduce_mean(x, axis=alike, keepdims=True) * held)


def _row_weights(weights: Tensor | None, target: Tensor) -> Tensor | None:
    if weights is None:
        return None
    held = tf.convert_to_tensor(weights, tf.float32)
    if len(held.shape) == len(target.shape) - 1:
        return held[..., None]
    return held


def _unit(x: Tensor) -> Tensor:
    """The vector of length 1 along the last axis; 0 stays 0."""
    square = tf.reduce_sum(tf.square(x), axis=-1, keepdims=True)
    heard = square > _TINY
    return tf.where(heard, x * tf.math.rsqrt(tf.where(heard, square, 1.0)), 0.0)
