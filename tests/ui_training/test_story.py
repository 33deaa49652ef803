"""What is told of a training: stages, numbers in words, memory that stays bounded, and what a folder remembers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtWidgets import QApplication

from ddsp_studio.children import process_mark
from ddsp_studio.training import protocol
from ddsp_studio.ui import paths
from ddsp_studio.ui.training import folders, spectrum_picture
from ddsp_studio.ui.training.story import MOST_POINTS, Point, Stage, Story, span
from ddsp_studio.ui.training.timeline import Timeline


def progress(step: int, loss: float = 1.0, paused: bool = False) -> protocol.Progress:
    return protocol.Progress(step=step, steps=1000, loss=loss, steps_per_s=2.0, seconds=step / 2, left_s=75.0, paused=paused)


def test_stages_follow_events_but_not_against_the_users_wish() -> None:
    story = Story()
    for event, stage in (
        (protocol.Preparing(share=0.25), Stage.PREPARING),
        (progress(1), Stage.RUNNING),
        (progress(2, paused=True), Stage.PAUSED),
    ):
        story.take(event)
        assert story.stage is stage
    story.stage = Stage.STOPPING
    story.take(progress(3))
    assert story.stage is Stage.STOPPING and story.busy
    story.take(protocol.Ended(how="stopped", model=""))
    assert not story.busy and "kept" in story.headline()


def test_numbers_in_words() -> None:
    story = Story()
    story.take(protocol.Preparing(share=0.25))
    assert story.headline() == "Listening to the recordings… 25 %"
    story.take(progress(250, 0.1234))
    assert story.headline() == "Training, 1:15 min left" and story.done == 0.25
    assert story.detail() == "step 250 of 1,000  ·  2.0 steps/s  ·  loss 0.123"


def test_what_is_not_known_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("step,loss\n132,8.0\n133,8.0\n")
    story = Story()
    story.take(protocol.Prepared(seconds=60.0, clips=9, held_out=1, range_midi=[55, 79], weights=1234, problems=[]))
    assert story.headline() == "Compiling the first step…" and story.compiles
    unknown = protocol.Progress(step=1, steps=0, loss=0.0, steps_per_s=0.0, seconds=0.0, left_s=0.0)
    story.take(unknown)
    assert story.detail() == "step 1" and not story.compiles
    story.take(progress(2, 0.5, paused=True))
    assert story.detail() == "step 2 of 1,000  ·  loss 0.500"
    story.recall(tmp_path)
    story.take(msgspec.structs.replace(unknown, step=134, steps=134))
    story.take(protocol.Ended(how="done", model=""))
    assert story.detail() == "step 134 of 134  ·  loss 8.000"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.0, "0 s"), (59.4, "59 s"), (59.6, "1:00 min"), (3599.0, "59:59 min"), (3900.0, "1:05 h")]
)
def test_spans(seconds: float, words: str) -> None:
    assert span(seconds) == words


@given(st.integers(1, 4 * MOST_POINTS))
def test_the_curve_stays_bounded_and_holds_the_newest(steps: int) -> None:
    story = Story()
    for step in range(1, steps + 1):
        story.take(progress(step, 1.0 / step))
    assert len(story.losses) <= MOST_POINTS + 1
    assert story.losses[-1] == (steps, 1.0 / steps)
    held = [step for step, _ in story.losses]
    assert held == sorted(set(held))


def test_a_folder_is_remembered_as_far_as_it_was_written(tmp_path: Path) -> None:
    samples = tmp_path / "samples"
    samples.mkdir()
    (tmp_path / "log.csv").write_text("step,loss,rate\n0,8.0,0.1\n1,4.0,0.1\n2,nan,0.1\n3,4.0")
    (tmp_path / "scores.csv").write_text("step,seconds,spectral\n10,5.0,3.0\n20,10.0,4.0\n30,15.0,2.0\n40,2")
    for step in (10, 30):
        (samples / f"played-{step:07d}.flac").touch()
    story = Story()
    story.recall(tmp_path)
    assert [step for step, _ in story.losses] == [0, 1] and story.losses[1][1] == pytest.approx(7.8)
    told = [(point.step, point.best, point.kept) for point in story.points]
    assert told == [(10, True, True), (20, False, False), (30, True, True)]
    assert story.best.step == 30
    Story().recall(tmp_path / "nothing")


# -- folders ----------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("home")
def test_names_are_free_and_safe() -> None:
    first, second = folders.new("../Víolin: a/b?"), folders.new("../Víolin: a/b?")
    assert first.model.parent == paths.models() and first.folder.parent == paths.trainings()
    assert first.model.name == "Víolin ab.ddspmodel" and second.model.name == "Víolin ab 2.ddspmodel"
    assert folders.new("???").model.name == "Instrument.ddspmodel"
    assert (first.name, second.name) == ("Víolin ab", "Víolin ab 2")  # as the browser calls them


@pytest.mark.usefixtures("home")
def test_only_dead_studios_leave_trainings_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    running, here = folders.RUNNING, os.getpid()
    for name, pid, state, since in (
        ("dead", 1, running, "then"),
        ("done", 1, folders.ENDED, "then"),
        ("alive", 2, running, "now"),
        ("another program", 2, running, "then"),
        ("of an older studio", 2, running, ""),
        ("mine", here, running, "now"),
        ("hidden", 3, running, "then"),
    ):
        training = folders.new(name)
        note = msgspec.structs.replace(training.note, pid=pid, state=state, since=since)
        (training.folder / folders.NOTE).write_bytes(msgspec.json.encode(note))
    (paths.trainings() / "broken").mkdir()
    (paths.trainings() / "broken" / folders.NOTE).write_text("{")
    monkeypatch.setattr("ddsp_studio.children.process_alive", lambda pid: pid != 1)
    monkeypatch.setattr("ddsp_studio.children.process_mark", lambda pid: "" if pid == 3 else "now")
    assert sorted(found.name for found in folders.interrupted()) == ["another program", "dead", "mine"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")
def test_a_process_is_told_from_a_later_one() -> None:
    here = process_mark(os.getpid())
    assert here and here == process_mark(os.getpid())
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert process_mark(child.pid) not in ("", here)
    child.communicate(b"\n")
    assert process_mark(child.pid) == ""


@pytest.mark.usefixtures("home")
def test_old_folders_go_and_models_stay() -> None:
    made = []
    for number in range(4):
        training = folders.new(f"n{number}")
        (training.folder / "model.ddspmodel").write_text("weights")
        assert training.publish()
        training.mark(folders.ENDED)
        made.append(training)
    folders.forget_old(keep=2)
    left = [training for training in made if training.folder.exists()]
    assert len(left) == 2 and all(training.model.read_text() == "weights" for training in made)


# -- pictures ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hertz", [125.0, 440.0, 1000.0, 3000.0, 7000.0])
@pytest.mark.parametrize("rows", [40, 200, 800])
def test_the_picture_shows_a_line_where_the_tone_is(hertz: float, rows: int) -> None:
    rate, bins = 16_000, 513
    decibels = np.full((50, bins), -100.0, np.float32)
    number = round(hertz / (rate / 2) * (bins - 1))
    decibels[:, number] = 0.0
    levels = spectrum_picture.picture(decibels, rate, 80, rows)
    assert levels.shape == (rows, 80)
    shown = np.average(np.arange(rows) + 0.5, weights=levels[:, 40].astype(float)) / rows
    found = number * (rate / 2) / (bins - 1)
    place = 1.0 - np.log(found / spectrum_picture.LOW_HZ) / np.log(0.5 * rate / spectrum_picture.LOW_HZ)
    assert abs(shown - place) < 0.02 + 0.5 / rows and levels.min() == 0 and levels.max() > 200


def test_a_short_sound_is_seen_however_narrow_the_picture() -> None:
    decibels = np.full((1000, 513), -100.0, np.float32)
    decibels[777] = 0.0
    levels = spectrum_picture.picture(decibels, 16_000, 30, 50)
    assert levels[:, 777 * 30 // 1000].min() == 255 and (levels.max(axis=0) > 0).sum() == 1


def test_what_is_no_spectrogram_is_nothing(tmp_path: Path) -> None:
    assert spectrum_picture.read(str(tmp_path / "none")) is None
    (tmp_path / "bad.npz").write_bytes(b"PK")
    assert spectrum_picture.read(str(tmp_path / "bad")) is None
    np.savez(tmp_path / "other.npz", x=1)
    assert spectrum_picture.read(str(tmp_path / "other")) is None


def test_the_timeline_by_keys_and_places(qapp: QApplication) -> None:
    timeline, chosen = Timeline(), []
    timeline.resize(300, 24)
    timeline.chosen.connect(chosen.append)
    points = [Point(i, float(i), i == 2, {}, "", "") for i in range(5)]
    timeline.show_points(points)
    assert timeline.index == 4
    assert [timeline.at(timeline.x_of(i)) for i in range(5)] == list(range(5))
    timeline.choose(-7)
    timeline.choose(99)
    assert chosen == [4, 0, 4]
    timeline.show_points([])
    assert timeline.index == -1 and timeline.at(10.0) == -1
