"""Cables come out from behind nodes, and nodes stay apart."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_studio.processors.patch import Cable, Port
from ddsp_studio.ui.canvas.clearing import cleared, hidden
from ddsp_studio.ui.canvas.style import GRID, WIDTH

SIZE = (WIDTH, 96.0)


def row(*names: str) -> dict[str, tuple[float, float]]:
    return {name: (index * (WIDTH + 48.0), 0.0) for index, name in enumerate(names)}


def lines(*ends: str) -> list[Cable]:
    return [Cable(Port(source, "out"), Port(target, "in")) for source, target in (end.split("-") for end in ends)]


def apart(places: dict[str, tuple[float, float]]) -> bool:
    boxes = list(places.values())
    return all(abs(a[0] - b[0]) >= SIZE[0] or abs(a[1] - b[1]) >= SIZE[1] for i, a in enumerate(boxes) for b in boxes[:i])


def of(cables: list[Cable], places: dict[str, tuple[float, float]]) -> dict[Cable, float]:
    sockets = {(outlet, Port(name, port)): 48.0 for name in places for outlet, port in ((True, "out"), (False, "in"))}
    return hidden(cables, places, dict.fromkeys(places, SIZE), sockets)


def improved(cables: list[Cable], places: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    sockets = {(outlet, Port(name, port)): 48.0 for name in places for outlet, port in ((True, "out"), (False, "in"))}
    return cleared(cables, places, dict.fromkeys(places, SIZE), sockets)


def test_what_runs_behind_a_node_is_measured() -> None:
    through, beside = lines("a-c", "a-b")
    assert of([through, beside], row("a", "b", "c")) == {through: pytest.approx(WIDTH, rel=0.15)}


def test_a_node_in_the_way_steps_aside() -> None:
    cables, places = lines("a-b", "b-c", "a-c"), row("a", "b", "c")
    better = improved(cables, places)
    assert of(cables, places) and not of(cables, better)
    assert [x for x, _ in better.values()] == [x for x, _ in places.values()] and apart(better)
    assert all(y % GRID == 0.0 for _, y in better.values())


def test_what_is_clear_stays() -> None:
    cables, places = lines("a-b", "b-c"), row("a", "b", "c")
    assert improved(cables, places) == places


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 12))
def test_it_never_gets_worse(seed: int, count: int) -> None:
    chance = random.Random(seed)
    names = [f"n{index}" for index in range(count)]
    places = {name: (240.0 * (index // 3), 160.0 * (index % 3)) for index, name in enumerate(names)}
    pairs = {tuple(sorted(chance.sample(range(count), 2))) for _ in range(2 * count)}
    cables = lines(*(f"n{a}-n{b}" for a, b in sorted(pairs)))
    better = improved(cables, places)
    rise = sum(abs(places[c.source.node][1] - places[c.target.node][1]) for c in cables)
    assert apart(better)
    assert sum(of(cables, better).values()) <= sum(of(cables, places).values()) + 0.1 * rise
