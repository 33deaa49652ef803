"""How well a pitch track follows the true one.

Pitch is in Hz, 0 or less where a frame has none: [...] arrays of equal shape, counted over all frames together. The measures are
those of melody extraction (Poliner et al., "Melody transcription from music audio", 2007; Salamon et al., "Melody extraction from
polyphonic music signals", 2014).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.scaling import hz_to_midi

Array = npt.NDArray[np.float64]


class PitchScore(NamedTuple):
    """What `pitch_score` finds, shares 0..1, NaN where there was nothing to judge.

    `pitch_accuracy`: voiced frames within the tolerance. `chroma_accuracy`: alike, octaves forgiven. `octave_errors`: voiced
        frames an octave or more off,
    and right but for that. `voicing_recall`: voiced frames that are called voiced. `false_alarm`: unvoiced frames that are called
    voiced. `error_cents`: median distance over the frames that are voiced in both.
    """

    pitch_accuracy: float
    chroma_accuracy: float
    octave_errors: float
    voicing_recall: float
    false_alarm: float
    error_cents: float


def pitch_score(
    true_hz: npt.ArrayLike, found_hz: npt.ArrayLike, found_voiced: npt.ArrayLike | None = None, tolerance_cents: float = 50.0
) -> PitchScore:
    """Judge a pitch track.

    Args:
        true_hz: Hz, 0 in unvoiced frames; NaN in frames that are not to be judged.
        found_hz: Hz; a tracker may guess a pitch in frames that it calls unvoiced.
        found_voiced: whether the tracker calls a frame voiced; where its pitch is above 0 if not given.
        tolerance_cents: how far a right pitch may be off.

    Raises:
        ValueError: if the tracks differ in shape.
    """
    true, found = np.asarray(true_hz, np.float64), np.asarray(found_hz, np.float64)
    voiced = found > 0.0 if found_voiced is None else np.asarray(found_voiced, bool)
    if not true.shape == found.shape == voiced.shape:
        raise ValueError(f"pitch tracks must have equal shapes, got {true.shape}, {found.shape} and {voiced.shape}")
    judged = ~np.isnan(true)
    true, found, voiced = true[judged], found[judged], voiced[judged]
    sounding, guessed = true > 0.0, found > 0.0
    cents = np.abs(_cents(true, found))
    near = guessed & (cents <= tolerance_cents)
    octaves_off = np.abs(cents - 1200.0 * np.round(cents / 1200.0))
    same_note = guessed & (octaves_off <= tolerance_cents)
    both = sounding & voiced & guessed
    return PitchScore(
        _share(near, sounding),
        _share(same_note, sounding),
        _share(same_note & ~near, sounding),
        _share(voiced, sounding),
        _share(voiced, ~sounding),
        float(np.median(cents[both])) if both.any() else math.nan,
    )


def _cents(true: Array, found: Array) -> Array:
    ratio = np.where(found > 0.0, found, 1.0) / np.where(true > 0.0, true, 1.0)
    return 1200.0 * np.log2(ratio)


def _share(what: npt.NDArray[np.bool_], among: npt.NDArray[np.bool_]) -> float:
    return float(np.mean(what[among])) if among.any() else math.nan


def pitch_distance(
    true_hz: npt.ArrayLike, found_hz: npt.ArrayLike, confidence: npt.ArrayLike, threshold: float = 0.85
) -> float | None:
    """Mean distance in semitones over the frames of whose pitch the analysis is sure; 0 Hz counts as note 0.

    Args:
        true_hz, found_hz: Hz, of equal shape. confidence: 0..1, alike. threshold: what counts as sure.

    Returns:
        Semitones, or None if no frame is sure.
    """
    sure = np.asarray(confidence) >= threshold
    if not sure.any():
        return None
    distance = np.abs(hz_to_midi(np.asarray(true_hz, np.float64)) - hz_to_midi(np.asarray(found_hz, np.float64)))
    return float(np.mean(distance[sure]))
