"""The list of shortcuts, made from the action registry; the canvas's and the piano's own keys stand with them."""

from __future__ import annotations

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QHeaderView, QLineEdit, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from ddsp_studio.ui import theme
from ddsp_studio.ui.actions import Actions

_GESTURES = (
    ("Canvas: Add a processor", "Tab, Space or double-click on the canvas"),
    ("Canvas: Move the view", "Middle button, Space and drag, or scroll on a touchpad; Shift+wheel sideways"),
    ("Canvas: Zoom", "Wheel; on a touchpad Ctrl and scroll"),
    ("Canvas: Frame everything", "Home"),
    ("Canvas: Frame the selection", "F, while the keyboard does not play"),
    ("Canvas: Choose the next processor", "Ctrl+arrows"),
    ("Canvas: Move processors", "Arrows; Shift+arrows by a pixel"),
    ("Canvas: Type a value", "Enter or a digit over it"),
    ("Canvas: Fine adjustment", "Shift or Ctrl while dragging a value"),
    ("Canvas: Default value", "Double-click a value"),
    ("Canvas: Rename", "F2"),
    ("Canvas: Menu", "Menu key"),
    ("Canvas: Give up, deselect, leave a group", "Esc"),
    ("Piano: Play", "A W S E D F T G Y H U J K O L P ; ' (by place, not by letter)"),
    ("Piano: Octave down, up", "Z, X"),
)


class ShortcutsDialog(QDialog):
    """Two columns, searched as one types."""

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        self.resize(720, 520)
        self._field = QLineEdit(placeholderText="Search", clearButtonEnabled=True)
        self._field.textChanged.connect(self._filter)
        self._tree = QTreeWidget()
        self._tree.setHeaderLabels(["Action", "Keys"])
        self._tree.setRootIsDecorated(False)
        self._tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        for name, action in actions.all().items():
            keys = "   ".join(s.toString(QKeySequence.SequenceFormat.NativeText) for s in action.shortcuts())
            self._add(actions.title(name), keys)
        for words, keys in _GESTURES:
            self._add(words, keys)
        layout = QVBoxLayout(self)
        layout.addWidget(self._field)
        layout.addWidget(self._tree)

    def _add(self, words: str, keys: str) -> None:
        item = QTreeWidgetItem([words, keys])
        item.setForeground(1, theme.colour(theme.ACCENT if keys else theme.TEXT_FAINT))
        self._tree.addTopLevelItem(item)

    def _filter(self, words: str) -> None:
        for row in range(self._tree.topLevelItemCount()):
            item = self._tree.topLevelItem(row)
            if item is not None:
                text = f"{item.text(0)} {item.text(1)}".lower()
                item.setHidden(not all(word in text for word in words.lower().split()))
