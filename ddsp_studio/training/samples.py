"""What a checkpoint sounds and looks like beside the recordings: sound files and spectrograms in the run's folder."""

from __future__ import annotations

import contextlib
import csv
import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.spectral import magnitude
from ddsp_studio.dsp.tensor import tf
from ddsp_studio.files import replacing

Array = npt.NDArray[np.float32]
KEPT = 30
"""Checkpoints whose sound is kept."""
_STEM = re.compile(r"played-\d+")
FFT = 1024
SUFFIXES = (".flac", ".npz")
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
    """Remove the sounds of all but `KEPT` checkpoints, spread evenly; the first, the best and the last are among them."""
    steps = sorted(int(path.stem.partition("-")[2]) for path in folder.glob("played-*.flac") if _STEM.fullmatch(path.stem))
    for step in set(steps) - set(spread(steps, _best(folder.parent / "scores.csv"))):
        for suffix in SUFFIXES:
            (folder / f"played-{step:07d}{suffix}").unlink(missing_ok=True)


def spread(steps: Sequence[int], best: int | None, most: int = KEPT) -> list[int]:
    """Of ascending steps `most` at most: those go first whose neighbours are closest, the oldest of them first."""
    kept = list(steps)
    while len(kept) > most:
        spare = [index for index in range(1, len(kept) - 1) if kept[index] != best]
        if not spare:
            break
        del kept[min(spare, key=lambda index: kept[index + 1] - kept[index - 1])]
    return kept


def _best(scores: Path) -> int | None:
    """The step with the best score; None if none is known."""
    found: tuple[float, int] | None = None
    try:
        with scores.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                with contextlib.suppress(KeyError, TypeError, ValueError):  # a line that was cut short
                    score = float(row["spectral"])
                    if math.isfinite(score) and (found is None or score < found[0]):
                        found = (score, int(row["step"]))
    except (OSError, UnicodeDecodeError, csv.Error):
        return None
    return found[1] if found else None
