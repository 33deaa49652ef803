"""Play, stop, record, loop and tempo as commands to the engine."""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from ddsp_studio.audio import protocol
from ddsp_studio.audio.client import Health
from ddsp_studio.ui import paths
from ddsp_studio.ui.actions import Actions, Spec
from ddsp_studio.ui.engine_link import EngineLink
from ddsp_studio.ui.toasts import Toasts, Tone
from ddsp_studio.ui.transport import TransportBar


class TransportControl(QObject):
    """Drives the engine's transport; what the bar shows comes from the engine's own reports."""

    _was_read = Signal(object, str, bool)
    """The path of a MIDI file, why it cannot be used ("" if it can), whether to play it."""

    def __init__(self, window: QWidget, actions: Actions, link: EngineLink, toasts: Toasts) -> None:
        super().__init__(window)
        self._window, self._link, self._toasts, self._actions = window, link, toasts, actions
        self.song: Path | None = None
        self.last_take: Path | None = None
        self._state: protocol.TransportState | None = None
        self._wanted: Path | None = None
        """The file that was chosen last, while it is being read."""
        self._was_read.connect(self._take)
        self._register()
        link.transport.connect(self._moved)
        link.recorded.connect(self._recorded)

    def _register(self) -> None:
        add = self._actions.add
        add(
            Spec("play.start", "&Play", "Ctrl+Space", "Play the MIDI file from where it stands", "play", checkable=True),
            self.play,
        )
        add(Spec("play.stop", "&Stop", "Ctrl+.", "Stop; a second time goes back to the start", "stop"), self.stop)
        add(Spec("play.rewind", "Go to s&tart", "Ctrl+Home", "Go back to the start of the MIDI file", "rewind"), self.rewind)
        tip = "Record what you play, as audio and as MIDI"
        add(Spec("play.record", "&Record", "Ctrl+R", tip, "record", checkable=True), self.record)
        add(Spec("play.loop", "&Loop", "Ctrl+L", "Repeat the MIDI file", "loop", checkable=True), self.loop)
        add(Spec("play.song", "Choose &MIDI file…", "Ctrl+Shift+O", "Put a MIDI file on the transport"), self.choose_song)

    # -- driving ------------------------------------------------------------------------------------------------------

    def _send(self, **fields: object) -> None:
        self._link.send(protocol.Transport(**fields))  # type: ignore[arg-type]

    def play(self, on: bool) -> None:
        """Play on, or pause."""
        if on and self.song is None:
            self._show_checked("play.start", False)
            self._toasts.show("There is no MIDI file to play yet; choose one in the browser or drop one on the window.")
            return
        self._send(playing=on)

    def stop(self) -> None:
        """Stop; go to the start if it stands already."""
        if self._state is not None and not self._state.playing:
            self.rewind()
        self._send(playing=False)
        if self._state is not None and self._state.recording:
            self._send(recording="")

    def rewind(self) -> None:
        """Go to the start."""
        self._send(position_s=0.0)

    def seek(self, seconds: float) -> None:
        """Go to a time of the song."""
        self._send(position_s=seconds)

    def loop(self, on: bool) -> None:
        """Repeat the song or not."""
        self._send(looping=on)

    def set_tempo(self, ratio: float) -> None:
        """Play at a ratio of the file's own tempo, 0.25 to 4."""
        self._send(tempo=ratio)

    def record(self, on: bool) -> None:
        """Begin or end a take in the folder of recordings."""
        if not on:
            self._send(recording="")
            return
        if self._link.health is not Health.RUNNING:
            self._show_checked("play.record", False)
            self._toasts.show("Nothing is recorded: the sound engine does not run.", Tone.WARNING)
            return
        folder = paths.recordings()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            self._show_checked("play.record", False)
            self._toasts.show(f"Nothing is recorded: {folder} cannot be made ({problem.strerror}).", Tone.ERROR)
            return
        self._send(recording=str(folder / time.strftime("take %Y-%m-%d %H.%M.%S")))

    def choose_song(self) -> None:
        """Ask for a MIDI file."""
        name, _ = QFileDialog.getOpenFileName(self._window, "MIDI file", "", "MIDI files (*.mid *.midi);;All files (*)")
        if name:
            self.load(Path(name))

    def load(self, path: Path, *, play: bool = False) -> None:
        """Put a MIDI file on the transport, and play it if asked to.

        The file is read through first, beside the window: one that is damaged is refused in one sentence, and the song before
        stays.
        """
        self._wanted = path
        threading.Thread(target=self._read, args=(path, play), name="song", daemon=True).start()

    def _read(self, path: Path, play: bool) -> None:
        problem = _problem_with(path)
        with contextlib.suppress(RuntimeError):  # the window may be gone by now
            self._was_read.emit(path, problem, play)

    def _take(self, path: Path, problem: str, play: bool) -> None:
        if path != self._wanted:
            return
        self._wanted = None
        if problem:
            self._toasts.show(f"{problem}; it was not loaded.", Tone.ERROR)
            return
        self.song = path
        self._link.send(protocol.Song(path=str(path)))
        self.set_tempo(1.0)
        if play:
            self._send(playing=True, position_s=0.0)

    # -- what the engine says -----------------------------------------------------------------------------------------

    def attach(self, bar: TransportBar) -> None:
        """Drive and feed a transport bar."""
        bar.tempo_changed.connect(self.set_tempo)
        bar.sought.connect(self.seek)
        self._link.transport.connect(bar.show_transport)

    def _moved(self, state: protocol.TransportState) -> None:
        self._state = state
        for name, on in (("start", state.playing), ("record", state.recording), ("loop", state.looping)):
            self._show_checked(f"play.{name}", on)

    def _show_checked(self, name: str, on: bool) -> None:
        action = self._actions[name]
        action.blockSignals(True)
        action.setChecked(on)
        action.blockSignals(False)
        action.changed.emit()

    def _recorded(self, take: protocol.Recorded) -> None:
        self.last_take = Path(take.take_path) if take.take_path else self.last_take
        name = Path(take.audio_path).name
        if take.cut_short:
            words = f"The sound engine ended while it recorded; {take.seconds:.1f} s were saved to {name}."
            self._toasts.show(words, Tone.WARNING)
        else:
            self._toasts.show(f"Recorded {take.seconds:.1f} s to {name}.", Tone.GOOD)


def _problem_with(path: Path) -> str:
    """Why a MIDI file cannot be played, in a sentence without its full stop; "" if it can."""
    from ddsp_studio.audio.midi_file import SongError, read_song  # takes a while to load

    try:
        read_song(path)
    except SongError as problem:
        return str(problem).rstrip(".")
    except OSError as problem:
        return f"{path.name} cannot be read: {problem.strerror or problem}".rstrip(".")
    return ""
