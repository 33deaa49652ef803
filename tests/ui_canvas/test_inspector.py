"""The inspector follows the selection and writes through the document."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QLineEdit, QToolButton

from ddsp_studio.processors.patch import Node
from ddsp_studio.ui.document import Document
from ddsp_studio.ui.inspector.inspector import Inspector
from ddsp_studio.ui.inspector.node_page import NodePage
from ddsp_studio.ui.inspector.patch_page import PatchPage
from ddsp_studio.ui.widgets.bars import Bars
from ddsp_studio.ui.widgets.knob import Knob
from ddsp_studio.ui.widgets.number_field import NumberField

from .fakes import cable, port


@pytest.fixture
def inspector(qtbot, document: Document) -> Iterator[Inspector]:
    held = Inspector(document)
    qtbot.addWidget(held)
    held.resize(300, 800)
    held.show()
    yield held


def page(inspector: Inspector) -> NodePage:
    assert isinstance(inspector.page, NodePage)
    return inspector.page


def field(inspector: Inspector, name: str) -> QLineEdit:
    return next(e for e in inspector.page.findChildren(QLineEdit) if e.accessibleName() == name)


def test_controls_come_from_the_declarations(inspector: Inspector, document: Document) -> None:
    document.select(["harmonic"])
    kinds = {name: type(widget) for name, widget in page(inspector).values.items()}
    assert kinds == {"f0": Knob, "amplitude": Knob, "distribution": Bars}
    assert set(page(inspector).options) == {"partials", "window"}
    document.add_node("Gain", (0.0, 0.0))
    assert isinstance(page(inspector).values["pan"], NumberField) and not page(inspector).values["pan"].isVisible()


def test_knob_writes_through_the_document_and_follows_it(inspector: Inspector, document: Document) -> None:
    document.select(["filter"])
    knob = page(inspector).values["cutoff"]
    knob._preview(2000.0)
    assert document.values("filter")["cutoff"] == (2000.0,) and document.undo_stack.count() == 0
    knob.committed.emit()
    assert document.undo_stack.undoText() == "Set filter.cutoff"
    document.undo()
    assert knob.value == 1000.0 and page(inspector).values["cutoff"] is knob


def test_modulation_shows_depth_and_amount(inspector: Inspector, document: Document) -> None:
    document.select(["filter"])
    assert page(inspector).values["cutoff"]._depths == (0.5,)
    row = page(inspector).cables[0]
    row.field._preview(-25.0)
    row.field.committed.emit()
    assert document.patch.into(port("filter.cutoff"))[0].amount == -0.25
    assert page(inspector).values["cutoff"]._depths == (-0.25,)


def test_disconnect_from_the_inspector(inspector: Inspector, document: Document, qtbot) -> None:
    document.select(["filter"])
    button = next(b for b in page(inspector).findChildren(QToolButton) if "lfo.out" in b.accessibleName())
    button.click()
    qtbot.waitUntil(lambda: cable("lfo.out", "filter.cutoff", 0.5) not in document.patch.cables)
    assert page(inspector).values["cutoff"]._depths == ()


def test_rename_and_refused_rename(inspector: Inspector, document: Document) -> None:
    document.select(["filter"])
    name = field(inspector, "Name")
    name.setText("output")
    name.editingFinished.emit()
    assert name.text() == "filter"
    name.setText("warm")
    name.editingFinished.emit()
    assert document.selection == ("warm",) and page(inspector).name == "warm"


def test_option_rebuilds_the_page(inspector: Inspector, document: Document) -> None:
    document.select(["harmonic"])
    page(inspector).options["partials"].chosen.emit(8)
    assert len(page(inspector).values["distribution"].values) == 8


def test_flags(inspector: Inspector, document: Document) -> None:
    document.select(["filter"])
    page(inspector)._flags["muted"].click()
    assert document.patch.nodes["filter"].muted
    document.undo()
    assert not page(inspector)._flags["muted"].isChecked()


def test_patch_page_writes_properties_as_one_edit(inspector: Inspector, document: Document) -> None:
    assert isinstance(inspector.page, PatchPage)
    tags = field(inspector, "Tags")
    tags.setText("pad, warm, pad")
    tags.editingFinished.emit()
    assert document.patch.tags == ("pad", "warm") and document.undo_stack.count() == 1
    assert document.undo_stack.undoText() == "Change patch tags"
    tags.editingFinished.emit()
    assert document.undo_stack.count() == 1
    document.set_properties(name="Other", author="Nobody", notes="Loud", tags=["pad", "warm"])
    assert document.undo_stack.undoText() == "Change patch name, author and notes"
    document.undo()
    document.undo()
    assert field(inspector, "Tags").text() == ""


def test_many_and_unknown_nodes(inspector: Inspector, document: Document) -> None:
    document.select(["filter", "lfo"])
    assert "2 nodes" in inspector.page.layout().itemAt(0).widget().text()
    document.new(document.patch.with_node("strange", Node("FromElsewhere", values={"size": (3.0,)})))
    document.select(["strange"])
    assert page(inspector).values == {}
    inspector.grab()


def test_typed_notes_are_written_before_saving(inspector: Inspector, document: Document, tmp_path) -> None:
    inspector.page._notes.setPlainText("play softly")
    inspector.page._notes.document().setModified(True)
    document.save_as(tmp_path / "soft.ddsp")
    assert document.patch.notes == "play softly" and not document.dirty


def test_half_typed_text_survives_other_edits(inspector: Inspector, document: Document) -> None:
    line = field(inspector, "Author")
    line.setText("Me")
    line.setModified(True)
    document.move({"filter": (0.0, 0.0)})
    assert line.text() == "Me"
