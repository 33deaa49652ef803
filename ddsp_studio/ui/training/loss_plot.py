"""The loss over the steps, on a log axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ddsp_studio.ui import theme


class _PlainAxis(pyqtgraph.AxisItem):
    """A log axis whose numbers are written out."""

    def logTickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        """What stands at the ticks, given as logarithms."""
        return [f"{10.0**value:.3g}" for value in values]


class LossPlot(QWidget):
    """A curve that grows; the wheel and dragging do nothing to it, for there is nothing else to see."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Loss over the steps, on a log axis")
        self.plot = pyqtgraph.PlotWidget(background=theme.CANVAS, axisItems={"left": _PlainAxis("left")})
        item = self.plot.getPlotItem()
        item.setLogMode(x=False, y=True)
        item.showGrid(x=False, y=True, alpha=0.12)
        item.setMenuEnabled(False)
        item.hideButtons()
        item.setMouseEnabled(x=False, y=False)
        for side in ("left", "bottom"):
            axis = item.getAxis(side)
            axis.setPen(theme.BORDER)
            axis.setTextPen(theme.TEXT_FAINT)
            axis.setStyle(tickFont=theme.font(10), tickLength=-4)
        item.getAxis("left").setWidth(44)
        self.plot.setToolTip("How far the instrument is from the recordings it learns from (log axis); lower is better")
        self._curve = item.plot(pen=pyqtgraph.mkPen(theme.ACCENT, width=1.6))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.plot)
        self.setMinimumHeight(90)

    def show_losses(self, losses: Sequence[tuple[int, float]]) -> None:
        """Show losses by step; what is not above 0 has no place on a log axis and is left out."""
        held = np.array([pair for pair in losses if pair[1] > 0.0], np.float64).reshape(-1, 2)
        self._curve.setData(held[:, 0], held[:, 1])

    def shown(self) -> list[tuple[int, float]]:
        """The points that are shown."""
        x, y = self._curve.getOriginalDataset()
        return [] if x is None else [(int(a), float(b)) for a, b in zip(x, y, strict=True)]

    def sizeHint(self) -> QSize:
        """A comfortable size."""
        return QSize(340, 120)
