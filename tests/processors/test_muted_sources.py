"""A node that is muted gives 0, whatever it drives: no number that is none comes of it, and all goes on once it is heard."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ddsp_studio.dsp.tensor import HOP, tf
from ddsp_studio.processors.model_patch import open_patch
from ddsp_studio.processors.patch import Cable, Node, Patch, Port
from ddsp_studio.processors.player import Block, Player

RATE, HOPS = 48_000, 12


def played(player: Player, blocks: int = 1) -> list[Block]:
    """A key that is held."""
    notes = np.zeros((1, HOPS, 7), np.float32)
    notes[..., 0], notes[..., 1], notes[:, 0, 2], notes[..., 3] = 60.0, 1.0, 1.0, 0.7
    made = []
    for _ in range(blocks):
        made.append(player.render(np.tile(player.values, (HOPS, 1)), notes))
        notes[:, 0, 2] = 0.0
    return made


def is_sound(player: Player, block: Block) -> bool:
    """Whether a block and the state behind it are numbers."""
    held = [x.numpy() for x in player._state if x.dtype.is_floating]
    return bool(np.isfinite(block.levels).all() and np.isfinite(block.audio).all() and all(np.isfinite(x).all() for x in held))


@pytest.mark.parametrize("source", ["voice", "pitch"])
def test_a_trained_instrument_survives_a_muted_pitch(source: str) -> None:
    patch = open_patch("violin")
    silent = Player(patch.with_node(source, replace(patch.nodes[source], muted=True)), sample_rate=RATE, voices=1)
    assert all(is_sound(silent, block) for block in played(silent, 3))
    again = Player(patch, sample_rate=RATE, voices=1)
    again.adopt(silent)
    blocks = played(again, 30)
    assert all(is_sound(again, block) for block in blocks)
    assert np.abs(blocks[-1].audio).max() > 0.01


@pytest.mark.parametrize(
    ("source", "kind", "control"),
    [
        ("Constant", "Compressor", "ratio"),
        ("Constant", "Equaliser", "first_q"),
        ("Constant", "Envelope", "speed"),
        ("Transpose", "Vibrato", "rate"),
        ("Transpose", "SteppedNoise", "rate"),
        ("Transpose", "Sampler", "root"),
        ("Transpose", "Granular", "root"),
    ],
)
def test_a_control_is_held_to_its_lowest_value(source: str, kind: str, control: str) -> None:
    """Where only a positive number has a meaning."""
    nodes = {"off": Node(source, muted=True), "it": Node(kind), "tone": Node("Oscillator"), "out": Node("Output")}
    cables = {"off.out": f"it.{control}"}
    if kind == "Envelope":
        cables |= {"it.out": "tone.amplitude", "tone.audio": "out.input"}
    elif kind in ("SteppedNoise", "Sampler", "Granular"):
        del nodes["tone"]
        cables |= {"it.audio": "out.input"}
    else:
        cables |= {"tone.audio": "it.input", "it.audio": "out.input"}
    patch = Patch(name="t", nodes=nodes, cables=tuple(Cable(Port.parse(a), Port.parse(b)) for a, b in cables.items()))
    player = Player(patch, sample_rate=RATE, voices=1)
    assert all(is_sound(player, block) for block in played(player, 2))


def test_a_small_value_is_no_muted_one() -> None:
    """A cable may set less than a knob does: half a step a second, where the knob begins at one."""
    low = {"f0": (8.0,), "ratio": (0.125,), "semitones": (-12.0,)}
    nodes = {"slow": Node("Transpose", values=low), "it": Node("SteppedNoise"), "out": Node("Output")}
    cables = (Cable(Port("slow", "out"), Port("it", "rate")), Cable(Port("it", "audio"), Port("out", "input")))
    player = Player(Patch(name="t", nodes=nodes, cables=cables), sample_rate=RATE, voices=1)
    sound = np.concatenate([block.audio[0] for block in played(player, 260)])
    edges = np.abs(np.diff(sound)) > 1e-4
    assert len(sound) > 4 * RATE and 2 <= edges.sum() <= 6  # an edge may lie between two samples


@pytest.mark.parametrize("source", ["AutoLevel.loudness", "Voice.loudness", "AmplitudeToDb.out"])
def test_a_muted_loudness_is_silence(source: str) -> None:
    """And not the full level, which 0 dB would be."""
    kind, outlet = source.split(".")
    nodes = {"off": Node(kind, muted=True), "amp": Node("DbToAmplitude"), "tone": Node("Oscillator"), "out": Node("Output")}
    ports = [(f"off.{outlet}", "amp.level"), ("amp.out", "tone.amplitude"), ("tone.audio", "out.input")]
    patch = Patch(name="t", nodes=nodes, cables=tuple(Cable(Port.parse(a), Port.parse(b)) for a, b in ports))
    (block,) = played(Player(patch, sample_rate=RATE, voices=1))
    assert np.abs(block.audio).max() < 2e-5


def test_what_a_control_may_be_passes_as_it_is() -> None:
    nodes = {
        "a": Node("Constant", values={"value": (-0.25,)}),
        "b": Node("Scale"),
        "tone": Node("Oscillator"),
        "out": Node("Output"),
    }
    ports = [("a.out", "b.input"), ("b.out", "tone.amplitude"), ("tone.audio", "out.input")]
    patch = Patch(name="t", nodes=nodes, cables=tuple(Cable(Port.parse(a), Port.parse(b)) for a, b in ports))
    (turned,) = played(Player(patch, sample_rate=RATE, voices=1))
    upright = patch.with_value("a", "value", (0.25,))
    (plain,) = played(Player(upright, sample_rate=RATE, voices=1))
    np.testing.assert_allclose(turned.audio, -plain.audio, atol=1e-6)
    assert plain.audio.shape == (2, HOPS * HOP)
    assert tf.reduce_max(tf.abs(plain.audio)) > 0.1
