"""A list of trainings that are not at their end, each with what can be done about it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from ddsp_studio.ui import theme
from ddsp_studio.ui.toasts import Choice


class Waiting(QWidget):
    """Shows nothing while nothing waits."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: list[QWidget] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)
        title = QLabel("Trainings that can go on")
        title.setFont(theme.font(11, bold=True))
        self._column.addWidget(title)
        self.hide()

    def show_offers(self, offers: Sequence[tuple[str, Sequence[Choice]]]) -> None:
        """Show names, each with its choices."""
        for row in self._rows:
            row.hide()
            row.deleteLater()
        self._rows = [_row(name, choices) for name, choices in offers]
        for row in self._rows:
            self._column.addWidget(row)
        self.setVisible(bool(offers))

    @property
    def names(self) -> list[str]:
        """What is shown."""
        return [label.text() for row in self._rows for label in row.findChildren(QLabel)]

    def button(self, name: str, words: str) -> QPushButton:
        """A button of a training."""
        row = self._rows[self.names.index(name)]
        return next(button for button in row.findChildren(QPushButton) if button.text() == words)


def _row(name: str, choices: Sequence[Choice]) -> QWidget:
    row = QWidget()
    label = QLabel(name, textFormat=Qt.TextFormat.PlainText, wordWrap=True)
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(4)
    layout.addWidget(label, 1)
    for words, do in choices:
        button = QPushButton(words)
        button.setAccessibleName(f"{words}: {name}")
        button.setStyleSheet("QPushButton { padding: 4px 8px; }")
        button.clicked.connect(lambda _=False, do=do: do())
        layout.addWidget(button)
    return row
