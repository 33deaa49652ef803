"""What is right, in plain numpy and float64, for cases in which the peer is not judged by its own value."""

from __future__ import annotations

import numpy as np

from .loader import Case

RATE = 16_000


def array(case: Case, name: str) -> np.ndarray:
    return case.inputs[name].numpy().astype(np.float64)


def linear(frames: np.ndarray, count: int) -> np.ndarray:
    """Straight lines between frames [batch, frames, channels], the last one held."""
    places = np.arange(count) * frames.shape[1] / count
    known = np.arange(frames.shape[1])
    rows = [[np.interp(places, known, row[:, c]) for c in range(frames.shape[2])] for row in frames]
    return np.moveaxis(np.array(rows), 1, 2)


def overlapped(frames: np.ndarray, count: int) -> np.ndarray:
    """Hann windows of two hops, one a frame, overlapped by a half and added up; the last frame twice."""
    hop = count // frames.shape[1]
    window = 0.5 - 0.5 * np.cos(np.pi * np.arange(2 * hop) / hop)
    total = np.zeros((frames.shape[0], count + 2 * hop, frames.shape[2]))
    held = np.concatenate([frames, frames[:, -1:]], axis=1)
    for i in range(held.shape[1]):
        total[:, i * hop : (i + 2) * hop] += (held[:, i, None] * window[:, None])[:, : total.shape[1] - i * hop]
    return total[:, hop : hop + count]


def envelope(frames: np.ndarray, count: int, method: str) -> np.ndarray:
    return {"linear": linear, "window": overlapped}[method](frames, count)


def bank(hertz: np.ndarray, levels: np.ndarray, rate: float) -> np.ndarray:
    """Sinusoids [batch, samples, sinusoids] whose phase is a running sum, cut at Nyquist, added up."""
    phase = 2.0 * np.pi * np.cumsum(hertz / rate, axis=1)
    return np.sum(np.where(hertz < rate / 2.0, levels, 0.0) * np.sin(phase), axis=-1)


def bank_gradients(case: Case) -> dict[str, np.ndarray]:
    """Slopes of the sum of a bank under the cotangent, with respect to levels and frequencies."""
    hertz, levels = array(case, "frequency_envelopes"), array(case, "amplitude_envelopes")
    rate = float(case.kwargs.get("sample_rate", RATE))
    heard = hertz < rate / 2.0
    slope = case.cotangent if case.cotangent.ndim == 3 else case.cotangent[..., None]
    phase = 2.0 * np.pi * np.cumsum(hertz / rate, axis=1)
    by_phase = slope * np.where(heard, levels, 0.0) * np.cos(phase)
    later = np.flip(np.cumsum(np.flip(by_phase, 1), axis=1), 1)
    return {
        "amplitude_envelopes": slope * np.where(heard, np.sin(phase), 0.0),
        "frequency_envelopes": later * 2.0 * np.pi / rate,
    }


def exp_sigmoid(x: np.ndarray) -> np.ndarray:
    return 2.0 * (1.0 / (1.0 + np.exp(-x))) ** np.log(10.0) + 1e-7


def harmonic_signal(case: Case) -> dict[str, np.ndarray]:
    """The signal of their harmonic synth."""
    given, f0_hz = case.ctor, array(case, "f0_hz")
    levels, spread = array(case, "amplitudes"), array(case, "harmonic_distribution")
    if given.get("scale_fn", "") is not None:
        levels, spread = exp_sigmoid(levels), exp_sigmoid(spread)
    rate, count = float(given.get("sample_rate", RATE)), int(given.get("n_samples", 64_000))
    hertz = f0_hz * np.arange(1, spread.shape[-1] + 1)
    if given.get("normalize_below_nyquist", True):
        spread = np.where(hertz < rate / 2.0, spread, 0.0)
    total = spread.sum(axis=-1, keepdims=True)
    spread = spread / np.where(total == 0.0, 1e-7, total)
    amplitudes = envelope(levels * spread, count, given.get("amp_resample_method", "window"))
    return {"signal": bank(linear(hertz, count), amplitudes, rate)}


def sinusoidal_signal(case: Case) -> dict[str, np.ndarray]:
    """The signal of their sinusoidal synth, from the frequencies and levels that it says it plays."""
    given = case.ctor
    rate, count = float(given.get("sample_rate", RATE)), int(given.get("n_samples", 64_000))
    hertz, levels = case.out["controls/frequencies"].astype(np.float64), case.out["controls/amplitudes"].astype(np.float64)
    return {"signal": bank(linear(hertz, count), envelope(levels, count, given.get("amp_resample_method", "window")), rate)}


def table_read(hertz: np.ndarray, levels: np.ndarray, tables: np.ndarray, count: int, rate: float) -> np.ndarray:
    """A table read by straight lines from phase 0, sample by sample, under an overlapped envelope."""
    steps = linear(hertz, count)[..., 0] / rate
    place = (np.cumsum(steps, axis=1) - steps) % 1.0
    tables = tables[:, None] if tables.ndim == 2 else tables
    tables = linear(tables, count) if tables.shape[1] > 1 else np.repeat(tables, count, axis=1)
    tables = np.broadcast_to(tables, [*place.shape, tables.shape[2]])
    points = np.arange(tables.shape[2] + 1) / tables.shape[2]
    closed = np.concatenate([tables, tables[..., :1]], axis=-1)
    read = [[np.interp(p, points, t) for p, t in zip(*row, strict=True)] for row in zip(place, closed, strict=True)]
    return np.array(read) * overlapped(levels, count)[..., 0]


def table_signal(case: Case) -> np.ndarray:
    given = case.kwargs
    count, rate = int(given.get("n_samples", 64_000)), float(given.get("sample_rate", RATE))
    return table_read(array(case, "frequencies"), array(case, "amplitudes"), array(case, "wavetables"), count, rate)


def table_synth_signal(case: Case) -> dict[str, np.ndarray]:
    """The signal of their wavetable synth."""
    given = case.ctor
    levels, tables = array(case, "amplitudes"), array(case, "wavetables")
    if given.get("scale_fn", "") is not None:
        levels, tables = exp_sigmoid(levels), exp_sigmoid(tables)
    count, rate = int(given.get("n_samples", 64_000)), float(given.get("sample_rate", RATE))
    return {"signal": table_read(array(case, "f0_hz"), levels, tables, count, rate)}
