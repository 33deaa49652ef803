"""Groups: a node that holds a patch of its own. Its data sheet, what it is without its walls, and the way into it.

A group is drawing, not sound: `expand` puts in its place what it holds, under names joined by a slash ("strings/filter"), and
only that is checked, compiled and played. Values live in the inner nodes alone; a group's control is another name for one of
theirs. Imports neither TensorFlow nor Qt.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from ddsp_studio.processors.catalogue import specs
from ddsp_studio.processors.declare import Control, Inlet, Outlet, Signal, Spec
from ddsp_studio.processors.patch import Cable, Exposed, Inside, Node, Patch, PatchError, Port

GROUP, SEPARATOR = "Group", "/"
MAX_DEPTH = 8
"""Groups within groups at most."""
_MIXER = "VoiceMixer"


# -- data sheets ------------------------------------------------------------------------------------------------------------


def absence(node: Node) -> str:
    """Why a node cannot be played here, in one sentence; "" if it can. Such a node is kept as it is."""
    if node.inside is not None:
        return ""
    spec = specs().get(node.type)
    if spec is None:
        return f"processor type {node.type!r} is not installed" + (f"; it comes with {node.package}" if node.package else "")
    if node.version != spec.version:
        return f"{spec.name} is version {spec.version} here, and the patch has version {node.version}"
    return ""


def sheet_of(node: Node) -> Spec | None:
    """The data sheet of a node; None for one that cannot be played here. A group's is made of what it shows."""
    if node.inside is not None:
        return _group_sheet(node.inside)
    return None if absence(node) else specs()[node.type]


def _group_sheet(inside: Inside) -> Spec:
    inlets: dict[str, Inlet] = {}
    controls: dict[str, Control] = {}
    outlets: dict[str, Outlet] = {}
    for shown in inside.ports:
        node = inside.patch.nodes.get(shown.port.node)
        spec, name = sheet_of(node) if node is not None else None, shown.port.name
        if node is None or spec is None:
            continue
        if name in spec.inlets:
            inlets[shown.name] = spec.inlets[name]
        elif name in spec.controls:
            controls[shown.name] = replace(spec.controls[name], channels=spec.channels(name, node.options), advanced=False)
        elif name in spec.outlets:
            outlets[shown.name] = replace(spec.outlets[name], channels=spec.channels(name, node.options))
    held = len(expand(inside.patch).nodes)
    summary = f"{held} {'node' if held == 1 else 'nodes'} as one."
    return Spec(GROUP, 1, GROUP, summary, inlets=inlets, controls=controls, outlets=outlets)


# -- without walls ----------------------------------------------------------------------------------------------------------


def _remembered(make: Callable[[Patch], Patch]) -> Callable[[Patch], Patch]:
    """Keep what was made of the last few patches: they are immutable, and the same one is asked about many times."""
    held: deque[tuple[Patch, Patch]] = deque(maxlen=16)

    def of(patch: Patch) -> Patch:
        for given, made in list(held):
            if given is patch:
                return made
        made = make(patch)
        held.append((patch, made))
        return made

    return of


def expand(patch: Patch) -> Patch:
    """The patch with every group replaced by what it holds; the patch itself if it has no groups.

    Of a muted group the nodes behind its audio outlets are muted; a bypassed one leaves a way from its first audio inlet. Cables
    to ports that a group does not show are left out.
    """
    if not any(node.inside for node in patch.nodes.values()):
        return patch
    return _expanded(patch)


@_remembered
def _expanded(patch: Patch) -> Patch:
    for name, node in list(patch.nodes.items()):
        if node.inside is not None and node.bypassed and not node.muted and not holds_mixer(node):
            patch = _passed_by(patch, name, node)
    nodes: dict[str, Node] = {}
    cables: list[Cable] = []
    for name, node in patch.nodes.items():
        if node.inside is None:
            nodes[name] = node
            continue
        inner = expand(silenced(node.inside) if node.muted else node.inside.patch)
        nodes |= {f"{name}{SEPARATOR}{key}": held for key, held in inner.nodes.items()}
        cables += [replace(c, source=_within(name, c.source), target=_within(name, c.target)) for c in inner.cables]
    for cable in patch.cables:
        source, target = deep(patch, cable.source), deep(patch, cable.target)
        if source is not None and target is not None:
            cables.append(replace(cable, source=source, target=target))
    return replace(patch, nodes=nodes, cables=tuple(cables))


def _within(group: str, port: Port) -> Port:
    return Port(f"{group}{SEPARATOR}{port.node}", port.name)


