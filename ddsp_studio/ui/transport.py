"""The bar on top: transport, position, tempo, patch, MIDI light, master level, DSP load, dropouts, panic."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QDoubleSpinBox, QFrame, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from ddsp_studio.audio import protocol
from ddsp_studio.audio.telemetry import Telemetry
from ddsp_studio.processors.declare import Control
from ddsp_studio.ui import theme
from ddsp_studio.ui.actions import Actions
from ddsp_studio.ui.displays.level_meter import LevelMeter
from ddsp_studio.ui.displays.load_meter import Light, LoadMeter
from ddsp_studio.ui.song_position import SongPosition
from ddsp_studio.ui.widgets.number_field import NumberField

HEIGHT = 52
TRANSPORT = ("play.rewind", "play.start", "play.stop", "play.record", "play.loop")
MASTER = Control(unit="dB", low=-60.0, high=12.0, default=0.0, doc="Level of all that is heard, before the limit of full scale.")
_LOWEST_RATIO, _HIGHEST_RATIO = 0.25, 4.0
_FRAME_MS = 16
_PATCH_WIDTHS, _METER_WIDTHS, _PANIC_WIDTHS = (190, 120), (190, 118), (82, 36)
_STAGES = 6
"""In how many steps the bar gives up room: `TransportBar._arrange`."""


class TransportBar(QWidget):
    """Shows what the engine reports and starts the actions that drive it. In a narrow window it shows less."""

    tempo_changed = Signal(float)
    """Tempo as a ratio of the file's own."""
    sought = Signal(float)
    """Seconds from the start of the MIDI file that shall be gone to."""
    master_moved = Signal(float)
    """Master level in dB, at most once a frame while it is dragged."""
    master_set = Signal(float)
    """Master level in dB, once a gesture is over."""
    counters_reset = Signal()

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._state: protocol.TransportState | None = None
        self.meter = LevelMeter()
        self.midi_light = Light("MIDI")
        self.load = LoadMeter()
        self.load.clicked.connect(self.counters_reset)
        self.position = SongPosition()
        self.position.sought.connect(self.sought)
        self.tempo = _tempo_field()
        self.tempo.valueChanged.connect(self._tempo_typed)
        self.patch_name = _Readout("", "", _PATCH_WIDTHS[0])
        self._make_master()
        self._panic = _panic(actions["play.panic"])
        self._chooser = (_button(actions["file.previous"]), self.patch_name, _button(actions["file.next"]))
        self._light_line = _line()
        layout = self._row = QHBoxLayout(self)
        layout.setContentsMargins(10, 0, 10, 0)
        layout.setSpacing(6)
        _add(layout, [_button(actions[name]) for name in TRANSPORT])
        _add(layout, [self.position, self.tempo])
        layout.addStretch(1)
        _add(layout, self._chooser)
        layout.addStretch(1)
        _add(layout, [self._light_line, self.midi_light, self.master, self.meter, _line(), self.load, _line(), self._panic])
        self._widths = [self._arrange(stage) for stage in reversed(range(_STAGES))][::-1]

    def _make_master(self) -> None:
        self.master = NumberField("master", MASTER)
        self.master.setFixedWidth(112)
        frame = QTimer(self, interval=_FRAME_MS, singleShot=True)
        frame.timeout.connect(lambda: self.master_moved.emit(self.master.value))
        self.master.previewed.connect(lambda _value: frame.isActive() or frame.start())
        self.master.committed.connect(frame.stop)
        self.master.committed.connect(lambda: self.master_set.emit(self.master.value))

    # -- room ---------------------------------------------------------------------------------------------------------

    def _arrange(self, stage: int) -> int:
        """Give up parts, more with each stage, the dearest last; the width that is needed then."""
        self.patch_name.setFixedWidth(_PATCH_WIDTHS[stage >= 1])
        self.meter.setFixedWidth(_METER_WIDTHS[stage >= 2])
        icon, text = Qt.ToolButtonStyle.ToolButtonIconOnly, Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        self._panic.setToolButtonStyle(icon if stage >= 2 else text)
        self._panic.setFixedWidth(_PANIC_WIDTHS[stage >= 2])
        for part in self._chooser:
            part.setVisible(stage < 3)
        self._light_line.setVisible(stage < 4)
        self.midi_light.setVisible(stage < 4)
        self.tempo.setVisible(stage < 5)
        self._row.invalidate()
        return self._row.minimumSize().width()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show what there is room for."""
        super().resizeEvent(event)
        self._arrange(next((stage for stage, width in enumerate(self._widths) if width <= self.width()), _STAGES - 1))

    def sizeHint(self) -> QSize:
        """Room for everything."""
        return QSize(self._widths[0], HEIGHT)

    def minimumSizeHint(self) -> QSize:
        """Room for what nobody can do without."""
        return QSize(self._widths[-1], HEIGHT)

    # -- what it shows ------------------------------------------------------------------------------------------------

    def show_patch(self, title: str, detail: str) -> None:
        """Show what is open."""
        self.patch_name.show_text(title, detail)

    def show_transport(self, state: protocol.TransportState) -> None:
        """Show where the transport is."""
        self._state = state
        self.position.show_transport(state)
        self.tempo.setEnabled(True)
        if not self.tempo.hasFocus():
            self.tempo.blockSignals(True)
            self._set_range(self._file_bpm())
            self.tempo.setValue(self._file_bpm() * state.tempo)
            self.tempo.blockSignals(False)

    def _file_bpm(self) -> float:
        """The file's own tempo at the present place; `bpm` in the report is what is heard."""
        state = self._state
        return state.bpm / state.tempo if state and state.bpm > 0 and state.tempo > 0 else 120.0

    def _set_range(self, file_bpm: float) -> None:
        self.tempo.setRange(file_bpm * _LOWEST_RATIO, file_bpm * _HIGHEST_RATIO)

    def _tempo_typed(self, bpm: float) -> None:
        self.tempo_changed.emit(min(max(bpm / self._file_bpm(), _LOWEST_RATIO), _HIGHEST_RATIO))

    def read_fast(self, telemetry: Telemetry) -> None:
        """Meters and lights (60 times a second)."""
        self.meter.read(telemetry)
        self.midi_light.fade()

    def read_slow(self, telemetry: Telemetry) -> None:
        """Numbers (4 times a second, so that they can be read)."""
        self.load.read(telemetry)


