"""Building blocks of the inspector: headings that fold, a grid that wraps its knobs, rows for cables."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from ddsp_studio.processors.declare import Control
from ddsp_studio.processors.patch import Cable
from ddsp_studio.ui import theme
from ddsp_studio.ui.widgets.number_field import NumberField
from ddsp_studio.ui.widgets.texts import readable

PERCENT = Control(unit="%", low=-100.0, high=100.0, default=50.0, doc="How far the source moves the knob, of its whole travel.")
_KNOB_WIDTH = 78


def note(text: str, *, faint: bool = False) -> QLabel:
    """A paragraph in soft text."""
    label = QLabel(text)
    label.setWordWrap(True)
    label.setProperty("faint" if faint else "soft", True)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return label


class Section(QWidget):
    """A heading with a body; `foldable` ones open and close by a click on the heading."""

    folded = Signal(bool)

    def __init__(self, title: str, *, foldable: bool = False, is_folded: bool = False) -> None:
        super().__init__()
        self._heading = QPushButton(title, self) if foldable else QLabel(title, self)
        self._title = title
        if isinstance(self._heading, QLabel):
            self._heading.setIndent(0)
        self._heading.setAccessibleName(title)
        self._heading.setStyleSheet(
            f"* {{ border: none; border-bottom: 1px solid {theme.BORDER}; border-radius: 0; padding: 2px 0; text-align: left;"
            f" color: {theme.TEXT_SOFT}; font-weight: 600; background: transparent; }}"
            f" *:focus {{ border-bottom-color: {theme.ACCENT}; color: {theme.TEXT}; }}"
        )
        self.body = QWidget(self)
        self.rows = QVBoxLayout(self.body)
        self.rows.setContentsMargins(0, 6, 0, 2)
        self.rows.setSpacing(5)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._heading)
        layout.addWidget(self.body)
        if isinstance(self._heading, QPushButton):
            self._heading.setCheckable(True)
            self._heading.setChecked(not is_folded)
            self._heading.toggled.connect(self._fold)
            self._fold(not is_folded)

    def _fold(self, shown: bool) -> None:
        self._heading.setText(f"{'▾' if shown else '▸'}  {self._title}")
        self.body.setVisible(shown)
        self.folded.emit(not shown)


class WrapGrid(QWidget):
    """Widgets of equal width, as many in a row as fit."""

    def __init__(self) -> None:
        super().__init__()
        self._held: list[QWidget] = []
        self._columns = 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(2)
        self._grid.setVerticalSpacing(8)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)

    def add(self, widget: QWidget) -> None:
        """Add a widget at the end."""
        self._held.append(widget)
        widget.setParent(self)
        self._columns = 0
        self._wrap()

    def sizeHint(self) -> QSize:
        """As wide as three."""
        return QSize(3 * _KNOB_WIDTH, super().sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Wrap anew."""
        super().resizeEvent(event)
        self._wrap()

    def _wrap(self) -> None:
        columns = max(self.width() // _KNOB_WIDTH, 1)
        if columns == self._columns:
            return
        self._columns = columns
        for widget in self._held:
            self._grid.removeWidget(widget)
        for index, widget in enumerate(self._held):
            self._grid.addWidget(widget, index // columns, index % columns, Qt.AlignmentFlag.AlignTop)
        for column in range(self._grid.columnCount()):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)


class CableRow(QWidget):
    """A cable that ends in the node: where it comes from, its amount if it modulates, and a way to take it off."""

    amount_previewed = Signal(float)
    amount_committed = Signal()
    removed = Signal()

    def __init__(self, cable: Cable) -> None:
        super().__init__()
        self.cable = cable
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        text = f"{cable.source} → {readable(cable.target.name)}"
        self.field: NumberField | None = None
        if cable.amount is None:
            label = note(text)
            label.setWordWrap(False)
            row.addWidget(label, 1)
        else:
            self.field = NumberField(text, PERCENT)
            self.field.set_value(cable.amount * 100.0)
            self.field.previewed.connect(lambda percent: self.amount_previewed.emit(percent / 100.0))
            self.field.committed.connect(self.amount_committed)
            row.addWidget(self.field, 1)
        button = QToolButton(self)
        button.setText("✕")
        button.setToolTip(f"Disconnect {text}")
        button.setAccessibleName(f"Disconnect {text}")
        button.clicked.connect(self.removed)
        row.addWidget(button)

    def set_amount(self, amount: float) -> None:
        """Show an amount, -1..1."""
        if self.field is not None:
            self.field.set_value(amount * 100.0)
