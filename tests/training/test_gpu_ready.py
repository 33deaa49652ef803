"""A step of every template can run on a GPU, though none is here: each operation has a kernel there for its types, and none
is among those that refuse to run where results must repeat exactly (tf.config.experimental.enable_op_determinism)."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import pytest
from tensorflow.python.framework.kernels import get_registered_kernels_for_op

from ddsp_studio import resources
from ddsp_studio.dsp.tensor import tf
from ddsp_studio.processors import patch_file
from ddsp_studio.processors.nesting import expand
from ddsp_studio.training import bundle
from ddsp_studio.training.fitting import Fitting
from ddsp_studio.training.losses.spectral import SpectralLoss
from ddsp_studio.training.stepper import Stepper

RATE, CLIPS, FRAMES = 16_000, 2, 100
REFUSE = {
    "AdjustContrastv2", "Bincount", "CropAndResizeGradBoxes", "CropAndResizeGradImage", "DenseBincount",
    "Dilation2DBackpropFilter", "Dilation2DBackpropInput", "FakeQuantWithMinMaxVarsPerChannelGradient",
    "FusedBatchNormGradV3", "HistogramFixedWidth", "MaxPoolGradWithArgmax", "ResizeBilinearGrad",
    "ResizeNearestNeighborGrad", "ScatterNd", "SparseTensorDenseMatMul", "TensorScatterAdd", "TensorScatterUpdate",
}  # fmt: skip


@functools.cache
def kernels(op: str) -> list[Any]:
    """Kernels of an operation on a GPU, or on any device (those that only hand on what lies in the host's memory)."""
    return [kernel for kernel in get_registered_kernels_for_op(op).kernel if kernel.device_type in ("GPU", "DEFAULT")]


def takes(kernel: Any, node: Any) -> bool:
    allowed = {each.name: list(each.allowed_values.list.type) for each in kernel.constraint}
    return all(node.attr[name].type in types for name, types in allowed.items() if name in node.attr)


def nodes_of(template: str) -> Iterator[Any]:
    patch = patch_file.load(resources.find(resources.TEMPLATES, template))
    fitting = Fitting(bundle.banded(expand(patch), RATE), RATE)
    stepper = Stepper(fitting, SpectralLoss(sizes=(512, 128)), 3.0, rounded=True)
    shapes = dict.fromkeys(("f0_hz", "loudness_db", "confidence"), (CLIPS, FRAMES, 1))
    shapes |= {"audio": (CLIPS, FRAMES * fitting.period * 64)}
    hidden = {f"hidden/{name}": tensor.shape for name, tensor in fitting.at_rest(CLIPS).items()}
    pieces = {name: tf.TensorSpec((1, *shape), tf.float32) for name, shape in (shapes | hidden).items()}
    number = tf.TensorSpec((), tf.float32)
    graph = stepper._run.get_concrete_function(pieces, number, number).graph.as_graph_def()
    yield from graph.node
    for function in graph.library.function:
        yield from function.node_def


@pytest.mark.skipif(not kernels("MatMul"), reason="this build of TensorFlow knows no GPU")
@pytest.mark.parametrize("template", resources.factory(resources.TEMPLATES))
def test_every_operation_of_a_step_has_a_gpu_kernel(template: str) -> None:
    found = list(nodes_of(template))
    assert len(found) > 1000
    assert {node.op for node in found} & REFUSE == set()
    own = {"Placeholder", "_Arg", "_Retval"}
    lacking = {node.op for node in found if node.op not in own and not any(takes(kernel, node) for kernel in kernels(node.op))}
    assert lacking == set()


def test_a_type_that_no_kernel_takes_is_found() -> None:
    node = tf.compat.v1.NodeDef(op="MatMul")
    node.attr["T"].type = tf.string.as_datatype_enum
    assert not any(takes(kernel, node) for kernel in kernels("MatMul"))
    assert kernels("NoSuchOperation") == []
