"""Small helpers for painting: cached fonts, knob arcs, text that fits."""

from __future__ import annotations

import functools
import math

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter

from ddsp_studio.ui import theme

_START, _SWEEP = 225.0, 270.0


@functools.cache
def font(pixels: int, *, bold: bool = False, mono: bool = False) -> QFont:
    """The theme's font at a size; looked up once, painting asks for it every frame."""
    return theme.font(pixels, bold=bold, mono=mono)


@functools.cache
def ink(name: str, alpha: float = 1.0) -> QColor:
    """A colour of the theme with an opacity of 0..1; made once, not to be changed."""
    return theme.colour(name, alpha)


_ELIDED: dict[tuple[str, int, int, int], str] = {}
_MOST_ELIDED = 4096


def elided(painter: QPainter, text: str, width: float) -> str:
    """Text cut with an ellipsis to fit a width in the painter's font; remembered, for it is asked every frame."""
    face = painter.font()
    key = (text, int(width), face.pixelSize(), int(face.weight()))
    if key not in _ELIDED:
        if len(_ELIDED) >= _MOST_ELIDED:
            _ELIDED.clear()
        _ELIDED[key] = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(width))
    return _ELIDED[key]


def arc(painter: QPainter, centre: QPointF, radius: float, start: float, end: float) -> None:
    """Stroke a knob's arc between two positions in 0..1."""
    rect = QRectF(centre.x() - radius, centre.y() - radius, 2.0 * radius, 2.0 * radius)
    painter.drawArc(rect, round((_START - _SWEEP * start) * 16.0), round(-_SWEEP * (end - start) * 16.0))


def on_circle(centre: QPointF, radius: float, knob: float) -> QPointF:
    """The point of a knob's circle at a position in 0..1."""
    angle = math.radians(_START - _SWEEP * knob)
    return QPointF(centre.x() + radius * math.cos(angle), centre.y() - radius * math.sin(angle))
