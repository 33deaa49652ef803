"""The recorded cases of magenta/ddsp: one object each, read when asked for.

The recordings lie outside the repository: DDSP_STUDIO_REFERENCE names their folder, ../shared/reference is where they are
looked for. Its INDEX.json describes the layout.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ddsp_studio.dsp.tensor import tf

FOLDER = Path(os.environ.get("DDSP_STUDIO_REFERENCE", Path(__file__).parents[2].parent / "shared" / "reference"))
PRESENT = (FOLDER / "INDEX.json").is_file()
ABSENT = "the recordings of magenta/ddsp are not here (DDSP_STUDIO_REFERENCE)"

Outputs = Any
"""What an adapter returns: a tensor, a tuple (keys "0", "1" …), or a dict, whose nested keys are joined by "/"."""


@dataclass(frozen=True)
class Case:
    """One recorded call.

    `name` is the call without the package ("core.resample"), `case` its number ("c2"), `inputs` the tensors by argument, `kwargs`
    the other arguments, `ctor` those of the class. `out`, `truth` and `grads` are arrays by key; `weights` a list of arrays.
    """

    name: str
    case: str
    call: str
    inputs: dict[str, Any]
    kwargs: dict[str, Any]
    ctor: dict[str, Any]
    out: dict[str, np.ndarray]
    truth: np.ndarray | None
    cotangent: np.ndarray | None
    grads: dict[str, np.ndarray]
    weights: list[np.ndarray]
    rtol: float
    atol: float
    index: dict[str, Any] = field(repr=False)

    def replaced(self, **changes: Any) -> Case:
        """The same case with some of its fields changed."""
        return replace(self, **changes)


@functools.cache
def index() -> dict[tuple[str, str], dict[str, Any]]:
    """Every case that is recorded, by (name, case)."""
    if not PRESENT:
        return {}
    listed = json.loads((FOLDER / "INDEX.json").read_text(encoding="utf-8"))["cases"]
    return {(entry["name"], entry["case"]): entry for entry in listed}


def read(name: str, case: str) -> Case:
    """Read a case. Floating-point inputs come as float32 tensors, others as they are."""
    entry = index()[name, case]
    with np.load(FOLDER / entry.get("file", f"{name}.npz")) as held:
        parts = {key[len(case) + 1 :]: held[key] for key in held.files if key.startswith(f"{case}.")}

    def under(prefix: str) -> dict[str, np.ndarray]:
        named = {key[len(prefix) + 1 :]: value for key, value in parts.items() if key.startswith(f"{prefix}.")}
        return {"": parts[prefix], **named} if prefix in parts else named

    weights = under("weights")
    return Case(
        name=name,
        case=case,
        call=entry["call"],
        inputs={key: tf.constant(value) for key, value in under("in").items()},
        kwargs=dict(entry.get("kwargs") or {}),
        ctor=dict(entry.get("ctor_kwargs") or {}),
        out=under("out"),
        truth=parts.get("truth"),
        cotangent=parts.get("ct"),
        grads=under("grad"),
        weights=[weights[key] for key in sorted(weights, key=int)],
        rtol=float(entry["suggested_rtol"]),
        atol=float(entry["suggested_atol"]),
        index=entry,
    )


def flatten(outputs: Outputs) -> dict[str, Any]:
    """Outputs by key, as the recordings name them: one tensor has the key ""."""
    if isinstance(outputs, Mapping):
        flat = {}
        for key, value in outputs.items():
            for below, leaf in flatten(value).items():
                flat[f"{key}/{below}" if below else str(key)] = leaf
        return flat
    if isinstance(outputs, tuple):
        return {str(i): value for i, value in enumerate(outputs)}
    return {"": outputs}


Adapter = Callable[[Case], Outputs]


@dataclass(frozen=True)
class Difference:
    """A deliberate difference from the peer: in which cases, why, and what is right, by independent means.

    `truth` returns what our outputs must be, keyed as the peer's (keys left out are compared with the peer's). `gradients`
    returns what recorded gradients must be instead; where a difference has none, ours are held against finite differences.
    `rtol` and `atol` replace the suggested tolerances. `drift`: their error grows along the clip, and may not show in a short
    one.
    """

    reason: str
    truth: Callable[[Case], Any] = lambda case: {}
    when: Callable[[Case], bool] = lambda case: True
    gradients: Callable[[Case], dict[str, np.ndarray]] | None = None
    rtol: float | None = None
    atol: float | None = None
    drift: bool = False


def plain(function: Callable[..., Any]) -> Adapter:
    """Adapter for a function of ours that takes the very arguments of theirs."""
    return lambda case: function(**case.inputs, **case.kwargs)
