"""A trained patch as a model file: weights, patch, statistics, where it comes from, and five seconds of sound."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ddsp_studio import __version__
from ddsp_studio.processors import bandwidth, model_file, patch_file
from ddsp_studio.processors.catalogue import specs
from ddsp_studio.processors.declare import MODEL
from ddsp_studio.processors.model_file import Model
from ddsp_studio.processors.model_patch import PATCH, PREVIEW
from ddsp_studio.processors.patch import Patch
from ddsp_studio.training.fitting import Fitting
from ddsp_studio.training.statistics import described

Array = npt.NDArray[np.float32]
PREVIEW_S = 5.0


def banded(patch: Patch, sample_rate: float) -> Patch:
    """The patch with every synthesizer held to half the sample rate that it is trained at, where nothing else was chosen."""
    for name, node in patch.nodes.items():
        spec = specs().get(node.type)
        if spec is not None and bandwidth.NAME in spec.options and not node.options.get(bandwidth.NAME):
            patch = patch.with_node(name, replace(node, options={**node.options, bandwidth.NAME: sample_rate / 2.0}))
    return patch


def save_bundle(
    path: Path,
    fitting: Fitting,
    vector: Array,
    *,
    name: str,
    statistics: Mapping[str, Array],
    data: Mapping[str, Any],
    training: Mapping[str, Any],
    preview: Array | None = None,
) -> None:
    """Write a model.

    Args:
        path: the file. fitting: the patch. vector: its trained weights. name: of the instrument.
        statistics: of the data set. data: where it comes from and under which licence. training: numbers.
        preview: a sound at the training's sample rate, [samples], of which five seconds are kept.

    Raises:
        OSError: with the reason, when it cannot be written.
    """
    types = {node: p.spec.name for node, p in fitting.group.processors.items() if p.spec.weights}
    low, high = (round(float(x), 1) for x in statistics.get("range", (0.0, 127.0)))
    about = {
        "name": name,
        "made_with": f"ddsp_studio {__version__}",
        "sample_rate": float(fitting.sample_rate),
        "nodes": types,
        "options": {node: _options(fitting.patch, node) for node in types},
        "weights": fitting.size,
        "range_midi": [low, high],
        "statistics": described(statistics),
        "data": dict(data),
        "training": dict(training),
    }
    plain = replace(fitting.patch, name=name)
    files = {PATCH: patch_file.dumps(plain).encode()}
    if preview is not None and len(preview):
        files[PREVIEW] = flac(preview[: round(PREVIEW_S * fitting.sample_rate)], int(fitting.sample_rate))
    model_file.save(Model(about, fitting.arrays(vector), files), path)


def step_of(path: Path) -> int:
    """After how many steps a model was written; −1 if there is none that can be read."""
    try:
        return int(model_file.read_about(path)["training"]["step"])
    except (ValueError, KeyError, TypeError):
        return -1


def _options(patch: Patch, node: str) -> dict[str, Any]:
    return {key: value for key, value in patch.nodes[node].options.items() if key != MODEL}


def flac(audio: Array, sample_rate: int) -> bytes:
    """Sound [samples] as a FLAC file of 16 bits."""
    import soundfile

    written = io.BytesIO()
    soundfile.write(written, np.clip(audio, -1.0, 1.0), sample_rate, format="FLAC", subtype="PCM_16")
    return written.getvalue()


def preview_of(played: Sequence[Array]) -> Array:
    """The clips one after the other, each faded in and out over 5 ms, [samples]."""
    parts = []
    for clip in played:
        edge = np.minimum(1.0, np.arange(len(clip), dtype=np.float32) / 80.0)
        parts.append(clip * edge * edge[::-1])
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)
