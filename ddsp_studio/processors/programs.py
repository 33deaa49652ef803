"""A traced function in a form that any process can take in: TensorFlow's own function definitions, by name.

Python traces a function slowly and holds the interpreter while it does. So a process that plays lets another trace, and takes
in what comes of it: that costs it a few milliseconds. Thread rule: any thread.
"""

from __future__ import annotations

import contextlib
import hashlib
import weakref
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from ddsp_studio.dsp.tensor import Tensor, eager_context, in_one_thread, tf
from ddsp_studio.processors.sketch import Definition


@dataclass(frozen=True)
class Program:
    """A function of flat tensors."""

    name: str
    outputs: int
    pooled: bool
    """Whether its operations are handed out to TensorFlow's pool; see `in_one_thread`."""
    library: list[bytes] = field(default_factory=list)
    """Its definition and those of what it calls, but for what was exported before."""
    constants: list[npt.NDArray[Any]] = field(default_factory=list)
    """Its last arguments."""


class Exporter:
    """Makes programs of functions. Each definition that they call is exported once.

    Every definition is named after its content, so that the same one has the same name in every process: XLA knows by name and
    content what it has compiled. Another `salt` makes other names.
    """

    def __init__(self, salt: str = "") -> None:
        self._salt = salt
        self._names: dict[str, str] = {}

    def program(self, function: Definition, *, pooled: bool) -> Program:
        """The program of a function.

        Raises:
            ValueError: it holds on to a variable.
        """
        if any(tensor.dtype in (tf.resource, tf.variant) for tensor in function.constants):
            raise ValueError("a function that keeps a variable cannot be played; weights are inputs")
        library: list[bytes] = []
        name = self._named(function.copied(), library)
        return Program(name, function.outputs, pooled, library, [tensor.numpy() for tensor in function.constants])

    def _named(self, definition: Any, library: list[bytes]) -> str:
        """Give a definition, and those that it calls and are new, their names, and add them to the library."""
        for node in definition.node_def:
            if eager_context().has_function(node.op):
                node.op = self._callee(node.op, library)
            for value in node.attr.values():
                for reference in (value.func, *value.list.func) if _refers(value) else ():
                    reference.name = self._callee(reference.name, library)
        definition.signature.name = self._salt
        definition.signature.name = "f" + hashlib.sha256(definition.SerializeToString(deterministic=True)).hexdigest()[:32]
        library.append(definition.SerializeToString())
        return str(definition.signature.name)

    def _callee(self, name: str, library: list[bytes]) -> str:
        if name not in self._names:
            self._names[name] = self._named(eager_context().get_function_def(name), library)
        return self._names[name]


_exporter = Exporter()
"""Of this process to itself."""


def _refers(value: Any) -> bool:
    return bool(value.HasField("func") and value.func.name) or bool(value.HasField("list") and value.list.func)


class _Serialized:
    """A definition that need not be read only to be written again."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def SerializeToString(self) -> bytes:
        return self._data


class Loaded:
    """A program that is ready to be called; it is forgotten with this object. What it calls stays."""

    def __init__(self, program: Program) -> None:
        """Take a program in.

        Raises:
            ValueError: it is none.
        """
        for data in program.library:
            try:
                eager_context().add_function_def(_Serialized(data))
            except tf.errors.OpError as problem:
                raise ValueError(f"the traced patch cannot be taken in: {str(problem)[:200]}") from problem
        self._name, self._outputs, self._pooled = program.name.encode(), program.outputs, program.pooled
        self._constants = [tf.constant(array) for array in program.constants]
        weakref.finalize(self, _forget, self._name).atexit = False

    @classmethod
    def here(cls, function: Definition, *, pooled: bool) -> Loaded:
        """A function of this process."""
        return cls(_exporter.program(function, pooled=pooled))

    def __call__(self, *tensors: Tensor) -> Sequence[Tensor]:
        """Run it."""
        with contextlib.nullcontext() if self._pooled else in_one_thread():
            outputs: Sequence[Tensor] = eager_context().call_function(self._name, [*tensors, *self._constants], self._outputs)
        return outputs


def _forget(name: bytes) -> None:
    with contextlib.suppress(Exception):  # at the end of the process TensorFlow may be gone already
        eager_context().remove_function(name)


def zeros(specs: Iterable[tuple[Sequence[int], str]]) -> list[Tensor]:
    """Zeros of the shapes and types in `specs`, to run a program once."""
    return [tf.zeros(shape, kind) for shape, kind in specs]
