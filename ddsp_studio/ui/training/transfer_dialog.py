"""Timbre transfer: a recording is played by an instrument. It is made in a process of its own, then heard, compared and saved."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ddsp_studio.files import replacing
from ddsp_studio.ui import icons, paths, questions
from ddsp_studio.ui.library import Entry
from ddsp_studio.ui.render_job import RenderJob, scratch_folder

_FITTED = "fit"
_OCTAVES = {_FITTED: "Fitted to the instrument", "0": "As recorded", "-1": "An octave lower", "1": "An octave higher"}


class TransferDialog(QDialog):
    """Not modal: one goes on working while it runs. `wanted(files, track)` asks to hear the recording (0) or the result (1)."""

    wanted = Signal(list, int)
    closed = Signal()

    def __init__(
        self,
        source: Path,
        models: Sequence[Entry],
        chosen: Path | None,
        *,
        program: Sequence[str] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Transfer a recording")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(480)
        self._source, self._program = source, program
        self._folder = scratch_folder(self)
        self._job: RenderJob | None = None
        self._result: Path | None = None
        self._saved = source
        self._closing = False
        self._make_fields(models, chosen)
        layout = QVBoxLayout(self)
        layout.setSpacing(10)
        layout.addLayout(self._form())
        layout.addWidget(self.progress)
        layout.addWidget(self.message)
        layout.addLayout(self._result_row())
        layout.addLayout(self._button_row())
        self._show_state()

    def _make_fields(self, models: Sequence[Entry], chosen: Path | None) -> None:
        self.model, self.octaves = QComboBox(), QComboBox()
        for entry in models:
            self.model.addItem(entry.title, str(entry.path))
        self.model.setCurrentIndex(max(0, self.model.findData(str(chosen)) if chosen else 0))
        for key, words in _OCTAVES.items():
            self.octaves.addItem(words, key)
        self.progress = QProgressBar(maximum=1000, textVisible=False)
        self.message = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.message.setMinimumHeight(32)
        if not models:
            self.message.setText("There is no instrument yet: train one on recordings first.")

    def _form(self) -> QFormLayout:
        form = QFormLayout()
        form.setHorizontalSpacing(12)
        form.addRow("Recording", QLabel(self._source.name))
        form.addRow("Played by", self.model)
        form.addRow("Pitch", self.octaves)
        return form

    def _result_row(self) -> QHBoxLayout:
        self.hear = tuple(QPushButton(icons.icon("play"), words) for words in ("Recording", "Result"))
        self.stop = QPushButton(icons.icon("stop"), "")
        self.stop.setAccessibleName("Stop listening")
        self.save = QPushButton("Save…")
        self.show_file = QPushButton("Show in folder")
        for track, button in enumerate(self.hear):
            button.clicked.connect(lambda _=False, track=track: self.wanted.emit([str(self._source), str(self._result)], track))
        self.stop.clicked.connect(lambda: self.wanted.emit([], 0))
        self.save.clicked.connect(self._ask_save)
        self.show_file.clicked.connect(self._show_folder)
        row = QHBoxLayout()
        for button in (*self.hear, self.stop):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.save)
        return row

    def _button_row(self) -> QHBoxLayout:
        self.cancel = QPushButton("Close")
        self.cancel.clicked.connect(self._cancel)
        self.start = QPushButton("Transfer", default=True)
        self.start.clicked.connect(self.transfer)
        row = QHBoxLayout()
        row.addWidget(self.show_file)
        row.addStretch(1)
        row.addWidget(self.cancel)
        row.addWidget(self.start)
        return row

    def _show_state(self) -> None:
        busy = self._job is not None
        for widget in (self.model, self.octaves):
            widget.setEnabled(not busy)
        self.start.setEnabled(not busy and self.model.count() > 0)
        self.progress.setVisible(busy)
        for button in (*self.hear, self.stop, self.save):
            button.setVisible(self._result is not None and not busy)
        self.show_file.setVisible(False)
        self.cancel.setText("Cancel" if busy else "Close")

    # -- making it ------------------------------------------------------------------------------------------------------

    def transfer(self) -> None:
        """Begin; what is heard of an earlier result ends."""
        if self._result is not None:
            self.wanted.emit([], 0)
        result = self._folder / f"{self._source.stem} on {self.model.currentText().replace('/', '-')}.wav"
        arguments = ["transfer", str(self._source), "--model", str(self.model.currentData()), "--output", str(result), "--json"]
        if self.octaves.currentData() != _FITTED:
            arguments += ["--octaves", str(self.octaves.currentData())]
        job = RenderJob(arguments, program=self._program, parent=self)
        job.progressed.connect(self._progressed)
        job.finished.connect(self._finished)
        job.failed.connect(self._over)
        job.cancelled.connect(self._cancelled)
        self._job = job
        self.progress.setMaximum(0)
        self.message.setText("Listening to the recording…")
        self._show_state()
        self.cancel.setFocus()
        job.start()

    def _progressed(self, share: float) -> None:
        self.progress.setMaximum(1000)
        self.progress.setValue(round(1000 * share))
        self.message.setText("The instrument plays…")

    def _finished(self, file: str) -> None:
        self._result = Path(file)
        told = f"Done: {self._job.told}. " if self._job is not None and self._job.told else "Done. "
        self._over(f"{told}Compare it with the recording, and save it.")
        if not self._closing:
            self.hear[1].setFocus()
            self.wanted.emit([str(self._source), file], 1)

    def _cancelled(self) -> None:
        self._over("Cancelled.")

    def _over(self, words: str) -> None:
        job, self._job = self._job, None
        if job is not None:
            job.deleteLater()
        self.message.setText(words)
        self._show_state()
        if self._closing:
            self.close()

    def _cancel(self) -> None:
        if self._job is not None:
            self.message.setText("Cancelling…")
            self._job.cancel()
        else:
            self.close()

    # -- the result -----------------------------------------------------------------------------------------------------

    def _ask_save(self) -> None:
        if self._result is None:
            return
        start = paths.recordings() / self._result.name
        start.parent.mkdir(parents=True, exist_ok=True)
        name, _ = QFileDialog.getSaveFileName(self, "Save the result as", str(start), "WAV (*.wav)")
        if not name:
            return
        path = _wav(Path(name))
        unasked = path != Path(name) and path.exists()  # the dialog has asked about another name
        question = f"{path.name} is there already. Replace it?"
        if not unasked or questions.ask(self, "Save the result", question, lose="Replace"):
            self.save_to(path)

    def save_to(self, path: Path) -> None:
        """Write the result to a file."""
        if self._result is None:
            return
        path = _wav(path)
        try:
            with replacing(path) as temporary:
                shutil.copyfile(self._result, temporary)
        except OSError as problem:
            self.message.setText(f"{path.name} was not saved: {problem.strerror or problem}.")
            return
        self.message.setText(f"Saved {path}.")
        self._saved = path
        self.show_file.setVisible(True)

    def _show_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._saved.parent)))

    def reject(self) -> None:
        """However it is closed: end what runs, be silent, and leave nothing behind."""
        if self._job is not None:
            self._closing = True
            self._cancel()
            return
        if self._result is not None:
            self.wanted.emit([], 0)
        shutil.rmtree(self._folder, ignore_errors=True)
        self.closed.emit()
        super().reject()


def _wav(path: Path) -> Path:
    return path if path.suffix.lower() == ".wav" else path.with_name(f"{path.name}.wav")
