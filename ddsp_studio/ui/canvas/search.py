"""The search that adds nodes: it opens at the pointer with its field focused, Enter takes the first."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QPointF,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from ddsp_studio.processors.declare import Spec
from ddsp_studio.ui import theme
from ddsp_studio.ui.canvas.fuzzy import ranked
from ddsp_studio.ui.canvas.style import category_colour
from ddsp_studio.ui.widgets.paint import elided, font

_WIDTH, _ROW, _ROWS = 380, 40, 8
_SPEC_ROLE = int(Qt.ItemDataRole.UserRole)
_Index = QModelIndex | QPersistentModelIndex


class AddSearch(QFrame):
    """A search over processor types. `chosen` names the type; `closed` follows however it ends."""

    chosen = Signal(str)
    closed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._room = parent
        self._specs: Sequence[Spec] = ()
        self._model = _Found(self)
        self._heading = QLabel(self)
        self.field = QLineEdit(self)
        self.list = QListView(self)
        self._nothing = QLabel("Nothing found", self)
        self._build()
        self.hide()

    def _build(self) -> None:
        self.setObjectName("AddSearch")
        self.setStyleSheet(
            f"#AddSearch {{ background: {theme.PANEL}; border: 1px solid {theme.TEXT_FAINT}; border-radius: 6px; }}"
        )
        self._heading.setProperty("soft", True)
        self._nothing.setProperty("faint", True)
        self.field.setPlaceholderText("Search processors…")
        self.field.setAccessibleName("Search processors")
        self.field.textEdited.connect(self._search)
        self.field.installEventFilter(self)
        self.list.setModel(self._model)
        self.list.setItemDelegate(_SpecDelegate(self.list))
        self.list.setAccessibleName("Processors found")
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setMouseTracking(True)
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setStyleSheet("QListView { border: none; background: transparent; } QListView::item { padding: 0; }")
        self.list.clicked.connect(self._take)
        self._column = layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        for widget in (self._heading, self.field, self.list, self._nothing):
            layout.addWidget(widget)

    def open_at(self, place: QPoint, specs: Sequence[Spec], heading: str = "") -> None:
        """Open near a point of the parent with these types to choose from."""
        self._specs = specs
        self._heading.setText(heading)
        self._heading.setVisible(bool(heading))
        self.field.clear()
        self._search("")
        height = self.height()
        room = self._room.rect()
        x, y = min(place.x() - 12, room.width() - _WIDTH - 6), min(place.y() - 12, room.height() - height - 6)
        self.move(max(x, 6), max(y, 6))
        self.show()
        self.raise_()
        self.field.setFocus()

    def _search(self, query: str) -> None:
        found = ranked(query, self._specs)
        self._model.show(found)
        self._nothing.setVisible(not found)
        self.list.setVisible(bool(found))
        self.list.setFixedHeight(_ROW * min(len(found), _ROWS))
        self._column.activate()
        self.resize(_WIDTH, self.sizeHint().height())
        self.list.setCurrentIndex(self._model.index(0, 0))
        self.list.scrollToTop()

    def _take(self, index: QModelIndex) -> None:
        spec = index.data(_SPEC_ROLE)
        self.close_search()
        if isinstance(spec, Spec):
            self.chosen.emit(spec.name)

    def close_search(self) -> None:
        """Close without choosing."""
        if self.isVisible():
            self.hide()
            self.closed.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrows move in the list, Enter takes, Escape, Tab and a click elsewhere close."""
        if event.type() is QEvent.Type.FocusOut:
            self.hide()
        if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.ShortcutOverride:
            event.accept()
        if not (isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress):
            return False
        key, row = event.key(), self.list.currentIndex().row()
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: _ROWS, Qt.Key.Key_PageUp: -_ROWS}
        if key in steps:
            last = self._model.rowCount() - 1
            self.list.setCurrentIndex(self._model.index(min(max(row + steps[Qt.Key(key)], 0), last), 0))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.list.currentIndex().isValid():
                self._take(self.list.currentIndex())
        elif key in (Qt.Key.Key_Escape, Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            self.close_search()
        else:
            return False
        return True


class _Found(QAbstractListModel):
    """The types found."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._specs: list[Spec] = []

    def show(self, specs: list[Spec]) -> None:
        """Show these types."""
        self.beginResetModel()
        self._specs = specs
        self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        """How many there are."""
        return len(self._specs)

    def data(self, index: _Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        """The type, or its name."""
        if not index.isValid():
            return None
        spec = self._specs[index.row()]
        if role == _SPEC_ROLE:
            return spec
        if role == int(Qt.ItemDataRole.DisplayRole):
            return f"{spec.name}: {spec.summary}"
        return None


class _SpecDelegate(QStyledItemDelegate):
    """Paints a type: colour, name, category, summary."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """Two lines."""
        return QSize(_WIDTH - 40, _ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Paint one type."""
        spec, rect = index.data(_SPEC_ROLE), QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        state = option.state
        if state & QStyle.StateFlag.State_Selected or state & QStyle.StateFlag.State_MouseOver:
            chosen = bool(state & QStyle.StateFlag.State_Selected)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.colour(theme.ACCENT_DEEP if chosen else theme.RAISED))
            painter.drawRoundedRect(rect.adjusted(0, 1, 0, -1), 4, 4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour(category_colour(spec.category)))
        painter.drawEllipse(QPointF(rect.left() + 14, rect.top() + 13), 4.5, 4.5)
        inner = rect.adjusted(28, 4, -10, -4)
        painter.setFont(font(12, bold=True))
        painter.setPen(theme.colour(theme.TEXT))
        painter.drawText(inner, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, spec.name)
        painter.setFont(font(10))
        painter.setPen(theme.colour(category_colour(spec.category)))
        painter.drawText(inner.adjusted(0, 1, 0, 0), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop, spec.category)
        painter.setFont(font(11))
        painter.setPen(theme.colour(theme.TEXT_SOFT))
        summary = elided(painter, spec.summary, inner.width())
        painter.drawText(inner, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, summary)
        painter.restore()
