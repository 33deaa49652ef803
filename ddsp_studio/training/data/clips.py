"""Clips of one length, cut with overlap from the sounding stretches of recordings of any length; some are held out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ddsp_studio.training.data.audio_source import Floats
from ddsp_studio.training.data.chance import permutation
from ddsp_studio.training.data.corpus import Corpus, Recording
from ddsp_studio.training.data.coverage import hole, keys_of
from ddsp_studio.training.data.overlap import overlapping
from ddsp_studio.training.data.usable import usable_stretches
from ddsp_studio.training.features.clock import frame_period
from ddsp_studio.training.features.extract import Frames

_MANY = 8
"""With this many recordings whole ones are held out; with fewer, the end of each."""
_FEW, _REACH = 200, (3.0, 6.0, math.inf)
"""With no more recordings than this, one of them may have keys to itself: rather held out is one whose keys have others near."""
_MOSTLY = 0.5
_KEPT = ("validation", "test")
"""Splits that are held out."""
_SILENCE_DB = -100.0
_GLIDE = 1.0 / 12.0
"""Octaves from one frame to the next up to which pitch is taken to glide."""

Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Clip:
    """A clip: it begins at frame `first` of a recording and has `frames` frames."""

    recording: Recording
    first: int
    frames: int

    @property
    def samples(self) -> int:
        """Length in samples."""
        return self.frames * frame_period(self.recording.sample_rate)

    @property
    def recorded(self) -> int:
        """Samples of it that its recording has; what follows is silence that nobody recorded."""
        return min(self.samples, self.recording.samples - self.first * frame_period(self.recording.sample_rate))


@dataclass(frozen=True)
class Clips:
    """The clips to learn from, and the longer ones held out to judge by; no sample is in both.

    `beside` are of what is learned from, as long as what is held out, where that is mostly keys that nothing else plays: how they
    sound cannot be known, so an instrument is not to be judged by them alone.
    """

    train: tuple[Clip, ...]
    held_out: tuple[Clip, ...]
    beside: tuple[Clip, ...] = ()


@dataclass(frozen=True)
class Cutting:
    """How clips are cut.

    Attributes:
        seconds: length of a clip; it is rounded to whole frames. overlap: share of a clip that the next one repeats, 0..0.9.
        held_out: share of the material that is held out, 0..0.5, where the data sets have no split of their own.
        seed: decides which recordings are held out.
        judged_s: longest clip that is held out: whole phrases tell what clips hide, such as a tone that drifts.
    """

    seconds: float = 2.0
    overlap: float = 0.5
    held_out: float = 0.1
    seed: int = 0
    judged_s: float = 8.0

    def __post_init__(self) -> None:
        """Refuse values out of range (ValueError)."""
        for name, low, high in (("seconds", 0.05, 60.0), ("overlap", 0.0, 0.9), ("judged_s", 0.05, 60.0), ("held_out", 0.0, 0.5)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"clips: {name} goes from {low:g} to {high:g}, got {value:g}")


def cut_clips(corpus: Corpus, cutting: Cutting | None = None) -> Clips:
    """Cut a corpus into clips.

    Recordings keep the split of their data set ("validation" and "test" are held out) where there are some of both kinds. Of the
    others, every so many whole ones are held out where there are eight or more, rather those whose keys others have, too, or keys
    close by; and the last part of each where there are fewer. Material for fewer than three clips is all learnt from. What
    overlaps with something that is held out is left out.

    Raises:
        ValueError: there is nothing but silence to learn from.
    """
    how = cutting or Cutting()
    frames, longest = (
        max(1, round(s * corpus.sample_rate / frame_period(corpus.sample_rate))) for s in (how.seconds, how.judged_s)
    )
    train: list[Clip] = []
    held: list[tuple[Recording, list[tuple[int, int]]]] = []
    stretches = [usable_stretches(recording.frames.loudness_db, corpus.sample_rate) for recording in corpus.recordings]
    splits = _usable_splits(corpus, stretches)
    kin = overlapping([recording.marks for recording in corpus.recordings])
    whole = _held_out_recordings(corpus, splits, stretches, how, kin)
    away = whole | {number for number, split in enumerate(splits) if split in _KEPT}
    beside_them = _overlapping_with(away, kin, stretches)
    for number, (recording, parts, split) in enumerate(zip(corpus.recordings, stretches, splits, strict=True)):
        learnt, kept = (parts, []) if split or whole or kin[number] else _halves(parts, how.held_out, frames)
        if number in away or number in beside_them:
            learnt, kept = [], parts if number in away else []
        train += _cut(recording, learnt, frames, how.overlap, kept[0][0] if kept else None)
        held += [(recording, kept)] if kept else []
    if not train:
        raise ValueError("there is nothing but silence in this material")
    phrase = max(frames, min(longest, max((b - a for _, kept in held for a, b in kept), default=0)))
    others = [pair for i, pair in enumerate(zip(corpus.recordings, stretches, strict=True)) if i not in whole and pair[1]]
    beside = others if whole and _unheard(corpus, whole) > _MOSTLY else []
    judged = ([clip for recording, kept in part for clip in _phrases(recording, kept, phrase)] for part in (held, beside))
    return Clips(tuple(train), *(tuple(part) for part in judged))


def _usable_splits(corpus: Corpus, stretches: list[list[tuple[int, int]]]) -> list[str]:
    """The recordings' splits if they leave something to learn from and something to judge by, else none."""
    splits = [recording.split for recording in corpus.recordings]
    kept = {split in _KEPT for split, parts in zip(splits, stretches, strict=True) if parts}
    return splits if len(kept) == 2 else [""] * len(splits)


