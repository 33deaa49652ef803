"""The computer's keyboard as a piano, by the place of a key and not by the letter on it.

Two rows: the home row (A S D …, black keys above it in W E T …) as in most studios; Z and X change the octave.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QGraphicsItem,
    QGraphicsView,
    QLineEdit,
    QPlainTextEdit,
    QTextEdit,
    QWidget,
)

ORDER = ("A", "W", "S", "E", "D", "F", "T", "G", "Y", "H", "U", "J", "K", "O", "L", "P", "Semicolon", "Quote")
"""Places on a US keyboard that play C, C#, D … upwards; their number is the semitone."""
DOWN, UP = "Z", "X"

# evdev codes (linux/input-event-codes.h); X11 and Wayland's xkb key codes are these plus 8
_EVDEV = dict(zip("QWERTYUIOP", range(16, 26), strict=True))
_EVDEV |= dict(zip((*"ASDFGHJKL", "Semicolon", "Quote"), range(30, 41), strict=True))
_EVDEV |= dict(zip("ZXCVBNM", range(44, 51), strict=True))
_X11 = {code + 8: place for place, code in _EVDEV.items()}
# Windows reports set-1 scan codes, which evdev took over for these rows
_WINDOWS = {code: place for place, code in _EVDEV.items()}
# macOS virtual key codes (HIToolbox/Events.h, kVK_ANSI_*)
_MAC = {
    0x00: "A", 0x0D: "W", 0x01: "S", 0x0E: "E", 0x02: "D", 0x03: "F", 0x11: "T", 0x05: "G", 0x10: "Y", 0x04: "H", 0x20: "U",
    0x26: "J", 0x28: "K", 0x1F: "O", 0x25: "L", 0x23: "P", 0x29: "Semicolon", 0x27: "Quote", 0x06: "Z", 0x07: "X",
}  # fmt: skip
_LETTERS = {ord(place): place for place in (*ORDER[:16], DOWN, UP)} | {
    int(Qt.Key.Key_Semicolon.value): "Semicolon",
    int(Qt.Key.Key_Apostrophe.value): "Quote",
}
"""For platforms without native codes (offscreen): the letter itself, as on a US layout."""

VELOCITY = 100
_LOWEST_C, _HIGHEST_C = 24, 96


def place_of(scan_code: int, virtual_key: int, key: int, platform: str) -> str:
    """The place ("A" is the key left of S wherever the letters are) of a key event; "" for any other key.

    `platform` is QGuiApplication.platformName(): "xcb", "wayland", "cocoa", "windows"; others go by the letter.
    """
    if platform in ("xcb", "wayland"):
        return _X11.get(scan_code, "")
    if platform == "cocoa":
        return _MAC.get(virtual_key, "")
    if platform == "windows":
        return _WINDOWS.get(scan_code, "")
    return _LETTERS.get(key, "")


class ComputerKeyboard(QObject):
    """An event filter on the application that turns key presses into notes. No note outlives its key.

    Args:
        allowed: tells whether the keyboard plays now (a window of ours is active, no dialog is open).
    """

    pressed = Signal(int, int)
    released = Signal(int)
    octave_changed = Signal(int)
    """The note of the lowest key, a C."""

    def __init__(self, allowed: Callable[[], bool], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._allowed = allowed
        self._held: dict[str, int] = {}
        self._spent: set[str] = set()  # keys still down whose note was let go: their repeats must not strike again
        self._base = 60
        self.enabled = True
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.installEventFilter(self)
            application.applicationStateChanged.connect(self._state_changed)
            application.focusChanged.connect(self._focus_changed)

    @property
    def base(self) -> int:
        """The note of the key A."""
        return self._base

    @property
    def highest(self) -> int:
        """The note of the highest key."""
        return self._base + len(ORDER) - 1

    def shift(self, octaves: int) -> None:
        """Move by octaves; what is held is let go first."""
        self.release_all()
        self._base = min(max(self._base + 12 * octaves, _LOWEST_C), _HIGHEST_C)
        self.octave_changed.emit(self._base)

    def release_all(self) -> None:
        """Let go of every key."""
        for note in list(self._held.values()):
            self.released.emit(note)
        self._spent |= set(self._held)
        self._held.clear()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the keys that are ours."""
        kind = event.type()
        if kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease, QEvent.Type.ShortcutOverride) and isinstance(event, QKeyEvent):
            return self._key(event)
        if kind == QEvent.Type.WindowDeactivate and isinstance(watched, QWidget) and watched.isWindow():
            self.release_all()
        return False

    def _key(self, event: QKeyEvent) -> bool:
        platform = QGuiApplication.platformName()
        place = place_of(event.nativeScanCode(), event.nativeVirtualKey(), event.key(), platform)
        if place not in (*ORDER, DOWN, UP):
            return False
        if event.type() == QEvent.Type.KeyRelease:
            return self._release(place, event)
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if modifiers not in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier):
            return False
        if not self.enabled or not self._allowed() or typing_into(QApplication.focusWidget()):
            return False
        if modifiers != Qt.KeyboardModifier.NoModifier:
            return False
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()  # the key plays and is no shortcut
            return True
        return self._press(place, event)

    def _press(self, place: str, event: QKeyEvent) -> bool:
        if place in self._held or (event.isAutoRepeat() and place in (*self._spent, DOWN, UP)):
            return True
        if place in (DOWN, UP):
            self.shift(-1 if place == DOWN else 1)
            return True
        self._spent.discard(place)
        note = self._base + ORDER.index(place)
        if 0 <= note <= 127:
            self._held[place] = note
            self.pressed.emit(note, VELOCITY)
        return True

    def _release(self, place: str, event: QKeyEvent) -> bool:
        if event.isAutoRepeat():
            return place in self._held
        self._spent.discard(place)
        note = self._held.pop(place, None)
        if note is None:
            return False
        self.released.emit(note)
        return True

    def _state_changed(self, state: Qt.ApplicationState) -> None:
        if state != Qt.ApplicationState.ApplicationActive:
            self.release_all()

    def _focus_changed(self, _old: QWidget | None, new: QWidget | None) -> None:
        if new is None or typing_into(new):
            self.release_all()


def typing_into(widget: QWidget | None) -> bool:
    """Whether keys belong to a widget that takes text, a text item on the canvas included."""
    if isinstance(widget, QGraphicsView):
        item = widget.scene().focusItem() if widget.scene() else None
        return item is not None and bool(item.flags() & QGraphicsItem.GraphicsItemFlag.ItemAcceptsInputMethod)
    return isinstance(widget, (QLineEdit, QAbstractSpinBox, QComboBox, QPlainTextEdit, QTextEdit))
