"""A node as a compiled function: traced once for its type, options and shapes, and kept for every patch that comes.

A control outlet's frame before the block is put in row 0 within the node's function: more work in one compiled function is
quicker than operations beside it, as long as few more tensors are handed over, each of which costs some microseconds.
Thread rule: one thread traces at a time; `Pending.compile` may run on any other.
"""

from __future__ import annotations

import contextlib
import functools
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ddsp_studio import resources
from ddsp_studio.dsp.tensor import Tensor, for_xla, in_one_thread, stablehlo, tf
from ddsp_studio.processors.base import Processor, extend
from ddsp_studio.processors.declare import MODEL
from ddsp_studio.processors.knob_space import from_logits
from ddsp_studio.processors.lowered import Lowered, Shelf
from ddsp_studio.processors.programs import Loaded
from ddsp_studio.processors.sketch import Definition, Part

_MAX_FUNCTIONS = 512
_MAX_RESULTS = 256
_results: OrderedDict[Any, Any] = OrderedDict()
_plain: OrderedDict[Any, Any] = OrderedDict()
_ready: OrderedDict[Any, Any] = OrderedDict()
_by_xla: OrderedDict[Any, Any] = OrderedDict()
"""Functions that XLA has compiled, ready to run."""
_shelves: list[Shelf] = []
"""Where lowered nodes are kept; none, or one."""

Before = Mapping[str, tuple[Tensor, Tensor]]
"""(started [1], last frame) of each control outlet that is heard, by outlet or by "outlet->target" of a head."""


@functools.cache
def configure_runtime() -> None:
    """Set TensorFlow up for patches; before the first is traced."""
    # Grappler costs hundreds of milliseconds for each new graph and gains nothing on graphs as wide as ours
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    tf.debugging.disable_traceback_filtering()


class Left(NamedTuple):
    """What a node leaves: its signals by outlet (or "outlet->target"), control with the frame before in row 0 where it is heard.

    `last`: the last frame of these.
    """

    signals: dict[str, Tensor]
    last: dict[str, Tensor]
    memory: Any


def leave(processor: Processor, outputs: Mapping[str, Any], memory: Any, before: Before) -> Left:
    """Make of a processor's outputs what the patch hears and keeps of them."""
    signals: dict[str, Tensor] = {}
    for port, outlet in processor.spec.outlets.items():
        if outlet.learned:
            made = {head.target: from_logits(head.control, outputs[port][head.target]) for head in processor.heads}
            signals |= {f"{port}->{target}": signal for target, signal in made.items()}
        else:
            signals[port] = outputs[port]
    last = {key: signals[key][:, -1] for key in before}
    signals |= {key: extend(signals[key], held, started) for key, (started, held) in before.items()}
    return Left(signals, last, memory)


def run(processor: Processor, memory: Any, x: Any, before: Before) -> Left:
    """Go on with a node, operation by operation."""
    outputs, memory = processor.render(memory, x)
    return leave(processor, outputs, memory, before)


@dataclass
class Pending:
    """The nodes of a traced patch that XLA has not compiled yet, the dearest last."""

    keys: list[Any] = field(default_factory=list)

    def add(self, key: Any) -> None:
        """Add a node that was traced."""
        self.keys.append(key)
        self.keys.sort(key=lambda key: _plain[key].operations)

    def compile(self) -> bool:
        """Compile one of them by XLA, which may take a second; False when none was left. Any thread, one at a time."""
        while self.keys:
            by_xla = prepare(self.keys[-1])
            if by_xla is not None:
                Loaded.here(by_xla.caller, pooled=False)(*(tf.zeros(s.shape, s.dtype) for s in by_xla.specs))
                use(self.keys[-1], by_xla)
            self.keys.pop()
            if by_xla is not None:
                return True
        return False


class Plain(NamedTuple):
    """A node as a function for TensorFlow's graph executor, and its body, traced again for XLA on what `arguments` specify."""

    structure: Left
    body: Callable[..., Left]
    arguments: Any
    part: Part
    """Calls the function."""
    operations: int
    """How many there are in it: about how dear it is without XLA."""


