"""Edits of a patch that take thought: healing, inserting, reconnecting, pasting. Pure functions, patch in, patch out."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from ddsp_studio.processors import nesting
from ddsp_studio.processors.catalogue import specs
from ddsp_studio.processors.check import MAX_NODES, OUTPUT, check_cable, natural_amount, refusal, values_of
from ddsp_studio.processors.declare import OptionValue, Signal
from ddsp_studio.processors.nesting import Moved, absent, sheet_of
from ddsp_studio.processors.patch import NAME, Cable, Node, Patch, PatchError, Port
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
        if setting and signal not in (None, Signal.AUDIO):
            base = patch.without_cables(setting)
            reason = _refusal(base, source, target, amount) and reason
        if reason is not None:
            raise PatchError(reason, target.node, target.name)
    return base.with_cable(Cable(source, target, amount if amount is not None else natural_amount(base, source, target)))


def _refusal(patch: Patch, source: Port, target: Port, amount: float | None = None) -> str | None:
    """Why two ports cannot be connected; nodes that are not installed have no say unless they are meant."""
    first, last = nesting.deep(patch, source), nesting.deep(patch, target)
    if first is None or last is None:
        return refusal(patch, source, target, amount)
    flat = nesting.expand(patch)
    foreign = [name for name in absent(patch) if name not in (first.node, last.node)]
    return refusal(flat.without_nodes(foreign) if foreign else flat, first, last, amount)


def why_not(patch: Patch, source: Port, target: Port) -> str | None:
    """Why `connected` would refuse, in one sentence; None if it would connect."""
    try:
        connected(patch, source, target)
    except PatchError as problem:
        return problem.reason
    return None


def open_ports(
    patch: Patch,
    port: Port,
    others: Iterable[Port],
    *,
    from_outlet: bool,
    reason: Callable[[Patch, Port, Port], str | None] = why_not,
) -> set[Port]:
    """Those of `others` that a cable from (or to) a port may end in, for many at once; `reason` says why two may not.

    Whether a cable makes a loop or leaves its zone depends on the nodes alone, so that is found once a node (a group has many).
    """
    found, open_nodes = set(), dict[str, bool]()
    flat, origin = nesting.expand(patch), nesting.deep(patch, port)
    for other in others:
        source, target = (port, other) if from_outlet else (other, port)
        reached = nesting.deep(patch, other)
        if origin is None or reached is None:
            continue
        ends = (origin, reached) if from_outlet else (reached, origin)
        # a cable that sets the target now would give way, but not one inside of a group
        setting = [Cable(s, ends[1]) for c in patch.into(target) if c.amount is None and (s := nesting.deep(patch, c.source))]
        if not _ends_fit(flat, *ends, setting):
            continue
        if reached.node not in open_nodes:
            open_nodes[reached.node] = reason(patch, source, target) is None
        if open_nodes[reached.node]:
            found.add(other)
    return found


def _ends_fit(patch: Patch, source: Port, target: Port, setting: list[Cable]) -> bool:
    """Whether signal, unit and channels fit, the cables that set the target now left aside."""
    try:
        base = patch.without_cables(setting) if setting else patch
        check_cable(base, Cable(source, target, natural_amount(base, source, target)))
    except PatchError:
        return False
    return True


def _inlet_signal(patch: Patch, target: Port) -> Signal | None:
    node = patch.nodes.get(target.node)
    spec = sheet_of(node) if node else None
    if spec is None:
        return None
    return (
        Signal.CONTROL
        if target.name in spec.controls
        else spec.inlets[target.name].signal
        if target.name in spec.inlets
        else None
    )


def signal_of(patch: Patch, cable: Cable) -> Signal:
    """What a cable carries; for a source that is not installed, what the target takes."""
    source = sheet_of(patch.nodes[cable.source.node])
    if source is not None and cable.source.name in source.outlets:
        return source.outlets[cable.source.name].signal
    return _inlet_signal(patch, cable.target) or (Signal.AUDIO if cable.amount is None else Signal.CONTROL)


def healed_without(patch: Patch, names: Iterable[str]) -> Patch:
    """Remove nodes; audio that ran through one goes on from its sources to its listeners, where that fits."""
    for name in [n for n in names if n in patch.nodes]:
        through = audio_through(patch, name)
        sources, targets = list[Port](), list[Port]()
        if through:
            sources = [c.source for c in patch.into(Port(name, through[0]))]
            targets = [c.target for c in _from(patch, Port(name, through[1]))]
        elif sheet_of(patch.nodes[name]) is None:  # audio passed it by, as it was not installed, and goes on doing so
            audio = [c for c in patch.of_node(name) if c.amount is None and signal_of(patch, c) is Signal.AUDIO]
            sources = [c.source for c in audio if c.target.node == name]
            targets = [c.target for c in audio if c.source.node == name]
        bridges = [(source, target) for source in sources for target in targets]
        patch = patch.without_nodes([name])
        for source, target in bridges:
            if target.node != source.node and _refusal(patch, source, target) is None:
                patch = patch.with_cable(Cable(source, target))
    return patch


def healed_ports(patch: Patch, names: Iterable[str]) -> Moved:
    """Where the audio ports of nodes are once these were removed: at what the audio went on to, or came from."""
    steps: dict[Port, Port] = {}
    for name in [n for n in names if n in patch.nodes]:
        through = audio_through(patch, name)
        if through:
            into, out = Port(name, through[0]), Port(name, through[1])
            steps.update((into, c.target) for c in _from(patch, out)[:1])
            steps.update((out, c.source) for c in patch.into(into)[:1])
        patch = healed_without(patch, [name])

    def moved(port: Port) -> Port:
        for _ in steps:
            port = steps.get(port, port)
        return port

    return moved


def _from(patch: Patch, source: Port) -> list[Cable]:
    return [c for c in patch.cables if c.source == source]


def audio_through(patch: Patch, name: str) -> tuple[str, str] | None:
    """The audio inlet and outlet that a bypass of the node joins; none can join what is per voice and what is mixed."""
    spec = sheet_of(patch.nodes[name])
    if spec is None or nesting.holds_mixer(patch.nodes[name]):
        return None
    into = next((n for n, i in spec.inlets.items() if i.signal is Signal.AUDIO), None)
    out = next((n for n, o in spec.outlets.items() if o.signal is Signal.AUDIO), None)
    return (into, out) if into and out else None


def bypassable(patch: Patch, names: Iterable[str]) -> list[str]:
    """Those of the nodes that audio runs through, so that a bypass means something."""
    return [name for name in names if name in patch.nodes and audio_through(patch, name)]


def mutable(patch: Patch, names: Iterable[str]) -> list[str]:
    """Those of the nodes that give audio, so that muting means something."""
    sheets = {name: sheet_of(patch.nodes[name]) for name in names if name in patch.nodes}
    return [n for n, spec in sheets.items() if spec and any(o.signal is Signal.AUDIO for o in spec.outlets.values())]


def inserted(patch: Patch, name: str, cable: Cable) -> Patch:
    """Put a node between the ends of a cable, at its first ports that fit.

    Raises:
        PatchError: when it has no such ports.
    """
    spec = sheet_of(patch.nodes[name])
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
    spec = sheet_of(node)
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
    spec = sheet_of(node)
    if spec is not None and node.inside is not None and (port := node.inside.port(control)):
        inner = with_control(node.inside.patch, port.node, port.name, values)
        return patch.with_node(name, replace(node, inside=replace(node.inside, patch=inner)))
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
    return values_of(node, name) if sheet_of(node) is not None else dict(node.values)


def pasted(
    patch: Patch, text: str, offset: tuple[float, float] | None, at: tuple[float, float] | None, *, takes_output: bool
) -> tuple[Patch, list[str]]:
    """Add the nodes and inner cables of clipboard text under free names; returns the new names too.

    An Output is left out unless the patch `takes_output`.

    The nodes land at their own places plus `offset`, or with their top left corner `at` a place.

    Raises:
        PatchError: when the text holds no nodes.
    """
    try:
        nodes, cables = part_from_json(json.loads(text))
    except (json.JSONDecodeError, RecursionError) as problem:
        raise PatchError("the clipboard holds no nodes") from problem
    if not nodes:
        raise PatchError("the clipboard holds no nodes")
    if not takes_output:
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
    return any(node.type == OUTPUT for node in nesting.expand(patch).nodes.values())


def too_large(patch: Patch) -> str:
    """Why a patch could not be read from a file again, in one sentence; "" if it can."""
    if nesting.depth(patch) > nesting.MAX_DEPTH:
        return f"groups nest {nesting.MAX_DEPTH} deep at most"
    if (count := nesting.count(patch)) > MAX_NODES:
        return f"a patch has {MAX_NODES} nodes at most, those in groups included, got {count}"
    return ""


def named_after(patch: Patch, title: str) -> str:
    """A free name for a node that is made from a title: "Warm pad" is "warm_pad", then "warm_pad_2"."""
    words = re.sub(r"[^A-Za-z0-9]+", "_", title).strip("_").lower()[:48]
    return patch.free_name(words if NAME.match(words) else nesting.GROUP)
