"""Sound files of any rate, channels and length, read in blocks as mono at the rate of a training.

Decoded by libsndfile, resampled by soxr; memory does not grow with the length of the file. Free of TensorFlow.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from ddsp_studio.files import check_regular
from ddsp_studio.training.features.clock import HIGHEST_RATE, LOWEST_RATE

Floats = npt.NDArray[np.float32]

Tick = Callable[[float | None], None]
"""Called now and then while something long is read, with the share that is done, 0..1, or None where that is not known; what it
raises ends the work."""

SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".w64", ".rf64", ".caf", ".au")
"""Endings by which a folder's sound files are found; a file that is named explicitly may end as it likes."""

BLOCK = 65_536
"""Samples decoded at a time."""
_SMALL = 1024

_CANCELLED = 0.3
"""A mix with less than this share of its loudest channel's power has cancelled itself, or comes from that channel alone."""
_COMBED = 0.8
"""Share of the power that channels would have together if they were alike, below which they cancel some partials."""


class AudioProblem(ValueError):
    """A file that holds no usable sound; the text is one sentence."""


def told(text: str) -> str:
    """Text that can be sent and written: bytes of a file's name that are no text are marked in it."""
    return os.fsencode(text).decode("utf-8", "replace")


def misnamed(path: Path) -> str:
    """What to say of a file whose name no text can hold; nothing of any other."""
    text = str(path)
    return "" if told(text) == text else f"{told(path.name)}: its name is not written in UTF-8; rename it"


@dataclass(frozen=True)
class FileFacts:
    """What a file says of itself: sample rate in Hz, channels, length in samples at its rate, and its format's name."""

    path: Path
    sample_rate: int
    channels: int
    samples: int
    format: str

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.samples / self.sample_rate


