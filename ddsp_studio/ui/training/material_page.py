"""Recordings to learn from: what is in them, what is wrong with them, and how to train."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ddsp_studio.processors.units import note_name
from ddsp_studio.training.listen import Heard, Surveyed
from ddsp_studio.ui import theme
from ddsp_studio.ui.training import plan
from ddsp_studio.ui.training.curves import FeatureCurves
from ddsp_studio.ui.training.story import span

_HEARD = Qt.ItemDataRole.UserRole
_OCTAVES = {0: "as it is heard", -1: "an octave lower", -2: "two octaves lower", 1: "an octave higher", 2: "two octaves higher"}


class MaterialPage(QWidget):
    """Shows files as they are listened to; `train_wanted(Plan)` when the button is pressed."""

    train_wanted = Signal(object)
    files_wanted = Signal()
    cancelled = Signal()
    """Listening is to end, or the recordings are to be put aside."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._heard: list[Heard] = []
        self._named = True
        self.total = QLabel(wordWrap=True)
        self.total.setFont(theme.font(13, bold=True))
        self.bar = QProgressBar(maximum=1000, textVisible=False)
        self.bar.setFixedHeight(6)
        self.files = _file_list()
        self.files.currentItemChanged.connect(lambda item, _before: self._show_curves(item))
        self.curves = FeatureCurves()
        self.advice = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.advice.setProperty("soft", True)
        self._make_fields()
        self._make_buttons()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 10)
        layout.setSpacing(8)
        layout.addWidget(self.total)
        layout.addWidget(self.bar)
        layout.addWidget(self.files, 3)
        layout.addWidget(self.curves, 2)
        layout.addWidget(self.advice)
        layout.addLayout(self._form())
        layout.addLayout(self._button_row())

    def _make_fields(self) -> None:
        self.name = QLineEdit(placeholderText="Name of the instrument")
        self.name.textEdited.connect(self._name_typed)
        self.name.setMaxLength(60)
        self.base = QComboBox()
        self.base.setToolTip("What learns: a template, or the patch in the editor if anything in it can learn")
        self.network = QComboBox()
        for key, words in plan.SIZE_WORDS.items():
            self.network.addItem(words, key)
        self.network.setCurrentIndex(self.network.findData(plan.good_size()))
        self.network.setToolTip("How large the networks are; the one that suits this machine is chosen")
        self.minutes = QDoubleSpinBox(minimum=0.5, maximum=1440.0, value=plan.MINUTES, decimals=1, suffix=" min")
        self.minutes.setToolTip("How long to train; it can be stopped at any time, and what was learned is kept")
        self.octave = QComboBox()
        for octave, words in _OCTAVES.items():
            self.octave.addItem(words, octave)
        self.octave.setToolTip("If the curve shows the notes in the wrong octave, move them here")
        self.octave.currentIndexChanged.connect(lambda _index: self.curves.shift(int(self.octave.currentData())))
        self.licence = QComboBox(editable=True)
        self.licence.addItems(["", *plan.LICENCES])
        self.licence.setToolTip("Where the recordings come from and under which licence; it is kept in the model")
        field = self.licence.lineEdit()
        if field is not None:
            field.setPlaceholderText("Whose recordings are they?")

    def _form(self) -> QGridLayout:
        form = QGridLayout()
        form.setHorizontalSpacing(8)
        form.setVerticalSpacing(5)
        form.setColumnStretch(1, 3)
        form.setColumnStretch(3, 2)
        wide = (("Name", self.name), ("Learns", self.base), ("Origin", self.licence))
        for row, (words, field) in enumerate(wide):
            _put(form, row, 0, words, field, 3)
        _put(form, 3, 0, "Size", self.network, 1)
        _put(form, 3, 2, "Time", self.minutes, 1)
        _put(form, 4, 0, "Pitch", self.octave, 3)
        return form

    def _make_buttons(self) -> None:
        self.more = QPushButton("Add files…")
        self.more.clicked.connect(self.files_wanted)
        self.clear = QPushButton("Clear")
        self.clear.setToolTip("Stop listening and put the recordings aside")
        self.clear.clicked.connect(self.cancelled)
        self.train = QPushButton("Train", default=True)
        self.train.setMinimumHeight(30)
        self.train.clicked.connect(self._press)

    def _button_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addWidget(self.more)
        row.addWidget(self.clear)
        row.addStretch(1)
        row.addWidget(self.train, 2)
        return row

    # -- what it shows ------------------------------------------------------------------------------------------------

    def begin(self, files: Sequence[Path]) -> None:
        """Listening to these files begins."""
        self._heard = []
        self.files.clear()
        self.curves.show_file([], [], 0.0)
        self.advice.clear()
        self.advice.hide()
        self.total.setText("Listening…")
        self.bar.setValue(0)
        self.bar.show()
        self.train.setEnabled(False)
        if self._named:
            self.name.setText(plan.name_of(files))

    def progress(self, share: float) -> None:
        """How much has been listened to, 0..1."""
        self.bar.setValue(round(1000 * share))

    def add(self, heard: Heard) -> None:
        """A file has been listened to."""
        self._heard.append(heard)
        item = _file_item(heard)
        self.files.addTopLevelItem(item)
        item.setExpanded(True)
        if self.files.currentItem() is None and heard.f0_hz:
            self.files.setCurrentItem(item)
        self.total.setText(f"Listening… {self._sum()}")

    def finish(self, found: Surveyed) -> None:
        """All files have been listened to."""
        self.bar.hide()
        useful = f"{span(found.usable_s)} of it can be learned from" if found.usable_s else "nothing of it can be learned from"
        self.total.setText(f"{self._sum()}; {useful}")
        self.advice.setVisible(bool(found.advice))
        self.advice.setText("\n".join(f"{words.rstrip('.')}." for words in found.advice))
        self.train.setEnabled(found.usable_s > 0.0)
        self.train.setFocus()

    def fail(self, sentence: str) -> None:
        """Nothing can be used."""
        self.bar.hide()
        self.total.setText("Nothing can be used")
        self.advice.setText(sentence)
        self.advice.show()

    def _sum(self) -> str:
        count, seconds = len(self._heard), sum(heard.seconds for heard in self._heard)
        return f"{count} file{'' if count == 1 else 's'}, {span(seconds)} of sound"

    def show_bases(self, editor: str, learns: bool) -> None:
        """Offer the templates, and the patch in the editor under its title if it can learn."""
        chosen = self.base.currentData()
        self.base.clear()
        for name, title in plan.templates().items():
            self.base.addItem(f"{title} (template)", name)
        if learns:
            self.base.addItem(f"“{editor}” in the editor", "")
        self.base.setCurrentIndex(max(0, self.base.findData(chosen)))

    def _show_curves(self, item: QTreeWidgetItem | None) -> None:
        while item is not None and item.parent() is not None:
            item = item.parent()
        heard = item.data(0, _HEARD) if item is not None else None
        if isinstance(heard, Heard):
            self.curves.show_file(heard.f0_hz, heard.loudness_db, heard.seconds)

    # -- choices --------------------------------------------------------------------------------------------------------

    def _name_typed(self, text: str) -> None:
        self._named = not text.strip()

    def plan(self) -> plan.Plan:
        """What is chosen."""
        return plan.Plan(
            name=self.name.text().strip() or "Instrument",
            template=str(self.base.currentData() or ""),
            size=str(self.network.currentData()),
            minutes=self.minutes.value(),
            licence=self.licence.currentText().strip(),
            octave=int(self.octave.currentData()),
        )

    def _press(self) -> None:
        self.train.setEnabled(False)  # answers at once, and once
        self.train_wanted.emit(self.plan())

    def ready(self) -> None:
        """Training may be asked for again."""
        self.train.setEnabled(any(heard.usable_s > 0.0 for heard in self._heard))

    def sizeHint(self) -> QSize:
        """A comfortable size."""
        return QSize(380, 600)


