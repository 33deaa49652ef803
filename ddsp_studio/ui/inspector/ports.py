"""The ports that a group shows, in the inspector: their outer names, what they stand for, their order."""

from __future__ import annotations

import functools

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QToolButton, QVBoxLayout, QWidget

from ddsp_studio.processors import nesting
from ddsp_studio.processors.patch import Exposed
from ddsp_studio.ui.document import Document
from ddsp_studio.ui.inspector.sections import Section, note


class PortRow(QWidget):
    """One port: a field with its outer name, the inner port, and buttons that move or hide it."""

    renamed = Signal(str)
    placed = Signal(int)
    hidden_ = Signal()

    def __init__(self, shown: Exposed) -> None:
        super().__init__()
        self.shown = shown
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        self.field = QLineEdit(shown.name, self)
        self.field.setAccessibleName(f"Name of port {shown.name}")
        self.field.setToolTip(f"{shown.name} stands for {shown.port} inside")
        self.field.setCursorPosition(0)
        self.field.editingFinished.connect(lambda: self.renamed.emit(self.field.text().strip()))
        inner = note(str(shown.port), faint=True)
        inner.setWordWrap(False)
        inner.setToolTip(f"Stands for {shown.port} inside")
        row.addWidget(self.field, 4)
        row.addWidget(inner, 3)
        for text, tip, do in (
            ("↑", "Move up", functools.partial(self.placed.emit, -1)),
            ("↓", "Move down", functools.partial(self.placed.emit, 1)),
            ("✕", "No longer show outside", self.hidden_.emit),
        ):
            button = QToolButton(self)
            button.setText(text)
            button.setFixedSize(20, 22)
            button.setAutoRaise(True)
            button.setToolTip(tip)
            button.setAccessibleName(f"{tip}: {shown.name}")
            button.clicked.connect(do)
            row.addWidget(button)


def port_section(document: Document, ports: tuple[Exposed, ...], group: str) -> Section:
    """The section with a row for each port of a group of the open level, or of the opened group if `group` is ""."""
    section = Section("Ports")
    queued = Qt.ConnectionType.QueuedConnection  # the edit builds the page anew
    for shown in ports:
        row = PortRow(shown)
        row.renamed.connect(functools.partial(_rename, document, row, group), queued)
        row.placed.connect(lambda by, name=shown.name: document.place_port(name, by, group), queued)
        row.hidden_.connect(functools.partial(document.hide_port, shown.name, group), queued)
        section.rows.addWidget(row)
    if not ports:
        section.rows.addWidget(note("None yet. Open the group, right-click a port or a value, and show it outside.", faint=True))
    return section


def _rename(document: Document, row: PortRow, group: str, name: str) -> None:
    if name != row.shown.name and not document.rename_port(row.shown.name, name, group):
        row.field.setText(row.shown.name)


class LevelPage(QWidget):
    """What is shown while a group is open and nothing in it is selected: the group's own ports."""

    def __init__(self, document: Document) -> None:
        super().__init__()
        outer = nesting.level(document.patch, document.inside[:-1]).nodes[document.inside[-1]]
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        heading = QLabel(outer.label or document.inside[-1], self)
        heading.setStyleSheet("font-size: 15px; font-weight: 600;")
        layout.addWidget(heading)
        count, cables = len(document.shown.nodes), len(document.shown.cables)
        layout.addWidget(note(f"Inside of a group: {count} {'node' if count == 1 else 'nodes'}, {cables} cables."))
        layout.addWidget(port_section(document, outer.inside.ports if outer.inside is not None else (), ""))
        layout.addWidget(
            note("Right-click a port or a value on the canvas to show it outside. Alt+Up leaves the group.", faint=True)
        )
        layout.addStretch(1)
