"""The way back out of an opened group: one button for each level above the canvas."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from ddsp_studio.ui import theme
from ddsp_studio.ui.canvas.style import category_colour

_HEIGHT = 30


class Breadcrumb(QWidget):
    """Shown only while a group is open."""

    chosen = Signal(int)
    """Go out to the level within this many groups."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(_HEIGHT)
        self.setAccessibleName("Way out of the group")
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(8, 0, 12, 1)
        self._row.setSpacing(2)
        self._held: list[QWidget] = []
        self.hide()

    def show_path(self, title: str, names: list[str]) -> None:
        """Show the way from the patch's title to the opened group."""
        while self._row.takeAt(0) is not None:
            continue
        for widget in self._held:
            widget.hide()
            widget.deleteLater()  # one of them may be what was clicked
        self._held = []
        self._add(self._button("‹", "Back out of this group (Alt+Up)", len(names) - 1))
        for depth, name in enumerate([title, *names]):
            if depth:
                self._add(self._label("›", theme.TEXT_FAINT))
            if depth < len(names):
                self._add(self._button(name, f"Go back to {name}", depth))
            else:
                self._add(self._label(name, theme.TEXT, bold=True))
        self._row.addStretch(1)
        self._add(self._label("Right-click a port or value to show it outside", theme.TEXT_FAINT))
        self.setVisible(bool(names))

    def texts(self) -> list[str]:
        """What is written on the buttons and labels."""
        return [w.text() for w in self._held if isinstance(w, (QToolButton, QLabel))]

    def _add(self, widget: QWidget) -> None:
        self._held.append(widget)
        self._row.addWidget(widget)

    def _label(self, text: str, hue: str, *, bold: bool = False) -> QLabel:
        label = QLabel(text, self)
        label.setStyleSheet(f"color: {hue}; padding: 0 4px; font-weight: {600 if bold else 400};")
        return label

    def _button(self, text: str, tip: str, depth: int) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setStyleSheet(f"QToolButton {{ color: {theme.TEXT_SOFT}; padding: 2px 6px; border: none; }}")
        button.clicked.connect(lambda: self.chosen.emit(depth))
        return button

    def paintEvent(self, event: QPaintEvent) -> None:
        """A plain bar with an edge in the colour of groups."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour(theme.PANEL))
        painter.fillRect(0, self.height() - 1, self.width(), 1, theme.colour(category_colour("group"), 0.5))
        painter.end()
