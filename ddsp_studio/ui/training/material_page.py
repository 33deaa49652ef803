"""Recordings to learn from: what is in them, what is wrong with them, and how to train."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ddsp_studio.training import listen
from ddsp_studio.training.listen import Heard
from ddsp_studio.ui import theme
from ddsp_studio.ui.inspector.sections import Section
from ddsp_studio.ui.training import plan
from ddsp_studio.ui.training.curves import FeatureCurves
from ddsp_studio.ui.training.file_list import FileList
from ddsp_studio.ui.training.note_choice import NoteChoice
from ddsp_studio.ui.training.scrolled import Scrolled
from ddsp_studio.ui.training.story import span
from ddsp_studio.ui.training.variation import Variation

_NONE_FITS = "No notes of NSynth are what is chosen: choose a wider range, or another instrument"
_OCTAVES = {0: "as it is heard", -1: "an octave lower", -2: "two octaves lower", 1: "an octave higher", 2: "two octaves higher"}


class MaterialPage(QWidget):
    """Shows files as they are listened to; `train_wanted(Plan)` when the button is pressed."""

    train_wanted = Signal(object)
    files_wanted = Signal()
    folder_wanted = Signal()
    removed = Signal(list)
    """Paths of recordings that were taken out."""
    cancelled = Signal()
    """Listening is to end, or the recordings are to be put aside."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._named = True
        self._refused: list[str] = []
        self._new: QTreeWidgetItem | None = None
        """The first row that is of use of what was given last."""
        self.total = QLabel(wordWrap=True)
        self.total.setFont(theme.font(13, bold=True))
        self.bar = QProgressBar(maximum=1000, textVisible=False)
        self.bar.setStyleSheet("min-height: 4px; max-height: 4px;")
        self.files = FileList()
        self.files.currentItemChanged.connect(lambda _item, _before: self._show_curves())
        self.files.itemSelectionChanged.connect(self._show_chosen)
        self.files.remove_wanted.connect(self.take_out)
        self.curves = FeatureCurves()
        self.advice = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.advice.setProperty("soft", True)
        self._make_fields()
        calm = _CalmWheel(self)
        choices = (self.base, self.network, self.minutes, self.octave, self.licence)
        for field in (*self.notes.fields, *choices, *self.variation.fields):
            field.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            field.installEventFilter(calm)
        self._make_buttons()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 0, 10)
        layout.setSpacing(8)
        layout.addWidget(self._contents(), 1)
        layout.addLayout(self._button_row())

    def _contents(self) -> Scrolled:
        """All but the buttons, which stay in place when a low window scrolls the rest."""
        page = Scrolled(spacing=7)
        page.column.addWidget(self.total)
        page.column.addWidget(self.bar)
        page.column.addWidget(self.files, 3)
        page.column.addWidget(self.curves, 2)
        page.column.addWidget(self.notes)
        page.column.addWidget(self.advice)
        page.column.addLayout(self._form((("Name", self.name), ("Learns", self.base), ("Time", self.minutes))))
        page.column.addWidget(self.details)
        self.details.folded.connect(lambda _folded: page.show_all_of(self.details))
        return page

    def _make_fields(self) -> None:
        self.notes = NoteChoice()
        self.notes.hide()
        self.notes.changed.connect(self._choose_notes)
        self.name = QLineEdit(placeholderText="Name of the instrument")
        self.name.textEdited.connect(self._name_typed)
        self.name.setMaxLength(60)
        self.base = QComboBox()
        self.base.setToolTip("What learns: a template, or the patch in the editor if anything in it can learn")
        self.network = QComboBox()
        for key, words in plan.SIZE_WORDS.items():
            self.network.addItem(words, key)
        self.network.setCurrentIndex(self.network.findData(plan.good_size()))
        self.network.setToolTip(
            "How large the networks are: larger is finer and slower, and wants more of the machine; what suits this one is chosen"
        )
        self.minutes = QDoubleSpinBox(minimum=0.5, maximum=1440.0, value=plan.MINUTES, decimals=1, suffix=" min")
        self.minutes.setToolTip("How long to train; it can be stopped at any time, and what was learned is kept")
        self.octave = QComboBox()
        for octave, words in _OCTAVES.items():
            self.octave.addItem(words, octave)
        self.octave.setToolTip("If the curve shows the notes in the wrong octave, move them here")
        self.octave.currentIndexChanged.connect(lambda _index: self._shift(int(self.octave.currentData())))
        self.variation = Variation()
        self.licence = QComboBox(editable=True)
        self.licence.addItems(["", *plan.LICENCES])
        self.licence.setToolTip("Where the recordings come from and under which licence; it is kept in the model")
        field = self.licence.lineEdit()
        if field is not None:
            field.setPlaceholderText("Whose recordings are they?")

        self.details = Section("More", foldable=True, is_folded=True)
        more = (("Size", self.network), ("Origin", self.licence), ("Pitch", self.octave), ("Vary", self.variation))
        self.details.rows.addLayout(self._form(more))

    def _form(self, fields: Sequence[tuple[str, QWidget]]) -> QGridLayout:
        """Fields under one another, each behind its name."""
        form = QGridLayout()
        form.setHorizontalSpacing(8)
        form.setVerticalSpacing(5)
        form.setColumnStretch(1, 1)
        form.setColumnMinimumWidth(0, self.notes.label_width)
        for row, (words, field) in enumerate(fields):
            label = QLabel(words)
            label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            label.setBuddy(field)
            label.setFixedHeight(self.name.sizeHint().height())  # of several fields under one another it stands beside the first
            field.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            field.setMinimumWidth(60)
            field.setAccessibleName(words)
            form.addWidget(label, row, 0, Qt.AlignmentFlag.AlignTop)
            form.addWidget(field, row, 1)
        return form

    def _make_buttons(self) -> None:
        self.more = QPushButton("Add")
        menu = QMenu(self.more)
        menu.addAction("Files…", self.files_wanted.emit)
        menu.addAction("Folder…", self.folder_wanted.emit)
        self.more.setMenu(menu)
        self.more.setToolTip("Add recordings or data sets; they can be dropped here, too")
        self.remove = QPushButton("Remove")
        self.remove.setToolTip("Take the selected recordings out (Delete)")
        self.remove.clicked.connect(lambda: self.take_out(self.files.chosen))
        self.clear = QPushButton("Clear")
        self.clear.setToolTip("Stop listening and put the recordings aside")
        self.clear.clicked.connect(self.cancelled)
        self.train = QPushButton("Train", default=True)
        self.train.setMinimumHeight(30)
        self.train.clicked.connect(lambda: self.train_wanted.emit(self.plan()))
        for button in (self.more, self.remove, self.clear):
            button.setStyleSheet("QPushButton { padding: 5px 8px; }")

    def _button_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 10, 0)
        row.addWidget(self.more)
        row.addWidget(self.remove)
        row.addWidget(self.clear)
        row.addStretch(1)
        row.addWidget(self.train, 2)
        return row

    # -- what it shows ------------------------------------------------------------------------------------------------

    @property
    def first(self) -> QWidget:
        """What is reached for first."""
        return self.train if self.train.isEnabled() else self.files

    @property
    def heard(self) -> list[Heard]:
        """What was heard so far."""
        return self.files.heard

    def begin(self, files: Sequence[Path]) -> None:
        """Listening to these files begins; there are no others, and what was said of others does not hold for them."""
        self.files.clear()
        self.notes.reset()
        self._offer_notes()
        self._named = True
        self.octave.setCurrentIndex(self.octave.findData(0))
        self.licence.setCurrentIndex(0)
        self.curves.clear()
        self.go_on(files)
        self._show_chosen()

    def go_on(self, files: Sequence[Path]) -> None:
        """Listening goes on; `files` is all that was given."""
        self._refused, self._new = [], None
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
        item = self.files.show_heard(heard)
        if heard.f0_hz:
            self._new = self._new or item
            if self.files.currentItem() is None:
                self.files.setCurrentItem(item)
        if heard.notes:
            self._offer_notes()
        self.total.setText(f"Listening… {self._sum()}")

    def finish(self) -> None:
        """All files have been listened to."""
        self.bar.hide()
        self._judge()
        if self._new is not None:
            self.files.scrollToItem(self._new, QAbstractItemView.ScrollHint.PositionAtCenter)
            self._new = None
        focus = QApplication.focusWidget()
        if focus is None or (self.isAncestorOf(focus) and not isinstance(focus, QLineEdit | QAbstractSpinBox)):
            self.train.setFocus()  # nobody types, here or elsewhere

    def refuse(self, sentence: str) -> None:
        """Some of what was given cannot be used; the rest is listened to."""
        self._refused.append(sentence)

    def fail(self, sentence: str) -> None:
        """Some of what was given cannot be used, and there is no more."""
        self.refuse(sentence)
        self.finish()

    def take_out(self, paths: Sequence[str]) -> None:
        """Remove recordings from the list."""
        self._new = None
        self.files.remove(paths)
        self._offer_notes()
        self._show_curves()
        if self.bar.isHidden():
            self._judge()
        self.removed.emit(list(paths))

    def _offer_notes(self) -> None:
        self.notes.offer(self.files.notes, whole=self.files.whole)
        self.files.narrow(self.notes.wanted)

    def _choose_notes(self) -> None:
        self.files.narrow(self.notes.wanted)
        if self.bar.isHidden():
            self._judge()

    def _judge(self) -> None:
        """Say what the recordings are good for, and what would help."""
        heard, told = self.heard, list(self._refused)
        usable = sum(each.usable_s for each in heard)
        if heard:
            self.total.setText(f"{self._sum()}, {span(usable) if usable else 'nothing'} usable")
            self.total.setToolTip("Usable is what sounds, with a pitch that an instrument can follow")
            told += [_NONE_FITS] if not usable and self.notes.narrows else listen.advice(heard)
        else:
            self.total.setText("Nothing can be used")
        self.advice.setVisible(bool(told))
        self.advice.setText("\n".join(f"{words.rstrip('.')}." for words in told))
        self.ready()

    def _sum(self) -> str:
        heard = self.heard
        sets = sum(bool(each.kind) for each in heard)
        counts = ((len(heard) - sets, "file"), (sets, "data set"))
        told = " and ".join(f"{count:,} {what}{'' if count == 1 else 's'}" for count, what in counts if count)
        about = "" if all(each.exact for each in heard) else "about "
        return f"{told}, {about}{span(sum(each.seconds for each in heard))} of sound"

    def show_bases(self, editor: str, learns: bool) -> None:
        """Offer the templates, and the patch in the editor under its title if it can learn."""
        chosen = self.base.currentData()
        self.base.clear()
        for name, title in plan.templates().items():
            self.base.addItem(f"{title} (template)", name)
        if learns:
            self.base.addItem(f"“{editor}” in the editor", "")
        self.base.setCurrentIndex(max(0, self.base.findData(chosen)))

    def _show_curves(self) -> None:
        heard = self.files.current
        if heard is not None:
            self.curves.show_file(heard.f0_hz, heard.loudness_db, heard.seconds)

    def _shift(self, octaves: int) -> None:
        self.curves.shift(octaves)
        self.files.shift(octaves)

    def _show_chosen(self) -> None:
        self.remove.setEnabled(bool(self.files.chosen))

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
            gain_db=self.variation.gain_db,
            pitch_cents=self.variation.pitch_cents,
            noise_db=self.variation.noise_db,
            nsynth=self.notes.wanted,
        )

    def ready(self) -> None:
        """Training may be asked for again."""
        self.train.setEnabled(any(heard.usable_s > 0.0 for heard in self.heard))

    def sizeHint(self) -> QSize:
        """A comfortable size."""
        return QSize(380, 600)


class _CalmWheel(QObject):
    """Lets the wheel scroll the page; it turns only the field that is being edited."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Hand the wheel on."""
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return False
