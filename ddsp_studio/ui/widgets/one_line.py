"""A label of one line: what does not fit ends in "…" and is read in full where one points at it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QToolTip, QWidget


class OneLine(QLabel):
    """Takes what width there is. Without a tooltip of its own it shows its whole text as one when that is cut."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    @property
    def shown(self) -> str:
        """What there is room for."""
        return self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())

    def paintEvent(self, event: QPaintEvent) -> None:
        """The text, as the style draws it."""
        painter = QPainter(self)
        left, hue = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), self.foregroundRole()
        self.style().drawItemText(painter, self.rect(), left, self.palette(), self.isEnabled(), self.shown, hue)
        painter.end()

    def event(self, event: QEvent) -> bool:
        """Show a text that is cut in full."""
        if event.type() == QEvent.Type.ToolTip and not self.toolTip():
            at = self.mapToGlobal(self.rect().bottomLeft())
            QToolTip.showText(at, self.text() if self.shown != self.text() else "", self)
            return True
        return super().event(event)

    def minimumSizeHint(self) -> QSize:
        """One line, as narrow as need be."""
        return QSize(20, self.fontMetrics().height())
