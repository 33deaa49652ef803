"""Equaliser and drawn filter against the responses that they state."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.signal import freqz

from .playing import RATE, db, impulse, play, sine


def cookbook(kind: str, hertz: float, gain_db: float, q: float) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of R. Bristow-Johnson's cookbook."""
    a, w = 10.0 ** (gain_db / 40.0), 2.0 * math.pi * hertz / RATE
    alpha, c = math.sin(w) / (2.0 * q), math.cos(w)
    if kind == "peak":
        return np.array([1 + alpha * a, -2 * c, 1 - alpha * a]), np.array([1 + alpha / a, -2 * c, 1 - alpha / a])
    root, s = 2.0 * math.sqrt(a) * alpha, 1.0 if kind == "low" else -1.0
    b = a * np.array([a + 1 - s * (a - 1) * c + root, s * 2 * (a - 1 - s * (a + 1) * c), a + 1 - s * (a - 1) * c - root])
    return b, np.array([a + 1 + s * (a - 1) * c + root, -s * 2 * (a - 1 + s * (a + 1) * c), a + 1 + s * (a - 1) * c - root])


BANDS = {
    "low": ("low", 120.0, 9.0, math.sqrt(0.5)),
    "first": ("peak", 500.0, -12.0, 2.0),
    "second": ("peak", 3000.0, 6.0, 0.7),
    "high": ("high", 9000.0, -18.0, math.sqrt(0.5)),
}


@pytest.mark.parametrize("names", [["low"], ["first"], ["second"], ["high"], list(BANDS)])
def test_equaliser_has_the_response_of_the_cookbook(names: list[str]) -> None:
    controls = {}
    for name in names:
        _, hertz, gain, q = BANDS[name]
        controls |= {f"{name}_hz": hertz, f"{name}_gain": gain} | ({f"{name}_q": q} if name in ("first", "second") else {})
    out = play("Equaliser", impulse(1.0), **controls)
    hertz = np.fft.rfftfreq(out.size, 1.0 / RATE)
    expected = np.prod([freqz(*cookbook(*BANDS[name]), hertz, fs=RATE)[1] for name in names], axis=0)
    audible = (hertz > 10.0) & (hertz < 23_900.0)
    assert np.abs(db(np.fft.rfft(out)) - db(expected))[audible].max() < 0.02


def test_equaliser_at_rest_is_a_wire() -> None:
    noise = np.random.default_rng(1).normal(0.0, 0.2, 6400)
    assert np.abs(play("Equaliser", noise) - noise).max() < 1e-5


def test_equaliser_moves_without_clicks() -> None:
    tone = sine(200.0, 0.4)
    hops = tone.size // 64
    gains = 12.0 * np.sin(2.0 * np.pi * np.arange(hops) / 40.0)
    out = play("Equaliser", tone, first_hz=200.0, first_gain=gains, first_q=1.0, blocks=(7,) * (hops // 7) + (hops % 7,))
    bend = np.abs(np.diff(out, 2))[2400:]
    own = (2.0 * np.pi * 200.0 / RATE) ** 2 * np.abs(out).max()
    assert bend.max() < 4.0 * own


def test_drawn_filter_is_what_was_drawn() -> None:
    bands = 33
    drawn = 1.0 + 0.8 * np.cos(np.linspace(0.0, 3.0 * np.pi, bands))
    # the last sample of a hop is filtered by that hop's own frame
    out = play("FirFilter", impulse(0.02, at=63), options={"bands": bands}, magnitudes=drawn)
    response = np.abs(np.fft.rfft(out[63:], 1024))[:: 512 // (bands - 1)]
    assert np.abs(response - drawn).max() < 0.05
    assert int(np.argmax(np.abs(out))) == 63 + bands - 1
