"""What the user's recordings are good for, in plain words, before anything is trained."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ddsp_studio.dsp.loudness import FLOOR_DB
from ddsp_studio.dsp.scaling import hz_to_midi
from ddsp_studio.training.data.audio_source import AudioProblem, file_facts, find_audio
from ddsp_studio.training.data.corpus import Corpus, Entry, Recording, open_corpus
from ddsp_studio.training.data.low_pitch import plays_low
from ddsp_studio.training.data.store import Analysis
from ddsp_studio.training.data.usable import loud_level_db, sounding, usable_stretches
from ddsp_studio.training.features.clock import frame_period
from ddsp_studio.training.features.extract import Frames
from ddsp_studio.training.features.f0_layout import Floats

# Measured on solo phrases and notes, chords, mixes of two instruments, a drum loop and added noise (docs/decisions/0005-data.md):
_PERIODIC = 0.85
"""Periodicity that single notes keep but for their edges."""
_BLURRED = 0.1
"""Share of frames below `_PERIODIC` that single notes stay under (0.06 at most) and mixes exceed (0.13 and more). Below the usual
range windows are twice as long, and so are the blurred edges of notes."""
_PITCHED, _HARDLY_PERIODIC = 0.7, 0.45
"""Drums: pitch in half of the frames, with a periodicity of 0.3. Chords: in nearly all, 0.6 and more."""
_LOUDEST_DB, _SUNG, _STRUCK = 10.0, 0.8, 0.35
"""Frames so near to the loud level have a pitch in 0.87 and more of them for every instrument, in 0.4 where a bass plays notes of
0.1 s, and in a tenth in a loop of kick and snare whose kick is a sure pitch."""
_BARE = 0.01
"""Share of a single note's power in its first three partials, at the least; a chord's common period has none of them."""
_NO_PITCH = "{} has no clear pitch (drums, noise, speech?): an instrument that follows pitch cannot learn from it"
_MOST_NAMED = 5
"""Recordings that are named one by one."""
_NOISE_GAP_DB = 40.0
_SHORT_S, _FEW_CLIPS = 0.5, 5
_SOFT_DB, _BEYOND_DB = -55.0, 10.0
"""Loud parts so soft that noise is near, and so loud that no converter can have given them."""
_NARROW_DB, _FEW_KEYS = 8.0, 7
_LEVELS_DB = 24.0
ENOUGH_S, LITTLE_S = 180.0, 60.0
"""From three minutes on an instrument comes out well; under one it hardly does."""


@dataclass(frozen=True)
class FileReport:
    """One file.

    Attributes:
        path: of the file. seconds: its length. usable_s: of it, worth learning from.
        frames: pitch, confidence and loudness at the clock of `sample_rate`, or None if the file cannot be used.
        sample_rate: of the analysis, Hz. keys: lowest and highest MIDI key that is held for a while, or None.
        loud_db: A-weighted level of its loud parts. warnings: sentences.
    """

    path: Path
    seconds: float
    usable_s: float
    frames: Frames | None
    sample_rate: int
    keys: tuple[int, int] | None
    loud_db: float
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Survey:
    """All files: their reports, the seconds worth learning from, and what would help, in sentences."""

    files: tuple[FileReport, ...]
    usable_s: float
    advice: tuple[str, ...]


def survey(
    paths: Sequence[Path],
    analysis: Analysis | None = None,
    *,
    cache: Path | None = None,
    progress: Callable[[float], None] | None = None,
    told: Callable[[FileReport], None] | None = None,
) -> Survey:
    """Listen to files and folders.

    Args:
        paths: files and folders. analysis: how. cache: folder of analysed sound.
        progress: called with the share that is done, 0..1; what it raises ends the work.
        told: called with each report as soon as there is one.

    Raises:
        AudioProblem: a path that does not exist, or a folder without sound.
    """
    how, reports = analysis or Analysis(), []
    found = find_audio(list(paths))
    for number, path in enumerate(found):
        if progress:
            progress(number / len(found))
        reports.append(report_on(path, how, cache, functools.partial(_tell, progress, number, len(found))))
        if told:
            told(reports[-1])
    if progress:
        progress(1.0)
    usable = sum(report.usable_s for report in reports)
    return Survey(tuple(reports), usable, tuple(advice(reports)))


def _tell(progress: Callable[[float], None] | None, number: int, count: int, share: float) -> None:
    if progress:
        progress((number + share) / count)


def report_on(
    path: Path, analysis: Analysis, cache: Path | None = None, progress: Callable[[float], None] | None = None
) -> FileReport:
    """Listen to one file; what is wrong with it stands in its warnings. `progress` hears the share of it that is done, 0..1."""
    rate = analysis.sample_rate
    try:
        facts = file_facts(path)
        recording = open_corpus([Entry(path, "audio")], analysis, cache=cache, progress=progress).recordings[0]
        frames = recording.frames
    except AudioProblem as problem:
        return FileReport(path, 0.0, 0.0, None, rate, None, -100.0, (str(problem),))
    warnings = []
    if recording.samples < 0.99 * facts.seconds * rate:
        warnings.append(f"{path.name} is damaged: {recording.samples / rate:.1f} of {facts.seconds:.1f} seconds could be read")
    wrong, usable = judge(recording, path.name)
    return FileReport(
        path,
        recording.samples / rate,
        usable,
        frames,
        rate,
        _keys(frames) if usable else None,
        loud_level_db(frames.loudness_db),
        (*warnings, *wrong),
    )


def judge(recording: Recording, name: str = "") -> tuple[list[str], float]:
    """Warnings about a recording, which is called by its own name if no other is given, and its seconds worth learning from."""
    frames, rate, called = recording.frames, recording.sample_rate, name or recording.name
    # a note of a data set that knows its key is no chord
    partials = 1.0 if recording.key is not None else _low_partials(recording.audio, frames, rate)
    warnings, usable = _judge(called, frames, rate, partials)
    loud_db = loud_level_db(frames.loudness_db)
    if recording.clipped >= _FEW_CLIPS:
        warnings.insert(0, f"{called} is clipped in {recording.clipped:,} places; record it with less gain")
    elif usable and loud_db < _SOFT_DB:
        warnings.append(f"{called} is very soft: its loud parts are at {loud_db:.0f} dB; record it with more gain")
    elif loud_db > _BEYOND_DB:
        warnings.append(f"{called} is {loud_db:.0f} dB loud, far beyond full scale; export it with samples between -1 and 1")
    return warnings, usable


def learnable(corpus: Corpus, tick: Callable[[], None] = lambda: None) -> Corpus:
    """The corpus without recordings of which nothing can be learnt, if there are others; its problems say what is wrong.

    `tick` is called for each recording; what it raises ends the work.
    """
    judged = []
    for recording in corpus.recordings:
        tick()
        judged.append((recording, *judge(recording)))
    good = tuple(recording for recording, _, usable in judged if usable > 0.0)
    told = []
    for _, warnings, usable in judged:
        told += [warning if usable > 0.0 or not good else f"{warning}; it is left out" for warning in warnings[:1]]
    more = len(told) - _MOST_NAMED
    rest = [f"{more} more recordings have something wrong with them"] if more > 0 else []
    if good and more > 0:
        rest.append(f"{len(judged) - len(good)} of {len(judged)} recordings are left out")
    return replace(corpus, recordings=good or corpus.recordings, problems=(*corpus.problems, *told[:_MOST_NAMED], *rest))


def _judge(name: str, frames: Frames, rate: int, low_partials: float) -> tuple[list[str], float]:
    """Warnings, and the seconds worth learning from. `low_partials`: of `_low_partials`."""
    period_s = frame_period(rate) / rate
    loud = sounding(frames.loudness_db)
    usable = sum(b - a for a, b in usable_stretches(frames.loudness_db, rate)) * period_s
    if usable == 0.0:
        brief = f"{name} has nothing that lasts: what sounds in it is over within 0.2 s"
        return [brief if loud.any() else f"{name} is silent"], 0.0
    both = (frames.f0_hz > 0.0) & loud
    if unpitched(frames):
        return [_NO_PITCH.format(name)], 0.0
    warnings = []
    gap, pitched = _noise_gap_db(frames, period_s), _loudest_pitched(frames)
    blurred = float(np.mean(frames.confidence[both] < _PERIODIC)) if low_partials >= _BARE else 1.0
    clear = max(0.0, 1.0 - 2.0 * blurred)
    if pitched < _SUNG:
        text = "drums, noise, or notes too short and low for a pitch"
        told = f"{name} has no pitch in {100.0 * (1.0 - pitched):.0f} % of its loudest parts ({text})"
        return [told], usable * min(pitched, clear)
    if gap is not None and gap < _NOISE_GAP_DB:
        warnings.append(f"{name} is noisy: its pauses are only {gap:.0f} dB below its notes, 50 and more are good")
    elif blurred > _BLURRED * (2.0 if plays_low(frames) else 1.0):
        text = "chords, several instruments or a long reverb"
        warnings.append(f"{name} seems to have several notes at once ({text}): one note at a time is learnt well")
        return warnings, usable * clear
    if usable < _SHORT_S:
        warnings.append(f"{name} is too short: it has {usable:.1f} s of sound")
    return warnings, usable


def unpitched(frames: Frames) -> bool:
    """Whether what sounds has no clear pitch, as drums, noise and much of speech have none; False for silence."""
    loud = sounding(frames.loudness_db)
    if not loud.any():
        return False
    voiced = frames.f0_hz > 0.0
    both = voiced & loud
    periodicity = float(np.median(frames.confidence[both])) if both.any() else 0.0
    rare = float(np.mean(voiced[loud])) < _PITCHED
    return (rare and (periodicity < _PERIODIC or _loudest_pitched(frames) < _STRUCK)) or periodicity < _HARDLY_PERIODIC


def _loudest_pitched(frames: Frames) -> float:
    """Share of the loudest frames that have a pitch."""
    loudest = frames.loudness_db > loud_level_db(frames.loudness_db) - _LOUDEST_DB
    return float(np.mean(frames.f0_hz[loudest] > 0.0)) if loudest.any() else 1.0


def _low_partials(audio: Floats, frames: Frames, rate: int, places: int = 64) -> float:
    """Share of the power in the first three partials of the pitch that was found: the median over some of its frames."""
    period, half = frame_period(rate), round(0.064 * rate)
    sure = np.flatnonzero(frames.confidence >= _PERIODIC)
    shares = []
    window = np.hanning(2 * half)
    for frame in sure[:: max(1, len(sure) // places)]:
        part = np.asarray(audio[max(0, frame * period - half) : frame * period + half])
        if len(part) == 2 * half:
            power = np.abs(np.fft.rfft(part * window)) ** 2
            hertz = np.arange(len(power)) * rate / (2 * half)
            order = hertz / frames.f0_hz[frame]
            near = (np.abs(hertz - np.round(order) * frames.f0_hz[frame]) <= 2.0 * rate / half) & (order > 0.5) & (order < 3.5)
            # what lies below the pitch is no note: an offset, or rumble
            shares.append(float(power[near].sum() / max(power[order > 0.5].sum(), 1e-20)))
    return float(np.median(shares)) if shares else 1.0


def _noise_gap_db(frames: Frames, period_s: float) -> float | None:
    """How far the quieter pauses lie below the loud parts, dB; None if they are digital silence, or less than half a second."""
    pauses = frames.loudness_db[frames.f0_hz == 0.0]
    quiet_db = float(np.percentile(pauses, 25.0)) if len(pauses) * period_s >= 0.5 else FLOOR_DB
    return None if quiet_db < FLOOR_DB + 1.0 else loud_level_db(frames.loudness_db) - quiet_db


def _keys(frames: Frames) -> tuple[int, int] | None:
    """Lowest and highest key that sounds in a hundredth of the pitched frames."""
    heard = frames.f0_hz[frames.confidence >= _PERIODIC]
    if not len(heard):
        return None
    keys = np.round(np.asarray(hz_to_midi(heard))).astype(int)
    known, counts = np.unique(keys, return_counts=True)
    often = known[counts >= 0.01 * len(keys)]
    return int(often[0]), int(often[-1])


def advice(reports: Sequence[FileReport]) -> list[str]:
    """What would help an instrument that learns from these files, in sentences."""
    usable = sum(report.usable_s for report in reports)
    used = [report for report in reports if report.frames is not None and report.usable_s > 0.0]
    if not used:
        return ["Nothing here can be learnt from: record one instrument or voice, one note at a time"]
    told = []
    if usable < LITTLE_S:
        little = "1 second is" if round(usable) == 1 else f"{usable:.0f} seconds are" if usable > 1.0 else "Less than a second is"
        told.append(f"{little} little: three minutes and more make a good instrument")
    elif usable < ENOUGH_S:
        told.append(f"{usable / 60.0:.1f} minutes will do; three and more make a better instrument")
    keys = [report.keys for report in used if report.keys]
    if keys and max(high for _, high in keys) - min(low for low, _ in keys) < _FEW_KEYS:
        told.append("All of it lies within a few keys: notes over the instrument's whole range would help")
    loudness = np.concatenate([r.frames.loudness_db[r.frames.f0_hz > 0.0] for r in used if r.frames is not None])
    if len(loudness) and np.percentile(loudness, 90.0) - np.percentile(loudness, 10.0) < _NARROW_DB:
        told.append("All of it is about equally loud: soft and loud notes would help")
    levels = [report.loud_db for report in used]
    if max(levels) - min(levels) > _LEVELS_DB:
        quiet, loud = used[int(np.argmin(levels))].path.name, used[int(np.argmax(levels))].path.name
        told.append(
            f"{quiet} is {max(levels) - min(levels):.0f} dB quieter than {loud}: bring them to one level if it is one player"
        )
    return told
