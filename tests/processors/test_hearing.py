"""Patches that are played by keys, turned into ones that are played by a sound."""

import numpy as np
import pytest

from ddsp_studio import resources
from ddsp_studio.processors import patch_file
from ddsp_studio.processors.check import Zone, zones
from ddsp_studio.processors.grouping import grouped
from ddsp_studio.processors.hearing import hearing, hears
from ddsp_studio.processors.model_file import find
from ddsp_studio.processors.model_patch import instrument
from ddsp_studio.processors.patch import Cable, Node, Patch, PatchError, Port
from ddsp_studio.processors.player import Player

RATE = 16_000


def sung(player, f0_hz, seconds=0.8):
    """What a player makes of a sawtooth-like voice, [samples]."""
    hops = 20
    count = int(seconds * RATE) // (hops * 64)
    time = np.arange(count * hops * 64) / RATE
    sound = sum(0.1 * np.sin(2 * np.pi * k * f0_hz * time) / k for k in range(1, 6)).astype(np.float32)
    values, notes = np.tile(player.values, (hops, 1)), np.zeros((player.voices, hops, 7), np.float32)
    blocks = np.split(np.stack([sound, sound]), count, axis=1)
    return np.concatenate([player.render(values, notes, None, block).audio[0].copy() for block in blocks])


@pytest.mark.parametrize("kind", ["solo_instrument", "organ"])
def test_what_played_notes_plays_what_it_hears(kind):
    group = resources.TEMPLATES if kind == "solo_instrument" else resources.PATCHES
    played = patch_file.load(resources.factory(group)[kind])
    heard = hearing(played)
    assert not hears(played) and hears(heard)
    assert {"input", "ear"} <= set(heard.nodes)
    assert Zone.VOICE not in zones(heard).values()
    assert all(node.type != "Voice" for node in heard.nodes.values())
    Player(heard, sample_rate=RATE, voices=2)


@pytest.mark.parametrize("f0_hz", [196.0, 311.0])
@pytest.mark.parametrize("shipped", ["sung_reed", "live_transfer"])
def test_the_shipped_patches_sing_at_the_pitch_that_they_hear_and_are_silent_otherwise(shipped, f0_hz):
    patch = patch_file.load(resources.factory(resources.PATCHES)[shipped])
    player = Player(patch, sample_rate=RATE, voices=2)
    sound = sung(player, f0_hz)[-8192:]
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(sound.size), 1 << 17))
    spectrum[: int(50 / RATE * (1 << 17))] = 0.0
    found = np.fft.rfftfreq(1 << 17, 1.0 / RATE)[np.argmax(spectrum)] / f0_hz
    assert abs(1200.0 * np.log2(found / max(1, round(found)))) < 10.0
    assert np.abs(sound).max() > 0.02
    hops = 20
    quiet = np.zeros((2, hops, 7), np.float32)
    player.reset()
    silent = player.render(np.tile(player.values, (hops, 1)), quiet, None, np.zeros((2, hops * 64), np.float32))
    assert np.abs(silent.audio).max() < 1e-4


def test_what_the_wheel_drove_rests():
    heard = hearing(patch_file.load(resources.factory(resources.TEMPLATES)["solo_instrument"]))
    assert heard.nodes["wheel"].values["b"] == (0.0,)  # no vibrato without a wheel


def test_a_patch_that_nobody_plays_is_refused():
    with pytest.raises(PatchError, match="nothing in this patch takes a pitch"):
        hearing(Patch(nodes={"in": Node("AudioInput"), "out": Node("Output")}))


def test_a_player_within_a_group_is_refused():
    nodes = {"voice": Node("Voice"), "tone": Node("Harmonic"), "out": Node("Output")}
    cables = (Cable(Port("voice", "f0"), Port("tone", "f0")), Cable(Port("tone", "audio"), Port("out", "input")))
    patch, name, _ = grouped(Patch(nodes=nodes, cables=cables), ["voice", "tone"], [])
    with pytest.raises(PatchError, match=f"{name}: is played within its group; ungroup it first"):
        hearing(patch)


def test_names_that_are_taken_are_left_alone():
    nodes = {"input": Node("Voice"), "ear": Node("Harmonic"), "out": Node("Output")}
    cables = (Cable(Port("input", "f0"), Port("ear", "f0")), Cable(Port("ear", "audio"), Port("out", "input")))
    heard = hearing(Patch(nodes=nodes, cables=cables))
    assert heard.nodes["ear"].type == "Harmonic"
    assert heard.nodes["ear2"].type == "PitchTracker"


def test_what_a_model_is_told_is_brought_to_its_own_level():
    heard = hearing(instrument("violin"))
    assert heard.nodes["level"].type == "AutoLevel"
    levels = find("violin").about["statistics"]["levels"]
    assert heard.nodes["level"].values["target"] == (pytest.approx(levels[len(levels) // 2]),)
    assert Cable(Port("ear", "loudness"), Port("level", "heard")) in heard.cables
    assert Cable(Port("level", "loudness"), Port("decoder", "loudness")) in heard.cables
    assert "level" not in hearing(patch_file.load(resources.factory(resources.TEMPLATES)["solo_instrument"])).nodes
