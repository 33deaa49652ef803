"""The arpeggiator against a slow reading of its rules: one hop after the other, in Python."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ddsp_studio.dsp.tensor import tf
from ddsp_studio.processors.arpeggiator import Arpeggiator
from ddsp_studio.processors.check import refusal
from ddsp_studio.processors.divisions import DIVISIONS
from ddsp_studio.processors.free_clock import free_clock
from ddsp_studio.processors.patch import Node, Port
from ddsp_studio.processors.performance import BEAT, GATE, MOD, NOTE, RUNNING, TRIGGER, VELOCITY
from ddsp_studio.processors.player import Player

from .patches import wired

RATE = 48_000
C, E, G = 60.0, 64.0, 67.0


def chord(hops: int, keys: list[tuple[int, int, float]], voices: int = 4) -> np.ndarray:
    """Keys (from hop, to hop, note) on voices in their order: [voices, hops, 7]."""
    played = np.zeros((voices, hops, 7), np.float32)
    played[..., NOTE] = 60.0
    for voice, (begin, end, note) in enumerate(keys):
        played[voice, begin:, NOTE], played[voice, begin:end, GATE], played[voice, begin, TRIGGER] = note, 1.0, 1.0
        played[voice, begin:, VELOCITY] = 0.2 + 0.1 * voice
        played[voice, :, MOD] = 0.1 * voice
    return played


def arpeggio(played: np.ndarray, clock: np.ndarray, length: float = 0.5, **options: object) -> np.ndarray:
    """Notes of one block from the start."""
    processor = Arpeggiator(RATE, name="arp", stereo=True, **options)  # type: ignore[arg-type]
    voices, hops = played.shape[:2]
    inputs = {
        "performance": tf.constant(played),
        "clock": tf.constant(clock, tf.float64),
        "length": tf.fill([1, hops, 1], np.float32(length)),
    }
    outputs, _ = processor.process(processor.start(voices), inputs)
    return np.asarray(outputs["notes"].numpy())


def steps_of(notes: np.ndarray) -> list[tuple[int, float]]:
    """(hop, note) of every step."""
    rows, hops = np.nonzero(notes[..., TRIGGER])
    return sorted((int(hop), float(notes[row, hop, NOTE])) for row, hop in zip(rows, hops, strict=True))


UP_DOWN = [C, E, G, C + 12, E + 12, G + 12, E + 12, C + 12, G, E]
ORDERS = {
    ("up", 1): [C, E, G],
    ("down", 1): [G, E, C],
    ("up", 2): [C, E, G, C + 12, E + 12, G + 12],
    ("down", 2): [G + 12, E + 12, C + 12, G, E, C],
    ("up and down", 1): [C, E, G, E],
    ("up and down", 2): UP_DOWN,
    ("as played", 1): [E, C, G],
}


@pytest.mark.parametrize(("mode", "octaves"), ORDERS)
def test_orders(mode: str, octaves: int) -> None:
    played = chord(2000, [(2, 2000, E), (3, 2000, C), (4, 2000, G)])
    notes = arpeggio(played, free_clock(0, 2000, RATE), mode=mode, octaves=octaves, begin="beat", division="1/16")
    found, order = [note for _, note in steps_of(notes)], ORDERS[mode, octaves]
    assert len(found) == 21  # 2000 hops are 21.3 steps, and the first was over when the keys came
    assert found == (order * 21)[:21]
    assert np.max(notes[..., GATE].sum(axis=0)) == 1.0


def test_random_keeps_to_the_chord_and_to_itself() -> None:
    played = chord(4000, [(0, 4000, C), (0, 4000, E), (0, 4000, G)])
    one, other = (arpeggio(played, free_clock(0, 4000, RATE), mode="random", octaves=2) for _ in range(2))
    assert np.array_equal(one, other)
    found = [note for _, note in steps_of(one)]
    assert set(found) == {C, E, G, C + 12, E + 12, G + 12}
    assert found[:6] != found[6:12]


@pytest.mark.parametrize(
    ("begin", "running", "first"), [("key", 1.0, 50), ("auto", 0.0, 50), ("beat", 0.0, 93), ("auto", 1.0, 93)]
)
def test_the_first_step_comes_at_the_key_or_on_the_beat(begin: str, running: float, first: int) -> None:
    clock = free_clock(0, 400, RATE)
    clock[..., RUNNING] = running
    notes = arpeggio(chord(400, [(50, 400, C)]), clock, begin=begin, division="1/16")
    hops = [hop for hop, _ in steps_of(notes)]
    assert hops[0] == first
    np.testing.assert_allclose(np.diff(hops), 93.75, atol=1.0)


def test_steps_go_round_the_voices_or_stay_on_one() -> None:
    played = chord(900, [(0, 900, C), (0, 900, G)], voices=3)
    for voices, expected in (("all", [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]), ("one", [0] * 10)):
        notes = arpeggio(played, free_clock(0, 900, RATE), voices=voices)
        rows, hops = np.nonzero(notes[..., TRIGGER])
        assert rows[np.argsort(hops)].tolist() == expected
        starts = notes[rows, hops]
        assert np.array_equal(starts[:, VELOCITY], np.where(starts[:, NOTE] == C, np.float32(0.2), np.float32(0.2 + 0.1)))
        assert np.allclose(starts[:, MOD], np.where(starts[:, NOTE] == C, 0.0, 0.1))


def test_letting_go_ends_the_step_and_a_tie_leaves_no_gap() -> None:
    played = chord(500, [(0, 250, C)])
    gate = arpeggio(played, free_clock(0, 500, RATE), length=1.0)[..., GATE].sum(axis=0)
    assert np.all(gate[:250] == 1.0)
    assert not np.any(gate[250:])


def slowly(played: np.ndarray, clock: np.ndarray, mode: str, octaves: int, begin: str, beats: float, length: float) -> np.ndarray:
    """The rules, hop by hop, with steps going round the voices."""
    voices, hops = played.shape[:2]
    out = np.zeros_like(played)
    note, velocity, source = [60.0] * voices, [0.0] * voices, [0] * voices
    keys = count = base = 0
    origin, number, before, age = 0.0, -3, -2.0, [0] * voices
    for hop in range(hops):
        age = [0 if played[v, hop, TRIGGER] > 0.5 else age[v] + 1 for v in range(voices)]
        held = [v for v in range(voices) if played[v, hop, GATE] > 0.5]
        grid = clock[0, hop, BEAT] / beats
        first, keys = bool(held) and not keys, len(held)
        at_key = first and (begin == "key" or (begin == "auto" and clock[0, hop, RUNNING] < 0.5))
        if first:
            origin = grid - 4e-6 if at_key else 0.0
        place = grid - origin
        begins = at_key or math.floor(place - 1e-6) != number or place < before - 1e-6
        number, before = math.floor(place - 1e-6), place
        base = count if first else base
        count += begins
        index = count - base - 1
        row = index % voices
        fires = begins and index >= 0 and bool(held)
        if fires:
            ranked = sorted(held, key=lambda v: (-age[v] if mode == "as played" else played[v, hop, NOTE], v))
            size = len(ranked) * octaves
            if mode == "up and down":
                turn = index % max(2 * size - 2, 1)
                at = turn if turn < size else 2 * size - 2 - turn
            else:
                at = size - 1 - index % size if mode == "down" else index % size
            source[row] = ranked[at % len(ranked)]
            note[row] = played[source[row], hop, NOTE] + 12.0 * (at // len(ranked))
            velocity[row] = played[source[row], hop, VELOCITY]
        gate = fires or (bool(held) and index >= 0 and (begins or place - number < length))
        for v in range(voices):
            out[v, hop] = played[source[v], hop]
            out[v, hop, [NOTE, VELOCITY, GATE, TRIGGER]] = (
                note[v],
                velocity[v],
                float(gate and v == row),
                float(fires and v == row),
            )
    return out


@pytest.mark.parametrize("mode", ["up", "down", "up and down", "as played"])
@pytest.mark.parametrize("begin", ["auto", "beat"])
def test_any_playing_gives_what_the_rules_say(mode: str, begin: str) -> None:
    for seed in range(4):
        rng = np.random.default_rng(seed)
        keys = [(int(b), int(b + rng.integers(5, 200)), float(rng.integers(50, 60))) for b in rng.integers(0, 250, 4)]
        played = chord(400, keys)
        clock = np.zeros((1, 400, 3))
        pace = rng.uniform(0.005, 0.02, 400)
        pace[rng.integers(10, 400, 2)] -= 1.3
        clock[0, :, BEAT], clock[0, 200:, RUNNING] = 3.0 + np.cumsum(pace), 1.0
        octaves = int(rng.integers(1, 3))
        found = arpeggio(played, clock, 0.4, mode=mode, octaves=octaves, begin=begin, division="1/8")
        expected = slowly(played, clock, mode, octaves, begin, DIVISIONS["1/8"], float(np.float32(0.4)))
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert found[..., TRIGGER].sum() > 3


@pytest.mark.parametrize("mode", ["as played", "random"])
def test_xla_gives_the_same(mode: str) -> None:
    processor = Arpeggiator(RATE, name="arp", stereo=True, mode=mode, begin="key")
    played = tf.constant(chord(60, [(3, 50, C), (8, 60, G), (20, 40, E)]))
    inputs = {"performance": played, "clock": tf.constant(free_clock(0, 60, RATE, 2000.0))}
    expected, _ = processor.process(processor.start(4), inputs)
    found, _ = tf.function(processor.process, autograph=False, jit_compile=True)(processor.start(4), inputs)
    np.testing.assert_allclose(found["notes"], expected["notes"], atol=1e-6)
    assert np.sum(expected["notes"][..., TRIGGER]) > 5


def instrument(**flags: bool) -> Player:
    nodes = {
        "arp": Node("Arpeggiator", options={"begin": "key", "division": "1/32"}, **flags),
        "voice": Node("Voice"),
        "tone": Node("Harmonic", options={"partials": 4}),
        "level": Node("Gain"),
        "mixer": Node("VoiceMixer"),
        "out": Node("Output"),
    }
    wires = ("arp.notes -> voice.performance", "voice.f0 -> tone.f0", "voice.gate -> level.level", "tone.audio -> level.input")
    return Player(wired(nodes, *wires, "level.audio -> mixer.input", "mixer.audio -> out.input"), sample_rate=RATE, voices=4)


def test_in_a_patch_it_plays_the_voices_in_blocks_of_any_size() -> None:
    player, outs = instrument(), []
    played = chord(120, [(5, 100, C), (6, 110, G)])
    for sizes in ([120], [4] * 30, [1, 7, 4] * 10):
        player.reset()
        pieces, first = [], 0
        for size in sizes:
            clock = free_clock(first, size, RATE)
            pieces.append(player.render(np.tile(player.values, (size, 1)), played[:, first : first + size], clock).audio)
            first += size
        outs.append(np.concatenate(pieces, axis=1))
    assert np.max(np.abs(outs[0])) > 0.05
    for out in outs[1:]:
        assert np.max(np.abs(out - outs[0])) < 1e-5


def test_bypassed_it_passes_the_keys_and_muted_none() -> None:
    played = chord(40, [(0, 40, C), (0, 40, G)])
    levels = []
    for flags in ({}, {"bypassed": True}, {"muted": True}):
        player = instrument(**flags)
        levels.append(
            float(np.sqrt(np.mean(player.render(np.tile(player.values, (40, 1)), played, free_clock(0, 40, RATE)).audio ** 2)))
        )
    assert levels[1] > 1.2 * levels[0] > 0.0  # both keys at once
    assert levels[2] == 0.0


def test_a_voice_takes_notes_from_one_cable() -> None:
    patch = wired({"a": Node("Arpeggiator"), "b": Node("Arpeggiator"), "v": Node("Voice")}, "a.notes -> v.performance")
    assert "already gets notes" in (refusal(patch, Port("b", "notes"), Port("v", "performance")) or "")
    assert "takes clock" in (refusal(patch, Port("b", "notes"), Port("a", "clock")) or "")
    assert refusal(patch, Port("b", "notes"), Port("a", "performance")) is None