def _held_out_recordings(
    corpus: Corpus, splits: list[str], stretches: list[list[tuple[int, int]]], how: Cutting, kin: list[set[int]]
) -> set[int]:
    free = [i for i, split in enumerate(splits) if not split and stretches[i]]
    if len(free) < _MANY or how.held_out == 0.0:
        return set()
    lengths = {i: sum(b - a for a, b in stretches[i]) for i in free}
    order = _in_runs([free[int(place)] for place in permutation(how.seed, "held out", len(free))], kin)
    wanted, chosen, taken = how.held_out * sum(lengths.values()), set[int](), 0
    keys = {i: set(keys_of(corpus.recordings[i])) for i in free} if len(free) <= _FEW else {i: set[int]() for i in free}
    for most_away in _REACH:
        for number in order if not chosen else ():
            # a recording that would take more than half as much again is too long for this
            fits = taken < wanted and taken + lengths[number] <= 1.5 * wanted
            if fits and hole(*_parted(keys, {*chosen, number})) <= most_away:
                chosen.add(number)
                taken += lengths[number]
    return chosen or {min(order, key=lambda number: lengths[number])}


def _in_runs(order: list[int], kin: list[set[int]]) -> list[int]:
    """The same, but what overlaps with one comes next: then little that is left overlaps with what is held out."""
    found: dict[int, None] = {}
    for number in order:
        run = [number]
        for one in run:
            if one not in found:
                found[one] = None
                run += sorted((kin[one] & set(order)) - found.keys())
    return list(found)


def _overlapping_with(away: set[int], kin: list[set[int]], stretches: list[list[tuple[int, int]]]) -> set[int]:
    """What overlaps with recordings that are held out; nothing if that is most of the others, as where sound repeats itself."""
    beside = set[int]().union(*(kin[number] for number in away)) - away
    others = {number for number, parts in enumerate(stretches) if parts} - away
    return beside if 2 * len(beside & others) <= len(others) else set()


def _unheard(corpus: Corpus, chosen: set[int]) -> float:
    """Share of the keys of chosen recordings that no other one plays; 0 where there are so many that it need not be asked."""
    if len(corpus.recordings) > _FEW:
        return 0.0
    out, left = _parted({i: set(keys_of(recording)) for i, recording in enumerate(corpus.recordings)}, chosen)
    return len(out - left) / max(1, len(out))


def _parted(keys: Mapping[int, set[int]], chosen: set[int]) -> tuple[set[int], set[int]]:
    """The keys of the chosen recordings, and those of the others."""
    parts = ([own for i, own in keys.items() if (i in chosen) == out] for out in (True, False))
    out, left = (set[int]().union(*part) for part in parts)
    return out, left


