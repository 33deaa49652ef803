"""The compiled patch under XLA: is the output the same, and how long does a block take?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from ddsp_studio.bench import subject
from ddsp_studio.bench.measure import Times, alternate
from ddsp_studio.processors.patch import Patch
from ddsp_studio.processors.player import Player

LIMIT_DB = -80.0


def difference_db(patch: Patch, *, voices: int, hops: int, seconds: float) -> float:
    """Largest difference between XLA's output and the plain one over a performance, in dB of the plain one's peak."""
    players = [Player(patch, sample_rate=subject.SAMPLE_RATE, voices=voices, jit=jit) for jit in (False, True)]
    calls = [subject.endless(player, hops) for player in players]
    peak = gap = 0.0
    for _ in range(max(1, round(seconds * subject.SAMPLE_RATE / (hops * subject.HOP)))):
        plain, compiled = (call().audio for call in calls)
        peak = max(peak, float(np.abs(plain).max()))
        gap = max(gap, float(np.abs(plain - compiled).max()))
    return 20.0 * float(np.log10(max(gap, 1e-12) / max(peak, 1e-12)))


def rows(*, quick: bool) -> list[dict[str, Any]]:
    """Difference and times by block length."""
    found = []
    for block in (256,) if quick else (256, 512):
        hops = block // subject.HOP
        calls = {
            name: subject.endless(Player(subject.patch(), sample_rate=subject.SAMPLE_RATE, voices=8, jit=jit), hops)
            for name, jit in (("plain", False), ("xla", True))
        }
        times = alternate(calls, seconds=0.6 if quick else 3.0, at_least=40)
        gap_db = difference_db(subject.patch(), voices=8, hops=hops, seconds=0.5 if quick else 2.0)
        summary = {name: asdict(Times.of(taken)) for name, taken in times.items()}
        budget_ms = block / subject.SAMPLE_RATE * 1e3
        found.append(
            {"voices": 8, "block": block, "budget_ms": budget_ms, "difference_db": gap_db, "same": gap_db <= LIMIT_DB, **summary}
        )
    return found
