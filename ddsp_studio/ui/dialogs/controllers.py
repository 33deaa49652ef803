"""Which MIDI controllers turn which knobs of the patch."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ddsp_studio.processors.nesting import playable
from ddsp_studio.processors.patch import Controller
from ddsp_studio.ui.document import Document
from ddsp_studio.ui.widgets.texts import readable

_HINT = (
    "Right-click a knob and choose “Learn a MIDI controller”, then move the controller. What is learnt is saved with the patch."
)


class ControllersDialog(QDialog):
    """A table of what was learnt; chosen rows can be taken off, which can be undone."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("MIDI controllers")
        self.setMinimumSize(460, 320)
        self._document = document
        self._rows: list[tuple[str, str, Controller]] = []
        self.forget = QPushButton("Forget", autoDefault=False)
        self.table = QTableWidget(0, 3)
        self.table.setHorizontalHeaderLabels(["Processor", "Knob", "Controller"])
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.verticalHeader().setVisible(False)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.table.itemSelectionChanged.connect(lambda: self.forget.setEnabled(bool(self._chosen())))
        hint = QLabel(_HINT, wordWrap=True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.addButton(self.forget, QDialogButtonBox.ButtonRole.ActionRole)
        self.forget.clicked.connect(self._forget)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        for widget in (hint, self.table, buttons):
            layout.addWidget(widget)
        document.changed.connect(self._fill)
        self._fill()

    def _fill(self) -> None:
        nodes = playable(self._document.patch).nodes
        self._rows = [(name, key, by) for name, node in nodes.items() for key, by in sorted(node.midi.items())]
        self.table.setRowCount(len(self._rows))
        for row, (name, key, by) in enumerate(self._rows):
            for column, text in enumerate((name, readable(key), str(by))):
                self.table.setItem(row, column, QTableWidgetItem(text))
        self.forget.setEnabled(bool(self._chosen()))

    def _chosen(self) -> list[int]:
        return sorted({index.row() for index in self.table.selectedIndexes()})

    def _forget(self) -> None:
        for name, key, _ in [self._rows[row] for row in self._chosen()]:
            self._document.set_controller(name, key, None)
