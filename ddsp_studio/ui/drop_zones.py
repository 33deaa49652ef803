"""Files dropped on the window: zones say what would happen to them; what fits nowhere is refused with the reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt
from PySide6.QtGui import QDragMoveEvent, QDropEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from ddsp_studio.processors import patch_file
from ddsp_studio.training.data.audio_source import SUFFIXES
from ddsp_studio.training.data.glance import may_be_data_set
from ddsp_studio.ui import theme

AUDIO = SUFFIXES
MIDI = (".mid", ".midi")


@dataclass(frozen=True)
class Zone:
    """A place to drop files of some kinds; `detail` says what would happen.

    `folders` says whether it takes those and archives of data sets, too.
    """

    title: str
    suffixes: tuple[str, ...]
    take: Callable[[list[Path]], object]
    detail: str = ""
    folders: bool = False

    def fits(self, path: Path) -> bool:
        """Whether it takes a file."""
        return path.suffix.lower() in self.suffixes or (self.folders and (path.is_dir() or may_be_data_set(path)))


class DropZones(QObject):
    """The registry of zones of a window, and the overlay that shows them while files hover.

    Args:
        refuse: is told in one sentence why nothing was done.
    """

    def __init__(self, window: QWidget, refuse: Callable[[str], object]) -> None:
        super().__init__(window)
        self._window, self._refuse = window, refuse
        self._zones: list[Zone] = []
        self._overlay = _Overlay(window)
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def add(self, zone: Zone) -> None:
        """Register a zone; zones of the same files stand side by side."""
        self._zones.append(zone)

    def fitting(self, paths: Sequence[Path]) -> list[Zone]:
        """The zones that take at least one of these files."""
        return [zone for zone in self._zones if any(zone.fits(path) for path in paths)]

    def drop(self, paths: list[Path], place: QPointF | None = None) -> None:
        """Give files to the zone at a place (the first that fits if None); refuse those that no zone takes."""
        zones = self.fitting(paths)
        if not zones:
            self._refuse(_refusal(paths))
            return
        zone = zones[self._overlay.index_at(place, len(zones)) if place is not None and len(zones) > 1 else 0]
        zone.take([path for path in paths if zone.fits(path)])
        left = [path.name for path in paths if not zone.fits(path)]
        if left:
            more = f" and {len(left) - 1} more" if len(left) > 1 else ""
            self._refuse(f"{left[0]}{more} was left out: it is no file of that kind.")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Show the overlay while files hover over the window."""
        if isinstance(event, QDropEvent) and event.mimeData().hasUrls():
            paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
            if not paths:
                return False
            event.acceptProposedAction()
            if event.type() == QEvent.Type.Drop:
                self._overlay.hide()
                self.drop(paths, event.position())
            else:
                self._hover(paths, event)
            return True
        if event.type() == QEvent.Type.DragLeave:
            self._overlay.hide()
        return False

    def _hover(self, paths: list[Path], event: QDropEvent) -> None:
        zones = [(zone.title, zone.detail) for zone in self.fitting(paths)]
        self._overlay.show_titles(zones or [(_refusal(paths), "")], bool(zones))
        if isinstance(event, QDragMoveEvent):
            self._overlay.point(event.position())


def _refusal(paths: Sequence[Path]) -> str:
    first = paths[0]
    if first.is_dir():
        return "A folder cannot be opened; drop files."
    others = "nor an instrument, nor sound, nor a data set, nor a MIDI file"
    return f"{first.name} is neither a patch ({patch_file.SUFFIX}), {others}."


class _Overlay(QWidget):
    """Dims the window and frames the zones."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._titles: list[tuple[str, str]] = []
        self._good, self._index = True, 0
        self.hide()

    def show_titles(self, titles: list[tuple[str, str]], good: bool) -> None:
        self._titles, self._good = titles, good
        self._index = min(self._index, len(titles) - 1)
        self.setGeometry(self._window.rect())
        self.raise_()
        self.show()
        self.update()

    def point(self, place: QPointF) -> None:
        self._index = self.index_at(place, len(self._titles))
        self.update()

    def index_at(self, place: QPointF, zones: int) -> int:
        count = max(zones, 1)
        return min(max(int(place.x() / max(self._window.width(), 1) * count), 0), count - 1)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), theme.colour(theme.CANVAS, 0.8))
        width = self.width() / max(len(self._titles), 1)
        for index, (title, detail) in enumerate(self._titles):
            hue = theme.DANGER if not self._good else theme.ACCENT if index == self._index else theme.TEXT_FAINT
            frame = QRectF(index * width, 0, width, self.height()).adjusted(30, 30, -30, -30)
            painter.setPen(QPen(theme.colour(hue), 2, Qt.PenStyle.DashLine))
            painter.setBrush(theme.colour(hue, 0.08))
            painter.drawRoundedRect(frame, 10, 10)
            painter.setPen(theme.colour(hue if not self._good else theme.TEXT))
            words = frame.adjusted(20, 0, -20, 0)
            painter.setFont(theme.font(18, bold=True))
            painter.drawText(words, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, title)
            painter.setFont(theme.font(12))
            painter.setPen(theme.colour(theme.TEXT_SOFT))
            below = words.adjusted(0, words.height() / 2 + 22, 0, 0)
            painter.drawText(
                below, int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap), detail
            )
        painter.end()
