"""A corpus: recordings of any kind, analysed at one sample rate, with what was wrong in sentences."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ddsp_studio.training.data.audio_source import SUFFIXES, AudioProblem, Floats, Tick, file_facts, find_audio, misnamed
from ddsp_studio.training.data.ddsp_records import ddsp_record_files, ddsp_sounds, ddsp_split_of
from ddsp_studio.training.data.maestro import SPLITS, maestro_sounds
from ddsp_studio.training.data.nsynth import NSynthFilter, nsynth_sounds, split_of
from ddsp_studio.training.data.overlap import Marks, distinct
from ddsp_studio.training.data.sound import Sound, sound_of_file
from ddsp_studio.training.data.store import Analysis, NoSounds, Stored, cache_folder, content_hash, entry_key, stored, sweep
from ddsp_studio.training.data.tfrecord import TruncatedArchive, read_examples
from ddsp_studio.training.features.clock import frame_count
from ddsp_studio.training.features.extract import Frames

_OVERLAPS = 0.95
"""Share of sound that is there once, below which it is said that examples overlap."""
_TICK_FILES, _READ_FILES = 1_000, 64
"""Files of a folder between two ticks while they are listed, and how many are read to know the folder by."""
KINDS = ("audio", "nsynth", "maestro", "ddsp")


@dataclass(frozen=True)
class Entry:
    """Something that the user put into a corpus.

    Attributes:
        path: file or folder. kind: of KINDS, or "" to find out.
        octave: octaves to shift the pitch that was found by, −4..4, for an instrument whose octave the tracker mistakes.
        nsynth: which notes, for NSynth. splits: which of them, for MAESTRO and NSynth.
    """

    path: Path
    kind: str = ""
    octave: int = 0
    nsynth: NSynthFilter = field(default_factory=NSynthFilter)
    splits: tuple[str, ...] = SPLITS

    def __post_init__(self) -> None:
        """Refuse what no entry can be (ValueError)."""
        if self.kind not in ("", *KINDS):
            raise ValueError(f"a corpus holds {', '.join(KINDS)}; got {self.kind!r}")
        if not -4 <= self.octave <= 4:
            raise ValueError(f"pitch is shifted by −4 to 4 octaves, got {self.octave}")
        for split in self.splits:
            if split not in SPLITS:
                raise ValueError(f"data sets have the splits {', '.join(SPLITS)}; got {split!r}")


@dataclass(frozen=True)
class Recording:
    """One sound of a corpus: number `sound` of `held`, with its pitch moved by `octave` octaves.

    It may be `called` otherwise than it was when it was analysed.
    """

    held: Stored
    sound: int
    octave: int = 0
    called: str = ""

    @property
    def name(self) -> str:
        """Its name in the corpus."""
        return self.called or self.held.names[self.sound]

    @property
    def split(self) -> str:
        """The split that its data set gave it, or ""."""
        return self.held.splits[self.sound]

    @property
    def key(self) -> int | None:
        """The MIDI key that its data set gave it, or None."""
        key = int(self.held.pitches[self.sound])
        return key if key >= 0 else None

    @property
    def marks(self) -> Marks:
        """By which it is known if it overlaps with others."""
        return self.held.marks_of(self.sound)

    @property
    def clipped(self) -> int:
        """In how many places it is clipped."""
        return int(self.held.clipped[self.sound])

    @property
    def sample_rate(self) -> int:
        """Hz."""
        return self.held.analysis.sample_rate

    @property
    def samples(self) -> int:
        """Length."""
        return int(self.held.lengths[self.sound])

    @property
    def audio(self) -> Floats:
        """Samples, mapped from disk; the file is open as long as they are kept."""
        return self.held.sound(self.sound)

    def audio_between(self, first: int, last: int) -> Floats:
        """Samples from `first` to before `last`, both within the recording, read from disk."""
        return self.held.samples(self.sound, first, last)

    @property
    def frame_count(self) -> int:
        """Frames of the clock in it."""
        return frame_count(self.samples, self.sample_rate)

    @property
    def frames(self) -> Frames:
        """Features at the frames of the clock."""
        return self.frames_between(0, self.frame_count)

    def frames_between(self, first: int, last: int) -> Frames:
        """Features from frame `first` to before frame `last`, both within the recording."""
        frames = self.held.features(self.sound, first, last)
        return frames._replace(f0_hz=frames.f0_hz * np.float32(2.0**self.octave)) if self.octave else frames


@dataclass(frozen=True)
class Corpus:
    """Recordings at one sample rate, and what could not be used, in sentences."""

    sample_rate: int
    recordings: tuple[Recording, ...]
    problems: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """Length of everything in it."""
        return sum(recording.samples for recording in self.recordings) / self.sample_rate


def open_corpus(
    entries: Sequence[Entry],
    analysis: Analysis | None = None,
    *,
    cache: Path | None = None,
    progress: Callable[[float], None] | None = None,
) -> Corpus:
    """Analyse what has not been analysed yet, and open it.

    Args:
        entries: files and folders. analysis: how. cache: folder, the platform's if not given.
        progress: called with the share that is done, 0..1, a few times a second and never falling; an exception that it raises
            ends the work, and nothing half-made stays.

    Returns:
        The corpus; a file that cannot be used costs a sentence in its problems, and nothing else.

    Raises:
        AudioProblem: nothing at all can be used. OSError: the cache cannot be written.
    """
    how = analysis or Analysis()
    parts, problems, spare = _parts(entries)
    recordings: list[Recording] = []
    opened: dict[str, Path] = {}
    _sweep_once(cache or cache_folder())
    for number, part in enumerate(parts):
        tick = _ticking(progress, number, len(parts))
        tick(None)
        try:
            if words := misnamed(part.path):
                raise AudioProblem(words)
            key = entry_key(part.content(tick), how)
            held = stored(key, functools.partial(part.sounds, tick), how, cache)
        except NoSounds as nothing:
            problems += nothing.problems
            continue
        except (ValueError, OSError) as problem:
            if isinstance(problem, OSError) and not _about(problem, part.path):
                raise
            problems.append(str(problem))
            continue
        first = opened.setdefault(key, part.path)
        if first is not part.path:
            problems += [] if first.samefile(part.path) else [f"{part.path.name} is left out: {first.name} holds the same sound"]
            continue
        problems += held.problems
        recordings += [Recording(held, i, part.octave, part.called) for i in range(len(held.names)) if held.lengths[i] > 0]
    if progress:
        progress(1.0)
    if not recordings:
        raise AudioProblem(
            problems[0] if problems else "there is no sound in this corpus, or none in the splits that were asked for"
        )
    corpus = Corpus(how.sample_rate, tuple(recordings), (*problems, *spare))
    share = distinct([recording.marks for recording in recordings if len(recording.marks)])
    if share < _OVERLAPS:
        told = f"examples overlap: {corpus.seconds:.0f} s of them are about {share * corpus.seconds:.0f} s of sound"
        corpus = replace(corpus, problems=(*problems, told))
    return corpus


@functools.cache
def _sweep_once(cache: Path) -> None:
    sweep(cache)


def _ticking(progress: Callable[[float], None] | None, number: int, count: int) -> Tick:
    """Tells how far the whole is when part `number` of so many ticks; it never goes back, as where a part is read twice."""
    furthest = 0.0

    def tick(share: float | None) -> None:
        nonlocal furthest
        furthest = max(furthest, share or 0.0)
        if progress:
            progress((number + furthest) / count)

    return tick


def _about(problem: OSError, path: Path) -> bool:
    return problem.filename is not None and Path(problem.filename).is_relative_to(path)


@dataclass(frozen=True)
class _Part:
    """What one entry of the cache is made from; `called`: how its only sound is called, "" if there are several."""

    path: Path
    octave: int
    content: Callable[[Tick], str]
    sounds: Callable[[Tick, list[str]], Iterable[Sound]]
    called: str = ""


def _parts(entries: Sequence[Entry]) -> tuple[list[_Part], list[str], list[str]]:
    """What is to be opened; what cannot be, in sentences; and what need not be, in sentences."""
    parts: list[_Part] = []
    problems: list[str] = []
    spare: list[str] = []
    for entry in (one for given in entries for one in expanded(given, spare)):
        try:
            parts += _PARTS[entry.kind or kind_of(entry.path)](entry)
        except (ValueError, OSError) as problem:
            problems.append(str(problem))
    return parts, problems, spare


def expanded(entry: Entry, problems: list[str]) -> list[Entry]:
    """The entry, or, of a folder that holds data sets, those and what is beside them.

    Args:
        problems: gets a sentence for every archive that holds the same as a folder or file beside it, which is left out.
    """
    path = entry.path
    if entry.kind not in ("", "nsynth", "maestro") or not path.is_dir() or _is_data_set(path):
        return [entry]
    inside = [file for file in sorted(path.iterdir()) if not file.name.startswith(".")]
    sets = [file for file in inside if _is_data_set(file)]
    if not sets or any(file.suffix.lower() in SUFFIXES for file in inside if file.is_file()):
        return [entry]
    if all(file.is_file() and kind_of(file) == "ddsp" for file in sets):
        return [entry]
    rest = [file for file in inside if file.is_dir() and file not in sets] if not entry.kind else []
    return [replace(entry, path=file) for file in (*_once(sets, problems), *rest)]


def _is_data_set(path: Path) -> bool:
    if path.is_dir():
        return (path / "examples.json").is_file() or any(path.glob("maestro*.csv")) or any(path.glob("maestro*.json"))
    return ".tfrecord" in path.name or ".tar" in path.suffixes or path.suffix == ".tgz"


def _once(sets: list[Path], problems: list[str]) -> list[Path]:
    """NSynth comes as folder, TFRecord and archive of one name: one of them is enough, in this order."""
    chosen: dict[str, tuple[int, Path]] = {}
    kept = []
    for path in sorted(sets, key=_form):
        form, first = chosen.setdefault(path.name.split(".")[0], (_form(path), path))
        if form == _form(path):
            kept.append(path)
        else:
            problems.append(f"{path.name} is left out: {first.name} beside it holds the same notes")
    return sorted(kept)


def _form(path: Path) -> int:
    return 0 if path.is_dir() else 1 if ".tfrecord" in path.name else 2


def kind_of(path: Path) -> str:
    """What a file or folder holds: one of KINDS, by its layout; "audio" if it looks like nothing else."""
    if path.is_dir():
        if any(path.glob("maestro*.csv")) or any(path.glob("maestro*.json")):
            return "maestro"
        if (path / "examples.json").is_file():
            return "nsynth"
        records = [file for file in sorted(path.iterdir()) if ".tfrecord" in file.name]
        return _kind_of_records(records) if records and not any(path.glob("*.wav")) else "audio"
    if ".tar" in path.suffixes or path.suffix == ".tgz":
        return "nsynth"
    return _kind_of_records([path]) if ".tfrecord" in path.name and path.is_file() else "audio"


def _kind_of_records(files: list[Path]) -> str:
    """By the first record that can be read: one file may be damaged at its beginning."""
    for file in files:
        with contextlib.suppress(TruncatedArchive):
            return "nsynth" if "note_str" in next(read_examples(file), {}) else "ddsp"
    return "ddsp"


def _audio_parts(entry: Entry) -> list[_Part]:
    def part(path: Path) -> _Part:
        def sounds(tick: Tick, problems: list[str]) -> Iterable[Sound]:
            file_facts(path)
            return [sound_of_file(path, tick=tick)]

        return _Part(path, entry.octave, lambda tick: content_hash(path, tick), sounds, path.name)

    return [part(path) for path in find_audio([entry.path])]


def _nsynth_parts(entry: Entry) -> list[_Part]:
    path, wanted, split = entry.path, entry.nsynth, split_of(entry.path)
    if split and split not in entry.splits:
        return []

    def content(tick: Tick) -> str:
        held = (
            f"{content_hash(path / 'examples.json')} {_listing(path / 'audio', tick)}"
            if path.is_dir()
            else content_hash(path, tick)
        )
        return f"nsynth checked {split} {held} {wanted}"

    def sounds(tick: Tick, problems: list[str]) -> Iterable[Sound]:
        given = 0
        for sound in nsynth_sounds(path, wanted, problems, tick):
            given += 1
            yield sound
        if not given and wanted != NSynthFilter():
            problems.append(f"{path.name} has no notes {wanted.words}")

    return [_Part(path, entry.octave, content, sounds)]


def _listing(folder: Path, tick: Tick) -> str:
    """A hash of the names and sizes of a folder's WAV files, and of what some of them hold: to read all would take an hour."""
    if not folder.is_dir():
        return ""
    sizes: dict[str, int] = {}
    with os.scandir(folder) as files:
        for number, file in enumerate(files):
            if number % _TICK_FILES == 0:
                tick(None)
            if file.name.endswith(".wav"):
                with contextlib.suppress(OSError):  # a link to nothing
                    sizes[file.name] = file.stat().st_size
    names = sorted(sizes)
    read = [content_hash(folder / name) for name in names[:: -(-len(names) // _READ_FILES)]] if names else []
    facts = repr(([(name, sizes[name]) for name in names], read))
    return hashlib.blake2b(facts.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def _maestro_parts(entry: Entry) -> list[_Part]:
    problems: list[str] = []

    def part(sound: Sound, path: Path) -> _Part:
        def sounds(tick: Tick, problems: list[str]) -> Iterable[Sound]:
            return [sound_of_file(path, name=sound.name, split=sound.split, tick=tick)]

        return _Part(path, entry.octave, lambda tick: f"maestro {sound.split} {content_hash(path, tick)}", sounds)

    found = [part(sound, path) for sound, path in maestro_sounds(entry.path, splits=entry.splits, problems=problems)]
    if not found:
        raise ValueError(problems[0] if problems else f"{entry.path.name} has no performances in {', '.join(entry.splits)}")
    return found


def _ddsp_parts(entry: Entry) -> list[_Part]:
    def part(path: Path) -> _Part:
        def sounds(tick: Tick, problems: list[str]) -> Iterable[Sound]:
            return ddsp_sounds(path, problems, tick=tick)

        return _Part(path, entry.octave, lambda tick: f"ddsp marked {ddsp_split_of(path)} {content_hash(path, tick)}", sounds)

    return [part(path) for path in ddsp_record_files(entry.path)]


_PARTS: dict[str, Callable[[Entry], list[_Part]]] = {
    "audio": _audio_parts,
    "nsynth": _nsynth_parts,
    "maestro": _maestro_parts,
    "ddsp": _ddsp_parts,
}
