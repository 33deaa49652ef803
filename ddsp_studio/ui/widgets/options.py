"""Editors for a processor's options: a choice, a whole number, or a file."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QToolButton,
    QWidget,
)

from ddsp_studio.processors.declare import Control, Option, OptionValue
from ddsp_studio.ui.widgets.number_field import NumberField
from ddsp_studio.ui.widgets.texts import readable

_PATTERNS = {"audio": "*.wav *.flac *.aiff *.aif *.ogg *.mp3", "midi": "*.mid *.midi"}
"""File patterns of the kinds that options name."""


class OptionEditor(QWidget):
    """One option with its name. `chosen` carries the new value when the user has settled on it."""

    chosen = Signal(object)

    def __init__(self, name: str, option: Option, value: OptionValue, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name, self.option = name, option
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        if option.choices or option.path:
            label = QLabel(readable(name), self)
            label.setProperty("soft", True)
            label.setMinimumWidth(72)
            self._row.addWidget(label)
        self._combo: QComboBox | None = None
        self._field: NumberField | None = None
        self._path: QLineEdit | None = None
        if option.choices:
            self._build_choice()
        elif option.path:
            self._build_path()
        else:
            self._build_number()
        self.setToolTip(option.doc or f"Default: {option.default or 'none'}")
        self.set_value(value)

    def set_value(self, value: OptionValue) -> None:
        """Show a value; emits nothing."""
        if self._combo is not None:
            self._combo.setCurrentText(str(value))
        elif self._field is not None:
            self._field.set_value(float(value))
        elif self._path is not None:
            self._path.setText(str(value))
            self._path.setToolTip(str(value))

    def _add(self, widget: QWidget) -> None:
        widget.setAccessibleName(readable(self.name))
        widget.installEventFilter(self)
        self._row.addWidget(widget, 1)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Leave the wheel to the scroll area unless the editor has the focus."""
        if event.type() is QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return False

    def _choose(self, value: OptionValue) -> None:
        self.chosen.emit(value)

    def _build_choice(self) -> None:
        self._combo = QComboBox(self)
        self._combo.addItems(self.option.choices)
        self._combo.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._combo.textActivated.connect(self._choose)
        self._add(self._combo)

    def _build_number(self) -> None:
        unit, default = self.option.unit, float(self.option.default)
        field = NumberField(
            self.name, Control(unit=unit, low=self.option.low, high=self.option.high, default=default, doc=self.option.doc)
        )
        field.whole = isinstance(self.option.default, int)
        field.committed.connect(self._number_chosen)
        self._field = field
        self._row.addWidget(field, 1)

    def _number_chosen(self) -> None:
        if self._field is not None:
            self._choose(int(self._field.value) if self._field.whole else self._field.value)

    def _build_path(self) -> None:
        self._path = QLineEdit(self)
        self._path.setPlaceholderText(f"no {self.option.path} file")
        self._path.editingFinished.connect(self._path_typed)
        self._add(self._path)
        for text, tip, action in (("…", "Choose a file", self._browse), ("✕", "Take the file away", self._clear)):
            button = QToolButton(self)
            button.setText(text)
            button.setToolTip(tip)
            button.setAccessibleName(tip)
            button.clicked.connect(action)
            self._row.addWidget(button)

    def _path_typed(self) -> None:
        if self._path is not None:
            self.chosen.emit(self._path.text().strip())

    def _clear(self) -> None:
        self.chosen.emit("")

    def _browse(self) -> None:
        if self._path is None:
            return
        kinds = _PATTERNS.get(self.option.path, "*")
        start = str(Path(self._path.text()).parent) if self._path.text() else ""
        filters = f"{self.option.path.capitalize()} files ({kinds});;All files (*)"
        path, _ = QFileDialog.getOpenFileName(self, f"Choose {readable(self.name)}", start, filters)
        if path:
            self.chosen.emit(path)
