"""What a checkpoint sounds and looks like beside the recordings: sound files and spectrograms in the run's folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.spectral import magnitude
from ddsp_studio.dsp.tensor import tf
from ddsp_studio.files import replacing

Array = npt.NDArray[np.float32]
KEPT = 30
"""Checkpoints whose sound is kept."""
FFT = 1024
FLOOR_DB = -100.0


def spectrogram_db(audio: Array) -> npt.NDArray[np.float16]:
    """Magnitudes in dB, [frames, bins], of sound [samples]: windows of 1024, steps of 256; a full-scale sine reads about 0 dB."""
    found = magnitude(tf.constant(audio[None]), FFT)[0].numpy() * (4.0 / FFT)
    return np.asarray(np.maximum(20.0 * np.log10(found + 1e-9), FLOOR_DB), np.float16)


def write(folder: Path, name: str, audio: Array, sample_rate: int) -> Path:
    """Write "name.flac" and "name.npz" (`db` [frames, bins], `sample_rate`, `step` in samples); returns their stem."""
    from ddsp_studio.training.bundle import flac

    stem = folder / name
    with replacing(stem.with_suffix(".flac")) as temporary:
        temporary.write_bytes(flac(audio, sample_rate))
    with replacing(stem.with_suffix(".npz")) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, db=spectrogram_db(audio), sample_rate=sample_rate, step=FFT // 4)
    return stem


def forget_old(folder: Path) -> None:
    """Remove the sounds of all but the last checkpoints."""
    for path in sorted(folder.glob("played-*.flac"))[:-KEPT]:
        path.unlink(missing_ok=True)
        path.with_suffix(".npz").unlink(missing_ok=True)
