"""What a data set is like: the pitch and loudness that an instrument knows, and how its notes begin and end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ddsp_studio.processors.expression import GESTURES, LEVELS
from ddsp_studio.processors.networks import LOUDNESS, PITCH
from ddsp_studio.training.data.corpus import Recording
from ddsp_studio.training.data.usable import pitched, sounding
from ddsp_studio.training.features.clock import frame_period
from ddsp_studio.training.features.notes import find_notes

Array = npt.NDArray[np.float32]
FLOOR_DB = -80.0
"""Loudness below this is silence, in training and in playing."""
_STRIDE_S = 0.02
_RISE, _FALL = (200.0, 6000.0), (25.0, 800.0)
"""Limits of what is believed, dB a second."""
_HELD_S, _LONGEST_S, _END_S = 0.25, 1.0, 0.06
_DECAY, _STRUCK_S, _STRUCK, _ENOUGH = (5.0, 200.0), 0.1, 0.8, 8
"""What is plucked falls this fast, dB a second, and most of its notes are loudest within a moment; it takes some to tell."""


def measure(recordings: Iterable[Recording]) -> dict[str, Array]:
    """Statistics by the key under which nodes keep them ("statistics/KEY").

    Returns:
        "pitch": mean and deviation in MIDI numbers. "loudness": in dB. "levels": quantiles of loudness, dB [11]. "gestures": rise
        and fall in dB a second, and silence in dB. "range": lowest and highest MIDI number that is played. "decay": dB a second
        by which held notes fall, 0 for an instrument that sustains; and "peaks" where it does not: quantiles of how loud notes
        begin, dB [11].
    """
    nothing = np.zeros(0, np.float32)
    pitches, levels, rises, falls = [nothing], [nothing], [nothing], [nothing]
    notes: list[tuple[float, float, float]] = []
    for recording in recordings:
        frames = recording.frames
        pitches.append(pitched(frames)[0])
        levels.append(frames.loudness_db[sounding(frames.loudness_db)])
        up, down = _gestures(frames.loudness_db, recording.sample_rate)
        notes += _held_notes(frames.f0_hz, frames.loudness_db, recording.sample_rate)
        rises.append(up)
        falls.append(down)
    pitch, level = np.concatenate(pitches), np.concatenate(levels)
    known = {
        "pitch": np.array(PITCH),
        "range": np.array([21.0, 108.0]),
        "loudness": np.array(LOUDNESS),
        "levels": np.linspace(-60.0, -15.0, LEVELS),
    }
    if len(pitch):
        known["pitch"] = np.array([pitch.mean(), max(3.0, float(pitch.std()))])
        known["range"] = np.percentile(pitch, [0.5, 99.5])
    if len(level):
        known["loudness"] = np.array([level.mean(), max(3.0, float(level.std()))])
        known["levels"] = np.percentile(np.maximum(level, FLOOR_DB), np.linspace(0.0, 100.0, LEVELS))
    rise = _typical(np.concatenate(rises), 90.0, GESTURES[0], _RISE)
    fall = _typical(np.concatenate(falls), 50.0, GESTURES[1], _FALL)
    known["gestures"] = np.array([rise, fall, FLOOR_DB])
    known |= _plucked(notes)
    return {key: np.asarray(value, np.float32) for key, value in known.items()}


def widened(statistics: Mapping[str, Array], gain_db: float) -> dict[str, Array]:
    """The same of recordings in one dynamic whose level was varied by up to `gain_db`: velocity asks for that, too."""
    further = np.linspace(-gain_db, gain_db, LEVELS, dtype=np.float32)
    known = {key: value + further if key in ("levels", "peaks") else value for key, value in statistics.items()}
    mean, deviation = known["loudness"]
    known["loudness"] = np.array([mean, np.hypot(deviation, gain_db / np.sqrt(3.0))], np.float32)
    return known


def _gestures(loudness_db: Array, sample_rate: int) -> tuple[Array, Array]:
    """Slopes in dB a second where the sound comes from silence, and where it goes into it."""
    stride = max(1, round(_STRIDE_S * sample_rate / frame_period(sample_rate)))
    held = np.maximum(loudness_db, FLOOR_DB)
    if len(held) <= stride or held.max() <= FLOOR_DB:
        return np.zeros(0, np.float32), np.zeros(0, np.float32)
    slope = (held[stride:] - held[:-stride]) / (stride * frame_period(sample_rate) / sample_rate)
    loud = float(np.percentile(held[held > FLOOR_DB], 80.0))
    # on the way between silence and the level of a note
    before, behind = held[:-stride], held[stride:]
    rising = (slope > _RISE[0]) & (before < loud - 12.0) & (behind > FLOOR_DB + 6.0)
    falling = (slope < -_FALL[0]) & (behind < loud - 12.0) & (behind > FLOOR_DB + 6.0)
    return np.asarray(slope[rising], np.float32), np.asarray(-slope[falling], np.float32)


def _held_notes(f0_hz: Array, loudness_db: Array, sample_rate: int) -> list[tuple[float, float, float]]:
    """Of each note that is held for a while: loudest reading in dB, how fast it falls from there in dB/s, and when that is, s."""
    frames_s, found = sample_rate / frame_period(sample_rate), []
    for note in find_notes(f0_hz, loudness_db, sample_rate):
        first, last = round(note.onset_s * frames_s), round((note.offset_s - _END_S) * frames_s)
        top = first + int(np.argmax(loudness_db[first:last])) if last > first else last
        last = min(last, top + round(_LONGEST_S * frames_s))
        if last - first >= _HELD_S * frames_s:
            fall = (loudness_db[top] - loudness_db[last - 1]) * frames_s / max(last - 1 - top, _HELD_S * frames_s)
            found.append((float(loudness_db[top]), float(fall), (top - first) / frames_s))
    return found


def _plucked(notes: list[tuple[float, float, float]]) -> dict[str, Any]:
    """What is known of an instrument whose notes are struck or plucked, and then left alone."""
    peaks, falls, tops_s = np.array(notes, np.float64).reshape(-1, 3).T
    if len(falls) < _ENOUGH or np.median(falls) < _DECAY[0] or np.mean(tops_s < _STRUCK_S) < _STRUCK:
        return {"decay": np.zeros(1)}
    peaks = np.maximum(peaks, FLOOR_DB)
    return {"decay": np.minimum([np.median(falls)], _DECAY[1]), "peaks": np.percentile(peaks, np.linspace(0.0, 100.0, LEVELS))}


def _typical(slopes: Array, percentile: float, otherwise: float, limits: tuple[float, float]) -> float:
    return float(np.clip(np.percentile(slopes, percentile), *limits)) if len(slopes) >= 8 else otherwise


def described(statistics: Mapping[str, Array]) -> dict[str, Any]:
    """The same as plain numbers, for the description in a model."""
    return {key: [round(float(x), 3) for x in value] for key, value in statistics.items()}
