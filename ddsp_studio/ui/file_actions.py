"""New, open, save, recent, recovery: every way in which a document begins or ends, and the question before work is lost."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog, QMenu, QMessageBox, QWidget

from ddsp_studio import resources
from ddsp_studio.processors import model_file, patch_file
from ddsp_studio.processors.grouping import saved_group
from ddsp_studio.processors.patch import Patch
from ddsp_studio.ui import instruments, paths
from ddsp_studio.ui.autosave import Recovered
from ddsp_studio.ui.document import Document
from ddsp_studio.ui.library import Entry, Kind
from ddsp_studio.ui.settings import Store
from ddsp_studio.ui.toasts import Toasts, Tone

_FILTER = f"Patches (*{patch_file.SUFFIX})"
_Answer = QMessageBox.StandardButton


class FileActions(QObject):
    """Acts on the document; every failure is one sentence and changes nothing."""

    entry_opened = Signal(object)
    """The browser entry that was opened, or None."""
    saved = Signal()

    def __init__(self, window: QWidget, document: Document, store: Store, toasts: Toasts) -> None:
        super().__init__(window)
        self._window, self._document, self._store, self._toasts = window, document, store, toasts

    # -- beginning ----------------------------------------------------------------------------------------------------

    def new(self) -> None:
        """Begin an empty patch."""
        if self.may_leave():
            self._document.new()
            self.entry_opened.emit(None)

    def open_dialog(self) -> None:
        """Ask for a patch file and open it."""
        folder = self._store.settings.folder or str(paths.patches())
        name, _ = QFileDialog.getOpenFileName(self._window, "Open patch", folder, f"{_FILTER};;All files (*)")
        if name:
            self.open(Path(name))

    def open(self, path: Path) -> bool:
        """Open a patch file or a model, if the work at hand may be left. Models and factory patches are opened as new patches."""
        patch = self.read(path)
        if patch is None or not self.may_leave():
            return False
        model = path.suffix == model_file.SUFFIX
        if model or path.resolve().is_relative_to(resources.folder().resolve()):
            self._document.new(patch)
        else:
            self._document.open(path)
            self._store.settings.remember(path)
            self._store.save()
        self.entry_opened.emit(Entry(Kind.MODEL if model else Kind.PATCH, patch.name, path, ""))
        return True

    def ask_group(self) -> Path | None:
        """Ask for a patch file to insert as a group."""
        folder = self._store.settings.folder or str(paths.patches())
        name, _ = QFileDialog.getOpenFileName(self._window, "Insert patch as group", folder, f"{_FILTER};;All files (*)")
        return Path(name) if name else None

    def read(self, path: Path) -> Patch | None:
        """Read a patch file, or the patch that plays a model, without opening it; None, and a sentence, if that fails."""
        try:
            return instruments.opened(path) if path.suffix == model_file.SUFFIX else patch_file.load(path)
        except (ValueError, OSError) as problem:
            self._toasts.show(_sentence(f"{path.name} was not opened", problem), Tone.ERROR)
            return None

    def recover(self, item: Recovered) -> None:
        """Take up what a studio that did not end in order left behind."""
        if self.may_leave():
            self._document.recover(item.patch, item.path)
            item.discard()
            self.entry_opened.emit(None)

    # -- saving -------------------------------------------------------------------------------------------------------

    def save(self) -> bool:
        """Save; ask for a file where there is none. Returns whether it was saved."""
        if self._document.path is None:
            return self.save_as()
        try:
            self._document.save()
        except OSError as problem:
            self._toasts.show(_sentence(f"{self._document.path.name} was not saved", problem), Tone.ERROR)
            return False
        self._saved(self._document.path)
        return True

    def save_as(self) -> bool:
        """Ask for a file and save there."""
        start = self._document.path or paths.patches() / f"{self._document.title}{patch_file.SUFFIX}"
        start.parent.mkdir(parents=True, exist_ok=True)
        name, _ = QFileDialog.getSaveFileName(self._window, "Save patch as", str(start), _FILTER)
        return bool(name) and self.save_to(Path(name))

    def save_to(self, path: Path) -> bool:
        """Save to a file and keep working on that one."""
        path = path if path.suffix == patch_file.SUFFIX else path.with_name(path.name + patch_file.SUFFIX)
        try:
            self._document.save_as(path)
        except OSError as problem:
            self._toasts.show(_sentence(f"{path.name} was not saved", problem), Tone.ERROR)
            return False
        self._saved(path)
        return True

    def _saved(self, path: Path) -> None:
        self._store.settings.remember(path)
        self._store.save()
        self._toasts.show(f"Saved {path.name}.", Tone.GOOD)
        self.saved.emit()

    def save_group(self, name: str) -> bool:
        """Ask for a file and save a group of the open level there, for the browser; the document stays what it is."""
        patch = saved_group(name, self._document.shown.nodes[name])
        start = paths.patches() / f"{patch.name}{patch_file.SUFFIX}"
        start.parent.mkdir(parents=True, exist_ok=True)
        given, _ = QFileDialog.getSaveFileName(self._window, "Save group as", str(start), _FILTER)
        if not given:
            return False
        path = Path(given) if given.endswith(patch_file.SUFFIX) else Path(given + patch_file.SUFFIX)
        try:
            patch_file.save(patch, path)
        except OSError as problem:
            self._toasts.show(_sentence(f"{path.name} was not saved", problem), Tone.ERROR)
            return False
        self._toasts.show(f"Saved the group as {path.name}; the browser can insert it.", Tone.GOOD)
        self.saved.emit()
        return True

    # -- leaving ------------------------------------------------------------------------------------------------------

    def may_leave(self, also: str = "") -> bool:
        """Whether the work at hand may be left: nothing is unsaved, or the user decided; `also` is told beside the question."""
        self._document.commit()
        if not self._document.dirty:
            return True
        box = QMessageBox(self._window)
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setWindowTitle("Unsaved changes")
        box.setText(f"“{self._document.title}” has changes that are not saved.")
        box.setInformativeText(also)
        box.setStandardButtons(_Answer.Save | _Answer.Discard | _Answer.Cancel)
        box.setDefaultButton(_Answer.Save)
        answer = box.exec()
        return answer == _Answer.Discard or (answer == _Answer.Save and self.save())

    # -- recent -------------------------------------------------------------------------------------------------------

    def fill_recent(self, menu: QMenu) -> None:
        """List the recent files in a menu."""
        menu.clear()
        for number, name in enumerate(self._store.settings.recent, 1):
            path = Path(name)
            action = QAction(f"&{number}  {path.stem}" if number < 10 else f"{number}  {path.stem}", menu)
            action.setToolTip(name)
            action.setStatusTip(name)
            action.setEnabled(path.exists())
            action.triggered.connect(lambda _checked=False, path=path: self.open(path))
            menu.addAction(action)
        if not self._store.settings.recent:
            menu.addAction("Nothing yet").setEnabled(False)


def _sentence(what: str, problem: Exception) -> str:
    reason = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
    name = what.partition(" was ")[0]
    return f"{what}: {reason.removeprefix(f'{name}: ').rstrip('.')}."