class ByXla(NamedTuple):
    """A node for XLA, which compiles it when `caller` is run for the first time, on tensors as in `specs`."""

    caller: Definition
    specs: list[Any]
    part: Part
    """What `caller` does: it calls the function that XLA compiles."""
    signals: list[str]
    last: list[str]
    lowered: Lowered | None
    """None where it stays a function that XLA has to lower itself."""

    def left(self, outputs: list[Any], memory: Any) -> Left:
        """What it gives, structured; its memory as `memory` is."""
        signals, last = (dict.fromkeys(names) for names in (self.signals, self.last))
        return tf.nest.pack_sequence_as(Left(signals, last, memory), outputs)  # type: ignore[no-any-return]


def keep_lowered(folder: Path) -> None:
    """Keep there what is lowered and compiled, and look there for what was. XLA must have kept its code for all that is there."""
    _shelves[:] = [Shelf(folder)]


def prepare(key: Any) -> ByXla | None:
    """Make a node ready to be compiled by XLA; None if it is compiled already, or forgotten."""
    plain = _plain.get(key)
    if key in _by_xla or plain is None:
        return None
    lowered = _lower(plain)
    if isinstance(lowered, Lowered):
        return _by_module(lowered)
    return _callable(lowered, tf.nest.flatten(plain.arguments), *_names(plain), None)


def _by_module(lowered: Lowered) -> ByXla:
    with tf.init_scope():
        held = [tf.constant(array) for array in lowered.held]
    specs = [tf.TensorSpec(shape, kind) for shape, kind in lowered.specs]
    outputs = [tf.TensorSpec(shape, kind) for shape, kind in lowered.outputs]
    body = functools.partial(_module, lowered.code, held, outputs)
    return _callable(body, specs, lowered.signals, lowered.last, lowered)


def _module(code: bytes, held: list[Tensor], outputs: list[Any], *tensors: Tensor) -> list[Tensor]:
    return stablehlo([*tensors, *held], code, outputs)


def _callable(body: Callable[..., Any], specs: list[Any], signals: list[str], last: list[str], lowered: Lowered | None) -> ByXla:
    with tf.init_scope(), in_one_thread():
        function = _function(body, specs, jit=True)
        # called by another function, as patches will: XLA does not find again what it compiled for a direct call
        caller = _function(lambda *tensors: function(*tensors), specs)
    return ByXla(Definition.of(caller), specs, Part(caller), signals, last, lowered)


def _lower(plain: Plain) -> Lowered | Callable[..., Any]:
    """A node as a module of StableHLO, which is one operation in a patch.

    TensorFlow looks through all operations of all functions whenever a new patch calls them, six times over: 80 ms of every edit.
    A node that cannot be lowered for any device is given as a function.
    """
    flat = tf.nest.flatten(plain.arguments)

    def body(*tensors: Tensor) -> list[Tensor]:
        return tf.nest.flatten(plain.body(*tf.nest.pack_sequence_as(plain.arguments, list(tensors))))  # type: ignore[no-any-return]

    with tf.init_scope(), in_one_thread(), for_xla():
        traced = tf.function(body, autograph=False, jit_compile=True, input_signature=flat)
        held = list(traced.get_concrete_function().captured_inputs)
        try:
            module: bytes = traced.experimental_get_compiler_ir(*flat)(stage="stablehlo_serialized")
        except (ValueError, tf.errors.OpError):
            return traced  # type: ignore[no-any-return]  # XLA has to know the value of an argument
    if b"custom_call" in module:
        return traced  # type: ignore[no-any-return]  # it is made for this process's device, and the engine's may be another
    outputs = tf.nest.flatten(plain.structure)
    return Lowered(module, [tensor.numpy() for tensor in held], _specs(flat), _specs(outputs), *_names(plain))


def _names(plain: Plain) -> tuple[list[str], list[str]]:
    return sorted(plain.structure.signals), sorted(plain.structure.last)


def _specs(tensors: Sequence[Any]) -> list[tuple[list[int], str]]:
    return [([int(size) for size in tensor.shape], tensor.dtype.name) for tensor in tensors]


def use(key: Any, by_xla: ByXla) -> None:
    """Let every patch that is traced from now on call what XLA has compiled."""
    _keep(_by_xla, key, by_xla)
    if by_xla.lowered is not None:
        for shelf in _shelves:
            shelf.keep(key[0][0], key, by_xla.lowered)


