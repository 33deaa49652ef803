"""Sentences in the corner: plain ones make room, choices wait for their answer."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

from ddsp_studio.ui.toasts import Toasts, Tone


@pytest.fixture
def toasts(qapp: QApplication) -> Toasts:
    host = QWidget()
    host.resize(800, 600)
    held = Toasts(host)
    held.kept_alive = host  # type: ignore[attr-defined]
    return held


def press(toasts: Toasts, text: str, words: str) -> None:
    plate = next(plate for plate in toasts._plates if plate.text == text)
    next(button for button in plate.findChildren(QPushButton) if button.text() == words).click()


def test_choices_outlast_plain_sentences(toasts: Toasts) -> None:
    for number in range(3):
        toasts.show(f"offer {number}", Tone.WARNING, (("Go on", lambda: None),))
    for number in range(9):
        toasts.show(f"plain {number}")
    assert toasts.texts() == ["offer 0", "offer 1", "offer 2", "plain 8"]
    for number in range(3, 6):
        toasts.show(f"offer {number}", Tone.WARNING, (("Go on", lambda: None),))
    toasts.show("plain 9")
    assert toasts.texts() == [*(f"offer {number}" for number in range(6)), "plain 9"]


def test_plain_sentences_make_room_the_oldest_first(toasts: Toasts) -> None:
    for number in range(6):
        toasts.show(f"plain {number}")
    assert toasts.texts() == ["plain 2", "plain 3", "plain 4", "plain 5"]


@pytest.mark.parametrize(("reply", "stays"), [(None, False), (True, False), (False, True)])
def test_a_choice_that_was_not_taken_stays_open(toasts: Toasts, reply: bool | None, stays: bool) -> None:
    toasts.show("offer", Tone.WARNING, (("Go on", lambda: reply),))
    press(toasts, "offer", "Go on")
    assert (toasts.texts() == ["offer"]) is stays


def test_a_sentence_is_taken_back(toasts: Toasts) -> None:
    toasts.show("one")
    toasts.show("two")
    toasts.withdraw("one")
    toasts.withdraw("never said")
    assert toasts.texts() == ["two"]
