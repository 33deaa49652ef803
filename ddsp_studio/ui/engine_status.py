"""What the engine says, put into words: the line at the bottom, and sentences when something is not as wished for."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QLabel, QWidget

from ddsp_studio.audio import protocol
from ddsp_studio.audio.client import Health
from ddsp_studio.ui import theme
from ddsp_studio.ui.engine_link import EngineLink
from ddsp_studio.ui.toasts import Toasts, Tone

_NAMED_ALREADY = ("", "preview", "song", "recording", "engine")
"""Whose sentences say themselves what they are about."""
_PATIENCE_MS = 150
"""What is compiled within this time is not spoken of."""
_HUES = {"running": theme.GOOD, "silent": theme.WARNING, "failed": theme.DANGER, "starting": theme.WARNING}


class StatusLine(QLabel):
    """A lamp and a few words; a click opens the audio settings."""

    clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip("Click for audio and MIDI settings")
        self.setAccessibleName("Sound engine")
        self.setContentsMargins(8, 0, 8, 0)
        self._compiling = ""
        self._patience = QTimer(self, interval=_PATIENCE_MS, singleShot=True)
        self._patience.timeout.connect(self._show)
        self.say("starting", "Starting sound…")

    def say(self, state: str, words: str) -> None:
        """Show a state of `_HUES` and words."""
        self._state, self.words = state, words
        self._show()

    def show_compiling(self, words: str) -> None:
        """Show what is being compiled, unless that is over at once; "" takes it away."""
        self._compiling = words
        if words:
            self._patience.start()
        else:
            self._show()

    def _show(self) -> None:
        meanwhile = ""
        if self._compiling and not self._patience.isActive() and self._state in ("running", "silent"):
            meanwhile = f'<span style="color:{theme.TEXT_FAINT}">{self._compiling}</span>&nbsp;&nbsp; '
        self.setText(f'{meanwhile}<span style="color:{_HUES[self._state]}">●</span>&nbsp; {self.words}')

    def minimumSizeHint(self) -> QSize:
        """Long words never widen the window."""
        return QSize(120, super().minimumSizeHint().height())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Open the settings."""
        self.clicked.emit()


class EngineStatus(QObject):
    """Listens to the link, and speaks through the status line and the toasts.

    Args:
        open_settings, open_report: what the buttons of a grave message do.
    """

    def __init__(
        self,
        link: EngineLink,
        line: StatusLine,
        toasts: Toasts,
        open_settings: Callable[[], object],
        open_report: Callable[[], object],
    ) -> None:
        super().__init__(line)
        self._link, self._line, self._toasts = link, line, toasts
        self._open_settings, self._open_report = open_settings, open_report
        self.devices = protocol.Devices(outputs=[], midi_inputs=[])
        self.status: protocol.Status | None = None
        self.playing_nodes: list[str] = []
        self._returning = False
        self._said = ""
        link.health_changed.connect(self._health)
        link.devices.connect(self._devices)
        link.status.connect(self._status)
        link.patch_plays.connect(self._plays)
        link.problem.connect(self._problem)

    def _health(self, health: Health, sentence: str) -> None:
        if health is Health.STARTING:
            self._line.say("starting", "Starting sound…")
        elif health is Health.RESTARTING:
            self._returning = True
            self.playing_nodes = []
            self._line.say("starting", "Sound stopped; restarting with the same patch…")
            self._toasts.show(sentence, Tone.WARNING)
        elif health is Health.FAILED:
            self._line.say("failed", "No sound engine; export works")
            choices = (("Report…", self._open_report), ("Try again", self._link.client.restart))
            self._toasts.show(sentence, Tone.ERROR, choices)

    def _devices(self, devices: protocol.Devices) -> None:
        self.devices = devices

    def _status(self, status: protocol.Status) -> None:
        self.status = status
        voices = f"{status.voices} voice{'' if status.voices == 1 else 's'}"
        rate = f"{status.sample_rate / 1000:g} kHz · {status.block} samples"
        if status.state == "running":
            words = f"{status.device or 'System default'} · {rate} · {status.latency_ms:.1f} ms · {voices}"
        elif status.state == "silent":
            words = f"No sound device; the clock runs silently · {rate}"
        elif status.state == "failed":
            words = status.message or "There is no sound"
        else:
            words = "Starting sound…"
        self._line.say(status.state if status.state in _HUES else "starting", words)
        if status.message and status.message != self._said:
            self._toasts.show(status.message, Tone.WARNING, (("Audio settings…", self._open_settings),))
        self._said = status.message

    def _plays(self, event: protocol.PatchPlays) -> None:
        self.playing_nodes = list(event.nodes)
        if self._returning:
            self._returning = False
            self._toasts.show("The sound is back.", Tone.GOOD)

    def _problem(self, problem: protocol.Problem) -> None:
        text = problem.text if problem.who in _NAMED_ALREADY else f"{problem.who}: {problem.text}"
        self._toasts.show(text, Tone.WARNING)
