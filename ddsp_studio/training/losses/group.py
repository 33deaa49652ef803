"""Several losses as one: a named sum that tells its parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.training.losses.controls import HarmonicConsistencyLoss, NoiseConsistencyLoss
from ddsp_studio.training.losses.mismatch import TwoWayMismatchLoss
from ddsp_studio.training.losses.sinusoids import DensityConsistencyLoss, WassersteinConsistencyLoss
from ddsp_studio.training.losses.spectral import SpectralLoss
from ddsp_studio.training.losses.transcriber import TranscriptionLoss

AnyLoss = (
    SpectralLoss
    | NoiseConsistencyLoss
    | HarmonicConsistencyLoss
    | WassersteinConsistencyLoss
    | DensityConsistencyLoss
    | TwoWayMismatchLoss
    | TranscriptionLoss
)


class Term(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One loss of a group and the names of the values that it compares, in the order of its arguments."""

    loss: AnyLoss
    inputs: tuple[str, ...]


class LossGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Losses by name. Plain data: `to_data` and `from_data` take it to JSON and back."""

    terms: dict[str, Term]

    def parts(self, values: Mapping[str, Any]) -> dict[str, Tensor]:
        """Each term by name.

        Args:
            values: what the terms compare, by name: tensors, or a target's `Spectra` that were made before.

        Raises:
            ValueError: if a value that a term wants is missing.
        """
        found = {}
        for name, term in self.terms.items():
            missing = [wanted for wanted in term.inputs if wanted not in values]
            if missing:
                raise ValueError(f"the loss {name} compares {' and '.join(term.inputs)}, got no {missing[0]}")
            found[name] = term.loss(*(values[wanted] for wanted in term.inputs))
        return found

    def __call__(self, values: Mapping[str, Any]) -> tuple[Tensor, dict[str, Tensor]]:
        """The sum of the terms, and the terms; see `parts`."""
        found = self.parts(values)
        return (tf.add_n(list(found.values())) if found else tf.constant(0.0)), found

    def to_data(self) -> dict[str, Any]:
        """Dictionaries, lists, strings and numbers, as JSON knows them."""
        data: dict[str, Any] = msgspec.to_builtins(self)
        return data


def from_data(data: Any) -> LossGroup:
    """The group that `to_data` described.

    Raises:
        ValueError: one sentence, if it describes none.
    """
    try:
        return msgspec.convert(data, LossGroup)
    except (msgspec.ValidationError, TypeError) as error:
        raise ValueError(f"this is no description of losses: {error}") from error
