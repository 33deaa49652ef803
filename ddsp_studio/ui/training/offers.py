"""Trainings that an earlier studio left behind, or that were interrupted in this one: they are offered until the user decides."""

from __future__ import annotations

import functools
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from ddsp_studio.ui.toasts import Choice, Toasts, Tone
from ddsp_studio.ui.training import folders
from ddsp_studio.ui.training.folders import Training
from ddsp_studio.ui.training.waiting import Waiting

_MOST_PLATES = 3
"""Offers that are made in the corner at the start; the panel lists them all."""


class Offers(QObject):
    """Offers on the panel's empty page and, at the start, in the corner of the window.

    Args:
        shown: the training that has the panel's page; it is not offered beside that.
        resume: goes on with a training; whether it could.
        sure: asks whether what a training has learned may be thrown away.
    """

    models_changed = Signal()
    """A model has come or gone."""

    def __init__(
        self,
        waiting: Waiting,
        toasts: Toasts,
        shown: Callable[[], Training | None],
        resume: Callable[[Training], bool],
        sure: Callable[[Training], bool],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._waiting, self._toasts = waiting, toasts
        self._shown, self._resume, self._sure = shown, resume, sure

    def begin(self) -> None:
        """Offer all in the corner, the newest few; what never had a checkpoint is removed. Before any training of this studio."""
        for training in folders.interrupted():
            if not training.has_checkpoint and folders.is_free(training):
                training.discard()
        for training in self._all()[:_MOST_PLATES]:
            self._toasts.show(_words(training), Tone.INFO, self._choices(training))
        self.list_all()

    def list_all(self) -> None:
        """Bring the list on the panel up to date."""
        self._waiting.show_offers([(training.name, self._choices(training)) for training in self._all()])

    def _all(self) -> list[Training]:
        shown = self._shown()
        found = [training for training in folders.interrupted() if training.has_checkpoint]
        return [training for training in found if shown is None or training.folder != shown.folder]

    def _choices(self, training: Training) -> tuple[Choice, ...]:
        verbs: tuple[tuple[str, Callable[[Training], bool]], ...] = (
            ("Discard", self._discard),
            ("Keep", self._keep),
            ("Go on", self._resume),
        )
        return tuple((words, functools.partial(self._decide, training, verb)) for words, verb in verbs)

    def _decide(self, training: Training, verb: Callable[[Training], bool]) -> bool:
        if not folders.is_free(training):
            self._toasts.withdraw(_words(training))
            if training.folder.is_dir():
                self._toasts.show(f"“{training.name}” is being trained elsewhere, or was decided on there.", Tone.WARNING)
            self.list_all()
            return True
        done = verb(training)
        if done or not training.folder.is_dir():
            self._toasts.withdraw(_words(training))
        self.list_all()
        return done

    def _discard(self, training: Training) -> bool:
        if not self._sure(training):
            return False
        training.discard()
        self.models_changed.emit()
        return True

    def _keep(self, training: Training) -> bool:
        try:
            if not training.publish():
                self._toasts.show(f"“{training.name}” has no model yet; let its training go on.", Tone.WARNING)
                return False
            training.mark(folders.ENDED)
        except OSError as problem:
            self._toasts.show(f"The model could not be written: {(problem.strerror or str(problem)).rstrip('.')}.", Tone.ERROR)
            return False
        self.models_changed.emit()
        return True


def _words(training: Training) -> str:
    return f"The training of “{training.name}” is not at its end; it can go on from its last checkpoint."
