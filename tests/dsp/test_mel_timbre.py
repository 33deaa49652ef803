"""Timbre is heard alike at every sample rate: a model that was trained at one plays at another."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ddsp_studio.dsp.mel import TIMBRE_WINDOW_S, timbre_bands
from ddsp_studio.dsp.spectral import fft_size_of, hann
from ddsp_studio.dsp.tensor import HOP

RATES = (22_050, 24_000, 32_000, 44_100, 48_000, 96_000)


def tone(rate: int) -> np.ndarray:
    """Two seconds of three partials that lie far apart."""
    time = np.arange(2 * rate) / rate
    return sum(0.2 * np.sin(2.0 * np.pi * hertz * time) for hertz in (1000.3, 2300.0, 5000.0))


def noise(rate: int) -> np.ndarray:
    """Two seconds of the same noise from 20 Hz to 7.9 kHz at any rate."""
    rng, spectrum = np.random.default_rng(3), np.zeros(rate + 1, complex)
    lines = slice(2 * 20, 2 * 7900)
    count = lines.stop - lines.start
    spectrum[lines] = rng.normal(size=count) + 1j * rng.normal(size=count)
    return np.fft.irfft(spectrum * rate / 1000.0, 2 * rate)


def levels_db(audio: np.ndarray, rate: int, *, power_of_two: bool) -> np.ndarray:
    """Mean power in each band in dB, [64]."""
    size = HOP * round(TIMBRE_WINDOW_S * rate / HOP)
    frames = np.stack([audio[at : at + size] for at in range(0, len(audio) - size, size // 2)]) * hann(size)
    magnitudes = np.abs(np.fft.rfft(frames, fft_size_of(size) if power_of_two else size)).astype(np.float32)
    return 10.0 * np.log10(np.mean(np.exp(timbre_bands(magnitudes, size, rate)), axis=0))


@pytest.mark.parametrize("power_of_two", [True, False])
@pytest.mark.parametrize("make", [tone, noise])
@pytest.mark.parametrize("rate", RATES)
def test_bands_do_not_depend_on_the_rate(rate: int, make: Callable[[int], np.ndarray], power_of_two: bool) -> None:
    expected = levels_db(make(16_000), 16_000, power_of_two=True)
    found = levels_db(make(rate), rate, power_of_two=power_of_two)
    heard = expected > expected.max() - 20.0
    assert heard.sum() >= 3
    np.testing.assert_allclose(found[heard], expected[heard], atol=0.2)


@pytest.mark.parametrize("rate", [24_000, 32_000, 48_000, 96_000])
def test_between_the_partials_of_a_chord_it_is_the_same_too(rate: int) -> None:
    def chord(rate: int) -> np.ndarray:
        time = np.arange(2 * rate) / rate
        return sum(0.05 * np.sin(2.0 * np.pi * 220.0 * k * time + k * k) for k in range(1, 34))

    expected = levels_db(chord(16_000), 16_000, power_of_two=False)
    np.testing.assert_allclose(levels_db(chord(rate), rate, power_of_two=False), expected, atol=0.1)


def test_at_16_khz_a_band_holds_what_models_have_learnt() -> None:
    """A sine of amplitude 1: its power under a Hann window, 1.5 bins wide, shared between two triangles."""
    levels = levels_db(np.sin(2.0 * np.pi * 1000.0 * np.arange(32_000) / 16_000), 16_000, power_of_two=True)
    assert 10.0 * np.log10(np.sum(10.0 ** (levels / 10.0))) == pytest.approx(10.0 * np.log10(1.5), abs=0.02)