class _Readout(QWidget):
    """A line of text over a smaller, fainter one; both are cut to the width."""

    def __init__(self, text: str, below: str, width: int) -> None:
        super().__init__()
        self.setFixedWidth(width)
        self._upper, self._lower = QLabel(), QLabel()
        self._upper.setFont(theme.font(14, bold=True))
        self._lower.setFont(theme.font(10))
        self._lower.setProperty("faint", True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addStretch(1)
        _add_labels(layout, (self._upper, self._lower))
        layout.addStretch(1)
        self.show_text(text, below)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Cut anew."""
        super().resizeEvent(event)
        self.show_text(*self._words)

    def show_text(self, text: str, below: str) -> None:
        """Show two lines."""
        self._words = (text, below)
        for label, words in ((self._upper, text), (self._lower, below)):
            cut = label.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, self.width())
            if label.text() != cut:
                label.setText(cut)
                label.setToolTip(words if cut != words else "")


def _add_labels(layout: QVBoxLayout, labels: Sequence[QLabel]) -> None:
    for label in labels:
        label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout.addWidget(label)


def _add(layout: QHBoxLayout, widgets: Sequence[QWidget]) -> None:
    for widget in widgets:
        layout.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)


def _button(action: QAction) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(action)
    button.setIconSize(QSize(18, 18))
    button.setFixedSize(32, 32)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setAccessibleName(action.text().replace("&", ""))
    return button


def _panic(action: QAction) -> QToolButton:
    button = _button(action)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    button.setFixedSize(82, 32)
    return button


def _line() -> QFrame:
    line = QFrame()
    line.setFixedSize(1, 28)
    line.setStyleSheet(f"background: {theme.BORDER};")
    return line


def _tempo_field() -> QDoubleSpinBox:
    field = QDoubleSpinBox()
    field.setDecimals(1)
    field.setRange(30.0, 480.0)
    field.setValue(120.0)
    field.setSuffix(" bpm")
    field.setFixedWidth(96)
    field.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
    field.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
    field.setAlignment(Qt.AlignmentFlag.AlignCenter)
    field.setAccessibleName("Tempo")
    field.setToolTip("Tempo in beats a minute: the MIDI file's, and that of all that follows the beat; up to four times its own")
    field.setKeyboardTracking(False)
    field.setEnabled(False)
    field.editingFinished.connect(field.clearFocus)
    return field
