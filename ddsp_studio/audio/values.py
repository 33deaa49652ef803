"""The values of a patch by name, as the engine moves them, and a patch with its values moved.

Thread rule: pure functions on immutable data.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from ddsp_studio.processors.check import spec_of, values_of
from ddsp_studio.processors.patch import Patch, PatchError


def patch_values(patch: Patch) -> dict[str, tuple[float, ...]]:
    """Every control ("node.control") and modulation amount ("node.port->node.control") of a patch, in real units."""
    found = {f"{name}.{key}": held for name, node in patch.nodes.items() for key, held in values_of(node, name).items()}
    for cable in patch.cables:
        if cable.amount is not None:
            found[f"{cable.source}->{cable.target}"] = (cable.amount,)
    return found


def check_value(patch: Patch, node: str, control: str, values: tuple[float, ...]) -> None:
    """Refuse a knob move that the patch does not know, or that leaves the knob's range (PatchError)."""
    if node not in patch.nodes:
        raise PatchError(f"there is no node {node!r}", node, control)
    spec = spec_of(patch.nodes[node], node)
    if control not in spec.controls:
        raise PatchError(f"{spec.name} has no control {control!r}", node, control)
    channels = spec.channels(control, patch.nodes[node].options)
    if len(values) != channels:
        raise PatchError(f"takes {channels} values, got {len(values)}", node, control)
    for value in values:
        try:
            spec.controls[control].check(control, value)
        except ValueError as problem:
            raise PatchError(str(problem), node, control) from problem


def check_amount(patch: Patch, source: str, target: str, amount: float) -> None:
    """Refuse to move the amount of a cable that the patch has not, or out of −1..1 (PatchError)."""
    if not any(str(c.source) == source and str(c.target) == target and c.amount is not None for c in patch.cables):
        raise PatchError(f"there is no modulation {source} -> {target}")
    if not (math.isfinite(amount) and -1.0 <= amount <= 1.0):
        raise PatchError(f"a modulation amount is -1 to 1, got {amount:g}")


def with_values(patch: Patch, values: Mapping[str, tuple[float, ...]]) -> Patch:
    """The patch with knobs and amounts at these values; names that it does not know are left out."""
    nodes = {}
    for name, node in patch.nodes.items():
        moved = {key: values[f"{name}.{key}"] for key in spec_of(node, name).controls if f"{name}.{key}" in values}
        nodes[name] = replace(node, values={**node.values, **moved})
    cables = tuple(
        replace(c, amount=values.get(f"{c.source}->{c.target}", (c.amount,))[0]) if c.amount is not None else c
        for c in patch.cables
    )
    return replace(patch, nodes=nodes, cables=cables)


def structure_key(patch: Patch) -> str:
    """What decides whether a patch must be compiled anew: all of its structure, but not how far amounts are turned."""
    cables = tuple(replace(c, amount=0.5) if c.amount is not None else c for c in patch.cables)
    return replace(patch, cables=cables).structure()
