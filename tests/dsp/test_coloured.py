"""Coloured noise: its filters against scipy, and its spectra."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from ddsp_studio.dsp.coloured import brown_bank, filter_poles, pink_bank, pole_bank
from ddsp_studio.dsp.noise import row_seeds, white_noise
from ddsp_studio.dsp.tensor import HOP, tf


def test_bank_equals_a_filter_by_scipy_in_any_blocks() -> None:
    poles, gains = np.array([0.999, 0.9, -0.4]), np.array([0.02, 0.3, 1.0])
    audio = np.random.default_rng(1).normal(size=(2, 20 * HOP)).astype(np.float32)
    expected = sum(signal.lfilter([g], [1.0, -p], audio.astype(np.float64)) for p, g in zip(poles, gains, strict=True))
    bank, levels, found, begin = pole_bank(poles, gains), tf.zeros([2, 3]), [], 0
    for hops in (1, 7, 12):
        out, levels = filter_poles(tf.constant(audio[:, begin * HOP : (begin + hops) * HOP]), bank, levels)
        found.append(out)
        begin += hops
    np.testing.assert_allclose(np.concatenate(found, axis=1), expected, atol=2e-5)


def octaves(kind: str, rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Centres of octave bands and the level in each, in dB a hertz, of a long noise."""
    bank = {"pink": pink_bank, "brown": brown_bank}[kind](rate)
    noise = white_noise(row_seeds("x", 1), tf.zeros([1], tf.uint32), HOP * 16_000)
    audio, _ = filter_poles(noise, bank, tf.zeros([1, len(bank.keep)]))
    hertz, power = signal.welch(audio.numpy()[0], rate, nperseg=1 << 14)
    centres = 40.0 * 2.0 ** np.arange(0, np.log2(0.3 * rate / 40.0))
    bands = [np.mean(power[(hertz > c / 1.2) & (hertz < c * 1.2)]) for c in centres]
    return centres, 10.0 * np.log10(bands)


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_pink_falls_by_3_db_an_octave(rate: int) -> None:
    centres, level = octaves("pink", rate)
    wanted = -10.0 * np.log10(centres)
    assert np.max(np.abs(level - wanted - np.mean(level - wanted))) < 0.6


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_the_pink_filter_is_right_within_half_a_db_from_20_hz(rate: int) -> None:
    bank = pink_bank(rate)
    response = np.concatenate([bank.direct[0], *(bank.into[0] * bank.keep**n @ bank.out for n in range(4000))])
    gain = np.abs(np.fft.rfft(response))
    hertz = np.fft.rfftfreq(response.size, 1.0 / rate)
    inside = (hertz > 20.0) & (hertz < 0.45 * rate)
    error = 20.0 * np.log10(gain[inside]) + 10.0 * np.log10(hertz[inside])
    assert np.max(np.abs(error - np.median(error))) < 0.5
    assert np.sum(response.astype(np.float64) ** 2) == pytest.approx(1.0, rel=0.02)


def test_brown_falls_by_6_db_an_octave() -> None:
    centres, level = octaves("brown", 48_000)
    high = (centres > 100.0) & (centres < 5000.0)
    assert np.polyfit(np.log2(centres[high]), level[high], 1)[0] == pytest.approx(-6.02, abs=0.15)
