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
from ddsp_studio.ui.widgets.paint import font, ink
from ddsp_studio.ui.widgets.texts import amount_text


class CableItem(QGraphicsItem):
    """One cable, in scene coordinates."""

    def __init__(self, cable: Cable) -> None:
        super().__init__()
        self.cable, self.signal = cable, Signal.AUDIO
        self.lit = self.selected = self.muted = False
        self._rank = 0
        self._path = QPainterPath()
        self.amount = AmountItem()
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self.setZValue(1.0)

    def place(self, start: QPointF, end: QPointF) -> None:
        """Run from an outlet's place to an inlet's."""
        self.prepareGeometryChange()
        self._path = cable_path(start, end)
        self._place_amount()

    def set_cable(self, cable: Cable, signal: Signal, *, muted: bool) -> None:
        """Show this state of the cable."""
        if (cable, signal, muted) != (self.cable, self.signal, self.muted):
            self.cable, self.signal, self.muted = cable, signal, muted
            self._place_amount()
            self.update()

    def set_rank(self, rank: int) -> None:
        """Which of the modulations of one control this is; their amounts stand below each other."""
        self._rank = rank
        self._place_amount()

    def _place_amount(self) -> None:
        """Show the amount on the cable, shortly before its end."""
        self.amount.setVisible(self.cable.amount is not None and self.isVisible())
        if self.cable.amount is None:
            return
        length = self._path.length()
        distance = min(PILL[0] / 2.0 + 12.0, length / 2.0)
        place = self._path.pointAtPercent(self._path.percentAtLength(length - distance)) if length else QPointF()
        self.amount.setPos(place + QPointF(0.0, self._rank * (PILL[1] + 2.0)))
        self.amount.show_amount(self.cable.amount or 0.0, lit=self.lit or self.selected)

    def mark(self, **flags: bool) -> None:
        """Set painted flags (lit, selected, dimmed) and repaint if one differs."""
        if any(getattr(self, key) != value for key, value in flags.items()):
            for key, value in flags.items():
                setattr(self, key, value)
            self.setZValue(1.5 if self.lit or self.selected else 1.0)
            self.amount.show_amount(self.cable.amount or 0.0, lit=self.lit or self.selected)
            self.update()

    def show_all(self, shown: bool) -> None:
        """Show or hide the curve and the amount."""
        self.setVisible(shown)
        self._place_amount()

    def pill(self) -> QRectF:
        """Where the amount is shown; empty if the cable sets its target."""
        if self.cable.amount is None:
            return QRectF()
        return self.amount.boundingRect().translated(self.amount.pos())

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
        """The curve with its width."""
        return self._path.controlPointRect().adjusted(-5.0, -5.0, 5.0, 5.0)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Paint the curve."""
        zoom = option.levelOfDetailFromTransform(painter.worldTransform())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setOpacity(0.45 if self.muted else 1.0)
        lit = self.lit or self.selected
        under = QPen(ink(theme.CANVAS), 6.0)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if zoom >= PLAIN_BELOW:
            painter.strokePath(self._path, under)
        pen = cable_pen(self.signal, modulation=self.cable.amount is not None, lit=lit)
        if self.selected:
            pen.setColor(ink(theme.SELECTION))
        painter.strokePath(self._path, pen)


class AmountItem(QGraphicsItem):
    """The amount of a modulation cable, above all nodes and cables."""

    def __init__(self) -> None:
        super().__init__()
        self._amount, self._lit = 0.0, False
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self.setZValue(3.5)

    def show_amount(self, amount: float, *, lit: bool) -> None:
        """Show an amount, -1..1."""
        if (amount, lit) != (self._amount, self._lit):
            self._amount, self._lit = amount, lit
            self.update()

    def boundingRect(self) -> QRectF:
        """A little around the pill."""
        return QRectF(-PILL[0] / 2.0 - 1.0, -PILL[1] / 2.0 - 1.0, PILL[0] + 2.0, PILL[1] + 2.0)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Paint the pill; nothing while nodes are plain."""
        if option.levelOfDetailFromTransform(painter.worldTransform()) < PLAIN_BELOW:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box, edge = self.boundingRect().adjusted(1.0, 1.0, -1.0, -1.0), theme.CONTROL if self._amount >= 0.0 else theme.NOTES
        painter.setPen(QPen(ink(theme.TEXT if self._lit else edge), 1.2))
        painter.setBrush(ink(theme.PANEL))
        painter.drawRoundedRect(box, box.height() / 2.0, box.height() / 2.0)
        painter.setFont(font(10))
        painter.setPen(ink(theme.TEXT))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, amount_text(self._amount))
