"""What a new user is greeted with, and what the browser lists of what ships."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QApplication

from ddsp_studio import resources
from ddsp_studio.processors import model_file, patch_file
from ddsp_studio.processors.catalogue import specs
from ddsp_studio.processors.check import check
from ddsp_studio.processors.hearing import hearing, hears
from ddsp_studio.processors.nesting import playable
from ddsp_studio.ui import app, instruments, library, theme
from ddsp_studio.ui.canvas.editor import PatchEditor
from ddsp_studio.ui.canvas.style import METER, cable_path
from ddsp_studio.ui.document import Document
from ddsp_studio.ui.library import Kind
from ddsp_studio.ui.window import StudioWindow

PATCHES, MODELS = resources.factory(resources.PATCHES), resources.factory(resources.MODELS)


def test_a_new_user_gets_the_learned_violin_as_a_patch_without_a_file(window: StudioWindow) -> None:
    app._open_first(window)
    document = window.document
    assert document.title == "Violin" and document.path is None and not document.dirty
    assert instruments.models_of(document.patch) == ["violin"] and instruments.known_range(document.patch) == (55, 92)
    assert document.problem() is None


def test_an_instrument_without_its_model_does_not_stop_the_start(window: StudioWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "MODELS", "nothing_here")
    app._open_first(window)
    assert window.document.title == "Drawbar Organ"


def test_each_shipped_instrument_is_listed_once_and_opens_as_its_patch() -> None:
    shipped = [entry for entry in library.entries() if entry.factory and entry.kind is not Kind.MIDI]
    assert len({entry.title for entry in shipped}) == len(shipped)
    assert {entry.path for entry in shipped if entry.kind is Kind.MODEL} == set(MODELS.values())
    for path in MODELS.values():
        patch = instruments.opened(path)
        assert patch.notes and "template" not in patch.tags
        assert instruments.plays(patch, path)


@pytest.mark.parametrize("name", sorted(PATCHES))
def test_a_shipped_patch_plays_on_every_computer(name: str) -> None:
    """Its models are named, not located; and it can be played."""
    patch = patch_file.load(PATCHES[name])
    check(playable(patch))
    assert set(instruments.models_of(patch)) <= set(MODELS)


@pytest.mark.parametrize(
    "path", [*PATCHES.values(), *resources.factory(resources.TEMPLATES).values()], ids=lambda path: path.stem
)
def test_cables_can_be_followed(themed: QApplication, path: Path) -> None:
    """No node stands on another one, or on a cable that does not end in it."""
    document = Document()
    document.new(patch_file.load(path))
    scene = PatchEditor(document).scene
    rects = {name: item.scene_rect() for name, item in scene.nodes.items()}
    assert not [(a, b) for a in rects for b in rects if a < b and rects[a].intersects(rects[b])]
    for ends, cable in scene.cables.items():
        for step in range(101):
            place = cable_path(*cable.ends()).pointAtPercent(step / 100)
            assert not [n for n, r in rects.items() if r.adjusted(1, 1, -1, -1).contains(place)], ends


def test_a_title_has_room_for_each_type(themed: QApplication) -> None:
    metrics = QFontMetrics(theme.font(10))
    assert not [name for name in specs() if metrics.horizontalAdvance(name) > METER.left() - 18.0]


def test_a_folder_of_the_same_name_does_not_hide_a_shipped_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "violin").mkdir()
    monkeypatch.chdir(tmp_path)
    assert model_file.find("violin").about["name"] == "Violin"


def test_another_instrument_does_not_take_the_place_within_a_patch_that_plays_one() -> None:
    violin = instruments.opened(MODELS["violin"])
    assert instruments.was_trained(violin, MODELS["violin"])
    assert instruments.with_instrument(violin, MODELS["flute"]).name == "Flute"


def test_the_violin_can_be_sung_and_live_transfer_is_that() -> None:
    assert hears(hearing(patch_file.load(PATCHES["violin"])))
    live = patch_file.load(PATCHES["live_transfer"])
    assert hears(live) and instruments.models_of(live) == ["violin"]
