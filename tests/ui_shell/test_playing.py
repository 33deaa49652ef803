"""The piano and the computer's keys: no note outlives its key."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from ddsp_studio.audio.telemetry import Telemetry
from ddsp_studio.ui.computer_keyboard import ORDER, ComputerKeyboard, place_of
from ddsp_studio.ui.piano import HIGHEST, LOWEST, Piano, is_black


class Notes:
    """Follows pressed and released."""

    def __init__(self, player: Piano | ComputerKeyboard) -> None:
        self.down: list[int] = []
        self.struck: list[tuple[int, int]] = []
        player.pressed.connect(self._press)
        player.released.connect(self._release)

    def _press(self, note: int, velocity: int) -> None:
        self.down.append(note)
        self.struck.append((note, velocity))

    def _release(self, note: int) -> None:
        self.down.remove(note)


@pytest.fixture
def piano(qtbot: QtBot) -> Piano:
    made = Piano()
    qtbot.addWidget(made)
    made.resize(1040, 80)
    made.show()
    return made


@pytest.fixture
def page_of_keys(qtbot: QtBot) -> Iterator[tuple[QWidget, QLineEdit, ComputerKeyboard, Notes]]:
    window = QWidget()
    field, other = QLineEdit(), QWidget(focusPolicy=Qt.FocusPolicy.StrongFocus)
    layout = QVBoxLayout(window)
    layout.addWidget(field)
    layout.addWidget(other)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    other.setFocus()
    keys = ComputerKeyboard(lambda: True, window)
    yield other, field, keys, Notes(keys)
    QApplication.instance().removeEventFilter(keys)


@pytest.mark.parametrize("note", range(LOWEST, HIGHEST + 1))
def test_every_key_is_where_it_is_drawn(piano: Piano, note: int) -> None:
    rect = piano.key_rect(note)
    low = QPointF(rect.center().x(), rect.bottom() - 3)
    assert piano.note_at(low) == note


def test_lower_on_the_key_is_louder(piano: Piano) -> None:
    velocities = [piano.velocity_at(60, y) for y in (0, 20, 40, 60, 79)]
    assert velocities == sorted(velocities) and velocities[0] == 16 and velocities[-1] == 127


def test_a_glissando_holds_one_key_at_a_time(piano: Piano) -> None:
    notes = Notes(piano)
    places = [piano.key_rect(note).center().toPoint() + QPoint(0, 25) for note in (60, 62, 64, 65)]
    QTest.mousePress(piano, Qt.MouseButton.LeftButton, pos=places[0])
    for place in places[1:]:
        event_pos = QPointF(place)
        QApplication.sendEvent(piano, _move(event_pos, piano))
        assert len(notes.down) == 1
    QTest.mouseRelease(piano, Qt.MouseButton.LeftButton, pos=places[-1])
    assert [note for note, _ in notes.struck] == [60, 62, 64, 65]
    assert notes.down == []


def _move(place: QPointF, widget: QWidget) -> QEvent:
    from PySide6.QtGui import QMouseEvent

    left = Qt.MouseButton.LeftButton
    return QMouseEvent(QEvent.Type.MouseMove, place, widget.mapToGlobal(place), left, left, Qt.KeyboardModifier.NoModifier)


def test_hiding_the_piano_lets_go(piano: Piano) -> None:
    notes = Notes(piano)
    QTest.mousePress(piano, Qt.MouseButton.LeftButton, pos=QPoint(500, 70))
    piano.hide()
    assert len(notes.struck) == 1 and notes.down == []


def test_the_piano_lights_what_sounds(piano: Piano, page: Telemetry) -> None:
    dark = piano.grab().toImage()
    page.data["keys"][60] = 100
    piano.read(page)
    at = piano.key_rect(60).center().toPoint() + QPoint(0, 20)
    assert piano.grab().toImage().pixelColor(at) != dark.pixelColor(at)


@pytest.mark.parametrize(
    ("platform", "scan", "virtual", "expected"),
    [("xcb", 38, 0, "A"), ("wayland", 52, 0, "Z"), ("cocoa", 0, 0x00, "A"), ("windows", 30, 0, "A"), ("xcb", 9, 0, "")],
)
def test_places_by_scan_code(platform: str, scan: int, virtual: int, expected: str) -> None:
    # the letter is that of a French keyboard, where Q stands on the place of A
    assert place_of(scan, virtual, Qt.Key.Key_Q, platform) == expected


def test_keys_play_once_and_stop(page_of_keys: tuple[QWidget, QLineEdit, ComputerKeyboard, Notes]) -> None:
    widget, _, _, notes = page_of_keys
    QTest.keyPress(widget, Qt.Key.Key_A)
    QApplication.sendEvent(
        widget, QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_A, Qt.KeyboardModifier.NoModifier, "a", autorep=True)
    )
    QTest.keyPress(widget, Qt.Key.Key_T)
    assert notes.down == [60, 60 + ORDER.index("T")]
    QTest.keyRelease(widget, Qt.Key.Key_A)
    QTest.keyRelease(widget, Qt.Key.Key_T)
    assert notes.down == []


def test_an_octave_change_lets_go_first(page_of_keys: tuple[QWidget, QLineEdit, ComputerKeyboard, Notes]) -> None:
    widget, _, keys, notes = page_of_keys
    QTest.keyPress(widget, Qt.Key.Key_A)
    QTest.keyPress(widget, Qt.Key.Key_X)
    assert notes.down == [] and keys.base == 72
    QTest.keyPress(widget, Qt.Key.Key_A)
    QTest.keyRelease(widget, Qt.Key.Key_A)
    assert [note for note, _ in notes.struck] == [60, 72] and notes.down == []


def test_a_repeating_key_does_not_strike_again_after_an_octave_change(
    page_of_keys: tuple[QWidget, QLineEdit, ComputerKeyboard, Notes],
) -> None:
    widget, _, keys, notes = page_of_keys
    QTest.keyPress(widget, Qt.Key.Key_A)
    keys.shift(1)
    repeat = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_A, Qt.KeyboardModifier.NoModifier, "a", autorep=True)
    QApplication.sendEvent(widget, repeat)
    assert notes.down == []
    QTest.keyRelease(widget, Qt.Key.Key_A)
    QTest.keyPress(widget, Qt.Key.Key_A)
    assert notes.down == [72]
    QTest.keyRelease(widget, Qt.Key.Key_A)


def test_typing_in_a_field_is_typing(page_of_keys: tuple[QWidget, QLineEdit, ComputerKeyboard, Notes]) -> None:
    widget, field, _, notes = page_of_keys
    QTest.keyPress(widget, Qt.Key.Key_A)
    field.setFocus()
    assert notes.down == [], "the focus left while a key was down"
    QTest.keyClicks(field, "sadz")
    assert field.text() == "sadz" and len(notes.struck) == 1


def test_shortcuts_are_left_alone(page_of_keys: tuple[QWidget, QLineEdit, ComputerKeyboard, Notes]) -> None:
    widget, _, keys, notes = page_of_keys
    QTest.keyClick(widget, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(widget, Qt.Key.Key_F, Qt.KeyboardModifier.ShiftModifier)
    keys.enabled = False
    QTest.keyClick(widget, Qt.Key.Key_S)
    assert notes.struck == []


def test_losing_the_application_lets_go(page_of_keys: tuple[QWidget, QLineEdit, ComputerKeyboard, Notes]) -> None:
    widget, _, _, notes = page_of_keys
    QTest.keyPress(widget, Qt.Key.Key_D)
    QApplication.instance().applicationStateChanged.emit(Qt.ApplicationState.ApplicationInactive)
    assert notes.down == []


def test_black_keys() -> None:
    assert [note for note in range(60, 72) if is_black(note)] == [61, 63, 66, 68, 70]
