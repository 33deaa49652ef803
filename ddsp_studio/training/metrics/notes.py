"""How well found notes agree with the true ones, by mir_eval.

Raffel et al., "mir_eval: a transparent implementation of common MIR metrics" (2014). mir_eval and SciPy, which it needs, come
with the extra `analysis`.
"""

from __future__ import annotations

import importlib
import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.scaling import midi_to_hz


class Notes(NamedTuple):
    """Notes in any order: `start_s` and `end_s` in seconds, `pitch` as fractional MIDI note numbers, [notes] each."""

    start_s: npt.NDArray[np.float64]
    end_s: npt.NDArray[np.float64]
    pitch: npt.NDArray[np.float64]


class NoteScore(NamedTuple):
    """Shares 0..1: of the found notes that are right, of the true notes that were found, and the harmonic mean of the two."""

    precision: float
    recall: float
    f_measure: float


def note_score(
    true: Notes, found: Notes, with_ends: bool = False, onset_tolerance_s: float = 0.05, pitch_tolerance_cents: float = 50.0
) -> NoteScore:
    """Match found notes with true ones, each at most once.

    Pitch and start must agree, and with `with_ends` the end within a fifth of the note (or the tolerance of starts, if more).

    Args:
        true, found: the notes. with_ends: whether ends must agree, too.
        onset_tolerance_s, pitch_tolerance_cents: how far a right note may be off.

    Returns:
        The score. Where neither holds a note it is NaN, where one holds none it is 0.

    Raises:
        RuntimeError: if mir_eval is not installed: one sentence that says how to get it.
    """
    if not len(true.pitch) and not len(found.pitch):
        return NoteScore(math.nan, math.nan, math.nan)
    if not len(true.pitch) or not len(found.pitch):
        return NoteScore(0.0, 0.0, 0.0)
    scores = _transcription().precision_recall_f1_overlap(
        *_intervals(true),
        *_intervals(found),
        onset_tolerance=onset_tolerance_s,
        pitch_tolerance=pitch_tolerance_cents,
        offset_ratio=0.2 if with_ends else None,
    )
    return NoteScore(*(float(x) for x in scores[:3]))


def _intervals(notes: Notes) -> tuple[Any, Any]:
    return np.stack([notes.start_s, notes.end_s], axis=1), midi_to_hz(np.asarray(notes.pitch, np.float64))


def _transcription() -> Any:
    try:
        return importlib.import_module("mir_eval.transcription")
    except ImportError as error:
        raise RuntimeError("note scores need mir_eval, which is not installed: pip install 'ddsp-studio[analysis]'") from error
