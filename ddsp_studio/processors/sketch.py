"""A function of TensorFlow that is put together of parts which were traced before.

To trace an operation costs Python 0.3 ms, and to copy what was written down of it a hundredth of that: an edit of a patch, which
is a few hundred operations around nodes that are known, need not be traced at all. Thread rule: one thread traces at a time.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from ddsp_studio.dsp.tensor import Tensor, function_definition, tf

_MAX_PARTS = 512
_parts: OrderedDict[Any, Part] = OrderedDict()


@dataclass(frozen=True, eq=False)
class Wire:
    """A tensor of a function that is being put together."""

    name: str
    """As the definition refers to it."""
    shape: Any
    dtype: Any


@dataclass(frozen=True)
class Definition:
    """A function of flat tensors as TensorFlow writes it down; what it calls must live until it is loaded."""

    proto: Any
    constants: list[Tensor]
    """Its last arguments."""

    @classmethod
    def of(cls, function: Any) -> Definition:
        """What is written down of a concrete function."""
        return cls(function.function_def, list(function.captured_inputs))

    def copied(self) -> Any:
        """What is written down, to be changed."""
        proto = function_definition()
        proto.CopyFrom(self.proto)
        return proto

    @property
    def outputs(self) -> int:
        """How many tensors it gives."""
        return len(self.proto.signature.output_arg)


class Part:
    """A concrete function, ready to be copied into others. It does nothing but give its outputs, so no order is kept."""

    def __init__(self, function: Any) -> None:
        """Take it to pieces; operations that only hand on are left out."""
        definition = Definition.of(function)
        proto, outputs = definition.copied(), tf.nest.flatten(function.structured_outputs)
        self.structure, self.constants = function.structured_outputs, definition.constants
        self._function = function  # what it calls lives as long as this
        for node in proto.node_def:
            node.input[:] = [name for name in node.input if not name.startswith("^")]
        passed = {f"{node.name}:output:0": node.input[0] for node in proto.node_def if node.op == "Identity"}
        self._names = [argument.name for argument in proto.signature.input_arg]
        self._nodes = [node for node in proto.node_def if node.op not in ("Identity", "NoOp")]
        for node in self._nodes:
            node.input[:] = [_source(name, passed) for name in node.input]
        wanted = [_source(proto.ret[output.name], passed) for output in proto.signature.output_arg]
        self._outputs = [Wire(name, t.shape, t.dtype) for name, t in zip(wanted, outputs, strict=True)]

    def copy(self, target: Any, prefix: str, arguments: Sequence[str]) -> list[Wire]:
        """Add its operations to a definition, with names that begin with `prefix`; returns its outputs there.

        `arguments` are references to its arguments and, after these, to its constants.
        """
        held = dict(zip(self._names, arguments, strict=True))
        for node in self._nodes:
            copied = target.node_def.add()
            copied.CopyFrom(node)
            copied.name = prefix + node.name
            copied.input[:] = [_moved(name, prefix, held) for name in node.input]
        return [Wire(_moved(wire.name, prefix, held), wire.shape, wire.dtype) for wire in self._outputs]


def _source(name: str, passed: dict[str, str]) -> str:
    while name in passed:
        name = passed[name]
    return name


def _moved(name: str, prefix: str, held: dict[str, str]) -> str:
    return held.get(name) or prefix + name


class Sketch:
    """A function that grows part by part."""

    def __init__(self, specs: Sequence[Any]) -> None:
        """A function of flat tensors as in `specs`; they are its `arguments`."""
        self._proto, self._constants = function_definition(), dict[int, tuple[str, Tensor]]()
        self._copies = itertools.count()
        self.arguments = [self._argument(f"a{index}", spec) for index, spec in enumerate(specs)]

    def _argument(self, name: str, spec: Any) -> Wire:
        self._proto.signature.input_arg.add(name=name, type=spec.dtype.as_datatype_enum)
        return Wire(name, spec.shape, spec.dtype)

    def add(self, part: Part, wires: Sequence[Wire]) -> Any:
        """Let a part work on these wires; returns what it gives, structured as the function did."""
        given = [wire.name for wire in wires] + [self._constant(tensor) for tensor in part.constants]
        outputs = part.copy(self._proto, f"p{next(self._copies)}_", given)
        return tf.nest.pack_sequence_as(part.structure, outputs)

    def apply(self, key: Hashable, body: Callable[..., Any], *wires: Wire) -> Any:
        """What `body` makes of these wires. It is traced once for `key`, which says all that shapes it but for its arguments."""
        specs = [tf.TensorSpec(wire.shape, wire.dtype) for wire in wires]
        whole = (key, tuple((tuple(s.shape), s.dtype.name) for s in specs))
        if whole not in _parts:
            with tf.init_scope():
                _parts[whole] = Part(tf.function(body, autograph=False).get_concrete_function(*specs))
            while len(_parts) > _MAX_PARTS:
                _parts.popitem(last=False)
        _parts.move_to_end(whole)
        return self.add(_parts[whole], wires)

    def _constant(self, tensor: Tensor) -> str:
        if id(tensor) not in self._constants:
            self._constants[id(tensor)] = self._argument(f"c{len(self._constants)}", tensor).name, tensor
        return self._constants[id(tensor)][0]

    def finish(self, outputs: Sequence[Wire], *, jit: bool = False) -> Definition:
        """The function that gives these wires; with `jit` XLA compiles it as one program."""
        for index, wire in enumerate(outputs):
            self._proto.signature.output_arg.add(name=f"o{index}", type=wire.dtype.as_datatype_enum)
            self._proto.ret[f"o{index}"] = wire.name
        if jit:
            self._proto.attr["_XlaMustCompile"].b = self._proto.attr["_noinline"].b = True
        return Definition(self._proto, [tensor for _, tensor in self._constants.values()])
