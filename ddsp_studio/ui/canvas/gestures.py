"""Gestures of the mouse on the canvas, one class each: pan, rubber band, moving nodes, cutting cables.

The view hands a gesture every movement and its release; the document is written once, on release.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QLineF, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from ddsp_studio.processors.patch import Cable, PatchError
from ddsp_studio.ui import edits, theme
from ddsp_studio.ui.canvas.cable_item import CableItem
from ddsp_studio.ui.canvas.style import GRID

if TYPE_CHECKING:
    from ddsp_studio.ui.canvas.view import PatchView

CLICK = 4
"""View pixels that the pointer may stray before a click becomes a drag."""


@dataclass(frozen=True)
class Pointer:
    """Where the pointer is, in the scene and in the view, and which keys are held."""

    place: QPointF
    at: QPoint
    modifiers: Qt.KeyboardModifier

    def holds(self, modifier: Qt.KeyboardModifier) -> bool:
        """Whether a modifier key is held."""
        return bool(self.modifiers & modifier)


class Gesture:
    """A gesture that a press began."""

    cursor: Qt.CursorShape | None = None

    def __init__(self, view: PatchView, start: Pointer) -> None:
        self.view, self.start = view, start
        self.scene, self.document = view.patch_scene, view.document

    def move(self, pointer: Pointer) -> None:
        """The pointer moved."""

    def release(self, pointer: Pointer) -> None:
        """The button was released: write the document."""

    def cancel(self) -> None:
        """Escape: everything is as it was."""

    def paint(self, painter: QPainter) -> None:
        """Paint over the scene, in scene coordinates."""

    def strayed(self, pointer: Pointer) -> bool:
        """Whether this is a drag and no longer a click."""
        return (pointer.at - self.start.at).manhattanLength() >= CLICK


class Pan(Gesture):
    """Move the view with the pointer."""

    cursor = Qt.CursorShape.ClosedHandCursor

    def __init__(self, view: PatchView, start: Pointer) -> None:
        super().__init__(view, start)
        self._last = start.at

    def move(self, pointer: Pointer) -> None:
        """Follow."""
        self.view.pan_by(QPointF(pointer.at - self._last))
        self._last = pointer.at


class RubberBand(Gesture):
    """Select the nodes that a rectangle touches; Shift or Ctrl adds to what is selected."""

    def __init__(self, view: PatchView, start: Pointer) -> None:
        super().__init__(view, start)
        self._rect = QRectF()
        add = start.holds(Qt.KeyboardModifier.ShiftModifier) or start.holds(Qt.KeyboardModifier.ControlModifier)
        self._kept = list(self.document.selection) if add else []
        self._before = self.document.selection

    def move(self, pointer: Pointer) -> None:
        """Select as the rectangle grows."""
        self._rect = QRectF(self.start.place, pointer.place).normalized()
        self.document.select([*self._kept, *self.scene.nodes_in(self._rect)])
        self.view.viewport().update()

    def release(self, pointer: Pointer) -> None:
        """A click on nothing selects nothing."""
        if not self.strayed(pointer):
            self.document.select(self._kept)
            self.scene.select_cable(None)

    def cancel(self) -> None:
        """Select what was selected."""
        self.document.select(self._before)

    def paint(self, painter: QPainter) -> None:
        """Paint the rectangle."""
        painter.setPen(QPen(theme.colour(theme.SELECTION), 0.0))
        painter.setBrush(theme.colour(theme.SELECTION, 0.1))
        painter.drawRect(self._rect)


class MoveNodes(Gesture):
    """Drag the selected nodes; they snap to the grid unless Alt is held. A loose node dropped on a cable is inserted."""

    def __init__(self, view: PatchView, start: Pointer, node: str) -> None:
        super().__init__(view, start)
        self._node, self._moved = node, False
        toggle = start.holds(Qt.KeyboardModifier.ShiftModifier) or start.holds(Qt.KeyboardModifier.ControlModifier)
        self._was_selected = node in self.document.selection
        if not self._was_selected:
            self.document.select([*self.document.selection, node] if toggle else [node])
        self._toggle = toggle
        self._origins = {n: self.scene.nodes[n].pos() for n in self.document.selection}
        self._onto: Cable | None = None

    def move(self, pointer: Pointer) -> None:
        """Show the nodes where they would land."""
        if not self._moved and not self.strayed(pointer):
            return
        self._moved = True
        shift = pointer.place - self.start.place
        if not pointer.holds(Qt.KeyboardModifier.AltModifier):
            anchor = self._origins[self._node]
            shift = snapped(anchor + shift) - anchor
        for name, origin in self._origins.items():
            self.scene.nodes[name].setPos(origin + shift)
        self.scene.place_cables_of(self._origins)
        self._onto = self._cable_below() if len(self._origins) == 1 else None
        self.scene.light_cable(self._onto)

    def _cable_below(self) -> Cable | None:
        item, patch = self.scene.nodes[self._node], self.document.shown
        if patch.of_node(self._node):
            return None
        body = item.scene_rect().adjusted(12.0, 4.0, -12.0, -4.0)
        for found in self.scene.items(body):
            if isinstance(found, CableItem) and found.touches(body) and _insertable(self, found.cable):
                return found.cable
        return None

    def release(self, pointer: Pointer) -> None:
        """Write the places, or insert; a plain click selects one node of many."""
        places = {n: (self.scene.nodes[n].x(), self.scene.nodes[n].y()) for n in self._origins if n in self.scene.nodes}
        self.scene.light_cable(None)
        if self._moved and self._onto is not None:
            self.document.insert(self._node, self._onto, places[self._node])
        elif self._moved:
            self.document.move(places)
        elif self._was_selected:
            others = [n for n in self.document.selection if n != self._node]
            self.document.select(others if self._toggle else [self._node])

    def cancel(self) -> None:
        """Put the nodes back."""
        for name, origin in self._origins.items():
            self.scene.nodes[name].setPos(origin)
        self.scene.place_cables_of(self._origins)
        self.scene.light_cable(None)

    @property
    def node(self) -> str:
        """The node that was grabbed."""
        return self._node


def _insertable(gesture: MoveNodes, cable: Cable) -> bool:
    try:
        edits.inserted(gesture.document.shown, gesture.node, cable)
    except PatchError:
        return False
    return True


class CutCables(Gesture):
    """Draw a line; the cables that it crosses are taken off."""

    cursor = Qt.CursorShape.CrossCursor

    def __init__(self, view: PatchView, start: Pointer) -> None:
        super().__init__(view, start)
        self._line = QLineF(start.place, start.place)

    def move(self, pointer: Pointer) -> None:
        """Light what would be cut."""
        self._line = QLineF(self.start.place, pointer.place)
        cut = self._cut()
        for item in self.scene.cables.values():
            item.mark(lit=item.cable in cut)
        self.view.viewport().update()

    def _cut(self) -> list[Cable]:
        return [item.cable for item in self.scene.cables.values() if item.crosses(self._line)]

    def release(self, pointer: Pointer) -> None:
        """Take the crossed cables off."""
        self.document.disconnect_cables(self._cut())
        self.cancel()

    def cancel(self) -> None:
        """Light nothing."""
        self.scene.light_cable(None)

    def paint(self, painter: QPainter) -> None:
        """Paint the line."""
        pen = QPen(theme.colour(theme.DANGER), 1.5, Qt.PenStyle.DashLine)
        pen.setCosmetic(True)
        painter.setPen(pen)
        painter.drawLine(self._line)


def snapped(place: QPointF) -> QPointF:
    """The nearest point of the grid."""
    return QPointF(round(place.x() / GRID) * GRID, round(place.y() / GRID) * GRID)
