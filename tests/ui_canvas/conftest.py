"""Fixtures: an offscreen Qt, the made-up catalogue everywhere, and a document with a small instrument in it."""

from __future__ import annotations

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import sys

import pytest
from PySide6.QtWidgets import QApplication

from ddsp_studio.processors.patch import Node, Patch
from ddsp_studio.ui.document import Document

from .fakes import SPECS, cable


@pytest.fixture(autouse=True)
def catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the made-up processors wherever the real catalogue was imported."""
    import ddsp_studio.processors.catalogue as real
    from ddsp_studio.processors import patch_file

    monkeypatch.setattr(patch_file, "NODE_MIGRATIONS", {})
    original = real.specs
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("ddsp_studio") and getattr(module, "specs", None) is original:
            monkeypatch.setattr(module, "specs", lambda: SPECS)


@pytest.fixture
def instrument() -> Patch:
    """voice → harmonic → filter → mixer → output, with an envelope and an LFO on the filter."""
    kinds = ("Voice", "Adsr", "Lfo", "Harmonic", "Filter", "VoiceMixer", "Output")
    places = ((0, 0), (220, 160), (220, 380), (440, 0), (680, 0), (920, 0), (1140, 0))
    patch = Patch(name="Test")
    for kind, place in zip(kinds, places, strict=True):
        patch = patch.with_node(patch.free_name(kind), Node(kind, position=place))
    for one in (
        cable("voice.f0_hz", "harmonic.f0"),
        cable("voice.gate", "adsr.gate"),
        cable("adsr.out", "harmonic.amplitude"),
        cable("lfo.out", "filter.cutoff", 0.5),
        cable("harmonic.out", "filter.audio"),
        cable("filter.out", "voice_mixer.audio"),
        cable("voice_mixer.out", "output.audio"),
    ):
        patch = patch.with_cable(one)
    return patch


@pytest.fixture
def document(qapp: QApplication, instrument: Patch) -> Document:
    held = Document()
    held.new(instrument)
    return held
