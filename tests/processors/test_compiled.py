"""Nodes that XLA has compiled: single operations that hold their StableHLO, and sound as they did before."""

from __future__ import annotations

import numpy as np
import pytest

from ddsp_studio.dsp.sine import sine
from ddsp_studio.dsp.tensor import eager_context, is_for_xla, stablehlo, tf
from ddsp_studio.processors import tracing
from ddsp_studio.processors.group import ProcessorGroup, packed
from ddsp_studio.processors.lowered import Lowered
from ddsp_studio.processors.performance import CHANNELS, CLOCK, INPUT_WIDTH
from ddsp_studio.processors.player import Player
from ddsp_studio.processors.programs import Loaded
from ddsp_studio.processors.sketch import Part
from ddsp_studio.processors.tracing import Plain, prepare
from ddsp_studio.processors.ways import Compiler

from .patches import tone

RATE, ROWS, HOPS = 16_000, 2, 4


def operations(by_xla) -> list[str]:
    """Of the function that XLA compiles."""
    called = next(node for node in by_xla.caller.proto.node_def if "PartitionedCall" in node.op)
    return [node.op for node in eager_context().get_function_def(called.attr["f"].func.name).node_def]


def traced(body, *specs):
    return tf.function(body, autograph=False).get_concrete_function(*specs)


def test_a_patch_sounds_the_same_once_its_nodes_are_compiled() -> None:
    group = ProcessorGroup(tone(), sample_rate=RATE)
    first, pending = group.function(ROWS, HOPS, Compiler.NODES)
    rng = np.random.default_rng(1)
    shapes = [HOPS, group.width], [ROWS, HOPS, len(CHANNELS)], [1, HOPS, len(CLOCK)], [1, HOPS, INPUT_WIDTH]
    heard = tf.constant(packed(*(rng.uniform(0.1, 1.0, shape) for shape in shapes)))
    asked = tf.nest.flatten((group.start(ROWS), group.derive_own()))
    kinds = [rng.uniform(0.1, 1.0, t.shape) if t.dtype.is_floating else np.zeros(t.shape) for t in asked]
    given = [heard, *(tf.cast(array, t.dtype) for array, t in zip(kinds, asked, strict=True))]
    before = [t.numpy() for t in Loaded.here(first, pooled=True)(*given)]
    held = list(pending.keys)
    assert held
    kinds = [set(operations(prepare(key))) for key in held]
    assert all("XlaCallModule" in kind for kind in kinds) and all(len(kind) < 8 for kind in kinds)
    while pending.compile():
        pass
    second, left = group.function(ROWS, HOPS, Compiler.NODES)
    assert not left.keys
    for one, other in zip(Loaded.here(second, pooled=False)(*given), before, strict=True):
        np.testing.assert_allclose(one.numpy(), other, atol=1e-5, rtol=1e-4)


def test_what_is_compiled_so_far_is_put_to_use() -> None:
    player = Player(tone(), sample_rate=8_000, voices=ROWS)
    player.warm(HOPS)
    quiet = np.tile(player.values, (HOPS, 1)), np.zeros([ROWS, HOPS, 7], np.float32)
    assert player.improve(HOPS) and player.nodes_left(HOPS)
    assert player.refresh(HOPS) and player.nodes_left(HOPS)  # some by XLA, some not yet
    assert not np.any(player.render(*quiet).audio)
    while player.nodes_left(HOPS):
        player.improve(HOPS)
        assert player.refresh(HOPS)
    assert player.improve(HOPS) and not player.refresh(HOPS)  # the whole
    assert not np.any(player.render(*quiet).audio)


def lowered(body, *specs):
    function = traced(body, *specs)
    left = tracing.Left({"audio": function.structured_outputs}, {}, ())
    return tracing._lower(Plain(left, body, specs, Part(function), 1))


def test_what_is_made_for_one_device_only_stays_a_function() -> None:
    spec = tf.TensorSpec([4, 8], tf.float32)
    body = lowered(lambda x: tf.linalg.qr(x)[1], spec)
    x = tf.random.stateless_normal([4, 8], [1, 2])
    assert not isinstance(body, Lowered)
    compiled = tf.function(lambda x: body(x), autograph=False, jit_compile=True)
    np.testing.assert_allclose(np.abs(compiled(x)[0].numpy()), np.abs(tf.linalg.qr(x)[1].numpy()), atol=1e-5)


def test_a_module_is_an_operation_with_the_arguments_it_holds() -> None:
    held = tf.constant([1.0, 2.0, 3.0])
    made = tracing._by_module(lowered(lambda x: x * held, tf.TensorSpec([3], tf.float32)))
    assert "XlaCallModule" in operations(made)
    np.testing.assert_allclose(Loaded.here(made.caller, pooled=False)(tf.constant([2.0, 2.0, 2.0]))[0].numpy(), [2.0, 4.0, 6.0])


def test_xla_gets_what_is_quick_for_it() -> None:
    seen = []

    def body(x):
        seen.append(is_for_xla())
        return sine(x)

    lowered(body, tf.TensorSpec([3], tf.float32))
    assert seen[0] is False and set(seen[1:]) == {True}


def test_a_module_that_is_none_is_refused() -> None:
    with pytest.raises(tf.errors.OpError):
        tf.function(lambda x: stablehlo([x], b"no module", [x]), autograph=False, jit_compile=True)(tf.zeros([2]))
