"""For every test: no display is needed, libraries are quiet, and nothing is read from or written to the user's folders."""

from __future__ import annotations

import gc
import os

import pytest

gc.set_threshold(
    200_000, 50, 100
)  # compiled functions are millions of objects, and looking through them takes a tenth of the time

if "PYTEST_XDIST_WORKER" in os.environ:  # the workers share the cores
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # as the engine has it: one arithmetic in all processes
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give a worker whole files, and of the contract's file whole processors: what is compiled for one test serves the next."""
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        group = item.path.stem
        if group == "test_contract" and hasattr(item, "callspec"):
            group = f"contract of {item.callspec.params['name']}"
        elif "jack" in item.fixturenames or group in ("test_jack", "test_clock_real"):
            group = "audio server"
        item.add_marker(pytest.mark.xdist_group(group))
