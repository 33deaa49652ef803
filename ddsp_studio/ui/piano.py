"""The piano keyboard: 88 keys, velocity by height, glissando; lights what sounds, wherever it was played."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QHideEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ddsp_studio.audio.telemetry import Telemetry
from ddsp_studio.processors.units import note_name
from ddsp_studio.ui import theme

LOWEST, HIGHEST = 21, 108
_BLACK = frozenset((1, 3, 6, 8, 10))
_BLACK_WIDTH, _BLACK_HEIGHT = 0.6, 0.62
_BLACK_SHIFT = {1: -0.1, 3: 0.1, 6: -0.14, 8: 0.0, 10: 0.14}
"""How far a black key stands from the middle of its gap, in white keys, as on a real keyboard."""
_SOFTEST = 16


def is_black(note: int) -> bool:
    """Whether a MIDI note is a black key."""
    return note % 12 in _BLACK


class Piano(QWidget):
    """Emits `pressed(note, velocity)` and `released(note)`; never leaves a key down."""

    pressed = Signal(int, int)
    released = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(52)
        self.setMouseTracking(True)
        self.setAccessibleName("Piano keyboard")
        self.setStatusTip("Press lower on a key to play louder; drag for a glissando.")
        self._sounding = bytes(128)
        self._held: int | None = None
        self._hovered: int | None = None
        self._octave: tuple[int, int] | None = None
        self._known: tuple[int, int] | None = None
        self._whites = [note for note in range(LOWEST, HIGHEST + 1) if not is_black(note)]

    # -- what it shows ------------------------------------------------------------------------------------------------

    def read(self, telemetry: Telemetry) -> None:
        """Light the keys that sound (the fast timer calls this)."""
        keys = telemetry.data["keys"].tobytes()
        if keys != self._sounding:
            changed = [note for note in range(LOWEST, HIGHEST + 1) if keys[note] != self._sounding[note]]
            self._sounding = keys
            self._update_keys(*changed)

    def _update_keys(self, *notes: int | None) -> None:
        for note in notes:
            if note is not None:
                self.update(self.key_rect(note).toAlignedRect())

    def show_computer_keys(self, lowest: int, highest: int) -> None:
        """Mark the notes that the computer's keys play."""
        self._octave = (lowest, highest)
        self.update()

    def show_known_range(self, known: tuple[int, int] | None) -> None:
        """Mark the notes that a model was trained on; None for no mark."""
        self._known = known
        self.update()

    # -- geometry -----------------------------------------------------------------------------------------------------

    def _white_width(self) -> float:
        return self.width() / len(self._whites)

    def key_rect(self, note: int) -> QRectF:
        """Where a key is, in widget coordinates."""
        width = self._white_width()
        if not is_black(note):
            return QRectF(self._whites.index(note) * width, 0, width, self.height())
        right = self._whites.index(note + 1) * width
        centre = right + _BLACK_SHIFT[note % 12] * width
        return QRectF(centre - width * _BLACK_WIDTH / 2, 0, width * _BLACK_WIDTH, self.height() * _BLACK_HEIGHT)

    def note_at(self, point: QPointF) -> int | None:
        """The key at a place; None outside."""
        if not QRectF(self.rect()).contains(point):
            return None
        white = self._whites[min(int(point.x() / self._white_width()), len(self._whites) - 1)]
        for note in (white - 1, white + 1):
            if LOWEST <= note <= HIGHEST and is_black(note) and self.key_rect(note).contains(point):
                return note
        return white

    def velocity_at(self, note: int, y: float) -> int:
        """Velocity by height: soft at the top of the key, 127 near its lower end."""
        share = y / (self.key_rect(note).height() * 0.92)
        return min(max(round(_SOFTEST + (127 - _SOFTEST) * share), 1), 127)

    # -- playing ------------------------------------------------------------------------------------------------------

    def _play(self, note: int | None, y: float) -> None:
        if note == self._held:
            return
        self.release()
        if note is not None:
            self._held = note
            self.pressed.emit(note, self.velocity_at(note, y))
            self._update_keys(note)

    def release(self) -> None:
        """Let go of the key that the pointer holds."""
        if self._held is not None:
            note, self._held = self._held, None
            self.released.emit(note)
            self._update_keys(note)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Press a key."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._play(self.note_at(event.position()), event.position().y())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Slide to the next key, or show the key under the pointer."""
        note = self.note_at(event.position())
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._play(note, event.position().y())
        if note != self._hovered:
            self._update_keys(note, self._hovered)
            self._hovered = note

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.release()

    def leaveEvent(self, event: object) -> None:
        """Forget the pointer."""
        self._update_keys(self._hovered)
        self._hovered = None

    def hideEvent(self, event: QHideEvent) -> None:
        """A hidden keyboard holds no key."""
        self.release()
        super().hideEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Nor does one that lost the focus."""
        self.release()
        super().focusOutEvent(event)

    # -- painting -----------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """White keys, black keys, names; only those that changed."""
        painter = QPainter(self)
        dirty = QRectF(event.rect())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), theme.colour("#0d0e11"))
        painter.setFont(theme.font(min(max(round(self._white_width() * 0.5), 8), 11)))
        for note in sorted(range(LOWEST, HIGHEST + 1), key=is_black):
            if self.key_rect(note).intersects(dirty):
                self._paint_key(painter, note)
        painter.end()

    def _paint_key(self, painter: QPainter, note: int) -> None:
        black, rect = is_black(note), self.key_rect(note)
        velocity = self._sounding[note] or (100 if note == self._held else 0)
        if velocity:
            fill = theme.colour(theme.ACCENT).darker(100 + round((127 - velocity) * 0.5))
        elif note == self._hovered:
            fill = theme.colour("#3b414b" if black else "#ffffff")
        else:
            fill = theme.colour("#22262c" if black else "#d5d8de" if self._reachable(note) else "#b9bdc5")
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawRoundedRect(rect.adjusted(0.5, -4, -0.5, -1), 3, 3)
        if black:
            painter.fillRect(rect.adjusted(2, 0, -2, -6), theme.colour("#ffffff", 0.05))
        elif note % 12 == 0 and self._white_width() >= 12:
            painter.setPen(theme.colour("#5a616c" if not velocity else "#10302d"))
            painter.drawText(rect.adjusted(0, 0, 0, -5), 0x44, note_name(note))
        if self._known and not self._known[0] <= note <= self._known[1]:
            painter.fillRect(rect.adjusted(0.5, 0, -0.5, 0), theme.colour(theme.CANVAS, 0.45))

    def _reachable(self, note: int) -> bool:
        return self._octave is not None and self._octave[0] <= note <= self._octave[1]

    def sizeHint(self) -> QSize:
        """A comfortable size."""
        return QSize(1000, 84)
