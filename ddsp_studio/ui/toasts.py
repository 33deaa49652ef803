"""Sentences for the user that block nothing: small plates in the corner, with buttons where there is a choice."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from ddsp_studio.ui import theme

_WIDTH, _MARGIN, _MOST = 360, 12, 4


class Tone(enum.Enum):
    """How grave a sentence is, and how long it stays in milliseconds (0: until it is closed)."""

    GOOD = (theme.GOOD, 5000)
    INFO = (theme.SELECTION, 6000)
    WARNING = (theme.WARNING, 12_000)
    ERROR = (theme.DANGER, 20_000)


Choice = tuple[str, Callable[[], object]]
"""Words of a button, and what it does; when that returns False the choice is still open."""


class Toast(QFrame):
    """One plate. Pointing at it keeps it, and one with choices stays until it is answered or closed."""

    closed = Signal()

    def __init__(self, text: str, tone: Tone, choices: Sequence[Choice], parent: QWidget) -> None:
        super().__init__(parent)
        hue, stay_ms = tone.value
        self.text, self.asks = text, bool(choices)
        self.setObjectName("toast")
        self.setStyleSheet(
            f"#toast {{ background: {theme.RAISED}; border: 1px solid {theme.BORDER}; border-left: 3px solid {hue};"
            f" border-radius: {theme.RADIUS}px; }}"
        )
        self.setFixedWidth(_WIDTH)
        self._timer = QTimer(self, singleShot=True, interval=0 if choices else stay_ms)
        self._timer.timeout.connect(self.close)
        label = QLabel(text)
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        label.setContentsMargins(0, 4, 0, 4)
        close = QToolButton()
        close.setText("✕")
        close.setAccessibleName("Close this message")
        close.clicked.connect(self.close)
        upper = QHBoxLayout()
        upper.addWidget(label, 1)
        upper.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 8, 6, 8)
        layout.setSpacing(4)
        layout.addLayout(upper)
        if choices:
            layout.addLayout(self._buttons(choices))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._stay()

    def _buttons(self, choices: Sequence[Choice]) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addStretch(1)
        for words, do in choices:
            button = QPushButton(words)
            button.clicked.connect(lambda _=False, do=do: self._answer(do))
            row.addWidget(button)
        row.setContentsMargins(0, 2, 6, 2)
        return row

    def _answer(self, do: Callable[[], object]) -> None:
        if do() is not False:
            self.close()

    def _stay(self) -> None:
        if self._timer.interval():
            self._timer.start()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Say that it is gone."""
        self.closed.emit()
        super().closeEvent(event)

    def enterEvent(self, event: object) -> None:
        """Stay while it is being read."""
        self._timer.stop()

    def leaveEvent(self, event: object) -> None:
        """Count again."""
        self._stay()


class Toasts(QObject):
    """Stacks plates in the lower right corner of a widget; plain ones make room for later ones, choices do not."""

    def __init__(self, host: QWidget) -> None:
        super().__init__(host)
        self._host = host
        self._plates: list[Toast] = []
        host.installEventFilter(self)

    def show(self, text: str, tone: Tone = Tone.INFO, choices: Sequence[Choice] = ()) -> None:
        """Say a sentence; the same sentence is not said twice at a time."""
        if any(plate.text == text for plate in self._plates):
            return
        plate = Toast(text, tone, choices, self._host)
        plate.closed.connect(lambda: self._forget(plate))
        self._plates.append(plate)
        for old in [each for each in self._plates[:-1] if not each.asks][: max(0, len(self._plates) - _MOST)]:
            old.close()
        plate.show()
        self._arrange()

    def withdraw(self, text: str) -> None:
        """Take a sentence back that does not hold any more."""
        for plate in [plate for plate in self._plates if plate.text == text]:
            plate.close()

    def texts(self) -> list[str]:
        """The sentences that are shown."""
        return [plate.text for plate in self._plates]

    def _forget(self, plate: Toast) -> None:
        if plate in self._plates:
            self._plates.remove(plate)
            self._arrange()

    def _arrange(self) -> None:
        bottom = self._host.height() - _MARGIN
        for plate in reversed(self._plates):
            height = plate.heightForWidth(_WIDTH)
            bottom -= height
            plate.setGeometry(self._host.width() - _WIDTH - _MARGIN, bottom, _WIDTH, height)
            plate.raise_()
            bottom -= 8

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the host's size."""
        if event.type() == QEvent.Type.Resize:
            self._arrange()
        return False
