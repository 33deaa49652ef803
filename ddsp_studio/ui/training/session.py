"""One training as the window sees it: begins, goes on after a crash, is paused, kept or discarded, and hands out its model."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor

from PySide6.QtCore import QObject, Signal

from ddsp_studio.training import protocol
from ddsp_studio.ui.training import folders
from ddsp_studio.ui.training.folders import Training
from ddsp_studio.ui.training.link import TrainerLink
from ddsp_studio.ui.training.story import Stage, Story

MOST_DEATHS = 2
"""Deaths of the trainer without a checkpoint in between after which it is not started again by itself."""


class TrainingSession(QObject):
    """Drives the trainer. Commands are believed at once: the stage says what was asked for before the trainer answers."""

    changed = Signal()
    """Anything of the story."""
    checkpointed = Signal(object)
    """A checkpoint (`story.Point`)."""
    published = Signal(object)
    """A better model lies among the user's models (its path)."""
    ended = Signal(object)
    """`protocol.Ended`, after the model was published."""
    said = Signal(str)
    """A sentence that the user should read."""
    _published = Signal(object, object, str)

    def __init__(self, link: TrainerLink, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._link = link
        self.training: Training | None = None
        self.story = Story(stage=Stage.ENDED)
        self._deaths = 0
        self._left = False
        self._copier = ThreadPoolExecutor(1, "publish")
        self._published.connect(self._was_published)
        link.heard.connect(self._hear)
        link.died.connect(self._die)

    @property
    def busy(self) -> bool:
        """Whether a training goes on, or waits to."""
        return self.training is not None and self.story.busy

    # -- verbs ----------------------------------------------------------------------------------------------------------

    def begin(self, training: Training, order: protocol.Begin) -> None:
        """Begin (OSError if the trainer cannot be started)."""
        self._take_up(training, Story())
        self._link.begin(order)

    def resume(self, training: Training, more_minutes: float = 0.0) -> None:
        """Go on with a training that was interrupted, or for longer (OSError if the trainer cannot be started)."""
        training.mark(folders.RUNNING)
        story = Story()
        story.recall(training.folder)
        self._take_up(training, story)
        self._link.begin(protocol.GoOn(folder=str(training.folder), more_minutes=more_minutes))

    def _take_up(self, training: Training, story: Story) -> None:
        self.training, self.story, self._deaths = training, story, 0
        self.changed.emit()

    def pause(self, on: bool) -> None:
        """Hold after the step that runs, or before the first one, or go on."""
        if self.story.can_pause:
            self._link.send(protocol.Pause(paused=on))
            self.story.hold(on)
            self.changed.emit()

    def stop(self) -> None:
        """End, and keep what was learned."""
        self._end(Stage.STOPPING)

    def discard(self) -> None:
        """End, and keep nothing."""
        self._end(Stage.DISCARDING)

    def _end(self, stage: Stage) -> None:
        if self.training is None or not (self.busy or self.story.stage is Stage.INTERRUPTED):
            return
        # before the first step there is nothing to wait for: all that was learned lies in the last checkpoint, if there is one
        idle = self.story.stage is Stage.INTERRUPTED or self.story.progress is None
        nothing = not self.training.has_checkpoint and (self.story.progress is None or self.story.progress.step == 0)
        self.story.stage = stage
        self._link.send(protocol.Stop(discard=stage is Stage.DISCARDING or nothing))
        self.changed.emit()
        if idle:
            self._close(protocol.Ended(how="discarded" if stage is Stage.DISCARDING else "stopped", model=""))

    def leave(self) -> None:
        """The studio ends: the trainer keeps what it has, and the next studio offers to go on. Waits for both."""
        self._left = True
        self._link.close()
        self._copier.shutdown()
        if self.training is not None and self.busy and self.story.stage is Stage.DISCARDING:
            self.training.discard()
        elif self.training is not None and self.busy and self.story.stage is Stage.STOPPING:
            with contextlib.suppress(OSError):  # no window is left to say so in; the next studio offers to go on
                self.training.publish()
                self.training.mark(folders.ENDED)

    # -- events ---------------------------------------------------------------------------------------------------------

    def _hear(self, event: protocol.Event) -> None:
        over = self.story.ended is not None or self.story.stage is Stage.INTERRUPTED
        if self._left or self.training is None or over:
            return
        if isinstance(event, protocol.Ended):
            self._close(event)
            return
        known = len(self.story.points)
        self.story.take(event)
        if isinstance(event, protocol.Notice) and event.warning:
            self.said.emit(event.text)
        self.changed.emit()
        if len(self.story.points) > known:
            self._deaths = 0
            self.checkpointed.emit(self.story.points[-1])
        if isinstance(event, protocol.Checkpointed) and event.best:
            self._publish(None)

    def _publish(self, after: protocol.Ended | None) -> None:
        """Copy the model on another thread, one after the other: large ones take a while."""
        training = self.training

        def work() -> None:
            try:
                done, problem = training is not None and training.publish(), ""
            except OSError as failure:
                done, problem = False, f"The model could not be written: {failure.strerror or failure}."
            self._published.emit(training if done else None, after, problem)

        self._copier.submit(work)

    def _was_published(self, training: Training | None, after: protocol.Ended | None, problem: str) -> None:
        if problem:
            self.said.emit(problem)
        if training is not None and self._discarded(training):
            training.discard()
        elif training is not None and training is self.training:
            self.published.emit(training.model)
        if after is not None:
            self.ended.emit(after)

    def _discarded(self, training: Training) -> bool:
        """Whether the user gave a training up while its model was being copied."""
        gone = self.story.stage is Stage.DISCARDING or (self.story.ended is not None and self.story.ended.how == "discarded")
        return training is self.training and gone

    def _close(self, event: protocol.Ended) -> None:
        training = self.training
        if training is None:
            return
        if event.how == "failed" and self.story.stage is Stage.DISCARDING:
            event = protocol.Ended(how="discarded", model="")
        if event.how == "failed" and training.has_checkpoint:
            self._interrupt(event.text)
            return
        self.story.take(event)
        nothing = event.how == "discarded" or not training.has_checkpoint
        if nothing:
            training.discard()
        else:
            try:
                training.mark(folders.ENDED)
            except OSError as problem:
                self.said.emit(f"The training's note could not be written: {problem.strerror or problem}.")
        self._link.rest()
        self.changed.emit()
        if nothing:
            self.ended.emit(event)
        else:
            self._publish(event)

    def _interrupt(self, reason: str) -> None:
        """The trainer cannot go on for now: a drive is away, or the disk is full. Its note lets the next studio offer it, too."""
        self.story.stage, self.story.trouble = Stage.INTERRUPTED, reason
        self._link.rest()
        why = (reason or "it failed").rstrip(".")
        self.said.emit(f"The training was interrupted: {why}. It can go on from its last checkpoint.")
        self.changed.emit()

    def _die(self, sentence: str) -> None:
        if self._left or self.training is None or not self.busy:
            return
        if self.story.stage in (Stage.DISCARDING, Stage.STOPPING):
            self._close(protocol.Ended(how="discarded" if self.story.stage is Stage.DISCARDING else "stopped", model=""))
            return
        self._deaths += 1
        if self._deaths > MOST_DEATHS or not self.training.has_checkpoint:
            self.story.stage = Stage.INTERRUPTED
            self.said.emit(sentence)
        else:
            self.said.emit("The trainer ended unexpectedly; it was started again and goes on from its last checkpoint.")
            deaths = self._deaths
            try:
                self.resume(self.training)
            except OSError as problem:
                self.story.stage = Stage.INTERRUPTED
                self.said.emit(f"The trainer could not be started: {problem.strerror or problem}.")
            self._deaths = deaths
        self.changed.emit()
