"""The record button and what is said of recordings, also of those that their engine did not live to finish."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from ddsp_studio.audio import protocol
from ddsp_studio.ui import paths
from ddsp_studio.ui.window import StudioWindow
from tests.ui_shell.conftest import told, wait_until


def test_the_button_goes_out_when_the_engine_refuses(playing: StudioWindow, diary: Path) -> None:
    record = playing.actions_["play.record"]
    record.trigger()
    wait_until(lambda: any(command.recording for command in told(diary, protocol.Transport)))
    wait_until(lambda: not record.isChecked())  # the fake engine never records


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_what_an_engine_left_is_asked_for_at_the_start_and_at_each_restart(playing: StudioWindow, diary: Path) -> None:
    asked = protocol.Rescue(folder=str(paths.recordings()))
    assert told(diary, protocol.Rescue) == [asked]
    os.kill(playing.link.client.pid, signal.SIGKILL)
    wait_until(lambda: told(diary, protocol.Rescue) == [asked, asked])


def test_a_recording_is_told_and_so_is_one_that_was_cut_short(playing: StudioWindow) -> None:
    files = {"audio_path": "/music/take.wav", "midi_path": "/music/take.mid", "take_path": "/music/take.take", "seconds": 2.34}
    playing.link.recorded.emit(protocol.Recorded(**files))
    assert playing.toasts.texts()[-1] == "Recorded 2.3 s to take.wav."
    playing.link.recorded.emit(protocol.Recorded(**files, cut_short=True))
    assert playing.toasts.texts()[-1] == "The sound engine ended while it recorded; 2.3 s were saved to take.wav."
    assert playing.transport.last_take == Path("/music/take.take")


def test_without_an_engine_nothing_seems_to_be_recorded(window: StudioWindow) -> None:
    window.clock.stop()
    window.link.close()
    record = window.actions_["play.record"]
    record.trigger()
    assert not record.isChecked()
    assert "Nothing is recorded" in window.toasts.texts()[-1]
