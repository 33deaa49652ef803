"""What each processor adds to a block of 256 samples, compiled as a patch compiles it.

A call of a compiled function costs a quarter of a millisecond whatever it does, so a node is not timed alone: the time is the
difference between a function that holds four of it and one that holds one, divided by three.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from ddsp_studio.bench import subject
from ddsp_studio.bench.measure import Times, alternate
from ddsp_studio.dsp.tensor import tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.catalogue import processor_types
from ddsp_studio.processors.check import ALL_VOICES, OUTPUT
from ddsp_studio.processors.declare import Head, Signal, Spec
from ddsp_studio.processors.free_clock import free_clock
from ddsp_studio.processors.performance import INPUT_WIDTH
from ddsp_studio.processors.programs import Loaded
from ddsp_studio.processors.sketch import Sketch
from ddsp_studio.processors.tracing import Pending
from ddsp_studio.processors.ways import Nodes

BLOCK, VOICES, SIDES = 256, 8, 2
_HOPS = BLOCK // subject.HOP
_FEW, _MANY = 1, 4
_HEARD = (("Harmonic", "amplitude"), ("Harmonic", "distribution"), ("FilteredNoise", "magnitudes"))
"""Controls that a network drives where it is measured."""


def rows(*, quick: bool) -> Iterator[dict[str, Any]]:
    """For every processor, as it is by default, in microseconds a block: compiled by XLA (`us`) and at once (`plain_us`).

    Effects are measured on 8 voices and on left and right, what needs left and right on those alone, everything else on 8 voices.
    """
    for name, kind in processor_types().items():
        for batch in batches(kind.spec):
            yield {"type": name, "rows": batch, **_measured(kind, batch, quick=quick)}


def batches(spec: Spec) -> tuple[int, ...]:
    """Numbers of rows with which a type is measured."""
    if spec.stereo or spec.name == OUTPUT:
        return (SIDES,)
    listens = any(inlet.signal is Signal.AUDIO for inlet in spec.inlets.values())
    return (VOICES, SIDES) if listens and spec.name not in ALL_VOICES else (VOICES,)


def _measured(kind: type[Processor], batch: int, *, quick: bool) -> dict[str, float]:
    processor = _made(kind, batch)
    calls = {}
    for copies in (_FEW, _MANY):
        calls[f"plain {copies}"] = _plain(processor, batch, copies)
    for copies in (_FEW, _MANY):
        calls[f"xla {copies}"] = _compiled(processor, batch, copies)
    taken = alternate(calls, seconds=0.1 if quick else 0.6, at_least=40, rounds=10)
    ms = {name: Times.of(times).median for name, times in taken.items()}
    added = {side: (ms[f"{side} {_MANY}"] - ms[f"{side} {_FEW}"]) / (_MANY - _FEW) for side in ("plain", "xla")}
    return {"us": round(max(added["xla"], 0.0) * 1e3, 1), "plain_us": round(max(added["plain"], 0.0) * 1e3, 1)}


def _made(kind: type[Processor], batch: int) -> Processor:
    heads: list[Head] = []
    if any(outlet.learned for outlet in kind.spec.outlets.values()):
        for name, key in _HEARD:
            spec = processor_types()[name].spec
            heads.append(Head(f"{name.lower()}.{key}", spec.controls[key], spec.channels(key)))
    stereo = batch == SIDES or kind.spec.name in ALL_VOICES
    return kind(subject.SAMPLE_RATE, name="measured", stereo=stereo, heads=tuple(heads))


def _inputs(processor: Processor, batch: int) -> Any:
    """Noise, a chord, a clock, and every control at its default, as `render` takes them."""
    rng = np.random.default_rng(1)
    held: dict[str, Any] = {}
    for name, inlet in processor.spec.inlets.items():
        if inlet.signal is Signal.AUDIO:
            held[name] = tf.constant(rng.normal(0.0, 0.2, [batch, BLOCK]), tf.float32)
        elif inlet.signal is Signal.INPUT:
            held[name] = tf.constant(rng.normal(0.0, 0.2, [1, _HOPS, INPUT_WIDTH]), tf.float32)
        else:
            beat = free_clock(0, _HOPS, subject.SAMPLE_RATE)
            held[name] = tf.constant(subject.chord(batch, _HOPS) if inlet.signal is Signal.NOTES else beat)
    for name, control in processor.spec.controls.items():
        frame = np.array(control.defaults(processor.channels(name)), np.float32)
        held[name] = tf.constant(np.broadcast_to(frame, (batch, _HOPS + 1, len(frame))))
    if processor.spec.weights:
        held["weights"] = _derived(processor)
    return processor.Inputs(**held)


def _derived(processor: Processor) -> Any:
    weights: Mapping[str, Any] = {name: tf.constant(array) for name, array in processor.initial_weights().items()}
    return processor.derive(weights)


def _function(processor: Processor, batch: int, copies: int) -> tuple[Any, Pending, list[Any]]:
    """A function that runs a node several times, each with a memory of its own; what XLA has still to compile; its arguments."""
    # inputs of its own for each: what depends on equal ones only would be computed once
    given = ([_inputs(processor, batch) for _ in range(copies)], [processor.memory(batch) for _ in range(copies)])
    arguments = tf.nest.flatten(given)
    nodes = Nodes(Sketch([tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in arguments]))
    heard, memories = tf.nest.pack_sequence_as(given, nodes.sketch.arguments)
    left = [nodes.call(processor, memory, x, {}) for x, memory in zip(heard, memories, strict=True)]
    outputs = tf.nest.flatten([each.memory for each in left]) + tf.nest.flatten([each.signals for each in left])
    function = Loaded.here(nodes.sketch.finish(outputs), pooled=bool(nodes.pending.keys))
    return function, nodes.pending, arguments


def _plain(processor: Processor, batch: int, copies: int) -> Callable[[], Any]:
    function, _, arguments = _function(processor, batch, copies)
    return _going_on(function, processor, batch, copies, arguments)


def _compiled(processor: Processor, batch: int, copies: int) -> Callable[[], Any]:
    _, pending, _ = _function(processor, batch, copies)
    while pending.compile():
        pass
    return _plain(processor, batch, copies)


def _going_on(
    function: Callable[..., Any], processor: Processor, batch: int, copies: int, arguments: list[Any]
) -> Callable[[], Any]:
    """A call that goes on from the memory that the one before it left."""
    kept = copies * len(tf.nest.flatten(processor.memory(batch)))
    inputs, memory = arguments[: len(arguments) - kept], arguments[len(arguments) - kept :]

    def run() -> Any:
        nonlocal memory
        left = function(*inputs, *memory)
        memory = left[:kept]
        return left[-1].numpy()

    return run
