"""Export to an audio file: what is played, how it is written, progress, cancel."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QCloseEvent, QDesktopServices
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ddsp_studio.audio.midi_file import write_midi
from ddsp_studio.processors import patch_file
from ddsp_studio.processors.patch import Patch
from ddsp_studio.processors.units import hz_to_note, parse_quantity
from ddsp_studio.ui import paths
from ddsp_studio.ui.dialogs.audio_settings import RATES
from ddsp_studio.ui.render_job import RenderJob, scratch_folder
from ddsp_studio.ui.settings import ExportChoices, Settings

_FORMATS = {"wav": "WAV", "flac": "FLAC"}
_DEPTHS = {"16": "16 bit", "24": "24 bit", "32": "32 bit float"}
_SONG, _TAKE, _FILE, _NOTE, _FREE = "song", "take", "file", "note", "free"


class ExportDialog(QDialog):
    """Renders `patch` in a process of its own; the window stays free meanwhile.

    Args:
        patch: what is exported; later edits do not touch a running export.
        title: proposed file name.
        song, take: MIDI file on the transport, and the last recorded one, if there are such.
        settings: holds the last choices and the polyphony.
    """

    def __init__(
        self, patch: Patch, title: str, song: Path | None, take: Path | None, settings: Settings, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export audio")
        self.setMinimumWidth(500)
        self._patch, self._settings = patch, settings
        self._sources = {_SONG: song, _TAKE: take}
        self._job: RenderJob | None = None
        self._make_fields(settings.export, song, take)
        folder = Path(settings.export.folder or paths.recordings())
        self.target = QLineEdit(str(folder / f"{title or 'Untitled'}.{settings.export.format}"))
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addLayout(self._form())
        self.progress = QProgressBar(maximum=1000, value=0)
        self.progress.setVisible(False)
        self.message = QLabel(wordWrap=True)
        self.message.setMinimumHeight(32)
        self.message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout.addWidget(self.progress)
        layout.addWidget(self.message)
        layout.addLayout(self._buttons())
        self._show_source()
        self._show_level()

    # -- fields -------------------------------------------------------------------------------------------------------

    def _make_fields(self, choices: ExportChoices, song: Path | None, take: Path | None) -> None:
        self.source, self.container, self.bits, self.sample_rate = QComboBox(), QComboBox(), QComboBox(), QComboBox()
        if song is not None:
            self.source.addItem(f"MIDI file: {song.stem}", _SONG)
        if take is not None:
            self.source.addItem(f"Recorded take: {take.stem}", _TAKE)
        for words, key in (("Another MIDI file…", _FILE), ("A held note", _NOTE), ("The patch alone, unplayed", _FREE)):
            self.source.addItem(words, key)
        if song is None and take is None:
            self.source.setCurrentIndex(self.source.findData(_NOTE))
        self.source.activated.connect(self._show_source)
        self.note = QLineEdit("C4")
        self.note.setMaximumWidth(70)
        self.seconds = QDoubleSpinBox(minimum=0.1, maximum=3600.0, value=4.0, decimals=1, suffix=" s")
        for rate in RATES:
            self.sample_rate.addItem(f"{rate / 1000:g} kHz", rate)
        self.sample_rate.setCurrentIndex(max(self.sample_rate.findData(choices.sample_rate), 0))
        for combo, items, chosen in ((self.container, _FORMATS, choices.format), (self.bits, _DEPTHS, choices.bit_depth)):
            for key, words in items.items():
                combo.addItem(words, key)
            combo.setCurrentIndex(max(combo.findData(chosen), 0))
        self.container.activated.connect(self._format_chosen)
        self.bits.activated.connect(lambda _index: self._show_level())
        self.tail = QDoubleSpinBox(minimum=0.0, maximum=120.0, value=choices.tail_s, decimals=1, suffix=" s")
        self.tail.setToolTip("How long the file goes on after the last note, for reverb and release")
        self.mono = QCheckBox("Mono")
        self.mono.setChecked(choices.mono)
        self.level = QComboBox()
        for words, key in (("As played", "off"), ("Peak at full level", "peak"), ("Loudness", "lufs")):
            self.level.addItem(words, key)
        self.level.setCurrentIndex(self.level.findData("lufs" if choices.loudness else "peak" if choices.normalise else "off"))
        self.level.activated.connect(self._show_level)
        self.lufs = QDoubleSpinBox(minimum=-60.0, maximum=-3.0, value=choices.lufs, decimals=1, suffix=" LUFS")
        self.lufs.setToolTip("Integrated loudness (EBU R 128); peaks stay below full level, so a dense sound may end softer")
        self.dither = QCheckBox("Dither 16 bit")
        self.dither.setChecked(choices.dither)
        self.dither.setToolTip("Adds noise of one step, so that quiet sound fades smoothly instead of turning rough")

    def _form(self) -> QFormLayout:
        form = QFormLayout()
        form.setLabelAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        form.setHorizontalSpacing(12)
        form.setVerticalSpacing(8)
        choose = QPushButton("Choose…", autoDefault=False)
        choose.clicked.connect(self._choose_target)
        self._note_words = QLabel("note")
        form.addRow("Play", self.source)
        form.addRow("", _row(self._note_words, self.note, QLabel("for"), self.seconds, stretch=True))
        form.addRow("Tail", _row(self.tail, stretch=True))
        form.addRow("Format", _row(self.container, self.bits, self.sample_rate))
        form.addRow("", _row(self.mono, self.dither, stretch=True))
        form.addRow("Level", _row(self.level, self.lufs, stretch=True))
        form.addRow("File", _row(self.target, choose))
        return form

    def _buttons(self) -> QHBoxLayout:
        self.show_file = QPushButton("Show in folder", autoDefault=False)
        self.show_file.setVisible(False)
        self.show_file.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(self.target.text()).parent))))
        self.close_button = QPushButton("Close", autoDefault=False)
        self.close_button.clicked.connect(self.reject)
        self.export_button = QPushButton("Export", default=True)
        self.export_button.clicked.connect(self.export)
        row = QHBoxLayout()
        row.addWidget(self.show_file)
        row.addStretch(1)
        row.addWidget(self.close_button)
        row.addWidget(self.export_button)
        return row

    def _show_source(self) -> None:
        kind = self.source.currentData()
        for widget in (self.note, self._note_words):
            widget.setEnabled(kind == _NOTE)
        self.seconds.setEnabled(kind in (_NOTE, _FREE))
        if kind == _FILE:
            self._choose_song()

    def _show_level(self) -> None:
        self.lufs.setEnabled(self.level.currentData() == "lufs")
        self.dither.setEnabled(self.bits.currentData() == "16")

    def _choose_song(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "MIDI file", "", "MIDI files (*.mid *.midi);;All files (*)")
        if not name:
            self.source.setCurrentIndex(self.source.findData(_NOTE))
            self._show_source()
            return
        self._sources[_SONG] = Path(name)
        if self.source.findData(_SONG) >= 0:
            self.source.removeItem(self.source.findData(_SONG))
        self.source.insertItem(0, f"MIDI file: {Path(name).stem}", _SONG)
        self.source.setCurrentIndex(0)

    def _format_chosen(self) -> None:
        target = Path(self.target.text())
        self.target.setText(str(target.with_suffix(f".{self.container.currentData()}")))
        item = self.bits.model().index(self.bits.findData("32"), 0)
        flac = self.container.currentData() == "flac"
        self.bits.model().setData(item, 0 if flac else 33, Qt.ItemDataRole.UserRole - 1)
        if flac and self.bits.currentData() == "32":
            self.bits.setCurrentIndex(self.bits.findData("24"))
        self._show_level()

    def _choose_target(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Export to", self.target.text(), "Audio files (*.wav *.flac)")
        if name:
            suffix = Path(name).suffix.lower().lstrip(".")
            self.target.setText(name if suffix in _FORMATS else f"{name}.{self.container.currentData()}")
            if suffix in _FORMATS:
                self.container.setCurrentIndex(self.container.findData(suffix))

    # -- rendering ----------------------------------------------------------------------------------------------------

    def choices(self) -> ExportChoices:
        """What is chosen, to be remembered."""
        return ExportChoices(
            format=self.container.currentData(),
            bit_depth=self.bits.currentData(),
            sample_rate=self.sample_rate.currentData(),
            mono=self.mono.isChecked(),
            normalise=self.level.currentData() == "peak",
            loudness=self.level.currentData() == "lufs",
            lufs=self.lufs.value(),
            dither=self.dither.isChecked(),
            tail_s=self.tail.value(),
            folder=str(Path(self.target.text()).parent),
        )

    def arguments(self, scratch: Path) -> list[str]:
        """The renderer's arguments; its input files are written to `scratch`. ValueError or OSError in one sentence."""
        chosen, kind = self.choices(), self.source.currentData()
        patch = scratch / "patch.ddsp"
        patch_file.save(self._patch, patch)
        words = ["render", str(patch)]
        midi = self._sources.get(kind)
        if kind == _NOTE:
            midi = scratch / "note.mid"
            note = round(hz_to_note(parse_quantity(self.note.text(), "Hz")))
            write_midi(midi, [(0.0, bytes([0x90, note, 100])), (self.seconds.value(), bytes([0x80, note, 0]))])
        elif kind == _FREE:
            midi = scratch / "silence.mid"
            write_midi(midi, [(self.seconds.value(), bytes([0x80, 0, 0]))])
        if midi is not None:
            words.append(str(midi))
        words += ["-o", self.target.text(), "--sample-rate", str(chosen.sample_rate), "--bit-depth", chosen.bit_depth]
        words += ["--tail", f"{chosen.tail_s:g}", "--voices", str(self._settings.audio.voices), "--progress-json"]
        words += ["--normalise", "peak"] if chosen.normalise else []
        words += ["--normalise", "lufs", "--target", f"{chosen.lufs:g}"] if chosen.loudness else []
        words += [] if chosen.dither else ["--no-dither"]
        return words + (["--mono"] if chosen.mono else [])

    def export(self) -> None:
        """Start the renderer."""
        self._settings.export = self.choices()
        scratch = scratch_folder()
        try:
            Path(self.target.text()).parent.mkdir(parents=True, exist_ok=True)
            arguments = self.arguments(scratch)
        except (OSError, ValueError) as problem:
            reason = str(problem)
            if isinstance(problem, OSError) and problem.strerror:
                reason = f"{problem.strerror} ({problem.filename})"
            self._ended(f"Nothing was exported: {reason}.")
            return
        self._job = RenderJob(arguments, scratch=scratch, parent=self)
        self._job.progressed.connect(lambda share: self.progress.setValue(round(1000 * share)))
        self._job.finished.connect(lambda path: self._ended(f"Exported {Path(path).name}.", good=True))
        self._job.failed.connect(self._ended)
        self._job.cancelled.connect(lambda: self._ended("The export was cancelled; no file was written."))
        self.progress.setValue(0)
        self.progress.setVisible(True)
        self.message.setText("Rendering…")
        self.export_button.setEnabled(False)
        self.show_file.setVisible(False)
        self.close_button.setText("Cancel")
        self._job.start()

    def _ended(self, words: str, *, good: bool = False) -> None:
        self._job = None
        self.message.setText(words)
        self.progress.setVisible(good)
        self.export_button.setEnabled(True)
        self.show_file.setVisible(good)
        self.close_button.setText("Close")

    def reject(self) -> None:
        """Cancel a running export, or close."""
        if self._job is not None:
            self._job.cancel()
        else:
            super().reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        """The window's close button does the same."""
        if self._job is not None:
            self._job.cancel()
            event.ignore()
        else:
            super().closeEvent(event)


def _row(*widgets: QWidget, stretch: bool = False) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(8)
    for widget in widgets:
        row.addWidget(widget)
    if stretch:
        row.addStretch(1)
    return row
