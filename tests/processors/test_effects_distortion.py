"""Distortion and bit crusher: aliasing, latency, levels."""

from __future__ import annotations

import numpy as np
import pytest

from ddsp_studio.dsp.waveshape import CURVES

from .playing import RATE, db, impulse, play, sine


def aliasing_db(out: np.ndarray, hertz: float) -> float:
    """The loudest line that is no harmonic of a tone, against the loudest that is."""
    spectrum = np.abs(np.fft.rfft(out * np.kaiser(out.size, 24.0)))
    place = np.fft.rfftfreq(out.size, 1.0 / RATE)
    distance = np.abs(place - hertz * np.round(place / hertz))
    harmonic = distance < 80.0
    return float(db(spectrum[~harmonic].max()) - db(spectrum.max()))


@pytest.mark.parametrize("curve", CURVES)
def test_no_aliasing_of_a_full_scale_tone(curve: str) -> None:
    # just beside 5 kHz, so that no alias hides under a harmonic
    tone = sine(5003.0, 0.4)
    measured = [
        aliasing_db(play("Distortion", tone, options={"curve": curve}, drive=drive)[4096:], 5003.0) for drive in (0, 15, 30)
    ]
    assert max(measured) < -65.0, measured


def test_a_bare_curve_would_alias() -> None:
    assert aliasing_db(np.clip(30.0 * sine(5003.0, 0.4), -1, 1), 5003.0) > -40.0


@pytest.mark.parametrize("curve", ["soft", "hard", "fold", "tube"])
def test_bent_sound_is_as_late_as_it_says(curve: str) -> None:
    out = play("Distortion", 1e-3 * impulse(0.01, at=64), options={"curve": curve}, drive=0.0, level=0.0)
    assert int(np.argmax(np.abs(out))) == 64 + 48


def test_clean_and_bent_are_in_time() -> None:
    tone = sine(3000.0, 0.1, amplitude=1e-3)
    bent, half = (play("Distortion", tone, drive=0.0, level=0.0, mix=mix)[1024:] for mix in (1.0, 0.5))
    assert db(half.std()) - db(bent.std()) == pytest.approx(0.0, abs=0.02)


def test_hard_clip_clips_and_uneven_curves_have_no_offset() -> None:
    tone = sine(100.0, 1.0)
    clipped = play("Distortion", tone, options={"curve": "hard"}, drive=30.0, level=0.0)[4800:]
    assert np.median(np.abs(clipped)) == pytest.approx(1.0, abs=0.01)
    for curve in ("tube", "rectify", "half"):
        out = play("Distortion", tone, options={"curve": curve}, drive=20.0, level=0.0)[-24_000:]
        assert abs(out.mean()) < 2e-3 * np.abs(out).max()


def test_crusher_has_the_levels_it_says() -> None:
    ramp = np.linspace(-1.0, 1.0, 64 * 100)
    for bits in (1.0, 3.0, 8.0):
        out = play("BitCrusher", ramp, bits=bits, rate=48_000.0)
        step = 2.0 ** (1.0 - bits)
        assert np.allclose(np.unique(out), np.arange(-1.0, 1.0 + step / 2, step), atol=1e-6)
        assert np.max(np.abs(out[1:] - ramp[1:])) <= 0.5 * step + 1e-6


def test_crusher_holds_samples_at_its_rate() -> None:
    rng = np.random.default_rng(1)
    noise = rng.uniform(-1.0, 1.0, 64 * 100)
    out = play("BitCrusher", noise, bits=16.0, rate=6000.0, blocks=(1, 2, 7, 40, 50))
    changes = np.flatnonzero(np.diff(out)) + 1
    assert np.all(np.diff(changes) == 8)
    assert np.allclose(out[changes], noise[changes], atol=2.0**-15)
    odd = play("BitCrusher", noise, bits=16.0, rate=7000.0)
    assert np.flatnonzero(np.diff(odd)).size == pytest.approx(6400 * 7000 / RATE, abs=3)
