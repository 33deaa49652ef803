"""Patches as JSON on disk (`.ddsp`): bounded, migrated, atomic; loading executes nothing.

A patch without groups is written in the layout of schema 1, so that older studios read it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ddsp_studio.files import FileTooLarge, read_text, write_text
from ddsp_studio.processors.catalogue import package_of, specs
from ddsp_studio.processors.check import MAX_NODES
from ddsp_studio.processors.declare import OptionValue
from ddsp_studio.processors.nesting import GROUP, MAX_DEPTH, count
from ddsp_studio.processors.patch import LAST_CONTROLLER, NAME, Cable, Controller, Exposed, Inside, Node, Patch, PatchError, Port

FORMAT, SCHEMA, SUFFIX = "ddsp_studio patch", 2, ".ddsp"
MAX_BYTES = 16 * 2**20
FARTHEST = 200_000.0
"""Pixels from the canvas's middle to the farthest node, which is room for all of them in one row."""
MAX_TITLE, _MAX_TEXT = 200, 100_000
"""Characters of names and labels, and of notes; what is longer is cut."""

_Json = dict[str, Any]
MIGRATIONS: dict[int, Callable[[_Json], _Json]] = {1: lambda data: data}  # groups came with 2
"""For each old schema version, the function that turns its data into the next version's."""
NODE_MIGRATIONS: dict[tuple[str, int], Callable[[_Json], _Json]] = {
    # these learnt to follow the clock, which they do not unless they are told to
    ("Lfo", 1): lambda node: {**node, "version": 2},
    ("Delay", 1): lambda node: {**node, "version": 2},
}
"""For each (processor type, old version), the function that turns a node's data into the next version's."""


def to_json(patch: Patch) -> _Json:
    """The patch as JSON-able data."""
    return {
        "format": FORMAT,
        "schema": 2 if any(node.inside for node in patch.nodes.values()) else 1,
        "name": patch.name,
        "author": patch.author,
        "licence": patch.licence,
        "notes": patch.notes,
        "tags": list(patch.tags),
        **part_to_json(patch, patch.nodes),
    }


def part_to_json(patch: Patch, names: Iterable[str]) -> _Json:
    """Some nodes and the cables among them, as the clipboard holds them."""
    chosen = [name for name in patch.nodes if name in set(names)]
    return {
        "nodes": {name: _node_to_json(patch.nodes[name]) for name in chosen},
        "cables": [
            {"from": str(c.source), "to": str(c.target)} | ({} if c.amount is None else {"amount": c.amount})
            for c in patch.cables
            if c.source.node in chosen and c.target.node in chosen
        ],
    }


def _node_to_json(node: Node) -> _Json:
    data: _Json = {
        "type": node.type,
        "version": node.version,
        "position": [min(max(place, -FARTHEST), FARTHEST) for place in node.position],
    }
    if node.values:
        data["values"] = {k: v[0] if len(v) == 1 else list(v) for k, v in node.values.items()}
    if node.options:
        data["options"] = dict(node.options)
    if node.midi:
        data["midi"] = {key: [c.number, c.channel] if c.channel else c.number for key, c in node.midi.items()}
    if package := node.package or package_of(node.type):
        data["package"] = package
    if node.inside is not None:
        ports = {shown.name: str(shown.port) for shown in node.inside.ports}
        data["inside"] = {**part_to_json(node.inside.patch, node.inside.patch.nodes), "ports": ports}
    return data | ({"label": node.label} if node.label else {}) | {f: True for f in ("bypassed", "muted") if getattr(node, f)}


def from_json(data: object) -> Patch:
    """Build a patch from JSON data, migrating old versions. Node types need not be installed.

    Raises:
        PatchError: naming the node, the field and the reason.
    """
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise PatchError("this is no ddsp_studio patch")
    schema = data.get("schema")
    if not isinstance(schema, int) or schema < 1:
        raise PatchError(f"the schema is a version number, got {schema!r}")
    if schema > SCHEMA:
        raise PatchError(f"the patch was saved by a newer ddsp_studio (schema {schema}, this one reads up to {SCHEMA})")
    while schema < SCHEMA:
        data, schema = MIGRATIONS[schema](data), schema + 1
    nodes, cables = part_from_json(data)
    words = {key: _text(data.get(key, ""), key) for key in ("author", "licence", "notes")}
    words["name"] = _text(data.get("name", ""), "name", MAX_TITLE)
    tags = data.get("tags", [])
    if not isinstance(tags, list):
        raise PatchError(f"tags are a list of words, got {type(tags).__name__}")
    return Patch(nodes=nodes, cables=cables, tags=tuple(_text(tag, "tags", MAX_TITLE) for tag in tags[:64]), **words)


