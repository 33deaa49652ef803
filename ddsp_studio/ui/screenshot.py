"""A picture of the window while it sounds, for computers without a display."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

from ddsp_studio.audio import protocol
from ddsp_studio.files import replacing
from ddsp_studio.ui.window import StudioWindow

_CHORD = (55, 62, 67, 71)
_SIZE = (1480, 940)
_PATIENCE_MS, _SOUNDING_MS, _STEP_MS = 120_000, 5_000, 400


class Screenshot(QObject):
    """Starts the engine on its silent clock, plays a chord key by key, saves the picture, and ends the application."""

    def __init__(self, window: StudioWindow, path: Path) -> None:
        super().__init__(window)
        self._window, self._path = window, path
        self._window.resize(*_SIZE)
        QTimer.singleShot(0, window, window.reset_layout)
        self._keys = list(_CHORD)
        self._step = QTimer(self, interval=_STEP_MS)
        self._step.timeout.connect(self._next_key)

    def start(self) -> None:
        """Begin; the application ends with status 0 if the picture shows sound, 1 if the engine never played."""
        settings = self._window.store.settings
        settings.audio = protocol.AudioSettings(device="none", midi_ports=[])
        self._window.link.patch_plays.connect(self._play)
        QTimer.singleShot(_PATIENCE_MS, self, lambda: self._finish(1))
        QTimer.singleShot(0, self._window, self._window.start_engine)

    def _play(self) -> None:
        if not self._step.isActive():
            self._step.start()
            QTimer.singleShot(_SOUNDING_MS, self, lambda: self._finish(0))

    def _next_key(self) -> None:
        if self._keys:
            self._window.link.note_on(self._keys.pop(0), 96)

    def _finish(self, status: int) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(self._path) as temporary:
            if not self._window.grab().save(str(temporary), "PNG"):
                raise OSError(f"{self._path} could not be written")
        self._window.document.undo_stack.setClean()
        self._window.close()
        QApplication.exit(status)
