"""Reverbs made from controls: the decay that moves against its formula, times, energy, seeds, long clips."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import fftconvolve

from ddsp_studio.dsp.decaying_noise import NEPERS, band_noise
from ddsp_studio.dsp.tensor import HOP

from .playing import db, impulse, play

RATE = 16_000
SHORT = {"length": 0.3, "predelay": 0.0, "seed": 3}


def noise(length_s: float, seed: int, bands: int = 1, rows: int = 1) -> np.ndarray:
    """The fixed noise of a room, [rows, bands, taps]."""
    return band_noise(f"room {seed}", rows, bands, int(np.ceil(length_s * RATE)), 0, RATE).astype(np.float64)


def decayed(decay_s: np.ndarray) -> np.ndarray:
    """Nepers that have passed at each sample, for a decay [hops]; the rate ramps across each hop, from the frame before."""
    rate = NEPERS / (decay_s * RATE)
    edges = np.concatenate([rate[:1], rate])
    return np.cumsum(np.concatenate([a + (b - a) * np.arange(1, HOP + 1) / HOP for a, b in zip(edges, edges[1:], strict=False)]))


def test_moving_decay_equals_its_formula() -> None:
    """y(t) = Σ x(s)·level(s)·n(t − s)·e^(D(s) − D(t)), summed as it stands."""
    rng, hops = np.random.default_rng(4), 60
    audio, decay = rng.normal(0.0, 0.3, hops * HOP), rng.uniform(0.25, 0.6, hops)
    n, passed = noise(0.3, 3)[0, 0], decayed(decay)
    energy = (1.0 - np.exp(-2.0 * NEPERS / decay * 0.3)) * decay / (2.0 * NEPERS)
    level = 1.0 / np.sqrt(energy * RATE)
    level = np.interp(np.arange(1, audio.size + 1), np.arange(hops + 1) * HOP, np.concatenate([level[:1], level]))
    expected = np.exp(-passed) * fftconvolve(audio * level * np.exp(passed), n)[: audio.size]
    for blocks in ((), (1, 2, 3, 16, 17, 21)):
        out = play("ExpDecayReverb", audio, sample_rate=RATE, options=SHORT, decay=decay, mix=1.0, blocks=blocks)
        assert np.abs(out - expected).max() < 1e-4 * np.abs(expected).max()


def test_decay_is_the_time_to_60_db_and_energy_is_one() -> None:
    options = {"length": 1.0, "predelay": 0.02, "seed": 1}
    for decay in (0.3, 0.8):
        out = play("ExpDecayReverb", impulse(1.1, RATE), sample_rate=RATE, options=options, decay=decay, mix=1.0)
        left = db(np.sqrt(np.cumsum(out[::-1] ** 2)[::-1]))  # Schroeder's backward integral
        early, late = (np.flatnonzero(left < left[0] - drop)[0] for drop in (5.0, 25.0))
        assert 3.0 * (late - early) / RATE == pytest.approx(decay, rel=0.1)
        assert np.sum(out**2) == pytest.approx(1.0, rel=0.2)
        assert np.abs(out[: int(0.02 * RATE)]).max() < 1e-6


def test_a_long_clip_is_the_same_as_blocks() -> None:
    audio = np.random.default_rng(5).normal(0.0, 0.3, 140 * HOP)
    whole, parts = (
        play("ExpDecayReverb", audio, sample_rate=RATE, options=SHORT, decay=0.2, mix=1.0, blocks=blocks)
        for blocks in ((), (4,) * 35)
    )
    assert np.abs(whole - parts).max() < 1e-5 * np.abs(whole).max()


def test_room_is_fixed_by_its_seed() -> None:
    click = impulse(0.2, RATE)
    one, again, other = (
        play("ExpDecayReverb", click, sample_rate=RATE, options={**SHORT, "seed": seed}, mix=1.0) for seed in (1, 1, 2)
    )
    assert np.array_equal(one, again)
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.1


def test_bands_have_levels_and_decays_of_their_own() -> None:
    options = {"length": 0.6, "bands": 2, "predelay": 0.0}
    out = play(
        "FilteredNoiseReverb", impulse(0.7, RATE), sample_rate=RATE, options=options, decay=[0.5, 0.2], magnitudes=[1, 0], mix=1.0
    )
    spectrum = np.abs(np.fft.rfft(out)) ** 2
    hertz = np.fft.rfftfreq(out.size, 1.0 / RATE)
    edge = np.sqrt(250.0 * 8000.0)
    assert spectrum[hertz > 1.2 * edge].sum() < 1e-3 * spectrum[hertz < edge].sum()
    both = play("FilteredNoiseReverb", impulse(0.7, RATE), sample_rate=RATE, options=options, decay=[0.5, 0.2], mix=1.0)
    alone = play(
        "FilteredNoiseReverb", impulse(0.7, RATE), sample_rate=RATE, options=options, decay=[0.5, 0.2], magnitudes=[0, 1], mix=1.0
    )
    assert np.abs(both - out - alone).max() < 1e-5
    late = slice(int(0.2 * RATE), int(0.3 * RATE))
    early = slice(0, int(0.1 * RATE))
    assert db(alone[late].std() / alone[early].std()) < db(out[late].std() / out[early].std()) - 20.0


def test_left_and_right_have_rooms_of_their_own() -> None:
    left, right = play(
        "ExpDecayReverb", np.stack([impulse(0.2, RATE)] * 2), sample_rate=RATE, stereo=True, options=SHORT, mix=1.0
    )
    assert abs(np.corrcoef(left, right)[0, 1]) < 0.1


def test_a_jump_of_the_decay_does_not_click() -> None:
    tone = 0.3 * np.sin(2.0 * np.pi * 200.0 / RATE * np.arange(200 * HOP))
    decay = np.where(np.arange(200) < 100, 3.0, 0.2)
    out = play("ExpDecayReverb", tone, sample_rate=RATE, options=SHORT, decay=decay, mix=1.0)
    bend = np.abs(np.diff(out, 2))
    assert bend[99 * HOP : 104 * HOP].max() < 1.5 * bend[50 * HOP : 98 * HOP].max()