def deep(patch: Patch, port: Port) -> Port | None:
    """The port of the expanded patch that a port stands for; None for one that a group does not show."""
    node = patch.nodes.get(port.node)
    if node is None or node.inside is None:
        return port
    inner = node.inside.port(port.name)
    found = deep(node.inside.patch, inner) if inner is not None else None
    return _within(port.node, found) if found is not None else None


def holds_mixer(node: Node) -> bool:
    """Whether a group leads from the voices to what is mixed, so that nothing can pass it by."""
    return node.inside is not None and any(held.type == _MIXER for held in expand(node.inside.patch).nodes.values())


def _passed_by(patch: Patch, name: str, node: Node) -> Patch:
    spec = sheet_of(node)
    inlets, outlets = (spec.inlets, spec.outlets) if spec is not None else ({}, {})
    first = next((key for key, inlet in inlets.items() if inlet.signal is Signal.AUDIO), "")
    audio = {key for key, outlet in outlets.items() if outlet.signal is Signal.AUDIO}
    sources = [c.source for c in patch.into(Port(name, first))]
    targets = [c.target for c in patch.cables if c.source.node == name and c.source.name in audio]
    return _bridged(patch.without_nodes([name]), [Cable(a, b) for a in sources for b in targets if name not in (a.node, b.node)])


def _bridged(patch: Patch, cables: Sequence[Cable]) -> Patch:
    for cable in cables:
        patch = patch.with_cable(cable)
    return patch


def silenced(inside: Inside) -> Patch:
    """What a muted group holds: no audio leaves it."""
    patch = inside.patch
    for shown in inside.ports:
        node = patch.nodes.get(shown.port.node)
        spec = sheet_of(node) if node is not None else None
        outlet = spec.outlets.get(shown.port.name) if spec is not None else None
        if node is not None and outlet is not None and outlet.signal is Signal.AUDIO:
            patch = patch.with_node(shown.port.node, replace(node, muted=True))
    return patch


# -- what is not installed --------------------------------------------------------------------------------------------------


def absent(patch: Patch) -> dict[str, str]:
    """Every node that cannot be played here, by its name in the expanded patch, and why in one sentence."""
    return {name: reason for name, node in expand(patch).nodes.items() if (reason := absence(node))}


def playable(patch: Patch) -> Patch:
    """What is played of a patch: groups expanded; a node that is not installed here is passed by where audio runs through it."""
    flat = expand(patch)
    return _present(flat) if any(absence(node) for node in flat.nodes.values()) else flat


@_remembered
def _present(flat: Patch) -> Patch:
    from ddsp_studio.processors.check import refusal

    patch, bridges = flat, set[Cable]()
    for name in [name for name, node in flat.nodes.items() if absence(node)]:
        into = [c.source for c in patch.cables if c.target.node == name and c.amount is None and _is_audio(patch, c.source)]
        out = [c.target for c in patch.cables if c.source.node == name and c.amount is None and _is_audio(patch, c.target)]
        made = [Cable(source, target) for source in into for target in out if source.node != target.node]
        patch, bridges = _bridged(patch.without_nodes([name]), made), bridges | set(made)
    kept = patch.without_cables(bridges)
    for cable in patch.cables:
        if cable in bridges and refusal(kept, cable.source, cable.target) is None:
            kept = kept.with_cable(cable)
    return kept


def _is_audio(patch: Patch, port: Port) -> bool:
    """Whether a port carries audio, as far as is known."""
    spec = sheet_of(patch.nodes[port.node])
    socket = None if spec is None else {**spec.inlets, **spec.controls, **spec.outlets}.get(port.name)
    return spec is None or getattr(socket, "signal", None) is Signal.AUDIO


# -- levels -----------------------------------------------------------------------------------------------------------------

Moved = Callable[[Port], Port]
"""Where a port of a level is after an edit of that level."""
Path = tuple[str, ...]
"""The way into a group: names of the groups from the outermost in; () is the patch itself."""


def existing(patch: Patch, path: Path) -> Path:
    """As much of a way as leads somewhere."""
    for index, name in enumerate(path):
        node = patch.nodes.get(name)
        if node is None or node.inside is None:
            return path[:index]
        patch = node.inside.patch
    return path


def level(patch: Patch, path: Path) -> Patch:
    """What is inside the group that a way leads to. KeyError if it leads nowhere."""
    for name in path:
        inside = patch.nodes[name].inside
        if inside is None:
            raise KeyError(name)
        patch = inside.patch
    return patch


