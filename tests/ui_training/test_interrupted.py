"""Trainings that fail, are interrupted, and wait to go on: nothing that was learned is lost, and no offer."""

from __future__ import annotations

import pytest

from ddsp_studio.training import protocol
from ddsp_studio.ui.training import folders
from ddsp_studio.ui.training.session import TrainingSession
from ddsp_studio.ui.training.story import Stage
from ddsp_studio.ui.window import StudioWindow

from .conftest import listened, train, wait_until


@pytest.fixture
def begun(window: StudioWindow) -> StudioWindow:
    """A window in which a long training has its first checkpoint."""
    listened(window)
    train(window, minutes=100.0)
    wait_until(lambda: window.training.session.story.points and window.training.session.training.model.is_file())
    return window


def fail(session: TrainingSession, why: str = "/full/last.ckpt: No space left on device") -> None:
    """The trainer of a session says that it failed, and is let go."""
    session._hear(protocol.Ended(how="failed", model="", text=why))
    wait_until(lambda: not session._link.client.pid)


# -- failures ---------------------------------------------------------------------------------------------------------------


def test_a_failure_after_a_checkpoint_only_interrupts(begun: StudioWindow, session: TrainingSession) -> None:
    page, training = begun.training.panel.progress, session.training
    fail(session)
    assert session.story.stage is Stage.INTERRUPTED and training.note.state == folders.RUNNING
    assert page.detail.text() == "/full/last.ckpt: No space left on device" and page.resume.isVisibleTo(page)
    assert any("interrupted: /full/last.ckpt: No space left on device. It can go on" in t for t in begun.toasts.texts())
    step = session.story.points[-1].step
    page.resume.click()
    wait_until(lambda: session.story.points[-1].step > step)
    assert "No space" not in page.detail.text() and session.training.folder == training.folder


def test_what_fails_while_it_is_discarded_is_gone(
    begun: StudioWindow, session: TrainingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = session.training
    session.pause(True)
    wait_until(lambda: session.story.progress.paused)
    monkeypatch.setattr(session._link, "rest", lambda: None)  # it would write a last checkpoint; one that failed does not
    session.story.stage = Stage.DISCARDING
    session._hear(protocol.Ended(how="failed", model="", text="/full: No space left on device"))
    assert session.story.ended.how == "discarded"
    wait_until(lambda: not training.folder.exists() and not training.model.exists())
