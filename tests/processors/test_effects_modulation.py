"""Chorus, flanger, vibrato, modulated delay and phaser do what their ranges say, measured from what comes out."""

from __future__ import annotations

import numpy as np
import pytest

from .playing import HOP, RATE, db, impulse, play, sine


def delays(out: np.ndarray, spacing: int) -> list[np.ndarray]:
    """For impulses `spacing` samples apart: the delays of the echoes of each, in samples, to a tenth of one."""
    found = []
    for begin in range(0, out.size - spacing, spacing):
        piece = np.abs(out[begin : begin + spacing])
        tops = np.flatnonzero((piece[1:-1] >= piece[:-2]) & (piece[1:-1] > piece[2:]) & (piece[1:-1] > 0.35 * piece.max())) + 1
        around = piece[tops[:, None] + np.arange(-1, 2)]
        found.append(tops + (around[:, 2] - around[:, 0]) / around.sum(axis=1))
    return found


@pytest.mark.parametrize(("delay", "depth"), [(0.015, 0.002), (0.03, 0.005), (0.006, 0.001)])
def test_chorus_delays_cover_the_range_it_states(delay: float, depth: float) -> None:
    spacing = 48 * HOP
    train = np.zeros(40 * spacing)
    train[::spacing] = 1.0
    out = play("Chorus", train, delay=delay, depth=depth, rate=2.0, mix=1.0)
    every = delays(out, spacing)
    assert all(1 <= len(each) <= 3 for each in every)
    measured = np.concatenate(every) / RATE
    assert measured.min() == pytest.approx(delay - depth, abs=1e-4)
    assert measured.max() == pytest.approx(delay + depth, abs=1e-4)


def test_chorus_spreads_over_left_and_right_only() -> None:
    noise = np.repeat(np.random.default_rng(1).normal(0.0, 0.2, (1, 60 * HOP)), 2, axis=0)
    left, right = play("Chorus", noise, stereo=True, spread=0.25, mix=1.0)
    assert np.abs(left - right).max() > 0.1
    left, right = play("Chorus", noise, stereo=False, spread=0.25, mix=1.0)
    assert np.array_equal(left, right)


@pytest.mark.parametrize(("depth_st", "rate_hz"), [(0.5, 5.0), (2.0, 2.0)])
def test_vibrato_bends_by_its_depth(depth_st: float, rate_hz: float) -> None:
    out = play("Vibrato", sine(1000.0, 1.5), depth=depth_st, rate=rate_hz)[24_000:]
    rising = np.flatnonzero((out[:-1] < 0.0) & (out[1:] >= 0.0))
    crossing = rising - out[rising] / (out[rising + 1] - out[rising])
    hertz = RATE / np.diff(crossing)
    assert hertz.max() == pytest.approx(1000.0 * 2.0 ** (depth_st / 12.0), rel=2e-3)
    assert hertz.min() == pytest.approx(2000.0 - 1000.0 * 2.0 ** (depth_st / 12.0), rel=2e-3)
    swings = np.flatnonzero((hertz[:-1] < 1000.0) & (hertz[1:] >= 1000.0)).size
    assert swings == pytest.approx(rate_hz, abs=1)


def test_modulated_delay_is_what_it_is_told() -> None:
    for delay in (0.0, 0.001, 0.0123, 0.05):
        out = play("ModDelay", impulse(0.1), delay=delay, mix=1.0)
        (echo,) = delays(np.concatenate([out, [0.0]]), out.size)
        assert echo[0] == pytest.approx(max(delay * RATE, 2.0), abs=0.15)
    assert play("ModDelay", impulse(0.1), delay=0.01, gain=-1.0, mix=1.0)[480] == pytest.approx(-1.0, abs=1e-4)


def test_flanger_sweeps_from_a_millisecond_to_its_delay() -> None:
    spacing = 24 * HOP
    train = np.zeros(60 * spacing)
    train[::spacing] = 1.0
    out = play("Flanger", train, delay=0.01, depth=1.0, rate=2.0, feedback=0.0, mix=1.0)
    measured = np.concatenate(delays(out, spacing)) / RATE
    assert measured.min() == pytest.approx(0.001, abs=1e-4)
    assert measured.max() == pytest.approx(0.01, abs=2e-4)


