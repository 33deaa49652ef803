"""What is heard beside the patch: what is shown of it is what the engine does, and what cannot be heard is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QApplication

from ddsp_studio.audio import protocol as engine
from ddsp_studio.audio.client import Health
from ddsp_studio.ui.engine_link import EngineLink
from ddsp_studio.ui.training.compare import PLAYED, TARGET, Compare
from ddsp_studio.ui.training.story import Point
from ddsp_studio.ui.window import StudioWindow

from .conftest import wait_until


@pytest.fixture
def compare(themed: QApplication, tmp_path: Path) -> Compare:
    """Three checkpoints; the sound of the first is no longer kept."""
    (tmp_path / "target.flac").touch()
    target, stems = str(tmp_path / "target"), [str(tmp_path / f"p{step}") for step in (1, 2, 3)]
    for stem in stems[1:]:
        Path(f"{stem}.flac").touch()
    made = Compare()
    made.show_points([Point(n, float(n), n == 3, {"spectral": 2.0}, target, stem) for n, stem in enumerate(stems, 1)])
    return made


def state(files: list[str], playing: bool = True, track: int = 0) -> engine.PreviewState:
    return engine.PreviewState(files=files, track=track, playing=playing, position_s=0.5, length_s=1.0)


def checked(compare: Compare) -> list[bool]:
    return [button.isChecked() for button in compare.buttons]


@pytest.mark.parametrize("ended", ["cut", "another output", "another file"])
def test_what_ends_in_the_engine_ends_on_the_page(compare: Compare, ended: str) -> None:
    compare.play(PLAYED)
    files = compare.files
    compare.follow(state([], playing=False))  # an older state: what was asked for is still on its way
    assert checked(compare) == [False, True]
    compare.follow(state(files, track=PLAYED))
    assert checked(compare) == [False, True] and compare.silence.isEnabled()
    compare.follow({"cut": state(files, False), "another output": state([], False), "another file": state(["x.wav"])}[ended])
    assert checked(compare) == [False, False] and not compare.silence.isEnabled()


def test_scrubbing_outruns_the_engine(compare: Compare) -> None:
    compare.play(PLAYED)
    last = compare.files
    compare.follow(state(last))
    compare.timeline.choose(1)
    compare.follow(state(last))  # the one before is heard a while longer
    assert checked(compare) == [False, True]
    compare.follow(state(compare.files))
    compare.follow(state(last))
    assert checked(compare) == [False, False]


def test_a_sound_that_is_not_kept_is_not_offered(compare: Compare) -> None:
    wanted: list[tuple[list[str], int]] = []
    compare.wanted.connect(lambda files, track: wanted.append((files, track)))
    compare.play(PLAYED)
    compare.timeline.choose(0)
    assert wanted[-1] == ([], 0) and checked(compare) == [False, False]
    assert [button.isEnabled() for button in compare.buttons] == [True, False]
    assert "no longer kept" in compare.words.text() and "no longer kept" in compare.pictures[PLAYED]._without
    compare.play(TARGET)
    assert wanted[-1] == ([f"{compare.point.target}.flac"], TARGET)
    compare.toggle()
    assert wanted[-1] == ([], 0)
    compare.timeline.choose(2)
    assert all(button.isEnabled() for button in compare.buttons) and "kept" not in compare.words.text()


def test_a_sound_that_goes_while_it_is_shown_is_noticed(compare: Compare) -> None:
    compare.timeline.choose(1)
    Path(f"{compare.point.played}.flac").unlink()
    compare.show_points([*compare._points, Point(4, 4.0, False, {}, compare.point.target, compare.point.played + "x")])
    assert compare.timeline.index == 1 and not compare.buttons[PLAYED].isEnabled()


# -- in the window ----------------------------------------------------------------------------------------------------------


def playing(window: StudioWindow) -> list[str]:
    return [text for text in window.toasts.texts() if text.startswith("Playing")]


def test_the_note_of_a_file_goes_with_its_sound(window: StudioWindow, said) -> None:
    hearing, link = window.training.hearing, window.link
    hearing.play_file(Path("/r/a.wav"))
    hearing.play_file(Path("/r/b.wav"))
    assert playing(window) == ["Playing b.wav."]
    link.preview_state.emit(state(["/r/a.wav"]))
    link.preview_state.emit(state(["/r/b.wav"]))
    assert playing(window) == ["Playing b.wav."]
    link.preview_state.emit(state(["/r/b.wav"], playing=False))
    assert not playing(window)


def test_what_cannot_be_read_is_not_shown_as_heard(window: StudioWindow, said) -> None:
    lost: list[bool] = []
    window.training.hearing.lost.connect(lambda: lost.append(True))
    window.training.hearing.play_file(Path("/r/bad.wav"))
    window.link.problem.emit(engine.Problem(who="song", text="Something else."))
    assert not lost and playing(window)
    window.link.problem.emit(engine.Problem(who="preview", text="bad.wav cannot be heard."))
    assert lost and not playing(window)
    wait_until(lambda: said(engine.Preview) and said(engine.Preview)[-1].files == [])


def test_without_an_engine_it_says_so(window: StudioWindow, said, monkeypatch: pytest.MonkeyPatch) -> None:
    lost: list[bool] = []
    window.training.hearing.lost.connect(lambda: lost.append(True))
    window.link.health_changed.emit(Health.RESTARTING, "")
    assert lost == [True]
    monkeypatch.setattr(EngineLink, "health", Health.FAILED)
    window.training.hearing.play_file(Path("/r/a.wav"))
    window.training.hearing.hear(["/r/a.flac"], 1)
    assert "Nothing can be heard: there is no sound engine." in window.toasts.texts()
    assert len(lost) == 3 and not playing(window) and not said(engine.Preview)


def test_files_that_are_taken_one_at_a_time_are_named(window: StudioWindow, said) -> None:
    given = [Path(f"/r/{name}.wav") for name in "abc"]
    window.drops.drop(given[:2], QPointF(window.width() - 5, 100))
    assert "b.wav was left out: only a.wav was taken, one at a time." in window.toasts.texts()
    window.drops.drop(given, QPointF(window.width() - 5, 100))
    assert "b.wav and 1 more were left out: only a.wav was taken, one at a time." in window.toasts.texts()
    assert playing(window) == ["Playing a.wav."]
