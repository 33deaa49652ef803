"""A training while it goes on, and after: how far, how well, what it sounds like, and what to do with it."""

from __future__ import annotations

import html
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from ddsp_studio.ui import icons, theme
from ddsp_studio.ui.training import plan
from ddsp_studio.ui.training.compare import Compare
from ddsp_studio.ui.training.loss_plot import LossPlot
from ddsp_studio.ui.training.scrolled import Scrolled
from ddsp_studio.ui.training.story import Stage, Story
from ddsp_studio.ui.widgets.one_line import OneLine

_MOST_IN_TIP = 40


class ProgressPage(QWidget):
    """Shows a story. Its buttons are signals."""

    pause_wanted = Signal(bool)
    stop_wanted = Signal()
    discard_wanted = Signal()
    play_wanted = Signal()
    resume_wanted = Signal()
    more_wanted = Signal()
    """What is done is to be trained for longer: `plan.MINUTES`."""
    new_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = OneLine()
        self.title.setFont(theme.font(14, bold=True))
        self.headline = QLabel(wordWrap=True)
        self.detail = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.detail.setProperty("soft", True)
        self.detail.setFont(theme.font(11))
        self.remark, self.notice = OneLine(), OneLine()
        self.remark.setProperty("soft", True)
        self.notice.setStyleSheet(f"color: {theme.WARNING};")
        self.bar = QProgressBar(maximum=1000, textVisible=False)
        self.bar.setStyleSheet("min-height: 6px; max-height: 6px;")
        self.losses = LossPlot()
        self.compare = Compare()
        self._make_buttons()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 0, 10)
        layout.setSpacing(6)
        top = QWidget()  # a layout in a layout would not be given the height that lines ask for when they wrap
        head = QVBoxLayout(top)
        head.setContentsMargins(0, 0, 10, 0)
        head.setSpacing(5)
        for widget in (self.title, self.headline, self.bar, self.detail, self.play):
            head.addWidget(widget)
        for buttons in ((self.pause, self.resume, self.stop, self.discard), (self.new, self.more)):
            row = QHBoxLayout()
            row.setSpacing(6)
            for button in buttons:
                row.addWidget(button, 1)
            head.addLayout(row)
        layout.addWidget(top)
        layout.addWidget(self._pictures(), 1)

    def _pictures(self) -> Scrolled:
        """What is seen and heard; a low window scrolls it, so that the buttons above it stay in place."""
        page = Scrolled(spacing=5)
        page.column.addWidget(self.notice)
        page.column.addWidget(self.remark)
        page.column.addWidget(self.losses, 2)
        page.column.addWidget(self.compare, 3)
        return page

    def _make_buttons(self) -> None:
        self.play = _button(
            "Play it", "Put the instrument into the editor; it gets better while the training goes on", self.play_wanted
        )
        self.play.setIcon(icons.icon("play", "#ffffff"))
        self.play.setDefault(True)
        self.pause = QPushButton("Pause")
        self.pause.setCheckable(True)
        self.pause.setToolTip("Hold the training, or let it go on")
        self.pause.clicked.connect(self.pause_wanted)
        self.stop = _button("Stop and keep", "End the training and keep the best of what was learned", self.stop_wanted)
        self.discard = _button("Discard", "End the training and throw away what was learned", self.discard_wanted)
        self.resume = _button("Go on", "Go on from the last checkpoint", self.resume_wanted)
        self.new = _button("Train another", "Go back to the recordings", self.new_wanted)
        self.more = _button(f"{plan.MINUTES:g} min more", "Let what is done learn for longer, from where it is", self.more_wanted)

    def show_story(self, name: str, story: Story, *, playing: bool) -> None:
        """Show where a training is; `playing` says whether the editor plays its model."""
        stage = story.stage
        self.title.setText(name)
        self.headline.setText(story.headline())
        self.detail.setText(story.detail())
        _show_sentences(self.notice, story.notices)
        _show_sentences(self.remark, story.remarks)
        self.bar.setMaximum(0 if (stage is Stage.STARTING or story.compiles) and not story.paused else 1000)
        self.bar.setValue(round(1000 * (story.share if stage is Stage.PREPARING else story.done)))
        self.bar.setVisible(story.busy)
        self._show_buttons(story, playing)
        self.losses.show_losses(story.losses)
        self.compare.show_points(story.points)

    def _show_buttons(self, story: Story, playing: bool) -> None:
        """Say what can be done; the focus stays among what can."""
        focused = QApplication.focusWidget() in self._buttons
        self._enable(story, playing)
        if focused and QApplication.focusWidget() not in self._usable:
            self.first.setFocus()

    @property
    def first(self) -> QWidget:
        """What is reached for first."""
        return next(iter(self._usable), self.compare.timeline)

    @property
    def _buttons(self) -> tuple[QPushButton, ...]:
        return self.play, self.pause, self.resume, self.new, self.more, self.stop, self.discard

    @property
    def _usable(self) -> list[QPushButton]:
        return [button for button in self._buttons if button.isVisibleTo(self) and button.isEnabled()]

    def _enable(self, story: Story, playing: bool) -> None:
        stage, learned = story.stage, bool(story.points) or bool(story.ended and story.ended.model)
        self.play.setEnabled(learned and not playing and stage is not Stage.DISCARDING)
        words = "It plays, and gets better by itself" if story.busy else "It is in the editor"
        self.play.setText(words if playing else "Play it" if learned else "Play it (after the first checkpoint)")
        self.pause.setText("Go on" if story.paused else "Pause")
        self.pause.setChecked(story.paused)
        self.pause.setEnabled(story.can_pause)
        ending = stage in (Stage.STOPPING, Stage.DISCARDING)
        for button in (self.stop, self.discard):
            button.setEnabled(not ending)
        over = stage is Stage.ENDED
        self.pause.setVisible(story.busy)
        self.resume.setVisible(stage is Stage.INTERRUPTED)
        self.stop.setVisible(not over)
        self.new.setVisible(over)
        self.more.setVisible(over and learned)
        self.discard.setVisible(not over)


def _show_sentences(line: OneLine, told: Sequence[str]) -> None:
    """The newest first, as far as there is room; all of them, in order, in the tooltip."""
    sentences = [f"{words.rstrip('.')}." for words in told]
    line.setText(" ".join(reversed(sentences)))
    line.setToolTip("".join(f"<p>{html.escape(words)}</p>" for words in sentences[-_MOST_IN_TIP:]))
    line.setVisible(bool(sentences))


def _button(words: str, tip: str, wanted: object) -> QPushButton:
    button = QPushButton(words)
    button.setToolTip(tip)
    button.clicked.connect(wanted)
    return button
