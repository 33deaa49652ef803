"""TensorFlow, imported when first used.

The studio window reads processor declarations, whose modules also hold the DSP. Importing TensorFlow takes seconds, so
every module of this program takes `tf` from here: nothing is loaded until an attribute of it is asked for.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import importlib
import os
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

Tensor: TypeAlias = Any
"""A TensorFlow tensor. TensorFlow ships no type information, so shapes are stated in docstrings."""

HOP = 64
"""Samples in a hop, the only time quantum of the program, counted from sample 0 of the stream."""


class _Lazy:
    """Stand in for a module until the first attribute is read."""

    def __init__(self, load: Callable[[], Any]) -> None:
        self._load = load

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(self._load(), attribute)
        setattr(self, attribute, value)
        return value


@functools.cache
def _tensorflow() -> Any:
    module = importlib.import_module("tensorflow")
    # by default GPUs since Ampere round the factors of matrix products to 11 bits, which is −66 dB, and no phase survives it
    module.config.experimental.enable_tensor_float_32_execution(False)
    return module


tf: Any = _Lazy(_tensorflow)

_context: Any = _Lazy(lambda: importlib.import_module("tensorflow.python.eager.context"))
_MODULE_VERSION = 10
"""Of the operation that holds a module."""
_function_pb2: Any = _Lazy(lambda: importlib.import_module("tensorflow.core.framework.function_pb2"))
_xla: Any = _Lazy(lambda: importlib.import_module("tensorflow.compiler.tf2xla.python.xla"))


_reader: contextvars.ContextVar[bool] = contextvars.ContextVar("for_xla", default=False)


@contextlib.contextmanager
def for_xla() -> Iterator[None]:
    """What is traced within is meant for XLA. On a CPU what is quick there may be slow elsewhere, and the other way round."""
    before = _reader.set(True)
    try:
        yield
    finally:
        _reader.reset(before)


def is_for_xla() -> bool:
    """Whether what is traced now is meant for XLA."""
    return _reader.get()


def fence(tensors: list[Tensor]) -> list[Tensor]:
    """Hand tensors on, gradients too, such that XLA fuses nothing across this place."""
    _differentiable_fence()
    return list(_xla.optimization_barrier(*tensors))


@functools.cache
def _differentiable_fence() -> None:
    # TensorFlow knows no gradient of its barrier
    with contextlib.suppress(KeyError):  # somebody else has said it
        tf.RegisterGradient("XlaOptimizationBarrier")(lambda op, *slopes: slopes)


def stablehlo(arguments: list[Tensor], module: bytes, outputs: list[Tensor]) -> list[Tensor]:
    """A StableHLO module as an operation, for any device; `outputs` have the types and shapes of what it gives."""
    types, shapes = [t.dtype for t in outputs], [t.shape for t in outputs]
    anywhere = {"platforms": ["CPU"], "disabled_checks": ["platform"]}
    given = _xla.call_module(arguments, version=_MODULE_VERSION, module=module, Tout=types, Sout=shapes, **anywhere)
    return list(given)


def limit_gpus(mib: int) -> None:
    """Take at most so many MiB of each GPU, and those as they are needed: several processes share it.

    It holds if nothing has run on a GPU yet.
    """
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # else all of the limit is taken at once
    for device in tf.config.list_physical_devices("GPU"):
        with contextlib.suppress(RuntimeError):  # too late
            tf.config.set_logical_device_configuration(device, [tf.config.LogicalDeviceConfiguration(memory_limit=mib)])


def gpu_peak_mib() -> int:
    """Most memory of GPUs that this process has held, MiB; 0 without any."""
    gpus = [device.name.partition(":")[2] for device in tf.config.list_logical_devices("GPU")]
    return sum(int(tf.config.experimental.get_memory_info(gpu)["peak"]) for gpu in gpus) >> 20


def in_one_thread() -> Any:
    """Context in which functions are traced and called that run their operations one by one, in one thread of TensorFlow's pool.

    Handing each small operation to the pool costs more than running it: a third of a block's time here. Not for functions
    that call others which XLA does not compile: each would wait for a thread of the pool, and may wait for ever.
    """
    return _context.function_executor_type("SINGLE_THREADED_EXECUTOR")


def function_definition() -> Any:
    """An empty function definition, for `eager_context` to take in once it has a name."""
    definition = _function_pb2.FunctionDef()
    definition.attr["_construction_context"].s = b"kEagerRuntime"
    return definition


def eager_context() -> Any:
    """TensorFlow's registry and caller of functions by name."""
    return _context.context()