@pytest.mark.parametrize("feedback", [0.7, -0.7])
def test_flanger_is_a_comb(feedback: float) -> None:
    # 2.5 ms are 120 samples
    out = play("Flanger", impulse(0.3), delay=0.0025, depth=0.0, feedback=feedback, mix=1.0)
    assert np.allclose(out[120:1200:120], feedback ** np.arange(9), atol=1e-3)
    assert np.allclose(np.delete(out[:1199], np.arange(120, 1199, 120)), 0.0, atol=1e-3)


@pytest.mark.parametrize("stages", [4, 8])
@pytest.mark.parametrize("feedback", [0.0, 0.6])
def test_phaser_is_what_theory_says(stages: int, feedback: float) -> None:
    still = {"centre": 1000.0, "depth": 0.0, "feedback": feedback, "mix": 0.5}
    out = play("Phaser", impulse(0.5), options={"stages": str(stages)}, blocks=(25,) * 15, **still)
    hertz = np.fft.rfftfreq(out.size, 1.0 / RATE)
    t = np.tan(np.pi * 1000.0 / RATE)
    z = np.exp(-2j * np.pi * hertz / RATE)
    a = (t - 1.0) / (t + 1.0)
    chain = ((a + z) / (1.0 + a * z)) ** stages
    expected = 0.5 + 0.5 * chain / (1.0 - feedback * chain)
    assert np.abs(np.fft.rfft(out) - expected).max() < 2e-4
    # notches at tan(π(2k − 1) / (2·stages)) of the corner, on the warped axis
    warped = np.tan(np.pi * hertz / RATE) / t
    for k in range(1, stages // 2 + 1):
        if feedback == 0.0:
            near = np.argmin(np.abs(warped - np.tan(np.pi * (2 * k - 1) / (2 * stages))))
            assert db(np.abs(np.fft.rfft(out))[near]) < -30.0


def test_phaser_loop_equals_the_loop_sample_by_sample() -> None:
    """The split into complex poles against the plain recursion, while the corner moves fast."""
    from ddsp_studio.dsp.allpass import chain, modes, regenerate, root
    from ddsp_studio.dsp.tensor import tf

    rng, stages, feedback = np.random.default_rng(2), 4, 0.8
    x = rng.normal(0.0, 0.3, 4 * HOP)
    a = np.clip(np.cumsum(rng.normal(0.0, 0.05, x.size)), -0.9, 0.9)
    state, expected = np.zeros(stages), np.zeros(x.size)
    for n in range(x.size):
        # the chain's output is A·u + B with u its input, so that the loop u = x + feedback·(A·u + B) can be solved
        slope, rest = 1.0, 0.0
        for s in state:
            slope, rest = a[n] * slope, a[n] * rest + s
        u = (x[n] + feedback * rest) / (1.0 - feedback * slope)
        value = u
        for k in range(stages):
            out = a[n] * value + state[k]
            state[k] = value - a[n] * out
            value = out
        expected[n] = value
    tensors = [tf.constant(v[None], tf.float32) for v in (x, a, np.full(x.size, feedback))]
    tensors[2] = root(tensors[2], stages)
    loop, _ = regenerate(*tensors, tf.zeros([1, modes(stages)], tf.complex64), stages)
    found, _ = chain(loop, tensors[1], tf.zeros([1, stages]))
    assert np.abs(found.numpy()[0] - expected).max() < 1e-5


@pytest.mark.parametrize(
    ("name", "controls"),
    [
        ("Chorus", {"depth": 0.005, "rate": 8.0}),
        ("Flanger", {"depth": 1.0, "rate": 8.0, "feedback": 0.8}),
        ("Phaser", {"depth": 4.0, "rate": 8.0, "feedback": 0.9}),
        ("Vibrato", {"depth": 1.0, "rate": 8.0}),
        ("AutoPan", {"depth": 1.0, "rate": 18.0}),
    ],
)
def test_no_clicks(name: str, controls: dict[str, float]) -> None:
    """No step between samples is larger than the sound's own steepest slope allows; blocks are heard nowhere."""
    tone = sine(200.0, 0.4)
    whole, parts = (play(name, tone, blocks=blocks, **controls) for blocks in ((), (1, 2, 3, 4) * 30))
    assert np.abs(whole - parts).max() < 2e-5
    # a bend curves the slope: in the second difference a click stands alone
    bend = np.abs(np.diff(whole, 2))[2400:]
    assert bend.max() < 0.03 * np.abs(whole).max()
