"""TensorFlow, imported when first used.

The studio window reads processor declarations, whose modules also hold the DSP. Importing TensorFlow takes seconds, so
every module of this program takes `tf` from here: nothing is loaded until an attribute of it is asked for.
"""

from __future__ import annotations

import importlib
from typing import Any, TypeAlias

Tensor: TypeAlias = Any
"""A TensorFlow tensor. TensorFlow ships no type information, so shapes are stated in docstrings."""

HOP = 64
"""Samples in a hop, the only time quantum of the program, counted from sample 0 of the stream."""


class _Lazy:
    """Stand in for a module until the first attribute is read."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(importlib.import_module(self._name), attribute)
        setattr(self, attribute, value)
        return value


tf: Any = _Lazy("tensorflow")

_xla: Any = _Lazy("tensorflow.compiler.tf2xla.python.xla")


def fence(tensors: list[Tensor]) -> list[Tensor]:
    """Hand tensors on such that XLA fuses nothing across this place; only inside functions that XLA compiles."""
    return list(_xla.optimization_barrier(*tensors))
