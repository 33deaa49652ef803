"""The rules of a patch: known types, values in range, cables that fit, no cycles, and the zones of voices and output.

A node *downstream* of a VoiceMixer is in the OUTPUT zone, where a batch row is an output channel. A node that depends on
the performance is in the VOICE zone, where a batch row is a voice. Any other node is FREE: one row, heard by everyone. Only a
VoiceMixer leads from voices to the output zone; the Output itself adds up voices that reach it unmixed.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import replace

from ddsp_studio.processors.declare import Control, Outlet, Signal, Spec
from ddsp_studio.processors.nesting import absence, check_groups, deep, expand, sheet_of
from ddsp_studio.processors.patch import Cable, Node, Patch, PatchError, Port

MAX_NODES = 512
MIXER, OUTPUT = "VoiceMixer", "Output"
ALL_VOICES = (MIXER, "Arpeggiator")
"""Types that see all voices at once; they are told (by `stereo`) when batch rows are voices, for clips must stay apart."""


class Zone(enum.Enum):
    """Whose rows a node's batch holds."""

    FREE = "free"
    VOICE = "per voice"
    OUTPUT = "after the voice mixer"


def spec_of(node: Node, name: str = "") -> Spec:
    """The data sheet of a node; PatchError if its type, or its version of it, is not installed."""
    spec = sheet_of(node)
    if spec is None:
        raise PatchError(absence(node), name)
    return spec


def values_of(node: Node, name: str = "") -> dict[str, tuple[float, ...]]:
    """Every control's value, one number a channel, defaults where the node holds none. A group's are those of its inner nodes."""
    spec = spec_of(node, name)
    if node.inside is not None:
        inner = {shown.name: (node.inside.patch.nodes.get(shown.port.node), shown.port.name) for shown in node.inside.ports}
        return {key: values_of(held, name)[port] for key, (held, port) in inner.items() if key in spec.controls and held}
    values = {}
    for key, control in spec.controls.items():
        channels = spec.channels(key, node.options)
        held = tuple(node.values.get(key, ()))
        # another channel count (an option was changed) keeps what it can
        values[key] = (held + control.defaults(channels)[len(held) :])[:channels] if held else control.defaults(channels)
    return values


def order(patch: Patch) -> list[str]:
    """Node names, every node after those that feed it; PatchError names a cycle."""
    feeds: dict[str, list[str]] = {name: [] for name in patch.nodes}
    for cable in patch.cables:
        if cable.source.node in feeds and cable.target.node in feeds:
            feeds[cable.target.node].append(cable.source.node)
    done: dict[str, bool] = {}
    result: list[str] = []
    for root in patch.nodes:
        stack = [(root, iter(feeds[root]))] if root not in done else []
        if stack:
            done[root] = False
        while stack:
            name, sources = stack[-1]
            for source in sources:
                if source not in done:
                    done[source] = False
                    stack.append((source, iter(feeds[source])))
                    break
                if not done[source]:
                    names = [entry for entry, _ in stack]
                    loop = [*names[names.index(source) :], source]
                    raise PatchError(f"the cables make a loop: {' < '.join(loop)}; use a Delay's own feedback", source)
            else:
                done[name] = True
                result.append(name)
                stack.pop()
    return result


def zones(patch: Patch) -> dict[str, Zone]:
    """The zone of every node, groups expanded; PatchError where voices reach the output zone by another way than a VoiceMixer."""
    patch = expand(patch)
    out: dict[str, Zone] = {}
    feeds: dict[str, set[str]] = {name: set() for name in patch.nodes}
    for cable in patch.cables:
        if cable.source.node in patch.nodes and cable.target.node in patch.nodes:
            feeds[cable.target.node].add(cable.source.node)
    for name in order(patch):
        node = patch.nodes[name]
        kinds = {_leaving(patch.nodes[s], out[s]) for s in feeds[name]}
        performs = any(i.signal is Signal.NOTES for i in spec_of(node, name).inlets.values())
        if node.type == MIXER and Zone.OUTPUT in kinds:
            raise PatchError("takes voices, but gets a signal that is already mixed", name)
        if Zone.OUTPUT in kinds and Zone.VOICE in kinds:
            voice = next(
                c
                for c in patch.cables
                if c.target.node == name and _leaving(patch.nodes[c.source.node], out[c.source.node]) is Zone.VOICE
            )
            raise PatchError(
                f"{voice.source} is per voice and cannot go past the VoiceMixer; mix the voices first", name, voice.target.name
            )
        zone = Zone.OUTPUT if node.type == OUTPUT else Zone.VOICE if performs else Zone.FREE
        for kind in (Zone.VOICE, Zone.OUTPUT):
            zone = kind if kind in kinds and zone is not Zone.OUTPUT else zone
        if zone is Zone.VOICE and spec_of(node, name).stereo:
            raise PatchError("works on left and right, so it belongs after the VoiceMixer", name)
        out[name] = zone
    return out


