"""TensorFlow as this program takes it."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from ddsp_studio.audio import workshop
from ddsp_studio.dsp.tensor import gpu_peak_mib, limit_gpus, tf
from ddsp_studio.training import trainer


def test_matrix_products_keep_their_24_bits() -> None:
    """The rule for GPUs; a phase or a level rounded to 11 bits would be heard."""
    assert tf.zeros([1]).dtype == tf.float32
    assert not tf.config.experimental.tensor_float_32_execution_enabled()


def test_several_processes_share_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes no more than its part, and that as it is needed; there is none here, so TensorFlow's side is a stand-in."""
    limits: dict[str, int] = {}

    def configure(device: str, parts: list[SimpleNamespace]) -> None:
        if device in limits:
            raise RuntimeError("devices are in use already")
        limits[device] = parts[0].memory_limit

    config = SimpleNamespace(
        list_physical_devices=lambda kind: ["gpu 0", "gpu 1"],
        list_logical_devices=lambda kind: [SimpleNamespace(name="/device:GPU:0")],
        set_logical_device_configuration=configure,
        LogicalDeviceConfiguration=SimpleNamespace,
        experimental=SimpleNamespace(get_memory_info={"GPU:0": {"peak": 3 << 30}}.__getitem__),
    )
    monkeypatch.setenv("TF_FORCE_GPU_ALLOW_GROWTH", "")
    monkeypatch.delenv("TF_FORCE_GPU_ALLOW_GROWTH")
    with monkeypatch.context() as made:
        made.setattr(tf, "config", config, raising=False)
        limit_gpus(1024)
        limit_gpus(2048)
        assert limits == {"gpu 0": 1024, "gpu 1": 1024} and gpu_peak_mib() == 3 * 1024
    assert os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
    assert gpu_peak_mib() == 0
    assert trainer.GPU_MIB + workshop.GPU_MIB < 7 * 1024
