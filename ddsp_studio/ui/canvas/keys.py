"""The keys of the canvas, so that a patch can be edited without a mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence

from ddsp_studio.ui.canvas.style import GRID

if TYPE_CHECKING:
    from ddsp_studio.ui.canvas.editor import PatchEditor

_ARROWS = {
    Qt.Key.Key_Left: QPointF(-1.0, 0.0),
    Qt.Key.Key_Right: QPointF(1.0, 0.0),
    Qt.Key.Key_Up: QPointF(0.0, -1.0),
    Qt.Key.Key_Down: QPointF(0.0, 1.0),
}
_SEQUENCES = (
    (QKeySequence.StandardKey.Copy, "copy"),
    (QKeySequence.StandardKey.Cut, "cut"),
    (QKeySequence.StandardKey.Paste, "paste"),
    (QKeySequence.StandardKey.SelectAll, "select_all"),
)


class EditorKeys:
    """Arrows move the selection (with Shift by a pixel; with Ctrl they choose the next node that way).

    Tab searches, Enter edits, Space pans.
    """

    def __init__(self, editor: PatchEditor) -> None:
        self._editor = editor
        self._nudged: set[str] = set()

    def handle(self, event: QKeyEvent) -> bool:
        """Handle a key event of the view; whether it was taken."""
        if event.type() is QEvent.Type.KeyPress:
            return self._pressed(event)
        if event.type() is QEvent.Type.KeyRelease and not event.isAutoRepeat():
            return self._released(event)
        return False

    def _pressed(self, event: QKeyEvent) -> bool:
        editor, key = self._editor, Qt.Key(event.key())
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if key in _ARROWS:
            self._choose_towards(_ARROWS[key]) if control else self._nudge(
                _ARROWS[key], fine=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            )
            return True
        if key == Qt.Key.Key_Space and not event.modifiers():
            if not event.isAutoRepeat():
                editor.view.hold_space(True)
            return True
        for sequence, verb in _SEQUENCES:
            if event.matches(sequence):
                getattr(editor, verb)()
                return True
        actions = {
            Qt.Key.Key_Tab: editor.add_node_search,
            Qt.Key.Key_Delete: editor.delete,
            Qt.Key.Key_Backspace: editor.delete,
            Qt.Key.Key_Home: editor.frame_all,
            Qt.Key.Key_F: editor.frame_selection,
            Qt.Key.Key_F2: self._rename,
            Qt.Key.Key_Return: self._edit,
            Qt.Key.Key_Enter: self._edit,
            Qt.Key.Key_Escape: self._escape,
            Qt.Key.Key_Menu: editor.open_menu_by_key,
        }
        if key in actions and not control:
            actions[key]()
            return True
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        with_control = {
            Qt.Key.Key_D: editor.duplicate,
            Qt.Key.Key_B: editor.toggle_bypass,
            Qt.Key.Key_M: editor.toggle_mute,
            Qt.Key.Key_G: editor.ungroup if shift else editor.group,
        }
        if control and key in with_control:
            with_control[key]()
            return True
        return self._type_over(event)

    def _released(self, event: QKeyEvent) -> bool:
        editor = self._editor
        if event.key() == Qt.Key.Key_Space:
            if not editor.view.space_held:
                return False  # it was pressed elsewhere
            if not editor.view.hold_space(False):
                editor.add_node_search()
            return True
        if event.key() in _ARROWS:
            self._land()
            return True
        return False

    def forget(self) -> None:
        """The focus left: land what was nudged."""
        self._land()

    # -- moving and choosing ------------------------------------------------------------------------------------------

    def _nudge(self, step: QPointF, *, fine: bool) -> None:
        scene, chosen = self._editor.scene, self._editor.document.selection
        if not chosen:
            self._choose_towards(step)
            return
        for name in chosen:
            scene.nodes[name].setPos(scene.nodes[name].pos() + step * (1.0 if fine else GRID))
        scene.place_cables_of(chosen)
        self._nudged.update(chosen)

    def _land(self) -> None:
        """Make one command of all the steps that a held arrow key took."""
        nodes, names = self._editor.scene.nodes, self._nudged
        self._nudged = set()
        self._editor.document.move({n: (nodes[n].x(), nodes[n].y()) for n in names if n in nodes})

    def _choose_towards(self, way: QPointF) -> None:
        """Select the nearest node in a direction; the first one if none is selected."""
        document, nodes = self._editor.document, self._editor.scene.nodes
        if not nodes:
            return
        if not document.selection:
            document.select([min(nodes, key=lambda n: nodes[n].x() + nodes[n].y())])
            return
        here = nodes[document.selection[0]].scene_rect().center()

        def cost(name: str) -> float:
            apart = nodes[name].scene_rect().center() - here
            along = apart.x() * way.x() + apart.y() * way.y()
            across = abs(apart.x() * way.y()) + abs(apart.y() * way.x())
            return along + 2.0 * across if along > 8.0 else float("inf")

        best = min(nodes, key=cost)
        if cost(best) < float("inf"):
            document.select([best])
            self._editor.view.ensureVisible(nodes[best].scene_rect())

    # -- editing ------------------------------------------------------------------------------------------------------

    def _edit(self) -> None:
        """Type into the value under the pointer, or of the selected cable or node; open the selected group."""
        editor, row = self._editor, self._editor.view.under.row
        hovered = editor.view.under.node
        if hovered in editor.scene.nodes and row is not None and row.name in editor.typeable(hovered):
            editor.type_value(hovered, row.name)
        elif editor.scene.selected_cable is not None:
            cable = editor.scene.cables[editor.scene.selected_cable].cable
            if cable.amount is not None:
                editor.type_amount(cable)
        elif len(editor.document.selection) == 1 and editor.document.enter(editor.document.selection[0]):
            return
        elif editor.document.selection and (names := editor.typeable(editor.document.selection[0])):
            editor.type_value(editor.document.selection[0], names[0])

    def _type_over(self, event: QKeyEvent) -> bool:
        """A digit typed over a value begins to type into it."""
        editor, under = self._editor, self._editor.view.under
        typing = (
            bool(event.text()) and event.text() in "0123456789-." and not event.modifiers() & Qt.KeyboardModifier.ControlModifier
        )
        if (
            typing
            and under.row is not None
            and under.node in editor.scene.nodes
            and under.row.name in editor.typeable(under.node)
        ):
            editor.type_value(under.node, under.row.name, event.text())
            return True
        return False

    def _rename(self) -> None:
        if len(self._editor.document.selection) == 1:
            self._editor.rename(self._editor.document.selection[0])

    def _escape(self) -> None:
        """Give up a gesture, or the selection, or, with nothing selected, leave the opened group."""
        view, document, scene = self._editor.view, self._editor.document, self._editor.scene
        if not view.cancel_gesture():
            if not document.selection and scene.selected_cable is None:
                document.leave()
            else:
                document.select([])
                scene.select_cable(None)
        view.hide_hint()
