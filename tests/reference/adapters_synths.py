"""Parity: sinusoids, harmonics and the synths."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ddsp_studio.dsp import heads, scaling, sinusoids, wavetable
from ddsp_studio.dsp.tensor import Tensor, tf

from . import truths
from .adapters_filters import OFF_CENTRE, crops, filter_truth
from .adapters_filters import frequency_filter as their_filter
from .adapters_resample import interpolate
from .loader import Adapter, Case, Difference

RATE = 16_000
TURN = 2.0 * math.pi


def start(tensor: Tensor) -> Tensor:
    """Phase zero for the channels of [batch, samples, channels]."""
    return tf.zeros([tensor.shape[0], tensor.shape[2]], tf.float64)


def oscillator_bank(case: Case) -> Any:
    given = case.kwargs
    rate, frequencies = float(given.get("sample_rate", RATE)), case.inputs["frequency_envelopes"]
    levels = sinusoids.remove_above_nyquist(frequencies, case.inputs["amplitude_envelopes"], rate)
    summed = bool(given.get("sum_sinusoids", True))
    return sinusoids.oscillator_bank(frequencies, levels, start(frequencies), rate, summed=summed)[0]


def harmonic_oscillators(frequency: Tensor, levels: Tensor, phase: Tensor | None, rate: float) -> tuple[Tensor, Tensor]:
    """Audio and final phase in radians, of a fundamental that is given for every sample, and a phase in radians."""
    first = tf.zeros([frequency.shape[0]], tf.float64) if phase is None else tf.cast(phase[:, 0, 0], tf.float64) / TURN
    turns, end = sinusoids.integrate_turns(tf.cast(frequency[..., 0], tf.float64) / rate, first)
    numbers = np.arange(1, int(levels.shape[-1]) + 1, dtype=np.float64)
    angle = tf.cast((turns[..., None] * numbers) % 1.0, tf.float32) * TURN
    return tf.reduce_sum(levels * tf.sin(angle), axis=-1), tf.cast(end * TURN, tf.float32)[:, None, None]


def harmonic_oscillator_bank(case: Case) -> Any:
    given = case.kwargs
    rate = float(given.get("sample_rate", RATE))
    return harmonic_oscillators(
        case.inputs["frequency"], case.inputs["amplitude_envelopes"], case.inputs.get("initial_phase"), rate
    )


def synthesised(frequencies: Tensor, levels: Tensor, count: int, rate: float, method: str) -> Tensor:
    """Audio of sinusoids given by frames, with their resampling and their cut at Nyquist."""
    hertz, amplitudes = interpolate(frequencies, count), interpolate(levels, count, method)
    amplitudes = sinusoids.remove_above_nyquist(hertz, amplitudes, rate)
    return sinusoids.oscillator_bank(hertz, amplitudes, start(hertz), rate)[0]


def harmonic_synthesis(case: Case) -> Any:
    given, x = case.kwargs, case.inputs
    distribution, shifts = x.get("harmonic_distribution"), x.get("harmonic_shifts")
    spread = next((part for part in (distribution, shifts) if part is not None), x["amplitudes"])
    frequencies = sinusoids.harmonic_frequencies(x["frequencies"], int(spread.shape[-1]))
    frequencies = frequencies if shifts is None else frequencies * (1.0 + shifts)
    levels = x["amplitudes"] if distribution is None else x["amplitudes"] * distribution
    levels = tf.broadcast_to(levels, frequencies.shape)
    rate = float(given.get("sample_rate", RATE))
    return synthesised(frequencies, levels, int(given.get("n_samples", 64_000)), rate, given.get("amp_resample_method", "window"))


def streaming_synthesis(case: Case) -> Any:
    given, x = case.kwargs, case.inputs
    rate, count = float(given.get("sample_rate", RATE)), int(given.get("n_samples", 64_000))
    levels = x["amplitudes"]
    if "harmonic_distribution" in x:
        levels = levels * sinusoids.normalise_harmonics(x["harmonic_distribution"], x["frequencies"], rate)
    levels = interpolate(levels, count, given.get("amp_resample_method", "linear"))
    return harmonic_oscillators(interpolate(x["frequencies"], count), levels, x.get("initial_phase"), rate)


def normalise(case: Case) -> Any:
    distribution, f0_hz = case.inputs["harmonic_distribution"], case.inputs.get("f0_hz")
    return sinusoids.normalise_harmonics(distribution, f0_hz, case.kwargs.get("sample_rate"))


def to_harmonic(case: Case) -> Any:
    names = {"n_harmonics": "harmonics", "harmonic_width": "width", "normalize": "share", "sample_rate": "sample_rate"}
    given = {"sample_rate": RATE, **{names[key]: value for key, value in case.kwargs.items()}}
    return sinusoids.sinusoidal_to_harmonic(case.inputs["sin_amps"], case.inputs["sin_freqs"], case.inputs["f0_hz"], **given)


def cumulative_angle(case: Case) -> Any:
    """Radians, wrapped; their sum is in float32 and ours in turns."""
    turns = tf.cast(case.inputs["angular_frequency"], tf.float64) / TURN
    return tf.cast(sinusoids.integrate_turns(turns, tf.zeros_like(turns[:, 0]))[0] % 1.0, tf.float32) * TURN


# -- synths --------------------------------------------------------------------------------------------------------------


def scaled(case: Case, values: Tensor, key: str = "scale_fn") -> Tensor:
    """Their network outputs as amplitudes: exp_sigmoid unless the constructor says None."""
    return scaling.exp_sigmoid(values) if case.ctor.get(key, "exp_sigmoid") is not None else values


def harmonic_synth(case: Case) -> Any:
    x, given = case.inputs, case.ctor
    rate = float(given.get("sample_rate", RATE))
    amplitudes, distribution = scaled(case, x["amplitudes"]), scaled(case, x["harmonic_distribution"])
    below = given.get("normalize_below_nyquist", True)
    distribution = sinusoids.normalise_harmonics(distribution, x["f0_hz"] if below else None, rate if below else None)
    frequencies = sinusoids.harmonic_frequencies(x["f0_hz"], int(distribution.shape[-1]))
    method, count = given.get("amp_resample_method", "window"), int(given.get("n_samples", 64_000))
    signal = synthesised(frequencies, amplitudes * distribution, count, rate, method)
    controls = {"amplitudes": amplitudes, "harmonic_distribution": distribution, "f0_hz": x["f0_hz"]}
    return {"controls": controls, "signal": signal}


def sinusoidal_synth(case: Case) -> Any:
    x, given = case.inputs, case.ctor
    rate = float(given.get("sample_rate", RATE))
    amplitudes, frequencies = scaled(case, x["amplitudes"], "amp_scale_fn"), x["frequencies"]
    if given.get("freq_scale_fn", "frequencies_sigmoid") is not None:
        frequencies = heads.frequencies_sigmoid(heads.split_depth(frequencies, 1))
        amplitudes = sinusoids.remove_above_nyquist(frequencies, amplitudes, rate)
    method, count = given.get("amp_resample_method", "window"), int(given.get("n_samples", 64_000))
    signal = synthesised(frequencies, amplitudes, count, rate, method)
    return {"controls": {"amplitudes": amplitudes, "frequencies": frequencies}, "signal": signal}


def noise_filter(case: Case, bias: float = -5.0) -> Case:
    """The stored noise under the scaled magnitudes, as a case of their frequency_filter; `bias` is their default one."""
    magnitudes = case.inputs["magnitudes"]
    if case.ctor.get("scale_fn", "exp_sigmoid") is not None:
        magnitudes = scaling.exp_sigmoid(magnitudes + float(case.ctor.get("initial_bias", bias)))
    window = int(case.ctor.get("window_size", 257))
    return case.replaced(inputs={"audio": case.inputs["noise"], "magnitudes": magnitudes}, kwargs={"window_size": window})


def filtered_noise(case: Case) -> Any:
    filtered = noise_filter(case)
    return {"controls": {"magnitudes": filtered.inputs["magnitudes"]}, "signal": their_filter(filtered)}


# -- wavetables ----------------------------------------------------------------------------------------------------------


def lookup(turns: Tensor, tables: Tensor) -> Tensor:
    """Read tables [batch, points], or one for each sample [batch, samples, points], at turns [batch, samples]."""
    if len(tables.shape) == 2 or int(tables.shape[1]) == 1:
        return wavetable.linear_lookup(turns, tables if len(tables.shape) == 2 else tables[:, 0])
    tables = tf.broadcast_to(tables, [*turns.shape, tables.shape[2]])
    flat = wavetable.linear_lookup(tf.reshape(turns, [-1, 1]), tf.reshape(tables, [-1, tables.shape[2]]))
    return tf.reshape(flat, turns.shape)


def linear_lookup(case: Case) -> Any:
    phase = case.inputs["phase"]
    return lookup(phase[..., 0] if len(phase.shape) == 3 else phase, case.inputs["wavetables"])


def table_signal(frequencies: Tensor, amplitudes: Tensor, tables: Tensor, count: int, rate: float) -> Tensor:
    steps = tf.cast(interpolate(frequencies, count)[..., 0], tf.float64) / rate
    turns = sinusoids.integrate_turns(steps, tf.zeros([steps.shape[0]], tf.float64))[0] - steps  # they begin at phase 0
    if len(tables.shape) == 3 and int(tables.shape[1]) > 1:
        tables = interpolate(tables, count)
    return lookup(turns, tables) * interpolate(amplitudes, count, "window")[..., 0]


def wavetable_synthesis(case: Case) -> Any:
    count, rate = int(case.kwargs.get("n_samples", 64_000)), float(case.kwargs.get("sample_rate", RATE))
    return table_signal(case.inputs["frequencies"], case.inputs["amplitudes"], case.inputs["wavetables"], count, rate)


def wavetable_synth(case: Case) -> Any:
    x, given = case.inputs, case.ctor
    amplitudes, tables = scaled(case, x["amplitudes"]), scaled(case, x["wavetables"])
    count, rate = int(given.get("n_samples", 64_000)), float(given.get("sample_rate", RATE))
    controls = {"amplitudes": amplitudes, "wavetables": tables, "f0_hz": x["f0_hz"]}
    return {"controls": controls, "signal": table_signal(x["f0_hz"], amplitudes, tables, count, rate)}


def noise_truth(case: Case) -> Any:
    return {"signal": filter_truth(noise_filter(case))}


ADAPTERS: dict[str, Adapter] = {
    "core.angular_cumsum": cumulative_angle,
    "core.oscillator_bank": oscillator_bank,
    "core.harmonic_oscillator_bank": harmonic_oscillator_bank,
    "core.harmonic_synthesis": harmonic_synthesis,
    "core.streaming_harmonic_synthesis": streaming_synthesis,
    "core.get_harmonic_frequencies": lambda case: sinusoids.harmonic_frequencies(
        case.inputs["frequencies"], int(case.kwargs["n_harmonics"])
    ),
    "core.remove_above_nyquist": lambda case: sinusoids.remove_above_nyquist(
        case.inputs["frequency_envelopes"], case.inputs["amplitude_envelopes"], float(case.kwargs.get("sample_rate", RATE))
    ),
    "core.normalize_harmonics": normalise,
    "core.harmonic_to_sinusoidal": lambda case: sinusoids.harmonic_to_sinusoidal(
        case.inputs["harm_amp"], case.inputs["harm_dist"], case.inputs["f0_hz"], float(case.kwargs.get("sample_rate", RATE))
    ),
    "core.sinusoidal_to_harmonic": to_harmonic,
    "core.linear_lookup": linear_lookup,
    "core.wavetable_synthesis": wavetable_synthesis,
    "synths.Wavetable": wavetable_synth,
    "synths.Harmonic": harmonic_synth,
    "synths.Sinusoidal": sinusoidal_synth,
    "synths.FilteredNoise": filtered_noise,
}
DRIFT = "their phase is a sum in float32, which drifts; ours is counted in float64"
DIFFERENT: dict[str, list[Difference]] = {
    "core.oscillator_bank": [Difference(DRIFT, gradients=truths.bank_gradients, drift=True)],
    "core.wavetable_synthesis": [Difference(DRIFT, truths.table_signal, drift=True)],
    "synths.Wavetable": [Difference(DRIFT, truths.table_synth_signal, drift=True)],
    "synths.Harmonic": [Difference(DRIFT, truths.harmonic_signal, drift=True)],
    "synths.Sinusoidal": [Difference(DRIFT, truths.sinusoidal_signal, drift=True)],
    "synths.FilteredNoise": [Difference(OFF_CENTRE, noise_truth, when=lambda case: crops(noise_filter(case)))],
}
UNMATCHED: dict[str, str] = {}
PHASES = {"core.angular_cumsum": "", "core.harmonic_oscillator_bank": "1", "core.streaming_harmonic_synthesis": "1"}
