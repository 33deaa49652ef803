"""What knob and number field share: dragging, wheel, keys, typing, tooltip and menu for one value of a control."""

from __future__ import annotations

import math
import time

from PySide6.QtCore import QEvent, QPointF, QRect, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAction,
    QContextMenuEvent,
    QEnterEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QMenu, QToolTip, QWidget

from ddsp_studio.processors.declare import Control
from ddsp_studio.ui.widgets.texts import control_tip, readable
from ddsp_studio.ui.widgets.type_in import TypeIn

TRAVEL = 200.0
"""Pixels of vertical drag from the low end to the high end of a control."""
FINE = 0.1
"""How much slower everything moves while Shift or Ctrl is held."""
_WHEEL_STEP, _KEY_STEP, _PAGE_STEP = 0.02, 0.01, 0.1
_WHEEL_PAUSE_MS = 400
_SETTLE_S = 0.25


def is_fine(modifiers: Qt.KeyboardModifier) -> bool:
    """Whether Shift or Ctrl asks for fine movement."""
    return bool(modifiers & (Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier))


class ValueWidget(QWidget):
    """One value of a control. `previewed` follows every move; `committed` ends a gesture, `cancelled` takes it back."""

    previewed = Signal(float)
    committed = Signal()
    cancelled = Signal()
    menu_opening = Signal(QMenu)
    """Emitted with the context menu before it opens, for others to add to it (MIDI learn)."""

    def __init__(self, name: str, control: Control, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name, self.control = name, control
        self.whole = False
        """Whether only whole numbers are taken."""
        self._value = control.defaults(1)[0]
        self._depths: tuple[float, ...] = ()
        self._driven_by = ""
        self._drag: tuple[QPointF, float] | None = None
        self._hovered_since = 0.0
        self._type_in: TypeIn | None = None
        self._wheel_rest = QTimer(self, singleShot=True, interval=_WHEEL_PAUSE_MS)
        self._wheel_rest.timeout.connect(self.committed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName(readable(name))
        self._describe()

    # -- what it shows ------------------------------------------------------------------------------------------------

    @property
    def value(self) -> float:
        """The value shown, in real units."""
        return self._value

    def set_value(self, value: float) -> None:
        """Show a value; emits nothing."""
        if value != self._value:
            self._value = value
            self._describe()
            self.update()

    def set_modulation(self, depths: tuple[float, ...]) -> None:
        """Show the amounts of the modulation cables that end here, each -1..1 of the knob's travel."""
        if depths != self._depths:
            self._depths = depths
            self.update()

    def set_driven_by(self, source: str) -> None:
        """Name the cable that sets this control, so that the knob has no say; "" if there is none."""
        if source != self._driven_by:
            self._driven_by = source
            self._describe()
            self.update()

    def knob(self) -> float:
        """Position in 0..1."""
        return self.control.to_knob(self._value)

    def _describe(self) -> None:
        driven = f", set by {self._driven_by}" if self._driven_by else ""
        self.setAccessibleDescription(self.control.format(self._value) + driven)

    # -- moving it ----------------------------------------------------------------------------------------------------

    def _preview(self, value: float) -> None:
        held = min(max(round(value) if self.whole else value, self.control.low), self.control.high)
        if held != self._value:
            self.set_value(held)
            self.previewed.emit(held)

    def _preview_knob(self, knob: float) -> None:
        self._preview(self.control.from_knob(min(max(knob, 0.0), 1.0)))

    def _turn(self, step: float) -> None:
        """Turn by a part of the travel; a whole number moves by one at least."""
        before = self._value
        self._preview_knob(self.knob() + step)
        if self.whole and self._value == before:
            self._preview(before + math.copysign(1.0, step))

    def reset(self) -> None:
        """Go to the default."""
        self._preview(self.control.defaults(1)[0])
        self.committed.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a drag."""
        if event.button() is Qt.MouseButton.LeftButton:
            self._drag = (event.position(), self.knob())
            event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the drag; switching to fine and back never jumps."""
        if self._drag is not None:
            last, knob = self._drag
            step = (last.y() - event.position().y()) / TRAVEL * (FINE if is_fine(event.modifiers()) else 1.0)
            knob = min(max(knob + step, 0.0), 1.0)
            self._drag = (event.position(), knob)
            self._preview_knob(knob)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the drag."""
        if event.button() is Qt.MouseButton.LeftButton and self._drag is not None:
            self._drag = None
            self.committed.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Go to the default."""
        if event.button() is Qt.MouseButton.LeftButton:
            self._drag = None
            self.reset()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Turn, unless a scroll that began elsewhere is just passing over."""
        if not self.hasFocus() and time.monotonic() - self._hovered_since < _SETTLE_S:
            event.ignore()
            return
        delta = event.angleDelta().y() or event.angleDelta().x()  # Alt turns the wheel sideways
        self._turn(delta / 120.0 * _WHEEL_STEP * (FINE if is_fine(event.modifiers()) else 1.0))
        self._wheel_rest.start()
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows and page keys turn, Home and End go to the ends, Delete to the default; Enter or a digit types."""
        key, fine = event.key(), FINE if is_fine(event.modifiers()) else 1.0
        keys = Qt.Key
        turns = {keys.Key_Up: _KEY_STEP, keys.Key_Right: _KEY_STEP, keys.Key_Down: -_KEY_STEP, keys.Key_Left: -_KEY_STEP}
        turns |= {keys.Key_PageUp: _PAGE_STEP, keys.Key_PageDown: -_PAGE_STEP}
        ends = {keys.Key_Home: self.control.low, keys.Key_End: self.control.high}
        if key in turns:
            self._turn(turns[keys(key)] * fine)
            self._wheel_rest.start()
        elif key in ends:
            self._preview(ends[keys(key)])
            self.committed.emit()
        elif key in (keys.Key_Delete, keys.Key_Backspace):
            self.reset()
        elif key == keys.Key_Escape and self._drag is not None:
            self._drag = None
            self.cancelled.emit()
        elif key in (keys.Key_Return, keys.Key_Enter, keys.Key_F2):
            self.type_value()
        elif event.text() and event.text() in "0123456789-+." and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.type_value(event.text())
        else:
            super().keyPressEvent(event)

    # -- typing -------------------------------------------------------------------------------------------------------

    def type_in_rect(self) -> QRect:
        """Where the editor opens; widgets say where they show their value."""
        return self.rect()

    def type_value(self, text: str | None = None) -> None:
        """Open an editor that takes "220", "-6 dB", "A4" or "440*2"; it exists only while it is used."""
        if self._type_in is None:
            self._type_in = TypeIn(self, self.control.format(self._value), self.control.parse, self._typed)
            self._type_in.closed.connect(self._forget_type_in)
        self._type_in.begin(self.type_in_rect(), text)

    def _typed(self, value: float) -> None:
        self._preview(value)
        self.committed.emit()

    def _forget_type_in(self) -> None:
        self._type_in = None
        self.setFocus()

    # -- tips, menu, focus --------------------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        """Show the tooltip with the value as it is now."""
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), control_tip(self.name, self.control, (self._value,), self._driven_by), self)
            return True
        return super().event(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer typing, reset, copy and paste."""
        menu = QMenu(self)
        menu.addAction("Type a value…", self.type_value)
        menu.addAction(f"Reset to {self.control.format(self.control.defaults(1)[0])}", self.reset)
        menu.addSeparator()
        menu.addAction("Copy value", lambda: QApplication.clipboard().setText(self.control.format(self._value)))
        paste: QAction = menu.addAction("Paste value", self._paste)
        paste.setEnabled(bool(QApplication.clipboard().text()))
        self.menu_opening.emit(menu)
        menu.exec(event.globalPos())
        menu.deleteLater()

    def _paste(self) -> None:
        try:
            self._typed(self.control.parse(QApplication.clipboard().text()))
        except ValueError as problem:
            QToolTip.showText(self.mapToGlobal(self.rect().center()), str(problem), self)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Remember since when the pointer rests here."""
        self._hovered_since = time.monotonic()
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        """Show that the pointer left."""
        self.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the focus."""
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """End what keys and wheel began."""
        if self._wheel_rest.isActive():
            self._wheel_rest.stop()
            self.committed.emit()
        self.update()
