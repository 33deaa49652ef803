"""Export to an audio file: what is played, how much of it, how it is written, progress, cancel."""

from __future__ import annotations

import shutil
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
    QMessageBox,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ddsp_studio.audio.midi_file import write_midi
from ddsp_studio.audio.take import SUFFIX as TAKE_SUFFIX
from ddsp_studio.processors import patch_file
from ddsp_studio.processors.patch import Patch
from ddsp_studio.processors.units import format_quantity, hz_to_note, note_name, note_to_hz, parse_quantity
from ddsp_studio.ui import paths
from ddsp_studio.ui.dialogs.audio_settings import RATES
from ddsp_studio.ui.render_job import RenderJob, scratch_folder
from ddsp_studio.ui.settings import ExportChoices, Settings

_FORMATS = {"wav": "WAV", "flac": "FLAC"}
_DEPTHS = {"16": "16 bit", "24": "24 bit", "32": "32 bit float"}
_SONG, _TAKE, _AGAIN, _FILE, _NOTE, _FREE = "song", "take", "again", "file", "note", "free"
_TITLES = {_SONG: "MIDI file: {}", _TAKE: "Recorded take: {}", _AGAIN: "The keys of {}, on the patch as it is now"}
_AS_RECORDED = 0
"""Stands for the sample rate of a take."""
_HIGHEST_NOTE = 127
_LONGEST_S = 86_400.0


