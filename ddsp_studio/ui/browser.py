"""The browser panel: patches, instruments and MIDI files, searched as one types."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLabel, QLineEdit, QMenu, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from ddsp_studio.ui import icons, library, paths, theme
from ddsp_studio.ui.library import Entry, Kind

GROUPS = ("Instruments", library.OWN_MODELS, "Factory", "My patches", "Demos", "My takes")
"""In the order in which they are listed."""
_ICONS = {Kind.PATCH: ("patch", theme.AUDIO), Kind.MODEL: ("model", theme.CONTROL), Kind.MIDI: ("song", theme.NOTES)}
_ENTRY = Qt.ItemDataRole.UserRole
_HINTS = {
    "My patches": "Nothing saved yet",
    library.OWN_MODELS: "Drop recordings on the window to train one",
    "My takes": "Nothing recorded yet",
}


class Browser(QWidget):
    """Emits `chosen(entry)` when a file is to be opened (double-click, Enter, previous and next)."""

    chosen = Signal(object)
    group_wanted = Signal(object)
    """A patch that is to be inserted as a group."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: list[Entry] = []
        self._current: Path | None = None
        self._search = QLineEdit(placeholderText="Search", clearButtonEnabled=True)
        self._search.addAction(icons.icon("search", theme.TEXT_FAINT), QLineEdit.ActionPosition.LeadingPosition)
        self._search.setAccessibleName("Search the browser")
        self._search.textChanged.connect(self._fill)
        self._search.returnPressed.connect(self._choose_first)
        self._tree = _Tree()
        self._tree.setAccessibleName("Patches, instruments and MIDI files")
        self._tree.itemActivated.connect(self._activated)
        self._tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._tree.customContextMenuRequested.connect(self._open_menu)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        layout.addWidget(self._search)
        layout.addWidget(self._tree, 1)
        self._nothing = QLabel("Nothing fits the search.", alignment=Qt.AlignmentFlag.AlignCenter)
        self._nothing.setProperty("faint", True)
        layout.addWidget(self._nothing)
        self._watcher = QFileSystemWatcher(self)
        self._later = QTimer(self, interval=300, singleShot=True)
        self._later.timeout.connect(self.refresh)
        self._watcher.directoryChanged.connect(self._later.start)
        self.refresh()

    def refresh(self) -> None:
        """List the files again."""
        self._entries = library.entries()
        for folder in (paths.patches(), paths.models(), paths.recordings()):
            if folder.is_dir():
                self._watcher.addPath(str(folder))
        self._fill()

    def focus_search(self) -> None:
        """Put the cursor into the search field."""
        self._search.setFocus()
        self._search.selectAll()

    def show_current(self, path: Path | None) -> None:
        """Mark the file that is open."""
        if path != self._current:
            self._current = path
            self._fill()

    def step(self, by: int) -> None:
        """Choose the instrument or patch `by` places after the current one, among those that fit the search."""
        patches = [entry for entry in self._fitting() if entry.kind is not Kind.MIDI and not entry.damaged]
        patches.sort(key=lambda entry: GROUPS.index(entry.group))
        if not patches:
            return
        held = [entry.path for entry in patches]
        at = held.index(self._current) if self._current in held else (-1 if by > 0 else 0)
        self.chosen.emit(patches[(at + by) % len(patches)])

    def _fitting(self) -> list[Entry]:
        return [entry for entry in self._entries if entry.matches(self._search.text())]

    def _fill(self) -> None:
        self._tree.clear()
        fitting, searching = self._fitting(), bool(self._search.text().strip())
        for group in GROUPS:
            inside = [entry for entry in fitting if entry.group == group]
            if inside or (not searching and group in _HINTS):
                self._tree.addTopLevelItem(self._group(group, inside))
        self._tree.expandAll()
        self._tree.setVisible(self._tree.topLevelItemCount() > 0)
        self._nothing.setVisible(self._tree.topLevelItemCount() == 0)

    def _group(self, name: str, inside: list[Entry]) -> QTreeWidgetItem:
        head = QTreeWidgetItem([name])
        head.setFont(0, theme.font(11, bold=True))
        head.setForeground(0, theme.colour(theme.TEXT_SOFT))
        head.setFlags(Qt.ItemFlag.ItemIsEnabled)
        for entry in inside:
            head.addChild(self._item(entry))
        if not inside:
            hint = QTreeWidgetItem([_HINTS[name]])
            hint.setFlags(Qt.ItemFlag.NoItemFlags)
            hint.setToolTip(0, _HINTS[name])
            hint.setForeground(0, theme.colour(theme.TEXT_FAINT))
            head.addChild(hint)
        return head

    def _item(self, entry: Entry) -> QTreeWidgetItem:
        current = entry.path == self._current
        item = QTreeWidgetItem([entry.title])
        item.setData(0, _ENTRY, entry)
        item.setToolTip(0, "\n".join(filter(None, (entry.title, entry.detail, "" if entry.factory else str(entry.path)))))
        drawing, hue = _ICONS[entry.kind]
        item.setIcon(0, icons.icon(drawing, hue if current else theme.TEXT_FAINT))
        if entry.damaged:
            item.setForeground(0, theme.colour(theme.TEXT_FAINT))
        if current:
            item.setFont(0, theme.font(12, bold=True))
            item.setForeground(0, theme.colour(hue))
        return item

    def _activated(self, item: QTreeWidgetItem) -> None:
        entry = item.data(0, _ENTRY)
        if isinstance(entry, Entry):
            self.chosen.emit(entry)

    def menu_of(self, entry: Entry) -> QMenu:
        """What can be done with a file."""
        menu = QMenu(self)
        menu.addAction("Open" if entry.kind is Kind.PATCH else "Play", lambda: self.chosen.emit(entry))
        if entry.kind is Kind.PATCH and not entry.damaged:
            menu.addAction("Insert as group", lambda: self.group_wanted.emit(entry))
        return menu

    def _open_menu(self, at: QPoint) -> None:
        item = self._tree.itemAt(at)
        entry = item.data(0, _ENTRY) if item is not None else None
        if isinstance(entry, Entry):
            menu = self.menu_of(entry)
            menu.exec(self._tree.viewport().mapToGlobal(at))
            menu.deleteLater()

    def _choose_first(self) -> None:
        fitting = self._fitting()
        if fitting:
            self.chosen.emit(fitting[0])

    def sizeHint(self) -> QSize:
        """A comfortable width."""
        return QSize(210, 400)


class _Tree(QTreeWidget):
    """A tree with one quiet column, whose letters are left to the computer keyboard."""

    def __init__(self) -> None:
        super().__init__()
        self.setHeaderHidden(True)
        self.setIndentation(10)
        self.setRootIsDecorated(False)
        self.setIconSize(QSize(14, 14))
        self.setExpandsOnDoubleClick(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setUniformRowHeights(True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter opens; on macOS, too, where Qt would edit."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentItem():
            self.itemActivated.emit(self.currentItem(), 0)
            return
        super().keyPressEvent(event)
