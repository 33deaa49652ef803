"""The docks that show the sound, and the two clocks that feed them: a fast one for pictures, a slow one for text."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QDockWidget, QHBoxLayout, QLabel, QMainWindow, QMenu, QToolButton, QVBoxLayout, QWidget

from ddsp_studio.audio.telemetry import Telemetry
from ddsp_studio.ui import theme
from ddsp_studio.ui.canvas.editor import PatchEditor
from ddsp_studio.ui.computer_keyboard import ComputerKeyboard
from ddsp_studio.ui.displays import colour_maps
from ddsp_studio.ui.displays.harmonics import Harmonics
from ddsp_studio.ui.displays.scope import SPANS_MS, Scope
from ddsp_studio.ui.displays.spectrogram import Spectrogram
from ddsp_studio.ui.engine_status import EngineStatus
from ddsp_studio.ui.panels import add_dock, small_button
from ddsp_studio.ui.piano import Piano
from ddsp_studio.ui.settings import Settings
from ddsp_studio.ui.transport import TransportBar

FRAME_MS, TEXT_MS = 16, 250
_BUSY, _RELAXED = 0.8, 0.6
"""DSP load above which the pictures slow down, and under which they run again."""
_WAITING_MS = 120
"""Time between pictures while the engine starts: it needs every core to load TensorFlow."""
_LEVELS_EVERY = 3
"""Frames between two levels of the nodes' thumbnails."""
_FLOORS_DB = (-60, -75, -90, -105, -120)
_BOTTOM = Qt.DockWidgetArea.BottomDockWidgetArea


class Displays:
    """Spectrogram, harmonics, scope and piano with their docks."""

    def __init__(self, window: QMainWindow, settings: Settings) -> None:
        self._settings = settings
        self.spectrogram, self.harmonics, self.scope, self.piano = Spectrogram(), Harmonics(), Scope(), Piano()
        self.spectrogram.set_colour_map(settings.colour_map or colour_maps.NAMES[0])
        self.spectrogram.set_floor(settings.floor_db)
        if settings.scope_ms in SPANS_MS:
            self.scope.set_span(settings.scope_ms)
        self.freeze = small_button("Freeze", "Freeze the spectrogram", checkable=True)
        self.freeze.toggled.connect(self.spectrogram.freeze)
        self.spectrogram.frozen_changed.connect(self.freeze.setChecked)
        look = small_button("Range and colour ▾", "Range and colours of the spectrogram")
        look.setMenu(self._look_menu(look))
        span = small_button("Time ▾", "Time span of the oscilloscope")
        span.setMenu(self._span_menu(span))
        self.docks: dict[str, QDockWidget] = {
            "spectrogram": add_dock(window, "spectrogram", "Spectrogram", self.spectrogram, _BOTTOM, (self.freeze, look)),
            "harmonics": add_dock(window, "harmonics", "Harmonics", self.harmonics, _BOTTOM),
            "scope": add_dock(window, "scope", "Scope", self.scope, _BOTTOM, (span,)),
        }

    def _look_menu(self, parent: QWidget) -> QMenu:
        menu = QMenu(parent)
        menu.addSection("Range")
        for floor in _FLOORS_DB:
            menu.addAction(f"{floor} dB").triggered.connect(lambda _=False, floor=floor: self.spectrogram.set_floor(floor))
        menu.addSection("Colours")
        for name in colour_maps.NAMES:
            menu.addAction(name).triggered.connect(lambda _=False, name=name: self.spectrogram.set_colour_map(name))
        return menu

    def _span_menu(self, parent: QWidget) -> QMenu:
        menu = QMenu(parent)
        for span in SPANS_MS:
            menu.addAction(f"{span} ms").triggered.connect(lambda _=False, span=span: self.scope.set_span(span))
        return menu

    def remember(self) -> None:
        """Put what the user chose into the settings."""
        self._settings.colour_map, self._settings.floor_db = self.spectrogram.colour_map, self.spectrogram.floor_db
        self._settings.scope_ms = self.scope.span_ms


class PianoPanel(QWidget):
    """The piano with the octave buttons at its left; never takes the focus from where one works."""

    def __init__(self, piano: Piano, keys: ComputerKeyboard, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._keys, self._piano = keys, piano
        self._octave = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self._octave.setFont(theme.font(10))
        self._octave.setProperty("faint", True)
        column = QVBoxLayout()
        column.setSpacing(2)
        column.addStretch(1)
        row = QHBoxLayout()
        row.setSpacing(2)
        row.addWidget(self._button("−", "Octave down (Z)", -1))
        row.addWidget(self._button("+", "Octave up (X)", 1))
        column.addLayout(row)
        column.addWidget(self._octave)
        column.addStretch(1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.setSpacing(8)
        layout.addLayout(column)
        layout.addWidget(piano, 1)
        keys.octave_changed.connect(self._show_octave)
        self._show_octave()

    def _button(self, text: str, tip: str, by: int) -> QToolButton:
        button = small_button(text, tip)
        button.setFixedWidth(24)
        button.clicked.connect(lambda: self._keys.shift(by))
        return button

    def _show_octave(self) -> None:
        self._octave.setText(f"C{self._keys.base // 12 - 1}")
        self._octave.setToolTip("The note of the computer's key A")
        self._piano.show_computer_keys(self._keys.base, self._keys.highest)


class LiveClock(QObject):
    """Reads the telemetry for everything that is visible. Stands still while the window is hidden."""

    def __init__(
        self,
        window: QMainWindow,
        telemetry: Telemetry,
        displays: Displays,
        bar: TransportBar,
        editor: PatchEditor,
        status: EngineStatus,
    ) -> None:
        super().__init__(window)
        self._window, self._telemetry, self._displays = window, telemetry, displays
        self._bar, self._editor, self._status = bar, editor, status
        self._pictures = (displays.spectrogram, displays.harmonics, displays.scope, displays.piano)
        self._timers = [
            QTimer(self, interval=FRAME_MS, timerType=Qt.TimerType.PreciseTimer),
            QTimer(self, interval=TEXT_MS),
        ]
        self._timers[0].timeout.connect(self.frame)
        self._timers[1].timeout.connect(self.text)
        self._frames = 0

    def start(self) -> None:
        """Begin."""
        for timer in self._timers:
            timer.start()

    def stop(self) -> None:
        """End; the telemetry may go."""
        for timer in self._timers:
            timer.stop()

    def frame(self) -> None:
        """Pictures."""
        if self._window.isMinimized() or not self._window.isVisible():
            return
        for picture in self._pictures:
            if picture.isVisible():
                picture.read(self._telemetry)
        self._bar.read_fast(self._telemetry)
        self._frames += 1
        if self._frames % _LEVELS_EVERY == 0 and self._editor.isVisible():
            levels = self._telemetry.data["node_levels"]
            self._editor.set_levels({name: float(levels[i]) for i, name in enumerate(self._status.playing_nodes[: len(levels)])})

    def text(self) -> None:
        """Numbers; and the pace of the pictures, which give way to a sound that is short of time or not up yet."""
        self._bar.read_slow(self._telemetry)
        load, pace = float(self._telemetry.data["load"]), self._timers[0].interval()
        if not self._status.playing_nodes:
            wanted = _WAITING_MS
        elif load > _BUSY or (pace != FRAME_MS and load > _RELAXED):
            wanted = 2 * FRAME_MS
        else:
            wanted = FRAME_MS
        if wanted != pace:
            self._timers[0].setInterval(wanted)
