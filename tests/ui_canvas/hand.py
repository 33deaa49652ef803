"""A hand on the mouse: real mouse events sent to the canvas, at places of the scene."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QApplication

from ddsp_studio.ui.canvas.editor import PatchEditor
from ddsp_studio.ui.canvas.geometry import field_rect

from .fakes import port

LEFT, RIGHT, MIDDLE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton
NONE, SHIFT, CTRL, ALT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.AltModifier,
)
_TYPES = {"press": QEvent.Type.MouseButtonPress, "move": QEvent.Type.MouseMove, "release": QEvent.Type.MouseButtonRelease}


class Hand:
    def __init__(self, editor: PatchEditor) -> None:
        self.editor, self.view, self.scene = editor, editor.view, editor.scene

    # places in the scene
    def socket(self, text: str, *, outlet: bool) -> QPointF:
        return self.scene.nodes[port(text).node].socket_place(port(text), is_outlet=outlet)

    def title(self, node: str) -> QPointF:
        return self.scene.nodes[node].mapToScene(QPointF(60.0, 12.0))

    def row(self, node: str, name: str) -> QPointF:
        item = self.scene.nodes[node]
        return item.mapToScene(field_rect(next(r for r in item.geometry.rows if r.name == name)).center())

    def amount(self, source: str, target: str) -> QPointF:
        return self.scene.cables[port(source), port(target)].pill().center()

    # events
    def send(self, kind: str, at: QPointF, button=LEFT, modifiers=NONE) -> None:
        place = QPointF(self.view.mapFromScene(at))
        held = Qt.MouseButton.NoButton if kind == "release" else button
        changed = Qt.MouseButton.NoButton if kind == "move" else button
        widget = self.view.viewport()
        event = QMouseEvent(_TYPES[kind], place, QPointF(widget.mapToGlobal(place)), changed, held, modifiers)
        QApplication.sendEvent(widget, event)

    def hover(self, at: QPointF) -> None:
        place = QPointF(self.view.mapFromScene(at))
        event = QMouseEvent(
            QEvent.Type.MouseMove,
            place,
            QPointF(self.view.viewport().mapToGlobal(place)),
            Qt.MouseButton.NoButton,
            Qt.MouseButton.NoButton,
            NONE,
        )
        QApplication.sendEvent(self.view.viewport(), event)

    def drag(self, start: QPointF, end: QPointF, button=LEFT, modifiers=NONE, *, steps: int = 4, release: bool = True) -> None:
        self.send("press", start, button, modifiers)
        for step in range(1, steps + 1):
            self.send("move", start + (end - start) * (step / steps), button, modifiers)
        if release:
            self.send("release", end, button, modifiers)

    def click(self, at: QPointF, button=LEFT, modifiers=NONE) -> None:
        self.send("press", at, button, modifiers)
        self.send("release", at, button, modifiers)

    def double_click(self, at: QPointF) -> None:
        self.click(at)
        place = QPointF(self.view.mapFromScene(at))
        widget = self.view.viewport()
        event = QMouseEvent(QEvent.Type.MouseButtonDblClick, place, QPointF(widget.mapToGlobal(place)), LEFT, LEFT, NONE)
        QApplication.sendEvent(widget, event)
        self.send("release", at)

    def key(self, key: Qt.Key, modifiers=NONE, text: str = "") -> None:
        for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            QApplication.sendEvent(self.view, QKeyEvent(kind, key, modifiers, text))