def listening(patch: Patch) -> set[str]:
    """The nodes, groups expanded, that depend on the audio input."""
    patch = expand(patch)
    found: set[str] = set()
    for name in order(patch):
        hears = any(i.signal is Signal.INPUT for i in spec_of(patch.nodes[name], name).inlets.values())
        if hears or any(c.target.node == name and c.source.node in found for c in patch.cables):
            found.add(name)
    return found


def _leaving(node: Node, zone: Zone) -> Zone:
    return Zone.OUTPUT if node.type == MIXER else zone


def refusal(patch: Patch, source: Port, target: Port, amount: float | None = None) -> str | None:
    """Why a cable from outlet to inlet or control cannot be made, in one sentence; None if it can.

    With `amount` None the natural kind of cable is judged: see `natural_amount`. What a port of a group stands for is judged, and
    named in the reason.
    """
    try:
        patch, source, target = _flat(patch, source, target)
        cable = Cable(source, target, amount if amount is not None else natural_amount(patch, source, target))
        check_cable(patch, cable)
        zones(replace(patch, cables=(*(c for c in patch.cables if (c.source, c.target) != (source, target)), cable)))
    except PatchError as problem:
        return problem.reason
    return None


def natural_amount(patch: Patch, source: Port, target: Port) -> float | None:
    """The amount a new cable gets: None (it sets the target) for audio and equal units, otherwise a modulation of 0.5.

    A control that one cable sets already takes further plain numbers as modulation.
    """
    patch, source, target = _flat(patch, source, target)
    outlet, inlet = _ends(patch, source, target)
    if isinstance(inlet, Control) and outlet.signal is Signal.CONTROL and not outlet.learned:
        taken = any(c.amount is None and c.source != source for c in patch.into(target))
        if outlet.unit != inlet.unit or (taken and not outlet.unit):
            return 0.5
    return None


def _flat(patch: Patch, source: Port, target: Port) -> tuple[Patch, Port, Port]:
    """The expanded patch and what two ports are in it."""
    ends = []
    for port in (source, target):
        found = deep(patch, port)
        if found is None:
            raise PatchError(f"the group {port.node!r} shows no port {port.name!r}", port.node, port.name)
        ends.append(found)
    return expand(patch), ends[0], ends[1]


def _ends(patch: Patch, source: Port, target: Port) -> tuple[Outlet, object]:
    for port, role in ((source, "outlet"), (target, "inlet or control")):
        if port.node not in patch.nodes:
            raise PatchError(f"there is no node {port.node!r}", port.node, port.name)
        spec = spec_of(patch.nodes[port.node], port.node)
        known = spec.outlets if port is source else {**spec.inlets, **spec.controls}
        if port.name not in known:
            raise PatchError(f"{spec.name} has no {role} {port.name!r}", port.node, port.name)
    outlet = spec_of(patch.nodes[source.node]).outlets[source.name]
    taker = spec_of(patch.nodes[target.node])
    return outlet, {**taker.inlets, **taker.controls}[target.name]


