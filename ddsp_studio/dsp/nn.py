"""Networks as pure functions of tensors and weights: dense layers, a gated recurrent unit, causal convolutions.

Everything that does not depend on the frame before is computed for all frames at once, so that the recursion itself does as
little as it can. Kernels may be float32 or bfloat16: products are computed in a kernel's own precision, all else in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ddsp_studio.dsp.recurrence import UNROLL
from ddsp_studio.dsp.tensor import Tensor, tf

NORM_FLOOR = 1e-3
"""Added to the variance in `layer_norm`."""
LEAK = 0.2
"""Slope of the activation below zero."""
_STEPS = (10, 8, 5, 4, 3, 2, 1)
"""How many frames one round of the loop may take: the largest that divides the frames."""


def layer_norm(x: Tensor, gain: Tensor, shift: Tensor) -> Tensor:
    """Bring the last axis to mean 0 and variance 1, then scale and shift it (Ba, Kiros and Hinton, 2016)."""
    centred = x - tf.reduce_mean(x, axis=-1, keepdims=True)
    variance = tf.reduce_mean(centred * centred, axis=-1, keepdims=True)
    return centred * tf.math.rsqrt(variance + NORM_FLOOR) * gain + shift


class Layer(NamedTuple):
    """A dense layer: `kernel` [in, out], and `bias`, `gain` and `shift` [out]. A stack of several has one more axis in front."""

    kernel: Tensor
    bias: Tensor
    gain: Tensor
    shift: Tensor


def product(x: Tensor, kernel: Tensor) -> Tensor:
    """Matrix product [..., in]·[in, out] in the kernel's precision, as float32.

    bfloat16 has the range of float32, so that gradients need no scaling (Kalamkar et al., "A Study of BFLOAT16 for Deep Learning
    Training", 2019).
    """
    return tf.cast(tf.matmul(tf.cast(x, kernel.dtype), kernel), tf.float32)


def leaky(x: Tensor) -> Tensor:
    """Give x, or LEAK · x below zero: the activation of Engel et al."""
    return tf.nn.leaky_relu(x, LEAK)


def smooth(x: Tensor) -> Tensor:
    """Give x · σ(x), which has a slope everywhere (Elfwing, Uchibe and Doya, "Sigmoid-Weighted Linear Units", 2018)."""
    return tf.nn.silu(x)


def dense(x: Tensor, layer: Layer, bend: Callable[[Tensor], Tensor] = smooth) -> Tensor:
    """Multiply, normalise and bend: [..., in] to [..., out] (Engel et al., DDSP, ICLR 2020, appendix B, where `bend` is leaky).

    Of a stack of layers [n, in, out] each takes its own input [n, rows, in].
    """
    return bend(layer_norm(product(x, layer.kernel) + layer.bias, layer.gain, layer.shift))


class Gru(NamedTuple):
    """A gated recurrent unit of n units: `kernel` [in, 3n], `recurrent` [n, 3n], `bias` [2, 3n] (of the input, of the state).

    The thirds are the update gate, the reset gate and the candidate.
    """

    kernel: Tensor
    recurrent: Tensor
    bias: Tensor


def gru(x: Tensor, layer: Gru, state: Tensor) -> Tensor:
    """Every state of a gated recurrent unit whose reset gate acts on the recurrent product.

    z = σ(x·Wz + h·Uz + b), r = σ(x·Wr + h·Ur + b), c = tanh(x·Wc + b + r·(h·Uc + b')), h' = z·h + (1 − z)·c
    (Cho et al., 2014; in the form of Appleyard, Kočiský and Blunsom, "Optimizing Performance of Recurrent Neural Networks on
    GPUs", 2016). From more than 16 frames on, the gradient is written out: back through time runs only what depends on the frame
    after, and all products with inputs and weights are made at once.

    Args:
        x: [batch, frames, in]. state: before the first frame, [batch, n].

    Returns:
        [batch, frames, n].
    """
    units, frames = int(state.shape[1]), int(x.shape[1])
    # the biases of the gates may be added at once; that of the candidate's state is inside the reset
    gates, inner = layer.bias[1, : 2 * units], layer.bias[1, 2 * units :]
    driven = product(x, layer.kernel) + layer.bias[0] + tf.pad(gates, [[0, units]])
    if frames > UNROLL:
        return _long(driven, layer.recurrent, inner, state)
    states = []
    for i in range(frames):
        state = _step(driven[:, i], layer.recurrent, inner, state)
        states.append(state)
    return tf.stack(states, axis=1)


def _step(driven: Tensor, recurrent: Tensor, inner: Tensor, state: Tensor) -> Tensor:
    units = int(state.shape[1])
    turned = product(state, recurrent)
    gates = tf.sigmoid(driven[:, : 2 * units] + turned[:, : 2 * units])
    update, reset = gates[:, :units], gates[:, units:]
    candidate = tf.tanh(driven[:, 2 * units :] + reset * (turned[:, 2 * units :] + inner))
    return candidate + update * (state - candidate)


def _turned(x: Tensor) -> Tensor:
    return tf.transpose(x, [1, 0, 2])


def _long(driven: Tensor, recurrent: Tensor, inner: Tensor, state: Tensor) -> Tensor:
    """`gru` by a loop with a gradient of its own."""

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def run(driven: Tensor, recurrent: Tensor, inner: Tensor, state: Tensor) -> tuple[Tensor, object]:
        states = _loop(_turned(driven), recurrent, inner, state)

        def slopes(wanted: Tensor) -> tuple[Tensor, ...]:
            return _slopes(_turned(wanted), _turned(driven), recurrent, inner, tf.concat([state[None], states], axis=0))

        return _turned(states), slopes

    return run(driven, recurrent, inner, state)


def _at_once(frames: int) -> int:
    return next(steps for steps in _STEPS if frames % steps == 0)


def _loop(driven: Tensor, recurrent: Tensor, inner: Tensor, state: Tensor) -> Tensor:
    """Every state, [frames, batch, n], from driven [frames, batch, 3n]."""
    frames = int(driven.shape[0])
    steps = _at_once(frames)

    def body(i: Tensor, state: Tensor, states: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        for place in range(steps):
            state = _step(driven[i + place], recurrent, inner, state)
            states = states.write(i + place, state)
        return i + steps, state, states

    states = tf.TensorArray(tf.float32, size=frames, element_shape=state.shape)
    count = frames // steps
    *_, states = tf.while_loop(lambda i, *_: i < frames, body, (0, state, states), maximum_iterations=count)
    return tf.ensure_shape(states.stack(), [frames, *state.shape])


def _slopes(wanted: Tensor, driven: Tensor, recurrent: Tensor, inner: Tensor, states: Tensor) -> tuple[Tensor, ...]:
    """Gradients by driven, recurrent, inner and the first state. Everything but the last is [frames, batch, …].

    With p the slope by a state, the slopes by the three products are p·K, where K depends on the states only.
    """
    frames, units = int(driven.shape[0]), int(inner.shape[0])
    before = states[:-1]
    products = product(before, recurrent)
    gates = tf.sigmoid(driven[..., : 2 * units] + products[..., : 2 * units])
    update, reset = gates[..., :units], gates[..., units:]
    turned = products[..., 2 * units :] + inner
    candidate = tf.tanh(driven[..., 2 * units :] + reset * turned)
    by_candidate = (1.0 - update) * (1.0 - candidate * candidate)
    by_update = (before - candidate) * update * (1.0 - update)
    by_reset = by_candidate * turned * reset * (1.0 - reset)
    by_product = tf.concat([by_update, by_reset, by_candidate * reset], axis=-1)
    back = tf.transpose(recurrent)
    steps = _at_once(frames)

    def body(i: Tensor, later: Tensor, kept: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        for place in range(steps):
            at = frames - 1 - i - place
            slope = wanted[at] + later
            kept = kept.write(at, slope)
            later = slope * update[at] + product(tf.tile(slope, [1, 3]) * by_product[at], back)
        return i + steps, later, kept

    kept = tf.TensorArray(tf.float32, size=frames, element_shape=states.shape[1:])
    start = (0, tf.zeros_like(states[0]), kept)
    _, first, kept = tf.while_loop(lambda i, *_: i < frames, body, start, maximum_iterations=frames // steps)
    slope = tf.ensure_shape(kept.stack(), wanted.shape)
    by_products = tf.tile(slope, [1, 1, 3]) * by_product
    by_driven = tf.concat([by_products[..., : 2 * units], slope * by_candidate], axis=-1)
    one, other = (tf.cast(x, recurrent.dtype) for x in (before, by_products))
    by_recurrent = tf.tensordot(one, other, [[0, 1], [0, 1]])
    return _turned(by_driven), by_recurrent, tf.reduce_sum(by_products[..., 2 * units :], axis=[0, 1]), first


def causal_convolution(x: Tensor, kernel: Tensor, history: Tensor, dilation: int) -> Tensor:
    """A convolution over frames that hears the past only, its taps `dilation` frames apart (van den Oord et al., WaveNet, 2016).

    Args:
        x: [batch, frames, in]. kernel: of all taps, oldest first, [taps · in, out].
        history: the frames before, oldest first, [batch, (taps − 1) · dilation, in].

    Returns:
        [batch, frames, out].
    """
    frames, width = int(x.shape[1]), int(x.shape[2])
    line = tf.concat([history, x], axis=1)
    taps = int(kernel.shape[0]) // width
    return product(tf.concat([line[:, i * dilation : i * dilation + frames] for i in range(taps)], axis=2), kernel)