def _function(body: Callable[..., Any], specs: Sequence[Any], *, jit: bool = False) -> Any:
    return tf.function(body, autograph=False, jit_compile=jit or None).get_concrete_function(*specs)


class NodeCall(NamedTuple):
    """A node that is given these arguments, and what is known of it."""

    key: Any
    processor: Processor
    arguments: Any
    flat: list[Tensor]

    @classmethod
    def of(cls, processor: Processor, memory: Any, x: Any, before: Before) -> NodeCall:
        """A node and its arguments: tensors, or wires."""
        arguments = (memory, tuple(x), dict(before))
        return cls(_key(processor, arguments), processor, arguments, tf.nest.flatten(arguments))

    def plain(self) -> Plain:
        """The node for TensorFlow's own executor, traced now if it must be."""
        return _plain.get(self.key) or _trace(self.processor, self.arguments, self.key)

    def compiled(self) -> ByXla | None:
        """The node if XLA has compiled it, in this process or in one before."""
        if self.key not in _by_xla:
            lowered = next((shelf.find(type(self.processor), self.key) for shelf in _shelves), None)
            if lowered is None:
                return None
            _keep(_by_xla, self.key, _by_module(lowered))
        _by_xla.move_to_end(self.key)
        return _by_xla[self.key]  # type: ignore[no-any-return]

    def prepared(self) -> ByXla:
        """The node for XLA, compiled or not."""
        compiled = self.compiled()
        if compiled is None and self.key not in _ready:
            self.plain()
            by_xla = prepare(self.key)
            if by_xla is None:
                raise RuntimeError("a node that XLA has compiled was asked for as if it had not")
            _keep(_ready, self.key, by_xla)
        return compiled or _ready[self.key]


def _trace(processor: Processor, arguments: Any, key: Any) -> Plain:
    def body(memory: Any, x: Any, before: Before) -> Left:
        return run(processor, memory, processor.Inputs(*x), before)

    specs = tf.nest.map_structure(lambda t: tf.TensorSpec(t.shape, t.dtype), arguments)
    with tf.init_scope():
        function = _function(body, specs)

        def caller(*tensors: Tensor) -> list[Tensor]:
            return tf.nest.flatten(function(*tf.nest.pack_sequence_as(specs, list(tensors))))  # type: ignore[no-any-return]

        part, operations = Part(_function(caller, tf.nest.flatten(specs))), len(function.graph.get_operations())
        plain = Plain(function.structured_outputs, body, specs, part, operations)
    _keep(_plain, key, plain)
    return plain


def _keep(functions: OrderedDict[Any, Any], key: Any, function: Any, most: int = _MAX_FUNCTIONS) -> None:
    functions[key] = function
    while len(functions) > most:
        functions.popitem(last=False)


def remembered(what: str, processor: Processor, *more: Any, make: Callable[[], Any]) -> Any:
    """What `make` gives, which is the same for all such nodes; many small operations are spared in every edit.

    Args:
        what: names it. processor: the node. more: all else on which it depends.
        make: called when it is not remembered; in a function that is being traced, always.
    """
    if not tf.executing_eagerly():
        return make()
    key = (what, identity(processor), *more)
    if key not in _results:
        _keep(_results, key, make(), _MAX_RESULTS)
    _results.move_to_end(key)
    return _results[key]


def _key(processor: Processor, arguments: Any) -> Any:
    """All that shapes a node's function: not its model, for weights are inputs."""
    shapes = tuple((tuple(t.shape), t.dtype.name) for t in tf.nest.flatten(arguments))
    return identity(processor, but=MODEL), tuple(sorted(arguments[2])), shapes


def identity(processor: Processor, *, but: str = "") -> Any:
    """What two processors that do the same have in common: type, options, the files that these name, and configuration."""
    options = tuple(sorted(item for item in processor.options.items() if item[0] != but))
    files = tuple(_stamp(str(processor.options[n]), n) for n, o in processor.spec.options.items() if o.path and n != but)
    return type(processor), options, files, processor.sample_rate, processor.stereo, processor.heads


def _stamp(given: str, option: str) -> int:
    """When the file that an option names was changed, in ns; 0 where there is none."""
    if not given:
        return 0
    with contextlib.suppress(OSError):
        path = resources.find(resources.MODELS, given) if option == MODEL else Path(given)
        return path.stat().st_mtime_ns
    return 0
