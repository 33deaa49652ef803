"""The few icons of the window, drawn as vectors in a 16 × 16 box, so that they are sharp at every scale."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QPainter, QPainterPath, QPen, QPixmap, QPolygonF

from ddsp_studio.ui import theme

Drawing = Callable[[QPainterPath], None]


def _play(path: QPainterPath) -> None:
    path.addPolygon(QPolygonF([QPointF(4, 2.5), QPointF(13.5, 8), QPointF(4, 13.5), QPointF(4, 2.5)]))


def _stop(path: QPainterPath) -> None:
    path.addRoundedRect(QRectF(3.5, 3.5, 9, 9), 1, 1)


def _record(path: QPainterPath) -> None:
    path.addEllipse(QPointF(8, 8), 5, 5)


def _previous(path: QPainterPath) -> None:
    path.addPolygon(QPolygonF([QPointF(10.5, 3.5), QPointF(5, 8), QPointF(10.5, 12.5), QPointF(10.5, 3.5)]))


def _next(path: QPainterPath) -> None:
    path.addPolygon(QPolygonF([QPointF(5.5, 3.5), QPointF(11, 8), QPointF(5.5, 12.5), QPointF(5.5, 3.5)]))


def _rewind(path: QPainterPath) -> None:
    path.addRect(QRectF(3, 3, 1.8, 10))
    path.addPolygon(QPolygonF([QPointF(13, 3), QPointF(6, 8), QPointF(13, 13), QPointF(13, 3)]))


def _loop(path: QPainterPath) -> None:
    path.moveTo(4.5, 11.5)
    path.arcTo(QRectF(2, 4.5, 7, 7), 270, -180)
    path.lineTo(11, 4.5)
    path.moveTo(11.5, 4.5)
    path.arcTo(QRectF(7, 4.5, 7, 7), 90, -180)
    path.lineTo(7, 11.5)
    path.moveTo(9, 9.5)
    path.lineTo(6.8, 11.5)
    path.lineTo(9, 13.5)


def _panic(path: QPainterPath) -> None:
    path.moveTo(8, 2)
    path.lineTo(14.3, 13.5)
    path.lineTo(1.7, 13.5)
    path.closeSubpath()
    path.moveTo(8, 6)
    path.lineTo(8, 9.6)
    path.moveTo(8, 11.6)
    path.lineTo(8, 11.9)


def _freeze(path: QPainterPath) -> None:
    path.addRect(QRectF(4, 3.5, 2.6, 9))
    path.addRect(QRectF(9.4, 3.5, 2.6, 9))


def _search(path: QPainterPath) -> None:
    path.addEllipse(QPointF(6.8, 6.8), 4.2, 4.2)
    path.moveTo(10, 10)
    path.lineTo(13.8, 13.8)


def _patch(path: QPainterPath) -> None:
    path.addRoundedRect(QRectF(1.5, 3.5, 5, 4), 1, 1)
    path.addRoundedRect(QRectF(9.5, 8.5, 5, 4), 1, 1)
    path.moveTo(6.5, 5.5)
    path.cubicTo(9.5, 5.5, 6.5, 10.5, 9.5, 10.5)


def _model(path: QPainterPath) -> None:
    path.moveTo(1.5, 8)
    path.cubicTo(3, 1.5, 4.5, 1.5, 5.8, 8)
    path.cubicTo(7, 13.5, 8.4, 13.5, 9.6, 8)
    path.cubicTo(10.6, 4.2, 11.6, 4.2, 12.4, 8)
    path.cubicTo(13, 10, 13.6, 10, 14.5, 8)


def _song(path: QPainterPath) -> None:
    path.addEllipse(QPointF(4.6, 11.6), 2.1, 1.7)
    path.addEllipse(QPointF(11.6, 10.2), 2.1, 1.7)
    path.moveTo(6.6, 11.4)
    path.lineTo(6.6, 3.8)
    path.lineTo(13.6, 2.4)
    path.lineTo(13.6, 10)


def _refresh(path: QPainterPath) -> None:
    path.arcMoveTo(QRectF(3, 3, 10, 10), 40)
    path.arcTo(QRectF(3, 3, 10, 10), 40, 290)
    path.moveTo(12.6, 1.8)
    path.lineTo(12, 5)
    path.lineTo(9, 4.6)


def _more(path: QPainterPath) -> None:
    for x in (3.5, 8.0, 12.5):
        path.addEllipse(QPointF(x, 8), 1.1, 1.1)


_FILLED: dict[str, Drawing] = {
    "play": _play,
    "stop": _stop,
    "record": _record,
    "previous": _previous,
    "next": _next,
    "rewind": _rewind,
    "freeze": _freeze,
    "more": _more,
}
_OUTLINED: dict[str, Drawing] = {
    "loop": _loop,
    "panic": _panic,
    "search": _search,
    "patch": _patch,
    "model": _model,
    "song": _song,
    "refresh": _refresh,
}


class _Engine(QIconEngine):
    """Paints a named drawing in a colour for off and one for on."""

    def __init__(self, name: str, hue: str, hue_on: str) -> None:
        super().__init__()
        self._given = (name, hue, hue_on)
        self._filled = name in _FILLED
        self._path = QPainterPath()
        (_FILLED if self._filled else _OUTLINED)[name](self._path)

    def paint(self, painter: QPainter, rect: object, mode: QIcon.Mode, state: QIcon.State) -> None:
        """Draw into a rectangle."""
        box = QRectF(rect)  # type: ignore[call-overload]
        _, hue, hue_on = self._given
        ink = theme.colour(theme.TEXT_FAINT if mode == QIcon.Mode.Disabled else hue_on if state == QIcon.State.On else hue)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(box.topLeft())
        painter.scale(box.width() / 16.0, box.height() / 16.0)
        if self._filled:
            painter.fillPath(self._path, ink)
        else:
            painter.setPen(QPen(ink, 1.4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
            painter.drawPath(self._path)
        painter.restore()

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """Draw into a transparent pixmap."""
        result = QPixmap(size)
        result.fill(Qt.GlobalColor.transparent)
        painter = QPainter(result)
        self.paint(painter, QRectF(0, 0, size.width(), size.height()), mode, state)
        painter.end()
        return result

    def clone(self) -> QIconEngine:
        """Make another like this."""
        return _Engine(*self._given)


def icon(name: str, hue: str = theme.TEXT, hue_on: str = "") -> QIcon:
    """The icon of a name; `hue_on` is its colour while its button is checked."""
    return QIcon(_Engine(name, hue, hue_on or hue))