class ExportDialog(QDialog):
    """Renders `patch` in a process of its own; the window stays free meanwhile.

    Args:
        patch: what is exported; later edits do not touch a running export.
        title: proposed file name.
        song, take: MIDI file on the transport, and the last recorded take, if there are such.
        settings: holds the last choices and the polyphony.
    """

    def __init__(
        self, patch: Patch, title: str, song: Path | None, take: Path | None, settings: Settings, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export audio")
        self.setMinimumWidth(500)
        self._patch, self._settings = patch, settings
        self._sources: dict[str, Path] = {}
        self._job: RenderJob | None = None
        self._folder = Path(settings.export.folder or paths.recordings())
        self._agreed: Path | None = None
        """An existing file that may be replaced: the file chooser has asked."""
        self._make_fields(settings.export)
        for played in filter(None, (song, take)):
            self._offer(played)
        self.target = QLineEdit(str(self._folder / f"{title or 'Untitled'}.{self.container.currentData()}"))
        self.target.editingFinished.connect(self._follow_target)
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
        self._show_format()

    # -- fields -------------------------------------------------------------------------------------------------------

    def _make_fields(self, choices: ExportChoices) -> None:
        self.source, self.container, self.bits, self.sample_rate = QComboBox(), QComboBox(), QComboBox(), QComboBox()
        for words, key in (("Another MIDI file or take…", _FILE), ("A held note", _NOTE), ("The patch alone, unplayed", _FREE)):
            self.source.addItem(words, key)
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
        self.range_start = QDoubleSpinBox(maximum=_LONGEST_S, suffix=" s")
        self.range_stop = QDoubleSpinBox(maximum=_LONGEST_S, suffix=" s")
        self.range_stop.setSpecialValueText("the end")
        self.range_start.setAccessibleName("Start of the range")
        self.range_stop.setAccessibleName("End of the range")
        self.range_stop.setToolTip("The file ends here, without a tail; turned down to nothing, with the sound")
        self.range_stop.valueChanged.connect(lambda seconds: self.tail.setEnabled(not seconds))
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
        form.addRow("Range", _row(self.range_start, QLabel("to"), self.range_stop, QLabel("tail"), self.tail, stretch=True))
        form.addRow("Format", _row(self.container, self.bits, self.sample_rate))
        form.addRow("", _row(self.mono, self.dither, stretch=True))
        form.addRow("Level", _row(self.level, self.lufs, stretch=True))
        form.addRow("File", _row(self.target, choose))
        return form

    def _buttons(self) -> QHBoxLayout:
        self.show_file = QPushButton("Show in folder", autoDefault=False)
        self.show_file.setVisible(False)
        self.show_file.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder))))
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
        self._show_rate(taken=kind in (_TAKE, _AGAIN))
        if kind == _FILE:
            self._choose_played()

    def _show_rate(self, *, taken: bool) -> None:
        """Offer the sample rate that a take was recorded at, first."""
        place = self.sample_rate.findData(_AS_RECORDED)
        if taken and place < 0:
            self.sample_rate.insertItem(0, "As recorded", _AS_RECORDED)
            self.sample_rate.setCurrentIndex(0)
        elif not taken and place >= 0:
            rate = self.choices().sample_rate
            self.sample_rate.removeItem(place)
            self.sample_rate.setCurrentIndex(max(self.sample_rate.findData(rate), 0))

    def _show_level(self) -> None:
        self.lufs.setEnabled(self.level.currentData() == "lufs")
        self.dither.setEnabled(self.bits.currentData() == "16")

    def _choose_played(self) -> None:
        kinds = f"MIDI files and takes (*.mid *.midi *{TAKE_SUFFIX});;All files (*)"
        name, _ = QFileDialog.getOpenFileName(self, "MIDI file or take", str(paths.recordings()), kinds)
        if name:
            self._offer(Path(name))
        else:
            self.source.setCurrentIndex(self.source.findData(_NOTE))
        self._show_source()

    def _offer(self, played: Path) -> None:
        """Put a MIDI file or a take first, and choose it."""
        kinds = (_AGAIN, _TAKE) if played.suffix == TAKE_SUFFIX else (_SONG,)
        for kind in kinds:
            if kind in self._sources:
                self.source.removeItem(self.source.findData(kind))
            self.source.insertItem(0, _TITLES[kind].format(played.stem), kind)
            self._sources[kind] = played
        self.source.setCurrentIndex(0)

    def _format_chosen(self) -> None:
        if self.target.text().strip():
            self.target.setText(_with_format(self.target.text(), self.container.currentData()))
        self._show_format()

    def _follow_target(self) -> None:
        """A format that is written into the name is the format."""
        place = self.container.findData(Path(self.target.text()).suffix.lower().lstrip("."))
        if place >= 0:
            self.container.setCurrentIndex(place)
        self._show_format()

    def _show_format(self) -> None:
        """FLAC holds no floating point."""
        item = self.bits.model().index(self.bits.findData("32"), 0)
        flac = self.container.currentData() == "flac"
        self.bits.model().setData(item, 0 if flac else 33, Qt.ItemDataRole.UserRole - 1)
        if flac and self.bits.currentData() == "32":
            self.bits.setCurrentIndex(self.bits.findData("24"))
        self._show_level()

    def _choose_target(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Export to", self.target.text(), "Audio files (*.wav *.flac)")
        if name:
            self.target.setText(name)
            self._follow_target()
            self._agreed = Path(name)

    def _file(self) -> Path:
        """The file to write; ValueError in one sentence if none is named."""
        text = self.target.text().strip()
        path = self._folder / Path(text).expanduser()
        if not text:
            raise ValueError("no file is named to write to")
        if text.endswith("/") or path.is_dir():
            raise ValueError(f"{text} is a folder; name a file in it")
        return (
            path if path.suffix.lower().lstrip(".") in _FORMATS else Path(_with_format(str(path), self.container.currentData()))
        )

    def _may_replace(self, path: Path) -> bool:
        """Ask before a file is lost, unless the file chooser did."""
        if path == self._agreed or not path.exists():
            return True
        box = QMessageBox(self)
        box.setWindowTitle("Replace the file?")
        box.setText(f"“{path.name}” is in {path.parent} already. Shall the export take its place?")
        box.setStandardButtons(QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.Cancel)
        box.button(QMessageBox.StandardButton.Yes).setText("Replace")
        box.setDefaultButton(QMessageBox.StandardButton.Cancel)
        return box.exec() == QMessageBox.StandardButton.Yes

    # -- rendering ----------------------------------------------------------------------------------------------------

    def choices(self) -> ExportChoices:
        """What is chosen, to be remembered."""
        return ExportChoices(
            format=self.container.currentData(),
            bit_depth=self.bits.currentData(),
            sample_rate=self.sample_rate.currentData() or self._settings.export.sample_rate,
            mono=self.mono.isChecked(),
            normalise=self.level.currentData() == "peak",
            loudness=self.level.currentData() == "lufs",
            lufs=self.lufs.value(),
            dither=self.dither.isChecked(),
            tail_s=self.tail.value(),
            folder=str(self._folder),
        )

    def arguments(self, scratch: Path) -> list[str]:
        """The renderer's arguments; its input files are written to `scratch`. ValueError or OSError in one sentence."""
        chosen, start, stop = self.choices(), self.range_start.value(), self.range_stop.value()
        if stop and stop <= start:
            raise ValueError(f"the range ends after it starts, got {start:g} s to {stop:g} s")
        words = ["render", *self._played(scratch), "-o", str(self._file()), "--bit-depth", chosen.bit_depth, "--progress-json"]
        if self.sample_rate.currentData() != _AS_RECORDED:
            words += ["--sample-rate", str(chosen.sample_rate)]
        words += ["--start", f"{start:g}"] if start else []
        words += ["--stop", f"{stop:g}"] if stop else ["--tail", f"{chosen.tail_s:g}"]
        words += ["--normalise", "peak"] if chosen.normalise else []
        words += ["--normalise", "lufs", "--target", f"{chosen.lufs:g}"] if chosen.loudness else []
        words += [] if chosen.dither else ["--no-dither"]
        return words + (["--mono"] if chosen.mono else [])

    def _played(self, scratch: Path) -> list[str]:
        """What is rendered: a take as it was heard, or the patch and what plays it; a take knows its voices and its mode."""
        kind = self.source.currentData()
        if kind == _TAKE:
            return [str(self._sources[kind])]
        patch, played = scratch / "patch.ddsp", self._sources.get(kind, scratch / "played.mid")
        patch_file.save(self._patch, patch)
        if kind == _AGAIN:
            return [str(patch), str(played)]
        if kind == _NOTE:
            note = _note(self.note.text())
            write_midi(played, [(0.0, bytes([0x90, note, 100])), (self.seconds.value(), bytes([0x80, note, 0]))])
        elif kind == _FREE:
            write_midi(played, [(self.seconds.value(), bytes([0x80, 0, 0]))])
        audio = self._settings.audio
        return [str(patch), str(played), "--voices", str(audio.voices), "--mode", audio.mode]

    def export(self) -> None:
        """Start the renderer."""
        scratch = scratch_folder(self)
        try:
            target = self._file()
            arguments = self.arguments(scratch)
            target.parent.mkdir(parents=True, exist_ok=True)
            go = self._may_replace(target)
        except (OSError, ValueError) as problem:
            reason = str(problem)
            if isinstance(problem, OSError) and problem.strerror:
                reason = f"{problem.strerror} ({problem.filename})"
            self._ended(f"Nothing was exported: {reason}.")
            go = False
        if not go:
            shutil.rmtree(scratch, ignore_errors=True)
            return
        self._agreed, self._folder = None, target.parent
        self.target.setText(str(target))
        self._settings.export = self.choices()
        self._run(RenderJob(arguments, scratch=scratch, parent=self))

    def _run(self, job: RenderJob) -> None:
        job.progressed.connect(self._progressed)
        job.finished.connect(lambda path: self._ended(f"Exported {Path(path).name}.", good=True))
        job.failed.connect(self._ended)
        job.cancelled.connect(lambda: self._ended("The export was cancelled; no file was written."))
        self._job = job
        self.progress.setMaximum(0)  # busy: nobody knows how long it takes to load and to compile
        self.progress.setVisible(True)
        self.message.setText("Preparing…")
        self.export_button.setEnabled(False)
        self.show_file.setVisible(False)
        self.close_button.setText("Cancel")
        job.start()

    def _progressed(self, share: float) -> None:
        self.progress.setMaximum(1000)
        self.progress.setValue(round(1000 * share))
        if self.close_button.isEnabled():
            self.message.setText("Rendering…")

    def _ended(self, words: str, *, good: bool = False) -> None:
        self._job = None
        self.message.setText(words)
        self.progress.setMaximum(1000)
        self.progress.setVisible(good)
        self.export_button.setEnabled(True)
        self.show_file.setVisible(good)
        self.close_button.setText("Close")
        self.close_button.setEnabled(True)

    def _cancel(self, job: RenderJob) -> None:
        """Ask the renderer to end; it removes what it has written so far."""
        self.message.setText("Cancelling…")
        self.close_button.setEnabled(False)
        job.cancel()

    def reject(self) -> None:
        """Cancel a running export, or close."""
        if self._job is not None:
            self._cancel(self._job)
        else:
            super().reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        """The window's close button does the same."""
        if self._job is not None:
            self._cancel(self._job)
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


def _with_format(name: str, container: str) -> str:
    """A file name with the suffix of a format, in place of another format's."""
    stem, _, suffix = name.rpartition(".")
    return f"{stem if stem and suffix.lower() in _FORMATS else name}.{container}"


def _note(text: str) -> int:
    """The MIDI number of a note that was typed as a name or in Hz; ValueError in one sentence if there is none."""
    try:
        number = round(hz_to_note(parse_quantity(text, "Hz")))
    except (ValueError, OverflowError):
        number = -1
    if 0 <= number <= _HIGHEST_NOTE:
        return number
    low, high = (f"{note_name(number)} ({format_quantity(note_to_hz(number), 'Hz')})" for number in (0, _HIGHEST_NOTE))
    raise ValueError(f"a note is {low} to {high}, got {text.strip()!r}")
