"""Block times as a share of the budget, and speed offline, each beside the baseline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from ddsp_studio.bench import baseline, subject
from ddsp_studio.bench.measure import Times, alternate
from ddsp_studio.processors.player import Player

VOICES = (1, 8, 16, 64)
BLOCKS = (128, 256, 512)
OFFLINE_HOPS = 75
"""Hops of an offline block: 4800 samples, 0.1 s at 48 kHz."""


def live_rows(*, quick: bool, reverb: bool = True) -> Iterator[dict[str, Any]]:
    """For every block length and voice count: times in ms of studio and baseline, and shares of the budget."""
    built = subject.patch(reverb=reverb)
    for voices in (1, 8) if quick else VOICES:
        player = Player(built, sample_rate=subject.SAMPLE_RATE, voices=voices)
        for block in BLOCKS:
            hops = block // subject.HOP
            calls = {"studio": subject.endless(player, hops), "baseline": baseline.endless(voices, hops, reverb=reverb)}
            times = alternate(calls, seconds=0.6 if quick else 3.0, at_least=40)
            yield _row(voices, block, {name: Times.of(taken) for name, taken in times.items()}, reverb=reverb)


def _row(voices: int, block: int, times: dict[str, Times], *, reverb: bool) -> dict[str, Any]:
    budget_ms = block / subject.SAMPLE_RATE * 1e3
    row: dict[str, Any] = {"voices": voices, "block": block, "budget_ms": budget_ms, "reverb": reverb}
    for name, held in times.items():
        median, p99 = held.share(budget_ms)
        row[name] = {**asdict(held), "median_share": median, "p99_share": p99}
    return row


def offline_rows(*, quick: bool) -> Iterator[dict[str, Any]]:
    """Seconds of sound rendered in a second, in blocks of 0.1 s, by voice count."""
    built = subject.patch()
    length_s = OFFLINE_HOPS * subject.HOP / subject.SAMPLE_RATE
    for voices in (8,) if quick else (1, 8, 16):
        player = Player(built, sample_rate=subject.SAMPLE_RATE, voices=voices)
        calls = {"studio": subject.endless(player, OFFLINE_HOPS), "baseline": baseline.endless(voices, OFFLINE_HOPS)}
        times = alternate(calls, seconds=1.0 if quick else 3.0, at_least=8)
        speeds = {f"{name}_times_real_time": length_s / (Times.of(taken).median / 1e3) for name, taken in times.items()}
        yield {"voices": voices, "block": OFFLINE_HOPS * subject.HOP, **speeds}
