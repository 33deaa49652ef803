"""The ways in which a pass over a patch is made: operation by operation, within one XLA program, or put together of nodes."""

from __future__ import annotations

import enum
from collections.abc import Callable, Hashable
from typing import Any, Protocol

from ddsp_studio.dsp.tensor import Tensor, fence, tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.sketch import Sketch
from ddsp_studio.processors.tracing import Before, Left, NodeCall, Pending, run


class Compiler(enum.Enum):
    """How a patch's function is compiled.

    NODES: each node by itself: by XLA if it was compiled so before, else by TensorFlow's graph executor, which is ready at once.
    WHOLE: the patch as one XLA program: quickest to run, seconds to compile.
    """

    NODES = "nodes"
    WHOLE = "whole"


class Way(Protocol):
    """How a pass over a patch goes about it."""

    def apply(self, key: Hashable, body: Callable[..., Any], *tensors: Tensor) -> Any:
        """What `body` makes of these. `key` and their shapes say all that shapes it."""

    def call(self, processor: Processor, memory: Any, x: Any, before: Before) -> Left:
        """Go on with a node."""


class Inline:
    """Every operation in the graph (or eager pass) around it."""

    def apply(self, key: Hashable, body: Callable[..., Any], *tensors: Tensor) -> Any:
        """See `Way`."""
        return body(*tensors)

    def call(self, processor: Processor, memory: Any, x: Any, before: Before) -> Left:
        """See `Way`."""
        return _fenced(run(processor, memory, x, before))


class Nodes:
    """Put together of the nodes' functions, and of what is traced once for all patches; the tensors are wires of `sketch`."""

    def __init__(self, sketch: Sketch) -> None:
        self.sketch, self.pending = sketch, Pending()

    def apply(self, key: Hashable, body: Callable[..., Any], *tensors: Tensor) -> Any:
        """See `Way`."""
        return self.sketch.apply(key, body, *tensors)

    def call(self, processor: Processor, memory: Any, x: Any, before: Before) -> Left:
        """See `Way`. Nodes that run without XLA are added to `pending`."""
        node = NodeCall.of(processor, memory, x, before)
        by_xla = node.compiled()
        if by_xla is not None:
            return by_xla.left(self.sketch.add(by_xla.part, node.flat), memory)
        plain = node.plain()
        self.pending.add(node.key)
        return tf.nest.pack_sequence_as(plain.structure, self.sketch.add(plain.part, node.flat))  # type: ignore[no-any-return]


class Whole(Nodes):
    """The same as one program for XLA."""

    def call(self, processor: Processor, memory: Any, x: Any, before: Before) -> Left:
        """See `Way`."""
        node = NodeCall.of(processor, memory, x, before)
        by_xla = node.prepared()
        outputs = self.sketch.add(by_xla.part, node.flat)
        return by_xla.left(self.sketch.apply("fence", lambda *tensors: fence(list(tensors)), *outputs), memory)


def _fenced(left: Left) -> Left:
    """Keep XLA from fusing a node into those that hear it: it would compute the node again for each, and compile for minutes."""
    return tf.nest.pack_sequence_as(left, fence(tf.nest.flatten(left)))  # type: ignore[no-any-return]
