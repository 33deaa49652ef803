"""The training panel: it says what to do while it is empty, then shows the recordings, then the training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QApplication,
    QBoxLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ddsp_studio.ui import icons
from ddsp_studio.ui.training.material_page import MaterialPage
from ddsp_studio.ui.training.waiting import Waiting

if TYPE_CHECKING:
    from ddsp_studio.ui.training.progress_page import ProgressPage

_WHAT = (
    "Drop recordings of one instrument or voice here, or anywhere on the window.\n\n"
    "A few minutes of single notes and phrases, soft and loud, low and high, make an instrument that you can play after five "
    "minutes of training."
)


class TrainingPanel(QStackedWidget):
    """Three pages. The one of the training is made when it is first needed."""

    files_wanted = Signal()
    folder_wanted = Signal()
    progress_made = Signal(object)
    """The page of the training exists now."""
    back_wanted = Signal()
    """From the recordings back to the training."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.waiting = Waiting()
        self.empty = self._empty_page()
        self.material = MaterialPage()
        self.backs = (self._add_back(self.empty), self._add_back(self.material))
        self._progress: ProgressPage | None = None
        self.addWidget(self.empty)
        self.addWidget(self.material)
        self.setMinimumWidth(320)

    def _empty_page(self) -> QWidget:
        page = QWidget()
        what = QLabel(_WHAT, wordWrap=True, alignment=Qt.AlignmentFlag.AlignCenter)
        what.setProperty("soft", True)
        column = QVBoxLayout()
        column.setSpacing(6)
        self.choose = tuple(QPushButton(words) for words in ("Choose files…", "Choose a folder…"))
        for button, wanted in zip(self.choose, (self.files_wanted, self.folder_wanted), strict=True):
            button.clicked.connect(wanted)
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout = QVBoxLayout(page)
        layout.setContentsMargins(24, 24, 24, 24)
        layout.setSpacing(16)
        layout.addStretch(2)
        layout.addWidget(what)
        layout.addLayout(column)
        layout.addStretch(3)
        layout.addWidget(self.waiting)
        return page

    def _add_back(self, page: QWidget) -> QPushButton:
        """A button at the top of a page that leads to the training."""
        button = QPushButton(icons.icon("previous"), "Back to the training")
        button.clicked.connect(self.back_wanted)
        button.hide()
        row, layout = QHBoxLayout(), page.layout()
        row.setContentsMargins(0, 0, 10 if page is self.material else 0, 0)
        row.addWidget(button)
        if isinstance(layout, QBoxLayout):
            layout.insertLayout(0, row)
        return button

    def show_training(self, name: str) -> None:
        """Offer the way back to the training of this name; none: there is no training to go back to."""
        for button in self.backs:
            button.setToolTip(f"Show the training of “{name}” again")
            button.setVisible(bool(name))

    def setCurrentWidget(self, page: QWidget) -> None:
        """Show a page; the focus, if it is in here, goes to what is reached for first."""
        focused = QApplication.focusWidget()
        inside = focused is not None and self.isAncestorOf(focused)
        super().setCurrentWidget(page)
        if inside:
            self._first(page).setFocus()

    def _first(self, page: QWidget) -> QWidget:
        if page is self._progress:
            return self._progress.first
        return self.material.first if page is self.material else self.choose[0]

    @property
    def progress(self) -> ProgressPage:
        """The page of the training."""
        if self._progress is None:
            from ddsp_studio.ui.training.progress_page import ProgressPage  # plots take a while to load

            self._progress = ProgressPage()
            self.addWidget(self._progress)
            self.progress_made.emit(self._progress)
        return self._progress

    def sizeHint(self) -> QSize:
        """A comfortable size."""
        return QSize(400, 640)
