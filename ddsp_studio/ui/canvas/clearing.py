"""Moves nodes up and down until cables run behind as few of them as can be. Needs no window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF

from ddsp_studio.processors.patch import Cable, Port
from ddsp_studio.ui.canvas.style import GRID, WIDTH, cable_path

Floats = npt.NDArray[np.float64]
_POINTS = 96
"""Points of a cable that are looked at."""
_FAR = 16
"""Steps of the grid that a node may move at once."""
_APART = 16.0
"""Room between two nodes in scene units."""
_EDGE = 4.0
"""A cable that runs this close along a node is hard to tell from one behind it."""
_RISE = 0.1
"""What a unit of a cable's rise counts against a unit that runs behind a node."""
_LEAST_GAIN = 1.0
_MOST_TRIALS = 3_000


def cleared(
    cables: Sequence[Cable],
    places: Mapping[str, tuple[float, float]],
    sizes: Mapping[str, tuple[float, float]],
    sockets: Mapping[tuple[bool, Port], float],
) -> dict[str, tuple[float, float]]:
    """Better places for nodes.

    Each node behind which a cable runs, or whose cable runs behind another, goes to where most is gained, in turn, as long as
    anything is gained and `_MOST_TRIALS` are not spent: a patch of a hundred nodes does not keep its player waiting.

    Args:
        cables: those that are drawn. places: of every node. sizes: width and height of every node in scene units.
        sockets: how far below its node's top a socket is, by (whether it is an outlet, port).
    """
    sheet = _Sheet(cables, places, sizes, sockets)
    left, moved = _MOST_TRIALS, True
    while moved:
        moved = False
        for index in sheet.blamed():
            tops = [sheet.tops[index] + steps * GRID for steps in range(-_FAR, _FAR + 1) if steps]
            gains = [sheet.gain(index, top) for top in tops if left > 0]
            left -= len(gains)
            if gains and max(gains) > _LEAST_GAIN:
                sheet.move(index, tops[int(np.argmax(gains))])
                moved = True
    return {name: (places[name][0], float(top)) for name, top in zip(sheet.names, sheet.tops, strict=True)}


def hidden(
    cables: Sequence[Cable],
    places: Mapping[str, tuple[float, float]],
    sizes: Mapping[str, tuple[float, float]],
    sockets: Mapping[tuple[bool, Port], float],
) -> dict[Cable, float]:
    """The length of each cable that runs behind nodes, in scene units, of those of which any does."""
    lengths = _Sheet(cables, places, sizes, sockets).behind.sum(axis=1)
    return {cable: float(length) for cable, length in zip(cables, lengths, strict=True) if length > 0.0}


class _Sheet:
    """Nodes, their cables as rows of points, and how much of each cable runs behind each node: `behind` [cables, nodes]."""

    def __init__(
        self,
        cables: Sequence[Cable],
        places: Mapping[str, tuple[float, float]],
        sizes: Mapping[str, tuple[float, float]],
        sockets: Mapping[tuple[bool, Port], float],
    ) -> None:
        self.names = list(places)
        number = {name: index for index, name in enumerate(self.names)}
        self.lefts = np.array([places[name][0] for name in self.names], np.float64)
        self.tops = np.array([places[name][1] for name in self.names], np.float64)
        self.heights = np.array([sizes[name][1] for name in self.names], np.float64)
        self.ends = [(number[cable.source.node], number[cable.target.node]) for cable in cables]
        self.drops = [(sockets.get((True, cable.source), 0.0), sockets.get((False, cable.target), 0.0)) for cable in cables]
        self.points = np.zeros((len(self.ends), _POINTS, 2))
        self.behind = np.zeros((len(self.ends), len(self.names)))
        for row in range(len(self.ends)):
            self.points[row] = self._run(row, self.tops)
            self.behind[row] = self._behind(self.points[row][None], row, self.tops)[0]

    def _run(self, row: int, tops: Floats) -> Floats:
        """A cable as points that are equally far apart."""
        (source, target), (out, inlet) = self.ends[row], self.drops[row]
        start = QPointF(self.lefts[source] + WIDTH, tops[source] + out)
        end = QPointF(self.lefts[target], tops[target] + inlet)
        line = np.array([(point.x(), point.y()) for point in cable_path(start, end).toSubpathPolygons()[0].toList()])
        along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
        at = np.linspace(0.0, along[-1], _POINTS)
        return np.stack([np.interp(at, along, line[:, axis]) for axis in (0, 1)], axis=1)

    def _behind(self, points: Floats, row: int | None, tops: Floats, node: int | None = None) -> Floats:
        """Length of lines [lines, points, 2] behind each node, or behind one; those at the ends of cable `row` do not count."""
        which = slice(None) if node is None else slice(node, node + 1)
        left, top, bottom = self.lefts[which], tops[which], (tops + self.heights)[which]
        x, y = points[:, :, 0, None], points[:, :, 1, None]
        inside = (x > left - _EDGE) & (x < left + WIDTH + _EDGE) & (y > top - _EDGE) & (y < bottom + _EDGE)
        steps = np.hypot(*np.diff(points, axis=1).transpose(2, 0, 1)).mean(axis=1)
        lengths: Floats = inside.sum(axis=1) * steps[:, None]
        if row is not None:
            lengths[:, list(self.ends[row])] = 0.0
        return lengths

    def blamed(self) -> list[int]:
        """Nodes behind which cables run, and nodes at the ends of such cables."""
        nodes = set(np.flatnonzero(self.behind.sum(axis=0)).tolist())
        for row in np.flatnonzero(self.behind.sum(axis=1)).tolist():
            nodes.update(self.ends[row])
        return sorted(nodes)

    def gain(self, node: int, top: float) -> float:
        """How much better it would be if a node were there; below 0 where another is."""
        beside = np.abs(self.lefts - self.lefts[node]) < WIDTH + _APART
        meets = (self.tops < top + self.heights[node] + _APART) & (self.tops + self.heights > top - _APART) & beside
        meets[node] = False
        if meets.any():
            return -1.0
        tops = self.tops.copy()
        tops[node] = top
        own = [row for row, ends in enumerate(self.ends) if node in ends]
        others = [row for row, ends in enumerate(self.ends) if node not in ends]
        gained = self.behind[own].sum() + self.behind[others, node].sum()
        for row in own:
            gained -= self._behind(self._run(row, tops)[None], row, tops).sum()
            gained += _RISE * (self._rise(row, self.tops) - self._rise(row, tops))
        if others:
            gained -= self._behind(self.points[others], None, tops, node).sum()
        return float(gained)

    def _rise(self, row: int, tops: Floats) -> float:
        (source, target), (out, inlet) = self.ends[row], self.drops[row]
        return abs(float(tops[source] + out - tops[target] - inlet))

    def move(self, node: int, top: float) -> None:
        """Put a node there."""
        self.tops[node] = top
        for row, ends in enumerate(self.ends):
            if node in ends:
                self.points[row] = self._run(row, self.tops)
            self.behind[row] = self._behind(self.points[row][None], row, self.tops)[0]
