"""Functions that are put together of parts: they do what the parts do one after the other."""

from __future__ import annotations

import numpy as np
import pytest

from ddsp_studio.dsp.tensor import tf
from ddsp_studio.processors.programs import Exporter, Loaded
from ddsp_studio.processors.sketch import Definition, Part, Sketch

SPEC = tf.TensorSpec([3], tf.float32)
X, Y = tf.constant([1.0, 2.0, 3.0]), tf.constant([4.0, 5.0, 6.0])


def run(sketch: Sketch, outputs, *tensors, jit: bool = False):
    return [t.numpy() for t in Loaded.here(sketch.finish(outputs, jit=jit), pooled=False)(*tensors)]


@pytest.mark.parametrize("jit", [False, True])
def test_parts_work_on_each_other(jit: bool) -> None:
    sketch = Sketch([SPEC, SPEC])
    x, y = sketch.arguments
    both = sketch.apply("both", lambda a, b: {"sum": a + b, "difference": a - b}, x, y)
    again = sketch.apply("both", lambda a, b: pytest.fail("it is known"), both["difference"], y)
    tripled = sketch.apply("three", lambda a: tf.concat([a] * 3, axis=0), again["sum"])
    assert tripled.shape == [9]
    heard = run(sketch, [both["sum"], again["sum"], tripled], X, Y, jit=jit)
    for found, expected in zip(heard, [X + Y, X, tf.tile(X, [3])], strict=True):
        np.testing.assert_allclose(found, expected)


def test_what_is_handed_on_costs_no_operation() -> None:
    sketch = Sketch([SPEC])
    passed = sketch.apply("pass", lambda x: (x, tf.identity(x)), *sketch.arguments)
    definition = sketch.finish([*passed, sketch.arguments[0]])
    assert not definition.proto.node_def
    np.testing.assert_array_equal(Loaded.here(definition, pooled=False)(X), [X] * 3)


def test_constants_that_parts_hold_are_arguments_once() -> None:
    table = tf.constant(np.arange(3.0, dtype=np.float32))
    parts = [
        Part(tf.function(body, autograph=False).get_concrete_function(SPEC))
        for body in (lambda x: x * table, lambda x: x + table)
    ]
    sketch = Sketch([SPEC])
    outputs = [sketch.add(part, sketch.arguments) for part in parts]
    definition = sketch.finish(outputs)
    assert len(definition.constants) == 1
    found = Loaded.here(definition, pooled=False)(X)
    np.testing.assert_array_equal(found, [X * table, X + table])


def test_shapes_make_parts_of_their_own() -> None:
    for size in (2, 5):
        sketch = Sketch([tf.TensorSpec([size], tf.float32)])
        doubled = sketch.apply("total", lambda x: tf.reduce_sum(x), *sketch.arguments)
        np.testing.assert_array_equal(run(sketch, [doubled], tf.ones([size])), [size])


def test_the_same_function_has_the_same_name_wherever_it_is_made() -> None:
    def made(factor: float) -> Definition:
        inner = tf.function(lambda x: x * factor, autograph=False).get_concrete_function(SPEC)
        kept.append(inner)
        sketch = Sketch([SPEC])
        part = Part(tf.function(lambda x: inner(x), autograph=False).get_concrete_function(SPEC))
        return sketch.finish([sketch.add(part, sketch.arguments)])

    kept: list = []
    names = [Exporter().program(made(factor), pooled=False).name for factor in (2.0, 2.0, 3.0)]
    assert names[0] == names[1] != names[2]
