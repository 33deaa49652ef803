"""The values of a patch by name, as the engine moves them, and a patch with its values moved.

Names are those of the patch as it is played, its groups expanded: "filter.cutoff", "strings/filter.cutoff".

Thread rule: pure functions on immutable data.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from ddsp_studio.processors.check import spec_of, values_of
from ddsp_studio.processors.declare import Control
from ddsp_studio.processors.nesting import SEPARATOR, deep, expand, playable, sheet_of
from ddsp_studio.processors.patch import Patch, PatchError, Port


def patch_values(patch: Patch) -> dict[str, tuple[float, ...]]:
    """Every control ("node.control") and modulation amount ("node.port->node.control") of a patch, in real units."""
    patch = playable(patch)
    found = {f"{name}.{key}": held for name, node in patch.nodes.items() for key, held in values_of(node, name).items()}
    for cable in patch.cables:
        if cable.amount is not None:
            found[f"{cable.source}->{cable.target}"] = (cable.amount,)
    return found


def check_value(patch: Patch, node: str, control: str, values: tuple[float, ...]) -> str:
    """The name of the value that a knob moves; PatchError if the patch does not know it, or the move leaves the knob's range."""
    port, patch = deep(patch, Port(node, control)), playable(patch)
    if port is None or port.node not in patch.nodes:
        raise PatchError(f"there is no node {node!r}" if port else f"the group {node!r} shows no port {control!r}", node, control)
    held, name = patch.nodes[port.node], port.name
    spec = spec_of(held, port.node)
    if name not in spec.controls:
        raise PatchError(f"{spec.name} has no control {name!r}", node, control)
    channels = spec.channels(name, held.options)
    if len(values) != channels:
        raise PatchError(f"takes {channels} values, got {len(values)}", node, control)
    for value in values:
        try:
            spec.controls[name].check(control, value)
        except ValueError as problem:
            raise PatchError(str(problem), node, control) from problem
    return str(port)


def check_amount(patch: Patch, source: str, target: str, amount: float) -> str:
    """The name of a cable's amount; PatchError for a cable that the patch has not, or an amount out of −1..1."""
    if not any(str(c.source) == source and str(c.target) == target and c.amount is not None for c in expand(patch).cables):
        raise PatchError(f"there is no modulation {source} -> {target}")
    if not (math.isfinite(amount) and -1.0 <= amount <= 1.0):
        raise PatchError(f"a modulation amount is -1 to 1, got {amount:g}")
    return f"{source}->{target}"


def with_values(patch: Patch, values: Mapping[str, tuple[float, ...]]) -> Patch:
    """The patch with knobs and amounts at these values; names that it does not know are left out."""
    return _with_values(patch, values, "")


def _with_values(level: Patch, values: Mapping[str, tuple[float, ...]], where: str) -> Patch:
    """The same at one level of groups, `where` being what stands before the names of its nodes."""
    nodes = {}
    for name, node in level.nodes.items():
        full = f"{where}{name}"
        if node.inside is not None:
            inner = _with_values(node.inside.patch, values, f"{full}{SEPARATOR}")
            nodes[name] = replace(node, inside=replace(node.inside, patch=inner))
            continue
        spec = sheet_of(node)
        moved = {key: values[f"{full}.{key}"] for key in (spec.controls if spec else ()) if f"{full}.{key}" in values}
        nodes[name] = replace(node, values={**node.values, **moved})
    cables = []
    for cable in level.cables:
        source, target = deep(level, cable.source), deep(level, cable.target)
        moved_to = values.get(f"{where}{source}->{where}{target}")
        cables.append(replace(cable, amount=moved_to[0]) if cable.amount is not None and moved_to else cable)
    return replace(level, nodes=nodes, cables=tuple(cables))


Turns = dict[int, tuple[tuple[int, str, Control, int], ...]]
"""What MIDI controllers turn, by number: channel (0: any), name of the value, its control and how many channels it has."""


def turns(patch: Patch) -> Turns:
    """What MIDI controllers turn in a patch."""
    found: Turns = {}
    for name, node in playable(patch).nodes.items():
        spec = spec_of(node, name)
        for key, by in node.midi.items():
            if key in spec.controls:
                turned = (by.channel, f"{name}.{key}", spec.controls[key], spec.channels(key, node.options))
                found[by.number] = (*found.get(by.number, ()), turned)
    return found


def structure_key(patch: Patch) -> str:
    """What decides whether a patch must be compiled anew: all of its structure, but not how far amounts are turned."""
    patch = playable(patch)
    cables = tuple(replace(c, amount=0.5) if c.amount is not None else c for c in patch.cables)
    return replace(patch, cables=cables).structure()
