"""Which notes of NSynth to learn from: family, source, instrument, keys and velocities."""

from __future__ import annotations

import re
from collections.abc import Iterable

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QValidator
from PySide6.QtWidgets import QComboBox, QCompleter, QGridLayout, QHBoxLayout, QLabel, QLineEdit, QSizePolicy, QSpinBox, QWidget

from ddsp_studio.processors.units import hz_to_note, note_name, parse_quantity
from ddsp_studio.training.data.nsynth import FAMILIES, SOURCES, NSynthFilter
from ddsp_studio.training.data.nsynth_notes import Notes, chosen, count

_LAST = 127
_CALM_MS = 150
_NAME = re.compile(rf"({'|'.join(FAMILIES)})_({'|'.join(SOURCES)})_\d{{3}}")


class NoteChoice(QWidget):
    """Fields in two columns; `changed` when another choice has been made and for a moment no further one."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._notes: list[Notes] = []
        self._whole = True
        self._settled = QTimer(self, singleShot=True, interval=_CALM_MS)
        self._settled.timeout.connect(self.changed)
        self.family = _choice("Every family", FAMILIES)
        self.source = _choice("Every source", SOURCES)
        self.instrument = QComboBox()
        self.instrument.setToolTip("One instrument of the data set; what learns from several is a mixture")
        self._let_search()
        self.keys = _KeyBox(0), _KeyBox(_LAST)
        self.velocity = QSpinBox(maximum=_LAST), QSpinBox(maximum=_LAST, value=_LAST)
        self._lay_out()
        self._list_instruments()
        self.label_width = self.fontMetrics().horizontalAdvance("NSynth")
        """Of the first column, in pixels."""
        for box in (self.family, self.source):
            box.currentIndexChanged.connect(self._list_instruments)
            box.currentIndexChanged.connect(self._wait)
        self.instrument.currentIndexChanged.connect(self._wait)
        for low, high in (self.keys, self.velocity):
            low.valueChanged.connect(high.setMinimum)
            high.valueChanged.connect(low.setMaximum)
            low.valueChanged.connect(self._wait)
            high.valueChanged.connect(self._wait)

    def _wait(self) -> None:
        self._settled.start()  # a signal's number would be taken for the interval

    def _let_search(self) -> None:
        """A part of a name that is typed lists the instruments that have it: NSynth has a thousand."""
        box, field = self.instrument, QLineEdit()
        box.setEditable(True)
        box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        box.setLineEdit(field)
        completer = QCompleter(box.model(), box)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        box.setCompleter(completer)
        field.editingFinished.connect(self._show_instrument)

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(5)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        rows: tuple[tuple[tuple[str, tuple[QWidget, ...]], ...], ...] = (
            (("NSynth", (self.instrument,)),),
            (("Family", (self.family,)), ("Source", (self.source,))),
            (("Keys", self.keys), ("Velocity", self.velocity)),
        )
        for row, fields in enumerate(rows):
            for at, (words, widgets) in enumerate(fields):
                label = QLabel(words)
                label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                label.setBuddy(widgets[0])
                grid.addWidget(label, row, 2 * at)
                grid.addLayout(_side_by_side(words, widgets), row, 2 * at + 1, 1, 1 if len(fields) > 1 else 3)

    @property
    def fields(self) -> tuple[QWidget, ...]:
        """All that can be set."""
        return (self.family, self.source, self.instrument, *self.keys, *self.velocity)

    @property
    def wanted(self) -> NSynthFilter:
        """What is chosen; everything while there is no NSynth."""
        if not self._notes:
            return NSynthFilter()
        (lowest, highest), (softest, loudest) = self.keys, self.velocity
        return NSynthFilter(
            families=_chosen(self.family),
            sources=_chosen(self.source),
            instruments=_chosen(self.instrument),
            pitch=(lowest.value(), highest.value()),
            velocity=(softest.value(), loudest.value()),
        )

    @property
    def narrows(self) -> bool:
        """Whether anything less than everything is wanted."""
        return self.wanted != NSynthFilter()

    def offer(self, notes: Iterable[Notes], *, whole: bool) -> None:
        """Choose among the notes of these data sets, all or (not `whole`) their first; without any there is nothing to choose."""
        self._notes, self._whole = list(notes), whole
        self._list_instruments()
        self.setVisible(bool(self._notes))

    def reset(self) -> None:
        """Everything is wanted."""
        for box in (self.family, self.source, self.instrument):
            box.setCurrentIndex(0)
        for low, high in (self.keys, self.velocity):
            low.setValue(0)
            high.setValue(_LAST)
        self._settled.stop()

    def _show_instrument(self) -> None:
        """Choose what was typed: a whole name, or a part that only one has; anything else gives way to what is chosen."""
        box, typed = self.instrument, self.instrument.currentText().strip().lower()
        if typed != box.itemText(box.currentIndex()).lower():
            having = [index for index in range(1, box.count()) if typed and typed in str(box.itemData(index))]
            exact = box.findData(typed)
            if exact > 0 or len(having) == 1:
                box.setCurrentIndex(exact if exact > 0 else having[0])
            elif not self._whole and _NAME.fullmatch(typed):
                box.addItem(f"{typed} (not among the first)", typed)
                box.setCurrentIndex(box.count() - 1)
        box.setEditText(box.itemText(box.currentIndex()))

    def _list_instruments(self) -> None:
        """Those of the family and source, with how many notes were seen of each."""
        wanted = NSynthFilter(families=_chosen(self.family), sources=_chosen(self.source))
        held: dict[str, int] = {}
        for notes in self._notes:
            for name, own in chosen(notes, wanted).items():
                held[name] = held.get(name, 0) + count({name: own})
        before = self.instrument.currentData()
        self.instrument.blockSignals(True)
        self.instrument.clear()
        self.instrument.addItem("Every instrument", "")
        for name, number in sorted(held.items()):
            seen = f" ({number:,} note{'' if number == 1 else 's'})" if self._whole else ""
            self.instrument.addItem(f"{name}{seen}", name)
        self.instrument.setCurrentIndex(max(0, self.instrument.findData(before)))
        self.instrument.blockSignals(False)


class _KeyBox(QSpinBox):
    """A MIDI key by its name."""

    def __init__(self, key: int) -> None:
        super().__init__(maximum=_LAST, value=key)

    def textFromValue(self, value: int) -> str:
        """60 is C4."""
        return note_name(value)

    def valueFromText(self, text: str) -> int:
        """C4, or 60."""
        key = _key(text)
        return self.value() if key is None else key

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """A name is being typed as long as it is none."""
        right = _key(text) is not None
        return (QValidator.State.Acceptable if right else QValidator.State.Intermediate), text, position


def _key(text: str) -> int | None:
    text = text.strip()
    try:
        key = int(text) if text.isdigit() else round(hz_to_note(parse_quantity(text, "Hz")))
    except (ValueError, OverflowError):
        return None
    return key if 0 <= key <= _LAST else None


def _chosen(box: QComboBox) -> tuple[str, ...]:
    """What a box asks for; nothing where it asks for all."""
    return (str(box.currentData()),) if box.currentData() else ()


def _choice(all_of_them: str, names: Iterable[str]) -> QComboBox:
    box = QComboBox()
    box.addItem(all_of_them, "")
    for name in names:
        box.addItem(name.replace("_", " ").capitalize(), name)
    return box


def _side_by_side(words: str, widgets: tuple[QWidget, ...]) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(4)
    for number, widget in enumerate(widgets):
        if number:
            row.addWidget(QLabel("–"))
        widget.setMinimumWidth(52)
        widget.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        end = "" if len(widgets) == 1 else (", lowest", ", highest")[number]
        widget.setAccessibleName(f"{'Instrument of NSynth' if words == 'NSynth' else words}{end}")
        row.addWidget(widget, 1)
    return row
