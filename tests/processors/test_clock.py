"""What runs on the clock, held against slow readings of the same rules: one hop after the other, in Python."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from ddsp_studio.dsp.tensor import HOP, tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.clock import Clock
from ddsp_studio.processors.control import Lfo
from ddsp_studio.processors.divisions import DIVISIONS
from ddsp_studio.processors.effects import Delay
from ddsp_studio.processors.free_clock import free_clock
from ddsp_studio.processors.patch import Node
from ddsp_studio.processors.patch_file import part_from_json
from ddsp_studio.processors.performance import BEAT, RUNNING, TEMPO
from ddsp_studio.processors.player import Player
from ddsp_studio.processors.sequencing import Sequencer

from .patches import cable, wired

RATE = 48_000


def once(processor: Processor, clock: np.ndarray, **inputs: Any) -> dict[str, np.ndarray]:
    """Outputs of one block from the start; a number is a control that stands still."""
    hops = clock.shape[1]
    given = {"clock": tf.constant(clock, tf.float64)}
    for name, x in inputs.items():
        channels = processor.channels(name) if name in processor.spec.controls else 0
        value = x if isinstance(x, np.ndarray) and x.ndim > 1 else np.broadcast_to(np.asarray(x, np.float32), (1, hops, channels))
        given[name] = tf.constant(value, tf.float32)
    outputs, _ = processor.process(processor.start(1), given)
    return {name: out.numpy()[0, :, 0] if out.ndim == 3 else out.numpy()[0] for name, out in outputs.items()}


def hop_of_steps(beats: float, bpm: float, hops: int) -> list[int]:
    """The hops in which notes at every step of `beats` quarter notes would act."""
    samples = (k * beats * 60.0 / bpm * RATE for k in range(10_000))
    found = []
    for sample in samples:
        hop = math.floor(round(sample, 3) / HOP)
        if hop >= hops:
            return found
        found.append(hop)
    return found


@pytest.mark.parametrize(("division", "bpm"), [("1/4", 120.0), ("1/16", 120.0), ("1/8T", 93.7), ("1/2D", 300.0), ("1/32T", 60.0)])
def test_a_trigger_comes_in_the_hop_in_which_a_note_would(division: str, bpm: float) -> None:
    clock = free_clock(0, 6000, RATE, bpm)
    out = once(Clock(RATE, division=division), clock, width=0.25)
    assert np.flatnonzero(out["trigger"]).tolist() == hop_of_steps(DIVISIONS[division], bpm, 6000)
    assert np.all(out["gate"][out["trigger"] > 0] == 1.0)
    assert np.mean(out["gate"]) == pytest.approx(0.25, abs=0.02)
    np.testing.assert_allclose(out["rate"], bpm / 60.0 / DIVISIONS[division], rtol=1e-6)
    expected = clock[0, :, BEAT] / DIVISIONS[division] % 1.0
    apart = np.abs(out["phase"] - expected)
    assert np.max(np.minimum(apart, 1.0 - apart)) < 1e-5


def test_swing_and_shift_move_the_steps() -> None:
    clock = free_clock(0, 3000, RATE)
    begins = np.flatnonzero(once(Clock(RATE, division="1/8"), clock, swing=2.0 / 3.0)["trigger"])
    expected = (np.arange(8)[:, None] * 0.5 + np.array([0.0, 1.0 / 3.0])).ravel()
    np.testing.assert_allclose(begins * HOP / RATE, expected, atol=HOP / RATE)
    late = np.flatnonzero(once(Clock(RATE, division="1/4"), clock, shift=0.5)["trigger"])
    np.testing.assert_allclose(late[1:] * HOP / RATE, np.arange(0.25, 4.0, 0.5), atol=HOP / RATE)


def test_a_jump_begins_a_step_and_stopping_is_told() -> None:
    clock = free_clock(0, 1000, RATE)
    clock[0, 400:] = free_clock(0, 600, RATE)[0]  # a loop: beat 0 again within beat 1
    clock[0, 700:, BEAT] += 100.0
    clock[0, 400:, RUNNING] = 1.0
    out = once(Clock(RATE, division="1/1"), clock)
    assert np.flatnonzero(out["trigger"]).tolist() == [0, 400, 700]
    assert np.flatnonzero(out["running"])[0] == 400


def sequence(clock: np.ndarray, beats: float, values: Any, gates: Any, length: float, swing: float) -> list[tuple[float, ...]]:
    """(value, gate, trigger) of every hop, by the book."""
    found, before = [], (-3, -9.0)
    for beat in clock[0, :, BEAT]:
        place = beat / beats
        pair, part = divmod(place / 2.0, 1.0)
        place = 2 * pair + (part / swing if part < swing else 1 + (part - swing) / (1 - swing))
        number = math.floor(place - 1e-6)
        begins = number != before[0] or place < before[1] - 1e-6
        step = number % len(values)
        on = gates[step] >= 0.01 and (begins or place - number < gates[step] * length)
        found.append((values[step], float(on), float(begins and gates[step] >= 0.01)))
        before = (number, place)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_a_sequence_is_what_the_beat_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    clock = np.zeros((1, 400, 3))
    pace = rng.uniform(0.002, 0.02, 400)
    pace[rng.integers(10, 400, 3)] -= rng.uniform(0.0, 2.0, 3)
    clock[0, :, BEAT], clock[0, :, TEMPO] = 5.0 + np.cumsum(pace), 120.0
    values, gates = rng.uniform(0.0, 1.0, 6), np.where(rng.uniform(size=6) < 0.3, 0.0, rng.uniform(0.2, 1.0, 6))
    length, swing = float(rng.uniform(0.2, 1.0)), float(rng.uniform(0.5, 0.75))
    settings = {"values": values, "gates": gates, "length": length, "swing": swing}
    out = once(Sequencer(RATE, steps=6, division="1/16"), clock, **settings)
    expected = np.array(sequence(clock, 0.25, values, gates, np.float32(length), np.float64(np.float32(swing))))
    np.testing.assert_allclose(out["value"], expected[:, 0], atol=1e-6)
    assert np.array_equal(out["gate"], expected[:, 1])
    assert np.array_equal(out["trigger"], expected[:, 2])
    assert 0.0 < np.mean(out["gate"]) < 1.0


def test_pitches_snap_and_rests_keep_them() -> None:
    clock = free_clock(0, 800, RATE)
    values, gates = np.array([0.0, 0.26, 1.0]), np.array([1.0, 1.0, 0.0])
    settings = {"values": values, "gates": gates, "root": 110.0, "span": 12.0}
    snapped = once(Sequencer(RATE, steps=3, division="1/8"), clock, **settings)["f0"]
    step = (np.arange(800) * HOP + HOP - 1) // 12_000 % 3
    np.testing.assert_allclose(snapped[step == 0], 110.0, rtol=1e-6)
    np.testing.assert_allclose(snapped[step == 1], 110.0 * 2 ** (3 / 12), rtol=1e-6)
    np.testing.assert_allclose(snapped[step == 2], 110.0 * 2 ** (3 / 12), rtol=1e-6)
    gliding = once(Sequencer(RATE, steps=3, division="1/8", pitch="gliding"), clock, **settings)["f0"]
    np.testing.assert_allclose(gliding[step == 1], 110.0 * 2 ** (0.26 * 12 / 12), rtol=1e-6)


def test_full_length_ties_and_a_reset_starts_the_row() -> None:
    clock = free_clock(0, 750, RATE)
    row = Sequencer(RATE, steps=4, division="1/16")
    assert np.all(once(row, clock, length=1.0)["gate"] == 1.0)
    reset = np.zeros((1, 750, 1), np.float32)
    reset[0, 200] = 1.0
    out = once(row, clock, reset=reset, values=np.array([0.0, 0.3, 0.6, 0.9]))
    begins = np.flatnonzero(out["trigger"])
    assert 200 in begins
    after = begins[begins >= 200]
    np.testing.assert_allclose(np.diff(after) * HOP, 6000, atol=HOP)
    assert np.allclose(out["value"][after][:5], [0.0, 0.3, 0.6, 0.9, 0.0])


@pytest.mark.parametrize("sync", ["1/4", "1/8T", "2/1"])
def test_a_synced_lfo_is_the_beat(sync: str) -> None:
    clock = free_clock(0, 1500, RATE, 131.0)
    clock[0, 700:, BEAT] -= 2.3
    out = once(Lfo(RATE, sync=sync, shape="saw"), clock)["out"]
    expected = 2.0 * (clock[0, :, BEAT] / DIVISIONS[sync] % 1.0) - 1.0
    assert np.max(np.abs(out - expected)) < 1e-4
    drawn = once(Lfo(RATE, sync="1/4", shape="random"), clock)["out"]
    for beat in range(3):
        assert len(set(drawn[:700][np.floor(clock[0, :700, BEAT]) == beat].tolist())) == 1


def test_a_synced_lfo_counts_from_its_reset() -> None:
    clock = free_clock(0, 600, RATE)
    reset = np.zeros((1, 600, 1), np.float32)
    reset[0, 100] = 1.0
    out = once(Lfo(RATE, sync="1/4", shape="saw"), clock, reset=reset)["out"]
    expected = 2.0 * ((clock[0, :, BEAT] - clock[0, 100, BEAT]) % 1.0) - 1.0
    assert np.max(np.abs(out[101:] - expected[101:])) < 1e-3


@pytest.mark.parametrize(("sync", "bpm", "samples"), [("1/8", 120.0, 12_000), ("1/16D", 90.0, 12_000), ("1/1", 120.0, 24_000)])
def test_a_synced_echo_falls_on_the_beat(sync: str, bpm: float, samples: int) -> None:
    """The last one is longer than the line, which holds half a second."""
    hops = 25_000 // HOP + 1
    audio = np.zeros((1, hops * HOP), np.float32)
    audio[0, 0] = 1.0
    out = once(Delay(RATE, sync=sync, longest=0.5), free_clock(0, hops, RATE, bpm), input=audio, mix=1.0, tone=20_000.0)["audio"]
    assert abs(int(np.argmax(np.abs(out))) - samples) <= 1


def test_old_nodes_run_free() -> None:
    raw = {kind: {"type": kind, "version": 1, "position": [0, 0]} for kind in ("Lfo", "Delay")}
    nodes, _ = part_from_json({"nodes": raw})
    assert nodes == {"Lfo": Node("Lfo", 2), "Delay": Node("Delay", 2)}
    assert Lfo(RATE).options["sync"] == Delay(RATE).options["sync"] == "free"


@pytest.mark.parametrize("kind", [Clock, Sequencer, Lfo])
def test_xla_gives_the_same(kind: type[Processor]) -> None:
    processor = kind(RATE, **({"sync": "1/8T"} if kind is Lfo else {"division": "1/8T"}))
    clock = free_clock(0, 40, RATE, 2000.0)
    clock[0, 25:, BEAT] -= 0.77
    inputs = {"clock": tf.constant(clock)}
    expected, _ = processor.process(processor.start(1), inputs)
    found, _ = tf.function(processor.process, autograph=False, jit_compile=True)(processor.start(1), inputs)
    for name, out in expected.items():
        np.testing.assert_allclose(found[name], out, rtol=1e-5, atol=1e-5)


def sequenced() -> Player:
    nodes = {
        "row": Node("Sequencer", options={"division": "1/16"}),
        "env": Node("Adsr", values={"decay": (0.1,), "sustain": (0.2,), "release": (0.05,)}),
        "tone": Node("Harmonic", options={"partials": 8}),
        "level": Node("Gain"),
        "wobble": Node("Lfo", 2, options={"sync": "1/8"}),
        "echo": Node("Delay", 2, options={"sync": "1/32", "longest": 0.2}),
        "out": Node("Output"),
    }
    wires = ("row.f0 -> tone.f0", "row.gate -> env.gate", "row.trigger -> env.trigger", "env.out -> level.level")
    wires += ("tone.audio -> level.input", "level.audio -> echo.input", "echo.audio -> out.input")
    return Player(wired(nodes, *wires, cable("wobble.out -> tone.tilt", 0.2)), sample_rate=16_000, voices=2)


def test_a_patch_that_plays_itself_sounds_the_same_in_any_blocks() -> None:
    player, outs = sequenced(), []
    for sizes in ([160], [8] * 20, [4, 1, 7] * 13 + [4]):
        player.reset()
        first = 0
        pieces = []
        for size in sizes:
            clock = free_clock(first, size, 16_000, 140.0)
            pieces.append(player.render(np.tile(player.values, (size, 1)), np.zeros((2, size, 7), np.float32), clock).audio)
            first += size
        outs.append(np.concatenate(pieces, axis=1))
    assert np.max(np.abs(outs[0])) > 0.05
    for out in outs[1:]:
        assert np.max(np.abs(out - outs[0])) < 1e-5
