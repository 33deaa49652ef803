"""How long a structural edit takes from the new patch to its first block, as the engine's compile thread does it."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from typing import Any

from ddsp_studio.bench import subject
from ddsp_studio.bench.measure import Times
from ddsp_studio.processors.patch import Cable, Node, Patch, Port
from ddsp_studio.processors.player import Player


def _edited(patch: Patch, step: int) -> Patch:
    """The next of a round of edits as a person makes them, with node types that are in use already."""
    kind = step % 4
    if kind == 0:
        patch = patch.with_node(f"filter_{step}", Node("Filter"))
        patch = patch.without_cables(patch.into(Port("reverb", "input")))
        patch = patch.with_cable(Cable(Port("mixer", "audio"), Port(f"filter_{step}", "input")))
        return patch.with_cable(Cable(Port(f"filter_{step}", "audio"), Port("reverb", "input")))
    if kind == 1:
        return patch.with_cable(Cable(Port("voice", "velocity"), Port("harmonic", "tilt"), 0.1 + 0.01 * step))
    if kind == 2:
        node = patch.nodes["noise"]
        return patch.with_node("noise", replace(node, bypassed=not node.bypassed))
    patch = patch.without_nodes([f"filter_{step - 3}"])
    patch = patch.without_cables(c for c in patch.cables if c.amount is not None)
    return patch.with_cable(Cable(Port("mixer", "audio"), Port("reverb", "input")))


def rows(*, quick: bool) -> list[dict[str, Any]]:
    """Times in ms from an edited patch to its first rendered block; the first round, with new types, stands apart."""
    hops, voices = 4, 8
    patch = subject.patch()
    player = Player(patch, sample_rate=subject.SAMPLE_RATE, voices=voices)
    subject.endless(player, hops)()
    taken: list[float] = []
    for step in range(8 if quick else 40):
        patch = _edited(patch, step)
        begin = time.perf_counter()
        edited = Player(patch, sample_rate=subject.SAMPLE_RATE, voices=voices)
        edited.warm(hops)
        edited.adopt(player)
        subject.endless(edited, hops, improved=False)()
        taken.append(time.perf_counter() - begin)
        player = edited
    return [
        {"what": "first use of a node type", **asdict(Times.of(taken[:4]))},
        {"what": "types in use already", **asdict(Times.of(taken[4:]))},
    ]
