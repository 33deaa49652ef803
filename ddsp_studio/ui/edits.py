"""Edits of a patch that take thought: healing, inserting, reconnecting, pasting. Pure functions, patch in, patch out."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

from ddsp_studio.processors.catalogue import specs
from ddsp_studio.processors.check import OUTPUT, check_cable, natural_amount, refusal, values_of
from ddsp_studio.processors.declare import OptionValue, Signal
from ddsp_studio.processors.patch import Cable, Node, Patch, PatchError, Port
from ddsp_studio.processors.patch_file import part_from_json


def connected(patch: Patch, source: Port, target: Port, amount: float | None = None) -> Patch:
    """Connect two ports; a cable that set the target before gives way to the new one.

    Raises:
        PatchError: with the reason, when the ports do not fit.
    """
    base, reason = patch, _refusal(patch, source, target, amount)
    if reason is not None:
        setting = [c for c in patch.into(target) if c.amount is None and c.source != source]
        signal = _inlet_signal(patch, target)
        if setting and signal is Signal.CONTROL:
            base = patch.without_cables(setting)
            reason = _refusal(base, source, target, amount) and reason
        if reason is not None:
            raise PatchError(reason, target.node, target.name)
    return base.with_cable(Cable(source, target, amount if amount is not None else natural_amount(base, source, target)))


def _refusal(patch: Patch, source: Port, target: Port, amount: float | None = None) -> str | None:
    """Why two ports cannot be connected; nodes whose type is not installed have no say unless they are meant."""
    known = specs()
    foreign = [n for n, v in patch.nodes.items() if v.type not in known and n not in (source.node, target.node)]
    return refusal(patch.without_nodes(foreign) if foreign else patch, source, target, amount)


def why_not(patch: Patch, source: Port, target: Port) -> str | None:
    """Why `connected` would refuse, in one sentence; None if it would connect."""
    try:
        connected(patch, source, target)
    except PatchError as problem:
        return problem.reason
    return None


def open_ports(patch: Patch, port: Port, others: Iterable[Port], *, from_outlet: bool) -> set[Port]:
    """Those of `others` that a cable from (or to) a port may end in, for many at once.

    Whether a cable makes a loop or leaves its zone depends on the nodes alone, so that is found once a node.
    """
    found, open_nodes = set(), dict[str, bool]()
    for other in others:
        source, target = (port, other) if from_outlet else (other, port)
        if not _ends_fit(patch, source, target):
            continue
        if other.node not in open_nodes:
            open_nodes[other.node] = why_not(patch, source, target) is None
        if open_nodes[other.node]:
            found.add(other)
    return found


def _ends_fit(patch: Patch, source: Port, target: Port) -> bool:
    """Whether signal, unit and channels fit, a cable that sets the target now left aside."""
    try:
        base = patch.without_cables([c for c in patch.into(target) if c.amount is None])
        check_cable(base, Cable(source, target, natural_amount(base, source, target)))
    except PatchError:
        return False
    return True


def _inlet_signal(patch: Patch, target: Port) -> Signal | None:
    node = patch.nodes.get(target.node)
    spec = specs().get(node.type) if node else None
    if spec is None:
        return None
    return (
        Signal.CONTROL
        if target.name in spec.controls
        else spec.inlets[target.name].signal
        if target.name in spec.inlets
        else None
    )


def healed_without(patch: Patch, names: Iterable[str]) -> Patch:
    """Remove nodes; audio that ran through one goes on from its sources to its listeners, where that fits."""
    for name in [n for n in names if n in patch.nodes]:
        through = audio_through(patch, name)
        bridges = (
            [(a.source, b.target) for a in patch.into(Port(name, through[0])) for b in _from(patch, Port(name, through[1]))]
            if through
            else []
        )
        patch = patch.without_nodes([name])
        for source, target in bridges:
            if target.node != source.node and _refusal(patch, source, target) is None:
                patch = patch.with_cable(Cable(source, target))
    return patch


def _from(patch: Patch, source: Port) -> list[Cable]:
    return [c for c in patch.cables if c.source == source]


def audio_through(patch: Patch, name: str) -> tuple[str, str] | None:
    """The audio inlet and outlet that a bypass of the node joins."""
    spec = specs().get(patch.nodes[name].type)
    if spec is None:
        return None
    into = next((n for n, i in spec.inlets.items() if i.signal is Signal.AUDIO), None)
    out = next((n for n, o in spec.outlets.items() if o.signal is Signal.AUDIO), None)
    return (into, out) if into and out else None


def bypassable(patch: Patch, names: Iterable[str]) -> list[str]:
    """Those of the nodes that audio runs through, so that a bypass means something."""
    return [name for name in names if name in patch.nodes and audio_through(patch, name)]


def mutable(patch: Patch, names: Iterable[str]) -> list[str]:
    """Those of the nodes that give audio, so that muting means something."""
    known = specs()
    held = [name for name in names if name in patch.nodes and patch.nodes[name].type in known]
    return [n for n in held if any(o.signal is Signal.AUDIO for o in known[patch.nodes[n].type].outlets.values())]


def inserted(patch: Patch, name: str, cable: Cable) -> Patch:
    """Put a node between the ends of a cable, at its first ports that fit.

    Raises:
        PatchError: when it has no such ports.
    """
    spec = specs().get(patch.nodes[name].type)
    base = patch.without_cables([cable])
    for inlet in (*spec.inlets, *spec.controls) if spec else ():
        try:
            first = connected(base, cable.source, Port(name, inlet))
        except PatchError:
            continue
        for outlet in spec.outlets if spec else ():
            if _refusal(first, Port(name, outlet), cable.target, cable.amount) is None:
                return connected(first, Port(name, outlet), cable.target, cable.amount)
    raise PatchError(f"{name} has no ports that fit the cable {cable}", name)


def fitting_ports(patch: Patch, type_name: str, *, source: Port | None = None, target: Port | None = None) -> list[str]:
    """Ports of a processor type that a cable from `source`, or to `target`, can take; the best first."""
    spec = specs()[type_name]
    trial = "trial"
    while trial in patch.nodes:
        trial += "_"
    with_trial = patch.with_node(trial, Node(type_name, spec.version))
    if source is not None:
        inlets = [*spec.inlets, *spec.controls]
        setting = [p for p in inlets if why_not(with_trial, source, Port(trial, p)) is None]
        return sorted(setting, key=lambda p: natural_amount(with_trial, source, Port(trial, p)) is not None)
    if target is not None:
        outlets = [p for p in spec.outlets if why_not(with_trial, Port(trial, p), target) is None]
        return sorted(outlets, key=lambda p: natural_amount(with_trial, Port(trial, p), target) is not None)
    return []


def with_option(patch: Patch, name: str, option: str, value: OptionValue) -> Patch:
    """Set an option; cables that no longer fit the node (another channel count) are taken off.

    Raises:
        PatchError: when the value is not allowed.
    """
    node = patch.nodes[name]
    spec = specs().get(node.type)
    if spec is None or option not in spec.options:
        raise PatchError(f"there is no option {option!r}", name, option)
    try:
        checked = spec.options[option].check(option, value)
    except ValueError as problem:
        raise PatchError(str(problem), name, option) from problem
    changed = patch.with_node(name, replace(node, options={**node.options, option: checked}))
    misfits = [c for c in changed.of_node(name) if not _fits(changed, c)]
    return changed.without_cables(misfits)


def _fits(patch: Patch, cable: Cable) -> bool:
    try:
        check_cable(patch.without_cables([cable]), cable)
    except PatchError:
        return False
    return True


def with_control(patch: Patch, name: str, control: str, values: Iterable[float]) -> Patch:
    """Set a control, held to its range; a node stores only what differs from the default.

    Raises:
        PatchError: when a value is no number or the control is unknown.
    """
    node = patch.nodes[name]
    spec = specs().get(node.type)
    if spec is None or control not in spec.controls:
        raise PatchError(f"there is no control {control!r}", name, control)
    declared = spec.controls[control]
    held = tuple(min(max(float(v), declared.low), declared.high) for v in values)
    if any(map(math.isnan, held)):
        raise PatchError(
            f"{control} takes {declared.low:g} to {declared.high:g} {declared.unit}, got no number".replace("  ", " "),
            name,
            control,
        )
    kept = {key: value for key, value in node.values.items() if key != control}
    if held != declared.defaults(spec.channels(control, node.options)):
        kept[control] = held
    return patch.with_node(name, replace(node, values=kept))


def values(patch: Patch, name: str) -> dict[str, tuple[float, ...]]:
    """Every control's value of a node; what the file holds where the type is not installed."""
    node = patch.nodes[name]
    return values_of(node, name) if node.type in specs() else dict(node.values)


