"""Groups and missing packages in the window: what the engine is told, what the browser saves and inserts, what is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QFileDialog

from ddsp_studio.audio import protocol
from ddsp_studio.processors import patch_file
from ddsp_studio.processors.patch import Cable, Node, Patch, Port
from ddsp_studio.ui import autosave, paths
from ddsp_studio.ui.library import Kind
from ddsp_studio.ui.window import StudioWindow
from tests.ui_shell.conftest import wait_until
from tests.ui_shell.test_window import told


@pytest.fixture
def grouped(window: StudioWindow, diary: Path) -> StudioWindow:
    """The window with the organ's tone in a group, when the engine has it."""
    name = window.document.group(["harmonic", "gain"])
    window.document.rename(name, "tone")
    wait_until(lambda: any("tone" in c.patch["nodes"] for c in told(diary, protocol.LoadPatch)))
    return window


def test_knobs_of_groups_and_inside_of_groups_reach_the_engine(grouped: StudioWindow, diary: Path) -> None:
    document = grouped.document
    document.enter("tone")
    document.show_port(Port("harmonic", "amplitude"))
    document.set_value("harmonic", "tilt", [-6.0])
    document.leave()
    document.set_value("tone", "amplitude", [0.25])
    wait_until(lambda: len(told(diary, protocol.SetValue)) >= 2)
    assert [(c.node, c.control, c.values) for c in told(diary, protocol.SetValue)] == [
        ("tone/harmonic", "tilt", [-6.0]),
        ("tone/harmonic", "amplitude", [0.25]),
    ]


def test_opening_a_group_or_showing_a_port_is_no_new_patch(grouped: StudioWindow, diary: Path) -> None:
    before = len(told(diary, protocol.LoadPatch))
    grouped.document.enter("tone")
    grouped.document.show_port(Port("harmonic", "amplitude"))
    grouped.document.rename_port("amplitude", "level")
    assert not grouped.patch_sender._structure.isActive() and len(told(diary, protocol.LoadPatch)) == before


def test_a_group_is_saved_for_the_browser_and_inserted_from_it(grouped: StudioWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    path = paths.patches() / "Tone"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    assert grouped.files.save_group("tone")
    assert any("Saved the group as Tone.ddsp" in words for words in grouped.toasts.texts())
    entry = next(e for e in grouped.browser._entries if e.path.name == "Tone.ddsp")
    assert entry.kind is Kind.PATCH
    next(a for a in grouped.browser.menu_of(entry).actions() if a.text() == "Insert as group").trigger()
    assert grouped.document.selection == ("tone_2",)
    inserted, original = (grouped.document.patch.nodes[name].inside for name in ("tone_2", "tone"))
    assert inserted == original
    grouped.document.undo()
    assert "tone_2" not in grouped.document.patch.nodes


def test_a_patch_file_is_inserted_by_the_menu(window: StudioWindow, organ: Patch, monkeypatch: pytest.MonkeyPatch) -> None:
    path = paths.patches() / "organ.ddsp"
    path.parent.mkdir(parents=True)
    patch_file.save(organ, path)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    window.actions_["file.insert"].trigger()
    assert window.document.selection == ("test_organ",)
    path.write_text("{")
    window.actions_["file.insert"].trigger()
    assert any("organ.ddsp was not opened" in words for words in window.toasts.texts())


def test_the_actions_of_groups_are_in_the_menu(window: StudioWindow) -> None:
    window.document.select(["harmonic", "gain"])
    for name in ("group", "open_group", "leave_group", "ungroup"):
        window.actions_[f"edit.{name}"].trigger()
    assert set(window.document.selection) == {"harmonic", "gain"} and window.document.undo_stack.count() == 2


def test_a_patch_that_needs_a_missing_package_opens_plays_and_is_saved_as_it_was(
    window: StudioWindow, organ: Patch, diary: Path, tmp_path: Path
) -> None:
    strange = Node("SpringTank", 3, {"springs": (3.0,)}, {"length": 2}, package="springs")
    patch = organ.with_node("spring", strange).without_cables([Cable(Port("gain", "audio"), Port("mixer", "input"))])
    for source, target in (("gain.audio", "spring.sound"), ("spring.out", "mixer.input")):
        patch = patch.with_cable(Cable(Port.parse(source), Port.parse(target)))
    path = tmp_path / "springs.ddsp"
    patch_file.save(patch, path)
    before = path.read_text(encoding="utf-8")
    assert window.files.open(path)
    assert any("'SpringTank' is not installed; it comes with springs" in words for words in window.toasts.texts())
    wait_until(lambda: any("spring" in c.patch["nodes"] for c in told(diary, protocol.LoadPatch)))
    assert not any(item.problem for item in window.editor.scene.nodes.values())
    window.document.move({"gain": (1.0, 2.0)})
    window.document.undo()
    window.document.save()
    assert path.read_text(encoding="utf-8") == before


def test_autosave_and_recovery_hold_groups(grouped: StudioWindow) -> None:
    grouped.document.enter("tone")
    grouped.document.set_value("harmonic", "tilt", [-3.0])
    grouped.autosave.save()
    item = next(item for item in autosave.find(grouped.autosave.file.parent) if item.file == grouped.autosave.file)
    assert item.patch == grouped.document.patch
    grouped.document.recover(replace(item.patch, name="Recovered"), None)
    assert grouped.document.inside == () and not grouped.editor.breadcrumb.isVisible()
    QApplication.processEvents()
