"""A compiled patch keeps the law of its processors; what the player adds changes nothing with the block."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ddsp_studio.dsp.tensor import HOP, tf
from ddsp_studio.processors.catalogue import specs
from ddsp_studio.processors.group import ProcessorGroup
from ddsp_studio.processors.patch import Node, Patch
from ddsp_studio.processors.player import RAMP_HOPS, Player, Smoother

from .patches import cable, tone, wired
from .stimulus import performance

RATE, VOICES, HOPS = 16_000, 2, 20


def played(player: Player, sizes: list[int], notes: np.ndarray | None = None, values: np.ndarray | None = None) -> np.ndarray:
    """Render in blocks of the given hops: [2, samples]."""
    notes = performance(np.random.default_rng(1), player_voices(player), sum(sizes)) if notes is None else notes
    rows = np.tile(player.values, (sum(sizes), 1)) if values is None else values
    out, begin = [], 0
    for size in sizes:
        out.append(player.render(rows[begin : begin + size], notes[:, begin : begin + size]).audio.copy())
        begin += size
    return np.concatenate(out, axis=1)


def player_voices(player: Player) -> int:
    return player.voices


def fresh(patch: Patch, *, voices: int = VOICES, jit: bool = False) -> Player:
    return Player(patch, sample_rate=RATE, voices=voices, jit=jit)


def decibels(found: np.ndarray, expected: np.ndarray) -> float:
    return 20.0 * math.log10(float(np.sqrt(np.mean((found - expected) ** 2))) + 1e-12) - 20.0 * math.log10(
        float(np.sqrt(np.mean(expected**2)))
    )


@pytest.fixture(scope="module")
def player() -> Player:
    return fresh(tone())


def test_blocks_of_any_size_sound_the_same(player: Player) -> None:
    outs = []
    for sizes in ([HOPS], [4] * 5, [1, 4, 7, 4, 1, 1, 1, 1]):
        player.reset()
        outs.append(played(player, sizes))
    assert np.max(np.abs(outs[0])) > 0.05
    for out in outs[1:]:
        assert np.max(np.abs(out - outs[0])) < 1e-5


def test_gradients_pass_through_the_whole_patch_and_any_split() -> None:
    group = ProcessorGroup(tone(), sample_rate=RATE, playing=False)
    values = np.zeros((8, group.width), np.float32)
    source = fresh(tone())
    for name, column in group.columns.items():
        values[:, column.columns] = source._encoded(source.values[None])[0, source.columns[name]]
    notes = tf.constant(performance(np.random.default_rng(2), 2, 8))
    slopes = []
    for sizes in ([8], [3, 1, 4]):
        held, state, begin, total = tf.constant(values), group.start(2), 0, tf.zeros([])
        with tf.GradientTape() as tape:
            tape.watch(held)
            for size in sizes:
                out, state = group.process(state, held[begin : begin + size], notes[:, begin : begin + size])
                total += tf.reduce_sum(tf.square(out.audio))
                begin += size
        slopes.append(tape.gradient(total, held).numpy())
    assert np.all(np.isfinite(slopes[0]))
    tuned = group.columns["tone.amplitude"].columns
    assert np.max(np.abs(slopes[0][:, tuned])) > 1e-3
    assert np.max(np.abs(slopes[0] - slopes[1])) < 1e-3 * np.max(np.abs(slopes[0]))


def test_xla_gives_the_same_within_80_db(player: Player) -> None:
    player.reset()
    expected = played(player, [4] * 5)
    assert decibels(played(fresh(tone(), jit=True), [4] * 5), expected) < -80.0


def source(**nodes: Node) -> dict[str, Node]:
    return {"n": Node("FilteredNoise", options={"bands": 33}), **nodes, "o": Node("Output")}


def free(nodes: dict[str, Node], *cables: object) -> np.ndarray:
    return played(fresh(wired(nodes, *cables), voices=1), [8])  # type: ignore[arg-type]


def test_cables_into_one_inlet_add_up() -> None:
    quiet = Node("Gain", values={"gain": (-12.0,)})
    one = free(source(g=quiet), "n.audio -> g.input", "g.audio -> o.input")
    two = free(source(g=quiet, h=quiet), "n.audio -> g.input", "n.audio -> h.input", "g.audio -> o.input", "h.audio -> o.input")
    assert np.max(np.abs(two - 2.0 * one)) < 1e-6
    assert np.max(np.abs(one)) > 0.01


def test_parallel_ways_arrive_together() -> None:
    """Noise filtered by two banks of unequal length is delayed to match: the late one sounds where it would alone."""
    nodes = {
        "a": Node("FilteredNoise", options={"bands": 129}, values={"amplitude": (0.1,)}),
        "h": Node("Harmonic", options={"partials": 1}, values={"amplitude": (0.2,), "f0": (250.0,)}),
        "m": Node("Add"),
        "o": Node("Output"),
    }
    both = fresh(wired(nodes, "a.audio -> m.a", "h.audio -> m.b", "m.audio -> o.input"), voices=1)
    assert both.latency_samples == 128 + HOP
    sine = fresh(wired(nodes, "h.audio -> m.b", "m.audio -> o.input"), voices=1)
    noise = fresh(wired(nodes, "a.audio -> m.a", "m.audio -> o.input"), voices=1)
    assert sine.latency_samples == HOP
    outs = [played(p, [10]) for p in (both, sine, noise)]
    late = np.concatenate([np.zeros((2, 128)), outs[1][:, :-128]], axis=1)
    assert np.max(np.abs(outs[0] - outs[2] - late)) < 1e-5


def test_modulation_is_added_in_knob_space() -> None:
    def hertz(value: float, amount: float) -> float:
        nodes = {
            "c": Node("Constant", values={"value": (value,)}),
            "t": Node("Harmonic", options={"partials": 1}, values={"f0": (100.0,)}),
            "o": Node("Output"),
        }
        player = fresh(wired(nodes, cable("c.out -> t.f0", amount), "t.audio -> o.input"), voices=1)
        notes, values = np.zeros((1, 1, 7), np.float32), player.values[None]
        return player.render(values, notes).f0_hz

    octaves = math.log2(16_000.0 / 8.0)
    assert hertz(0.5, 0.2) == pytest.approx(100.0 * 2.0 ** (0.1 * octaves), rel=1e-4)
    assert hertz(-0.5, 0.2) == pytest.approx(100.0 * 2.0 ** (-0.1 * octaves), rel=1e-4)
    assert hertz(1.0, 1.0) == pytest.approx(16_000.0, rel=1e-4)
    assert hertz(-1.0, 1.0) == pytest.approx(8.0, rel=1e-4)


def test_bypass_passes_and_mute_silences() -> None:
    wires = ("n.audio -> g.input", "g.audio -> o.input")
    gain = {"values": {"gain": (-20.0,)}}
    plain = free(source(g=Node("Gain")), *wires)
    assert np.max(np.abs(free(source(g=Node("Gain", **gain, bypassed=True)), *wires) - plain)) < 1e-6
    assert np.max(np.abs(free(source(g=Node("Gain", muted=True)), *wires))) == 0.0
    assert np.max(np.abs(free(source(g=Node("Gain", muted=True, bypassed=True)), *wires))) == 0.0
    for kind in ("Filter", "Delay", "ConvolutionReverb", "Pan", "VoiceMixer"):
        assert np.all(np.isfinite(free(source(g=Node(kind, specs()[kind].version, bypassed=True)), *wires)))


@pytest.mark.parametrize("kind", ["Pan", "VoiceMixer", "Filter"])
def test_a_sound_that_nobody_plays_passes_every_kind_of_node(kind: str) -> None:
    out = free(source(g=Node(kind)), "n.audio -> g.input", "g.audio -> o.input")
    assert out.shape == (2, 8 * HOP)
    assert np.max(np.abs(out)) > 0.01


def test_a_new_player_carries_on_where_the_old_one_was() -> None:
    notes = performance(np.random.default_rng(3), VOICES, 16)
    whole = fresh(tone())
    expected = played(whole, [8, 8], notes)
    old, new = fresh(tone()), fresh(tone().with_node("idle", Node("Gain")))
    first = played(old, [8], notes[:, :8])
    new.adopt(old)
    second = played(new, [8], notes[:, 8:])
    assert np.max(np.abs(np.concatenate([first, second], axis=1) - expected)) < 1e-5


def test_nodes_of_another_type_or_option_start_anew() -> None:
    old = fresh(tone())
    played(old, [8])
    changed = tone().with_node("tone", Node("Harmonic", options={"partials": 5}, values={"amplitude": (0.4,)}))
    new = fresh(changed)
    new.adopt(old)
    assert np.all(np.isfinite(played(new, [8])))


def test_a_moved_knob_travels_the_same_way_in_any_block(player: Player) -> None:
    column = player.columns["filter.resonance"]
    ways = []
    for sizes in ([20], [1] * 20, [3, 7, 10]):
        smoother, rows = Smoother(player), []
        smoother.set(column, [8.0], 2)
        for size in sizes:
            rows.append(smoother.frames(size))
        ways.append(np.concatenate(rows))
    for way in ways[1:]:
        assert np.allclose(way, ways[0], rtol=1e-6)
    way = ways[0][:, column][:, 0]
    assert way[1] == pytest.approx(0.707) and way[2 + RAMP_HOPS - 1] == pytest.approx(8.0)
    ratios = way[3 : 2 + RAMP_HOPS] / way[2 : 1 + RAMP_HOPS]
    assert np.allclose(ratios, ratios[0], rtol=1e-4), "equal ratios: a straight line of the knob"


def test_a_knob_that_moves_again_starts_from_where_it_is(player: Player) -> None:
    smoother, column = Smoother(player), player.columns["tone.amplitude"]
    smoother.set(column, [1.0])
    half = smoother.frames(RAMP_HOPS // 2)[-1, column][0]
    smoother.set(column, [0.0])
    after = smoother.frames(RAMP_HOPS)[:, column][:, 0]
    assert 0.4 < after[0] < half < 1.0
    assert np.all(np.diff(after) < 0.0) and after[-1] == pytest.approx(0.0, abs=1e-6)


def test_levels_and_partials_are_shown(player: Player) -> None:
    player.reset()
    block = player.render(np.tile(player.values, (4, 1)), performance(np.random.default_rng(5), VOICES, 4))
    assert block.levels.shape == (len(player.nodes),)
    assert player.partials_node == "tone" and block.partials.shape == (12,)
    assert block.f0_hz > 20.0


def test_a_runaway_patch_stays_under_the_ceiling() -> None:
    loud = Node("Gain", values={"gain": (24.0,)})
    nodes = source(**{f"g{i}": loud for i in range(5)})
    wires = ["n.audio -> g0.input", *[f"g{i}.audio -> g{i + 1}.input" for i in range(4)], "g4.audio -> o.input"]
    out = free(nodes, *wires)
    assert 0.1 < np.max(np.abs(out)) <= 10.0 ** (-0.3 / 20.0) + 1e-6


def test_two_noises_in_a_patch_are_two() -> None:
    nodes = {"hiss": Node("NoiseSource"), "wind": Node("NoiseSource"), "out": Node("Output")}
    start = ProcessorGroup(wired(nodes, "hiss.audio -> out.input", "wind.audio -> out.input"), sample_rate=RATE).start(VOICES)
    first, second = (tf.nest.flatten(start.nodes[name]) for name in ("hiss", "wind"))
    assert any(np.any(a.numpy() != b.numpy()) for a, b in zip(first, second, strict=True))
