"""Analysed sound on disk, kept by content: opening the same audio again costs the time to hash it.

An entry is a folder: audio.f32 (mono float32 little-endian, the sounds one after the other), frames.f32 (three features a
    frame) and index.npz (which sound begins where). It is made beside its place and renamed when it is whole. Nothing in it is
    executed when it is read, and its sizes are checked. Sounds begin on a frame.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import platform
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import platformdirs

from ddsp_studio.children import process_alive
from ddsp_studio.dsp.scaling import midi_to_hz
from ddsp_studio.files import check_regular
from ddsp_studio.training.data.audio_source import Floats, Tick
from ddsp_studio.training.data.high_pitch import high_enough
from ddsp_studio.training.data.low_pitch import reaching_down
from ddsp_studio.training.data.overlap import Marks
from ddsp_studio.training.data.pitch_range import reaching
from ddsp_studio.training.data.sound import Sound
from ddsp_studio.training.features.clock import frame_count, frame_period
from ddsp_studio.training.features.extract import VERSION, Frames, extract
from ddsp_studio.training.features.f0_layout import F0Settings

_AUDIO, _FRAMES = "audio.f32", "frames.f32"
_FEATURES, _NUMBERS, _BYTES = 3, 4, 4
_NOT_NOW = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""Errors that say nothing about the file that was to be opened."""
_READ = 1 << 20
_DAY_S = 86_400.0

Progress = Callable[[float], None]


class StoreProblem(ValueError):
    """An entry that is damaged; the text is one sentence."""


class NoSounds(ValueError):
    """Material without any sound; `problems` are the sentences that say why, if any."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(problems[0] if problems else "there is no sound in it")
        self.problems = problems


def cache_folder() -> Path:
    """Where analysed sound is kept: the platform's cache folder, or "cache" under DDSP_STUDIO_HOME."""
    home = os.environ.get("DDSP_STUDIO_HOME")
    return (Path(home) / "cache" if home else platformdirs.user_cache_path("ddsp_studio", False)) / "features"


@dataclass(frozen=True)
class Analysis:
    """How sound is analysed: at which sample rate in Hz, within which pitches, and by which engine of `features.f0_swift`.

    With the usual lowest or highest pitch, recordings that play beyond it are searched down to 27.5 or up to 5000 Hz
    (`pitch_range`).
    """

    sample_rate: int = 16_000
    low_hz: float = 60.0
    high_hz: float = 2500.0
    engine: str = "autocorrelation"

    def f0_settings(self, key: int | None = None) -> F0Settings:
        """Settings of the pitch tracker, for a note whose MIDI key is known (ValueError for a range that holds no pitch)."""
        settings = F0Settings(low_hz=self.low_hz, high_hz=self.high_hz)
        return settings if key is None else high_enough(settings, float(midi_to_hz(key)))


def content_hash(path: Path, tick: Tick | None = None) -> str:
    """A hash of a file's bytes (OSError if it cannot be read); `tick` hears that it goes on."""
    digest = hashlib.blake2b(digest_size=16)
    check_regular(path)
    with path.open("rb") as file:
        while block := file.read(_READ):
            digest.update(block)
            if tick:
                tick(None)
    return digest.hexdigest()


def entry_key(content: str, analysis: Analysis) -> str:
    """Name of an entry: it changes with the content, the settings, and the version of the features."""
    text = json.dumps([content, asdict(analysis), VERSION], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True)
