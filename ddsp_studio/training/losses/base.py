"""A loss is plain data, a name and numbers, that can be written as JSON and called."""

from __future__ import annotations

from typing import Any

import msgspec

from ddsp_studio.dsp.tensor import Tensor


class Loss(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="loss"):
    """What all losses are. In JSON the class name stands under "loss", beside the fields that differ from their defaults.

    `weight` multiplies the result.
    """

    weight: float = 1.0

    def __call__(self, *inputs: Any) -> Tensor:
        """A number, at least 0 unless said otherwise, with a finite gradient."""
        raise NotImplementedError
