"""Real-time scheduling for the threads that make sound, where the system allows it.

Measured with six busy processes on two cores: a block took 21 ms at worst (99 %), 14 ms with the render thread alone raised, and
8 ms with TensorFlow's threads raised, too, for it is those that run a function's operations while the render thread waits.
Those of XLA's compiler must never be raised: they then held up the sound for a second at a time. They are made when it
first compiles, or takes back what it compiled, so that all that is there before may be raised, and what comes after is put last.

Thread rule: `raise_priority` and `lower_priority` act on the calling thread; the others may be called on any thread.
"""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

_PRIORITY, _LOW = 5, 15
_POOL = "tf_Compute"
_helpers: set[int] = set()
"""TensorFlow's own threads."""


def raise_priority() -> None:
    """Ask for real-time scheduling of this thread, or at least a better place in the queue; it works without."""
    _raise(0, threading.get_native_id())


def lower_priority() -> None:
    """Let every other thread go first (Linux only; elsewhere nothing happens)."""
    with contextlib.suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOW)


def raise_helpers() -> None:
    """Ask the same for TensorFlow's threads (Linux only), once, before a first patch has run."""
    if _helpers:
        return
    tasks = _foreign_tasks()
    _helpers.update(tasks)
    for task in tasks:
        _raise(task, task)


def lower_compilers() -> None:
    """Let every other thread go before XLA's compiler: the pool threads that came after `raise_helpers` (Linux only)."""
    for task in _foreign_tasks():
        if task not in _helpers and _name(task) == _POOL:
            with contextlib.suppress(AttributeError, OSError):
                os.setpriority(os.PRIO_PROCESS, task, _LOW)


def _foreign_tasks() -> list[int]:
    """Threads that Python knows nothing of and that the system schedules as it likes."""
    ours = {thread.native_id for thread in threading.enumerate()}
    with contextlib.suppress(AttributeError, OSError):
        tasks = [int(task) for task in os.listdir("/proc/self/task")]
        return [task for task in tasks if task not in ours and os.sched_getscheduler(task) == os.SCHED_OTHER]
    return []


def _name(task: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/self/task/{task}/comm").read_text().strip()
    return ""


def _raise(task: int, native: int) -> None:
    with contextlib.suppress(AttributeError, OSError):
        # threads that it starts are not raised with it
        os.sched_setscheduler(task, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(_PRIORITY))
        return
    with contextlib.suppress(AttributeError, OSError):
        os.setpriority(os.PRIO_PROCESS, native, -10)
