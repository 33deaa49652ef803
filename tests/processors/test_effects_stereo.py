"""Width, auto-pan and ping-pong on left and right."""

from __future__ import annotations

import numpy as np
import pytest

from .playing import HOP, RATE, play


def test_width_weighs_the_difference_and_keeps_the_sum() -> None:
    both = np.random.default_rng(1).normal(0.0, 0.2, (2, 20 * HOP))
    for width in (0.0, 0.5, 1.0, 2.0):
        out = play("StereoWidth", both, stereo=True, width=width)
        assert np.allclose(out.sum(axis=0), both.sum(axis=0), atol=1e-6)
        assert np.allclose(out[0] - out[1], width * (both[0] - both[1]), atol=1e-6)
    assert np.allclose(play("StereoWidth", both, width=0.0), both, atol=1e-7)


@pytest.mark.parametrize(("spread", "relation"), [(0.0, 1.0), (0.5, -1.0)])
def test_auto_pan_is_a_tremolo_or_moves_from_side_to_side(spread: float, relation: float) -> None:
    ones = np.ones((2, 750 * HOP))
    left, right = play("AutoPan", ones, stereo=True, rate=5.0, depth=0.8, spread=spread)
    assert left.max() == pytest.approx(1.0, abs=1e-3) and left.min() == pytest.approx(0.2, abs=1e-3)
    assert np.corrcoef(left, right)[0, 1] == pytest.approx(relation, abs=1e-3)
    falls = np.flatnonzero((left[:-1] >= 0.6) & (left[1:] < 0.6))
    assert np.diff(falls) == pytest.approx(RATE / 5.0, abs=2)


def test_ping_pong_goes_from_side_to_side() -> None:
    both = np.zeros((2, 800 * HOP))
    both[:, 0] = 0.5
    echoes = {"time": 0.1, "feedback": 0.5, "tone": 20_000.0, "mix": 1.0}
    left, right = play("PingPong", both, stereo=True, **echoes)
    step, energy = int(0.1 * RATE), []
    for repeat in range(1, 7):
        near = slice(repeat * step - 50, repeat * step + 200)
        loud, still = (left, right) if repeat % 2 else (right, left)
        assert np.abs(still[near]).max() < 1e-6
        energy.append(np.sum(loud[near]))
    assert np.array(energy[1:]) / energy[:-1] == pytest.approx(0.5, abs=0.01)


def test_ping_pong_of_a_clip_is_an_echo_of_all_repeats() -> None:
    click = np.zeros(400 * HOP)
    click[0] = 1.0
    out = play("PingPong", click, time=0.1, feedback=0.5, tone=20_000.0, mix=1.0)
    heard = [np.sum(out[k * 4800 - 50 : k * 4800 + 200]) for k in (1, 2, 3)]
    assert heard == pytest.approx([1.0, 0.5, 0.25], abs=0.01)