def with_level(patch: Patch, path: Path, inner: Patch, moved: Moved | None = None) -> Patch:
    """The whole patch with another inside of the group that a way leads to.

    `moved` says where the ports that were shown are now. Ports that are gone are no longer shown, and their cables go with them.
    """
    if not path:
        return inner
    node = patch.nodes[path[0]]
    if node.inside is None:
        raise KeyError(path[0])
    changed = with_level(node.inside.patch, path[1:], inner, moved)
    ports = node.inside.ports
    if len(path) == 1 and moved is not None:
        ports = tuple(replace(shown, port=moved(shown.port)) for shown in ports)
    return with_inside(patch, path[0], changed, _still_there(ports, changed))


def _still_there(ports: Collection[Exposed], patch: Patch) -> list[Exposed]:
    def stays(port: Port) -> bool:
        node = patch.nodes.get(port.node)
        return node is not None and (node.inside is None or node.inside.port(port.name) is not None)

    return [shown for shown in ports if stays(shown.port)]


def with_inside(patch: Patch, name: str, inner: Patch, ports: Collection[Exposed]) -> Patch:
    """Give a group another inside; cables to ports that it no longer shows are taken off."""
    shown = {exposed.name for exposed in ports}
    changed = patch.with_node(name, replace(patch.nodes[name], inside=Inside(inner, tuple(ports))))
    loose = [
        c
        for c in changed.cables
        if (c.source.node == name and c.source.name not in shown) or (c.target.node == name and c.target.name not in shown)
    ]
    return changed.without_cables(loose)


def surface(patch: Patch, path: Path, port: Port) -> Port | None:
    """What a port of the expanded patch is called at the level of a way; None if it is not seen there."""
    *groups, name = port.node.split(SEPARATOR)
    if tuple(groups[: len(path)]) != path:
        return None
    seen: Port | None = Port(name, port.name)
    for depth in range(len(groups), len(path), -1):
        inside = level(patch, tuple(groups[: depth - 1])).nodes[groups[depth - 1]].inside
        outer = inside.shown(seen) if inside is not None and seen is not None else ""
        seen = Port(groups[depth - 1], outer) if outer else None
    return seen


def at_level(path: Path, name: str) -> str:
    """The node at the level of a way that a node of the expanded patch is, or is in; "" if it is elsewhere."""
    parts = name.split(SEPARATOR)
    return parts[len(path)] if tuple(parts[: len(path)]) == path and len(parts) > len(path) else ""


def flat_name(path: Path, name: str) -> str:
    """The name in the expanded patch of a node (that is no group) at the level of a way."""
    return SEPARATOR.join((*path, name))


def node_at(patch: Patch, name: str) -> Node | None:
    """The node that has a name in the expanded patch, as the document holds it."""
    *groups, last = name.split(SEPARATOR)
    path = tuple(groups)
    return level(patch, path).nodes.get(last) if existing(patch, path) == path else None


def with_node_at(patch: Patch, name: str, node: Node) -> Patch:
    """The patch with another node in the place of the one that has a name in the expanded patch."""
    *groups, last = name.split(SEPARATOR)
    path = tuple(groups)
    return with_level(patch, path, level(patch, path).with_node(last, node))


def depth(patch: Patch) -> int:
    """How deep groups are nested: 0 without groups."""
    return max((1 + depth(node.inside.patch) for node in patch.nodes.values() if node.inside is not None), default=0)


def count(patch: Patch) -> int:
    """How many nodes there are, groups and what they hold included."""
    return sum(1 + (count(node.inside.patch) if node.inside is not None else 0) for node in patch.nodes.values())


def check_groups(patch: Patch, where: str = "") -> None:
    """Refuse groups that nest too deep, that show a port which is not there, or cables to ports they do not show (PatchError)."""
    if depth(patch) > MAX_DEPTH:
        raise PatchError(f"groups nest {MAX_DEPTH} deep at most")
    for name, node in patch.nodes.items():
        if node.inside is None:
            continue
        full = f"{where}{name}"
        for shown in node.inside.ports:
            inner = node.inside.patch.nodes.get(shown.port.node)
            spec = sheet_of(inner) if inner is not None else None
            known = spec is None or shown.port.name in {**spec.inlets, **spec.controls, **spec.outlets}
            if inner is None or not known:
                raise PatchError(f"shows {shown.port}, which the group has not", full, shown.name)
        for cable in patch.of_node(name):
            for port in (cable.source, cable.target):
                if port.node == name and node.inside.port(port.name) is None:
                    raise PatchError(f"the group {name!r} shows no port {port.name!r}", full, port.name)
        check_groups(node.inside.patch, f"{full}{SEPARATOR}")
