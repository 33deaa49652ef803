"""Recursive filters whose coefficients stand still, as a few matrix products: for tensors and for numpy arrays alike.

A cascade of sections is one linear system s′ = A·s + B·x, y = C·s + D·x. Unrolled over a hop it is a matrix that takes the hop's
samples to its outputs and to the change of s, and another that takes s before the hop to both (Burrus, "Block realization of
digital filters", 1972). The hops' states follow by the same trick over groups of hops. Matrices are made in float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.tensor import HOP, Tensor, tf

Matrix = npt.NDArray[np.float64]
Section = tuple[tuple[float, ...], tuple[float, ...]]
"""Numerator b₀, b₁ … and denominator 1, a₁ … of a section of any order, of equal length."""

_GROUP = 16
"""Hops whose states are found at once."""


def maths_of(x: Any) -> Any:
    """The module that works on x: numpy for arrays, TensorFlow for tensors."""
    return np if isinstance(x, np.ndarray) else tf


@dataclass(frozen=True, eq=False)
class FixedFilter:
    """A cascade of sections, unrolled over a hop.

    `order`: numbers in the state. `through`: [HOP, HOP + order], samples to outputs and to what they add to the state.
    `after`: [order, HOP], state before the hop to outputs. `step`: [order, order], state before the hop to state after it.
    All act on row vectors.
    """

    order: int
    through: Matrix
    after: Matrix
    step: Matrix

    def start(self, batch: int) -> Tensor:
        """The state in silence, [batch, order]."""
        return tf.zeros([batch, self.order])


def _run(sections: tuple[Section, ...], state: Matrix, x: float) -> tuple[Matrix, float]:
    """One sample through the cascade, each section in the transposed second direct form."""
    after, first = np.zeros_like(state), 0
    for b, a in sections:
        order = len(b) - 1
        held = np.append(state[first : first + order], 0.0)
        y = b[0] * x + held[0]
        after[first : first + order] = [b[i] * x - a[i] * y + held[i] for i in range(1, order + 1)]
        first, x = first + order, y
    return after, x


def unroll(sections: tuple[Section, ...]) -> FixedFilter:
    """Make the matrices of a cascade of sections."""
    order = sum(len(b) - 1 for b, _ in sections)
    columns = [_run(sections, row, 0.0) for row in np.eye(order)]
    a, c = np.array([column[0] for column in columns]), np.array([column[1] for column in columns])
    b, d = _run(sections, np.zeros(order), 1.0)
    powers = [np.eye(order)]
    for _ in range(HOP):
        powers.append(powers[-1] @ a)
    response = np.array([d] + [b @ powers[n] @ c for n in range(HOP - 1)])
    through = np.zeros((HOP, HOP + order))
    for n in range(HOP):
        through[n, n:HOP] = response[: HOP - n]
        through[n, HOP:] = b @ powers[HOP - 1 - n]
    return FixedFilter(order, through, np.stack([powers[n] @ c for n in range(HOP)], axis=1), powers[HOP])


def apply(design: FixedFilter, audio: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    """Filter the next block of a stream.

    Args:
        design: of `unroll`. audio: [batch, samples], whole hops. state: before the block, [batch, order].

    Returns:
        Filtered hops [batch, hops, HOP], and the state after the block.
    """
    m, kind = maths_of(audio), audio.dtype if isinstance(audio, np.ndarray) else np.float32
    batch = int(audio.shape[0])
    both = m.tensordot(m.reshape(audio, [batch, -1, HOP]), design.through.astype(kind), 1)
    states, end = _states(both[..., HOP:], state, design.step)
    return both[..., :HOP] + m.tensordot(states, design.after.astype(kind), 1), end


def _states(added: Tensor, state: Tensor, step: Matrix) -> tuple[Tensor, Tensor]:
    """States before each row m, s[m + 1] = s[m]·step + added[m]: [batch, rows, order], and after the last."""
    m, kind = maths_of(added), added.dtype if isinstance(added, np.ndarray) else np.float32
    batch, rows, order = (int(n) for n in added.shape)
    if rows <= _GROUP:
        from_added, from_state = (x.astype(kind) for x in _unrolled(step, rows))
        flat = m.reshape(added, [batch, rows * order])
        found = m.reshape(m.matmul(flat, from_added) + m.matmul(state, from_state), [batch, rows + 1, order])
        return found[:, :-1], found[:, -1]
    whole = rows // _GROUP * _GROUP
    from_added, from_state = (x.astype(kind) for x in _unrolled(step, _GROUP))
    grouped = m.reshape(added[:, :whole], [batch, whole // _GROUP, _GROUP * order])
    within = m.tensordot(grouped, from_added, 1)
    befores, end = _states(within[..., _GROUP * order :], state, np.linalg.matrix_power(step, _GROUP))
    found = within + m.tensordot(befores, from_state, 1)
    states = m.reshape(found[..., : _GROUP * order], [batch, whole, order])
    if whole == rows:
        return states, end
    rest, end = _states(added[:, whole:], end, step)
    return m.concat([states, rest], axis=1), end


def _unrolled(step: Matrix, rows: int) -> tuple[Matrix, Matrix]:
    """Matrices from all additions, and from the state before, to the states before and after each row.

    Their shapes are [rows·order, (rows + 1)·order] and [order, (rows + 1)·order].
    """
    order = step.shape[0]
    powers = [np.eye(order)]
    for _ in range(rows):
        powers.append(powers[-1] @ step)
    from_added = np.zeros((rows, order, rows + 1, order))
    for i in range(rows):
        for j in range(i + 1, rows + 1):
            from_added[i, :, j] = powers[j - 1 - i]
    return from_added.reshape(rows * order, -1), np.concatenate(powers, axis=1)