class Stored:
    """Analysed sounds on disk, read when they are asked for: hundreds of entries hold no file open.

    Attributes:
        place: folder of the entry; audio.f32 in it is [samples] and frames.f32 [frames, 3], row m at sample m·period: f0 in Hz,
            confidence, loudness in dB.
        analysis: how. names, splits: of the sounds. pitches: MIDI keys that the corpus gave, −1 for none, [sounds].
        starts, lengths: of the sounds in samples, [sounds]; starts are whole frames.
        clipped: places in which they are clipped, [sounds].
        problems: sentences about what could not be used.
        marks: of the sounds (`overlap`), one array after the other. marked: how many each has, [sounds]; none has any if empty.
    """

    place: Path
    analysis: Analysis
    names: list[str]
    splits: list[str]
    pitches: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    clipped: npt.NDArray[np.int64]
    problems: list[str]
    marks: Marks = field(default_factory=lambda: np.zeros(0, np.uint64))
    marked: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def marks_of(self, sound: int) -> Marks:
        """The marks of one sound."""
        end = int(self.marked[: sound + 1].sum())
        return self.marks[end - int(self.marked[sound]) : end] if len(self.marked) else self.marks

    def features(self, sound: int, first: int = 0, last: int | None = None) -> Frames:
        """The features of one sound, or of its frames from `first` to before `last`, [frames] each."""
        rate = self.analysis.sample_rate
        begin, count = int(self.starts[sound]) // frame_period(rate), frame_count(int(self.lengths[sound]), rate)
        rows = max(0, (count if last is None else min(last, count)) - first)
        values = _read(self.place / _FRAMES, (begin + first) * _FEATURES, rows * _FEATURES).reshape(-1, _FEATURES)
        return Frames(*(np.ascontiguousarray(values[:, i]) for i in range(_FEATURES)))

    def samples(self, sound: int, first: int, last: int) -> Floats:
        """The samples of one sound from `first` to before `last`, both within it (OSError if they are gone)."""
        return _read(self.place / _AUDIO, int(self.starts[sound]) + first, last - first)

    def sound(self, sound: int) -> Floats:
        """The samples of one sound, mapped."""
        start, count = int(self.starts[sound]), int(self.lengths[sound])
        return _mapped(self.place / _AUDIO)[start : start + count]


Source = Callable[[list[str]], Iterable[Sound]]
"""Gives sounds; what is wrong with the material, short of unusable, is added to the list in sentences."""


def stored(key: str, sounds: Source, analysis: Analysis, folder: Path | None = None) -> Stored:
    """The entry of that key, made from `sounds` if there is none or it is damaged.

    Args:
        key: of `entry_key`. sounds: gives the sounds to analyse. analysis: how. folder: the cache, `cache_folder()` if not given.

    Raises:
        NoSounds: there are none; no entry is made. ValueError: sounds that cannot be read. OSError: the cache cannot be written.
    """
    place = (folder or cache_folder()) / key
    if place.is_dir():
        try:
            return _open(place, analysis)
        except StoreProblem:
            shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{key}-{_here()}-{os.getpid()}-", dir=place.parent))
    try:
        with _named(place.parent):
            _write(beside, sounds, analysis)
        with contextlib.suppress(OSError):  # another process was quicker with the same entry
            beside.rename(place)
        return _open(place, analysis)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def sweep(folder: Path | None = None) -> None:
    """Remove half-made entries whose makers were killed, or that nobody has written to for a day."""
    for place in (folder or cache_folder()).glob(".*-*"):
        with contextlib.suppress(OSError):
            _, *maker, _ = place.name.split("-")
            dead = len(maker) == 2 and maker[0] == _here() and not process_alive(int(maker[1]))
            written = max(file.stat().st_mtime for file in (place, *place.iterdir()))
            if dead or time.time() - written > _DAY_S:
                shutil.rmtree(place, ignore_errors=True)


def _here() -> str:
    """A name for this machine: process numbers mean nothing on another one with the same home."""
    return hashlib.blake2b(platform.node().encode(), digest_size=4).hexdigest()


@contextlib.contextmanager
def _named(folder: Path) -> Iterator[None]:
    """Let a full disk be told by the folder on it: writing to an open file does not name it."""
    try:
        yield
    except OSError as problem:
        if problem.errno and problem.filename is None:
            raise OSError(problem.errno, problem.strerror, str(folder)) from problem
        raise


