"""Pitch candidates of frames: the peaks of the window-normalised autocorrelation.

P. Boersma, "Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a sampled sound",
Proc. Institute of Phonetic Sciences 17 (1993).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ddsp_studio.training.features.f0_layout import Floats, Layout, favour

_AT_A_TIME = 64


class Candidates(NamedTuple):
    """Pitches that frames may have.

    Attributes:
        f0_hz: [frames, candidates], 0 where there is none.
        strength: periodicity of each, 0..1, [frames, candidates], −1 where there is none.
        level_db: RMS of the frames under the window, without their mean, dB of full scale, [frames].
    """

    f0_hz: Floats
    strength: Floats
    level_db: Floats


def candidates(frames: Floats, plan: Layout) -> Candidates:
    """The strongest peaks of each frame's autocorrelation.

    Args:
        frames: decimated sound around each frame's centre, [frames, window].
        plan: numbers of the tracker.
    """
    parts = [_some(frames[i : i + _AT_A_TIME], plan) for i in range(0, max(len(frames), 1), _AT_A_TIME)]
    return Candidates(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _some(frames: Floats, plan: Layout) -> Candidates:
    weight = np.float32(plan.window.sum())
    mean = (frames @ plan.window)[:, None] / weight
    windowed = (frames - mean) * plan.window
    spectrum = np.fft.rfft(windowed, plan.size)
    power = spectrum.real**2 + spectrum.imag**2
    oversampling = round(plan.hertz / plan.rate)
    auto = np.asarray(np.fft.irfft(power, plan.size * oversampling), np.float32) * np.float32(oversampling)
    energy = np.maximum(auto[:, :1], np.float32(1e-20))
    normal = auto[:, plan.lags[0] : plan.lags[1]] / (energy * plan.norm)
    f0_hz, strength = _peaks(normal, plan)
    level = 10.0 * np.log10(energy[:, 0] / np.float32(np.sum(plan.window**2)))
    return Candidates(f0_hz, strength, level.astype(np.float32))


def _peaks(normal: Floats, plan: Layout) -> tuple[Floats, Floats]:
    """Frequencies and heights of the best peaks, [frames, candidates] each."""
    settings, count = plan.settings, plan.settings.candidates
    inner = normal[:, 1:-1]
    is_peak = (inner > normal[:, :-2]) & (inner >= normal[:, 2:]) & (inner > 0.5 * settings.voicing)
    lag = np.arange(plan.lags[0] + 1, plan.lags[1] - 1)
    favoured = favour(np.log2(plan.hertz / (lag * settings.low_hz)), settings).astype(np.float32)
    score = np.where(is_peak, inner + favoured, np.float32(-9.0))
    chosen = np.argpartition(-score, count - 1, axis=1)[:, :count]
    # in a fixed order, so that ties are decided alike
    chosen = np.take_along_axis(chosen, np.argsort(chosen, axis=1), axis=1)
    height, offset = _parabola(normal, chosen + 1)
    f0_hz = plan.hertz / (chosen + 1 + plan.lags[0] + offset)
    found = np.take_along_axis(is_peak, chosen, axis=1) & (f0_hz >= settings.low_hz) & (f0_hz <= settings.high_hz)
    # Boersma: a peak above 1 is an artefact of the division by the window, and folded back
    height = np.where(height > 1.0, 1.0 / np.maximum(height, 1.0), height)
    return np.where(found, f0_hz, 0.0).astype(np.float32), np.where(found, height, -1.0).astype(np.float32)


def _parabola(normal: Floats, at: npt.NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Height and place (in steps, −0.5..0.5) of the parabola's top through each peak and its neighbours."""
    before, peak, after = (np.take_along_axis(normal, at + i, axis=1) for i in (-1, 0, 1))
    bend = np.minimum(before + after - 2.0 * peak, np.float32(-1e-9))
    offset = np.clip(0.5 * (before - after) / bend, -0.5, 0.5)
    return np.asarray(peak - 0.25 * (before - after) * offset, np.float32), np.asarray(offset, np.float32)
