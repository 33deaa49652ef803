"""DSP load with dropouts and voices, and a light that blinks."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from ddsp_studio.audio.telemetry import Telemetry
from ddsp_studio.ui import theme

_FADE = 0.06


class LoadMeter(QWidget):
    """Time to render a block as a share of its length, with its peak; under it dropouts and sounding voices."""

    clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedSize(self.sizeHint())
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName("DSP load and dropouts")
        self.setToolTip(
            "Share of the time that rendering takes, with its peak (mark); late blocks; voices that sound.\nClick to reset."
        )
        self._shown = (0.0, 0.0, 0, 0)

    def read(self, telemetry: Telemetry) -> None:
        """Take the numbers of this moment (the slow timer calls this)."""
        data = telemetry.data
        shown = (float(data["load"]), float(data["load_peak"]), int(data["dropouts"]), int(data["voices"]))
        if shown != self._shown:
            self._shown = shown
            self.setAccessibleDescription(self.words())
            self.update()

    def words(self) -> str:
        """What is shown, in words."""
        load, peak, dropouts, voices = self._shown
        late = f"{dropouts} dropout{'' if dropouts == 1 else 's'}"
        return f"load {load:.0%}, peak {peak:.0%}, {late}, {voices} voice{'' if voices == 1 else 's'}"

    def paintEvent(self, event: QPaintEvent) -> None:
        """Two lines and a bar."""
        painter = QPainter(self)
        load, peak, dropouts, voices = self._shown
        painter.setFont(theme.font(11))
        top = QRectF(0, 3, self.width(), 14)
        painter.setPen(theme.colour(theme.TEXT_SOFT))
        painter.drawText(top, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, "DSP")
        painter.setPen(theme.colour(_hue(load)))
        painter.drawText(top, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, f"{load:.0%}")
        bar = QRectF(30, 8, self.width() - 70, 5)
        painter.fillRect(bar, theme.colour(theme.CANVAS))
        painter.fillRect(QRectF(bar.left(), bar.top(), bar.width() * min(load, 1.0), 5), theme.colour(_hue(load)))
        if peak > 0:
            painter.fillRect(QRectF(bar.left() + bar.width() * min(peak, 1.0) - 1, bar.top(), 1.5, 5), theme.colour(_hue(peak)))
        bottom = QRectF(0, 19, self.width(), 13)
        painter.setFont(theme.font(10))
        painter.setPen(theme.colour(theme.WARNING if dropouts else theme.TEXT_FAINT))
        late = f"{dropouts} dropout{'' if dropouts == 1 else 's'}"
        painter.drawText(bottom, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, late)
        painter.setPen(theme.colour(theme.TEXT_FAINT))
        sounding = f"{voices} voice{'' if voices == 1 else 's'}"
        painter.drawText(bottom, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, sounding)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Reset the counters."""
        self.clicked.emit()

    def sizeHint(self) -> QSize:
        """Fits the transport bar."""
        return QSize(132, 36)


def _hue(load: float) -> str:
    return theme.DANGER if load > 0.9 else theme.WARNING if load > 0.7 else theme.GOOD


class Light(QWidget):
    """A lamp with a label; `blink` lights it, `fade` lets it go out."""

    def __init__(self, label: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._label, self._level = label, 0.0
        self.setFixedSize(38, 34)
        self.setAccessibleName(f"{label} activity")
        self.setToolTip(f"Lights up when {label} arrives")

    def blink(self) -> None:
        """Light up."""
        self._level = 1.0
        self.update()

    def fade(self) -> None:
        """Fade by one frame."""
        if self._level > 0.0:
            self._level = max(self._level - _FADE, 0.0)
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Lamp over label."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(theme.colour(theme.BORDER))
        painter.setBrush(theme.colour(theme.CANVAS))
        painter.drawEllipse(QPointF(self.width() / 2, 12), 5, 5)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(theme.GOOD, self._level))
        painter.drawEllipse(QPointF(self.width() / 2, 12), 4.5, 4.5)
        painter.setFont(theme.font(9))
        painter.setPen(theme.colour(theme.TEXT_FAINT))
        painter.drawText(QRectF(0, 21, self.width(), 12), Qt.AlignmentFlag.AlignCenter, self._label)
        painter.end()
