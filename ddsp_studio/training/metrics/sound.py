"""How near a sound is to another in its spectra."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.training.losses.spectral import loss_at

_PIECE_S = 8.0
"""Sound that is compared at once, so that an hour of it takes no more memory than this."""


def spectral_distance(pairs: Iterable[tuple[Tensor, Tensor]], sample_rate: float) -> float:
    """Multi-scale distance of magnitudes and log-magnitudes, the mean over all sound.

    It is the loss that is trained with (`losses.spectral.loss_at`), over pieces of at most 8 s.

    Args:
        pairs: target and sound, [samples], of equal length and not empty. sample_rate: Hz.
    """
    loss = loss_at(sample_rate)
    found, weights = [], []
    for target, audio in pairs:
        count = max(1, -(-len(target) // round(_PIECE_S * sample_rate)))
        for pieces in zip(*(np.array_split(np.asarray(x, np.float32), count) for x in (target, audio)), strict=True):
            one, other = (tf.constant(piece[None]) for piece in pieces)
            found.append(float(loss(one, other)))
            weights.append(len(pieces[0]))
    return float(np.average(found, weights=weights))
