"""Edits that make groups, open them up, and choose the ports that they show. Pure functions, patch in, patch out.

Where an edit moves ports, it also returns where they went, so that the group around can go on showing them (`nesting.Moved`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace

from ddsp_studio.processors.declare import Inlet, Outlet, Signal
from ddsp_studio.processors.nesting import GROUP, Moved, sheet_of, silenced, with_inside
from ddsp_studio.processors.patch import NAME, Cable, Exposed, Inside, Node, Patch, PatchError, Port

OUTPUT = "Output"
_GRID = 16.0
Position = tuple[float, float]


def grouped(patch: Patch, names: Collection[str], shown: Collection[Port] = ()) -> tuple[Patch, str, Moved]:
    """Put nodes into a new group that shows every port by which they hang on others, or that is `shown` outside already.

    The Output stays where it is. Returns the patch, the group's name, and where the ports went.

    Raises:
        PatchError: when there is nothing to group.
    """
    chosen = {name: node for name, node in patch.nodes.items() if name in set(names) and node.type != OUTPUT}
    if not chosen:
        raise PatchError("select the nodes to group; the Output stays outside")
    inner = [c for c in patch.cables if c.source.node in chosen and c.target.node in chosen]
    crossing = [c for c in patch.cables if (c.source.node in chosen) != (c.target.node in chosen)]
    ends = [c.target if c.target.node in chosen else c.source for c in crossing]
    outer = _outer_names(dict.fromkeys([*ends, *(port for port in shown if port.node in chosen)]))
    group = patch.free_name(GROUP)

    def moved(port: Port) -> Port:
        return Port(group, outer[port]) if port in outer else port

    inside = Inside(Patch(nodes=chosen, cables=tuple(inner)), tuple(Exposed(name, port) for port, name in outer.items()))
    node = Node(GROUP, position=_middle(chosen), inside=inside)
    first, nodes = next(iter(chosen)), dict[str, Node]()
    for name, held in patch.nodes.items():
        if name == first:
            nodes[group] = node
        elif name not in chosen:
            nodes[name] = held
    outside = [replace(c, source=moved(c.source), target=moved(c.target)) for c in patch.cables if c not in inner]
    return replace(patch, nodes=nodes, cables=tuple(outside)), group, moved


def _outer_names(ports: Collection[Port]) -> dict[Port, str]:
    """A name for each port: its own, with its node's in front where two are alike, or where it is a letter that says nothing."""
    names = [port.name for port in ports]
    found: dict[Port, str] = {}
    for port in ports:
        telling = names.count(port.name) == 1 and len(port.name) > 1
        wish = port.name if telling else f"{port.node}_{port.name}"
        found[port] = _free(wish, found.values())
    return found


def _free(wish: str, taken: Collection[str]) -> str:
    wish, number = wish[:56], 2
    name = wish
    while name in taken:
        name, number = f"{wish}_{number}", number + 1
    return name


def _middle(nodes: Mapping[str, Node]) -> Position:
    """The middle of nodes, on the grid."""
    spans = [[node.position[axis] for node in nodes.values()] for axis in (0, 1)]
    x, y = (round((min(span) + max(span)) / 2.0 / _GRID) * _GRID for span in spans)
    return x, y


def ungrouped(patch: Patch, name: str) -> tuple[Patch, list[str], Moved]:
    """Put what a group holds in its place; returns the patch, the names of the nodes, and where the group's ports went.

    Raises:
        PatchError: when the node is no group.
    """
    node = patch.nodes[name]
    if node.inside is None:
        raise PatchError("is no group", name)
    inside = replace(node.inside, patch=silenced(node.inside)) if node.muted else node.inside
    outside = patch.without_nodes([name])
    names = _names_outside(outside, inside.patch)
    shift = [a - b for a, b in zip(node.position, _middle(inside.patch.nodes) if names else node.position, strict=True)]

    def moved(port: Port) -> Port:
        inner = inside.port(port.name) if port.node == name else None
        return Port(names.get(inner.node, inner.node), inner.name) if inner is not None else port

    nodes: dict[str, Node] = {}
    for key, held in patch.nodes.items():
        if key != name:
            nodes[key] = held
            continue
        for old, one in inside.patch.nodes.items():
            nodes[names[old]] = replace(one, position=(one.position[0] + shift[0], one.position[1] + shift[1]))
    inner = [
        replace(c, source=Port(names[c.source.node], c.source.name), target=Port(names[c.target.node], c.target.name))
        for c in inside.patch.cables
    ]
    outer = [replace(c, source=moved(c.source), target=moved(c.target)) for c in patch.cables]
    kept = [c for c in outer if c.source.node in nodes and c.target.node in nodes]
    return replace(patch, nodes=nodes, cables=(*kept, *inner)), list(names.values()), moved


