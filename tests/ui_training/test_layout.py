"""The training panel at the sizes that windows have: nothing covers anything, and every number can be read."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QApplication, QWidget

from ddsp_studio.training import protocol
from ddsp_studio.ui import theme
from ddsp_studio.ui.training.loss_plot import LossPlot, log_ticks
from ddsp_studio.ui.training.material_page import MaterialPage
from ddsp_studio.ui.training.progress_page import ProgressPage
from ddsp_studio.ui.training.story import Stage, Story
from ddsp_studio.ui.widgets.one_line import OneLine
from ddsp_studio.ui.window import StudioWindow


@pytest.fixture
def story(tmp_path: Path) -> Story:
    """A training with a checkpoint and a notice of some length."""
    for name in ("target", "played"):
        np.savez(tmp_path / f"{name}.npz", db=np.full((20, 65), -20.0, np.float16), sample_rate=16_000, step=256)
    told = Story()
    for event in (
        protocol.Notice(text="d_rock.wav has no clear pitch (drums, noise, speech?): an instrument cannot learn from it"),
        protocol.Notice(text="Clips are varied by up to 200 cents, so that keys between are learned", warning=False),
        protocol.Progress(step=8, steps=90, loss=27.3, steps_per_s=2.3, seconds=40.0, left_s=50.0, paused=False),
        protocol.Checkpointed(
            step=8, seconds=39.0, best=True, scores={"spectral": 32.15, "f0_accuracy": 0.7, "loudness_db": 22.2},
            target=str(tmp_path / "target"), played=str(tmp_path / "played"), model="",
        ),
    ):  # fmt: skip
        told.take(event)
    told.losses = [(step, 33.0 - step) for step in range(1, 9)]
    return told


def place(widget: QWidget, page: QWidget) -> QRect:
    return QRect(widget.mapTo(page, QPoint(0, 0)), widget.size())


@pytest.mark.parametrize("size", [(320, 300), (330, 420), (400, 528), (400, 900), (700, 600)])
def test_nothing_covers_anything_while_it_trains(themed: QApplication, story: Story, size: tuple[int, int]) -> None:
    page = ProgressPage()
    page.resize(*size)
    page.show_story("Violin phrases", story, playing=False)
    page.show()
    QApplication.processEvents()
    compare = page.compare
    parts = [page.losses, compare.timeline, compare.words, *compare.pictures, *compare.buttons, compare.silence]
    for one, other in itertools.combinations(parts, 2):
        assert not place(one, page).intersects(place(other, page)), (one.accessibleName(), other.accessibleName())
    for part in parts:
        assert part.height() >= part.minimumSizeHint().height() and part.height() >= part.minimumHeight()
    assert compare.words.height() >= 2 * QFontMetrics(compare.words.font()).height()
    assert place(page.discard, page).right() < size[0] and place(page.stop, page).bottom() < size[1]


def test_the_default_window_shows_all_of_a_training_at_once(window: StudioWindow, story: Story) -> None:
    window.resize(1480, 930)
    window.training.panel.setCurrentWidget(window.training.panel.progress)
    window.show_training()
    window.training.panel.progress.show_story("Violin phrases", story, playing=False)
    for _ in range(5):
        QApplication.processEvents()
    page = window.training.panel.progress
    assert place(page.compare.silence, page).bottom() <= page.height()


@pytest.mark.parametrize("width", [308, 420])
def test_nothing_is_cut_in_a_narrow_panel(themed: QApplication, width: int) -> None:
    page = MaterialPage()
    page.resize(width, 700)
    page.details._heading.setChecked(True)
    page.show()
    QApplication.processEvents()
    for field in (page.minutes, *page.variation.fields):
        assert field.lineEdit().width() > QFontMetrics(field.font()).horizontalAdvance(field.text()) + 6, field.accessibleName()
    assert page.network.width() > QFontMetrics(page.network.font()).horizontalAdvance(page.network.currentText()) + 32


def test_what_is_rarely_set_is_folded_away(themed: QApplication) -> None:
    page = MaterialPage()
    assert page.name.isVisibleTo(page) and not page.octave.isVisibleTo(page) and not page.variation.isVisibleTo(page)


@pytest.mark.parametrize("how", ["stopping", "failed"])
def test_buttons_keep_their_height_beside_lines_that_wrap(themed: QApplication, story: Story, how: str) -> None:
    page = ProgressPage()
    page.resize(308, 600)
    page.show()
    story.stage, story.trouble = Stage.INTERRUPTED, "/a/long/folder/last.ckpt: No space left on device; make room on the disk"
    if how == "failed":
        story.take(protocol.Ended(how="failed", model="", text=story.trouble))
    page.show_story("Violin", story, playing=False)
    QApplication.processEvents()
    below = [button for button in (page.new, page.resume, page.stop, page.discard) if button.isVisible()]
    assert page.detail.height() > 1.5 * QFontMetrics(page.detail.font()).height()
    assert below and all(button.height() >= button.sizeHint().height() for button in (page.play, *below))
    assert all(place(button, page).top() - place(page.play, page).bottom() > 3 for button in below)
    assert place(page.notice, page).top() - place(below[0], page).bottom() > 3


def test_what_does_not_fit_on_one_line_is_told_to_be_longer(themed: QApplication) -> None:
    line = OneLine()
    line.setText("A very long name of an instrument")
    line.resize(80, 16)
    assert line.shown.endswith("…") and line.text().endswith("instrument")
    line.resize(800, 16)
    assert line.shown == line.text()


def test_a_small_window_stays_as_small_as_it_is_made(window: StudioWindow, story: Story) -> None:
    window.training.panel.progress.show_story("Violin phrases", story, playing=False)
    window.show_training()
    for page in (window.training.panel.progress, window.training.panel.material, window.training.panel.empty):
        window.training.panel.setCurrentWidget(page)
        window.resize(1280, 720)
        for _ in range(5):
            QApplication.processEvents()
        assert (window.width(), window.height()) == (1280, 720)


# -- the axis of the loss ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "apart", "shown"),
    [
        (4.5, 25.0, 0.1, [5, 10, 20]),
        (0.08, 120.0, 0.2, [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]),
        (0.08, 120.0, 0.35, [0.1, 1, 10, 100]),
        (0.0008, 1200.0, 0.9, [0.001, 0.01, 0.1, 1, 10, 100, 1000]),
        (26.9, 33.4, 0.02, [28, 30, 32]),
        (5.31, 5.42, 0.002, [5.35, 5.4]),
    ],
)
def test_ticks_are_round_and_apart(low: float, high: float, apart: float, shown: list[float]) -> None:
    assert log_ticks(low, high, apart) == pytest.approx(shown)


@pytest.mark.parametrize("losses", [(33.0, 26.9), (25.0, 5.3), (5.42, 5.31), (300.0, 0.02), (7.0, 7.0), (1e-5, 2e-5)])
@pytest.mark.parametrize("height", [90, 130, 300])
def test_the_axis_is_always_labelled_and_labels_never_overlap(
    themed: QApplication, losses: tuple[float, float], height: int
) -> None:
    plot = LossPlot()
    plot.resize(380, height)
    plot.show()
    plot.show_losses(list(enumerate(np.geomspace(*losses, 40), 1)))
    QApplication.processEvents()
    plot.grab()
    axis = plot.plot.getPlotItem().getAxis("left")
    labels = [float(text) for text in plot.labels()]
    pixels = [axis.height() * (math.log10(value) - axis.range[0]) / (axis.range[1] - axis.range[0]) for value in labels]
    assert len(labels) >= 2
    assert all(b - a >= QFontMetrics(theme.font(10)).height() - 0.5 for a, b in itertools.pairwise(pixels))
