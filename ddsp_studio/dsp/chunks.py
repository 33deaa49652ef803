"""Long clips in little memory: a function over pieces of time whose gradient computes each piece again instead of keeping it.

Griewank and Walther, "Revolve" (2000), in its simplest form: every piece is a checkpoint. A piece also fits the processor's
cache, which is worth more than what is computed twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ddsp_studio.dsp.tensor import Tensor, tf

CHUNK = 50
"""Hops of a piece: 3200 samples. Clips of up to two pieces are done at once."""
_PARALLEL = 2


def over_chunks(function: Callable[..., Tensor], hops: int, *inputs: Tensor) -> Tensor:
    """`function(*inputs)` of tensors [batch, hops or hops + 1, …] to one [batch, hops, …], done piece by piece where it is long.

    Args:
        function: pure, and without a memory from hop to hop. An input with hops + 1 rows gives each piece the row before it too.
        hops: of the clip. inputs: batch may differ among them.
    """
    count = hops // CHUNK
    if count < 2:
        return function(*inputs)
    body = count * CHUNK
    pieces = tuple(_pieces(x, count, int(x.shape[1]) - hops) for x in inputs)
    out = _again_in_the_gradient(function, pieces)
    whole = tf.reshape(tf.transpose(out, [1, 0, *range(2, len(out.shape))]), [out.shape[1], body, *out.shape[3:]])
    return whole if body == hops else tf.concat([whole, function(*(x[:, body:] for x in inputs))], axis=1)


def _pieces(x: Tensor, count: int, more: int) -> Tensor:
    """[batch, hops + more, …] as [pieces, batch, CHUNK + more, …]."""
    if more == 0:
        cut = tf.reshape(x[:, : count * CHUNK], [x.shape[0], count, CHUNK, *x.shape[2:]])
        return tf.transpose(cut, [1, 0, *range(2, len(cut.shape))])
    return tf.stack([x[:, i * CHUNK : (i + 1) * CHUNK + more] for i in range(count)])


def _again_in_the_gradient(function: Callable[..., Tensor], pieces: Sequence[Tensor]) -> Tensor:
    """Map over the first axis; the gradient maps as well, and runs the function again in each step."""

    def run(*held: Tensor) -> tuple[Tensor, Any]:
        def back(slope: Tensor) -> tuple[Tensor, ...]:
            def one(step: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
                *x, weight = step
                with tf.GradientTape() as tape:
                    tape.watch(x)
                    y = function(*x)
                slopes = tape.gradient(y, x, output_gradients=weight, unconnected_gradients=tf.UnconnectedGradients.ZERO)
                return tuple(slopes)

            signature = tuple(tf.TensorSpec(x.shape[1:], x.dtype) for x in held)
            slopes = tf.map_fn(one, (*held, slope), fn_output_signature=signature, parallel_iterations=_PARALLEL)
            return tuple(slopes)

        first = tf.map_fn(lambda x: function(*x), held, fn_output_signature=tf.float32, parallel_iterations=_PARALLEL)
        return first, back

    return tf.custom_gradient(run)(*pieces)


def mean_at_once(
    loss: Callable[..., tuple[Tensor, Sequence[Tensor]]], x: Tensor, pieces: Any, left: int = 0
) -> tuple[Tensor, list[Tensor]]:
    """The mean of what `loss(x, piece)` says, one piece after the other with its gradient by `x`.

    The memory is that of one piece, however many there are. No gradient flows to the pieces.

    Args:
        loss: gives a number, and `left` float32 tensors that are left. x: what the gradient goes to.
        pieces: tensors [pieces, …], nested as `loss` takes them.

    Returns:
        The mean, and what is left of all pieces, [pieces, …] each; no gradient flows through that.
    """
    count = int(tf.nest.flatten(pieces)[0].shape[0])

    def run(x: Tensor) -> tuple[Any, Any]:
        def one(i: Tensor, total: Tensor, slope: Tensor, *kept: Any) -> tuple[Any, ...]:
            with tf.GradientTape() as tape:
                held = tf.identity(x)
                tape.watch(held)
                number, after = loss(held, tf.nest.map_structure(lambda tensors: tensors[i], pieces))
            kept = tuple(array.write(i, tensor) for array, tensor in zip(kept, after, strict=True))
            return i + 1, total + number / count, slope + tape.gradient(number, held) / count, *kept

        start = (0, tf.zeros([]), tf.zeros_like(x), *(tf.TensorArray(tf.float32, count) for _ in range(left)))
        _, total, slope, *kept = tf.while_loop(
            lambda i, *_: i < count, one, start, parallel_iterations=1, maximum_iterations=count
        )
        return (total, *(array.stack() for array in kept)), lambda weight, *_: weight * slope

    mean, *after = tf.custom_gradient(run)(x)
    return mean, after


def sum_at_once(losses: Sequence[Callable[[Tensor], Tensor]], x: Tensor) -> Tensor:
    """The sum of `loss(x)`, each a number, one after the other with its gradient by `x`.

    What lies between `x` and a number is gone before the next is begun, instead of being kept until the gradient's turn.
    """

    def run(x: Tensor) -> tuple[Tensor, Any]:
        total, slope = tf.zeros([]), tf.zeros_like(x)
        for loss in losses:
            with tf.control_dependencies([slope]), tf.GradientTape() as tape:
                held = tf.identity(x)
                tape.watch(held)
                number = loss(held)
                found = tape.gradient(number, held)
            total, slope = total + number, slope + found
        return total, lambda weight: weight * slope

    return tf.custom_gradient(run)(x)
