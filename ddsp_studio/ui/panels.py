"""Docks: one slim title bar for all of them, with a panel's own controls in it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QLabel, QMainWindow, QToolButton, QWidget

from ddsp_studio.ui import theme

_HEIGHT = 26


class TitleBar(QWidget):
    """A panel's name, its controls, and a button that hides it. Drag it to move the panel."""

    def __init__(self, dock: QDockWidget, controls: Sequence[QWidget]) -> None:
        super().__init__(dock)
        self.setFixedHeight(_HEIGHT)
        label = QLabel(dock.windowTitle())
        label.setFont(theme.font(11, bold=True))
        label.setProperty("soft", True)
        hide = QToolButton()
        hide.setText("✕")
        hide.setFixedSize(20, 20)
        hide.setFont(theme.font(9))
        hide.setAccessibleName(f"Hide {dock.windowTitle()}")
        hide.setToolTip("Hide (the View menu brings it back)")
        hide.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        hide.clicked.connect(dock.close)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 0, 4, 0)
        layout.setSpacing(4)
        layout.addWidget(label)
        layout.addStretch(1)
        for control in controls:
            layout.addWidget(control)
        layout.addWidget(hide)

    def sizeHint(self) -> QSize:
        """The dock's layout asks for this, and not for the fixed height."""
        return QSize(super().sizeHint().width(), _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """The same."""
        return QSize(80, _HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        """A plain bar."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour(theme.PANEL))
        painter.end()


def small_button(text: str, tip: str, *, checkable: bool = False) -> QToolButton:
    """A button for a title bar."""
    button = QToolButton()
    button.setText(text)
    button.setFont(theme.font(10))
    button.setFixedHeight(20)
    button.setCheckable(checkable)
    button.setToolTip(tip)
    button.setAccessibleName(tip)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    return button


def add_dock(
    window: QMainWindow, name: str, title: str, widget: QWidget, area: Qt.DockWidgetArea, controls: Sequence[QWidget] = ()
) -> QDockWidget:
    """Put a panel on an edge of the window. `name` is what its place is remembered by."""
    dock = QDockWidget(title, window)
    dock.setObjectName(name)
    dock.setWidget(widget)
    dock.setTitleBarWidget(TitleBar(dock, controls))
    window.addDockWidget(area, dock)
    return dock