def part_from_json(data: object) -> tuple[dict[str, Node], tuple[Cable, ...]]:
    """Nodes and cables from JSON data (a patch, or the clipboard); PatchError if they are malformed."""
    specs()  # processors of other packages bring migrations of their own
    nodes, cables = _part(data, 0)
    held = count(Patch(nodes=nodes))
    if held > MAX_NODES:
        raise PatchError(f"a patch has {MAX_NODES} nodes at most, those in groups included, got {held}")
    return nodes, cables


def _part(data: object, depth: int) -> tuple[dict[str, Node], tuple[Cable, ...]]:
    """Nodes and cables at one level of groups."""
    if not isinstance(data, dict):
        raise PatchError("nodes and cables are written as a JSON object")
    raw_nodes, raw_cables = data.get("nodes"), data.get("cables", [])
    if not isinstance(raw_nodes, dict) or not isinstance(raw_cables, list):
        raise PatchError("a patch has an object of nodes and a list of cables")
    if len(raw_nodes) > MAX_NODES or len(raw_cables) > 16 * MAX_NODES:
        raise PatchError(f"a patch has {MAX_NODES} nodes and {16 * MAX_NODES} cables at most")
    nodes = {name: _node(name, raw, depth) for name, raw in raw_nodes.items()}
    return nodes, tuple(_cable(raw, nodes) for raw in raw_cables)


def _inside(name: str, kind: str, data: object, depth: int) -> Inside | None:
    """What a group holds, one level further in."""
    if data is None:
        return None
    if kind != GROUP:
        raise PatchError(f"only a {GROUP} has something inside", name)
    if depth >= MAX_DEPTH:
        raise PatchError(f"groups nest {MAX_DEPTH} deep at most", name)
    nodes, cables = _part(data, depth + 1)
    raw = data.get("ports", {}) if isinstance(data, dict) else {}
    if not isinstance(raw, dict) or len(raw) > MAX_NODES:
        raise PatchError(f"the ports of a group are an object, {MAX_NODES} at most", name)
    return Inside(Patch(nodes=nodes, cables=cables), tuple(_exposed(name, outer, inner, nodes) for outer, inner in raw.items()))


def _exposed(group: str, name: str, raw: object, nodes: dict[str, Node]) -> Exposed:
    if not NAME.match(name) or not isinstance(raw, str):
        raise PatchError(f"a port of a group is a name and the node.port it stands for, got {name[:64]!r}", group)
    port = Port.parse(raw)
    if port.node not in nodes:
        raise PatchError(f"shows a port of the node {port.node!r}, which the group has not", group, name)
    return Exposed(name, port)


def _text(value: object, key: str, most: int = _MAX_TEXT) -> str:
    if not isinstance(value, str):
        raise PatchError(f"{key} is text, got {value!r:.80}")
    return value[:most]


def _place(value: object, node: str) -> float:
    number = _number(value, node, "position")
    if abs(number) > FARTHEST:
        raise PatchError(f"a node lies within {FARTHEST:.0f} pixels of the canvas's middle, got {number:g}", node, "position")
    return number


def _number(value: object, node: str, port: str) -> float:
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
    except OverflowError:  # a whole number beyond any float
        pass
    raise PatchError(f"expected a finite number, got {value!r:.40}", node, port)


