"""Compressor, limiter and gate: static curves in dB, times, ceilings, link of left and right."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .playing import HOP, RATE, db, play, sine

STEP_S = 8 / RATE


def tone(level_db: float, seconds: float = 0.5, hertz: float = 3000.0) -> np.ndarray:
    return sine(hertz, seconds, amplitude=10.0 ** (level_db / 20.0))


def gain_db(out: np.ndarray, audio: np.ndarray) -> np.ndarray:
    """Gain from sample to sample, where the sound is not close to zero."""
    loud = np.abs(audio) > 0.5 * np.abs(audio).max()
    return np.interp(np.arange(audio.size), np.flatnonzero(loud), db(out[loud] / audio[loud]))


def curve_db(level_db: float, threshold_db: float, ratio: float, knee_db: float) -> float:
    """Level coming out, in the piecewise form of Giannoulis et al."""
    over = level_db - threshold_db
    if 2 * over <= -knee_db:
        return level_db
    if 2 * abs(over) < knee_db:
        return level_db + (1.0 / ratio - 1.0) * (over + knee_db / 2) ** 2 / (2 * knee_db)
    return threshold_db + over / ratio


@pytest.mark.parametrize(("threshold", "ratio", "knee"), [(-24.0, 4.0, 0.0), (-18.0, 2.0, 12.0), (-30.0, 20.0, 6.0)])
def test_compressor_follows_its_curve(threshold: float, ratio: float, knee: float) -> None:
    for level in (-40.0, threshold - 4.0, threshold, threshold + 3.0, -3.0):
        out = play("Compressor", tone(level), threshold=threshold, ratio=ratio, knee=knee, attack=0.001, release=2.0)
        assert db(np.abs(out[-4800:]).max()) == pytest.approx(curve_db(level, threshold, ratio, knee), abs=0.1)


@pytest.mark.parametrize("time_s", [0.001, 0.01, 0.05])
def test_attack_takes_its_time(time_s: float) -> None:
    audio = np.concatenate([tone(-60.0, 0.1), tone(0.0, 0.4)])
    begin = audio.size - tone(0.0, 0.4).size
    out = play("Compressor", audio, threshold=-20.0, ratio=20.0, knee=0.0, attack=time_s, release=1.0)
    gain = db(out[begin:] / np.where(np.abs(audio[begin:]) > 0.1, audio[begin:], np.nan))
    reached = np.flatnonzero(gain < 0.632 * -19.0)[0] / RATE
    assert reached == pytest.approx(time_s, rel=0.1, abs=2 * STEP_S)


@pytest.mark.parametrize("time_s", [0.02, 0.1])
def test_release_takes_its_time(time_s: float) -> None:
    audio = np.concatenate([tone(0.0, 0.2), tone(-60.0, 0.5)])
    begin = tone(0.0, 0.2).size
    out = play("Compressor", audio, threshold=-20.0, ratio=20.0, knee=0.0, attack=0.0005, release=time_s)
    gain = gain_db(out[begin:], audio[begin:])
    reached = np.flatnonzero(gain > (1.0 - 0.632) * -19.0)[0] / RATE
    assert reached == pytest.approx(time_s, rel=0.1, abs=2e-3)


def test_compressor_listens_to_the_sidechain_and_makes_up() -> None:
    audio, other = tone(-30.0), tone(0.0)
    heard = {"options": {"source": "sidechain"}, "inlets": {"sidechain": other}}
    out = play("Compressor", audio, threshold=-20.0, ratio=2.0, knee=0.0, makeup=6.0, **heard)
    assert db(np.abs(out[-4800:]).max()) == pytest.approx(-30.0 - 10.0 + 6.0, abs=0.1)


@pytest.mark.parametrize("name", ["Compressor", "Limiter"])
def test_left_and_right_are_turned_down_together(name: str) -> None:
    both = np.stack([tone(0.0), tone(-30.0)])
    loud = {"threshold": -20.0} if name == "Compressor" else {"ceiling": -20.0}
    together, apart = (play(name, both, stereo=stereo, **loud)[:, -4800:] for stereo in (True, False))
    assert db(together[0].std() / together[1].std()) == pytest.approx(30.0, abs=0.1)
    assert db(apart[0].std() / apart[1].std()) < 20.0


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.floats(5e-5, 5e-3), st.floats(-20.0, 0.0))
def test_limiter_lets_nothing_past(seed: int, attack: float, ceiling: float) -> None:
    rng = np.random.default_rng(seed)
    audio = rng.normal(0.0, 0.1, 40 * HOP)
    audio[rng.integers(0, audio.size, 12)] = rng.choice([-1.0, 1.0], 12) * 10.0 ** rng.uniform(-0.5, 1.5, 12)
    out = play("Limiter", audio, attack=attack, ceiling=ceiling, release=0.02, blocks=(7, 1, 2, 20, 10))
    assert np.abs(out).max() <= 10.0 ** (ceiling / 20.0) * (1.0 + 1e-4)


def test_limiter_leaves_the_soft_as_it_is_and_begins_before_the_peak() -> None:
    audio = tone(-12.0)
    assert np.allclose(play("Limiter", audio, ceiling=-1.0)[HOP:], audio[:-HOP], atol=1e-6)
    audio = np.full(64 * 40, 0.25)
    audio[64 * 20 + 5] = 1.0
    out = play("Limiter", audio, ceiling=-6.0, attack=0.0003)
    peak = 64 * 21 + 5
    assert abs(out[peak]) == pytest.approx(10.0 ** (-6.0 / 20.0), rel=0.05)
    assert out[peak - 16] < 0.25 * 0.75  # nearly there when the peak arrives
    # the largest step beside the peak's own is small: no click
    steps = np.abs(np.diff(np.delete(out, [peak])))[64 * 2 :]
    assert steps.max() < 0.03


def test_gate_opens_and_closes() -> None:
    loud, soft = tone(-10.0, 0.2), tone(-60.0, 0.6)
    audio = np.concatenate([soft, loud, soft])
    out = play("Gate", audio, threshold=-40.0, ratio=50.0, range=40.0, attack=0.001, release=0.05)
    assert db(out[20_000:28_000].std() / audio[20_000:28_000].std()) == pytest.approx(-40.0, abs=0.5)
    middle = slice(soft.size + 4000, soft.size + loud.size)
    assert db(out[middle].std() / audio[middle].std()) == pytest.approx(0.0, abs=0.3)
    assert db(out[-4800:].std() / audio[-4800:].std()) == pytest.approx(-40.0, abs=1.0)


def test_gate_expands_by_its_ratio() -> None:
    out = play("Gate", tone(-50.0), threshold=-40.0, ratio=3.0, range=80.0, attack=0.0005, release=2.0)
    assert db(np.abs(out[-4800:]).max()) == pytest.approx(-70.0, abs=0.3)
