"""What to train and how: good defaults, and the order that the trainer is given. Free of Qt and TensorFlow."""

from __future__ import annotations

import contextlib
import ctypes.util
import importlib.util
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ddsp_studio import resources
from ddsp_studio.processors import patch_file
from ddsp_studio.processors.check import reachable
from ddsp_studio.processors.nesting import playable, sheet_of
from ddsp_studio.processors.patch import Patch, PatchError
from ddsp_studio.training import protocol
from ddsp_studio.training.data.glance import may_be_data_set
from ddsp_studio.training.data.nsynth import NSynthFilter
from ddsp_studio.training.listen import Heard
from ddsp_studio.training.runs import Source
from ddsp_studio.training.settings import SIZES, Settings
from ddsp_studio.training.sizes import sizable, sized

SIZE_WORDS = {
    "tiny": "Tiny: one core",
    "small": "Small: two cores",
    "full": "Full: a GPU",
}
MINUTES = 10.0
"""Training time that is proposed: an instrument is recognisable after five minutes, and still gains."""
LICENCES = ("My own recording", "CC0 1.0", "CC BY 4.0", "CC BY-SA 4.0", "CC BY-NC 4.0", "With the owner's permission")
_CORES = 2
"""Cores from which a small network is trained quickly enough: 5.7 steps/s on two (docs/decisions/0008-training.md)."""
FIRST = "solo_instrument"
"""The template that is proposed."""


@dataclass(frozen=True)
class Plan:
    """What the user chose.

    Attributes:
        name: of the instrument. template: name of a shipped template, "" for the patch in the editor.
        size: of the networks. minutes: of training. licence: origin and licence of the recordings.
        octave: octaves to shift the pitch by that was found. nsynth: which notes of NSynth.
        gain_db, pitch_cents, noise_db: how far clips are varied, as in `Settings`.
    """

    name: str
    template: str = FIRST
    size: str = "small"
    minutes: float = MINUTES
    licence: str = ""
    octave: int = 0
    nsynth: NSynthFilter = field(default_factory=NSynthFilter)
    gain_db: float | None = None
    pitch_cents: float | None = None
    noise_db: float = -120.0


def good_size() -> str:
    """The size that suits this machine."""
    if shutil.which("nvidia-smi") and _has_cuda():
        return "full"
    return "small" if cores() >= _CORES else "tiny"


def _has_cuda() -> bool:
    """Whether the libraries are there without which TensorFlow computes on the CPU whatever card there is."""
    with contextlib.suppress(ModuleNotFoundError):  # without the package nvidia there is none in it
        if importlib.util.find_spec("nvidia.cudnn") is not None:
            return True
    return ctypes.util.find_library("cudnn") is not None


def cores() -> int:
    """Processor cores that this program may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def name_of(files: Sequence[Path]) -> str:
    """A name for what these recordings teach: that of their folder if they are several, else the file's."""
    if not files:
        return "Instrument"
    first = files[0]
    stem = first.name.split(".")[0] if may_be_data_set(first) else first.stem
    given = stem if len(files) == 1 else first.parent.name
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


def order(plan: Plan, heard: Sequence[Heard], current: Patch, folder: Path) -> protocol.Begin:
    """The trainer's order.

    Args:
        plan: what was chosen. heard: the recordings; those of which nothing can be learned are left out.
        current: the patch in the editor. folder: of the training.

    Raises:
        ValueError, OSError: in one sentence, for choices that cannot be trained.
    """
    if not plan.template and not learns(current):
        raise ValueError("nothing in the patch in the editor can learn; add a decoder to it, or choose a template")
    patch = current if not plan.template else patch_file.load(resources.find(resources.TEMPLATES, plan.template))
    usable = [each for each in heard if each.usable_s > 0.0]
    if not usable:
        raise ValueError("nothing can be learned from these recordings")
    settings = Settings(
        minutes=plan.minutes,
        checkpoint_s=checkpoint_s(plan.minutes),
        gain_db=plan.gain_db,
        pitch_cents=plan.pitch_cents,
        noise_db=plan.noise_db,
    )
    return protocol.Begin(
        folder=str(folder),
        name=plan.name,
        patch=patch_file.to_json(sized(patch, plan.size) if sizable(patch, plan.size) else patch),
        sources=[
            Source(str(Path(each.path).absolute()), kind=each.kind, octave=plan.octave, nsynth=plan.nsynth) for each in usable
        ],
        settings=settings,
        licence=plan.licence,
    )


def checkpoint_s(minutes: float) -> float:
    """Seconds between checkpoints: often enough to hear progress, and seldom enough that judging costs little."""
    return min(max(minutes * 60.0 / 12.0, 20.0), 120.0)


def readable(size: str) -> str:
    """A size in words."""
    return SIZE_WORDS[size] if size in SIZES else size
