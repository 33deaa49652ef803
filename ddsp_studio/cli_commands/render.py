"""Rendering to a file, with progress for people or for programs."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ddsp_studio import resources
from ddsp_studio.audio.midi_file import Song, read_song
from ddsp_studio.audio.take import SUFFIX as TAKE_SUFFIX
from ddsp_studio.audio.take import Take, load_take
from ddsp_studio.cli_commands.inputs import check_target, files_of, naming
from ddsp_studio.files import check_regular
from ddsp_studio.processors.check import check, silence
from ddsp_studio.processors.hearing import hearing, hears
from ddsp_studio.processors.model_file import SUFFIX as MODEL_SUFFIX
from ddsp_studio.processors.model_patch import open_patch
from ddsp_studio.processors.nesting import absent, playable
from ddsp_studio.processors.patch import Patch
from ddsp_studio.quiet import load_tensorflow

if TYPE_CHECKING:
    from ddsp_studio.audio.offline import RenderReport

CHORD = (48, 60, 64, 67)
CHORD_S = 4.0
_NOTE_ON, _NOTE_OFF, _VELOCITY = 0x90, 0x80, 96
_REPORT_EVERY_S = 0.1

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Job:
    """What to render; `patch` and `midi` are paths or names of shipped files, `seconds` limits the performance.

    In the place of the patch a take stands for itself: with the patch that it was played on, its voices and its mode.
    `heard` is a sound file for the patch's audio input; one that has none is played by the sound instead of keys.
    """

    patch: str
    midi: str | None
    output: Path
    sample_rate: int | None = None
    block: int = 4_800
    bits: str = "24"
    tail_s: float | None = None
    voices: int | None = None
    mode: str | None = None
    normalise: str | None = None
    target_lufs: float = -16.0
    dither: bool = True
    heard: Path | None = None
    mono: bool = False
    seconds: float | None = None
    start_s: float = 0.0
    stop_s: float | None = None


def render(job: Job, *, as_json: bool = False) -> None:
    """Render and report.

    Raises:
        OSError, ValueError: refused input or an unwritable file, in one sentence; no file was written.
    """
    try:
        patch, performance = _given(job)
        check(playable(patch))
        if mute := silence(patch):
            raise ValueError(f"nothing can be heard: {mute}")
        if job.heard is not None and not hears(patch):
            patch = hearing(patch)
        for name, reason in absent(patch).items():
            sys.stderr.write(f"ddsp-studio: {name}: {reason}; it is left out\n")
        _writable(job.output)
        taken = performance.heard if isinstance(performance, Take) else None
        check_target(job.output, (job.patch, job.midi, job.heard, taken, *files_of(patch)))
        with _json_progress() if as_json else _bar(job.output.name) as progress:
            load_tensorflow()
            report, taken_s = _render(job, patch, performance, progress)
    except (OSError, ValueError) as problem:
        if as_json:
            _line(error=str(problem))
        raise
    if as_json:
        _line(done=1.0, file=str(job.output), seconds=report.seconds, peak=report.peak)
        return
    told = f"{report.seconds:.1f} s of sound, peak {_db(report.peak)}, rendered in {taken_s:.1f} s"
    sys.stderr.write(f"{job.output}: {told}\n")


def _render(job: Job, patch: Patch, performance: Song | Take | None, progress: Progress) -> tuple[RenderReport, float]:
    """Returns the report and the seconds that rendering took, without loading and compiling."""
    from ddsp_studio.audio.offline import render_file

    begun: list[float] = []

    def follow(share: float) -> None:
        begun.append(time.perf_counter())
        del begun[1:]
        progress(share)

    report = render_file(
        patch,
        performance,
        job.output,
        sample_rate=job.sample_rate,
        block=job.block,
        bit_depth=job.bits,
        tail_s=job.tail_s,
        voices=job.voices,
        mode=job.mode,
        normalise=job.normalise,
        target_lufs=job.target_lufs,
        dither=job.dither,
        heard=job.heard,
        mono=job.mono,
        start_s=job.start_s,
        stop_s=job.stop_s,
        progress=follow,
    )
    if report.faulty_blocks:
        sys.stderr.write(f"ddsp-studio: {report.faulty_blocks} blocks held values that are no numbers and were silenced\n")
    return report, time.perf_counter() - begun[0]


def _given(job: Job) -> tuple[Patch, Song | Take | None]:
    """The patch and what plays it."""
    if Path(job.patch).suffix != TAKE_SUFFIX:
        with naming(job.patch) if Path(job.patch).suffix == MODEL_SUFFIX else nullcontext():
            patch = open_patch(job.patch)
        return patch, _performance(job)
    if job.midi is not None:
        raise ValueError(f"{job.patch} is played by itself; name a patch in its place, or leave {job.midi} out")
    take = _take(Path(job.patch).expanduser(), job.seconds)
    return take.patch, take


def _performance(job: Job) -> Song | Take | None:
    """The MIDI file or take that is asked for; without one, a held chord, or nothing where the patch hears a file."""
    if job.midi is None:
        if job.heard is not None:
            return None
        return _chord(job.seconds or CHORD_S)
    path = resources.find(resources.MIDI, job.midi)
    if path.suffix == TAKE_SUFFIX:
        return _take(path, job.seconds)
    song = read_song(path)
    return song if job.seconds is None else _shortened(song, job.seconds)


def _chord(seconds: float) -> Song:
    down = tuple(bytes((_NOTE_ON, note, _VELOCITY)) for note in CHORD)
    up = tuple(bytes((_NOTE_OFF, note, 0)) for note in CHORD)
    return Song("chord", (0.0,) * len(CHORD) + (seconds,) * len(CHORD), down + up, seconds)


def _take(path: Path, seconds: float | None) -> Take:
    """A take, or its beginning; a render lifts the keys that are down at its end."""
    check_regular(path)
    take = load_take(path)
    length = take.length if seconds is None else min(take.length, round(seconds * take.sample_rate))
    return replace(take, length=length, events=tuple(event for event in take.events if event.sample < length))


def _shortened(song: Song, seconds: float) -> Song:
    """The song's beginning; keys that are down at its end are lifted there."""
    if seconds >= song.length_s:
        return song
    count = sum(due < seconds for due in song.times)
    channels = sorted({data[0] & 0x0F for data in song.data[:count]})
    lifted = [bytes((0xB0 | channel, number, 0)) for channel in channels for number in (64, 123)]
    times = song.times[:count] + (seconds,) * len(lifted)
    return Song(song.name, times, song.data[:count] + tuple(lifted), seconds, song.tempo_times, song.tempos_bpm)


def _writable(path: Path) -> None:
    """Refuse a target before the work begins (OSError)."""
    folder = path.parent
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; name a .wav or .flac file in it")
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {str(folder)!r} to write {path.name} into")
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"the folder {str(folder)!r} cannot be written")


def _db(peak: float) -> str:
    from math import log10

    return f"{20.0 * log10(peak):.1f} dBFS" if peak > 0.0 else "silent"


@contextmanager
def _json_progress() -> Iterator[Progress]:
    told = 0.0

    def progress(share: float) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= _REPORT_EVERY_S:
            told = now
            _line(done=round(share, 4))

    yield progress


def _line(**data: object) -> None:
    sys.stdout.write(json.dumps(data) + "\n")
    sys.stdout.flush()


@contextmanager
def _bar(name: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeRemainingColumn())
    console = Console(stderr=True)
    with Bar(*columns, console=console, transient=True, disable=not console.is_interactive) as bar:
        task = bar.add_task(f"Compiling {name}", total=None)

        def progress(share: float) -> None:
            bar.update(task, total=1.0, completed=share, description=f"Rendering {name}")

        yield progress
