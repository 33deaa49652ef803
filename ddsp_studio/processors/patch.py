"""The patch document: named nodes and cables as plain, immutable data.

Every edit is a method that returns a new patch, so undo is keeping the old one. Checks live in `check.py`, the file
form in `patch_file.py`. Imports neither TensorFlow nor Qt.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ddsp_studio.processors.declare import OptionValue

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}\Z")
"""What a node may be called: a letter, then letters, digits and underscores."""


class PatchError(ValueError):
    """A patch, or an edit of one, that is refused: which node, which port, and why in one sentence."""

    def __init__(self, reason: str, node: str = "", port: str = "") -> None:
        self.node, self.port, self.reason = node, port, reason
        where = ".".join(filter(None, (node, port)))
        super().__init__(f"{where}: {reason}" if where else reason)


@dataclass(frozen=True, order=True)
class Port:
    """One socket of one node; its text form is "node.port"."""

    node: str
    name: str

    def __str__(self) -> str:
        return f"{self.node}.{self.name}"

    @classmethod
    def parse(cls, text: str) -> Port:
        """Read "node.port"; PatchError if the text has another form."""
        node, dot, name = text.partition(".")
        if not (dot and NAME.match(node) and NAME.match(name)):
            raise PatchError(f"a port is written node.port, got {text[:80]!r}")
        return cls(node, name)


@dataclass(frozen=True)
class Cable:
    """A connection from an outlet to an inlet or a control.

    `amount` is None when the source sets the target (audio, or a control in the same unit). A number makes the cable a
    modulation: source × amount is added to the control's knob position, which is then held to 0..1.
    """

    source: Port
    target: Port
    amount: float | None = None

    def __str__(self) -> str:
        return f"{self.source} -> {self.target}" + ("" if self.amount is None else f" × {self.amount:g}")


LAST_CONTROLLER = 119
"""The highest MIDI controller that is free to use; those above are channel mode messages."""


@dataclass(frozen=True)
class Controller:
    """A MIDI controller: its `number`, 0 to 119, on a `channel` from 1 to 16, or on any (0)."""

    number: int
    channel: int = 0

    def __str__(self) -> str:
        return f"CC {self.number}" + (f" on channel {self.channel}" if self.channel else "")


@dataclass(frozen=True)
class Node:
    """A processor in a patch. `values` holds the controls that differ from their defaults, in real units.

    `midi` says which MIDI controllers turn its controls.

    `bypassed` passes the first audio inlet to the first audio outlet; `muted` silences the node's audio outlets. A group has its
    nodes `inside`. `package` names the distribution that declares the type, for the day on which it is not installed.
    """

    type: str
    version: int = 1
    values: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    options: Mapping[str, OptionValue] = field(default_factory=dict)
    position: tuple[float, float] = (0.0, 0.0)
    label: str = ""
    bypassed: bool = False
    muted: bool = False
    inside: Inside | None = None
    package: str = field(default="", compare=False)
    midi: Mapping[str, Controller] = field(default_factory=dict)


@dataclass(frozen=True)
class Exposed:
    """A port that a group shows: what it is called outside, and the port inside that it stands for."""

    name: str
    port: Port


@dataclass(frozen=True)
class Inside:
    """What a group holds: a patch, of which nodes and cables count, and the ports that are shown outside, in their order."""

    patch: Patch
    ports: tuple[Exposed, ...] = ()

    def port(self, name: str) -> Port | None:
        """The port inside that an outer name stands for."""
        return next((shown.port for shown in self.ports if shown.name == name), None)

    def shown(self, port: Port) -> str:
        """What a port inside is called outside, "" if it is not shown."""
        return next((shown.name for shown in self.ports if shown.port == port), "")


@dataclass(frozen=True)
class Patch:
    """A graph of processors with its title and notes. Nodes keep their order; names are unique."""

    name: str = "Untitled"
    author: str = ""
    licence: str = ""
    notes: str = ""
    tags: tuple[str, ...] = ()
    nodes: Mapping[str, Node] = field(default_factory=dict)
    cables: tuple[Cable, ...] = ()

    # -- edits: each returns a new patch ------------------------------------------------------------------------------

    def free_name(self, type_name: str) -> str:
        """A free name for a new node of a type: "adsr", then "adsr_2" and so on."""
        stem = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type_name).lower()
        taken, number, name = set(self.nodes), 1, stem
        while name in taken:
            number += 1
            name = f"{stem}_{number}"
        return name

    def with_node(self, name: str, node: Node) -> Patch:
        """Add a node, or replace the node of that name."""
        if not NAME.match(name):
            raise PatchError("a node's name is a letter followed by letters, digits and _", name[:64])
        return replace(self, nodes={**self.nodes, name: node})

    def without_nodes(self, names: Iterable[str]) -> Patch:
        """Remove nodes and every cable that touches them."""
        gone = set(names)
        kept = {name: node for name, node in self.nodes.items() if name not in gone}
        return replace(self, nodes=kept, cables=tuple(c for c in self.cables if not gone & {c.source.node, c.target.node}))

    def renamed(self, old: str, new: str) -> Patch:
        """Give a node another name; its cables follow."""
        if new != old and new in self.nodes:
            raise PatchError(f"the name {new!r} is taken by another node", old)
        if not NAME.match(new):
            raise PatchError(f"a node's name is a letter followed by letters, digits and _, got {new[:64]!r}", old)

        def moved(port: Port) -> Port:
            return Port(new, port.name) if port.node == old else port

        nodes = {new if name == old else name: node for name, node in self.nodes.items()}
        cables = tuple(replace(c, source=moved(c.source), target=moved(c.target)) for c in self.cables)
        return replace(self, nodes=nodes, cables=cables)

    def with_cable(self, cable: Cable) -> Patch:
        """Connect; a cable between the same two ports is replaced.

        Another cable that sets the same control stays, and `check` refuses it.
        """
        kept = tuple(c for c in self.cables if (c.source, c.target) != (cable.source, cable.target))
        return replace(self, cables=(*kept, cable))

    def without_cables(self, cables: Iterable[Cable]) -> Patch:
        """Disconnect."""
        gone = {(c.source, c.target) for c in cables}
        return replace(self, cables=tuple(c for c in self.cables if (c.source, c.target) not in gone))

    def with_value(self, node: str, control: str, value: tuple[float, ...]) -> Patch:
        """Set a control of a node, in real units, one number a channel."""
        held = self.nodes[node]
        return self.with_node(node, replace(held, values={**held.values, control: value}))

    # -- questions ----------------------------------------------------------------------------------------------------

    def into(self, target: Port) -> tuple[Cable, ...]:
        """The cables that end in a port, in their order."""
        return tuple(c for c in self.cables if c.target == target)

    def of_node(self, name: str) -> tuple[Cable, ...]:
        """The cables that touch a node."""
        return tuple(c for c in self.cables if name in (c.source.node, c.target.node))

    def structure(self) -> str:
        """Hash of all that decides how the patch is compiled: types, options and cables, not values or positions."""
        shape = {
            "nodes": {n: [v.type, v.version, dict(v.options), v.bypassed, v.muted, *_held(v)] for n, v in self.nodes.items()},
            "cables": sorted(str(c) for c in self.cables),
        }
        return hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()[:16]

    def content_hash(self) -> str:
        """Hash of all that decides how the patch sounds: the structure and the values."""
        values: dict[str, object] = {n: {k: list(v) for k, v in node.values.items()} for n, node in self.nodes.items()}
        values |= {n: node.inside.patch.content_hash() for n, node in self.nodes.items() if node.inside}
        return hashlib.sha256((self.structure() + json.dumps(values, sort_keys=True)).encode()).hexdigest()[:16]

    def __str__(self) -> str:
        """The readable text form, which golden files compare."""
        lines = [f"patch {self.name!r}"]
        for name, node in self.nodes.items():
            flags = "".join(f" [{flag}]" for flag in ("bypassed", "muted") if getattr(node, flag))
            options = "".join(f" {key}={value}" for key, value in sorted(node.options.items()))
            lines.append(f"  {name}: {node.type} v{node.version}{options}{flags}")
            for control, value in sorted(node.values.items()):
                lines.append(f"    {control} = {' '.join(f'{v:g}' for v in value)}")
            lines += [f"    {control} by {controller}" for control, controller in sorted(node.midi.items())]
            if node.inside is not None:
                lines += [f"    {line}" for line in str(node.inside.patch).splitlines()[1:]]
                lines += [f"      {shown.name} = {shown.port}" for shown in node.inside.ports]
        lines += [f"  {cable}" for cable in sorted(self.cables, key=str)]
        return "\n".join(lines) + "\n"


def _held(node: Node) -> list[object]:
    """The structure of what a group holds."""
    if node.inside is None:
        return []
    return [node.inside.patch.structure(), [[shown.name, str(shown.port)] for shown in node.inside.ports]]