def check_cable(patch: Patch, cable: Cable) -> None:
    """Refuse a cable whose ends do not fit (PatchError)."""
    patch, source, target = _flat(patch, cable.source, cable.target)
    outlet, inlet = _ends(patch, source, target)

    def refuse(reason: str) -> PatchError:
        return PatchError(reason, target.node, target.name)

    if source.node == target.node:
        raise refuse("a node cannot feed itself; use a Delay's own feedback")
    if not isinstance(inlet, Control):
        if reason := _misfit(patch, cable, outlet.signal, getattr(inlet, "signal", Signal.AUDIO)):
            raise refuse(reason)
        return
    if outlet.signal is not Signal.CONTROL:
        raise refuse(f"{target} takes control, and {source} gives {outlet.signal.value}")
    giver, taker = patch.nodes[source.node], patch.nodes[target.node]
    given = spec_of(giver).channels(source.name, giver.options)
    taken = spec_of(taker).channels(target.name, taker.options)
    if given not in (1, taken) and not outlet.learned:
        raise refuse(f"{target} has {taken} channels, and {source} gives {given}")
    if cable.amount is None:
        if outlet.unit != inlet.unit and not outlet.learned:
            raise refuse(f"{target} is in {inlet.unit or 'plain numbers'}, and {source} gives {outlet.unit or 'plain numbers'}")
        if any(c.amount is None and c.source != source for c in patch.into(target)):
            raise refuse(f"{target} is already set by {next(c.source for c in patch.into(target) if c.amount is None)}")
    elif outlet.learned:
        raise refuse(f"{source} sets what it is connected to, so a cable from it has no amount")
    elif outlet.unit:
        raise refuse(
            f"{target} is in {inlet.unit or 'plain numbers'}, and {source} gives {outlet.unit}; only plain numbers modulate"
        )
    elif not -1.0 <= cable.amount <= 1.0:
        raise refuse(f"a modulation amount is -1 to 1, got {cable.amount:g}")


def _misfit(patch: Patch, cable: Cable, given: Signal, taken: Signal) -> str:
    """Why a cable cannot end in an inlet, "" if it can."""
    source, target = cable.source, cable.target
    if given is not taken:
        return f"{target} takes {taken.value}, and {source} gives {given.value}"
    if taken is not Signal.AUDIO and (others := [c.source for c in patch.into(target) if c.source != source]):
        return f"{target} already gets {taken.value} from {others[0]}"
    return "" if cable.amount is None else f"{target} is no control, so a cable into it has no amount"


def check_node(name: str, node: Node) -> None:
    """Refuse a node of unknown type or version, or with a control or option out of range (PatchError)."""
    spec = spec_of(node, name)
    for key, option in node.options.items():
        if key not in spec.options:
            raise PatchError(f"{spec.name} has no option {key!r}", name, key)
        try:
            spec.options[key].check(key, option)
        except ValueError as problem:
            raise PatchError(str(problem), name, key) from problem
    for key, values in node.values.items():
        if key not in spec.controls:
            raise PatchError(f"{spec.name} has no control {key!r}", name, key)
        for value in values:
            try:
                spec.controls[key].check(key, value)
            except ValueError as problem:
                raise PatchError(str(problem), name, key) from problem


def check(patch: Patch) -> None:
    """Refuse a patch that cannot be compiled, naming node, port and reason (PatchError). Groups are judged by what they hold."""
    check_groups(patch)
    patch = expand(patch)
    if len(patch.nodes) > MAX_NODES:
        raise PatchError(f"a patch has {MAX_NODES} nodes at most, got {len(patch.nodes)}")
    for name, node in patch.nodes.items():
        check_node(name, node)
    for cable in patch.cables:
        check_cable(replace(patch, cables=tuple(c for c in patch.cables if c is not cable)), cable)
    zones(patch)
    outputs = [name for name, node in patch.nodes.items() if node.type == OUTPUT]
    if len(outputs) > 1:
        raise PatchError(f"a patch has one Output, got {len(outputs)}: {', '.join(outputs)}", outputs[1])


def silence(patch: Patch) -> str:
    """Why nothing of a patch can be heard, the end of a sentence; "" if something can."""
    flat = expand(patch)
    if not flat.nodes:
        return "the patch is empty"
    outputs = {name for name, node in flat.nodes.items() if node.type == OUTPUT}
    if not outputs:
        return "the patch has no Output"
    return "" if any(c.target.node in outputs for c in flat.cables) else "nothing is connected to the Output"


def reachable(patch: Patch) -> Mapping[str, bool]:
    """For every node, groups expanded, whether it is heard, that is, leads to the Output."""
    patch = expand(patch)
    heard = {name for name, node in patch.nodes.items() if node.type == OUTPUT}
    for name in reversed(order(patch)):
        if name in heard:
            heard |= {c.source.node for c in patch.cables if c.target.node == name}
    return {name: name in heard for name in patch.nodes}
