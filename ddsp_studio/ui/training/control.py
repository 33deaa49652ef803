"""Ties the training panel to the window: recordings, trainer, sounds to compare, the model into the editor, and the questions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from ddsp_studio.audio import protocol as engine
from ddsp_studio.training import protocol
from ddsp_studio.training.client import CLOSE_S
from ddsp_studio.training.data.audio_source import SUFFIXES
from ddsp_studio.ui import instruments, library, questions
from ddsp_studio.ui.document import Document
from ddsp_studio.ui.engine_link import EngineLink
from ddsp_studio.ui.library import Kind
from ddsp_studio.ui.toasts import Choice, Toasts, Tone
from ddsp_studio.ui.training import folders, plan
from ddsp_studio.ui.training.folders import Training
from ddsp_studio.ui.training.hearing import Hearing
from ddsp_studio.ui.training.link import TrainerLink
from ddsp_studio.ui.training.listening import Listening
from ddsp_studio.ui.training.offers import Offers
from ddsp_studio.ui.training.panel import TrainingPanel
from ddsp_studio.ui.training.session import TrainingSession
from ddsp_studio.ui.training.story import Stage, span
from ddsp_studio.ui.training.transfer_dialog import TransferDialog

if TYPE_CHECKING:
    from ddsp_studio.ui.training.progress_page import ProgressPage

_NOTHING_YET = "There is nothing to play before the first checkpoint."
_FILTER = f"Sound files ({' '.join(f'*{suffix}' for suffix in SUFFIXES)})"
_CHOICES = f"{_FILTER};;Data sets (*.tfrecord *.tfrecord-* *.tar *.tar.gz *.tgz);;All files (*)"


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
        self.hearing = Hearing(link, toasts, self)
        shown = lambda: self.session.training  # noqa: E731
        self.offers = Offers(self.panel.waiting, toasts, shown, self.resume, self._may_throw_away, self)
        self._files: list[Path] = []
        self._news = ""
        """What was said of the training that ended last."""
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
        page.files.hear_wanted.connect(lambda path: self.hearing.play_file(Path(path)))
        listening.heard.connect(page.add)
        listening.finished.connect(self._listened)
        listening.failed.connect(page.fail)
        listening.refused.connect(page.refuse)
        session.changed.connect(self._show_story)
        session.published.connect(self._published)
        session.ended.connect(self._ended)
        session.said.connect(lambda words: self._toasts.show(words, Tone.WARNING))
        self._document.structure_changed.connect(self._show_story)
        self._document.path_changed.connect(self._show_bases)
        self._document.structure_changed.connect(self._show_bases)
        panel.back_wanted.connect(self.show_training)
        panel.currentChanged.connect(lambda _index: self._show_page())
        self.offers.models_changed.connect(self.models_changed)
        self._show_bases()

    def _connect_progress(self, page: ProgressPage) -> None:
        page.pause_wanted.connect(self.session.pause)
        page.stop_wanted.connect(self.session.stop)
        page.discard_wanted.connect(self.discard)
        page.play_wanted.connect(self.play_model)
        page.resume_wanted.connect(lambda: self._resume_here())
        page.more_wanted.connect(lambda: self._resume_here(plan.MINUTES))
        page.new_wanted.connect(self.show_material)
        page.compare.wanted.connect(self.hearing.hear)
        self.hearing.lost.connect(page.compare.lost)
        self._link.preview_state.connect(page.compare.follow)

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

    def _listened(self) -> None:
        """Say which folders gave nothing, and judge the rest."""
        page = self.panel.material
        heard = [Path(each.path) for each in page.heard]
        for folder in (path for path in self._files if path.is_dir()):
            if not any(path.is_relative_to(folder) for path in heard):
                page.refuse(f"{folder.name}: there are no recordings in it")
        page.finish()

    def _forget(self, removed: Sequence[str]) -> None:
        self._files = [path for path in self._files if str(path) not in removed]
        if not self.panel.material.heard and not self.listening.busy:
            self.put_aside()

    def put_aside(self) -> None:
        """Stop listening, and forget the recordings."""
        self.listening.cancel()
        self._files = []
        self.panel.setCurrentWidget(self.panel.progress if self._goes_on else self.panel.empty)

    def show_material(self) -> None:
        """Go back to the recordings."""
        self._end_compare()
        self.panel.material.ready()
        self.panel.setCurrentWidget(self.panel.material if self._files else self.panel.empty)

    def show_training(self) -> None:
        """Go back to the training."""
        if self.session.training is not None:
            self.panel.setCurrentWidget(self.panel.progress)

    @property
    def _goes_on(self) -> bool:
        """Whether the training goes on, or can."""
        return self.session.training is not None and self.session.story.ended is None

    def _show_ways(self) -> None:
        """Offer the way back to the training, and those that wait, on the pages beside it."""
        training, ended = self.session.training, self.session.story.ended
        there = self._goes_on or (ended is not None and ended.how != "discarded" and bool(self.session.story.points))
        self.panel.show_training(training.name if training is not None and there else "")

    def _show_page(self) -> None:
        self._show_ways()
        if self.panel.currentWidget() is self.panel.empty:
            self.offers.list_all()

    def _show_bases(self) -> None:
        self.panel.material.show_bases(self._document.title, plan.learns(self._document.patch))

    # -- training -------------------------------------------------------------------------------------------------------

    def train(self, chosen: plan.Plan) -> None:
        """Begin a training of the recordings."""
        if self.session.busy:
            self._toasts.show("A training goes on already; stop it first.", Tone.WARNING)
            self.panel.material.ready()
            self.panel.setCurrentWidget(self.panel.progress)
            return
        self._end_compare()
        training = None
        try:
            training = folders.new(chosen.name)
            chosen = replace(chosen, name=training.name)
            self._document.commit()
            self.session.begin(training, plan.order(chosen, self.panel.material.heard, self._document.patch, training.folder))
        except (OSError, ValueError) as problem:
            if training is not None:
                training.discard()
            self._toasts.show(f"The training was not begun: {_reason(problem)}.", Tone.ERROR)
            self.panel.material.ready()
            return
        folders.forget_old()
        self._toasts.withdraw(self._news)
        self.panel.setCurrentWidget(self.panel.progress)

    def resume(self, training: Training, more_minutes: float = 0.0) -> bool:
        """Go on with a training that was interrupted, or for longer; whether it does."""
        if self.session.busy:
            self._toasts.show("Another training goes on; stop it first.", Tone.WARNING)
            return False
        self._end_compare()
        try:
            self.session.resume(training, more_minutes)
        except OSError as problem:
            self._toasts.show(f"The training cannot go on: {_reason(problem)}.", Tone.ERROR)
            return False
        self._toasts.withdraw(self._news)
        self.panel.setCurrentWidget(self.panel.progress)
        self.shown.emit()
        return True

    def _resume_here(self, more_minutes: float = 0.0) -> None:
        if self.session.training is not None:
            self.resume(self.session.training, more_minutes)

    def discard(self) -> None:
        """Give up what was learned, if the user is sure."""
        points, training = self.session.story.points, self.session.training
        words = f"Throw away what was learned in {span(points[-1].seconds)}?" if points else ""
        if training is not None and points and not self._sure(f"{words}{self._loss(training)}", "Discard"):
            return
        self._end_compare()
        self.session.discard()

    def _may_throw_away(self, training: Training) -> bool:
        return self._sure(f"Throw away what “{training.name}” has learned?{self._loss(training)}", "Discard")

    def _loss(self, training: Training) -> str:
        """What else goes with a training."""
        return " The patch in the editor plays it, and loses its instrument." if self._plays(training) else ""

    def _sure(self, question: str, verb: str) -> bool:
        return questions.ask(self._window, "Training", question, lose=verb) == verb

    def _plays(self, training: Training) -> bool:
        return instruments.plays(self._document.patch, training.model)

    def _show_story(self) -> None:
        training = self.session.training
        if training is not None:
            playing = self._plays(training)
            self.panel.progress.show_story(training.name, self.session.story, playing=playing)
            if playing:
                self._toasts.withdraw(self._news)
        self._show_ways()

    def _published(self, model: Path) -> None:
        self._link.send(engine.RefreshModel(path=str(model)))
        self.models_changed.emit()
        self._show_story()

    def _ended(self, event: protocol.Ended) -> None:
        training = self.session.training
        self.models_changed.emit()
        if event.how == "failed":
            self._toasts.show(event.text or "The training failed.", Tone.ERROR)
            if not self.session.story.points:
                self.show_material()
        elif event.how == "discarded" or not self.session.story.points:
            self.show_material()
        elif training is not None:
            self._news = f"“{training.name}” is in {library.OWN_MODELS} now."
            choices: Sequence[Choice] = () if self._plays(training) else (("Play it", self.play_model),)
            self._toasts.show(self._news, Tone.GOOD, choices)

    # -- playing --------------------------------------------------------------------------------------------------------

    def play_model(self) -> None:
        """Put the model of the training into the editor: an edit that can be undone. There is nothing in it to be saved yet."""
        training = self.session.training
        if training is None:
            self._toasts.show(_NOTHING_YET)
            return
        if not (training.model.is_file() or self._publish_now(training)):
            ended = training.note.state == folders.ENDED
            self._toasts.show(f"“{training.name}” is not in {library.OWN_MODELS} any more." if ended else _NOTHING_YET)
            return
        self._document.commit()
        try:
            patch = instruments.with_instrument(self._document.patch, training.model)
            kept = instruments.was_trained(self._document.patch, training.model)
        except (ValueError, OSError) as problem:
            self._toasts.show(f"The instrument cannot be played: {_reason(problem)}.", Tone.ERROR)
            return
        held = not (kept and self._document.dirty)
        if (kept or self._may_replace()) and self._document.replace_document(patch, f"Play {training.name}", held=held):
            self.played.emit()
        self._show_story()

    def _publish_now(self, training: Training) -> bool:
        try:
            return training.publish()
        except OSError:
            return False

    def compare(self) -> None:
        """From the recording to the instrument and back, at the same place."""
        if self.session.story.points:
            self.show_training()
            self.panel.progress.compare.toggle()
            self.shown.emit()

    def silence(self) -> None:
        """End what is heard beside the patch."""
        self._end_compare()
        self.hearing.hear([])

    def _end_compare(self) -> None:
        if self.session.training is not None:
            self.panel.progress.compare.stop()

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
        dialog.wanted.connect(self.hearing.hear)
        dialog.closed.connect(self._forget_dialog)
        self._dialog = dialog
        dialog.show()

    def _forget_dialog(self) -> None:
        if self._dialog is self.sender():
            self._dialog = None

    # -- beginning and end ------------------------------------------------------------------------------------------------

    def offer(self) -> None:
        """Offer to go on with trainings that an earlier studio left behind."""
        self.offers.begin()

    def may_leave(self) -> bool:
        """Whether the studio may end: nothing is being trained, or the user decided."""
        if not self._asks:
            return True
        training = self.session.training
        loses = training is not None and self._plays(training)
        loss = " Discarded, it is taken from the patch in the editor, too." if loses else ""
        later, discard = "Quit, go on later", "Quit and discard"
        told = f"{self._left_behind()}{loss}"
        answer = questions.ask(self._window, "A training goes on", self._goes_on_words(), told, go=later, lose=discard)
        if answer == discard:
            self.session.discard()
        return bool(answer)

    def left_behind(self) -> str:
        """What becomes of the training when the studio ends now and it is not discarded; "" if nothing is being trained."""
        return f"{self._goes_on_words()} {self._left_behind()}" if self._asks else ""

    @property
    def _asks(self) -> bool:
        return self.session.busy and self.session.story.stage not in (Stage.STOPPING, Stage.DISCARDING)

    def _goes_on_words(self) -> str:
        training = self.session.training
        return f"“{training.name if training else 'An instrument'}” is still being trained."

    def _left_behind(self) -> str:
        training, begun = self.session.training, self.session.story.progress is not None
        if training is not None and training.has_checkpoint:
            return "It can go on from here when the studio is started again."
        if begun:
            return f"It has no checkpoint yet: it is given {CLOSE_S:g} s to make one, and can go on from that."
        return "Nothing has been learned yet, so there is nothing to go on from."

    def close(self) -> None:
        """End all processes in order; the trainer makes its last checkpoint first."""
        if self._dialog is not None:
            self._dialog.close()
        self.listening.close()
        self.session.leave()


def _reason(problem: Exception) -> str:
    words = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
    return words.rstrip(".")
