"""Every action by typing a few letters of its name."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from ddsp_studio.ui import theme
from ddsp_studio.ui.actions import Actions

_NAME = Qt.ItemDataRole.UserRole
_ROW = 26


class CommandPalette(QDialog):
    """A field over a list; Enter starts the marked action after the palette is gone."""

    def __init__(self, actions: Actions, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self._actions = actions
        self.chosen = ""
        self.setFixedSize(480, 340)
        self.setStyleSheet(f"CommandPalette {{ background: {theme.PANEL}; border: 1px solid {theme.BORDER}; }}")
        self.field = QLineEdit(placeholderText="What do you want to do?")
        self.field.setFont(theme.font(14))
        self.field.textChanged.connect(self._fill)
        self.field.installEventFilter(self)
        self.list = QListWidget()
        self.list.itemClicked.connect(self._take)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self.field)
        layout.addWidget(self.list)
        self.setFocusProxy(self.field)
        place = parent.mapToGlobal(parent.rect().center())
        self.move(place.x() - self.width() // 2, parent.mapToGlobal(parent.rect().topLeft()).y() + 90)
        self._fill("")
        self.field.setFocus(Qt.FocusReason.PopupFocusReason)

    def _fill(self, words: str) -> None:
        self.list.clear()
        for name in self._actions.search(words):
            item = QListWidgetItem()
            item.setData(_NAME, name)
            self.list.addItem(item)
            row = self._row(name)
            item.setSizeHint(QSize(0, _ROW))
            self.list.setItemWidget(item, row)
        self.list.setCurrentRow(0)

    def _row(self, name: str) -> QWidget:
        action = self._actions[name]
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(8, 0, 8, 0)
        layout.addWidget(QLabel(self._actions.title(name)))
        layout.addStretch(1)
        keys = QLabel(action.shortcut().toString(QKeySequence.SequenceFormat.NativeText))
        keys.setProperty("soft", True)
        layout.addWidget(keys)
        return row

    def _take(self, item: QListWidgetItem | None) -> None:
        self.chosen = item.data(_NAME) if item is not None else ""
        self.accept()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrows move in the list while the field keeps the cursor."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 8, Qt.Key.Key_PageUp: -8}
            if event.key() in steps:
                row = self.list.currentRow() + steps[Qt.Key(event.key())]
                self.list.setCurrentRow(min(max(row, 0), self.list.count() - 1))
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._take(self.list.currentItem())
                return True
        return False


def open_palette(actions: Actions, parent: QWidget) -> None:
    """Show the palette and start what is chosen."""
    palette = CommandPalette(actions, parent)
    palette.exec()
    if palette.chosen:
        actions[palette.chosen].trigger()
    palette.deleteLater()