def _node(name: str, raw: object, depth: int) -> Node:
    if not NAME.match(name):
        raise PatchError(f"a node's name is a letter followed by letters, digits and _, got {name[:64]!r}")
    if not isinstance(raw, dict) or not isinstance(raw.get("type"), str):
        raise PatchError("a node is an object with a type", name)
    if len(raw["type"]) > MAX_TITLE:
        raise PatchError(f"the type of a processor has {MAX_TITLE} characters at most, got {len(raw['type'])}", name)
    while isinstance(raw.get("version", 1), int) and (step := NODE_MIGRATIONS.get((raw["type"], raw.get("version", 1)))):
        raw = step(raw)
    version, position, values = raw.get("version", 1), raw.get("position", [0, 0]), raw.get("values", {})
    if not isinstance(version, int) or isinstance(version, bool):
        raise PatchError(f"the version is a whole number, got {version!r:.40}", name)
    if not (isinstance(position, list) and len(position) == 2):
        raise PatchError("the position is two numbers", name)
    if not isinstance(values, dict) or not isinstance(raw.get("options", {}), dict):
        raise PatchError("values and options are objects", name)
    options: dict[str, OptionValue] = {}
    for key, value in raw.get("options", {}).items():
        if not isinstance(value, (int, float, str)):
            raise PatchError(f"an option is a number or text, got {value!r:.40}", name, key)
        options[key] = value
    return Node(
        type=raw["type"],
        version=version,
        position=(_place(position[0], name), _place(position[1], name)),
        values={key: _channels(value, name, key) for key, value in values.items()},
        options=options,
        label=_text(raw.get("label", ""), "label", MAX_TITLE),
        bypassed=raw.get("bypassed") is True,
        muted=raw.get("muted") is True,
        inside=_inside(name, raw["type"], raw.get("inside"), depth),
        package=_text(raw.get("package", ""), "package", MAX_TITLE),
        midi=_midi(name, raw.get("midi", {})),
    )


def _midi(node: str, raw: object) -> dict[str, Controller]:
    if not isinstance(raw, dict) or len(raw) > MAX_NODES:
        raise PatchError("the MIDI controllers of a node are an object", node)
    found = {}
    for key, held in raw.items():
        numbers = held if isinstance(held, list) else [held, 0]
        whole = len(numbers) == 2 and all(isinstance(n, int) and not isinstance(n, bool) for n in numbers)
        if not whole or not (0 <= numbers[0] <= LAST_CONTROLLER and 0 <= numbers[1] <= 16):
            raise PatchError(f"a MIDI controller is a number from 0 to {LAST_CONTROLLER}, or [number, channel]", node, key[:64])
        found[key] = Controller(*numbers)
    return found


def _channels(value: object, node: str, control: str) -> tuple[float, ...]:
    items = value if isinstance(value, list) else [value]
    if not 1 <= len(items) <= 4096:
        raise PatchError(f"a control has 1 to 4096 channels, got {len(items)}", node, control)
    return tuple(_number(item, node, control) for item in items)


def _cable(raw: object, nodes: dict[str, Node]) -> Cable:
    if not isinstance(raw, dict) or not isinstance(raw.get("from"), str) or not isinstance(raw.get("to"), str):
        raise PatchError('a cable is an object with "from" and "to"')
    source, target = Port.parse(raw["from"]), Port.parse(raw["to"])
    for port in (source, target):
        if port.node not in nodes:
            raise PatchError(f"a cable names the node {port.node!r}, which the patch has not", port.node, port.name)
    amount = raw.get("amount")
    return Cable(source, target, None if amount is None else _number(amount, target.node, target.name))


def dumps(patch: Patch) -> str:
    """The file's text; short lists stay on one line so that a diff reads well."""
    return json.dumps(to_json(patch), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def loads(text: str) -> Patch:
    """Read a patch from text (PatchError in one sentence if it is none)."""
    if not text.strip():
        raise PatchError("the patch is empty")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as problem:  # no JSON, or a number of thousands of digits
        place = f" (line {problem.lineno})" if isinstance(problem, json.JSONDecodeError) else ""
        raise PatchError(f"the patch is cut short or damaged{place}") from problem
    return from_json(data)


def save(patch: Patch, path: Path) -> None:
    """Write a patch atomically, keeping the previous version as "name~" (OSError if the folder cannot be written)."""
    write_text(path, dumps(patch), keep_previous=True)


def load(path: Path) -> Patch:
    """Read a patch file (PatchError in one sentence naming the file, OSError if it cannot be read)."""
    path = Path(path)
    try:
        return loads(read_text(path, MAX_BYTES, "patch"))
    except FileTooLarge as problem:
        raise PatchError(str(problem)) from problem
    except UnicodeDecodeError as problem:
        raise PatchError(f"{path.name} is no text, so no patch") from problem
    except PatchError as problem:
        raise PatchError(f"{path.name}: {problem}") from problem
