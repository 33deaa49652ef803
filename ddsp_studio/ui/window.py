"""The studio's window: puts the parts together and owns what they share."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from PySide6.QtCore import QByteArray, QSize, Qt, QTimer, QUrl, Slot
from PySide6.QtGui import QCloseEvent, QDesktopServices, QGuiApplication, QShowEvent
from PySide6.QtWidgets import QApplication, QDialog, QMainWindow, QMessageBox, QToolBar, QWidget

from ddsp_studio import __version__
from ddsp_studio.audio import protocol
from ddsp_studio.processors import model_file, patch_file
from ddsp_studio.processors.nesting import absent
from ddsp_studio.ui import autosave, crash, drop_zones, instruments, menus, paths, theme
from ddsp_studio.ui.actions import Actions
from ddsp_studio.ui.browser import Browser
from ddsp_studio.ui.canvas.editor import PatchEditor
from ddsp_studio.ui.computer_keyboard import ComputerKeyboard
from ddsp_studio.ui.document import Document
from ddsp_studio.ui.engine_link import EngineLink, PatchSender
from ddsp_studio.ui.engine_status import EngineStatus, StatusLine
from ddsp_studio.ui.file_actions import FileActions
from ddsp_studio.ui.inspector.inspector import Inspector
from ddsp_studio.ui.library import Entry, Kind
from ddsp_studio.ui.live import Displays, LiveClock, PianoPanel
from ddsp_studio.ui.midi_learn import MidiLearn
from ddsp_studio.ui.panels import add_dock
from ddsp_studio.ui.settings import Store
from ddsp_studio.ui.toasts import Toasts, Tone
from ddsp_studio.ui.training.control import Programs, TrainingControl
from ddsp_studio.ui.transport import TransportBar
from ddsp_studio.ui.transport_control import TransportControl

_MOST_ABSENT = 3
"""Toasts about nodes that are not installed at once; the canvas marks all of them."""
_STATE_VERSION = 2
"""Raise when docks are added or renamed; older saved layouts are then ignored."""
_TRAINING_WIDTH = 420
_LEVEL_MS = 40
_ROOMY = QSize(1160, 760)
"""A smaller window begins with smaller panels."""
_LEAST_CANVAS = QSize(480, 200)


class StudioWindow(QMainWindow):
    """One window with one document and one engine. `start_engine` after it is shown."""

    def __init__(self, store: Store, *, engine: Sequence[str] | None = None, programs: Programs | None = None) -> None:
        """Build the window.

        Args:
            store: the settings.
            engine, programs: command lines of another engine and other helpers, for tests.
        """
        super().__init__()
        self.store = store
        self.crash_trace = ""
        self.failures: list[str] = []
        self.setObjectName("studio")
        self.document = Document(self)
        self.editor = PatchEditor(self.document)
        self.setCentralWidget(self.editor)
        self._opened: Entry | None = None
        self.toasts = Toasts(self.editor)
        self.link = EngineLink(paths.logs() / "engine.log", engine, self)
        self.patch_sender = PatchSender(self.document, self.link, self)
        self.midi_learn = MidiLearn(self.document, self.link, self.toasts, self)
        self.autosave = autosave.Autosave(self.document, paths.recovery(), self)
        self.files = FileActions(self, self.document, store, self.toasts)
        asks = self.files.may_leave
        self.training = TrainingControl(self, self.document, self.link, self.toasts, programs or Programs(), asks)
        self.actions_ = Actions(self)
        self.transport = TransportControl(self, self.actions_, self.link, self.toasts)
        self.keys = ComputerKeyboard(self._keys_play, self)
        self.keys.enabled = store.settings.computer_keyboard
        self._make_panels()
        menus.register(self)
        self._make_bar()
        self.drops = drop_zones.DropZones(self, lambda words: self.toasts.show(words, Tone.WARNING))
        self._make_drop_zones()
        self._connect()
        self._restore()
        self._show_title()

    # -- building -----------------------------------------------------------------------------------------------------

    def _make_panels(self) -> None:
        self.setDockNestingEnabled(True)
        self.setAnimated(False)
        self.browser = Browser()
        self.inspector = Inspector(self.document)
        self.displays = Displays(self, self.store.settings)
        self.docks = {
            "browser": add_dock(self, "browser", "Browser", self.browser, Qt.DockWidgetArea.LeftDockWidgetArea),
            "inspector": add_dock(self, "inspector", "Inspector", self.inspector, Qt.DockWidgetArea.RightDockWidgetArea),
            **self.displays.docks,
        }
        self.docks["training"] = add_dock(
            self, "training", "Training", self.training.panel, Qt.DockWidgetArea.RightDockWidgetArea
        )
        panel = PianoPanel(self.displays.piano, self.keys)
        self.docks["piano"] = add_dock(self, "piano", "Piano", panel, Qt.DockWidgetArea.BottomDockWidgetArea)
        self.docks["piano"].setTitleBarWidget(QWidget())
        self.status_line = StatusLine()
        self.statusBar().addPermanentWidget(self.status_line)
        self.statusBar().setSizeGripEnabled(False)
        self.engine_status = EngineStatus(self.link, self.status_line, self.toasts, self.open_audio_settings, self.copy_report)

    def _layout_docks(self) -> None:
        """The layout that a new user sees."""
        for corner in (Qt.Corner.BottomLeftCorner, Qt.Corner.BottomRightCorner):
            self.setCorner(corner, Qt.DockWidgetArea.BottomDockWidgetArea)
        horizontal, vertical = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        docks = self.docks
        for dock in docks.values():
            dock.setFloating(False)
            dock.show()
        self.tabifyDockWidget(docks["inspector"], docks["training"])
        docks["training"].hide()
        self.splitDockWidget(docks["spectrogram"], docks["piano"], vertical)
        self.splitDockWidget(docks["spectrogram"], docks["harmonics"], horizontal)
        self.splitDockWidget(docks["harmonics"], docks["scope"], horizontal)
        self._size_docks()

    def _size_docks(self) -> None:
        horizontal, vertical = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        docks, width, height = self.docks, self.width(), self.height()
        sides = [210, 280] if width >= _ROOMY.width() else [150, 216]
        low = height < _ROOMY.height()
        self.resizeDocks([docks["browser"], docks["inspector"]], sides, horizontal)
        self.resizeDocks(
            [docks["spectrogram"], docks["harmonics"], docks["scope"]], [int(width * s) for s in (0.46, 0.30, 0.24)], horizontal
        )
        self.resizeDocks(
            [docks["spectrogram"], docks["piano"]],
            [int(min(max(height * 0.21, 92 if low else 120), 260)), 64 if low else 88],
            vertical,
        )

    def _make_bar(self) -> None:
        self.bar = TransportBar(self.actions_)
        toolbar = QToolBar("Transport", movable=False, floatable=False)
        toolbar.setObjectName("transport")
        toolbar.addWidget(self.bar)
        toolbar.toggleViewAction().setVisible(False)
        toolbar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.addToolBar(toolbar)
        self.transport.attach(self.bar)
        self.bar.master.set_value(self.store.settings.audio.gain_db)
        self.bar.master_moved.connect(lambda level: self.link.send(protocol.Configure(settings=self._with_master(level))))
        self.bar.master_set.connect(lambda level: self.configure(self._with_master(level)))
        self.clock = LiveClock(self, self.link.telemetry, self.displays, self.bar, self.editor, self.engine_status)

    def _make_drop_zones(self) -> None:
        zone, first = drop_zones.Zone, self._first
        self.drops.add(zone("Open this patch", (patch_file.SUFFIX,), first(self.files.open)))
        play = zone("Play this instrument", (model_file.SUFFIX,), first(self.files.open))
        training, sound = self.training, drop_zones.AUDIO
        train = zone("Train on these", sound, training.take, "An instrument learns to sound like the recordings", folders=True)
        transfer = zone("Transfer this", sound, first(training.transfer), "A trained instrument plays the recording")
        hear = zone("Play this", sound, first(training.hearing.play_file), "The recording is heard as it is")
        for each in (play, train, transfer, hear):
            self.drops.add(each)
        self.drops.add(zone("Play this MIDI file", drop_zones.MIDI, first(lambda path: self.transport.load(path, play=True))))

    def _first(self, do: Callable[[Path], object]) -> Callable[[list[Path]], None]:
        """What takes one file at a time: the first, and says which are left out."""

        def take(given: list[Path]) -> None:
            do(given[0])
            if len(given) > 1:
                more = f" and {len(given) - 2} more were" if len(given) > 2 else " was"
                self.toasts.show(f"{given[1].name}{more} left out: only {given[0].name} was taken, one at a time.", Tone.WARNING)

        return take

    def _connect(self) -> None:
        for player in (self.displays.piano, self.keys):
            player.pressed.connect(self.link.note_on)
            player.released.connect(self.link.note_off)
        self.link.midi_received.connect(lambda _event: self.bar.midi_light.blink())
        self.editor.value_menu_opening.connect(self.midi_learn.fill_menu)
        self.inspector.value_menu_opening.connect(self.midi_learn.fill_menu)
        self.bar.counters_reset.connect(lambda: self.link.send(protocol.ResetCounters()))
        self.patch_sender.problem_found.connect(self._show_problem)
        self.patch_sender.all_well.connect(self.editor.clear_problems)
        self.patch_sender.compiling.connect(self.status_line.show_compiling)
        self.status_line.clicked.connect(self.open_audio_settings)
        self.browser.chosen.connect(self._open_entry)
        self.browser.group_wanted.connect(lambda entry: self.insert_group(entry.path))
        self.editor.group_save_requested.connect(self.files.save_group)
        self.document.opened.connect(self._tell_absent)
        self.files.entry_opened.connect(self._mark_opened)
        self.files.saved.connect(self.browser.refresh)
        self.link.recorded.connect(lambda _take: self.browser.refresh())
        self.document.dirty_changed.connect(lambda _dirty: self._show_title())
        self.document.changed.connect(self._show_title)
        self.document.path_changed.connect(self._show_title)
        self.document.structure_changed.connect(self._show_known_range)
        self.document.structure_changed.connect(self._mark_playing)
        self.document.path_changed.connect(self._mark_playing)
        self.training.models_changed.connect(self._show_known_range)
        self.training.models_changed.connect(self.browser.refresh)
        self.training.played.connect(self.editor.frame_all)
        self.training.shown.connect(self.show_training)
        self._show_known_range()

    # -- life ---------------------------------------------------------------------------------------------------------

    def start_engine(self) -> None:
        """Start the sound (once, after the window is shown)."""
        self.link.send(protocol.Configure(settings=self.store.settings.audio))
        self.link.send(protocol.Rescue(folder=str(paths.recordings())))
        self.patch_sender.send_patch()
        self.link.client.start()
        self.clock.start()

    def offer_recovery(self) -> None:
        """Offer what studios that did not end in order left behind, the newest first."""
        for item in autosave.find(paths.recovery())[:3]:
            name = item.path.stem if item.path else item.patch.name
            words = f"“{name}” was not saved when the studio last ended."
            choices = (("Discard", item.discard), ("Recover", lambda item=item: self.files.recover(item)))
            self.toasts.show(words, Tone.WARNING, choices)

    @Slot()
    def say_failures(self) -> None:
        """Show the sentences in `failures`, which any thread may have put there."""
        while self.failures:
            self.toasts.show(self.failures.pop(), Tone.ERROR, (("Open logs", self.open_logs), ("Copy report", self.copy_report)))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask before unsaved work is lost, then end everything in order."""
        self.document.commit()
        asks = self.document.dirty  # once: what becomes of a training is told beside it
        if not self.files.may_leave(self.training.left_behind()) or not (asks or self.training.may_leave()):
            event.ignore()
            return
        self.clock.stop()
        self.keys.release_all()
        self._remember()
        self.hide()
        self.autosave.close()
        self.link.close()
        self.training.close()
        super().closeEvent(event)

    def _remember(self) -> None:
        settings = self.store.settings
        settings.geometry = base64.b64encode(self.saveGeometry().data()).decode()
        settings.docks = base64.b64encode(self.saveState(_STATE_VERSION).data()).decode()
        settings.computer_keyboard = self.keys.enabled
        self.displays.remember()
        self.store.save()

    def _restore(self) -> None:
        settings = self.store.settings
        self._settled = False
        self.resize(self.sizeHint())
        self._layout_docks()
        if settings.geometry:
            self.restoreGeometry(QByteArray(base64.b64decode(settings.geometry)))
        self._fresh = not (settings.docks and self.restoreState(QByteArray(base64.b64decode(settings.docks)), _STATE_VERSION))

    def showEvent(self, event: QShowEvent) -> None:
        """Give the panels their sizes at first; Qt takes them only from a window that is shown."""
        super().showEvent(event)
        QTimer.singleShot(0, self, self._settle_docks)

    def _settle_docks(self) -> None:
        """Size the panels of a new user, and those that were left in a larger window and leave too little of the canvas now."""
        tight = self.editor.width() < _LEAST_CANVAS.width() or self.editor.height() < _LEAST_CANVAS.height()
        if self._fresh or (tight and not self._settled):
            self._size_docks()
        self._fresh, self._settled = False, True

    def reset_layout(self) -> None:
        """Put every panel back to where a new user sees it."""
        self._layout_docks()

    def sizeHint(self) -> QSize:
        """Most of the screen, up to a comfortable size."""
        screen = QGuiApplication.primaryScreen().availableSize()
        return QSize(min(1480, int(screen.width() * 0.95)), min(940, int(screen.height() * 0.93)))

    # -- showing ------------------------------------------------------------------------------------------------------

    def _show_title(self) -> None:
        self.setWindowTitle(f"{self.document.title}[*] — ddsp_studio")
        self.setWindowModified(self.document.dirty)
        tags = ", ".join(self.document.patch.tags) or f"{len(self.document.patch.nodes)} processors"
        self.bar.show_patch(f"{self.document.title}{' •' if self.document.dirty else ''}", tags)

    def _show_known_range(self) -> None:
        """Mark on the piano which notes the models of the patch know."""
        self.displays.piano.show_known_range(instruments.known_range(self.document.patch))

    def _mark_opened(self, entry: Entry | None) -> None:
        self._opened = entry
        self._mark_playing()

    def _mark_playing(self) -> None:
        """Mark in the browser what the editor plays: its file, else one of the user's instruments, else what was opened."""
        model = instruments.own_model(self.document.patch)
        playing = self.document.path or model or (self._opened.path if self._opened is not None else None)
        self.browser.show_current(playing)

    def show_training(self) -> None:
        """Show the training panel, wide enough to be read."""
        dock = self.docks["training"]
        hidden = not dock.isVisible()
        dock.show()
        dock.raise_()
        if hidden and not dock.isFloating():
            QTimer.singleShot(0, self, self._widen_training)

    def _widen_training(self) -> None:
        dock = self.docks["training"]
        self.resizeDocks([dock], [max(dock.width(), min(_TRAINING_WIDTH, self.width() // 3))], Qt.Orientation.Horizontal)

    def _show_problem(self, node: str, port: str, reason: str) -> None:
        self.editor.show_problem(node, port, reason)
        where = ".".join(filter(None, (node, port)))
        self.toasts.show(f"{where + ': ' if where else ''}{reason.rstrip('.')}. The last good patch plays on.", Tone.WARNING)

    def _tell_absent(self) -> None:
        """Say which nodes of a patch that was opened cannot be played here."""
        for name, reason in list(absent(self.document.patch).items())[:_MOST_ABSENT]:
            self.toasts.show(f"{name}: {reason}. The node is kept as it is, and audio passes it by.", Tone.WARNING)

    def insert_group(self, path: Path | None) -> None:
        """Add a patch file to the open patch as a group."""
        patch = self.files.read(path) if path is not None else None
        if patch is not None:
            self.editor.insert_group(patch)

    def _open_entry(self, entry: Entry) -> None:
        if entry.kind is Kind.MIDI:
            self.transport.load(entry.path, play=True)
        else:
            self.files.open(entry.path)

    def _keys_play(self) -> bool:
        active = QApplication.activeWindow()
        free = QApplication.activeModalWidget() is None and QApplication.activePopupWidget() is None
        return free and (
            active is self or (active is not None and active.parentWidget() is self and not isinstance(active, QDialog))
        )

    # -- dialogs ------------------------------------------------------------------------------------------------------

    def open_audio_settings(self) -> None:
        """Show the audio and MIDI settings."""
        from ddsp_studio.ui.dialogs.audio_settings import AudioSettingsDialog  # dialogs load when first asked for

        dialog = AudioSettingsDialog(self.store.settings.audio, self)
        dialog.show_devices(self.engine_status.devices)
        if self.engine_status.status is not None:
            dialog.show_status(self.engine_status.status)
        self.link.devices.connect(dialog.show_devices)
        self.link.status.connect(dialog.show_status)
        dialog.changed.connect(self.configure)
        dialog.test_tone.connect(lambda: self.link.send(protocol.TestTone()))
        dialog.rescan.connect(lambda: self.link.send(protocol.Rescan()))
        self.link.send(protocol.Rescan())
        levels = QTimer(dialog, interval=_LEVEL_MS)
        levels.timeout.connect(lambda: dialog.show_input_level(float(self.link.telemetry.data["input_peak"].max())))
        levels.start()
        dialog.exec()
        dialog.deleteLater()

    def configure(self, settings: protocol.AudioSettings) -> None:
        """Use and keep audio settings."""
        self.store.settings.audio = settings
        self.bar.master.set_value(settings.gain_db)
        self.store.save()
        self.link.send(protocol.Configure(settings=settings))

    def _with_master(self, level: float) -> protocol.AudioSettings:
        return msgspec.structs.replace(self.store.settings.audio, gain_db=level)

    def open_export(self) -> None:
        """Show the export dialog for the patch as it is now."""
        from ddsp_studio.ui.dialogs.export import ExportDialog

        self.document.commit()
        given = (self.document.title, self.transport.song, self.transport.last_take, self.store.settings)
        dialog = ExportDialog(self.document.patch, *given, self)
        dialog.exec()
        dialog.deleteLater()
        self.store.save()

    def open_logs(self) -> None:
        """Show the folder of the logs."""
        paths.logs().mkdir(parents=True, exist_ok=True)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(paths.logs())))
        self.toasts.show(f"The logs are in {paths.logs()}.")

    def copy_report(self) -> None:
        """Put a report for the developers on the clipboard."""
        QGuiApplication.clipboard().setText(crash.report(self.crash_trace, self.link.client.report()))
        self.toasts.show("A report is on the clipboard.", Tone.GOOD)

    def about(self) -> None:
        """Say what this is."""
        box = QMessageBox(self)
        box.setWindowTitle("About ddsp_studio")
        box.setTextFormat(Qt.TextFormat.RichText)
        box.setText(
            f"<h3>ddsp_studio {__version__}</h3><p>The patch that you draw is the instrument that you play.</p>"
            f"<p style='color:{theme.TEXT_SOFT}'>Apache-2.0. Built on TensorFlow, Qt for Python, PortAudio and RtMidi.</p>"
        )
        box.exec()

    def open_path(self, path: Path) -> bool:
        """Open a patch or a MIDI file by its kind."""
        if path.suffix.lower() in drop_zones.MIDI:
            self.transport.load(path)
            return True
        return self.files.open(path)
