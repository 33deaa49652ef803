"""Trainings that fail, are interrupted, and wait to go on: nothing that was learned is lost, and no offer."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QMessageBox, QPushButton

from ddsp_studio import resources
from ddsp_studio.audio import protocol as engine
from ddsp_studio.processors import patch_file
from ddsp_studio.training import protocol
from ddsp_studio.training.runs import Order, Run
from ddsp_studio.training.settings import Settings
from ddsp_studio.ui.training import folders
from ddsp_studio.ui.training.progress_page import ProgressPage
from ddsp_studio.ui.training.session import TrainingSession
from ddsp_studio.ui.training.story import Stage, Story
from ddsp_studio.ui.window import StudioWindow

from .conftest import listened, sure, train, wait_until


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
    session._hear(protocol.Progress(step=999, steps=0, loss=1.0, steps_per_s=1.0, seconds=1.0, left_s=0.0))
    assert session.story.stage is Stage.INTERRUPTED  # what was still under way changes nothing
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


# -- offers -----------------------------------------------------------------------------------------------------------------


def left_behind(name: str, *, checkpoint: bool = True) -> folders.Training:
    """A training that an earlier studio did not end."""
    training = folders.new(name)
    if checkpoint:
        run = Run(training.folder)
        settings = Settings(minutes=1.0)
        run.begin(Order(name=name, sources=(), settings=settings), patch_file.load(resources.find(resources.PATCHES, "organ")))
        (training.folder / "last.ckpt").write_text("20")
        (training.folder / "model.ddspmodel").write_text("weights")
        assert training.publish()
    return training


def press(window: StudioWindow, text: str, words: str) -> None:
    plate = next(plate for plate in window.toasts._plates if text in plate.text)
    next(button for button in plate.findChildren(QPushButton) if button.text() == words).click()


def offered(window: StudioWindow) -> list[str]:
    return [text for text in window.toasts.texts() if "not at its end" in text]


def test_offers_are_listed_until_they_are_decided(window: StudioWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    made = {name: left_behind(name) for name in ("Flute", "Oboe", "Reed", "Voice")}
    empty = left_behind("Nothing", checkpoint=False)
    window.training.offer()
    waiting = window.training.panel.waiting
    assert sorted(waiting.names) == ["Flute", "Oboe", "Reed", "Voice"] and len(offered(window)) == 3
    assert not empty.folder.exists()
    for number in range(9):
        window.toasts.show(f"something else {number}")
    assert len(offered(window)) == 3
    asked = sure(monkeypatch, "Cancel")
    waiting.button("Flute", "Discard").click()
    press(window, "“Voice”", "Discard")
    assert asked == ["Throw away what “Flute” has learned?", "Throw away what “Voice” has learned?"]
    assert made["Flute"].folder.exists() and made["Voice"].model.exists() and len(offered(window)) == 3
    sure(monkeypatch, "Discard")
    press(window, "“Voice”", "Discard")
    assert not made["Voice"].folder.exists() and not made["Voice"].model.exists()
    waiting.button("Reed", "Keep").click()
    assert made["Reed"].model.exists() and sorted(waiting.names) == ["Flute", "Oboe"]
    assert not any("Reed" in text or "Voice" in text for text in offered(window))


def test_what_another_studio_took_up_is_not_thrown_away(window: StudioWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    sure(monkeypatch, "Discard")
    for name, busy in (("Flute", False), ("Oboe", True)):
        training = left_behind(name)
        window.training.offers.list_all()
        waiting = window.training.panel.waiting
        with Run(training.folder).locked() if busy else contextlib.nullcontext():
            if not busy:  # it was decided on elsewhere
                training.mark(folders.ENDED)
            waiting.button(name, "Discard").click()
            assert training.folder.exists() and training.model.exists()
        assert any(f"“{name}” is being trained elsewhere" in text for text in window.toasts.texts())


def test_an_offer_that_comes_at_a_bad_time_stays(begun: StudioWindow, session: TrainingSession) -> None:
    running = session.training
    left_behind("Flute")
    begun.training.offers.begin()
    press(begun, "“Flute”", "Go on")
    assert session.training is running and len(offered(begun)) == 1
    session.stop()
    wait_until(lambda: session.story.ended)
    press(begun, "“Flute”", "Go on")
    assert session.training.name == "Flute" and session.busy and not offered(begun)
    assert begun.training.panel.waiting.names == []


def test_one_that_was_interrupted_waits_while_another_is_trained(begun: StudioWindow, session: TrainingSession) -> None:
    panel = begun.training.panel
    fail(session)
    assert panel.waiting.names == []  # it has the page of its own
    listened(begun, "flute.wav")
    train(begun, "Another")
    assert session.training.name == "Another"
    wait_until(lambda: session.story.ended)
    panel.progress.new.click()
    begun.training.put_aside()
    assert panel.currentWidget() is panel.empty and panel.waiting.names == ["Violin"]
    panel.waiting.button("Violin", "Go on").click()
    wait_until(lambda: session.training.name == "Violin" and session.story.stage is Stage.RUNNING)


# -- the way back -----------------------------------------------------------------------------------------------------------


def test_other_recordings_do_not_hide_the_training(begun: StudioWindow, session: TrainingSession) -> None:
    panel = begun.training.panel
    listened(begun, "flute.wav")
    assert panel.currentWidget() is panel.material
    back = panel.backs[1]
    assert back.isVisibleTo(panel.material) and "“Violin”" in back.toolTip()
    back.click()
    assert panel.currentWidget() is panel.progress
    listened(begun, "flute.wav")
    begun.actions_["train.compare"].trigger()
    assert panel.currentWidget() is panel.progress
    fail(session)
    begun.training.show_material()
    begun.training.put_aside()
    assert panel.currentWidget() is panel.progress  # an interrupted one is not lost, either
    session.discard()
    assert panel.currentWidget() is panel.empty and not panel.backs[0].isVisibleTo(panel.empty)


def test_what_is_compared_ends_with_its_page(begun: StudioWindow, session: TrainingSession, said) -> None:
    compare = begun.training.panel.progress.compare
    session.stop()
    wait_until(lambda: session.story.ended)
    compare.play(1)
    begun.training.panel.progress.new.click()
    assert not any(button.isChecked() for button in compare.buttons)
    wait_until(lambda: said(engine.Preview) and said(engine.Preview)[-1].files == [])
    begun.training.show_training()
    compare.play(1)
    train(begun, "Another")
    assert not any(button.isChecked() for button in compare.buttons)


# -- which one is meant -----------------------------------------------------------------------------------------------------


def test_discarding_says_what_the_editor_loses(
    begun: StudioWindow, session: TrainingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = sure(monkeypatch, "Cancel")
    begun.training.discard()
    begun.training.play_model()
    begun.training.discard()
    assert "loses its instrument" not in asked[0] and asked[1].endswith(
        "The patch in the editor plays it, and loses its instrument."
    )


def test_quitting_says_what_is_left(window: StudioWindow, session: TrainingSession, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(QMessageBox, "exec", lambda box: told.append(box.informativeText()))
    listened(window)
    train(window, "Late", minutes=100.0)
    assert not window.training.may_leave() and "Nothing has been learned yet" in told[-1]
    wait_until(lambda: session.story.progress is not None)
    assert not window.training.may_leave() and "no checkpoint yet: it is given 20 s" in told[-1]
    (session.training.folder / "last.ckpt").touch()
    assert not window.training.may_leave() and told[-1] == "It can go on from here when the studio is started again."


def test_all_that_was_said_can_be_read(themed: QApplication) -> None:
    story, page = Story(), ProgressPage()
    for number in range(3):
        story.take(protocol.Notice(text=f"file <{number}> is silent"))
    page.show_story("Violin", story, playing=False)
    assert page.notice.text() == "file <2> is silent. file <1> is silent. file <0> is silent."
    assert page.notice.minimumSizeHint().height() < 2 * page.notice.fontMetrics().height()
    assert "<p>file &lt;0&gt; is silent.</p><p>file &lt;1&gt;" in page.notice.toolTip()
    assert page.remark.isHidden()


def test_how_it_is_done_is_no_warning(themed: QApplication) -> None:
    story, page = Story(), ProgressPage()
    story.take(protocol.Notice(text="Clips are varied", warning=False))
    page.show_story("Saxophone", story, playing=False)
    assert page.notice.isHidden() and not page.remark.isHidden() and page.remark.text() == "Clips are varied."


def test_what_lies_where_a_model_was_to_be_is_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A friend's instrument of that name, put there before the first checkpoint."""
    monkeypatch.setenv("DDSP_STUDIO_HOME", str(tmp_path))
    dropped, kept = folders.new("Violin"), folders.new("Violin")
    for training in (dropped, kept):
        training.model.parent.mkdir(parents=True, exist_ok=True)
        training.model.write_bytes(b"a friend's")
    friends = [dropped.model, kept.model]
    dropped.discard()
    (kept.folder / "model.ddspmodel").write_bytes(b"mine")
    assert kept.publish() and kept.model not in friends and kept.model.read_bytes() == b"mine"
    assert kept.publish() and [path.read_bytes() for path in friends] == [b"a friend's"] * 2
    (again,) = folders.interrupted()
    assert again.model == kept.model
    again.discard()
    assert not kept.model.exists() and [path.read_bytes() for path in friends] == [b"a friend's"] * 2
