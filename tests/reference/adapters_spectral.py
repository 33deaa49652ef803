"""Parity: our counterparts of the peer's spectral calls."""

from __future__ import annotations

from typing import Any

import numpy as np

from ddsp_studio.dsp import framing, mel, spectral
from ddsp_studio.dsp.loudness import FLOOR_DB, a_weighting_db, loudness, window_size
from ddsp_studio.dsp.scaling import amplitude_to_db
from ddsp_studio.dsp.tensor import HOP, Tensor, tf

from .loader import Adapter, Case, Difference

PADDING = {"center": "centre", "same": "end", "valid": "valid"}


def sound(case: Case) -> Tensor:
    """Their sound as [batch, samples]: theirs may lack the batch or have a channel."""
    audio = case.inputs["audio"]
    return audio[None] if len(audio.shape) == 1 else audio[..., 0] if len(audio.shape) == 3 else audio


def shaped(case: Case, found: Tensor) -> Tensor:
    """Without a batch where theirs had none."""
    return found[0] if len(case.inputs["audio"].shape) == 1 else found


def layout(kwargs: dict[str, Any], size: int) -> dict[str, Any]:
    """Step and padding of a transform, from their overlap."""
    return {
        "size": size,
        "hop": int(size * (1.0 - kwargs.get("overlap", 0.75))),
        "padding": "end" if kwargs.get("pad_end", True) else "valid",
    }


def stft(case: Case) -> Any:
    found = shaped(case, spectral.stft(sound(case), **layout(case.kwargs, int(case.kwargs.get("frame_size", 2048)))))
    return {"real": tf.math.real(found), "imag": tf.math.imag(found)}


def stft_np(case: Case) -> Any:
    """Theirs transforms as many points as the frame has."""
    size = int(case.kwargs.get("frame_size", 2048))
    found = shaped(case, spectral.stft(sound(case), **layout(case.kwargs, size), fft_size=size))
    return {"real": tf.math.real(found), "imag": tf.math.imag(found)}


def magnitude(case: Case) -> Any:
    return shaped(case, spectral.magnitude(sound(case), **layout(case.kwargs, int(case.kwargs.get("size", 2048)))))


def log_magnitude(case: Case) -> Any:
    return shaped(case, spectral.log_magnitude(sound(case), **layout(case.kwargs, int(case.kwargs.get("size", 2048)))))


def bands(case: Case, low_hz: float, high_hz: float, count: int, size: int) -> dict[str, Any]:
    given = case.kwargs
    return {
        "sample_rate": float(given.get("sample_rate", 16_000)),
        "bands": int(given.get("bins", given.get("mel_bins", count))),
        "low_hz": float(given.get("lo_hz", low_hz)),
        "high_hz": float(given.get("hi_hz", high_hz)),
        **layout(given, int(given.get("fft_size", size))),
    }


def mel_spectrum(case: Case) -> Any:
    return shaped(case, mel.mel_spectrum(sound(case), **bands(case, 0.0, 8000.0, 64, 2048)))


def log_mel(case: Case) -> Any:
    return shaped(case, mel.log_mel_spectrum(sound(case), **bands(case, 80.0, 7600.0, 64, 2048)))


def mfcc(case: Case) -> Any:
    coefficients = int(case.kwargs.get("mfcc_bins", 13))
    return shaped(case, mel.mfcc(sound(case), coefficients=coefficients, **bands(case, 20.0, 8000.0, 128, 1024)))


def frames(case: Case) -> dict[str, Any]:
    given = case.kwargs
    return {
        "size": int(given.get("frame_size", given.get("n_fft", 512))),
        "hop": int(given.get("sample_rate", 16_000)) // int(given.get("frame_rate", 250)),
        "padding": PADDING[given.get("padding", "center")],
    }


def rms(case: Case) -> Any:
    return shaped(case, spectral.rms(sound(case), **frames(case)))


def power(case: Case) -> Any:
    return amplitude_to_db(rms(case), float(case.kwargs.get("ref_db", 0.0)), float(case.kwargs.get("range_db", 80.0)))


