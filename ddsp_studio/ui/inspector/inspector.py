"""The inspector: follows the document's selection and shows a page for the node, the nodes or the patch."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QApplication, QFrame, QLabel, QMenu, QPushButton, QScrollArea, QVBoxLayout, QWidget

from ddsp_studio.processors.nesting import sheet_of
from ddsp_studio.ui import edits
from ddsp_studio.ui.document import Document
from ddsp_studio.ui.inspector.node_page import NodePage
from ddsp_studio.ui.inspector.patch_page import PatchPage
from ddsp_studio.ui.inspector.ports import LevelPage
from ddsp_studio.ui.inspector.sections import note


class Inspector(QScrollArea):
    """What is selected, with everything that can be set about it."""

    value_menu_opening = Signal(QMenu, str, str)
    """A value's context menu, its node and control as they are played, before it opens: for MIDI learn."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.document = document
        self._shown: object = None
        self._page = QWidget()
        self._fold_advanced = True
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumWidth(208)
        self.setAccessibleName("Inspector")
        document.selection_changed.connect(self.refresh)
        document.level_changed.connect(self.refresh)
        document.changed.connect(self.refresh)
        document.value_changed.connect(self._show_value)
        document.amount_changed.connect(self._show_amount)
        self.refresh()

    @property
    def page(self) -> QWidget:
        """The page that is shown."""
        return self._page

    def refresh(self) -> None:
        """Show the right page, and what it holds as it is now."""
        form = self._form()
        if form != self._shown:
            self._shown = form
            self._show_page(self._make_page())
        elif isinstance(self.page, NodePage):
            self.page.refresh()

    def _form(self) -> object:
        """What a page is built from; another form needs another page."""
        chosen, patch, inside = self.document.selection, self.document.shown, self.document.inside
        if not chosen and inside:
            return inside, tuple(self.document.shown_ports.items()), len(patch.nodes), len(patch.cables)
        if len(chosen) != 1:
            return inside, chosen
        node = patch.nodes[chosen[0]]
        cables = tuple((c.source, c.target, c.amount is None) for c in patch.cables if c.target.node == chosen[0])
        ports = (node.inside.ports, sheet_of(node)) if node.inside is not None else ()
        return inside, chosen, node.type, tuple(node.options.items()), cables, ports

    def _make_page(self) -> QWidget:
        chosen = self.document.selection
        if not chosen and self.document.inside:
            return LevelPage(self.document)
        if not chosen:
            return PatchPage(self.document)
        if len(chosen) > 1:
            return self._many_page(list(chosen))
        page = NodePage(self.document, chosen[0], fold_advanced=self._fold_advanced)
        page.value_menu_opening.connect(self.value_menu_opening)
        page.advanced_folded.connect(self._remember_fold)
        return page

    def _remember_fold(self, folded: bool) -> None:
        self._fold_advanced = folded

    def _many_page(self, names: list[str]) -> QWidget:
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        heading = QLabel(f"{len(names)} nodes", page)
        heading.setStyleSheet("font-size: 15px; font-weight: 600;")
        layout.addWidget(heading)
        layout.addWidget(note(", ".join(names)))
        for text, verb, applies in (
            ("Bypass all", self.document.bypass, edits.bypassable),
            ("Mute all", self.document.mute, edits.mutable),
        ):
            chosen = applies(self.document.shown, names)
            button = QPushButton(text, page)
            button.setAccessibleName(text)
            button.setEnabled(bool(chosen))
            button.clicked.connect(lambda _=False, verb=verb, chosen=chosen: verb(chosen, True))
            layout.addWidget(button)
        layout.addWidget(note("Select a single node to see its controls.", faint=True))
        layout.addStretch(1)
        return page

    def _show_page(self, page: QWidget) -> None:
        place = self.verticalScrollBar().value()
        self._page = page
        holder = QWidget()
        layout = QVBoxLayout(holder)
        layout.setContentsMargins(12, 10, 12, 12)
        layout.addWidget(page)
        old, focus = self.takeWidget(), QApplication.focusWidget()
        focused = focus.accessibleName() if focus is not None and old is not None and old.isAncestorOf(focus) else ""
        self.setWidget(holder)
        if focused and (again := next((w for w in page.findChildren(QWidget) if w.accessibleName() == focused), None)):
            again.setFocus()
        if old is not None:
            old.hide()
            old.deleteLater()  # one of its own widgets may be the one that asked for this
        self.verticalScrollBar().setValue(place)

    def _show_value(self, node: str, control: str, values: tuple[float, ...]) -> None:
        seen = self.document.surface(node, control)
        if seen is not None and isinstance(self.page, NodePage) and self.page.name == seen.node:
            self.page.show_value(seen.name, values)

    def _show_amount(self, _source: str, _target: str, _amount: float) -> None:
        if isinstance(self.page, NodePage):
            self.page.show_amounts()
