"""The list of recordings and data sets: how long each is, which notes are in it, and what is wrong with it in full sentences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QMenu,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
)

from ddsp_studio.processors.units import note_name
from ddsp_studio.training import listen
from ddsp_studio.training.data.nsynth import NSynthFilter
from ddsp_studio.training.data.nsynth_notes import Notes
from ddsp_studio.training.listen import Heard, narrowed
from ddsp_studio.ui import theme
from ddsp_studio.ui.training.story import span

_HEARD = Qt.ItemDataRole.UserRole
_COLUMNS, _INDENT, _PADDING = 3, 12, 8
_HOLDS = {
    "nsynth": ("NSynth", "note"),
    "maestro": ("MAESTRO", "performance"),
    "ddsp": ("TFRecords of magenta/ddsp", "example"),
}


class FileList(QTreeWidget):
    """Rows are replaced when a file is heard again. Its owner takes away what `remove_wanted` names."""

    remove_wanted = Signal(list)
    """Paths."""
    hear_wanted = Signal(str)
    """A sound file's path."""

    def __init__(self) -> None:
        super().__init__()
        self._items: dict[str, QTreeWidgetItem] = {}
        self._narrowed: dict[str, Heard] = {}
        """What is wanted of each, by path: reckoned once, for a data set has hundreds of thousands of notes."""
        self._octave = 0
        self._wanted = NSynthFilter()
        self.setColumnCount(_COLUMNS)
        self.setHeaderLabels(["Recording", "Length", "Notes"])
        self.setRootIsDecorated(False)
        self.setItemsExpandable(False)
        self.setIndentation(_INDENT)
        self.setWordWrap(True)
        self.setItemDelegate(_Sentences(self))
        self.setAccessibleName("Recordings")
        self.setMinimumHeight(110)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.itemDoubleClicked.connect(lambda item, _column: self._hear(item))
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)

    @property
    def heard(self) -> list[Heard]:
        """What was heard in each file; of NSynth what is wanted."""
        return list(self._narrowed.values())

    @property
    def notes(self) -> list[Notes]:
        """The notes of each data set of NSynth, wanted or not."""
        return [notes for item in self._items.values() if (notes := self._of(item).notes)]

    @property
    def chosen(self) -> list[str]:
        """Paths of the files that are selected."""
        return [self._of(item).path for item in self.selectedItems()]

    @property
    def current(self) -> Heard | None:
        """What was heard in the file at the cursor."""
        item = self.currentItem()
        return self._of(item.parent() or item) if item is not None else None

    @property
    def whole(self) -> bool:
        """Whether all notes of each data set of NSynth were seen."""
        return all(listen.saw_all(self._of(item)) for item in self._items.values())

    def show_heard(self, heard: Heard) -> QTreeWidgetItem:
        """Add a file, or show it anew; returns its row."""
        item = self._items.get(heard.path)
        if item is None:
            item = self._items[heard.path] = QTreeWidgetItem()
            self.addTopLevelItem(item)
        item.setData(0, _HEARD, heard)
        self._fill(item)
        return item

    def _fill(self, item: QTreeWidgetItem) -> None:
        heard = self._of(item)
        wanted = self._narrowed[heard.path] = narrowed(heard, self._wanted)
        _fill(item, wanted, heard.sounds)
        item.setText(2, self._notes(item))
        item.setExpanded(True)

    def narrow(self, wanted: NSynthFilter) -> None:
        """Show of NSynth what is wanted."""
        if wanted != self._wanted:
            self._wanted = wanted
            for item in self._items.values():
                if self._of(item).notes:
                    self._fill(item)

    def shift(self, octaves: int) -> None:
        """Show the notes moved by octaves, as they will be learned."""
        self._octave = octaves
        for item in self._items.values():
            item.setText(2, self._notes(item))

    def _notes(self, item: QTreeWidgetItem) -> str:
        keys = self._narrowed[self._of(item).path].keys or ()
        return " – ".join(dict.fromkeys(note_name(key + 12 * self._octave) for key in keys))

    def remove(self, paths: Sequence[str]) -> None:
        """Take files out."""
        gone = {path: self._items[path] for path in paths if path in self._items}
        first = min((self.indexOfTopLevelItem(item) for item in gone.values()), default=0)
        self.blockSignals(True)  # told once, not for each of thousands
        for path, item in gone.items():
            del self._items[path], self._narrowed[path]
            self.takeTopLevelItem(self.indexOfTopLevelItem(item))
        self.blockSignals(False)
        neighbour = self.topLevelItem(min(first, self.topLevelItemCount() - 1))
        if neighbour is not None and not self.chosen:
            self.setCurrentItem(neighbour)
        self.itemSelectionChanged.emit()

    def clear(self) -> None:
        """Take all files out."""
        self._items, self._narrowed = {}, {}
        super().clear()

    @staticmethod
    def _of(item: QTreeWidgetItem) -> Heard:
        heard = item.data(0, _HEARD)
        if not isinstance(heard, Heard):
            raise TypeError("a row of the recordings holds none")
        return heard

    def menu_of(self, heard: Heard) -> QMenu:
        """What can be done with a file."""
        menu = QMenu(self)
        hear = menu.addAction("Hear it", lambda: self.hear_wanted.emit(heard.path))
        hear.setEnabled(_can_be_heard(heard))
        chosen = self.chosen if heard.path in self.chosen else [heard.path]
        words = "Remove" if len(chosen) == 1 else f"Remove {len(chosen)} recordings"
        menu.addAction(words, QKeySequence(Qt.Key.Key_Delete), lambda: self.remove_wanted.emit(chosen))
        return menu

    def _hear(self, item: QTreeWidgetItem) -> None:
        heard = self._of(item.parent() or item)
        if _can_be_heard(heard):
            self.hear_wanted.emit(heard.path)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The menu of the row under the pointer, or from the keyboard of the row at the cursor."""
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        item = self.currentItem() if by_key else self.itemAt(event.pos())
        if item is None:
            return
        if by_key:
            self.scrollToItem(item)
        menu = self.menu_of(self._of(item.parent() or item))
        menu.exec(self.viewport().mapToGlobal(self.visualItemRect(item).center() if by_key else event.pos()))
        menu.deleteLater()

    def event(self, event: QEvent) -> bool:
        """Select all is meant for this list while it has the focus."""
        asked = isinstance(event, QKeyEvent) and event.matches(QKeySequence.StandardKey.SelectAll)
        if asked and event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete takes the selected files out, Enter lets the one at the cursor be heard."""
        item = self.currentItem()
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and self.chosen:
            self.remove_wanted.emit(self.chosen)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and item is not None:
            self._hear(item)
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Sentences are broken anew."""
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()

    def sizeHint(self) -> QSize:
        """A comfortable size."""
        return QSize(340, 120)


class _Sentences(QStyledItemDelegate):
    """Rows of a sentence are as high as it is long."""

    def __init__(self, files: FileList) -> None:
        super().__init__(files)
        self._files = files

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        size = super().sizeHint(option, index)
        if index.parent().isValid():
            width = self._files.viewport().width() - 2 * _INDENT - _PADDING
            room, words = QRect(0, 0, max(width, 50), 10_000), str(index.data())
            size.setHeight(option.fontMetrics.boundingRect(room, int(Qt.TextFlag.TextWordWrap), words).height() + _PADDING)
        return size


def _can_be_heard(heard: Heard) -> bool:
    return not heard.kind and bool(heard.f0_hz)


def _fill(item: QTreeWidgetItem, heard: Heard, of: int) -> None:
    name = Path(heard.path).name
    length = f"{'' if heard.exact else '≈ '}{span(heard.seconds)}" if heard.seconds else ""
    item.setText(0, name)
    item.setText(1, length)
    for column in range(_COLUMNS):
        item.setForeground(column, theme.colour(theme.TEXT if heard.usable_s else theme.TEXT_FAINT))
    item.setToolTip(0, heard.path)
    item.takeChildren()
    if of and heard.kind:
        _add(item, holds(heard, of), theme.TEXT_SOFT)
    for words in heard.warnings:
        _add(item, sentence(words, name), theme.WARNING if heard.usable_s else theme.DANGER)


def _add(item: QTreeWidgetItem, words: str, hue: str) -> None:
    line = QTreeWidgetItem([words])
    line.setForeground(0, theme.colour(hue))
    line.setFlags(Qt.ItemFlag.ItemIsEnabled)
    item.addChild(line)
    line.setFirstColumnSpanned(True)  # only an item in a tree can span


def holds(heard: Heard, of: int) -> str:
    """What a data set is and how much it holds: "NSynth, 12,678 notes", "NSynth, 35 of 12,678 notes"."""
    title, what = _HOLDS.get(heard.kind, (heard.kind, "sound"))
    about = "" if heard.exact else "about "
    part = "" if heard.sounds == of else f"{heard.sounds:,} of "
    return f"{title}, {about}{part}{of:,} {what}{'' if of == 1 else 's'}"


def sentence(words: str, name: str) -> str:
    """A warning without the file's name, which stands above it."""
    words = words.removeprefix(name).lstrip(": ").rstrip(".")
    return f"{words[:1].upper()}{words[1:]}."
