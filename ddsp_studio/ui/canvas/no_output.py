"""A notice over the canvas while the patch has no Output, for then nothing can be heard, with a link that adds one."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from ddsp_studio.processors.check import OUTPUT
from ddsp_studio.processors.declare import Signal
from ddsp_studio.processors.nesting import sheet_of
from ddsp_studio.processors.patch import Patch, Port
from ddsp_studio.ui import edits, theme
from ddsp_studio.ui.canvas.view import PatchView

_MARGIN = 10


class NoOutput(QLabel):
    """Stands at the top of the view. `add` is called when the user asks for an Output."""

    def __init__(self, view: PatchView, add: Callable[[], object]) -> None:
        link = f'<a href="add" style="color: {theme.ACCENT}">Add one</a>'
        super().__init__(f"Nothing can be heard: the patch has no Output. {link}", view)
        self._view = view
        self.setAccessibleName("Nothing can be heard: the patch has no Output")
        self.setStyleSheet(
            f"background: {theme.RAISED}; color: {theme.TEXT}; border: 1px solid {theme.WARNING};"
            "border-radius: 4px; padding: 5px 10px;"
        )
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.LinksAccessibleByMouse | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
        )
        self.linkActivated.connect(lambda _link: add())
        for signal in (view.document.changed, view.document.opened, view.document.level_changed):
            signal.connect(self.refresh)
        self.hide()

    def refresh(self) -> None:
        """Show or hide it, in the middle of the upper edge."""
        document = self._view.document
        self.setVisible(bool(document.patch.nodes) and document.takes_output)
        self.adjustSize()
        self.move(max((self._view.width() - self.width()) // 2, 0), _MARGIN)


def loose_end(patch: Patch) -> Port | None:
    """The audio outlet that an Output was most likely meant for: one that nothing listens to, and that an Output takes."""
    heard = {cable.source for cable in patch.cables}
    for name, node in reversed(list(patch.nodes.items())):
        spec = sheet_of(node)
        for outlet, declared in spec.outlets.items() if spec is not None else ():
            port = Port(name, outlet)
            if declared.signal is Signal.AUDIO and port not in heard and edits.fitting_ports(patch, OUTPUT, source=port):
                return port
    return None
