"""Fitting one player's loudness to another's, quantile to quantile, and smoothing, for timbre transfer; in numpy.

As in the DDSP paper (Engel et al. 2020), a new sound's loudness is brought to the distribution that a model learnt from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Quantiles:
    """The distribution of some values, as the values at equally spaced quantiles.

    Attributes:
        values: rising, [quantiles, channels]; the first is the minimum, the last the maximum.
    """

    values: Array

    @classmethod
    def of(cls, values: npt.ArrayLike, count: int = 1000) -> Quantiles:
        """Describe values [n] or [n, channels] by `count` quantiles, at most as many as there are values.

        Raises:
            ValueError: no values, or fewer than two quantiles.
        """
        table = _table(values)
        if not len(table) or count < 2:
            raise ValueError(f"quantiles are taken of values, got {count} of {len(table)}")
        shares = np.linspace(0.0, 1.0, min(count, max(2, len(table))))
        # rounding may set a quantile a hair under the one before
        return cls(np.maximum.accumulate(np.quantile(table, shares, axis=0), axis=0))

    def to_shares(self, values: npt.ArrayLike) -> Array:
        """The share 0..1 of the distribution that lies below each value, shaped as the values.

        Values that the distribution holds often have a range of shares: the middle of it is meant. Beyond its ends it is 0 or 1.
        """
        shares = np.linspace(0.0, 1.0, len(self.values))
        table = _table(values)
        out = np.empty_like(table)
        for channel, known in enumerate(self.values.T):
            x = table[:, channel]
            from_left = np.interp(x, known, shares)
            from_right = 1.0 - np.interp(-x, -known[::-1], shares)
            out[:, channel] = np.where(x <= known[0], 0.0, np.where(x >= known[-1], 1.0, 0.5 * (from_left + from_right)))
        return out.reshape(np.shape(values))

    def from_shares(self, shares: npt.ArrayLike) -> Array:
        """The values below which such shares (0..1) of the distribution lie, shaped as the shares."""
        known = np.linspace(0.0, 1.0, len(self.values))
        table = _table(shares)
        columns = [np.interp(table[:, c], known, self.values[:, c]) for c in range(table.shape[1])]
        return np.stack(columns, axis=1).reshape(np.shape(shares))


def _table(values: npt.ArrayLike) -> Array:
    array = np.asarray(values, np.float64)
    return array[:, None] if array.ndim == 1 else array


def smooth(frames: npt.ArrayLike, size: int = 3) -> Array:
    """Mean of `size` frames about each frame, [batch, frames]; at the ends of those that there are.

    Frame m sees (size − 1) // 2 frames before it and size // 2 behind it.

    Raises:
        ValueError: a size under 1.
    """
    if size < 1:
        raise ValueError(f"a mean is taken over one frame or more, got {size}")
    table = np.asarray(frames, np.float64)
    count = table.shape[1]
    total = np.cumsum(np.pad(table, [(0, 0), (1, 0)]), axis=1)
    place = np.arange(count)
    first, last = np.maximum(place - (size - 1) // 2, 0), np.minimum(place + size // 2 + 1, count)
    return np.asarray((total[:, last] - total[:, first]) / (last - first))