def find_audio(paths: list[Path]) -> list[Path]:
    """The files among `paths`, and the sound files in the folders among them, in order of name, none twice.

    What a training keeps in its folder is no recording: an instrument would learn from itself.

    Raises:
        AudioProblem: a path that does not exist, or nothing found at all.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            inside = (file for file in sorted(path.rglob("*")) if file.suffix.lower() in SUFFIXES and file.is_file())
            found.update(dict.fromkeys(file for file in inside if not file.name.startswith(".") and not _of_training(file, path)))
        elif path.exists():
            found[path] = None
        else:
            raise AudioProblem(f"{path}: there is no such file or folder")
    if not found:
        where = ", ".join(str(path) for path in paths) or "nothing"
        raise AudioProblem(f"{where}: no sound files in it ({', '.join(suffix[1:] for suffix in SUFFIXES[:8])} are known)")
    return list(found)


def _of_training(file: Path, folder: Path) -> bool:
    """Whether a file within a folder lies in one that a training keeps."""
    around = file.relative_to(folder).parents
    return any(holds_training(folder / place) for place in around)


@functools.lru_cache(maxsize=64)
def _all_there(folder: Path, changed: int) -> bool:
    return all((folder / name).exists() for name in ("settings.json", "patch.ddsp", "samples"))


def holds_training(folder: Path) -> bool:
    """Whether a training keeps what it learns in a folder."""
    return _all_there(folder, folder.stat().st_mtime_ns)


def file_facts(path: Path) -> FileFacts:
    """Open a file and read its header.

    Raises:
        AudioProblem: missing, empty, not sound, or at a rate that is not served; one sentence.
    """
    with _opened(path) as file:
        facts = FileFacts(path, file.samplerate, file.channels, file.frames, str(file.format))
    check_rate(path.name, facts.sample_rate)
    if facts.samples == 0:
        raise AudioProblem(f"{path.name} holds no sound: its length is zero")
    return facts


def check_rate(who: str, rate: float) -> None:
    """Refuse a sample rate in Hz at which no recording may be (AudioProblem)."""
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        rates = f"{LOWEST_RATE // 1000} to {HIGHEST_RATE // 1000} kHz"
        raise AudioProblem(f"{who} has a sample rate of {rate:g} Hz; sound of {rates} can be used")


def finite(values: Floats) -> Floats:
    """The same array, with 0 for numbers that are none."""
    return np.nan_to_num(values, copy=False, nan=0.0, posinf=0.0, neginf=0.0)


def _opened(path: Path) -> soundfile.SoundFile:
    if not path.exists():
        raise AudioProblem(f"{path}: there is no such file")
    if path.is_dir():
        raise AudioProblem(f"{path} is a folder, not a sound file")
    try:
        check_regular(path)
        if path.stat().st_size == 0:
            raise AudioProblem(f"{path.name} is empty (0 bytes)")
        # as bytes, for soundfile refuses a name that is not UTF-8
        return soundfile.SoundFile(os.fsencode(path) if os.name == "posix" else path)
    except OSError as problem:
        raise AudioProblem(f"{path.name} cannot be read: {problem.strerror or problem}") from problem
    except (soundfile.LibsndfileError, RuntimeError, TypeError) as problem:
        raise AudioProblem(f"{path.name} is not a sound file that can be read (WAV, FLAC, OGG, MP3 and AIFF can)") from problem


def raw_blocks(path: Path) -> Iterator[Floats]:
    """The file as it is, in blocks [samples, channels]; what a damaged file still yields, and numbers that are none as 0.

    Raises:
        AudioProblem: as `file_facts`; damage behind the beginning just ends the sound.
    """
    read = 0
    for size in (BLOCK, _SMALL):
        # libsndfile gives nothing of a block that it fails in, so the last one before the damage is read again in small ones
        with _opened(path) as file:
            if read and not _went_to(file, read):
                return
            while (block := _next(file, size)) is not None:
                if not len(block):
                    return
                read += len(block)
                yield finite(block)


def _went_to(file: soundfile.SoundFile, sample: int) -> bool:
    try:
        return bool(file.seekable() and file.seek(sample) == sample)
    except (soundfile.LibsndfileError, RuntimeError):
        return False


def _next(file: soundfile.SoundFile, size: int) -> Floats | None:
    """The next samples [samples, channels], none at the end, None where the file is damaged."""
    try:
        block: Floats = file.read(size, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError):
        return None
    return block


@dataclass(frozen=True)
class Mixdown:
    """How channels become one: `channel` None for the mean of all, a number for one of them (the mean would cancel)."""

    channel: int | None = None

    def __call__(self, block: Floats) -> Floats:
        """[samples, channels] to [samples]."""
        if self.channel is None:
            return block.mean(axis=1, dtype=np.float32) if block.shape[1] > 1 else np.ascontiguousarray(block[:, 0])
        return np.ascontiguousarray(block[:, self.channel])


def choose_mixdown(path: Path, tick: Tick | None = None) -> Mixdown:
    """The mean of the channels, or the loudest one where they cancel each other or all but it are all but silent.

    Two microphones at a distance cancel some partials only, which may hide the pitch: then, too, one of them is heard alone.
    """
    mixed, single = 0.0, np.zeros(1)
    for block in raw_blocks(path):
        if block.shape[1] == 1:
            return Mixdown()
        if tick:
            tick(None)
        mixed += float(np.sum(block.mean(axis=1, dtype=np.float64) ** 2))
        single = single + np.sum(block.astype(np.float64) ** 2, axis=0)
    alike = float(np.mean(np.sqrt(single)) ** 2)
    if mixed < max(_CANCELLED * single.max(initial=0.0), _COMBED * alike):
        return Mixdown(int(single.argmax()))
    return Mixdown()


def mono_blocks(path: Path, sample_rate: int, mixdown: Mixdown | None = None) -> Iterator[Floats]:
    """The file as mono at `sample_rate` Hz, in blocks [samples] of about `BLOCK`; sample 0 is the file's first.

    Raises:
        AudioProblem: as `file_facts`.
    """
    facts = file_facts(path)
    mix = mixdown or Mixdown()
    if facts.sample_rate == sample_rate:
        yield from (mix(block) for block in raw_blocks(path))
        return
    resampler = soxr.ResampleStream(facts.sample_rate, sample_rate, 1, dtype="float32", quality="HQ")
    for block in raw_blocks(path):
        yield from _some(resampler.resample_chunk(mix(block)))
    yield from _some(resampler.resample_chunk(np.zeros(0, np.float32), last=True))


def _some(block: Floats) -> Iterator[Floats]:
    if len(block):
        yield block


def read_mono(path: Path, sample_rate: int) -> Floats:
    """A whole file as mono at `sample_rate` Hz, [samples]; for files that fit in memory (AudioProblem as `file_facts`)."""
    blocks = list(mono_blocks(path, sample_rate, choose_mixdown(path)))
    return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
