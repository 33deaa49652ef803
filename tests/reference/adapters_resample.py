"""Parity: resampling of control frames."""

from __future__ import annotations

from typing import Any

import numpy as np

from ddsp_studio.dsp.resample import resample

from .loader import Adapter, Case, Difference

PEER_SLOPE = -0.75
"""Of the cubic kernel behind their image resizing."""


def interpolate(frames: Any, count: int, method: str = "linear", endpoint: bool = True) -> Any:
    """Ours for a clip of any rank that theirs takes: [frames], [batch, frames], [batch, frames, …]."""
    if len(frames.shape) == 1:
        return resample(frames[None], count, method, endpoint, PEER_SLOPE)[0]
    return resample(frames, count, method, endpoint, PEER_SLOPE)


def adapt(case: Case) -> Any:
    given = {"method": "window" if case.name == "core.upsample_with_windows" else "linear", "add_endpoint": True, **case.kwargs}
    return interpolate(case.inputs["inputs"], int(given["n_timesteps"]), given["method"], given["add_endpoint"])


def cubic_truth(case: Case) -> np.ndarray:
    """Keys' convolution written out as a sum over all frames, in float64, without a table of the kernel."""
    frames, count = case.inputs["inputs"].numpy().astype(np.float64), int(case.kwargs["n_timesteps"])
    frames = frames[None] if frames.ndim == 1 else frames
    total = frames.shape[1]
    held = np.concatenate([frames[:, :1]] * 2 + [frames] + [frames[:, -1:]] * 3, axis=1)
    places = np.arange(count) * total / count
    if not case.kwargs.get("add_endpoint", True):
        places = np.arange(count) * (total - 1) / (count - 1)
    away = np.abs(places[:, None] - np.arange(-2, total + 3))
    kernel = np.where(
        away <= 1.0,
        (PEER_SLOPE + 2.0) * away**3 - (PEER_SLOPE + 3.0) * away**2 + 1.0,
        np.where(away < 2.0, PEER_SLOPE * (away**3 - 5.0 * away**2 + 8.0 * away - 4.0), 0.0),
    )
    out = np.einsum("tf,bf...->bt...", kernel, held)
    return out[0] if len(case.inputs["inputs"].shape) == 1 else out


ADAPTERS: dict[str, Adapter] = {"core.resample": adapt, "core.upsample_with_windows": adapt}
DIFFERENT: dict[str, list[Difference]] = {
    "core.resample": [
        Difference(
            "their cubic kernel is read from a table of 1024 steps; ours is exact",
            cubic_truth,
            when=lambda case: case.kwargs.get("method") == "cubic",
        )
    ]
}
UNMATCHED: dict[str, str] = {}
