"""Decoders: their clock at every rate, their sizes, and what an untrained one plays; Expression and the data set's gestures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ddsp_studio.dsp.tensor import HOP, tf
from ddsp_studio.processors import networks_clock
from ddsp_studio.processors.catalogue import processor_types
from ddsp_studio.processors.declare import Control, Head, Law
from ddsp_studio.processors.expression import LEVELS, ONSET_DB

LEVEL = Control(unit="", low=0.0, high=1.0, default=0.5, law=Law.CURVED)
HEADS = (Head("noise.magnitudes", LEVEL, 65), Head("tone.amplitude", LEVEL, 1), Head("tone.distribution", LEVEL, 64))


def decoder(kind: str = "RnnDecoder", rate: int = 16_000, **options: Any) -> Any:
    return processor_types()[kind](rate, name="net", heads=HEADS, **{"size": "tiny", **options})


@pytest.mark.parametrize("kind", ["RnnDecoder", "DilatedDecoder"])
def test_sizes(kind: str) -> None:
    counts = {
        size: sum(w.size for w in decoder(kind, size=size).initial_weights().values()) for size in ("tiny", "small", "full")
    }
    assert counts["tiny"] <= 50_000 < counts["small"] < 1_000_000 < counts["full"]


@pytest.mark.parametrize(("rate", "hops"), [(16_000, 1), (22_050, 1), (32_000, 2), (44_100, 3), (48_000, 3), (96_000, 6)])
def test_a_frame_is_close_to_four_milliseconds(rate: int, hops: int) -> None:
    assert decoder(rate=rate).period == hops
    # the worst error of a whole number of hops
    assert abs(hops * HOP / rate - 0.004) <= 0.5 * HOP / rate


@pytest.mark.parametrize("period", [1, 2, 3, 6])
def test_frames_are_counted_from_the_first_sample(period: int) -> None:
    """Every split of 24 hops reads the same frames, and ramps between them."""
    signal = np.random.default_rng(1).normal(size=(2, 24, 1)).astype(np.float32)
    starts = np.arange(0, 24, period)
    line = np.concatenate([signal[:, :1], signal[:, starts]], axis=1)
    share = (np.arange(24) % period + 1)[:, None] / period
    place = np.arange(24) // period
    expected = line[:, place] * (1.0 - share) + line[:, place + 1] * share
    for sizes in ([24], [1] * 24, [5, 7, 1, 11], [4] * 6, [2, 22]):
        clock, at, outs = networks_clock.start(2, 1), 0, []
        for size in sizes:
            frames = networks_clock.frames_of(clock, size, period)
            said = networks_clock.read(tf.constant(signal[:, at : at + size]), frames, period)
            out, clock = networks_clock.speak(said, clock, frames, size, period)
            outs.append(out.numpy())
            at += size
        np.testing.assert_allclose(np.concatenate(outs, axis=1), expected, atol=1e-6)


@pytest.mark.parametrize("kind", ["RnnDecoder", "DilatedDecoder"])
def test_a_pause_is_no_softer_than_the_silence_of_training(kind: str) -> None:
    """A tracker reads -100 dB in a pause, and an automatic level may move that further down."""

    def after(pause_db: float) -> tuple[np.ndarray, Any]:
        net = decoder(kind)
        loudness = np.full((1, 40, 1), pause_db, np.float32)
        loudness[:, 30:] = -25.0
        outputs, state = net.process(net.start(1), {"loudness": tf.constant(loudness), "f0": tf.fill([1, 40, 1], 330.0)})
        return np.concatenate([x.numpy() for x in outputs["controls"].values()], axis=2), state

    trained, state = after(-80.0)
    for pause_db in (-120.0, -100.0, -80.5):
        live, other = after(pause_db)
        np.testing.assert_array_equal(live, trained)
        for one, two in zip(tf.nest.flatten(state), tf.nest.flatten(other), strict=True):
            np.testing.assert_array_equal(one.numpy()[:1], two.numpy()[:1])
    assert np.abs(after(-70.0)[0] - trained).max() > 1e-4


@pytest.mark.parametrize("kind", ["RnnDecoder", "DilatedDecoder"])
def test_an_untrained_decoder_plays_the_defaults_nearly(kind: str) -> None:
    net = decoder(kind)
    rng = np.random.default_rng(2)
    x = {
        "f0": tf.constant(rng.uniform(100, 1000, (1, 40, 1)), tf.float32),
        "loudness": tf.constant(rng.uniform(-60, -10, (1, 40, 1)), tf.float32),
    }
    logits = np.concatenate([np.ravel(v) for v in net.process(net.start(1), x)[0]["controls"].values()])
    assert 0.0 < np.std(logits) < 0.3


def test_the_same_weights_say_the_same_at_another_rate() -> None:
    """Held inputs settle on the same logits at 16, 44.1 and 48 kHz."""
    ends = []
    for rate in (16_000, 44_100, 48_000):
        net = decoder(rate=rate)
        hops = int(rate * 0.5) // HOP
        x = {"f0": tf.fill([1, hops, 1], 300.0), "loudness": tf.fill([1, hops, 1], -20.0)}
        ends.append(net.process(net.start(1), x)[0]["controls"]["tone.distribution"][0, -1].numpy())
    for end in ends[1:]:
        np.testing.assert_allclose(end, ends[0], atol=1e-3)


# -- Expression ---------------------------------------------------------------------------------------------------------------


LEVELS_DB = np.linspace(-50.0, -10.0, LEVELS, dtype=np.float32)
GESTURES = np.array([500.0, 100.0, -80.0], np.float32)


def loudness(
    velocity: float,
    held_s: float,
    *,
    rate: int = 16_000,
    pressure: float = 0.0,
    mod: float = 0.0,
    decay: float = 0.0,
    **controls: float,
) -> np.ndarray:
    hops, held = int(1.5 * rate) // HOP, int(held_s * rate) // HOP
    played = np.zeros((1, hops, 7), np.float32)
    played[..., 0], played[..., 3], played[..., 4], played[..., 5] = 60.0, velocity, pressure, mod
    played[:, :held, 1], played[:, 0, 2] = 1.0, 1.0
    made = processor_types()["Expression"](rate, name="e")
    x = {"performance": tf.constant(played)} | {name: tf.fill([1, hops, 1], value) for name, value in controls.items()}
    known = {"levels": LEVELS_DB, "peaks": LEVELS_DB + 6.0, "gestures": GESTURES, "decay": np.array([decay], np.float32)}
    weights = {f"statistics/{key}": tf.constant(value) for key, value in known.items()}
    return made.process(made.start(1), x, weights)[0]["loudness"].numpy()[0, :, 0]


def test_velocity_asks_for_the_levels_of_the_data() -> None:
    reached = [loudness(v, 1.0)[200] for v in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert np.all(np.diff(reached) > 5.0)
    assert abs(reached[2] - np.interp(0.535, np.linspace(0, 1, LEVELS), LEVELS_DB)) < 0.1
    assert LEVELS_DB[0] < reached[0] and reached[-1] < LEVELS_DB[-1]


def test_pressure_and_wheel_raise_it_and_dynamics_level_it() -> None:
    plain = loudness(0.3, 1.0)[200]
    assert loudness(0.3, 1.0, pressure=1.0)[200] > plain + 10.0
    assert loudness(0.3, 1.0, mod=1.0)[200] > plain + 3.0
    assert loudness(0.3, 1.0, mod=1.0, wheel=0.0)[200] == pytest.approx(plain)
    assert loudness(0.1, 1.0, dynamics=0.0)[200] == pytest.approx(loudness(0.9, 1.0, dynamics=0.0)[200])


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_a_release_falls_as_the_data_does(rate: int) -> None:
    heard = loudness(0.8, 0.5, rate=rate)
    seconds = np.arange(1, len(heard) + 1) * HOP / rate
    after = (seconds > 0.51) & (heard > -79.0)
    slope = np.polyfit(seconds[after], heard[after], 1)[0]
    assert slope == pytest.approx(-GESTURES[1], rel=0.02)
    assert heard[-1] == GESTURES[2]
    # a note is heard at once and rises no faster than the data's do
    assert heard[0] >= heard[int(0.4 * rate) // HOP] - ONSET_DB - 1e-3
    assert np.max(np.diff(heard)) <= GESTURES[0] * HOP / rate + 1e-3


def test_a_plucked_note_begins_as_loud_as_the_data_and_fades_while_it_is_held() -> None:
    heard, sustained = loudness(0.8, 1.2, decay=20.0), loudness(0.8, 1.2)
    second = 16_000 // HOP
    assert heard.max() == pytest.approx(sustained[second] + 6.0, abs=2.0)
    assert heard[second // 5] - heard[second] == pytest.approx(20.0 * 0.8, abs=0.2)
    assert sustained[second // 5] == pytest.approx(sustained[second])
