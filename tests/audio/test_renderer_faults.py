"""A patch that has come to numbers that are none starts afresh, though its Output would make silence of them for ever."""

import numpy as np
import pytest

from ddsp_studio.audio.events import HOP
from ddsp_studio.audio.meters import Meters
from ddsp_studio.audio.renderer import Renderer
from ddsp_studio.audio.telemetry import Telemetry
from ddsp_studio.audio.voices import VoiceAllocator
from ddsp_studio.processors.patch import Node
from ddsp_studio.processors.player import Player, Smoother

from .patches import wired

RATE, HOPS = 16_000, 10


def listener():
    """A tone that follows what comes in, beside an echo of it."""
    nodes = {
        "in": Node("AudioInput"),
        "ear": Node("PitchTracker", options={"lowest": 150.0}),
        "tone": Node("Harmonic", options={"partials": 4}),
        "echo": Node("Filter"),
        "both": Node("Add"),
        "out": Node("Output"),
    }
    cables = [
        "in.audio -> ear.input",
        "ear.f0 -> tone.f0",
        "ear.level -> tone.amplitude",
        "in.audio -> echo.input",
        "tone.audio -> both.a",
        "echo.audio -> both.b",
        "both.audio -> out.input",
    ]
    return wired(nodes, cables)


def play(jit, bad):
    """Peaks of blocks and whether they were faulty, the third block coming in with a number that is none, or not."""
    player = Player(listener(), sample_rate=RATE, voices=1, jit=jit)
    renderer = Renderer(player, Smoother(player), VoiceAllocator(1), sample_rate=RATE)
    sound = 0.3 * np.sin(2.0 * np.pi * 330.0 * np.arange(20 * HOPS * HOP) / RATE).astype(np.float32)
    peaks, faults = [], []
    for number, block in enumerate(np.split(sound, 20)):
        heard = np.stack([block, block])
        if bad is not None and number == 2:
            heard[:, 5] = bad
        rendered = renderer.render(HOPS, heard)
        assert np.isfinite(rendered.audio).all()
        peaks.append(float(np.abs(rendered.audio).max()))
        faults.append(rendered.faulty)
    return peaks, faults


@pytest.mark.parametrize("jit", [False, True])
def test_one_number_that_is_none_is_got_over(jit):
    clean, none = play(jit, None)
    assert not any(none)
    for bad in (np.nan, np.inf):
        peaks, faults = play(jit, bad)
        assert faults[2]
        assert not any(faults[4:])  # an output may hold a hop of it still
        np.testing.assert_allclose(peaks[12:], clean[12:], rtol=0.15)  # the tone begins anew in another phase


def test_meters_show_no_numbers_that_are_none(tmp_path):
    page = Telemetry(tmp_path / "page", create=True)

    class Shown:
        levels = np.array([0.5, np.inf, np.nan], np.float32)
        partials = np.array([np.nan, 0.25], np.float32)
        f0_hz = float("nan")

    Meters(page).show_patch(Shown(), 1, np.zeros(128, np.uint8), False)
    assert page.data["node_levels"][:3].tolist() == [0.5, 0.0, 0.0]
    assert page.data["partials"][:2].tolist() == [0.0, 0.25]
    assert page.data["f0_hz"] == 0.0