def pad(case: Case) -> Any:
    """Ours pads the last axis, with silence."""
    x, given = case.inputs["x"], case.kwargs
    axis = int(given.get("axis", 1)) if len(x.shape) > 1 else 0
    order = [i for i in range(len(x.shape)) if i != axis] + [axis]
    padded = framing.pad(
        tf.transpose(x, order), int(given["frame_size"]), int(given["hop_size"]), PADDING[given.get("padding", "center")]
    )
    return tf.transpose(padded, np.argsort(order))


def our_window(case: Case) -> tuple[float, int]:
    """The rate and the window of our loudness that is nearest to their frame."""
    rate = float(case.kwargs.get("sample_rate", 16_000))
    return rate, window_size(rate, int(case.kwargs.get("n_fft", 512)) / rate)


def level(case: Case) -> Any:
    """Ours has one clock, a frame a hop; their frames are at our nearest ones."""
    rate, size = our_window(case)
    return shaped(case, loudness(sound(case), rate, size))


def level_truth(case: Case) -> np.ndarray:
    """Without recursive filters or spectra of frames: the whole sound weighed by its Fourier transform, then averaged."""
    rate, size = our_window(case)
    audio = np.asarray(sound(case), np.float64)
    room = np.pad(audio, [(0, 0), (4 * int(rate), 4 * int(rate))])
    with np.errstate(divide="ignore"):
        gain = 10.0 ** (a_weighting_db(np.fft.rfftfreq(room.shape[1], 1.0 / rate)) / 20.0)
    # least phase, as the weighting of a meter has it: the phase follows from the gain's logarithm by Hilbert's transform
    logarithm = np.fft.irfft(np.log(np.maximum(gain, 1e-7)), room.shape[1])
    half = room.shape[1] // 2
    logarithm[1:half] *= 2.0
    logarithm[half + 1 :] = 0.0
    weighted = np.fft.irfft(np.fft.rfft(room) * np.exp(np.fft.rfft(logarithm)), room.shape[1])[:, 4 * int(rate) :]
    window = np.square(np.hanning(size + 1)[:-1])
    count = -(-audio.shape[1] // HOP)
    weighted = np.pad(weighted[:, : audio.shape[1] + size // 2], [(0, 0), (size, size)])
    starts = size + (np.arange(count) + 1) * HOP - size // 2
    means = np.stack([weighted[:, s : s + size] ** 2 @ window for s in starts], axis=1) / np.sum(window)
    return np.asarray(shaped(case, 10.0 * np.log10(means + 10.0 ** (FLOOR_DB / 10.0))))


ADAPTERS: dict[str, Adapter] = {
    "spectral_ops.stft": stft,
    "spectral_ops.stft_np": stft_np,
    "spectral_ops.compute_mag": magnitude,
    "spectral_ops.compute_logmag": log_magnitude,
    "spectral_ops.compute_mel": mel_spectrum,
    "spectral_ops.compute_logmel": log_mel,
    "spectral_ops.compute_mfcc": mfcc,
    "spectral_ops.compute_rms_energy": rms,
    "spectral_ops.compute_power": power,
    "spectral_ops.compute_loudness": level,
    "spectral_ops.pad": pad,
}
DIFFERENT: dict[str, list[Difference]] = {
    "spectral_ops.compute_loudness": [
        Difference(
            reason="the peer's level grows by 3 dB with each doubling of n_fft and weighs what leaks between bins; ours is the "
            "mean square of the A-weighted sound, −3.01 dB for a full-scale sine at 1 kHz at every size and rate, a frame a hop",
            truth=level_truth,
            rtol=0.0,
            atol=0.1,
        )
    ],
}
UNMATCHED: dict[str, str] = {
    "spectral_ops.PretrainedCREPE": "CREPE's network is not part of this program; pitch comes from a tracker of its own",
    "spectral_ops.pad_or_trim_to_expected_length": (
        "frames are counted in exact samples here, so no track needs to be fitted to a length"
    ),
}
