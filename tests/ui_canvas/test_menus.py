"""The context menus offer what can be done, and do it."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from ddsp_studio.ui.canvas import menus
from ddsp_studio.ui.canvas.editor import PatchEditor
from ddsp_studio.ui.canvas.scene import Hit
from ddsp_studio.ui.document import Document

from .fakes import cable, port
from .hand import Hand


@pytest.fixture
def hand(qtbot, document: Document) -> Hand:
    editor = PatchEditor(document)
    qtbot.addWidget(editor)
    editor.resize(1400, 900)
    editor.show()
    editor.frame_all()
    return Hand(editor)


def texts(menu: QMenu) -> list[str]:
    return [action.text() for action in menu.actions() if action.text()]


def action(menu: QMenu, text: str) -> QAction:
    for entry in menu.actions():
        if entry.text() == text:
            return entry
        inner = entry.menu()
        if isinstance(inner, QMenu):
            found = next((a for a in inner.actions() if a.text() == text), None)
            if found is not None:
                return found
    raise AssertionError(f"no {text!r} in {texts(menu)}")


def menu_at(hand: Hand, place) -> QMenu:
    hit = hand.scene.hit(place, hand.view.zoom())
    if hit.node:
        hand.editor.document.select([hit.node])
    return menus.build(hand.editor, hit)


def test_port_menu_connects_and_disconnects(hand: Hand, document: Document) -> None:
    menu = menu_at(hand, hand.socket("lfo.out", outlet=True))
    action(menu, "filter.resonance").trigger()
    assert cable("lfo.out", "filter.resonance") in document.patch.cables
    with pytest.raises(AssertionError):
        action(menu_at(hand, hand.socket("lfo.out", outlet=True)), "output.audio")
    action(menu_at(hand, hand.socket("lfo.out", outlet=True)), "Disconnect").trigger()
    assert not [c for c in document.patch.cables if c.source == port("lfo.out")]


def test_value_menu_resets_and_lets_others_add(hand: Hand, document: Document) -> None:
    document.set_value("filter", "cutoff", [5000.0])
    hand.editor.value_menu_opening.connect(lambda menu, node, control: menu.addAction(f"Learn {node}.{control}"))
    menu = menu_at(hand, hand.row("filter", "cutoff"))
    assert "Learn filter.cutoff" in texts(menu) and "Disconnect lfo.out (+50 %)" in texts(menu)
    action(menu, "Reset cutoff").trigger()
    assert document.values("filter")["cutoff"] == (1000.0,)


def test_node_menu(hand: Hand, document: Document) -> None:
    menu = menu_at(hand, hand.title("lfo"))
    action(menu, "adsr.attack").trigger()
    assert [c.amount for c in document.patch.into(port("adsr.attack"))] == [0.5]
    action(menu, "Disconnect all").trigger()
    menu = menu_at(hand, hand.title("filter"))
    action(menu, "Bypass").trigger()
    assert document.patch.nodes["filter"].bypassed
    assert action(menu_at(hand, hand.title("filter")), "Bypass").isChecked()


def test_cable_menu(hand: Hand, document: Document) -> None:
    place = hand.amount("lfo.out", "filter.cutoff")
    action(menu_at(hand, place), "Invert the amount").trigger()
    assert document.patch.into(port("filter.cutoff"))[0].amount == -0.5
    action(menu_at(hand, place), "Insert a node…").trigger()
    assert hand.editor.search.isVisible()
    hand.editor.search.close_search()
    action(menu_at(hand, place), "Disconnect").trigger()
    assert document.patch.into(port("filter.cutoff")) == ()


def test_canvas_menu_pastes(hand: Hand, document: Document) -> None:
    document.select(["lfo"])
    hand.editor.copy()
    action(menus.build(hand.editor, Hit()), "Paste").trigger()
    assert "lfo_2" in document.patch.nodes


def test_a_new_selection_lets_go_of_the_cable(hand: Hand, document: Document) -> None:
    hand.scene.select_cable(cable("harmonic.out", "filter.audio"))
    document.select(["lfo"])
    hand.editor.delete()
    assert "lfo" not in document.patch.nodes and cable("harmonic.out", "filter.audio") in document.patch.cables