def _names_outside(outside: Patch, inner: Patch) -> dict[str, str]:
    names: dict[str, str] = {}
    for name in inner.nodes:
        head, _, tail = name.rpartition("_")
        free = name
        while free in outside.nodes or free in names.values():
            free = _free(head if head and tail.isdigit() else name, [*outside.nodes, *inner.nodes, *names.values()])
        names[name] = free
    return names


# -- the ports of a group ---------------------------------------------------------------------------------------------------


def _inside(patch: Patch, group: str) -> Inside:
    held = patch.nodes[group].inside
    if held is None:
        raise PatchError("is no group", group)
    return held


def port_shown(patch: Patch, group: str, port: Port) -> Patch:
    """Have a group show a port of an inner node, under its own name where that is free."""
    inside = _inside(patch, group)
    if inside.shown(port):
        return patch
    taken = [shown.name for shown in inside.ports]
    name = port.name if port.name not in taken else _free(f"{port.node}_{port.name}", taken)
    return with_inside(patch, group, inside.patch, (*inside.ports, Exposed(name, port)))


def port_hidden(patch: Patch, group: str, name: str) -> Patch:
    """Have a group no longer show a port; its cables outside are taken off."""
    inside = _inside(patch, group)
    return with_inside(patch, group, inside.patch, [shown for shown in inside.ports if shown.name != name])


def port_renamed(patch: Patch, group: str, old: str, new: str) -> tuple[Patch, Moved]:
    """Give a port of a group another outer name; its cables follow.

    Raises:
        PatchError: when the name is taken or is no name.
    """
    inside = _inside(patch, group)
    if not NAME.match(new):
        raise PatchError(f"a port's name is a letter followed by letters, digits and _, got {new[:64]!r}", group, old)
    if new != old and any(shown.name == new for shown in inside.ports):
        raise PatchError(f"the name {new!r} is taken by another port", group, old)

    def moved(port: Port) -> Port:
        return Port(group, new) if port == Port(group, old) else port

    ports = tuple(replace(shown, name=new if shown.name == old else shown.name) for shown in inside.ports)
    changed = patch.with_node(group, replace(patch.nodes[group], inside=replace(inside, ports=ports)))
    cables = tuple(replace(c, source=moved(c.source), target=moved(c.target)) for c in changed.cables)
    return replace(changed, cables=cables), moved


def port_placed(patch: Patch, group: str, name: str, by: int) -> Patch:
    """Move a port of a group up (-1) or down (1) among its ports."""
    inside = _inside(patch, group)
    ports = list(inside.ports)
    place = next((i for i, shown in enumerate(ports) if shown.name == name), None)
    if place is None or not 0 <= place + by < len(ports):
        return patch
    ports.insert(place + by, ports.pop(place))
    return patch.with_node(group, replace(patch.nodes[group], inside=replace(inside, ports=tuple(ports))))


# -- patches as groups ------------------------------------------------------------------------------------------------------


def as_group(patch: Patch) -> Node:
    """A whole patch as a group: what fed its Output is shown as outlets, and so is every audio port that hangs free.

    A patch that is nothing but one group, as `saved_group` makes it, is that group.

    Raises:
        PatchError: when the patch is empty.
    """
    outputs = [name for name, node in patch.nodes.items() if node.type == OUTPUT]
    inner = patch.without_nodes(outputs)
    if not inner.nodes:
        raise PatchError(f"{patch.name} holds no nodes")
    if len(inner.nodes) == 1 and (only := next(iter(inner.nodes.values()))).inside is not None:
        return only
    heard = [c.source for c in patch.cables if c.target.node in outputs]
    used = {port for c in inner.cables for port in (c.source, c.target)}
    loose = [port for name, node in inner.nodes.items() for port in _audio_ports(name, node) if port not in used]
    ports = _outer_names(dict.fromkeys([*heard, *loose]))
    inside = Inside(Patch(nodes=inner.nodes, cables=inner.cables), tuple(Exposed(name, port) for port, name in ports.items()))
    label = "" if patch.name == "Untitled" else patch.name
    return Node(GROUP, inside=inside, label=label)


def _audio_ports(name: str, node: Node) -> list[Port]:
    spec = sheet_of(node)
    sockets: dict[str, Inlet | Outlet] = {**spec.inlets, **spec.outlets} if spec is not None else {}
    return [Port(name, key) for key, socket in sockets.items() if socket.signal is Signal.AUDIO]


def saved_group(name: str, node: Node) -> Patch:
    """A patch for the browser that is one group, heard where it has an audio outlet."""
    patch = Patch(name=node.label or re.sub("_", " ", name).capitalize(), tags=("group",))
    patch = patch.with_node(name, replace(node, position=(0.0, 0.0), bypassed=False, muted=False))
    spec = sheet_of(node)
    audio = next((key for key, outlet in (spec.outlets if spec else {}).items() if outlet.signal is Signal.AUDIO), None)
    if audio is None:
        return patch
    output = patch.free_name(OUTPUT)
    return patch.with_node(output, Node(OUTPUT, position=(320.0, 0.0))).with_cable(
        Cable(Port(name, audio), Port(output, "input"))
    )
