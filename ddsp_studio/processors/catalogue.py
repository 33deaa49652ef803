"""The registry of processor types: the built-in ones and those that other packages add by entry point."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ddsp_studio.processors.base import Processor
    from ddsp_studio.processors.declare import Spec

ENTRY_POINTS = "ddsp_studio.processors"
"""Entry-point group by which another package adds processor types; each entry names a module to import."""

_BUILT_IN = (
    "sources",
    "control",
    "synths",
    "wavetable",
    "oscillator",
    "sinusoidal",
    "sampler",
    "noise_sources",
    "envelopes",
    "shaping",
    "converters",
    "filters",
    "effects",
    "distortion",
    "dynamics",
    "modulation_effects",
    "phaser",
    "equaliser",
    "fir_filter",
    "bit_crusher",
    "stereo",
    "reverbs_generated",
    "reverb",
    "mixing",
    "clock",
    "sequencing",
    "arpeggiator",
    "routing",
    "splitter",
    "decoders",
    "encoders",
    "expression",
    "listening",
    "auto_level",
)
_TYPES: dict[str, type[Processor]] = {}
_SPECS: dict[str, Spec] = {}
_PACKAGES: dict[str, str] = {}
_loaded: list[str] = []
problems: list[str] = []
"""One sentence for each outside package that could not be loaded."""


def register(processor: type[Processor]) -> None:
    """Add a processor type under its class name; TypeError if another class has the name."""
    name = processor.spec.name
    held = _TYPES.get(name)
    if held is not None and (held.__module__, held.__qualname__) != (processor.__module__, processor.__qualname__):
        raise TypeError(f"processor type {name!r} is declared twice, in {held.__module__} and {processor.__module__}")
    _TYPES[name] = processor
    _SPECS[name] = processor.spec


def _load() -> None:
    if _loaded:
        return
    _loaded.append("built-in")
    for module in _BUILT_IN:
        importlib.import_module(f"ddsp_studio.processors.{module}")
    _in_order()
    for entry in entry_points(group=ENTRY_POINTS):
        before = set(_TYPES)
        try:
            entry.load()
            _PACKAGES.update(dict.fromkeys(set(_TYPES) - before, entry.dist.name if entry.dist else entry.module))
        except Exception as problem:  # a foreign package may fail in any way; the studio must still start
            problems.append(f"processors of {entry.value} could not be loaded: {type(problem).__name__}: {problem}")


def _in_order() -> None:
    """Bring the built-in types into the order of `_BUILT_IN`, whichever module was imported first."""
    places = {f"ddsp_studio.processors.{module}": place for place, module in enumerate(_BUILT_IN)}
    names = sorted(_TYPES, key=lambda name: places.get(_TYPES[name].__module__, len(places)))
    for held in (_TYPES, _SPECS):
        kept = dict(held)
        held.clear()
        held.update((name, kept[name]) for name in names)  # type: ignore[misc]


def processor_types() -> Mapping[str, type[Processor]]:
    """Every known processor class by name."""
    _load()
    return _TYPES


def specs() -> dict[str, Spec]:
    """The data sheet of every known processor by name, in the order of their declaration."""
    _load()
    return _SPECS


def package_of(type_name: str) -> str:
    """The distribution that adds a processor type, "" for the ones that ship and for unknown ones."""
    _load()
    return _PACKAGES.get(type_name, "")
