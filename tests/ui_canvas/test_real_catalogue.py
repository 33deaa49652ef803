"""Every processor that ships is drawn on the canvas and has a page in the inspector; what its knobs say reads back."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication

from ddsp_studio.processors.catalogue import processor_types
from ddsp_studio.processors.declare import Spec
from ddsp_studio.ui.canvas.editor import PatchEditor
from ddsp_studio.ui.document import Document
from ddsp_studio.ui.inspector.inspector import Inspector
from ddsp_studio.ui.inspector.node_page import NodePage

from .fakes import SPECS

REAL: dict[str, Spec] = {name: kind.spec for name, kind in processor_types().items()}


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, spec in REAL.items():
        monkeypatch.setitem(SPECS, name, spec)


def test_every_processor_is_drawn_and_inspected(real: None, qtbot) -> None:
    document = Document()
    editor, inspector = PatchEditor(document), Inspector(document)
    for widget in (editor, inspector):
        qtbot.addWidget(widget)
        widget.resize(900, 700)
        widget.show()
    for index, (name, spec) in enumerate(REAL.items()):
        node = document.add_node(name, (220.0 * (index % 6), 260.0 * (index // 6)))
        page = inspector.page
        assert isinstance(page, NodePage) and set(page.values) == set(spec.controls) and set(page.options) == set(spec.options)
        assert set(spec.outlets) | set(spec.inlets) <= {s.port.name for s in editor.scene.sockets() if s.port.node == node}
    editor.frame_all()
    assert not editor.grab().isNull() and not inspector.grab().isNull()
    editor.auto_arrange()
    assert len(document.patch.nodes) == len(REAL)


def test_pages_leave_nothing_behind(real: None, qtbot) -> None:
    document = Document()
    inspector = Inspector(document)
    qtbot.addWidget(inspector)
    names = [document.add_node(name, (0.0, 0.0)) for name in list(REAL)[:6]]

    def count() -> int:
        QApplication.sendPostedEvents(None, 52)  # QEvent.DeferredDelete
        QApplication.processEvents()
        return len(QApplication.allWidgets())

    def round_trip() -> int:
        for name in names:
            document.select([name])
        document.select([])
        return count()

    first = round_trip()
    for _ in range(5):
        last = round_trip()
    assert last <= first + 2
