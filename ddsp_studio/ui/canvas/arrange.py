"""Auto-arrange: nodes in columns from the sources to the output, rows ordered so that few cables cross. No Qt."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from statistics import median

from ddsp_studio.processors.check import order
from ddsp_studio.processors.patch import Patch, Port
from ddsp_studio.ui.canvas.style import GRID

_GAP_X, _AMOUNT_GAP_X, _GAP_Y = 48.0, 80.0, 32.0
_PASSES = 6


def arranged(
    patch: Patch, sizes: Mapping[str, tuple[float, float]], sockets: Mapping[tuple[bool, Port], float]
) -> dict[str, tuple[float, float]]:
    """A place for every node.

    Args:
        patch: the patch; it has no loops.
        sizes: width and height of every node in scene units.
        sockets: how far below its node's top a socket is, by (whether it is an outlet, port).
    """
    columns = _columns(patch)
    feeds: dict[str, list[str]] = {name: [] for name in patch.nodes}
    listens: dict[str, list[str]] = {name: [] for name in patch.nodes}
    for cable in patch.cables:
        feeds[cable.target.node].append(cable.source.node)
        listens[cable.source.node].append(cable.target.node)
    for index in range(_PASSES):
        neighbours, sweep = (feeds, columns) if index % 2 == 0 else (listens, columns[::-1])
        ranks = _ranks(columns)
        for column in sweep:
            column.sort(key=lambda name: median([ranks[n] for n in neighbours[name]]) if neighbours[name] else ranks[name])
            ranks.update(_ranks([column]))
    modulated = {cable.target.node for cable in patch.cables if cable.amount is not None}
    places = _placed(columns, sizes, modulated)
    return _straightened(patch, columns, places, sockets)


def _columns(patch: Patch) -> list[list[str]]:
    """Nodes by the longest way to them; sources move right, close to their first listener."""
    names = order(patch)
    depth = dict.fromkeys(names, 0)
    for name in names:
        for cable in patch.cables:
            if cable.target.node == name:
                depth[name] = max(depth[name], depth[cable.source.node] + 1)
    for name in reversed(names):
        listeners = [depth[c.target.node] for c in patch.cables if c.source.node == name]
        if listeners and not any(c.target.node == name for c in patch.cables):
            depth[name] = max(min(listeners) - 1, 0)
    columns: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for name in patch.nodes:
        columns[depth[name]].append(name)
    return columns


def _ranks(columns: list[list[str]]) -> dict[str, float]:
    return {name: (row + 0.5) / len(column) for column in columns for row, name in enumerate(column)}


def _straightened(
    patch: Patch,
    columns: list[list[str]],
    places: dict[str, tuple[float, float]],
    sockets: Mapping[tuple[bool, Port], float],
) -> dict[str, tuple[float, float]]:
    """Give a node that stands alone in its column the height at which its first cable runs straight."""
    for column in columns:
        into = [c for c in patch.cables if c.target.node == column[0] and c.amount is None] if len(column) == 1 else []
        if into and (True, into[0].source) in sockets and (False, into[0].target) in sockets:
            cable = into[0]
            height = places[cable.source.node][1] + sockets[True, cable.source] - sockets[False, cable.target]
            places[column[0]] = (places[column[0]][0], height)
    return places


def _placed(
    columns: list[list[str]], sizes: Mapping[str, tuple[float, float]], modulated: Collection[str]
) -> dict[str, tuple[float, float]]:
    places: dict[str, tuple[float, float]] = {}
    heights = [sum(sizes[n][1] + _GAP_Y for n in column) - _GAP_Y for column in columns if column]
    tallest, x = max(heights, default=0.0), 0.0
    for column in columns:
        if not column:
            continue
        x += 0.0 if not places else _AMOUNT_GAP_X if any(name in modulated for name in column) else _GAP_X
        y = (tallest - (sum(sizes[n][1] + _GAP_Y for n in column) - _GAP_Y)) / 2.0
        for name in column:
            places[name] = (round(x / GRID) * GRID, round(y / GRID) * GRID)
            y += sizes[name][1] + _GAP_Y
        x += max(sizes[n][0] for n in column)
    return places
