"""A training from the button to the model, with a fake trainer in a real process: what is shown, played, kept, and survived."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import msgspec
import pytest
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

from ddsp_studio.audio import protocol as engine
from ddsp_studio.children import process_mark
from ddsp_studio.processors import model_file, patch_file
from ddsp_studio.training import protocol
from ddsp_studio.ui import instruments, paths
from ddsp_studio.ui.library import Kind
from ddsp_studio.ui.training import folders
from ddsp_studio.ui.training.session import MOST_DEATHS, TrainingSession
from ddsp_studio.ui.training.story import Stage
from ddsp_studio.ui.window import StudioWindow

from .conftest import listened, sure, train, wait_until


def test_it_trains_shows_and_keeps(window: StudioWindow, session: TrainingSession) -> None:
    listened(window)
    window.training.panel.material.licence.setCurrentText("My own recording")
    train(window)
    assert session.story.stage is Stage.STARTING
    page = window.training.panel.progress
    assert window.training.panel.currentWidget() is page and page.title.text() == "Violin"
    wait_until(lambda: session.story.ended)
    wait_until(lambda: any("is in My instruments" in text for text in window.toasts.texts()))
    assert session.story.ended.how == "done" and len(session.story.points) == 5
    shown = page.losses.shown()
    assert shown[-1][0] == 100 and shown[-1][1] == pytest.approx(10.0 / 101.0)
    assert page.losses.plot.getPlotItem().getAxis("left").logMode
    assert page.headline.text() == "Done" and page.new.isVisibleTo(page) and not page.stop.isVisibleTo(page)
    assert session.training.model == paths.models() / "Violin.ddspmodel"
    assert model_file.read_about(session.training.model)["step"] == 100
    assert [e.title for e in window.browser._entries if e.kind is Kind.MODEL and not e.factory] == ["Violin"]
    order = session.training.folder / "settings.json"
    assert '"My own recording"' in order.read_text() and '"/recordings/violin.wav"' in order.read_text()
    assert not folders.interrupted()


def test_play_it_is_undoable_and_gets_better_by_itself(begun: StudioWindow, session: TrainingSession, said) -> None:
    page, model = begun.training.panel.progress, session.training.model
    before = begun.document.patch
    page.play.click()
    assert instruments.models_of(begun.document.patch) == [str(model)]
    assert begun.document.undo_stack.undoText() == "Play Violin"
    assert "gets better by itself" in page.play.text() and not page.play.isEnabled()
    assert begun.browser._current == model
    known = len(session.story.points)
    wait_until(lambda: len(said(engine.RefreshModel)) > known)
    assert set(said(engine.RefreshModel)) == {engine.RefreshModel(path=str(model))}
    assert begun.displays.piano._known == (55, 79)
    begun.document.undo()
    assert begun.document.patch == before and page.play.text() == "Play it"
    assert begun.displays.piano._known is None and begun.browser._current is None
    assert session.busy


def test_saving_what_was_played_never_overwrites_the_file_that_was_open(
    begun: StudioWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    drawn, played = tmp_path / "Drawn.ddsp", tmp_path / "Played.ddsp"
    assert begun.files.save_to(drawn)
    content = drawn.read_bytes()
    begun.training.play_model()
    assert begun.document.path is None and begun.document.title != "Drawn"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(played), ""))
    assert begun.files.save() and played.is_file() and drawn.read_bytes() == content
    begun.document.undo()
    assert begun.document.path == drawn and patch_file.load(drawn) == begun.document.patch and not begun.document.dirty
    begun.document.redo()
    assert begun.document.path == played


def test_what_is_played_is_not_an_unsaved_change(
    begun: StudioWindow, session: TrainingSession, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    document = begun.document
    monkeypatch.setattr(QMessageBox, "exec", lambda _: pytest.fail("asked"))
    begun.training.play_model()
    assert not document.dirty and not begun.isWindowModified() and begun.files.may_leave()
    document.undo()
    assert not document.dirty
    document.set_properties(name="Precious")
    assert document.dirty
    document.undo()
    document.redo()
    document.undo_stack.setClean()
    begun.training.play_model()
    document.set_properties(name="Mine")
    assert document.dirty and begun.isWindowModified()
    assert begun.files.save_to(tmp_path / "Mine.ddsp") and not document.dirty
    document.undo()
    assert document.dirty  # the file holds another title
    document.undo()
    assert document.patch.name == "Precious" and not document.dirty
    document.undo()
    assert document.dirty


def test_what_was_unsaved_before_an_instrument_was_played_is_so_again(
    begun: StudioWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun.document.set_properties(name="Precious")
    monkeypatch.setattr(QMessageBox, "exec", lambda _: QMessageBox.StandardButton.Discard)
    begun.training.play_model()
    assert not begun.document.dirty
    begun.document.undo()
    assert begun.document.patch.name == "Precious" and begun.document.dirty


def test_the_browser_marks_what_the_editor_plays(begun: StudioWindow, session: TrainingSession, tmp_path: Path) -> None:
    first = session.training.model
    begun.training.play_model()
    session.stop()
    wait_until(lambda: session.story.ended)
    begun.training.show_material()
    train(begun, "Second", minutes=100.0)
    wait_until(lambda: session.story.points and session.training.model.is_file())
    assert begun.browser._current == first
    begun.training.play_model()
    assert begun.browser._current == session.training.model != first
    begun.document.undo()
    assert begun.browser._current == first
    assert begun.files.save_to(tmp_path / "Mine.ddsp") and begun.browser._current == tmp_path / "Mine.ddsp"


def test_a_second_one_of_a_name_is_called_as_it_is_published(begun: StudioWindow, session: TrainingSession) -> None:
    session.stop()
    wait_until(lambda: session.story.ended)
    begun.training.show_material()
    train(begun, "Violin", minutes=100.0)
    wait_until(lambda: session.story.points and session.training.model.is_file())
    page = begun.training.panel.progress
    assert session.training.name == page.title.text() == session.training.model.stem == "Violin 2"
    assert '"Violin 2"' in (session.training.folder / "settings.json").read_text()
    begun.training.play_model()
    assert begun.document.undo_stack.undoText() == "Play Violin 2"


def test_news_goes_when_it_is_known(window: StudioWindow, session: TrainingSession) -> None:
    def news() -> list[str]:
        return [text for text in window.toasts.texts() if "is in My instruments" in text]

    listened(window)
    train(window, "Violin", minutes=0.5)
    wait_until(news)
    window.browser.chosen.emit(next(entry for entry in window.browser._entries if entry.path == session.training.model))
    assert not news()
    window.training.show_material()
    train(window, "Oboe", minutes=0.5)
    wait_until(news)
    window.training.show_material()
    train(window, "Reed", minutes=100.0)
    assert not news()
    wait_until(lambda: session.story.points and session.training.model.is_file())
    window.training.play_model()
    session.stop()
    wait_until(news)
    assert not any(plate.asks for plate in window.toasts._plates if plate.text in news())  # it is played already


@pytest.mark.parametrize("answer", ["Discard", "Cancel"])
def test_playing_asks_before_unsaved_work_is_replaced(begun: StudioWindow, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    begun.document.set_properties(name="Precious")
    drawn = begun.document.patch
    monkeypatch.setattr(QMessageBox, "exec", lambda _: QMessageBox.StandardButton[answer])
    begun.training.play_model()
    assert (begun.document.patch == drawn) is (answer == "Cancel")
    begun.document.undo_stack.setClean()


def test_the_trained_patch_itself_keeps_what_was_changed_in_it(begun: StudioWindow, session: TrainingSession) -> None:
    document = begun.document
    begun.training.play_model()
    document.set_value("voice", "glide", (0.5,))
    drawn = document.patch
    assert document.patch == instruments.with_instrument(document.patch, session.training.model)
    begun.training.play_model()
    assert document.patch == drawn  # nothing to change: no command, and the glide is still the user's


def test_before_the_first_step_nothing_is_waited_for(window: StudioWindow, session: TrainingSession) -> None:
    listened(window)
    train(window, minutes=100.0)
    assert session.story.progress is None and session.busy
    folder = session.training.folder
    session.stop()
    assert not session.busy and not folder.exists()
    train(window, name="Another", minutes=1.0)
    wait_until(lambda: session.story.ended)
    assert session.story.ended.how == "done" and session.training.name == "Another"


def test_what_was_learned_before_the_first_checkpoint_is_kept(window: StudioWindow, session: TrainingSession) -> None:
    listened(window)
    train(window, "Late", minutes=100.0)
    wait_until(lambda: session.story.progress is not None and session.story.progress.step > 3)
    assert not session.training.has_checkpoint
    session.stop()
    wait_until(lambda: session.story.ended)
    assert session.story.ended.how == "stopped" and session.training.has_checkpoint
    wait_until(session.training.model.is_file)


def test_pressed_buttons_answer_at_once(begun: StudioWindow, session: TrainingSession) -> None:
    page = begun.training.panel.progress
    page.pause.click()
    assert session.story.stage is Stage.PAUSED and page.pause.text() == "Go on" and page.headline.text() == "Paused"
    wait_until(lambda: session.story.progress.paused)
    step = session.story.progress.step
    page.pause.click()
    assert page.pause.text() == "Pause"
    wait_until(lambda: session.story.progress.step > step + 3)
    page.stop.click()
    assert "Stopping" in page.headline.text() and not page.stop.isEnabled() and not page.discard.isEnabled()
    wait_until(lambda: session.story.ended)
    assert session.story.ended.how == "stopped" and session.training.model.is_file()
    assert session.training.note.state == folders.ENDED


def test_what_is_done_can_learn_for_longer(window: StudioWindow, session: TrainingSession) -> None:
    page = window.training.panel.progress
    listened(window)
    train(window, minutes=0.5)
    wait_until(lambda: session.story.ended)
    done, training = session.story.points[-1].step, session.training
    assert session.story.ended.how == "done" and page.more.isVisible() and page.more.text() == "10 min more"
    page.more.click()
    assert session.busy and session.training is training and not page.more.isVisible() and training.note.state == folders.RUNNING
    assert session.story.losses and session.story.points[-1].step == done
    wait_until(lambda: session.story.points[-1].step > done)
    assert session.story.progress.steps >= done + round(10.0 * 100)
    page.stop.click()
    wait_until(lambda: session.story.ended)
    assert training.model.is_file() and training.note.state == folders.ENDED


def test_discard_asks_and_leaves_nothing(begun: StudioWindow, session: TrainingSession, monkeypatch: pytest.MonkeyPatch) -> None:
    defaults: list[str] = []
    monkeypatch.setattr(QMessageBox, "setDefaultButton", lambda _box, button: defaults.append(button.text()))
    asked, training = sure(monkeypatch, "Cancel"), session.training
    page = begun.training.panel.progress
    page.discard.click()
    assert session.story.stage is Stage.RUNNING and "Throw away" in asked[0]
    assert defaults == ["Cancel"]
    sure(monkeypatch, "Discard")
    page.discard.click()
    assert page.headline.text() == "Discarding…"
    wait_until(lambda: session.story.ended)
    wait_until(lambda: not training.folder.exists() and not training.model.exists())
    assert begun.training.panel.currentWidget() is begun.training.panel.material
    assert begun.training.panel.material.train.isEnabled()


def test_it_can_be_held_before_its_first_step(window: StudioWindow, session: TrainingSession) -> None:
    listened(window)
    train(window, minutes=100.0)
    page = window.training.panel.progress
    assert session.story.stage is Stage.STARTING and page.pause.isEnabled()
    page.pause.click()
    assert page.pause.isChecked() and page.pause.text() == "Go on" and page.headline.text() == "Paused before the first step"
    wait_until(lambda: session.story.stage is Stage.PAUSED)
    page.pause.click()
    wait_until(lambda: session.story.stage is Stage.RUNNING and session.story.progress.step > 3)


def test_the_focus_follows_the_page(window: StudioWindow, session: TrainingSession) -> None:
    listened(window)
    window.activateWindow()
    page, material = window.training.panel.progress, window.training.panel.material
    material.train.setFocus()
    train(window, minutes=100.0)
    assert QApplication.focusWidget() is page.pause
    wait_until(lambda: session.story.points)
    page.stop.setFocus()
    page.stop.click()
    assert QApplication.focusWidget() is page.play
    wait_until(lambda: session.story.ended)
    window.training.play_model()
    assert QApplication.focusWidget() is page.new
    page.new.click()
    assert QApplication.focusWidget() is material.train


def test_a_remark_is_no_warning(window: StudioWindow, session: TrainingSession) -> None:
    listened(window)
    train(window, minutes=100.0)
    session._hear(protocol.Notice(text="Clips are varied.", warning=False))
    assert not any("varied" in text for text in window.toasts.texts())


def test_compare_goes_from_one_to_the_other(begun: StudioWindow, session: TrainingSession, said) -> None:
    compare = begun.training.panel.progress.compare
    session.pause(True)
    wait_until(lambda: session.story.progress.paused)
    wait_until(lambda: compare.timeline.index == len(session.story.points) - 1)
    begun.actions_["train.compare"].trigger()
    begun.actions_["train.compare"].trigger()
    assert [button.isChecked() for button in compare.buttons] == [False, True]  # says so before the engine does
    begun.actions_["train.silence"].trigger()
    assert not any(button.isChecked() for button in compare.buttons)
    wait_until(lambda: len(said(engine.Preview)) >= 3)
    point = session.story.points[-1]
    files = [f"{point.target}.flac", f"{point.played}.flac"]
    first, second, *last = said(engine.Preview)
    assert (first.files, first.track) == (files, 0) and (second.files, second.track) == (files, 1)
    assert last[-1].files == [] and all(Path(file).is_file() for file in files)


def test_the_timeline_holds_every_checkpoint(begun: StudioWindow, session: TrainingSession, said) -> None:
    compare = begun.training.panel.progress.compare
    wait_until(lambda: len(session.story.points) >= 3)
    assert compare.timeline.index == len(session.story.points) - 1  # follows the newest
    compare.timeline.choose(0)
    points = len(session.story.points)
    wait_until(lambda: len(session.story.points) > points)
    assert compare.timeline.index == 0 and compare.point == session.story.points[0]  # and stays where it was put
    assert "step 20" in compare.words.text() and "pitch 97 % right" in compare.words.text()
    compare.pictures[1].clicked.emit()
    compare.timeline.choose(1)  # scrubbing goes on playing
    wait_until(lambda: len(said(engine.Preview)) >= 2)
    assert said(engine.Preview)[-1].files[1].endswith("played-0000040.flac") and said(engine.Preview)[-1].track == 1


def test_failures_and_notices_are_sentences(window: StudioWindow, session: TrainingSession) -> None:
    listened(window)
    train(window, "Failing")
    wait_until(lambda: any("a.wav is silent" in text for text in window.toasts.texts()))
    assert window.training.panel.currentWidget() is window.training.panel.material
    assert not list(paths.trainings().glob("*"))
    train(window, "Warned")
    wait_until(lambda: any("The memory ran out" in text for text in window.toasts.texts()))
    assert "The memory ran out" in window.training.panel.progress.notice.text()


def test_a_folder_that_cannot_be_written_is_one_sentence(window: StudioWindow, session: TrainingSession) -> None:
    listened(window)
    paths.trainings().parent.mkdir(parents=True, exist_ok=True)
    paths.trainings().write_text("in the way")
    train(window)
    assert any("The training was not begun" in text for text in window.toasts.texts())
    assert window.training.panel.material.train.isEnabled() and not session.busy


def test_only_one_training_at_a_time(begun: StudioWindow, session: TrainingSession) -> None:
    running = session.training
    listened(begun, "flute.wav")
    train(begun, "Flute")
    assert session.training is running and any("goes on already" in text for text in begun.toasts.texts())
    assert begun.training.panel.currentWidget() is begun.training.panel.progress


# -- crashes ----------------------------------------------------------------------------------------------------------------


def test_a_trainer_that_dies_goes_on_by_itself(window: StudioWindow, session: TrainingSession) -> None:
    listened(window)
    train(window, "Deadly")
    wait_until(lambda: session.story.ended)
    assert session.story.ended.how == "done"
    assert [point.step for point in session.story.points] == [20, 40, 60, 80, 100]
    steps = [step for step, _ in session.story.losses]
    assert steps == sorted(set(steps)) and steps[0] <= 20
    assert any("started again" in text for text in window.toasts.texts())


def test_a_trainer_that_dies_again_and_again_is_given_up(begun: StudioWindow, session: TrainingSession) -> None:
    page = begun.training.panel.progress
    session.pause(True)
    wait_until(lambda: session.story.progress.paused)
    for _ in range(MOST_DEATHS + 1):
        wait_until(lambda: session._link.client.pid or session.story.stage is Stage.INTERRUPTED)
        session.training.folder.joinpath("settings.json").rename(session.training.folder / "gone.json") if not (
            session.training.folder / "gone.json"
        ).exists() else None
        pid = session._link.client.pid
        if pid:
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda pid=pid: session._link.client.pid != pid)
    wait_until(lambda: session.story.stage is Stage.INTERRUPTED)
    assert page.resume.isVisibleTo(page) and any("can go on from its last checkpoint" in t for t in begun.toasts.texts())
    session.training.folder.joinpath("gone.json").rename(session.training.folder / "settings.json")
    step = session.story.points[-1].step
    page.resume.click()
    wait_until(lambda: session.story.points[-1].step > step)


def test_one_that_dies_before_its_first_checkpoint_waits_for_the_user(window: StudioWindow, session: TrainingSession) -> None:
    listened(window)
    train(window, "Doomed")
    wait_until(lambda: session.story.stage is Stage.INTERRUPTED)
    page = window.training.panel.progress
    assert any("The trainer ended" in text for text in window.toasts.texts())
    page.discard.click()
    wait_until(lambda: not list(paths.trainings().glob("*")))


def test_a_studio_that_died_offers_to_go_on(window: StudioWindow, session: TrainingSession, monkeypatch) -> None:
    listened(window)
    train(window, minutes=1.0)
    wait_until(lambda: session.story.ended)
    training = session.training
    training.mark(folders.RUNNING)
    (training.folder / "last.ckpt").write_text("60")
    monkeypatch.setattr("ddsp_studio.children.process_alive", lambda _pid: False)
    monkeypatch.setattr("ddsp_studio.ui.training.folders.os.getpid", lambda: -1)
    assert [found.name for found in folders.interrupted()] == ["Violin"]
    monkeypatch.undo()
    window.training.resume(folders.Training(training.folder, training.note))
    assert (len(session.story.points) == 5 and session.story.losses[0][0] == 0) or session.story.losses[0][0] == 1
    wait_until(lambda: session.story.ended)
    assert session.story.ended.how == "done" and session.story.progress.step == 100


def test_what_has_no_checkpoint_is_not_offered(window: StudioWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = folders.new("Empty")
    monkeypatch.setattr("ddsp_studio.children.process_alive", lambda _pid: False)
    monkeypatch.setattr("ddsp_studio.ui.training.folders.os.getpid", lambda: -1)
    window.training.offer()
    assert not empty.folder.exists() and not any("interrupted" in text for text in window.toasts.texts())


def test_another_studios_training_is_left_alone(window: StudioWindow) -> None:
    training = folders.new("Elsewhere")
    note = msgspec.structs.replace(training.note, pid=os.getppid(), since=process_mark(os.getppid()))
    (training.folder / folders.NOTE).write_bytes(msgspec.json.encode(note))
    assert not folders.interrupted()


# -- quitting ---------------------------------------------------------------------------------------------------------------


def test_quitting_asks(begun: StudioWindow, session: TrainingSession, monkeypatch: pytest.MonkeyPatch) -> None:
    begun.document.undo_stack.setClean()
    asked = sure(monkeypatch, "Cancel")
    assert not begun.close() and begun.isVisible() and "still being trained" in asked[0]
    sure(monkeypatch, "go on later")
    pid = session._link.client.pid
    assert begun.close()
    assert pid and session._link.client.pid == 0
    assert folders.Training(session.training.folder, session.training.note).has_checkpoint
    assert session.training.note.state == folders.RUNNING


def test_quitting_asks_once(begun: StudioWindow, session: TrainingSession, monkeypatch: pytest.MonkeyPatch) -> None:
    begun.document.set_properties(name="Precious")
    asked: list[str] = []

    def leave(box: QMessageBox) -> QMessageBox.StandardButton:
        asked.append(f"{box.text()} {box.informativeText()}")
        return QMessageBox.StandardButton.Discard

    monkeypatch.setattr(QMessageBox, "exec", leave)
    assert begun.close()
    (told,) = asked
    assert "not saved" in told and "“Violin” is still being trained. It can go on from here" in told
    assert session.training.note.state == folders.RUNNING


def test_quitting_and_discarding_leaves_nothing(
    begun: StudioWindow, session: TrainingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun.document.undo_stack.setClean()
    sure(monkeypatch, "and discard")
    assert begun.close()
    assert not session.training.folder.exists() and not session.training.model.exists()


def test_quitting_while_it_stops_keeps_the_model(begun: StudioWindow, session: TrainingSession) -> None:
    begun.document.undo_stack.setClean()
    session.stop()
    session.leave()
    assert session.training.model.is_file() and session.training.note.state == folders.ENDED


def test_quitting_while_a_model_is_copied_waits_for_it(
    begun: StudioWindow, session: TrainingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun.document.undo_stack.setClean()
    sure(monkeypatch, "go on later")
    copied: list[Path] = []

    def slow(training: folders.Training) -> bool:
        time.sleep(0.3)
        copied.append(training.model)
        return True

    monkeypatch.setattr(folders.Training, "publish", slow)
    wait_until(lambda: session._copier._work_queue.qsize() > 0)
    assert begun.close()
    assert copied and not any(thread.name.startswith("publish") for thread in threading.enumerate())


def test_nothing_is_asked_when_nothing_is_trained(window: StudioWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QMessageBox, "exec", lambda _box: pytest.fail("asked"))
    assert window.training.may_leave()
