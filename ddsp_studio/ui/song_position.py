"""Where the transport stands in its MIDI file: read as time, gone to by a click, a drag or the arrow keys."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractSlider, QSizePolicy

from ddsp_studio.audio import protocol
from ddsp_studio.ui import theme
from ddsp_studio.ui.widgets.paint import elided, font, ink

_SIZE = QSize(160, 46)
_STEP_MS, _PAGE_MS = 1000, 10_000
_TRACK, _HANDLE = 4.0, 8.0


class SongPosition(QAbstractSlider):
    """Time, name and a track of the song; milliseconds inside."""

    sought = Signal(float)
    """Seconds from the song's start that shall be gone to."""

    def __init__(self) -> None:
        super().__init__()
        self._name, self._text = "no MIDI file", "0:00.0"
        self.setOrientation(Qt.Orientation.Horizontal)
        self.setSingleStep(_STEP_MS)
        self.setPageStep(_PAGE_MS)
        self.setRange(0, 0)
        self.setFixedSize(_SIZE)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName("Position in the MIDI file")
        self.actionTriggered.connect(self._stepped)

    def show_transport(self, state: protocol.TransportState) -> None:
        """Show where the transport is; a hand on the track is not disturbed."""
        song = state.song.replace("\\", "/").rpartition("/")[2]
        self._name = "recording…" if state.recording else song or "no MIDI file"
        self.setRange(0, round(state.length_s * 1000))
        self.setCursor(Qt.CursorShape.PointingHandCursor if self.maximum() else Qt.CursorShape.ArrowCursor)
        self.setToolTip(f"{song}\nClick or drag to go to another place" if self.maximum() else "")
        if not self.isSliderDown():
            self.setValue(round(state.position_s * 1000))
            self._text = clock(state.position_s) + (f" / {clock(state.length_s, tenths=False)}" if state.length_s else "")
            self.setAccessibleDescription(self._text)
            self.update()

    # -- going to a place ---------------------------------------------------------------------------------------------

    def _stepped(self, _action: int) -> None:
        """Keys and wheel go there at once."""
        if not self.isSliderDown():
            self.sought.emit(self.sliderPosition() / 1000)

    def _hold(self, event: QMouseEvent) -> None:
        track = self._track()
        share = (event.position().x() - track.left()) / track.width()
        self.setSliderPosition(round(min(max(share, 0.0), 1.0) * self.maximum()))
        self._text = f"{clock(self.sliderPosition() / 1000)} / {clock(self.maximum() / 1000, tenths=False)}"
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the track in hand."""
        if event.button() is Qt.MouseButton.LeftButton and self.maximum():
            self.setSliderDown(True)
            self._hold(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Say where a release would go."""
        if self.isSliderDown():
            self._hold(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Go there."""
        if event.button() is Qt.MouseButton.LeftButton and self.isSliderDown():
            self.setSliderDown(False)
            self.sought.emit(self.sliderPosition() / 1000)

    # -- looks --------------------------------------------------------------------------------------------------------

    def _track(self) -> QRectF:
        return QRectF(_HANDLE / 2, self.height() - _HANDLE / 2 - _TRACK / 2 - 1, self.width() - _HANDLE, _TRACK)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Time over name over track."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font(14, bold=True))
        painter.setPen(ink(theme.TEXT))
        painter.drawText(QRectF(0, 3, self.width(), 17), Qt.AlignmentFlag.AlignCenter, self._text)
        painter.setFont(font(10))
        painter.setPen(ink(theme.TEXT_SOFT if self._name == "recording…" else theme.TEXT_FAINT))
        name = elided(painter, self._name, self.width() - 8)
        painter.drawText(QRectF(0, 21, self.width(), 13), Qt.AlignmentFlag.AlignCenter, name)
        if self.maximum():
            self._paint_track(painter)
        painter.end()

    def _paint_track(self, painter: QPainter) -> None:
        track = self._track()
        done = track.width() * self.sliderPosition() / self.maximum()
        lit = self.underMouse() or self.hasFocus() or self.isSliderDown()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink(theme.RAISED))
        painter.drawRoundedRect(track, 2, 2)
        painter.setBrush(ink(theme.ACCENT if lit else theme.ACCENT_DEEP))
        painter.drawRoundedRect(QRectF(track.left(), track.top(), done, _TRACK), 2, 2)
        if lit:
            painter.setBrush(ink(theme.TEXT))
            handle = QRectF(0, 0, _HANDLE, _HANDLE)
            handle.moveCenter(track.center())
            handle.moveLeft(track.left() + done - _HANDLE / 2)
            painter.drawEllipse(handle)


def clock(seconds: float, *, tenths: bool = True) -> str:
    """Minutes and seconds: "1:05.3"."""
    minutes, rest = divmod(max(seconds, 0.0), 60.0)
    return f"{int(minutes)}:{int(rest * 10) / 10:04.1f}" if tenths else f"{int(minutes)}:{int(rest):02d}"