def _put(form: QGridLayout, row: int, column: int, words: str, field: QWidget, span: int) -> None:
    label = QLabel(words)
    label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    label.setBuddy(field)
    field.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    field.setMinimumWidth(60)
    field.setAccessibleName(words)
    form.addWidget(label, row, column)
    form.addWidget(field, row, column + 1, 1, span)


def _file_list() -> QTreeWidget:
    files = QTreeWidget()
    files.setColumnCount(3)
    files.setHeaderLabels(["Recording", "Length", "Notes"])
    files.setRootIsDecorated(False)
    files.setIndentation(12)
    files.setAccessibleName("Recordings")
    files.setMinimumHeight(130)
    files.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    header = files.header()
    header.setStretchLastSection(False)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    for column in (1, 2):
        header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
    return files


def _file_item(heard: Heard) -> QTreeWidgetItem:
    notes = " – ".join(dict.fromkeys(note_name(key) for key in heard.keys)) if heard.keys else ""
    item = QTreeWidgetItem([Path(heard.path).name, span(heard.seconds) if heard.seconds else "", notes])
    item.setData(0, _HEARD, heard)
    item.setToolTip(0, heard.path)
    if not heard.usable_s:
        for column in range(3):
            item.setForeground(column, theme.colour(theme.TEXT_FAINT))
    for words in heard.warnings:
        warning = QTreeWidgetItem([f"{words.rstrip('.')}."])
        warning.setForeground(0, theme.colour(theme.WARNING if heard.usable_s else theme.DANGER))
        warning.setToolTip(0, words)
        warning.setFirstColumnSpanned(True)
        item.addChild(warning)
    return item
