"""What the routing processors promise beyond the contract: flat sums, exact sides, levels that are what they say."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.signal

from ddsp_studio.dsp.tensor import HOP, tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.routing import Channels, Crop, Crossfade, MidSideJoin, MidSideSplit, Return, Send, Trim
from ddsp_studio.processors.splitter import Splitter, ThreeWaySplitter

RATE = 48_000


def once(processor: Processor, **inputs: Any) -> dict[str, np.ndarray]:
    """Outputs of one block from the start; a number is a control that stands still."""
    audio = [x for x in inputs.values() if isinstance(x, np.ndarray)]
    batch, hops = audio[0].shape[0], audio[0].shape[1] // HOP
    given = {}
    for name, x in inputs.items():
        channels = processor.channels(name) if name in processor.spec.controls else 0
        value = x if isinstance(x, np.ndarray) else np.broadcast_to(np.asarray(x, np.float32), (batch, hops, channels))
        given[name] = tf.constant(value, tf.float32)
    outputs, _ = processor.process(processor.start(batch), given)
    return {name: out.numpy() for name, out in outputs.items()}


def noise(seed: int = 1, rows: int = 2, hops: int = 8) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, 0.2, (rows, hops * HOP)).astype(np.float32)


def impulse(hops: int = 256) -> np.ndarray:
    audio = np.zeros((1, hops * HOP), np.float32)
    audio[0, 0] = 1.0
    return audio


def decibels(response: np.ndarray) -> np.ndarray:
    return np.asarray(20.0 * np.log10(np.abs(response) + 1e-12))


@pytest.mark.parametrize("crossover", [100.0, 500.0, 6000.0])
def test_two_bands_are_linkwitz_riley_and_add_up_flat(crossover: float) -> None:
    bands = once(Splitter(RATE), input=impulse(), crossover=crossover)
    assert np.max(np.abs(decibels(np.fft.rfft(bands["low"][0] + bands["high"][0])))) < 0.01
    for name, kind in (("low", "low"), ("high", "high")):
        sections = scipy.signal.butter(2, crossover, kind, fs=RATE, output="sos")
        expected = scipy.signal.sosfilt(np.concatenate([sections, sections]), impulse()[0])
        assert np.max(np.abs(bands[name][0] - expected)) < 1e-5


def test_three_bands_add_up_flat_and_keep_to_their_places() -> None:
    bands = once(ThreeWaySplitter(RATE), input=impulse(), lower=250.0, upper=2500.0)
    spectra = {name: np.fft.rfft(band[0]) for name, band in bands.items()}
    assert np.max(np.abs(decibels(sum(spectra.values())))) < 0.01
    hertz = np.fft.rfftfreq(256 * HOP, 1.0 / RATE)
    for name, (heard, gone) in {"low": (50.0, 2500.0), "mid": (800.0, 25.0), "high": (12_000.0, 250.0)}.items():
        level = decibels(spectra[name])
        assert abs(level[np.argmin(np.abs(hertz - heard))]) < 0.3
        assert level[np.argmin(np.abs(hertz - gone))] < -70.0


def test_the_sum_stays_flat_while_the_crossover_moves() -> None:
    """Any crossover that moves gives low + high = the all-pass of its first section, so the energy of noise stays the same."""
    audio, moving = noise(hops=400, rows=1), np.geomspace(100.0, 8000.0, 400, dtype=np.float32)[None, :, None]
    bands = once(Splitter(RATE), input=audio, crossover=moving)
    level = np.sqrt(np.mean((bands["low"] + bands["high"]) ** 2) / np.mean(audio**2))
    assert abs(20.0 * math.log10(level)) < 0.1


def test_crossfades_keep_what_their_law_says() -> None:
    a, b = np.ones((1, 4 * HOP), np.float32), np.zeros((1, 4 * HOP), np.float32)
    for share in (0.0, 0.3, 0.5, 1.0):
        linear = [once(Crossfade(RATE), a=x, b=y, fade=share)["audio"][0, -1] for x, y in ((a, b), (b, a))]
        assert sum(linear) == pytest.approx(1.0, abs=1e-6)
        assert linear[1] == pytest.approx(share, abs=1e-6)
        power = [once(Crossfade(RATE, law="constant power"), a=x, b=y, fade=share)["audio"][0, -1] for x, y in ((a, b), (b, a))]
        assert sum(gain**2 for gain in power) == pytest.approx(1.0, abs=1e-6)


def test_an_inverted_trim_cancels_a_normal_one() -> None:
    audio = noise()
    both = [once(Trim(RATE, polarity=turn), input=audio, gain=-7.0)["audio"] for turn in ("normal", "inverted")]
    assert not np.any(both[0] + both[1])
    assert np.max(np.abs(both[0] - audio * 10.0 ** (-7.0 / 20.0))) < 1e-6


def test_a_send_follows_its_fader_only_behind_it() -> None:
    audio = noise()
    share = 10.0 ** (-6.0 / 20.0)
    for tap, gain in (("after", share * share), ("before", share)):
        ways = once(Send(RATE, tap=tap), input=audio, fader=-6.0, level=-6.0)
        assert np.max(np.abs(ways["audio"] - share * audio)) < 1e-6
        assert np.max(np.abs(ways["send"] - gain * audio)) < 1e-6


def test_a_return_adds_at_levels_and_mutes_to_nothing() -> None:
    a, b = noise(1), noise(2)
    levels = np.broadcast_to(np.array([-6.0, 6.0, 0.0, 0.0], np.float32), (2, 8, 4))
    heard = once(Return(RATE), a=a, b=b, levels=levels, level=-3.0)["audio"]
    gains = 10.0 ** (np.array([-9.0, 3.0]) / 20.0)
    assert np.max(np.abs(heard - gains[0] * a - gains[1] * b)) < 1e-5
    assert not np.any(once(Return(RATE), a=a, b=b, on=0.0)["audio"])


def test_sides_are_chosen() -> None:
    audio = noise()
    left, right = audio
    expected = {"mono": [(left + right) / 2.0] * 2, "left": [left] * 2, "right": [right] * 2, "swap": [right, left]}
    for choose, sides in expected.items():
        assert np.max(np.abs(once(Channels(RATE, stereo=True, choose=choose), input=audio)["audio"] - sides)) < 1e-7


def test_mid_and_side_come_together_again() -> None:
    audio = noise()
    parts = once(MidSideSplit(RATE, stereo=True), input=audio)
    assert np.array_equal(parts["mid"][0], parts["mid"][1])
    joined = once(MidSideJoin(RATE, stereo=True), mid=parts["mid"], side=parts["side"])["audio"]
    assert np.max(np.abs(joined - audio)) < 1e-6
    mono = once(MidSideJoin(RATE, stereo=True), mid=parts["mid"], side=0.0 * parts["side"])["audio"]
    assert np.max(np.abs(mono - audio.mean(axis=0))) < 1e-6
    for processor, inputs in ((MidSideSplit(RATE), {"input": audio}), (MidSideJoin(RATE), {"mid": audio, "side": 0.0 * audio})):
        assert np.array_equal(next(iter(once(processor, **inputs).values())), audio)


@pytest.mark.parametrize("count", [0, 1, 100, 3 * HOP, 8 * HOP, 9 * HOP])
def test_a_crop_silences_the_beginning_and_moves_nothing(count: int) -> None:
    audio = noise()
    out = once(Crop(RATE, samples=count), input=audio)["audio"]
    assert not np.any(out[:, :count])
    assert np.array_equal(out[:, count:], audio[:, count:])
