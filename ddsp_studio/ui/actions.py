"""One registry of actions: it feeds the menus, the shortcuts, the command palette and the list of shortcuts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from ddsp_studio.ui import icons


@dataclass(frozen=True)
class Spec:
    """What an action is called, where it stands and which keys start it."""

    name: str
    """Stable identifier, "file.save"; what is before the dot is the menu."""
    text: str
    shortcut: str = ""
    tip: str = ""
    """One sentence for tooltip, status bar and screen readers."""
    icon: str = ""
    checkable: bool = False
    separated: bool = False
    """Whether a line stands above it in the menu."""


MENUS = {
    "file": "&File",
    "edit": "&Edit",
    "view": "&View",
    "play": "&Play",
    "train": "&Train",
    "audio": "&Audio",
    "help": "&Help",
}


class Actions(QObject):
    """The registry. Every action is also added to `owner`, so that its shortcut works while no menu is open."""

    def __init__(self, owner: QWidget) -> None:
        super().__init__(owner)
        self._owner = owner
        self._actions: dict[str, QAction] = {}
        self._specs: dict[str, Spec] = {}

    def add(self, spec: Spec, do: Callable[..., object], *, scope: QWidget | None = None) -> QAction:
        """Register an action; `do` is called without arguments, or with the state if it is checkable.

        With a `scope` its shortcut works only while the focus is in that widget.
        """
        action = QAction(spec.text, self._owner)
        self.adopt(spec, action)
        if scope is not None:
            self._owner.removeAction(action)
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            scope.addAction(action)
        action.setCheckable(spec.checkable)
        if spec.checkable:
            action.toggled.connect(do)
        else:
            action.triggered.connect(lambda _checked=False: do())
        return action

    def adopt(self, spec: Spec, action: QAction) -> QAction:
        """Register an action that exists already (undo, a dock's toggle)."""
        if spec.name in self._actions:
            raise ValueError(f"the action {spec.name!r} is registered twice")
        if spec.shortcut:
            action.setShortcuts([QKeySequence(keys) for keys in spec.shortcut.split(" | ")])
        if spec.icon:
            action.setIcon(icons.icon(spec.icon))
            action.setIconVisibleInMenu(False)
        plain = spec.text.replace("&", "").rstrip("…")
        keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        action.setToolTip("\n".join(filter(None, (f"{plain}  {keys}".strip(), spec.tip))))
        action.setStatusTip(spec.tip or plain)
        action.setObjectName(spec.name)
        self._owner.addAction(action)
        self._actions[spec.name], self._specs[spec.name] = action, spec
        return action

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    def all(self) -> dict[str, QAction]:
        """Every action by name, in the order of registration."""
        return dict(self._actions)

    def title(self, name: str) -> str:
        """How the palette and the shortcut list call an action: "File: Save"."""
        menu = MENUS.get(name.partition(".")[0], "").replace("&", "")
        return f"{menu}: {self._actions[name].text().replace('&', '').rstrip('…')}"

    def build(self, bar: QMenuBar) -> dict[str, QMenu]:
        """Fill a menu bar; returns the menus by key."""
        menus = {key: bar.addMenu(text) for key, text in MENUS.items()}
        for name, action in self._actions.items():
            menu = menus[name.partition(".")[0]]
            if self._specs[name].separated:
                menu.addSeparator()
            menu.addAction(action)
        return menus

    def search(self, words: str) -> list[str]:
        """Names of the enabled actions whose title holds every typed word, those that begin with it first."""
        parts = words.lower().split()
        titles = {name: self.title(name).lower() for name, action in self._actions.items() if action.isEnabled()}
        found = [name for name, title in titles.items() if all(part in title for part in parts)]
        first = parts[0] if parts else ""
        return sorted(found, key=lambda name: not any(word.startswith(first) for word in titles[name].split()))
