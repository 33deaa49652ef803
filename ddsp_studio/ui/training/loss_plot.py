"""The loss over the steps, on a log axis."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
import pyqtgraph
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ddsp_studio.ui import theme

_FONT = 10
_FEWEST = 3
"""Labels below which the round numbers of a decade are too few."""
_ROUND = (1, 5, 2)
"""Round numbers of a decade, those first that are left out last."""


def log_ticks(low: float, high: float, apart: float) -> list[float]:
    """What to label on a log axis: 1, 2 and 5 of every decade, or round numbers between them where that gives too few.

    Args:
        low, high: of the axis, above 0. apart: how far labels must be apart at least, in decades.

    Returns:
        The values from the lowest up; the less round of two that would overlap is left out.
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    decades = [_clear(((mark * 10.0**n) for n in range(first, last + 1)), low, high) for mark in _ROUND]
    found = _spread((value for marks in decades for value in marks), apart)
    if len(found) >= _FEWEST:
        return sorted(found)
    room = max(1.0, math.log10(high / low) / apart)
    step = _round_up((high - low) / room)
    between = (step * n for n in range(math.ceil(low / step), math.floor(high / step) + 1))
    fine = _spread(_clear(between, low, high), apart)
    return sorted(fine if len(fine) > len(found) else found)


def _clear(values: Iterable[float], low: float, high: float) -> list[float]:
    return [value for value in values if low <= value <= high]


def _spread(values: Iterable[float], apart: float) -> list[float]:
    """Those of some values that keep their distance, in decades, from those before them."""
    kept: list[float] = []
    for value in values:
        if all(abs(math.log10(value / other)) >= apart for other in kept):
            kept.append(value)
    return kept


def _round_up(step: float) -> float:
    """The next of 1, 2, 5, 10, 20 … that is no smaller."""
    unit = 10.0 ** math.floor(math.log10(step))
    return unit * next(mark for mark in (1, 2, 5, 10) if mark * unit >= step * 0.999)


class _LossAxis(pyqtgraph.AxisItem):
    """A log axis whose numbers are round, written out, and never on top of one another."""

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:
        """Logarithms of what is labelled, for an axis of `size` pixels."""
        low, high = sorted((minVal, maxVal))
        if not (high > low and size > 0.0):
            return []
        apart = QFontMetrics(theme.font(_FONT)).height() * (high - low) / size
        return [(apart, [math.log10(value) for value in log_ticks(10.0**low, 10.0**high, apart)])]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        """What stands at the ticks, given as logarithms."""
        return [f"{10.0**value:.6g}" for value in values]


class _StepAxis(pyqtgraph.AxisItem):
    """An axis of whole numbers."""

    def tickSpacing(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, float]]:
        """No closer than 1."""
        return [(spacing, offset) for spacing, offset in super().tickSpacing(minVal, maxVal, size) if spacing >= 1.0]


class LossPlot(QWidget):
    """A curve that grows; the wheel and dragging do nothing to it, for there is nothing else to see."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Loss over the steps, on a log axis")
        axes: dict[str, pyqtgraph.AxisItem] = {"left": _LossAxis("left"), "bottom": _StepAxis("bottom")}
        self.plot = pyqtgraph.PlotWidget(background=theme.CANVAS, axisItems=axes)
        item = self.plot.getPlotItem()
        item.setLogMode(x=False, y=True)
        item.showGrid(x=False, y=True, alpha=0.12)
        item.setMenuEnabled(False)
        item.hideButtons()
        item.setMouseEnabled(x=False, y=False)
        for axis in axes.values():
            axis.setPen(theme.BORDER)
            axis.setTextPen(theme.TEXT_FAINT)
            axis.setStyle(tickFont=theme.font(_FONT), tickLength=-4)
        axes["left"].setWidth(44)
        self.plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # no key does anything to it
        self.plot.setToolTip("How far the instrument is from the recordings it learns from (log axis); lower is better")
        self._curve = item.plot(pen=pyqtgraph.mkPen(theme.ACCENT, width=1.6))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.plot)
        self.setMinimumHeight(90)

    def show_losses(self, losses: Sequence[tuple[int, float]]) -> None:
        """Show losses by step; what is not above 0 has no place on a log axis and is left out."""
        held = np.array([pair for pair in losses if pair[1] > 0.0], np.float64).reshape(-1, 2)
        alone = "o" if len(held) == 1 else None
        self._curve.setData(held[:, 0], held[:, 1], symbol=alone, symbolSize=5, symbolPen=None, symbolBrush=theme.ACCENT)
        for side in ("left", "bottom"):
            self.plot.getPlotItem().getAxis(side).setStyle(showValues=bool(len(held)))

    def shown(self) -> list[tuple[int, float]]:
        """The points that are shown."""
        x, y = self._curve.getOriginalDataset()
        return [] if x is None else [(int(a), float(b)) for a, b in zip(x, y, strict=True)]

    def labels(self) -> list[str]:
        """What stands beside the log axis now."""
        axis = self.plot.getPlotItem().getAxis("left")
        values = axis.tickValues(*axis.range, axis.height())
        return [text for spacing, marks in values for text in axis.tickStrings(marks, 1.0, spacing)]

    def sizeHint(self) -> QSize:
        """A comfortable size."""
        return QSize(340, 90)
