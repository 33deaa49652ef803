"""What to train and how: good defaults, and the order that the trainer is given. Free of Qt and TensorFlow."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ddsp_studio import resources
from ddsp_studio.processors import patch_file
from ddsp_studio.processors.check import reachable
from ddsp_studio.processors.nesting import node_at, playable, sheet_of, with_node_at
from ddsp_studio.processors.patch import Patch, PatchError
from ddsp_studio.training import protocol
from ddsp_studio.training.runs import Source
from ddsp_studio.training.settings import SIZES, Settings

SIZE_WORDS = {
    "tiny": "Tiny: quick, for two cores",
    "small": "Small: richer, for four cores and more",
    "full": "Full: the finest, for a GPU",
}
MINUTES = 10.0
"""Training time that is proposed: an instrument is recognisable after five minutes, and still gains."""
LICENCES = ("My own recording", "CC0 1.0", "CC BY 4.0", "CC BY-SA 4.0", "CC BY-NC 4.0", "With the owner's permission")
_FEW_CORES = 4
FIRST = "solo_instrument"
"""The template that is proposed."""


@dataclass(frozen=True)
class Plan:
    """What the user chose.

    Attributes:
        name: of the instrument. template: name of a shipped template, "" for the patch in the editor.
        size: of the networks. minutes: of training. licence: origin and licence of the recordings.
        octave: octaves to shift the pitch by that was found.
    """

    name: str
    template: str = FIRST
    size: str = "tiny"
    minutes: float = MINUTES
    licence: str = ""
    octave: int = 0


def good_size() -> str:
    """The size that suits this machine."""
    if shutil.which("nvidia-smi"):
        return "full"
    return "small" if (os.cpu_count() or 1) >= _FEW_CORES else "tiny"


def name_of(files: Sequence[Path]) -> str:
    """A name for what these recordings teach: that of their folder if they are several, else the file's."""
    if not files:
        return "Instrument"
    given = files[0].stem if len(files) == 1 else files[0].parent.name
    words = re.sub(r"[_\-.]+", " ", given).strip()
    return (words[:1].upper() + words[1:])[:60] or "Instrument"


def templates() -> dict[str, str]:
    """Shipped templates by name, with their titles; the one to begin with comes first."""
    found = resources.factory(resources.TEMPLATES)
    return {name: name.replace("_", " ").capitalize() for name in sorted(found, key=lambda name: (name != FIRST, name))}


def learns(patch: Patch) -> bool:
    """Whether anything that is heard in a patch can be trained."""
    flat = playable(patch)
    try:
        heard = reachable(flat)
    except PatchError:
        return False
    return any(heard.get(name) and _learns(flat, name) for name in flat.nodes)


def _learns(flat: Patch, name: str) -> bool:
    sheet = sheet_of(flat.nodes[name])
    return sheet is not None and any(weight.trained for weight in sheet.weights.values())


def sized(patch: Patch, size: str) -> Patch:
    """The patch with its networks in a size, those in groups, too."""
    for name in playable(patch).nodes:
        node = node_at(patch, name)
        sheet = sheet_of(node) if node is not None else None
        if node is None or sheet is None or not sheet.weights or "size" not in sheet.options:
            continue
        if size in (sheet.options["size"].choices or ()):
            patch = with_node_at(patch, name, replace(node, options={**node.options, "size": size}))
    return patch


def order(plan: Plan, files: Sequence[Path], current: Patch, folder: Path) -> protocol.Begin:
    """The trainer's order.

    Args:
        plan: what was chosen. files: recordings, or folders of them. current: the patch in the editor. folder: of the training.

    Raises:
        ValueError, OSError: in one sentence, for choices that cannot be trained.
    """
    if not plan.template and not learns(current):
        raise ValueError("nothing in the patch in the editor can learn; add a decoder to it, or choose a template")
    patch = current if not plan.template else patch_file.load(resources.find(resources.TEMPLATES, plan.template))
    settings = Settings(minutes=plan.minutes, checkpoint_s=checkpoint_s(plan.minutes))
    return protocol.Begin(
        folder=str(folder),
        name=plan.name,
        patch=patch_file.to_json(sized(patch, plan.size)),
        sources=[Source(str(path.absolute()), octave=plan.octave) for path in files],
        settings=settings,
        licence=plan.licence,
    )


def checkpoint_s(minutes: float) -> float:
    """Seconds between checkpoints: often enough to hear progress, and seldom enough that judging costs little."""
    return min(max(minutes * 60.0 / 12.0, 20.0), 120.0)


def readable(size: str) -> str:
    """A size in words."""
    return SIZE_WORDS[size] if size in SIZES else size
