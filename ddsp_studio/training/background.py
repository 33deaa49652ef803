"""Standing back: what takes minutes runs at low priority, so that sound and window go first."""

from __future__ import annotations

import contextlib
import os

NICE = 15
"""How far a training stands back."""


def stand_back(by: int = NICE) -> None:
    """Lower the priority of this thread and of those that it starts, where the system knows any; before TensorFlow is loaded."""
    with contextlib.suppress(AttributeError, OSError):
        os.nice(by)
