"""Taking times: percentiles, and the machine that they were taken on."""

from __future__ import annotations

import gc
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Times:
    """A set of durations in ms."""

    count: int
    median: float
    p90: float
    p99: float
    worst: float

    @classmethod
    def of(cls, seconds: list[float]) -> Times:
        """Summarise durations in seconds; ValueError if there are none."""
        if not seconds:
            raise ValueError("there are no times to summarise")
        ms = np.asarray(seconds) * 1e3
        middle, p90, p99 = (float(v) for v in np.percentile(ms, [50, 90, 99]))
        return cls(len(seconds), middle, p90, p99, float(ms.max()))

    def share(self, budget_ms: float) -> tuple[float, float]:
        """Median and p99 as shares of a budget in ms."""
        return self.median / budget_ms, self.p99 / budget_ms


def alternate(calls: dict[str, Callable[[], Any]], *, seconds: float, at_least: int, rounds: int = 4) -> dict[str, list[float]]:
    """Time calls by turns, so that whatever else the machine does falls on all of them alike.

    Args:
        calls: by name; each is called twice unmeasured first.
        seconds: measuring time for each call, over all rounds.
        at_least: calls of each, however long they take.
        rounds: how often the turn changes.

    Returns:
        Durations in seconds by name.
    """
    for call in calls.values():
        call()
        call()
    taken: dict[str, list[float]] = {name: [] for name in calls}
    collecting = gc.isenabled()
    gc.disable()
    try:
        for _ in range(rounds):
            for name, call in calls.items():
                stop = time.perf_counter() + seconds / rounds
                least = at_least // rounds
                while least > 0 or time.perf_counter() < stop:
                    begin = time.perf_counter()
                    call()
                    taken[name].append(time.perf_counter() - begin)
                    least -= 1
    finally:
        if collecting:
            gc.enable()
    return taken


def machine() -> dict[str, Any]:
    """What the numbers were measured on."""
    from ddsp_studio.dsp.tensor import tf

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    gpus = tf.config.list_physical_devices("GPU")
    return {
        "processor": _processor_name(),
        "cores": cores,
        "gpus": [tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name) for gpu in gpus],
        "load_before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": platform.system(),
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
    }


def _processor_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
