"""Recording and instrument side by side at a checkpoint: spectrograms, and both sounds at one loudness and one place."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from ddsp_studio.audio import protocol
from ddsp_studio.ui import icons, theme
from ddsp_studio.ui.training.spectrum_picture import SpectrumPicture
from ddsp_studio.ui.training.story import Point, span
from ddsp_studio.ui.training.timeline import Timeline

TARGET, PLAYED = 0, 1
_TITLES = ("Recording", "Instrument")
_NOTHING_YET = "Checkpoints appear here as they are made,\nto be heard beside the recording."
_NOT_KEPT = "Its sound is no longer kept"


class Compare(QWidget):
    """Emits `wanted(files, track)` when something is to be heard; an empty list is silence."""

    wanted = Signal(list, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._points: tuple[Point, ...] = ()
        self._playing: tuple[str, ...] = ()
        self._before: set[tuple[str, ...]] = set()
        self._seen = False
        self._track = TARGET
        self.timeline = Timeline()
        self.timeline.chosen.connect(self._chosen)
        self.words = QLabel(_NOTHING_YET, wordWrap=True)
        self.words.setProperty("soft", True)
        self.words.setFont(theme.font(11))
        self.pictures = tuple(SpectrumPicture(title) for title in _TITLES)
        self.buttons = tuple(self._button(title, track) for track, title in enumerate(_TITLES))
        self.silence = QPushButton(icons.icon("stop"), "")
        self.silence.setAccessibleName("Stop listening")
        self.silence.setToolTip("Stop listening (Shift+F8)")
        self.silence.clicked.connect(self.stop)
        for track, picture in enumerate(self.pictures):
            picture.clicked.connect(lambda track=track: self.play(track))
        self._lay_out()
        self._enable()

    def _button(self, title: str, track: int) -> QPushButton:
        button = QPushButton(icons.icon("play"), title)
        button.setCheckable(True)
        button.setStyleSheet(f"QPushButton:checked {{ background: {theme.ACCENT_DEEP}; border-color: {theme.ACCENT}; }}")
        button.setToolTip(
            f"Hear the {title.lower()} at this checkpoint, as loud as the other; F8 goes from one to the other at the same place"
        )
        button.setAccessibleName(f"Hear the {title.lower()}")
        button.clicked.connect(lambda: self.play(track))
        return button

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(6)
        for button in self.buttons:
            row.addWidget(button, 1)
        row.addWidget(self.silence)
        pictures = QHBoxLayout()
        pictures.setSpacing(6)
        for picture in self.pictures:
            pictures.addWidget(picture, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        layout.addWidget(self.timeline)
        layout.addWidget(self.words)
        layout.addLayout(pictures, 1)
        layout.addLayout(row)

    # -- what is shown ------------------------------------------------------------------------------------------------

    def show_points(self, points: Sequence[Point]) -> None:
        """Show the checkpoints of a training."""
        if tuple(points) == self._points:
            return
        self._points = tuple(points)
        self.timeline.show_points(points)
        if not points:
            self.words.setText(_NOTHING_YET)
            for picture in self.pictures:
                picture.show_file("")
        self._describe()

    @property
    def point(self) -> Point | None:
        """The chosen checkpoint."""
        index = self.timeline.index
        return self._points[index] if 0 <= index < len(self._points) else None

    def _chosen(self, _index: int) -> None:
        self._describe()
        if self._playing:
            self.play(self._track)

    def _describe(self) -> None:
        """Show the chosen checkpoint, as far as its sound is still kept."""
        point = self.point
        if point is not None:
            self.pictures[TARGET].show_file(point.target)
            self.pictures[PLAYED].show_file(point.played, "" if point.kept else _NOT_KEPT)
            self.words.setText(described(point))
        self._enable()

    def _enable(self) -> None:
        for track, button in enumerate(self.buttons):
            button.setEnabled(track < len(self.files))
        self.silence.setEnabled(bool(self._playing))

    # -- hearing ------------------------------------------------------------------------------------------------------

    @property
    def files(self) -> list[str]:
        """The sound files of the chosen checkpoint: two, or the recording alone where the other is no longer kept."""
        point = self.point
        if point is None:
            return []
        return [f"{point.target}.flac", f"{point.played}.flac"] if point.kept else [f"{point.target}.flac"]

    def play(self, track: int) -> None:
        """Hear one of the two, if it is kept."""
        files = tuple(self.files)
        if track >= len(files):
            self.stop()
            return
        if files != self._playing:
            self._before.add(self._playing)
            self._playing, self._seen = files, False
        self._track = track
        self.wanted.emit(list(files), track)
        self._show_track(bool(self._playing))

    def toggle(self) -> None:
        """From silence to the recording, and from one sound to the other."""
        self.play(1 - self._track if self._playing else TARGET)

    def stop(self) -> None:
        """Silence."""
        if self._playing:
            self.lost()
            self.wanted.emit([], 0)
        self._show_track(False)

    def lost(self) -> None:
        """Show that neither is heard any more, whatever was asked for."""
        self._playing, self._seen = (), False
        self._before.clear()
        self._show_track(False)

    def follow(self, state: protocol.PreviewState) -> None:
        """Show where the engine is."""
        files = tuple(state.files)
        ours = bool(self._playing) and files == self._playing and state.playing
        other = state.playing and files not in self._before  # what was heard before may be reported a while longer
        if ours:
            self._seen = True
            self._before.clear()
        elif self._playing and (self._seen or other):
            self.lost()  # it ended, or something else is heard now
        place = state.position_s / state.length_s if ours and state.length_s else None
        for track, picture in enumerate(self.pictures):
            picture.show_place(place, ours and track == state.track)

    def _show_track(self, playing: bool) -> None:
        for track, button in enumerate(self.buttons):
            button.setChecked(playing and track == self._track)
        self._enable()
        if not playing:
            for picture in self.pictures:
                picture.show_place(None, False)

    def sizeHint(self) -> QSize:
        """A comfortable size."""
        return QSize(340, 240)


def described(point: Point) -> str:
    """How good a checkpoint is, in two lines of plain words."""
    scores = point.scores
    told: list[str] = []
    if scores.get("spectral", -1.0) >= 0.0:
        told.append(f"distance {scores['spectral']:.2f}")
    if scores.get("f0_accuracy", -1.0) >= 0.0:
        told.append(f"pitch {100 * scores['f0_accuracy']:.0f} % right")
    if scores.get("loudness_db", -1.0) >= 0.0:
        told.append(f"loudness {scores['loudness_db']:.1f} dB off")
    when = f"{span(point.seconds)}, step {point.step:,}{' — the best so far' if point.best else ''}"
    if not point.kept:
        told = [_NOT_KEPT.lower(), *told]
    return f"{when}\n{'  ·  '.join(told)}"
