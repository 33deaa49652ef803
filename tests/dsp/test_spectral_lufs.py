"""Programme loudness against the standard's tables and the test signals of EBU Tech 3341."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.signal import lfilter

from ddsp_studio.dsp.programme_loudness import (
    SHORT_TERM_S,
    hop_powers,
    hop_powers_stream,
    integrated_lufs,
    k_filter,
    k_sections,
    running_lufs,
)
from ddsp_studio.dsp.tensor import HOP, tf


def stereo(levels: list[tuple[float, float]], rate: float = 48_000, hertz: float = 1000.0) -> np.ndarray:
    """A sine in both channels, at (dBFS, seconds) one after the other."""
    gain = np.concatenate([np.full(int(seconds * rate), 10.0 ** (db / 20.0)) for db, seconds in levels])
    return np.tile(gain * np.sin(2.0 * np.pi * hertz * np.arange(gain.size) / rate), (2, 1))


def integrated(audio: np.ndarray, rate: float = 48_000, weights: list[float] | None = None) -> float:
    return integrated_lufs(hop_powers(audio, rate), rate, weights)


def test_weighting_at_48_khz_is_the_standard_table() -> None:
    shelf, high_pass = k_sections(48_000)
    assert shelf[0] == pytest.approx((1.53512485958697, -2.69169618940638, 1.19839281085285), abs=1e-9)
    assert shelf[1] == pytest.approx((1.0, -1.69065929318241, 0.73248077421585), abs=1e-9)
    assert high_pass[0] == pytest.approx((1.0, -2.0, 1.0))
    assert high_pass[1] == pytest.approx((1.0, -1.99004745483398, 0.99007225036621), abs=1e-9)


@pytest.mark.parametrize(
    "levels",
    [
        [(-23.0, 20.0)],
        [(-33.0, 20.0)],
        [(-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0)],
        [(-72.0, 10.0), (-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0), (-72.0, 10.0)],
        [(-26.0, 20.0), (-20.0, 20.1), (-26.0, 20.0)],
    ],
)
def test_ebu_signals_read_what_they_must(levels: list[tuple[float, float]]) -> None:
    """Tech 3341 cases 1 to 5: all read −23.0 but the second, −33.0, within 0.1 LU."""
    assert integrated(stereo(levels)) == pytest.approx(-33.0 if levels[0][0] == -33.0 else -23.0, abs=0.1)


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000, 96_000])
def test_a_programme_reads_the_same_at_every_rate(rate: float) -> None:
    assert integrated(stereo([(-20.0, 3.0), (-26.0, 3.0)], rate, 997.0), rate) == pytest.approx(
        integrated(stereo([(-20.0, 3.0), (-26.0, 3.0)], 48_000, 997.0)), abs=0.1
    )


def test_surround_counts_more() -> None:
    audio = stereo([(-20.0, 3.0)])
    assert integrated(audio, weights=[1.41, 1.41]) == pytest.approx(integrated(audio) + 10.0 * math.log10(1.41), abs=1e-6)
    with pytest.raises(ValueError, match="one weight a channel, got 1 for 2 channels"):
        integrated(audio, weights=[1.0])


def test_silence_and_a_sound_too_short_have_no_loudness() -> None:
    assert integrated(np.zeros((2, 48_000))) == -math.inf
    assert integrated(stereo([(-20.0, 0.3)])) == -math.inf
    assert integrated(stereo([(-75.0, 3.0)])) == -math.inf
    assert integrated(stereo([(-65.0, 3.0)])) == pytest.approx(-65.0, abs=0.1)


def test_momentary_and_short_term_are_means_of_what_came_before() -> None:
    audio = np.random.default_rng(1).normal(size=(2, 4 * 48_000)) * np.linspace(0.01, 1.0, 4 * 48_000)
    weighted = audio
    for b, a in k_sections(48_000):
        weighted = lfilter(b, a, weighted)
    for seconds in (0.4, SHORT_TERM_S):
        found, width = running_lufs(hop_powers(audio, 48_000), 48_000, seconds), int(seconds * 48_000)
        for hop in (60, 700, 2400, 2999):
            end = (hop + 1) * HOP
            power = np.sum(weighted[:, max(0, end - width) : end] ** 2) / width
            assert found[hop] == pytest.approx(-0.691 + 10.0 * math.log10(power), abs=1e-6)


def test_powers_of_a_stream_are_those_of_the_whole() -> None:
    audio = np.random.default_rng(2).normal(size=(2, 100 * HOP))
    whole, state, found = hop_powers(audio, 48_000), k_filter(48_000.0).start(2), []
    for begin, hops in ((0, 4), (4, 1), (5, 30), (35, 65)):
        powers, state = hop_powers_stream(tf.constant(audio[:, begin * HOP : (begin + hops) * HOP], tf.float32), state, 48_000)
        found.append(powers.numpy())
    assert np.max(np.abs(np.concatenate(found, 1) - whole)) < 1e-4 * np.max(whole)
