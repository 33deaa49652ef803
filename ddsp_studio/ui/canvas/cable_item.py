"""A cable on the canvas: a curve from outlet to inlet, with the amount on it if it modulates."""

from __future__ import annotations

import itertools

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPainterPathStroker, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from ddsp_studio.processors.declare import Signal
from ddsp_studio.processors.patch import Cable
from ddsp_studio.ui import theme
from ddsp_studio.ui.canvas.style import PILL, PLAIN_BELOW, cable_path, cable_pen
from ddsp_studio.ui.widgets.paint import font
from ddsp_studio.ui.widgets.texts import amount_text


class CableItem(QGraphicsItem):
    """One cable, in scene coordinates."""

    def __init__(self, cable: Cable) -> None:
        super().__init__()
        self.cable, self.signal = cable, Signal.AUDIO
        self.lit = self.selected = self.muted = self.dimmed = False
        self._path = QPainterPath()
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self.setZValue(1.0)

    def place(self, start: QPointF, end: QPointF) -> None:
        """Run from an outlet's place to an inlet's."""
        self.prepareGeometryChange()
        self._path = cable_path(start, end)

    def set_cable(self, cable: Cable, signal: Signal, *, muted: bool) -> None:
        """Show this state of the cable."""
        if (cable, signal, muted) != (self.cable, self.signal, self.muted):
            self.cable, self.signal, self.muted = cable, signal, muted
            self.update()

    def mark(self, **flags: bool) -> None:
        """Set painted flags (lit, selected, dimmed) and repaint if one differs."""
        if any(getattr(self, key) != value for key, value in flags.items()):
            for key, value in flags.items():
                setattr(self, key, value)
            self.setZValue(1.5 if self.lit or self.selected else 1.0)
            self.update()

    def pill(self) -> QRectF:
        """Where the amount is shown; empty if the cable sets its target."""
        if self.cable.amount is None:
            return QRectF()
        middle = self._path.pointAtPercent(0.5)
        return QRectF(middle.x() - PILL[0] / 2.0, middle.y() - PILL[1] / 2.0, *PILL)

    def touches(self, rect: QRectF) -> bool:
        """Whether the curve runs through a rectangle."""
        return self._path.boundingRect().adjusted(-1, -1, 1, 1).intersects(rect) and self._near(rect)

    def _near(self, rect: QRectF) -> bool:
        stroker = QPainterPathStroker()
        stroker.setWidth(2.0)
        return stroker.createStroke(self._path).intersects(rect)

    def crosses(self, line: QLineF) -> bool:
        """Whether a straight line cuts the curve."""
        steps = [self._path.pointAtPercent(i / 32.0) for i in range(33)]
        meets = QLineF.IntersectionType.BoundedIntersection
        return any(line.intersects(QLineF(a, b))[0] == meets for a, b in itertools.pairwise(steps))

    def end_near(self, point: QPointF) -> bool:
        """Whether a point of the cable is nearer to its inlet than to its outlet."""
        start, end = self._path.pointAtPercent(0.0), self._path.pointAtPercent(1.0)
        return (point - end).manhattanLength() < (point - start).manhattanLength()

    def ends(self) -> tuple[QPointF, QPointF]:
        """Start and end of the curve."""
        return self._path.pointAtPercent(0.0), self._path.pointAtPercent(1.0)

    def boundingRect(self) -> QRectF:
        """The curve with its width, and the amount."""
        return self._path.controlPointRect().adjusted(-5.0, -5.0, 5.0, 5.0).united(self.pill().adjusted(-2, -2, 2, 2))

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Paint the curve and the amount."""
        zoom = option.levelOfDetailFromTransform(painter.worldTransform())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setOpacity(0.25 if self.dimmed else 0.45 if self.muted else 1.0)
        lit = self.lit or self.selected
        under = QPen(theme.colour(theme.CANVAS), 6.0)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if zoom >= PLAIN_BELOW:
            painter.strokePath(self._path, under)
        pen = cable_pen(self.signal, modulation=self.cable.amount is not None, lit=lit)
        if self.selected:
            pen.setColor(theme.colour(theme.SELECTION))
        painter.strokePath(self._path, pen)
        if self.cable.amount is not None and zoom >= PLAIN_BELOW:
            self._paint_amount(painter, self.cable.amount, lit=lit)

    def _paint_amount(self, painter: QPainter, amount: float, *, lit: bool) -> None:
        box, edge = self.pill(), theme.CONTROL if amount >= 0.0 else theme.NOTES
        painter.setPen(QPen(theme.colour(theme.TEXT if lit else edge), 1.2))
        painter.setBrush(theme.colour(theme.PANEL))
        painter.drawRoundedRect(box, box.height() / 2.0, box.height() / 2.0)
        painter.setFont(font(10))
        painter.setPen(theme.colour(theme.TEXT))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, amount_text(amount))
