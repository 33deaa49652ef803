"""MIDI learn: a knob is chosen by right-click, and the controller that moves next turns it from then on.

What was learnt belongs to the patch and can be undone. The engine turns the knobs by itself; the window only follows.
"""

from __future__ import annotations

import functools

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMenu, QWidget

from ddsp_studio.audio import protocol
from ddsp_studio.audio.keys import CONTROL
from ddsp_studio.processors.nesting import playable, sheet_of
from ddsp_studio.processors.patch import LAST_CONTROLLER, Controller
from ddsp_studio.ui.document import Document
from ddsp_studio.ui.engine_link import EngineLink
from ddsp_studio.ui.toasts import Toasts, Tone
from ddsp_studio.ui.widgets.texts import readable


class MidiLearn(QObject):
    """Teaches knobs their controllers."""

    def __init__(self, document: Document, link: EngineLink, toasts: Toasts, parent: QWidget) -> None:
        super().__init__(parent)
        self._document, self._toasts, self._window = document, toasts, parent
        self._learning: tuple[str, str] | None = None
        link.midi_received.connect(self._heard)
        link.turned.connect(lambda event: document.follow_value(event.node, event.control, event.values))
        document.opened.connect(self.cancel)

    @property
    def learning(self) -> tuple[str, str] | None:
        """Node (groups expanded) and control that wait for a controller."""
        return self._learning

    def fill_menu(self, menu: QMenu, node: str, control: str) -> None:
        """Offer learning and forgetting in the menu of a control."""
        held = playable(self._document.patch).nodes.get(node)
        spec = sheet_of(held) if held is not None else None
        if held is None or spec is None or control not in spec.controls or spec.channels(control, held.options) != 1:
            return
        by = held.midi.get(control)
        menu.addSeparator()
        if self._learning == (node, control):
            menu.addAction("Learn no MIDI controller", self.cancel)
        else:
            menu.addAction("Learn a MIDI controller", functools.partial(self.begin, node, control))
        if by is not None:
            menu.addAction(f"Forget {by}", functools.partial(self._document.set_controller, node, control, None))

    def begin(self, node: str, control: str) -> None:
        """Wait for a controller to move."""
        self._learning = (node, control)
        self._toasts.show(f"Move a controller, and it will turn {readable(control)} of {node}.")

    def cancel(self) -> None:
        """Wait no more."""
        self._learning = None

    def _heard(self, event: protocol.MidiReceived) -> None:
        data = event.data
        if self._learning is None or len(data) != 3 or data[0] & 0xF0 != CONTROL or data[1] > LAST_CONTROLLER:
            return
        (node, control), self._learning = self._learning, None
        controller = Controller(data[1], (data[0] & 0x0F) + 1)
        if self._document.set_controller(node, control, controller):
            self._toasts.show(f"{controller} turns {readable(control)} of {node}.", Tone.GOOD)

    def show_list(self) -> None:
        """Show what was learnt."""
        from ddsp_studio.ui.dialogs.controllers import ControllersDialog  # dialogs load when first asked for

        dialog = ControllersDialog(self._document, self._window)
        dialog.exec()
        dialog.deleteLater()