def _write(place: Path, sounds: Source, analysis: Analysis) -> None:
    names: list[str] = []
    splits: list[str] = []
    problems: list[str] = []
    numbers: list[tuple[int, int, int, int]] = []
    marks: list[Marks] = [np.zeros(0, np.uint64)]
    period, at = frame_period(analysis.sample_rate), 0
    with (place / _AUDIO).open("wb") as audio, (place / _FRAMES).open("wb") as frames:
        for sound in sounds(problems):
            length = _add(sound, analysis, audio, frames)
            names.append(sound.name)
            splits.append(sound.split)
            marks.append(sound.marks)
            numbers.append((at, length, -1 if sound.pitch is None else sound.pitch, sound.clipped()))
            room = frame_count(length, analysis.sample_rate) * period - length
            audio.write(bytes(4 * room))
            at += length + room
        for file in (audio, frames):
            file.flush()
            os.fsync(file.fileno())
    if not at:
        raise NoSounds(problems)
    table = np.array(numbers, np.int64).reshape(-1, _NUMBERS)
    about = {"version": VERSION, "analysis": asdict(analysis), "names": names, "splits": splits, "problems": problems}
    described = json.dumps(about)
    np.savez(
        place / "index.npz",
        table=table,
        described=np.frombuffer(described.encode(), np.uint8),
        marks=np.concatenate(marks),
        marked=np.array([len(each) for each in marks[1:]], np.int64),
    )


def _add(sound: Sound, analysis: Analysis, audio: BinaryIO, frames: BinaryIO) -> int:
    """Append a sound and its features; returns its length in samples."""
    length = 0

    def keep(block: Floats) -> None:
        nonlocal length
        audio.write(np.ascontiguousarray(block, "<f4").tobytes())
        length += len(block)

    rate, settings = analysis.sample_rate, analysis.f0_settings(sound.pitch)
    given = sound.f0(rate) if sound.f0 else None
    if given is None and analysis.engine != "autocorrelation":
        from ddsp_studio.training.features.f0_swift import track_with

        given = track_with(analysis.engine, sound.blocks(rate), rate, settings)
    features = extract(sound.blocks(rate), rate, settings, given=given, keep=keep)
    if given is None:
        wider = reaching if sound.pitch is None else reaching_down
        features = wider(features, lambda: sound.blocks(rate), rate, settings)
    frames.write(np.ascontiguousarray(np.stack(features, axis=1), "<f4").tobytes())
    return length


def _open(place: Path, analysis: Analysis) -> Stored:
    try:
        with (place / "index.npz").open("rb") as file, np.load(file, allow_pickle=False) as held:
            table, described = held["table"], json.loads(held["described"].tobytes())
            marks = np.asarray(held.get("marks", []), np.uint64)
            marked = np.asarray(held.get("marked", []), np.int64)
        names, splits, problems = ([str(text) for text in described[column]] for column in ("names", "splits", "problems"))
        samples, rows = ((place / part).stat().st_size for part in (_AUDIO, _FRAMES))
        rate = analysis.sample_rate
        counts = [frame_count(int(length), rate) for length in table[:, 1]]
        whole = samples == _BYTES * sum(counts) * frame_period(rate) and rows == _BYTES * sum(counts) * _FEATURES
        if (
            described["version"] != VERSION
            or table.shape[1] != _NUMBERS
            or not whole
            or not len(names) == len(splits) == len(table)
            or len(marked) not in (0, len(table))
            or int(marked.sum()) != len(marks)
        ):
            raise StoreProblem(f"{place.name}: the sizes of its parts do not fit")
    except (OSError, KeyError, ValueError, TypeError, IndexError, EOFError, zipfile.BadZipFile) as problem:
        if isinstance(problem, OSError) and problem.errno in _NOT_NOW:
            raise
        raise StoreProblem(f"the analysed sound in {place} is damaged") from problem
    starts, lengths, pitches, clipped = table.T
    return Stored(place, analysis, names, splits, pitches, starts, lengths, clipped, problems, marks, marked)


def _mapped(path: Path) -> npt.NDArray[np.float32]:
    if path.stat().st_size == 0:
        return np.zeros(0, np.float32)
    return np.memmap(path, "<f4", "r")


def _read(path: Path, first: int, count: int) -> Floats:
    """Numbers of a file from number `first` on."""
    values = np.fromfile(path, "<f4", count, offset=_BYTES * first)
    if len(values) != count:
        raise OSError(errno.EIO, "the analysed sound has become shorter", str(path))
    return values
