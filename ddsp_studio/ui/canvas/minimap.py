"""A small picture of the whole patch in the corner; click or drag in it to move the view."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from ddsp_studio.ui import theme
from ddsp_studio.ui.canvas.style import category_colour
from ddsp_studio.ui.canvas.view import PatchView
from ddsp_studio.ui.widgets.paint import ink

_SIZE, _SMALL, _MARGIN = (168, 108), (105, 66), 10


class Minimap(QWidget):
    """Shows itself only while a part of the patch is out of sight."""

    def __init__(self, view: PatchView) -> None:
        super().__init__(view)
        self._view = view
        self.setFixedSize(*_SIZE)
        self.setAccessibleName("Minimap")
        self.setToolTip("Click or drag to move the view")
        view.viewed.connect(self.refresh)
        view.document.changed.connect(self.refresh)
        view.document.level_changed.connect(self.refresh)
        self.hide()

    def refresh(self) -> None:
        """Place, show or hide it, and repaint."""
        room, content = self._view.rect(), self._view.patch_scene.nodes_rect()
        needed = not content.isEmpty() and not self._view.visible_rect().contains(content)
        width, height = _SIZE if room.width() > 3 * _SIZE[0] and room.height() > 3 * _SIZE[1] else _SMALL
        self.setFixedSize(width, height)
        self.setVisible(needed and room.width() > 3 * width and room.height() > 3 * height)
        self.move(room.width() - width - _MARGIN, room.height() - height - _MARGIN)
        self.update()

    def _world(self) -> QRectF:
        return self._view.patch_scene.nodes_rect().united(self._view.visible_rect()).adjusted(-40, -40, 40, 40)

    def _scale(self) -> tuple[QRectF, float]:
        world = self._world()
        return world, min((self.width() - 8) / world.width(), (self.height() - 8) / world.height())

    def _mapped(self, rect: QRectF) -> QRectF:
        world, scale = self._scale()
        shift = QPointF(self.width() / 2.0, self.height() / 2.0)
        top_left = (rect.topLeft() - world.center()) * scale + shift
        return QRectF(top_left.x(), top_left.y(), rect.width() * scale, rect.height() * scale)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint nodes as boxes and the visible part as a frame."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(ink(theme.BORDER), 1.0))
        painter.setBrush(ink(theme.WINDOW, 0.92))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        painter.setPen(Qt.PenStyle.NoPen)
        for item in self._view.patch_scene.nodes.values():
            hue = theme.SELECTION if item.selected else category_colour(item.spec.category) if item.spec else theme.DANGER
            painter.setBrush(ink(hue, 0.85))
            painter.drawRoundedRect(self._mapped(item.scene_rect()), 1.5, 1.5)
        painter.setPen(QPen(ink(theme.TEXT_SOFT), 1.0))
        painter.setBrush(ink(theme.TEXT, 0.06))
        painter.drawRect(self._mapped(self._view.visible_rect()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Move the view there."""
        self._go(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Keep moving the view."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go(event)

    def _go(self, event: QMouseEvent) -> None:
        world, scale = self._scale()
        place = (event.position() - QPointF(self.width() / 2.0, self.height() / 2.0)) / scale + world.center()
        self._view.pan_by((self._view.visible_rect().center() - place) * self._view.zoom())
