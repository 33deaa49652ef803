"""The inspector's page for the patch itself, shown while no node is selected."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QFormLayout, QLabel, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from ddsp_studio.ui.document import Document
from ddsp_studio.ui.inspector.sections import note

_FIELDS = {"name": "Name", "author": "Author", "licence": "Licence"}
_NOTES_HEIGHT, _MOST_NOTES_HEIGHT = 110, 280


class PatchPage(QWidget):
    """Name, author, licence, tags and notes."""

    def __init__(self, document: Document) -> None:
        super().__init__()
        self._document = document
        self._lines = {key: QLineEdit(self) for key in (*_FIELDS, "tags")}
        self._notes = QPlainTextEdit(self)
        self._count = note("")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        heading = QLabel("Patch", self)
        heading.setStyleSheet("font-size: 15px; font-weight: 600;")
        layout.addWidget(heading)
        layout.addWidget(self._count)
        layout.addLayout(self._form())
        layout.addWidget(note("Notes"))
        layout.addWidget(self._notes, 1)
        layout.addWidget(note("Select a node on the canvas to see its controls. Tab adds a processor.", faint=True))
        layout.addStretch(0)
        document.changed.connect(self.refresh)
        document.opened.connect(self._show_all)
        document.settling.connect(self._settle)
        self._show_all()

    def _form(self) -> QFormLayout:
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        for key, text in (*_FIELDS.items(), ("tags", "Tags")):
            self._lines[key].setAccessibleName(text)
            self._lines[key].editingFinished.connect(self._write)
            form.addRow(text, self._lines[key])
        self._lines["tags"].setPlaceholderText("pad, warm, …")
        self._lines["licence"].setPlaceholderText("CC0-1.0, CC-BY-4.0, …")
        self._notes.setPlaceholderText("How it is meant to be played, where it comes from…")
        self._notes.setAccessibleName("Notes")
        self._notes.setMinimumHeight(_NOTES_HEIGHT)
        self._notes.setMaximumHeight(_MOST_NOTES_HEIGHT)
        self._notes.setTabChangesFocus(True)
        self._notes.installEventFilter(self)
        return form

    def refresh(self) -> None:
        """Show what the patch holds, except in fields that are being typed into."""
        if not self._is_modified():
            self._show_all()

    def _is_modified(self) -> bool:
        return any(line.isModified() for line in self._lines.values()) or self._notes.document().isModified()

    def _settle(self) -> None:
        if self._is_modified():
            self._write()

    def _show_all(self) -> None:
        patch = self._document.patch
        for key in _FIELDS:
            self._show(self._lines[key], getattr(patch, key))
        self._show(self._lines["tags"], ", ".join(patch.tags))
        if self._notes.toPlainText() != patch.notes:
            self._notes.setPlainText(patch.notes)
        self._notes.document().setModified(False)
        self._count.setText(f"{_counted(len(patch.nodes), 'node')}, {_counted(len(patch.cables), 'cable')}")

    @staticmethod
    def _show(line: QLineEdit, text: str) -> None:
        if line.text() != text:
            line.setText(text)
        line.setModified(False)

    def _write(self) -> None:
        tags = [tag.strip() for tag in self._lines["tags"].text().split(",")]
        self._document.set_properties(
            **{key: self._lines[key].text().strip() for key in _FIELDS},
            tags=[tag for tag in dict.fromkeys(tags) if tag],
            notes=self._notes.toPlainText(),
        )
        self._show_all()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Write the notes when the focus leaves them."""
        if watched is self._notes and event.type() is QEvent.Type.FocusOut:
            self._write()
        return False


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
