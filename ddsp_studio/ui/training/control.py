"""Ties the training panel to the window: recordings, trainer, sounds to compare, the model into the editor, and the questions."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from ddsp_studio.audio import protocol as engine
from ddsp_studio.training import protocol
from ddsp_studio.training.data.audio_source import SUFFIXES
from ddsp_studio.ui import instruments, library
from ddsp_studio.ui.document import Document
from ddsp_studio.ui.engine_link import EngineLink
from ddsp_studio.ui.library import Kind
from ddsp_studio.ui.toasts import Toasts, Tone
from ddsp_studio.ui.training import folders, plan
from ddsp_studio.ui.training.folders import Training
from ddsp_studio.ui.training.link import TrainerLink
from ddsp_studio.ui.training.listening import Listening
from ddsp_studio.ui.training.panel import TrainingPanel
from ddsp_studio.ui.training.session import TrainingSession
from ddsp_studio.ui.training.story import Stage, span
from ddsp_studio.ui.training.transfer_dialog import TransferDialog

if TYPE_CHECKING:
    from ddsp_studio.ui.training.progress_page import ProgressPage

_Answer = QMessageBox.StandardButton
_FILTER = f"Sound files ({' '.join(f'*{suffix}' for suffix in SUFFIXES)})"
_CHOICES = f"{_FILTER};;Data sets (*.tfrecord *.tfrecord-* *.tar *.tar.gz *.tgz);;All files (*)"
_MOST_OFFERS = 3


@dataclass(frozen=True)
class Programs:
    """Command lines of the processes, for tests: "" or empty for the real ones."""

    trainer: Sequence[str] = ()
    listener: Sequence[str] = ()
    transfer: Sequence[str] = ()


class TrainingControl(QObject):
    """Owns the panel and the training of a window."""

    models_changed = Signal()
    """A model among the user's has come, gone, or got better."""
    played = Signal()
    """An instrument was put into the editor."""
    playing_changed = Signal(object)
    """The path of the training's model when the editor begins to play it, None when it ends."""
    shown = Signal()
    """The panel should be seen."""

    def __init__(
        self,
        window: QWidget,
        document: Document,
        link: EngineLink,
        toasts: Toasts,
        programs: Programs,
        may_replace: Callable[[], bool],
    ) -> None:
        """Make the panel; `may_replace` asks what becomes of unsaved changes before another patch takes their place."""
        super().__init__(window)
        self._may_replace = may_replace
        self._window, self._document, self._link, self._toasts, self._programs = window, document, link, toasts, programs
        self.panel = TrainingPanel()
        self.session = TrainingSession(TrainerLink(programs.trainer or None, self), self)
        self.listening = Listening(programs.listener or None, self)
        self._files: list[Path] = []
        self._playing: Path | None = None
        self._dialog: TransferDialog | None = None
        self._connect()

    def _connect(self) -> None:
        panel, session, listening, page = self.panel, self.session, self.listening, self.panel.material
        panel.files_wanted.connect(self.choose_files)
        panel.folder_wanted.connect(self.choose_folder)
        panel.progress_made.connect(self._connect_progress)
        page.train_wanted.connect(self.train)
        page.cancelled.connect(self.put_aside)
        listening.progressed.connect(page.progress)
        page.files_wanted.connect(self.choose_files)
        page.folder_wanted.connect(self.choose_folder)
        page.removed.connect(self._forget)
        page.files.hear_wanted.connect(lambda path: self.play_file(Path(path)))
        listening.heard.connect(page.add)
        listening.finished.connect(page.finish)
        listening.failed.connect(page.fail)
        listening.refused.connect(page.refuse)
        session.changed.connect(self._show_story)
        session.published.connect(self._published)
        session.ended.connect(self._ended)
        session.said.connect(lambda words: self._toasts.show(words, Tone.WARNING))
        self._document.structure_changed.connect(self._show_story)
        self._document.path_changed.connect(self._show_bases)
        self._document.structure_changed.connect(self._show_bases)
        self._link.preview_state.connect(self._follow_preview)
        self._show_bases()

    def _connect_progress(self, page: ProgressPage) -> None:
        page.pause_wanted.connect(self.session.pause)
        page.stop_wanted.connect(self.session.stop)
        page.discard_wanted.connect(self.discard)
        page.play_wanted.connect(self.play_model)
        page.resume_wanted.connect(self._resume_here)
        page.new_wanted.connect(self.show_material)
        page.compare.wanted.connect(self.hear)

    # -- recordings -----------------------------------------------------------------------------------------------------

    def choose_files(self) -> None:
        """Ask for recordings."""
        names, _ = QFileDialog.getOpenFileNames(self._window, "Recordings of one instrument", "", _CHOICES)
        if names:
            self.take([Path(name) for name in names])

    def choose_folder(self) -> None:
        """Ask for a folder of recordings."""
        name = QFileDialog.getExistingDirectory(self._window, "Folder of recordings, or of a data set")
        if name:
            self.take([Path(name)])

    def take(self, files: Sequence[Path]) -> None:
        """Listen to recordings and data sets, and show what is in them: beside those that are shown already, if any are."""
        page = self.panel.material
        if self._files and self.panel.currentWidget() is page:
            self._files = list(dict.fromkeys([*self._files, *files]))
            page.go_on(self._files)
            self.listening.add(list(dict.fromkeys(files)))
        else:
            self._files = list(dict.fromkeys(files))
            page.begin(self._files)
            self.panel.setCurrentWidget(page)
            self.listening.start(self._files)
        self.shown.emit()

    def _forget(self, removed: Sequence[str]) -> None:
        self._files = [path for path in self._files if str(path) not in removed]
        if not self.panel.material.heard and not self.listening.busy:
            self.put_aside()

    def put_aside(self) -> None:
        """Stop listening, and forget the recordings."""
        self.listening.cancel()
        self._files = []
        self.panel.setCurrentWidget(self.panel.progress if self.session.busy else self.panel.empty)

    def show_material(self) -> None:
        """Go back to the recordings."""
        self.panel.material.ready()
        self.panel.setCurrentWidget(self.panel.material if self._files else self.panel.empty)

    def _show_bases(self) -> None:
        self.panel.material.show_bases(self._document.title, plan.learns(self._document.patch))

    # -- training -------------------------------------------------------------------------------------------------------

    def train(self, chosen: plan.Plan) -> None:
        """Begin a training of the recordings."""
        if self.session.busy:
            self._toasts.show("A training goes on already; stop it first.", Tone.WARNING)
            self.panel.setCurrentWidget(self.panel.progress)
            return
        training = None
        try:
            training = folders.new(chosen.name)
            self._document.commit()
            self.session.begin(training, plan.order(chosen, self.panel.material.heard, self._document.patch, training.folder))
        except (OSError, ValueError) as problem:
            if training is not None:
                training.discard()
            self._toasts.show(f"The training was not begun: {_reason(problem)}.", Tone.ERROR)
            self.panel.material.ready()
            return
        folders.forget_old()
        self.panel.setCurrentWidget(self.panel.progress)

    def resume(self, training: Training) -> None:
        """Go on with a training that was interrupted."""
        if self.session.busy:
            self._toasts.show("Another training goes on; stop it first.", Tone.WARNING)
            return
        try:
            self.session.resume(training)
        except OSError as problem:
            self._toasts.show(f"The training cannot go on: {_reason(problem)}.", Tone.ERROR)
            return
        self.panel.setCurrentWidget(self.panel.progress)
        self.shown.emit()

    def _resume_here(self) -> None:
        if self.session.training is not None:
            self.resume(self.session.training)

    def discard(self) -> None:
        """Give up what was learned, if the user is sure."""
        points = self.session.story.points
        if points and not self._sure(f"Throw away what was learned in {span(points[-1].seconds)}?", "Discard"):
            return
        if points:
            self.panel.progress.compare.stop()
        self.session.discard()

    def _sure(self, question: str, verb: str) -> bool:
        box = QMessageBox(self._window)
        box.setWindowTitle("Training")
        box.setText(question)
        yes = box.addButton(verb, QMessageBox.ButtonRole.DestructiveRole)
        box.addButton(_Answer.Cancel)
        box.exec()
        return box.clickedButton() is yes

    def _show_story(self) -> None:
        training = self.session.training
        if training is not None:
            playing = instruments.plays(self._document.patch, training.model)
            self.panel.progress.show_story(training.name, self.session.story, playing=playing)
            self._follow_playing(training.model if playing else None)

    def _follow_playing(self, model: Path | None) -> None:
        if model != self._playing:
            self._playing = model
            self.playing_changed.emit(model)

    def _published(self, model: Path) -> None:
        self._link.send(engine.RefreshModel(path=str(model)))
        self.models_changed.emit()
        self._show_story()

    def _ended(self, event: protocol.Ended) -> None:
        training = self.session.training
        name = training.name if training is not None else "The instrument"
        self.models_changed.emit()
        if event.how == "failed":
            self._toasts.show(event.text or "The training failed.", Tone.ERROR)
            if not self.session.story.points:
                self.show_material()
        elif event.how == "discarded" or not self.session.story.points:
            self.show_material()
        else:
            self._toasts.show(f"“{name}” is among your models.", Tone.GOOD, (("Play it", self.play_model),))

    # -- playing --------------------------------------------------------------------------------------------------------

    def play_model(self) -> None:
        """Put the model of the training into the editor: an edit that can be undone, and that no file of the user holds yet."""
        training = self.session.training
        if training is None or not (training.model.is_file() or self._publish_now(training)):
            self._toasts.show("There is nothing to play before the first checkpoint.")
            return
        self._document.commit()
        try:
            patch = instruments.with_instrument(self._document.patch, training.model)
            kept = instruments.was_trained(self._document.patch, training.model)
        except (ValueError, OSError) as problem:
            self._toasts.show(f"The instrument cannot be played: {_reason(problem)}.", Tone.ERROR)
            return
        if (kept or self._may_replace()) and self._document.replace_document(patch, f"Play {training.name}"):
            self.played.emit()
        self._show_story()

    def _publish_now(self, training: Training) -> bool:
        try:
            return training.publish()
        except OSError:
            return False

    def hear(self, files: Sequence[str], track: int) -> None:
        """Let sound files be heard beside the patch, looping; none: silence."""
        self._link.send(engine.Preview(files=list(files), track=track))

    def play_file(self, path: Path) -> None:
        """Let a file be heard once."""
        self._link.send(engine.Preview(files=[str(path)], looping=False))
        self._toasts.show(f"Playing {path.name}.", Tone.INFO, (("Stop", lambda: self.hear([], 0)),))

    def compare(self) -> None:
        """From the recording to the instrument and back, at the same place."""
        if self.session.story.points:
            self.panel.progress.compare.toggle()
            self.shown.emit()

    def silence(self) -> None:
        """End what is heard beside the patch."""
        if self.session.training is not None:
            self.panel.progress.compare.stop()
        self.hear([], 0)

    def _follow_preview(self, state: engine.PreviewState) -> None:
        if self.session.training is not None:
            self.panel.progress.compare.follow(state)

    # -- transfer -------------------------------------------------------------------------------------------------------

    def choose_transfer(self) -> None:
        """Ask for a recording to transfer."""
        name, _ = QFileDialog.getOpenFileName(self._window, "Recording to transfer", "", f"{_FILTER};;All files (*)")
        if name:
            self.transfer(Path(name))

    def transfer(self, source: Path) -> None:
        """Let an instrument play a recording."""
        if self._dialog is not None:
            self._dialog.close()
        models = [entry for entry in library.entries() if entry.kind is Kind.MODEL and not entry.damaged]
        playing = instruments.models_of(self._document.patch)
        chosen = next((entry.path for entry in models if instruments.given_name(entry.path) in playing), None)
        dialog = TransferDialog(source, models, chosen, program=self._programs.transfer, parent=self._window)
        dialog.wanted.connect(self.hear)
        dialog.closed.connect(self._forget_dialog)
        self._dialog = dialog
        dialog.show()

    def _forget_dialog(self) -> None:
        if self._dialog is self.sender():
            self._dialog = None

    # -- beginning and end ------------------------------------------------------------------------------------------------

    def offer(self) -> None:
        """Offer to go on with trainings that an earlier studio left behind."""
        for training in folders.interrupted()[:_MOST_OFFERS]:
            if not training.has_checkpoint:
                training.discard()
                continue
            choices: tuple[tuple[str, Callable[[], object]], ...] = (
                ("Discard", training.discard),
                ("Keep", functools.partial(self._keep, training)),
                ("Go on", functools.partial(self.resume, training)),
            )
            words = f"The training of “{training.name}” was interrupted; it can go on from its last checkpoint."
            self._toasts.show(words, Tone.WARNING, choices)

    def _keep(self, training: Training) -> None:
        try:
            training.publish()
            training.mark(folders.ENDED)
        except OSError as problem:
            self._toasts.show(f"The model could not be written: {_reason(problem)}.", Tone.ERROR)
        self.models_changed.emit()

    def may_leave(self) -> bool:
        """Whether the studio may end: nothing is being trained, or the user decided."""
        if not self.session.busy or self.session.story.stage in (Stage.STOPPING, Stage.DISCARDING):
            return True
        training = self.session.training
        box = QMessageBox(self._window)
        box.setWindowTitle("A training goes on")
        box.setText(f"“{training.name if training else 'An instrument'}” is still being trained.")
        box.setInformativeText("It can go on from here when the studio is started again.")
        box.addButton("Quit, go on later", QMessageBox.ButtonRole.AcceptRole)
        discard = box.addButton("Quit and discard", QMessageBox.ButtonRole.DestructiveRole)
        stay = box.addButton(_Answer.Cancel)
        box.exec()
        if box.clickedButton() is stay or box.clickedButton() is None:
            return False
        if box.clickedButton() is discard:
            self.session.discard()
        return True

    def close(self) -> None:
        """End all processes in order; the trainer makes its last checkpoint first."""
        if self._dialog is not None:
            self._dialog.close()
        self.listening.close()
        self.session.leave()


def _reason(problem: Exception) -> str:
    words = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
    return words.rstrip(".")