def _halves(parts: list[tuple[int, int]], share: float, frames: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Stretches before and behind the point after which `share` of them lies; all before it if that leaves less than a clip."""
    total = sum(b - a for a, b in parts)
    keep = max(round(total * share), frames)
    if share == 0.0 or total < 3 * frames:
        return parts, []
    before: list[tuple[int, int]] = []
    after: list[tuple[int, int]] = []
    left = total - keep
    for a, b in parts:
        middle = min(b, a + max(0, left))
        left -= b - a
        before += [(a, middle)] if middle > a else []
        after += [(middle, b)] if b > middle else []
    return before, after


def _phrases(recording: Recording, parts: list[tuple[int, int]], frames: int) -> list[Clip]:
    """Clips that cover stretches in order, with the pauses between; one that would reach beyond the end begins earlier."""
    clips: list[Clip] = []
    border, covered = parts[0][0], 0
    for a, b in parts:
        while max(a, covered) < b:
            first = max(border, min(max(a, covered), recording.frame_count - frames))
            clips.append(Clip(recording, first, frames))
            covered = first + frames
    return clips


def _cut(
    recording: Recording, parts: list[tuple[int, int]], frames: int, overlap: float, border: int | None = None
) -> list[Clip]:
    """Clips that cover each stretch: regular steps, the last one flush with the end; a short stretch is one clip.

    No clip reaches beyond frame `border`, where what is held out begins: it begins earlier, or is left out.
    """
    step = max(1, round(frames * (1.0 - overlap)))
    firsts: list[int] = []
    for a, b in parts:
        last = max(a, b - frames)
        if border is not None:
            last = min(last, border - frames)
        firsts += [first for first in dict.fromkeys([*range(a, last + 1, step), last]) if first >= 0]
    return [Clip(recording, first, frames) for first in firsts]


def read_clip(recording: Recording, start: int, samples: int) -> Floats:
    """Samples from `start` on, silence where the recording has none, [samples]."""
    a, b = max(0, start), min(recording.samples, start + samples)
    out = np.zeros(samples, np.float32)
    if b > a:
        out[a - start : b - start] = recording.audio_between(a, b)
    return out


def read_frames(recording: Recording, at: npt.NDArray[np.float64]) -> Frames:
    """Features at places in frames, which rise and may lie between frames or outside of the recording, [places] each.

    Between frames of one pitch, f0 glides by octaves; where it jumps the nearer frame holds. Outside there is silence.
    """
    count = recording.frame_count
    low = int(np.clip(np.floor(at[0]), 0, count - 1))
    frames = recording.frames_between(low, int(np.clip(np.ceil(at[-1]) + 1, low + 1, count)))
    last = len(frames.f0_hz) - 1
    nearest, below = (np.clip(place.astype(int) - low, 0, last) for place in (np.round(at), np.floor(at)))
    above = np.minimum(below + 1, last)
    part = np.clip(at - low - below, 0.0, 1.0)
    inside = (at > -0.5) & (at < count - 0.5)
    loudness = frames.loudness_db[below] * (1.0 - part) + frames.loudness_db[above] * part
    return Frames(
        np.where(inside, _glide(frames.f0_hz, nearest, below, above, part), 0.0).astype(np.float32),
        np.where(inside, frames.confidence[nearest], 0.0).astype(np.float32),
        np.where(inside, loudness, _SILENCE_DB).astype(np.float32),
    )


def _glide(f0_hz: Floats, nearest: Places, below: Places, above: Places, part: npt.NDArray[np.float64]) -> Floats:
    a, b = f0_hz[below].astype(np.float64), f0_hz[above].astype(np.float64)
    both = (a > 0.0) & (b > 0.0)
    step = np.log2(np.where(both, b, 1.0) / np.where(both, a, 1.0))
    glide: Floats = np.where(both & (np.abs(step) < _GLIDE), a * 2.0 ** (step * part), f0_hz[nearest]).astype(np.float32)
    return glide
