"""The bench's own arithmetic, and that what it measures is what it says."""

from __future__ import annotations

import numpy as np
import pytest

from ddsp_studio.bench import baseline, edits, nodes, subject
from ddsp_studio.bench.measure import Times, alternate
from ddsp_studio.bench.stablehlo import without_locations
from ddsp_studio.processors import catalogue
from ddsp_studio.processors.check import check, spec_of
from ddsp_studio.processors.tracing import leave


def test_percentiles_in_ms():
    times = Times.of([0.001] * 98 + [0.010, 0.020])
    assert times.median == pytest.approx(1.0)
    assert times.worst == pytest.approx(20.0)
    assert times.share(4.0)[0] == pytest.approx(0.25)
    with pytest.raises(ValueError, match="no times"):
        Times.of([])


def test_calls_take_turns():
    order: list[str] = []
    taken = alternate({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, seconds=0.0, at_least=8, rounds=4)
    assert len(taken["a"]) == len(taken["b"]) == 8
    assert "".join(order) == "aabb" + "aabb" * 4


def test_patch_of_the_bench_is_as_announced():
    patch = subject.patch()
    check(patch)
    assert spec_of(patch.nodes["harmonic"]).channels("distribution", patch.nodes["harmonic"].options) == 100
    assert spec_of(patch.nodes["noise"]).channels("magnitudes", patch.nodes["noise"].options) == 65
    assert patch.nodes["reverb"].options["decay"] == 2.0


def test_edits_of_the_bench_are_sound_patches():
    patch = subject.patch()
    for step in range(12):
        patch = edits._edited(patch, step)
        check(patch)
    assert patch.structure() != subject.patch().structure() or set(patch.nodes) == set(subject.patch().nodes)


def test_baseline_sounds():
    render = baseline.endless(2, 4)
    blocks = [render() for _ in range(3)]
    assert blocks[0].shape == (2, 256)
    assert np.isfinite(blocks).all()
    assert all(np.abs(block).max() > 1e-3 for block in blocks)


def test_stablehlo_names_no_files():
    module = '#loc1 = loc("x")\n#loc7 = loc("/home/me/ops.py":1221:0)\nmodule @m {\n  %0 = add %1 : f32 loc(#loc1)\n} loc(#loc)\n'
    assert without_locations(module) == "module @m {\n  %0 = add %1 : f32\n}\n"


@pytest.mark.parametrize("name", ["Delay", "VoiceMixer", "RnnDecoder"])
def test_a_measured_node_goes_on_as_it_plays(name):
    kind = catalogue.processor_types()[name]
    batch = nodes.batches(kind.spec)[0]
    processor = nodes._made(kind, batch)
    x = nodes._inputs(processor, batch)
    once, memory = processor.render(processor.memory(batch), x)
    again, _ = processor.render(memory, x)
    run = nodes._plain(processor, batch, copies=2)
    for outputs in (once, again):
        signals = leave(processor, outputs, (), {}).signals
        np.testing.assert_allclose(run(), signals[max(signals)], atol=1e-4)  # the last one in the order of names


def test_types_are_measured_where_they_work():
    types = catalogue.processor_types()
    assert nodes.batches(types["Pan"].spec) == (nodes.SIDES,)
    assert nodes.batches(types["VoiceMixer"].spec) == (nodes.VOICES,)
    assert nodes.batches(types["Delay"].spec) == (nodes.VOICES, nodes.SIDES)
    assert nodes.batches(types["Harmonic"].spec) == (nodes.VOICES,)
