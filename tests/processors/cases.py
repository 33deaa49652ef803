"""Every processor of the catalogue in the configurations that matter, and the terms on which it keeps the contract.

A family of processors says what is special about it in a module `terms_<family>.py` with `terms(name, **options)` and `SETTINGS`,
which `FAMILIES` names.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ddsp_studio.processors import catalogue
from ddsp_studio.processors.base import Processor

from . import terms_effects, terms_first, terms_listening, terms_networks, terms_routing, terms_synths
from .stimulus import Case, Terms

RATE = 16_000
FAMILIES = (terms_effects, terms_first, terms_listening, terms_networks, terms_routing, terms_synths)
SETTINGS: dict[str, list[dict[str, Any]]] = {name: given for family in FAMILIES for name, given in family.SETTINGS.items()}
"""Options worth testing; a type that is not named here is tested as it is by default."""


def terms(name: str, **options: Any) -> Terms:
    """The terms of a type under the given options and stereo setting."""
    return next((held for family in FAMILIES if (held := family.terms(name, **options)) is not None), Terms())


def _make(kind: type[Processor], settings: dict[str, Any], folder: Path) -> Processor:
    if "file" in settings:
        settings = {**settings, "file": str(impulse_file(folder / settings["file"]))}
    return kind(RATE, **settings)


def impulse_file(path: Path) -> Path:
    """Write a short stereo response of another rate, once."""
    import soundfile

    if not path.exists():
        rng = np.random.default_rng(3)
        decay = np.exp(-np.arange(4000)[:, None] / 800.0)
        soundfile.write(path, rng.normal(0.0, 0.1, (4000, 2)) * decay, 22_050, subtype="FLOAT")
    return path


def cases(folder: Path) -> dict[str, Case]:
    """All cases by name; `folder` takes the files that some of them read."""
    found = {}
    for name, kind in catalogue.processor_types().items():
        for number, settings in enumerate(SETTINGS.get(name, [{}])):
            label = name + "".join(f"-{value}" if not isinstance(value, bool) else f"-{key}" for key, value in settings.items())
            stereo_rows = 2 if settings.get("stereo") and name in ("Delay", "ConvolutionReverb") else None
            held = terms(name, **settings)
            case = Case(partial(_make, kind, settings, folder), held)
            found[label] = case.on(variant=number > 0, **({"batch": stereo_rows} if stereo_rows else {}))
    return found
