"""Knob, number field, bars and options by real mouse, wheel and key events."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QComboBox

from ddsp_studio.processors.declare import Control, Law, Option
from ddsp_studio.ui.widgets import bar_shapes
from ddsp_studio.ui.widgets.bars import Bars
from ddsp_studio.ui.widgets.knob import Knob
from ddsp_studio.ui.widgets.number_field import NumberField
from ddsp_studio.ui.widgets.options import OptionEditor
from ddsp_studio.ui.widgets.texts import amount_text, control_tip, parse_amount
from ddsp_studio.ui.widgets.type_in import TypeIn
from ddsp_studio.ui.widgets.value_widget import ValueWidget

CUTOFF = Control(unit="Hz", low=20.0, high=20_000.0, default=1000.0, law=Law.OCTAVES, doc="Where it bends.")
LEVEL = Control(unit="", low=0.0, high=1.0, default=0.5)
HEIGHT = Control(unit="", low=0.0, high=1.0, default=(1.0, 0.5, 0.0), channels=16)
LEFT = Qt.MouseButton.LeftButton


class Heard:
    """What a widget told."""

    def __init__(self, widget) -> None:
        self.previews, self.commits, self.cancels = [], 0, 0
        widget.previewed.connect(self.previews.append)
        widget.committed.connect(self._committed)
        widget.cancelled.connect(self._cancelled)

    def _committed(self) -> None:
        self.commits += 1

    def _cancelled(self) -> None:
        self.cancels += 1


def shown(qtbot, widget):
    qtbot.addWidget(widget)
    widget.resize(200, widget.height())
    widget.show()
    widget.setFocus()
    return widget, Heard(widget)


def drag(qtbot, widget, pixels: int, modifier=Qt.KeyboardModifier.NoModifier, *, release: bool = True) -> None:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QMouseEvent

    start = QPointF(widget.rect().center())
    for kind, at in ((QEvent.Type.MouseButtonPress, start), (QEvent.Type.MouseMove, start - QPointF(0.0, pixels))):
        QApplication.sendEvent(widget, QMouseEvent(kind, at, widget.mapToGlobal(at), LEFT, LEFT, modifier))
    if release:
        qtbot.mouseRelease(widget, LEFT, pos=(start - QPointF(0.0, pixels)).toPoint())


def wheel(widget, steps: int, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    at = QPointF(widget.rect().center())
    turn = QPoint(0, 120 * steps)
    phase = Qt.ScrollPhase.NoScrollPhase
    QApplication.sendEvent(
        widget, QWheelEvent(at, widget.mapToGlobal(at), QPoint(), turn, Qt.MouseButton.NoButton, modifier, phase, False)
    )


@pytest.mark.parametrize("kind", [Knob, NumberField])
def test_drag_previews_then_commits_once(qtbot, kind: type[ValueWidget]) -> None:
    widget, heard = shown(qtbot, kind("level", LEVEL))
    drag(qtbot, widget, 50)
    assert widget.value == pytest.approx(0.75) and heard.previews == [pytest.approx(0.75)] and heard.commits == 1


@pytest.mark.parametrize("modifier", [Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier])
def test_shift_or_ctrl_is_fine(qtbot, modifier) -> None:
    widget, _ = shown(qtbot, Knob("level", LEVEL))
    drag(qtbot, widget, 50, modifier)
    assert widget.value == pytest.approx(0.525)


def test_escape_cancels_a_drag(qtbot) -> None:
    widget, heard = shown(qtbot, Knob("level", LEVEL))
    drag(qtbot, widget, 50, release=False)
    qtbot.keyClick(widget, Qt.Key.Key_Escape)
    assert heard.cancels == 1 and heard.commits == 0


def test_drag_stops_at_the_ends(qtbot) -> None:
    widget, _ = shown(qtbot, NumberField("cutoff", CUTOFF))
    drag(qtbot, widget, 5000)
    assert widget.value == pytest.approx(20_000.0)


def test_wheel_is_one_gesture_and_double_click_the_default(qtbot) -> None:
    widget, heard = shown(qtbot, Knob("level", LEVEL))
    wheel(widget, 2)
    wheel(widget, 1)
    assert widget.value == pytest.approx(0.56) and heard.commits == 0
    qtbot.waitUntil(lambda: heard.commits == 1, timeout=2000)
    qtbot.mouseDClick(widget, LEFT)
    assert widget.value == 0.5


@pytest.mark.parametrize(
    ("typed", "hz"), [("220", 220.0), ("A4", 440.0), ("440*2", 880.0), ("2.2 kHz", 2200.0), ("1e9", 20_000.0)]
)
def test_typing_takes_units_notes_and_arithmetic(qtbot, typed: str, hz: float) -> None:
    widget, heard = shown(qtbot, Knob("cutoff", CUTOFF))
    qtbot.keyClick(widget, Qt.Key.Key_Return)
    editor = widget.findChild(TypeIn)
    editor.setText(typed)
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert widget.value == pytest.approx(hz) and heard.commits == 1


def test_a_digit_begins_to_type_and_nonsense_is_kept_open(qtbot) -> None:
    widget, heard = shown(qtbot, NumberField("cutoff", CUTOFF))
    qtbot.keyClick(widget, "5")
    editor = widget.findChild(TypeIn)
    assert editor.text() == "5"
    qtbot.keyClicks(editor, "xx")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert editor.isVisible() and heard.commits == 0
    qtbot.keyClick(editor, Qt.Key.Key_Escape)
    assert not editor.isVisible() and widget.value == 1000.0


def test_keys_turn_and_reset(qtbot) -> None:
    widget, heard = shown(qtbot, Knob("level", LEVEL))
    qtbot.keyClick(widget, Qt.Key.Key_Up)
    qtbot.keyClick(widget, Qt.Key.Key_PageUp)
    assert widget.value == pytest.approx(0.61)
    qtbot.keyClick(widget, Qt.Key.Key_Home)
    assert widget.value == 0.0
    qtbot.keyClick(widget, Qt.Key.Key_Delete)
    assert widget.value == 0.5 and heard.commits >= 2


def test_names_for_everyone(qtbot) -> None:
    widget, _ = shown(qtbot, Knob("cutoff_hz", CUTOFF))
    assert widget.accessibleName() == "cutoff" and widget.accessibleDescription() == "1 kHz"
    tip = control_tip("cutoff_hz", CUTOFF, (440.0,))
    assert "440 Hz" in tip and "20 Hz to 20 kHz" in tip and "Where it bends." in tip
    widget.set_modulation((0.5, -0.2))
    widget.set_driven_by("lfo.out")
    widget.grab()
    assert "lfo.out" in widget.accessibleDescription()


def test_bars_are_drawn_across(qtbot) -> None:
    bars, heard = shown(qtbot, Bars("distribution", HEIGHT, (0.0,) * 16))
    area = bars._area().toRect()
    qtbot.mousePress(bars, LEFT, pos=QPoint(area.left() + 1, area.center().y()))
    drag_to(bars, QPointF(area.right() - 1, area.center().y()))
    qtbot.mouseRelease(bars, LEFT, pos=QPoint(area.right() - 1, area.center().y()))
    assert all(v == pytest.approx(0.5, abs=0.03) for v in bars.values) and heard.commits == 1


def drag_to(widget, at: QPointF, modifier=Qt.KeyboardModifier.NoModifier, button=LEFT) -> None:
    from PySide6.QtCore import QEvent
    from PySide6.QtGui import QMouseEvent

    QApplication.sendEvent(widget, QMouseEvent(QEvent.Type.MouseMove, at, widget.mapToGlobal(at), button, button, modifier))


def test_right_button_draws_a_straight_line(qtbot) -> None:
    bars, heard = shown(qtbot, Bars("distribution", HEIGHT, (0.0,) * 16))
    area = bars._area()
    right = Qt.MouseButton.RightButton
    qtbot.mousePress(bars, right, pos=QPoint(round(area.left()) + 1, round(area.top())))
    drag_to(bars, QPointF(area.center().x(), area.top() + 20.0), button=right)
    drag_to(bars, QPointF(area.right() - 1.0, area.bottom()), button=right)
    qtbot.mouseRelease(bars, right, pos=QPoint(round(area.right()) - 1, round(area.bottom())))
    steps = [a - b for a, b in zip(bars.values, bars.values[1:], strict=False)]
    assert bars.values[0] > 0.95 and bars.values[-1] < 0.05 and max(steps) - min(steps) < 0.02 and heard.commits == 1


def test_bars_by_keys_and_shapes(qtbot) -> None:
    bars, heard = shown(qtbot, Bars("distribution", HEIGHT, HEIGHT.defaults(16)))
    qtbot.keyClick(bars, Qt.Key.Key_Right)
    qtbot.keyClick(bars, Qt.Key.Key_Down)
    assert bars.values[0] == pytest.approx(0.98)
    bars._shape("Square (odd, 1/n)")
    assert bars.values[1] == 0.0 and bars.values[2] == pytest.approx(1 / 3)
    bars.reset()
    assert bars.values[:3] == (1.0, 0.5, 0.0) and heard.commits == 2
    bars.grab()


heights = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=100)
points = st.tuples(st.floats(-0.5, 1.5), st.floats(-0.5, 1.5))


@given(heights, points, points)
def test_strokes_stay_in_range_and_touch_only_what_they_cross(bars, start, end) -> None:
    drawn = bar_shapes.stroke(bars, start, end)
    first, last = sorted((bar_shapes.index_at(start[0], len(bars)), bar_shapes.index_at(end[0], len(bars))))
    assert all(0.0 <= b <= 1.0 for b in drawn)
    assert drawn[:first] == tuple(bars[:first]) and drawn[last + 1 :] == tuple(bars[last + 1 :])


@given(heights)
def test_changes_of_all_bars_stay_in_range(bars) -> None:
    for change in (bar_shapes.normalised, bar_shapes.smoothed, bar_shapes.inverted, bar_shapes.randomised):
        assert len(change(bars)) == len(bars) and all(0.0 <= b <= 1.0 + 1e-12 for b in change(bars))
    for name in bar_shapes.SHAPES:
        assert all(0.0 <= b <= 1.0 for b in bar_shapes.shaped(name, len(bars)))


@given(st.floats(-1.0, 1.0))
def test_amounts_read_back(amount: float) -> None:
    assert parse_amount(amount_text(amount)) == pytest.approx(amount, abs=0.006)


def test_options(qtbot) -> None:
    chosen: list[object] = []
    for option, value in (
        (Option(default="soft", choices=("soft", "hard")), "hard"),
        (Option(default=24, low=1, high=100), 32),
        (Option(default="", path="audio"), "room.wav"),
    ):
        editor = OptionEditor("thing", option, value)
        qtbot.addWidget(editor)
        editor.chosen.connect(chosen.append)
        editor.show()
    assert chosen == []
    choice = OptionEditor("mode", Option(default="soft", choices=("soft", "hard")), "soft")
    qtbot.addWidget(choice)
    choice.chosen.connect(chosen.append)
    qtbot.keyClick(choice.findChild(QComboBox), Qt.Key.Key_Down)
    assert chosen == ["hard"]


def test_whole_numbers(qtbot) -> None:
    editor = OptionEditor("partials", Option(default=24, low=1, high=100), 24)
    qtbot.addWidget(editor)
    chosen: list[object] = []
    editor.chosen.connect(chosen.append)
    field = editor.findChild(NumberField)
    qtbot.keyClick(field, Qt.Key.Key_Home)
    qtbot.keyClick(field, Qt.Key.Key_Up)
    assert field.value == 2.0 and chosen == [1] and isinstance(chosen[0], int)
