"""A page that scrolls up and down where there is too little room for it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

_LEAST = 96


class Scrolled(QScrollArea):
    """As wide as there is room; a panel may be as low as it likes, for what is in here scrolls."""

    def __init__(self, *, spacing: int) -> None:
        """An empty column, `spacing` pixels between what is added to its `column`."""
        super().__init__()
        self._page = QWidget()
        self.column = QVBoxLayout(self._page)
        self.column.setContentsMargins(0, 0, 10, 0)
        self.column.setSpacing(spacing)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(self._page)

    def show_all_of(self, part: QWidget) -> None:
        """Scroll to a part that has just grown."""
        QTimer.singleShot(0, self, lambda: self.ensureWidgetVisible(part, 0, 0))

    def sizeHint(self) -> QSize:
        """It asks for little, and takes what is left."""
        return QSize(super().sizeHint().width(), _LEAST)

    def minimumSizeHint(self) -> QSize:
        """The same."""
        return QSize(self._page.minimumSizeHint().width(), _LEAST)
