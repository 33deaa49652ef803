"""A text editor that exists only while a value is typed: it lies over its place, Enter takes, Escape gives up."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QRect, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QToolTip, QWidget

from ddsp_studio.ui import theme


class TypeIn(QLineEdit):
    """Takes one value as text. Text that `parse` refuses (ValueError) keeps the editor open and shows the reason."""

    closed = Signal()
    stepped = Signal(int)
    """Tab (+1) or Shift+Tab (-1) took the value and asks for the next one."""

    def __init__(self, parent: QWidget, text: str, parse: Callable[[str], float], take: Callable[[float], None]) -> None:
        super().__init__(text, parent)
        self._original, self._parse, self._take = text, parse, take
        self._done = False
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setAccessibleName("value")
        self.setFrame(False)
        self._paint(theme.ACCENT)
        self.textEdited.connect(lambda _: self._paint(theme.ACCENT))

    def _paint(self, border: str) -> None:
        look = f"background: {theme.CANVAS}; border: 1px solid {border}; padding: 0 2px; min-height: 0;"
        self.setStyleSheet(f"QLineEdit {{ {look} }}")

    def begin(self, rect: QRect, text: str | None = None) -> None:
        """Open over `rect` of the parent, with the value selected or with the first typed character."""
        self.setGeometry(rect)
        self.show()
        self.raise_()
        self.setFocus()
        if text is None:
            self.selectAll()
        else:
            self.setText(text)

    def finish(self) -> bool:
        """Take the text; False, with the reason at the field, if it is no value."""
        try:
            changed = self.text().strip() != self._original
            value = self._parse(self.text())
        except ValueError as problem:
            self._paint(theme.DANGER)
            QToolTip.showText(self.mapToGlobal(self.rect().bottomLeft()), str(problem), self)
            return False
        self._close()
        if changed:
            self._take(value)
        return True

    def dismiss(self) -> None:
        """Take the text if it is a value, give up if not: its place is gone."""
        if not self._done and not self.finish():
            self._close()

    def _close(self) -> None:
        if not self._done:
            self._done = True
            self.hide()
            self.closed.emit()
            self.deleteLater()

    def event(self, event: QEvent) -> bool:
        """Keep Tab and the window's shortcuts from being taken while typing."""
        if isinstance(event, QKeyEvent):
            if event.type() is QEvent.Type.ShortcutOverride:
                event.accept()
                return True
            if event.type() is QEvent.Type.KeyPress and event.key() in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
                if self.finish():
                    self.stepped.emit(1 if event.key() == Qt.Key.Key_Tab else -1)
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter takes, Escape gives up; no key goes on to what lies under the editor."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.finish()
        elif event.key() == Qt.Key.Key_Escape:
            self._close()
        else:
            super().keyPressEvent(event)
        event.accept()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """The end of a key that was typed here is nobody else's, either."""
        super().keyReleaseEvent(event)
        event.accept()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Clicking elsewhere takes the text if it is a value, and gives up if not."""
        super().focusOutEvent(event)
        if event.reason() is not Qt.FocusReason.PopupFocusReason:
            self.dismiss()
