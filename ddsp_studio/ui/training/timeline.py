"""The checkpoints of a training in a row: a dot each, the best one ringed; click, drag or arrow keys choose one.

A checkpoint whose sound is no longer kept is a smaller dot.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from ddsp_studio.ui import theme
from ddsp_studio.ui.training.story import Point, span

_EDGE = 12


class Timeline(QWidget):
    """Emits `chosen(index)`. As long as the newest one is chosen it stays so when another comes."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(24)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Checkpoints")
        self._points: tuple[Point, ...] = ()
        self._kept: tuple[bool, ...] = ()
        self._index = -1

    @property
    def index(self) -> int:
        """The chosen checkpoint; −1 while there is none."""
        return self._index

    def show_points(self, points: Sequence[Point]) -> None:
        """Show checkpoints, the oldest first."""
        follows = self._index == len(self._points) - 1
        self._points = tuple(points)
        self._kept = tuple(point.kept for point in points)
        wanted = len(points) - 1 if follows else min(self._index, len(points) - 1)
        self.update()
        self.choose(wanted)

    def choose(self, index: int) -> None:
        """Choose a checkpoint."""
        index = min(max(index, 0 if self._points else -1), len(self._points) - 1)
        if index != self._index:
            self._index = index
            self.update()
            if index >= 0:
                self.chosen.emit(index)

    def x_of(self, index: int) -> float:
        """Where a checkpoint stands, by its time."""
        first, last = self._points[0].seconds, self._points[-1].seconds
        share = (self._points[index].seconds - first) / (last - first) if last > first else 1.0
        return _EDGE + share * (self.width() - 2 * _EDGE)

    def at(self, x: float) -> int:
        """The checkpoint that is nearest to a place; −1 while there is none."""
        return min(range(len(self._points)), key=lambda index: abs(self.x_of(index) - x), default=-1)

    def paintEvent(self, event: QPaintEvent) -> None:
        """A line and its dots."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = self.height() / 2
        painter.setPen(QPen(theme.colour(theme.BORDER), 2))
        painter.drawLine(QPointF(_EDGE, middle), QPointF(self.width() - _EDGE, middle))
        best = next((i for i in reversed(range(len(self._points))) if self._points[i].best), -1)
        for index in range(len(self._points)):
            centre, here = QPointF(self.x_of(index), middle), index == self._index
            if index == best:
                painter.setPen(QPen(theme.colour(theme.GOOD), 1.5))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawEllipse(centre, 8, 8)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour(theme.ACCENT if here else theme.TEXT_FAINT))
            radius = 5.0 if here else 3.5 if self._kept[index] else 2.0
            painter.drawEllipse(centre, radius, radius)
        if self.hasFocus():
            painter.setPen(QPen(theme.colour(theme.ACCENT, 0.6), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), theme.RADIUS, theme.RADIUS)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose the nearest one."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.choose(self.at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Scrub."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.choose(self.at(event.position().x()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows, Home and End."""
        steps = {Qt.Key.Key_Left: self._index - 1, Qt.Key.Key_Right: self._index + 1, Qt.Key.Key_Home: 0}
        steps[Qt.Key.Key_End] = len(self._points) - 1
        if event.key() in steps:
            self.choose(steps[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Say which checkpoint is under the pointer."""
        if isinstance(event, QHelpEvent) and self._points:
            index = self.at(event.pos().x())
            point, kept = self._points[index], self._kept[index]
            told = f"{', the best' if point.best else ''}{'' if kept else '; its sound is no longer kept'}"
            QToolTip.showText(event.globalPos(), f"{span(point.seconds)}, step {point.step:,}{told}", self)
            return True
        return super().event(event)

    def sizeHint(self) -> QSize:
        """A comfortable size."""
        return QSize(300, 24)