def pasted(
    patch: Patch, text: str, offset: tuple[float, float] | None, at: tuple[float, float] | None
) -> tuple[Patch, list[str]]:
    """Add the nodes and inner cables of clipboard text under free names; returns the new names too.

    A second Output is left out. The nodes land at their own places plus `offset`, or with their top left corner `at` a place.

    Raises:
        PatchError: when the text holds no nodes.
    """
    try:
        nodes, cables = part_from_json(json.loads(text))
    except (json.JSONDecodeError, RecursionError) as problem:
        raise PatchError("the clipboard holds no nodes") from problem
    if not nodes:
        raise PatchError("the clipboard holds no nodes")
    if has_output(patch):
        nodes = {name: node for name, node in nodes.items() if node.type != OUTPUT}
        cables = tuple(c for c in cables if c.source.node in nodes and c.target.node in nodes)
    if not nodes:
        raise PatchError("a patch has one Output")
    left, top = (min(n.position[axis] for n in nodes.values()) for axis in (0, 1))
    dx, dy = (at[0] - left, at[1] - top) if at is not None else (offset or (0.0, 0.0))
    names: dict[str, str] = {}
    for name, node in nodes.items():
        names[name] = name if name not in patch.nodes else patch.free_name(_stem(name))
        patch = patch.with_node(names[name], replace(node, position=(node.position[0] + dx, node.position[1] + dy)))
    for cable in cables:
        patch = patch.with_cable(Cable(_moved(cable.source, names), _moved(cable.target, names), cable.amount))
    return patch, list(names.values())


def _stem(name: str) -> str:
    head, _, tail = name.rpartition("_")
    return head if head and tail.isdigit() else name


def _moved(port: Port, names: Mapping[str, str]) -> Port:
    return Port(names[port.node], port.name)


def with_amount(patch: Patch, source: Port, target: Port, amount: float) -> Patch:
    """Set the amount of a modulation cable, held to -1..1; the cables keep their order."""
    held = min(max(amount, -1.0), 1.0)
    cables = tuple(replace(c, amount=held) if (c.source, c.target) == (source, target) else c for c in patch.cables)
    return replace(patch, cables=cables)


def is_insertable(patch: Patch, type_name: str, cable: Cable) -> bool:
    """Whether a new node of a type can be put on a cable."""
    name = patch.free_name(type_name)
    try:
        inserted(patch.with_node(name, Node(type_name, specs()[type_name].version)), name, cable)
    except PatchError:
        return False
    return True


def has_output(patch: Patch) -> bool:
    """Whether the patch has its Output already; it takes no second one."""
    return any(node.type == OUTPUT for node in patch.nodes.values())
