"""Parity: convolution, FIR design and delay lines of the peer's core."""

from __future__ import annotations

from typing import Any

import numpy as np

from ddsp_studio.dsp import design
from ddsp_studio.dsp.fir import fft_convolve
from ddsp_studio.dsp.tensor import tf

from .loader import Adapter, Case, Difference


def peer_lag(taps: int) -> int:
    """Samples that they cut from the start by default: one (odd) or two (even) fewer than the centre of the response."""
    return (taps - 1) // 2 - 1


def convolved(audio: Any, response: Any, padding: str = "same", delay_compensation: int = -1) -> Any:
    """Ours, told to cut what they cut."""
    lead = delay_compensation if delay_compensation >= 0 else peer_lag(int(response.shape[-1]))
    return fft_convolve(audio, response, full=padding == "valid", delay=lead)


def window_size(case: Case) -> int:
    return int(case.kwargs.get("window_size", 0))


def crops(case: Case) -> bool:
    """Whether the window is shorter than the response, where theirs is off centre."""
    values = case.inputs.get("magnitudes", case.inputs.get("impulse_response"))
    size = int(values.shape[-1])
    longest = 2 * (size - 1) if "magnitudes" in case.inputs else size
    return 0 < window_size(case) < longest


def windowed_truth(zero_phase: np.ndarray, taps: int) -> np.ndarray:
    """A zero-phase response under a centred Hann window, tap by tap: n counts from the centre."""
    out = []
    for n in range(-(taps // 2), taps - taps // 2):
        width = taps // 2 if taps % 2 == 0 else (taps - 1) / 2
        out.append(zero_phase[..., n % zero_phase.shape[-1]] * (0.5 + 0.5 * np.cos(np.pi * n / width)))
    return np.stack(out, axis=-1)


def response_truth(case: Case) -> np.ndarray:
    taps = window_size(case)
    if "magnitudes" in case.inputs:
        return windowed_truth(np.fft.irfft(case.inputs["magnitudes"].numpy().astype(np.float64)), taps)
    return windowed_truth(zero_phase(case), taps)


def zero_phase(case: Case) -> np.ndarray:
    response = case.inputs["impulse_response"].numpy().astype(np.float64)
    return np.fft.fftshift(response, axes=-1) if case.kwargs.get("causal") else response


def filter_truth(case: Case) -> np.ndarray:
    """Each part of the audio convolved by numpy with the response of its frame, no sample late."""
    audio, response = case.inputs["audio"].numpy().astype(np.float64), response_truth(case)
    return convolution_truth(audio, response, case.kwargs.get("padding", "same"), response.shape[-1] // 2)


def convolution_truth(audio: np.ndarray, response: np.ndarray, padding: str, lead: int) -> np.ndarray:
    response = response[:, None] if response.ndim == 2 else response
    (batch, samples), (_, frames, taps) = audio.shape, response.shape
    part = -(-samples // frames)
    total = np.zeros((batch, part * frames + 2 * taps + lead))
    for row in range(batch):
        for i in range(frames):
            piece = audio[row, i * part : (i + 1) * part]
            spoken = np.convolve(piece, response[row % len(response), i])
            total[row, i * part : i * part + spoken.size] += spoken
    return total[:, lead : lead + samples + (taps - 1 if padding == "valid" else 0)]


def frequency_filter(case: Case) -> Any:
    """Their frequency_filter out of our parts; with a short window ours is centred."""
    response = design.frequency_sampled(case.inputs["magnitudes"], window_size(case))
    lead = design.centre(int(response.shape[-1])) if crops(case) else -1
    return convolved(case.inputs["audio"], response, case.kwargs.get("padding", "same"), lead)


def cut_short(case: Case) -> bool:
    """Whether theirs returned fewer samples than it says, which it does where its FFT has none to spare."""
    theirs, audio = case.out[""], case.inputs["audio"]
    return int(theirs.shape[1]) < int(audio.shape[1])


def whole_truth(case: Case) -> np.ndarray:
    """The convolution by numpy with our own response, which is judged elsewhere."""
    if case.name == "core.sinc_filter":
        response = sinc_response(case).numpy().astype(np.float64)
    elif case.name == "core.frequency_filter":
        response = design.frequency_sampled(case.inputs["magnitudes"], window_size(case)).numpy().astype(np.float64)
    else:
        response = case.inputs["impulse_response"].numpy().astype(np.float64)
    lead = int(case.kwargs.get("delay_compensation", -1))
    lead = lead if lead >= 0 else peer_lag(response.shape[-1])
    return convolution_truth(case.inputs["audio"].numpy(), response, case.kwargs.get("padding", "same"), lead)


def apply_window(case: Case) -> Any:
    response = case.inputs["impulse_response"]
    response = tf.signal.fftshift(response, axes=-1) if case.kwargs.get("causal") else response
    return design.window_response(response, window_size(case))


def sinc_response(case: Case) -> Any:
    given = case.kwargs
    cutoff = case.inputs["cutoff_frequency"]
    if given.get("sample_rate") is not None:
        cutoff = cutoff * (2.0 / float(given["sample_rate"]))
    taps = int(given.get("window_size", 512)) // 2 * 2 + 1
    return design.windowed_sinc(cutoff, taps, bool(given.get("high_pass", False)))


OFF_CENTRE = "with a window shorter than the response theirs is a sample off centre, or a tap is lost; ours is symmetric"
ADAPTERS: dict[str, Adapter] = {
    "core.fft_convolve": lambda case: convolved(case.inputs["audio"], case.inputs["impulse_response"], **case.kwargs),
    "core.frequency_filter": frequency_filter,
    "core.frequency_impulse_response": lambda case: design.frequency_sampled(case.inputs["magnitudes"], window_size(case)),
    "core.apply_window_to_impulse_response": apply_window,
    "core.sinc": lambda case: design.sinc(case.inputs["x"]),
    "core.sinc_impulse_response": sinc_response,
    "core.sinc_filter": lambda case: convolved(case.inputs["audio"], sinc_response(case), case.kwargs.get("padding", "same")),
}
CUT_SHORT = "where its FFT has no sample to spare, theirs returns next to nothing; ours returns all that was asked for"
DIFFERENT: dict[str, list[Difference]] = {
    "core.fft_convolve": [Difference(CUT_SHORT, whole_truth, when=cut_short)],
    "core.sinc_filter": [Difference(CUT_SHORT, whole_truth, when=cut_short)],
    "core.frequency_filter": [
        Difference(OFF_CENTRE, filter_truth, when=crops),
        Difference(CUT_SHORT, whole_truth, when=cut_short),
    ],
    "core.frequency_impulse_response": [Difference(OFF_CENTRE, response_truth, when=crops)],
    "core.apply_window_to_impulse_response": [Difference(OFF_CENTRE, response_truth, when=crops)],
}
UNMATCHED: dict[str, str] = {}
