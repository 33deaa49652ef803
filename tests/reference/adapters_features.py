"""Parity: our counterparts of the peer's feature scaling, preprocessing and loudness fitting."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ddsp_studio.dsp import spectral
from ddsp_studio.dsp.resample import resample
from ddsp_studio.dsp.scaling import amplitude_to_db
from ddsp_studio.dsp.tensor import HOP, tf
from ddsp_studio.training.features import conditioning
from ddsp_studio.training.features.fitting import Quantiles, smooth
from ddsp_studio.training.features.loudness import loudness_db

from .adapters_spectral import level_truth
from .loader import Adapter, Case, Difference


def at_frames(frames: Any, steps: int) -> Any:
    """[batch, frames] brought to so many steps, [batch, steps, 1]."""
    frames = tf.cast(frames, tf.float32)
    return resample(frames if len(frames.shape) == 3 else frames[..., None], steps)


def steps_of(case: Case) -> int:
    return int(case.ctor.get("time_steps", 1000))


def measures_loudness(case: Case) -> bool:
    return bool(case.ctor.get("compute_loudness", True))


def f0_loudness(case: Case) -> Any:
    rate = int(case.ctor.get("sample_rate", 16_000))
    given = case.inputs.get("loudness_db")
    if measures_loudness(case):
        given = np.stack([loudness_db(row, rate) for row in np.asarray(case.inputs["audio"])])
    return scaled(case, given)


def scaled(case: Case, levels: Any) -> dict[str, Any]:
    f0_hz, level = (at_frames(x, steps_of(case)) for x in (case.inputs["f0_hz"], levels))
    return {
        "f0_hz": f0_hz,
        "loudness_db": level,
        "f0_scaled": conditioning.scale_f0_hz(f0_hz),
        "ld_scaled": conditioning.scale_db(level),
    }


def f0_loudness_truth(case: Case) -> Any:
    """Our levels by Fourier transform of the whole sound; frame m at sample m·64, so the sound begins a hop late."""
    audio = tf.pad(case.inputs["audio"], [[0, 0], [HOP, 0]])
    return {
        key: value
        for key, value in scaled(case, level_truth(replace(case, inputs={**case.inputs, "audio": audio}))).items()
        if key in LEVELS
    }


LEVELS = ("loudness_db", "ld_scaled")


def f0_power(case: Case) -> Any:
    given = case.ctor
    hop = int(given.get("sample_rate", 16_000)) // int(given.get("frame_rate", 250))
    power = amplitude_to_db(spectral.rms(case.inputs["audio"], int(given.get("frame_size", 1024)), hop, "centre"), 0.0, 80.0)
    f0_hz, level = at_frames(case.inputs["f0_hz"], steps_of(case)), at_frames(power, steps_of(case))
    return {
        "f0_hz": f0_hz,
        "pw_db": level,
        "f0_scaled": conditioning.scale_f0_hz(f0_hz),
        "pw_scaled": conditioning.scale_db(level),
    }


def quantiles(case: Case) -> Any:
    known = Quantiles.of(np.asarray(case.inputs["x"]), int(case.ctor.get("n_quantiles", 1000)))
    shares = known.to_shares(np.asarray(case.inputs["y"]))
    return {"transform": shares, "inverse": known.from_shares(shares)}


def size_of(case: Case) -> int:
    return int(case.kwargs.get("filter_size", 3))


def smooth_truth(case: Case) -> np.ndarray:
    """By hand, frame after frame."""
    frames, size = np.asarray(case.inputs["x"], np.float64), size_of(case)
    out = np.empty_like(frames)
    for m in range(frames.shape[1]):
        out[:, m] = frames[:, max(0, m - (size - 1) // 2) : m + size // 2 + 1].mean(axis=1)
    return out


ADAPTERS: dict[str, Adapter] = {
    "training.preprocessing.scale_db": lambda case: conditioning.scale_db(case.inputs["x"]),
    "training.preprocessing.scale_f0_hz": lambda case: conditioning.scale_f0_hz(case.inputs["x"]),
    "training.preprocessing.inv_scale_db": lambda case: conditioning.unscale_db(case.inputs["x"]),
    "training.preprocessing.inv_scale_f0_hz": lambda case: conditioning.unscale_f0_hz(case.inputs["x"]),
    "training.preprocessing.F0LoudnessPreprocessor": f0_loudness,
    "training.preprocessing.F0PowerPreprocessor": f0_power,
    "training.postprocessing.QuantileTransformer": quantiles,
    "training.postprocessing.smooth": lambda case: smooth(np.asarray(case.inputs["x"]), size_of(case)),
}
DIFFERENT: dict[str, list[Difference]] = {
    "training.preprocessing.F0LoudnessPreprocessor": [
        Difference(
            reason="levels are ours, on one scale at every frame size and rate; see spectral_ops.compute_loudness",
            truth=f0_loudness_truth,
            when=measures_loudness,
            atol=0.1,
        )
    ],
    "training.postprocessing.smooth": [
        Difference(
            reason="the peer divides by the whole size at the ends, too, where frames are missing, so that tracks sag there",
            truth=smooth_truth,
        )
    ],
}
UNMATCHED: dict[str, str] = {}
