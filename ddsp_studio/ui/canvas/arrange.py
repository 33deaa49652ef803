"""Auto-arrange: nodes in columns from the sources to the output, rows ordered so that few cables cross. Needs no window."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from statistics import median

from ddsp_studio.processors.check import order
from ddsp_studio.processors.nesting import sheet_of
from ddsp_studio.processors.patch import Patch, PatchError, Port
from ddsp_studio.ui.canvas.clearing import cleared
from ddsp_studio.ui.canvas.geometry import lay_out
from ddsp_studio.ui.canvas.style import GRID
from ddsp_studio.ui.edits import signal_of

_GAP_X, _AMOUNT_GAP_X, _GAP_Y = 48.0, 80.0, 32.0
_BAND_GAP, _MOST_BANDS = 72.0, 4
_TALLEST = 960.0
"""Height from which a column is split."""
_ASPECT = 1.65
"""Width to height of a usual canvas."""
_CLEARLY = 0.8
"""Another band is worth its long cable back if everything then shows at least this much larger."""
_PASSES = 6
_Band = list[list[str]]


def natural_places(patch: Patch) -> dict[str, tuple[float, float]]:
    """A place for every node of a patch as the canvas draws it; PatchError if the cables make a loop.

    Two ways through one group may look like a loop and are none: cables back into groups are not looked at then.
    """
    groups = {name for name, node in patch.nodes.items() if node.inside is not None}
    try:
        order(patch)
    except PatchError:
        if not groups:
            raise
        patch = patch.without_cables([c for c in patch.cables if c.target.node in groups])
    sizes, sockets = measured(patch)
    return cleared(tuple(patch.cables), arranged(patch, sizes, sockets), sizes, sockets)


def measured(patch: Patch) -> tuple[dict[str, tuple[float, float]], dict[tuple[bool, Port], float]]:
    """Width and height of every node as the canvas draws it, and how far below its node's top each socket is."""
    laid = {
        name: lay_out(name, node, sheet_of(node), {c: signal_of(patch, c) for c in patch.of_node(name)}, unfolded=False)
        for name, node in patch.nodes.items()
    }
    sizes = {name: (geometry.rect.width(), geometry.rect.height()) for name, geometry in laid.items()}
    return sizes, {(s.is_outlet, s.port): s.place.y() for geometry in laid.values() for s in geometry.sockets.values()}


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
    columns = [part for column in columns if column for part in _split(column, sizes)]
    places: dict[str, tuple[float, float]] = {}
    top = 0.0
    for band in _bands(columns, sizes, modulated):
        placed = _straightened(patch, band, _placed(band, sizes, modulated), sockets)
        shift = top - min(y for _, y in placed.values())
        places |= {name: (x, y + shift) for name, (x, y) in placed.items()}
        top = max(places[name][1] + sizes[name][1] for name in placed) + _BAND_GAP
    return places


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


def _split(column: list[str], sizes: Mapping[str, tuple[float, float]]) -> list[list[str]]:
    """A tall column as several side by side; no cable runs between its nodes."""
    parts = min(math.ceil(_height(column, sizes) / _TALLEST), len(column))
    length = math.ceil(len(column) / parts)
    return [column[start : start + length] for start in range(0, len(column), length)]


def _ranks(columns: list[list[str]]) -> dict[str, float]:
    return {name: (row + 0.5) / len(column) for column in columns for row, name in enumerate(column)}


def _placed(band: _Band, sizes: Mapping[str, tuple[float, float]], modulated: Collection[str]) -> dict[str, tuple[float, float]]:
    """Place the columns of a band side by side, each around the band's middle."""
    places: dict[str, tuple[float, float]] = {}
    tallest, x = max(_height(column, sizes) for column in band), 0.0
    for index, column in enumerate(band):
        x += _gap(column, modulated) if index else 0.0
        y = (tallest - _height(column, sizes)) / 2.0
        for name in column:
            places[name] = (round(x / GRID) * GRID, round(y / GRID) * GRID)
            y += sizes[name][1] + _GAP_Y
        x += max(sizes[name][0] for name in column)
    return places


def _straightened(
    patch: Patch, band: _Band, places: dict[str, tuple[float, float]], sockets: Mapping[tuple[bool, Port], float]
) -> dict[str, tuple[float, float]]:
    """Give a node that stands alone in its column the height at which its first cable runs straight."""
    for before, column in itertools.pairwise(band):
        straight = [c for c in patch.cables if c.target.node == column[0] and c.source.node in before and c.amount is None]
        if len(column) == 1 and straight:
            rise = sockets.get((True, straight[0].source), 0.0) - sockets.get((False, straight[0].target), 0.0)
            places[column[0]] = (places[column[0]][0], places[straight[0].source.node][1] + rise)
    return places


def _height(column: Sequence[str], sizes: Mapping[str, tuple[float, float]]) -> float:
    return sum(sizes[name][1] + _GAP_Y for name in column) - _GAP_Y


def _gap(column: Sequence[str], modulated: Collection[str]) -> float:
    return _AMOUNT_GAP_X if any(name in modulated for name in column) else _GAP_X


def _bands(columns: list[list[str]], sizes: Mapping[str, tuple[float, float]], modulated: Collection[str]) -> list[_Band]:
    """Fold a long row of columns into bands, if the whole can be shown clearly larger that way."""
    widths = [max(sizes[n][0] for n in column) + _gap(column, modulated) for column in columns]

    def extent(bands: list[_Band]) -> float:
        rows = [[widths[columns.index(column)] for column in band] for band in bands]
        height = sum(max(_height(column, sizes) for column in band) + _BAND_GAP for band in bands) - _BAND_GAP
        return max(max(map(sum, rows)) / _ASPECT, height)

    best = [columns] if columns else []
    for count in range(2, min(_MOST_BANDS, len(columns)) + 1):
        folded = _folded(columns, widths, count)
        if extent(folded) < _CLEARLY * extent(best):
            best = folded
    return best


def _folded(columns: list[list[str]], widths: Sequence[float], count: int) -> list[_Band]:
    """Columns in `count` bands at most, of about equal width."""
    bands: list[_Band] = [[]]
    share, filled = sum(widths) / count, 0.0
    for column, width in zip(columns, widths, strict=True):
        if bands[-1] and len(bands) < count and filled + width / 2.0 > share * len(bands):
            bands.append([])
        bands[-1].append(column)
        filled += width
    return bands
