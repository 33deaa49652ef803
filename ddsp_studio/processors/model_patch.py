"""A model as an instrument: the patch that it was trained with, playing its weights."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ddsp_studio import resources
from ddsp_studio.processors import model_file, patch_file
from ddsp_studio.processors.declare import MODEL
from ddsp_studio.processors.nesting import node_at, sheet_of, with_node_at
from ddsp_studio.processors.patch import Patch, PatchError

PATCH, PREVIEW = "patch.ddsp", "preview.flac"
"""Members of a model: the patch, and five seconds of sound."""


def with_model(patch: Patch, model: str, nodes: Iterable[str]) -> Patch:
    """The patch with these nodes (those of them that hold weights) reading them from a model, given by path or shipped name.

    Nodes in groups are named as they are played: "strings/decoder".
    """
    for name in nodes:
        node = node_at(patch, name)
        spec = sheet_of(node) if node is not None else None
        if node is not None and spec is not None and spec.weights:
            patch = with_node_at(patch, name, replace(node, options={**node.options, MODEL: model}))
    return patch


def instrument(given: str) -> Patch:
    """The patch in a model, a path or the name of a shipped one, with every trained node reading its weights from there.

    Raises:
        ValueError: in one sentence, when there is no such model, or none with a patch.
    """
    model = model_file.find(given)
    content = model.files.get(PATCH)
    if content is None:
        raise ValueError(f"the model {given!r} holds weights only, no patch; choose it as the model of a node")
    try:
        patch = patch_file.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, PatchError) as problem:
        raise ValueError(f"the patch in the model {given!r} is damaged: {problem}") from problem
    shipped = given in resources.factory(resources.MODELS)
    return with_model(patch, given if shipped else str(Path(given).expanduser().absolute()), model.about["nodes"])


def open_patch(given: str) -> Patch:
    """The patch that a person means: a patch file, a model, or the name of a shipped patch or model.

    Raises:
        ValueError, OSError: in one sentence.
    """
    path = Path(given).expanduser()
    shipped = given not in resources.factory(resources.PATCHES) and given in resources.factory(resources.MODELS)
    if path.suffix == model_file.SUFFIX or (shipped and not path.exists()):
        return instrument(given)
    return patch_file.load(resources.find(resources.PATCHES, given))
