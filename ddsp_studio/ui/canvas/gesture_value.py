"""Gestures that drag a value directly on the canvas: a control's field, its bars, the amount on a cable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt

from ddsp_studio.processors.declare import Control
from ddsp_studio.processors.patch import Cable
from ddsp_studio.ui.canvas.geometry import Row, field_rect
from ddsp_studio.ui.canvas.gestures import Gesture, Pointer
from ddsp_studio.ui.widgets import bar_shapes
from ddsp_studio.ui.widgets.texts import amount_text
from ddsp_studio.ui.widgets.value_widget import FINE, TRAVEL, is_fine

if TYPE_CHECKING:
    from ddsp_studio.ui.canvas.view import PatchView


class _ValueDrag(Gesture):
    """A drag that previews a value and is one command in the end."""

    def release(self, pointer: Pointer) -> None:
        """Make it one command."""
        self.view.hide_hint()
        self.document.commit()

    def cancel(self) -> None:
        """Take it back."""
        self.view.hide_hint()
        self.document.cancel()


class DragValue(_ValueDrag):
    """Drag a value up and down; Shift or Ctrl is fine."""

    cursor = Qt.CursorShape.SizeVerCursor

    def __init__(self, view: PatchView, start: Pointer, node: str, name: str, control: Control, value: float) -> None:
        super().__init__(view, start)
        self._node, self._name, self._control = node, name, control
        self._knob, self._last_y = control.to_knob(value), float(start.at.y())
        self._began = False

    def move(self, pointer: Pointer) -> None:
        """Preview the value."""
        if not self._began and not self.strayed(pointer):
            return
        self._began = True
        step = (self._last_y - pointer.at.y()) / TRAVEL * (FINE if is_fine(pointer.modifiers) else 1.0)
        self._knob, self._last_y = min(max(self._knob + step, 0.0), 1.0), float(pointer.at.y())
        value = self._control.from_knob(self._knob)
        self.document.preview_value(self._node, self._name, [value])
        self.view.hint(f"{self._control.format(value)}", pointer.at, good=True)


class DrawBars(_ValueDrag):
    """Draw across the bars of a node; Shift draws a straight line."""

    cursor = Qt.CursorShape.CrossCursor

    def __init__(self, view: PatchView, start: Pointer, node: str, row: Row, control: Control, values: tuple[float, ...]) -> None:
        super().__init__(view, start)
        self._node, self._row, self._control = node, row, control
        self._values = self._origin = values
        self._last = start.place
        self.move(start)

    def _share(self, place: QPointF) -> tuple[float, float]:
        box = field_rect(self._row).adjusted(2.0, 14.0, -2.0, -1.0)
        inside = self.scene.nodes[self._node].mapFromScene(place)
        return (inside.x() - box.left()) / box.width(), 1.0 - (inside.y() - box.top()) / box.height()

    def move(self, pointer: Pointer) -> None:
        """Draw to the pointer."""
        straight = pointer.holds(Qt.KeyboardModifier.ShiftModifier)
        before, begin = (self._origin, self.start.place) if straight else (self._values, self._last)
        heights = tuple(self._control.to_knob(v) for v in before)
        drawn = bar_shapes.stroke(heights, self._share(begin), self._share(pointer.place))
        self._values = tuple(v if a == b else self._control.from_knob(b) for v, a, b in zip(before, heights, drawn, strict=True))
        self._last = pointer.place
        self.document.preview_value(self._node, self._row.name, self._values)
        index = bar_shapes.index_at(self._share(pointer.place)[0], len(self._values))
        self.view.hint(f"#{index + 1}  {self._control.format(self._values[index])}", pointer.at, good=True)


class DragAmount(_ValueDrag):
    """Drag the amount of a modulation cable up and down; Shift or Ctrl is fine."""

    cursor = Qt.CursorShape.SizeVerCursor

    def __init__(self, view: PatchView, start: Pointer, cable: Cable) -> None:
        super().__init__(view, start)
        self._cable, self._amount, self._last_y = cable, cable.amount or 0.0, float(start.at.y())
        self._began = False
        self.scene.select_cable(cable)

    def move(self, pointer: Pointer) -> None:
        """Preview the amount, in whole percent unless fine."""
        if not self._began and not self.strayed(pointer):
            return
        self._began = True
        fine = is_fine(pointer.modifiers)
        step = (self._last_y - pointer.at.y()) / TRAVEL * 2.0 * (FINE if fine else 1.0)
        self._amount, self._last_y = min(max(self._amount + step, -1.0), 1.0), float(pointer.at.y())
        shown = self._amount if fine else round(self._amount, 2)
        self.document.preview_amount(self._cable.source, self._cable.target, shown)
        self.view.hint(amount_text(shown), pointer.at, good=True)
