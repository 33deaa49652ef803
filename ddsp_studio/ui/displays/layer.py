"""A painted layer that is kept until something about it changes: scales and grids, whose text costs most of a frame."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtWidgets import QWidget


class Layer:
    """One layer of a widget, in the device's pixels."""

    def __init__(self, widget: QWidget, paint: Callable[[QPainter], None]) -> None:
        self._widget, self._paint = widget, paint
        self._key: object = None
        self._pixmap = QPixmap()

    def draw(self, painter: QPainter, *key: object) -> None:
        """Draw the layer; it is painted anew when `key`, the widget's size or its scale is another."""
        ratio = self._widget.devicePixelRatioF()
        size = self._widget.size()
        whole = (*key, size.width(), size.height(), ratio)
        if whole != self._key:
            self._key = whole
            self._pixmap = QPixmap(size * ratio)
            self._pixmap.setDevicePixelRatio(ratio)
            self._pixmap.fill(Qt.GlobalColor.transparent)
            inner = QPainter(self._pixmap)
            self._paint(inner)
            inner.end()
        painter.drawPixmap(0, 0, self._pixmap)
