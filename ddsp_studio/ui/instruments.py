"""Trained models in the open patch: which it plays, which notes they know, and how one is put into it. Free of Qt."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ddsp_studio import resources
from ddsp_studio.processors import model_file, patch_file
from ddsp_studio.processors.declare import MODEL
from ddsp_studio.processors.model_patch import instrument
from ddsp_studio.processors.nesting import node_at, playable, with_node_at
from ddsp_studio.processors.patch import Patch
from ddsp_studio.processors.units import note_name
from ddsp_studio.ui import paths

_TEMPLATE = "template"
"""Tag of the patches to train from; what was trained is none any more."""
_LEARNED = (
    "Learned from recordings: the decoder hears which note is played and how hard, and says how strong each "
    "partial and each band of noise shall be. Velocity and pressure ask for loudness, the wheel for vibrato."
)


def given_name(path: Path) -> str:
    """How a patch names a model: by its name if it is shipped, else by its path."""
    shipped = resources.factory(resources.MODELS)
    return next((name for name, place in shipped.items() if place == path), str(path))


def opened(path: Path) -> Patch:
    """The patch that a model is opened as: the one that ships for a shipped model, else the one in it, told in plain words.

    Raises:
        ValueError, OSError: in one sentence, when it cannot be read.
    """
    given = given_name(path)
    drawn = resources.factory(resources.PATCHES).get(given)
    if drawn is not None:
        return patch_file.load(drawn)
    patch, about = instrument(given), described(about_of(given))
    if _TEMPLATE not in patch.tags:
        return patch
    tags = (*(tag for tag in patch.tags if tag != _TEMPLATE), "trained")
    return replace(patch, notes=f"{_LEARNED}\n\n{about}".strip(), tags=tags)


def models_of(patch: Patch) -> list[str]:
    """The models that a patch names, each once."""
    named = [str(node.options.get(MODEL) or "") for node in playable(patch).nodes.values()]
    return list(dict.fromkeys(name for name in named if name))


def own_model(patch: Patch) -> Path | None:
    """The first model among the user's that a patch plays."""
    return next((path for path in map(Path, models_of(patch)) if path.parent == paths.models()), None)


def plays(patch: Patch, path: Path) -> bool:
    """Whether a patch plays a model."""
    return given_name(path) in models_of(patch)


def about_of(given: str) -> Mapping[str, Any]:
    """The description of a model by path or shipped name (ValueError if it has none that can be read)."""
    try:
        return model_file.read_about(resources.find(resources.MODELS, given))
    except FileNotFoundError as problem:
        raise ValueError(str(problem)) from problem


def known_range(patch: Patch) -> tuple[int, int] | None:
    """Lowest and highest MIDI note that all models of a patch know; None if that is not known."""
    low, high = 0, 127
    found = False
    for name in models_of(patch):
        try:
            notes = notes_of(about_of(name))
        except ValueError:
            continue  # the engine says what is wrong with it
        if notes is not None:
            low, high, found = max(low, notes[0]), min(high, notes[1]), True
    return (low, high) if found and low <= high else None


def notes_of(about: Mapping[str, Any]) -> tuple[int, int] | None:
    """Lowest and highest whole note that a model was trained on, if it says so."""
    given = about.get("range_midi")
    if not isinstance(given, list) or len(given) != 2 or not all(isinstance(x, (int, float)) and math.isfinite(x) for x in given):
        return None
    low, high = (min(max(round(x), 0), 127) for x in given)
    return (low, high) if low <= high else None


def described(about: Mapping[str, Any]) -> str:
    """A model in a few lines: its notes, and what it has learned from."""
    lines = []
    notes = notes_of(about)
    if notes is not None:
        lines.append(f"Notes {note_name(notes[0])} to {note_name(notes[1])}")
    data = about.get("data")
    if isinstance(data, dict):
        seconds, licence = data.get("seconds"), data.get("licence")
        if isinstance(seconds, (int, float)) and seconds:
            lines.append(f"Learned from {seconds / 60.0:.1f} minutes of sound")
        lines.append(f"Origin: {licence if isinstance(licence, str) and licence else 'not stated'}")
    return "\n".join(lines)


def with_instrument(current: Patch, path: Path) -> Patch:
    """The patch that plays a model: the current one if it is the one that was trained, else the model's own.

    Raises:
        ValueError: in one sentence, when the model cannot be read.
    """
    if not was_trained(current, path):
        return opened(path)
    for name, node in instrument(given_name(path)).nodes.items():
        drawn = node_at(current, name)
        if drawn is not None and drawn.type == node.type:
            current = with_node_at(current, name, replace(drawn, options={**drawn.options, **node.options}))
    return current


def was_trained(current: Patch, path: Path) -> bool:
    """Whether a model was trained with this patch: it has the nodes that learned, wired as they were, and plays no other model.

    Raises:
        ValueError: in one sentence, when the model cannot be read.
    """
    given, playing = given_name(path), models_of(current)
    if playing and given not in playing:
        return False
    own, flat = instrument(given), playable(current)
    trained = set(model_file.find(given).about["nodes"])
    same = all(name in flat.nodes and flat.nodes[name].type == own.nodes[name].type for name in trained if name in own.nodes)
    return bool(trained) and same and {c for c in own.cables if c.source.node in trained} <= set(flat.cables)
