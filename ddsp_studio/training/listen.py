"""Listening to recordings in a process of its own: `python -m ddsp_studio.training.listen PATHS…`, one JSON line a message.

More paths than a command line holds come on standard input, with a zero byte between them.
What is heard in a file or data set is said as soon as it is known; SIGTERM ends the work and leaves nothing half-made. Free of
TensorFlow.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from ddsp_studio.training.background import stand_back
from ddsp_studio.training.data import survey
from ddsp_studio.training.data.audio_source import misnamed, told
from ddsp_studio.training.data.glance import Glance, glance, sorted_out
from ddsp_studio.training.data.nsynth import NSynthFilter
from ddsp_studio.training.data.nsynth_notes import Notes, chosen, count, keys_of, mixture
from ddsp_studio.training.data.survey import FileReport
from ddsp_studio.training.data.usable import loud_level_db
from ddsp_studio.training.features.extract import Frames
from ddsp_studio.training.pace import Seldom

NICE = 10
_TELL_S = 0.1
POINTS = 480
"""Points of a file's curves."""


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="what"):
    """A message; its class name travels as "what"."""


class Listening(Message, frozen=True, tag=True):
    """The share of the work that is done, 0..1."""

    share: float


class Heard(Message, frozen=True, tag=True):
    """What is in a file or data set: see `survey.FileReport`.

    `f0_hz` (0: no pitch) and `loudness_db` are curves of at most `POINTS` points over the file, or over the first sounds of a
    data set; both are empty if it cannot be used. Of a data set, `kind` is one of `corpus.KINDS` and `sounds` how many it holds,
    an estimate if not `exact`; of a file, `kind` is "". `notes` are those of NSynth that were seen, all or those of its
    beginning.
    """

    path: str
    seconds: float
    usable_s: float
    keys: tuple[int, int] | None
    warnings: list[str]
    f0_hz: list[float]
    loudness_db: list[float]
    kind: str = ""
    sounds: int = 1
    exact: bool = True
    notes: Notes = msgspec.field(default_factory=dict)


class Surveyed(Message, frozen=True, tag=True):
    """All of it was heard."""


class Refused(Message, frozen=True, tag=True):
    """Nothing can be used; one sentence."""

    text: str


Word = Listening | Heard | Surveyed | Refused
_decoder = msgspec.json.Decoder(Word)


def decode(line: bytes) -> Word:
    """Read a message; ValueError (msgspec.DecodeError) if the line is none."""
    word: Word = _decoder.decode(line)
    return word


def heard(report: FileReport, seen: Glance | None = None) -> Heard:
    """A report as a message; of a data set with what was seen of it.

    A file whose name is no text cannot be told of by it, nor trained on.
    """
    if words := misnamed(report.path):
        path = told(str(report.path))
        return Heard(path=path, seconds=0.0, usable_s=0.0, keys=None, warnings=[words], f0_hz=[], loudness_db=[])
    f0, loudness = _curves(report)

    found = Heard(
        path=str(report.path),
        seconds=round(report.seconds, 3),
        usable_s=round(report.usable_s, 3),
        keys=report.keys,
        warnings=list(report.warnings),
        f0_hz=f0,
        loudness_db=loudness,
    )
    if seen is None:
        return found
    return msgspec.structs.replace(found, kind=seen.kind, sounds=seen.sounds, exact=seen.exact, notes=seen.notes)


def narrowed(found: Heard, wanted: NSynthFilter) -> Heard:
    """What of a data set is wanted, reckoned from the notes that were seen; what is not NSynth is as it was."""
    if not found.notes or wanted == NSynthFilter():
        return found
    left, name = chosen(found.notes, wanted), Path(found.path).name
    seen, kept, whole = count(found.notes), count(left), saw_all(found)
    share = kept / seen if whole else max(kept, 0.5) / seen  # what was not seen may hold some all the same
    told = mixture(name, found.notes, whole=whole)
    return msgspec.structs.replace(
        found,
        seconds=share * found.seconds,
        usable_s=share * found.usable_s,
        sounds=round(share * found.sounds),
        exact=whole and found.exact,
        keys=keys_of(left) if whole else None,
        notes=left,
        warnings=[words for words in found.warnings if words not in told] + mixture(name, left, whole=whole),
    )


def saw_all(found: Heard) -> bool:
    """Whether all notes of a data set of NSynth were seen; of anything else there are none to see."""
    return not found.notes or count(found.notes) == found.sounds


def advice(files: Sequence[Heard]) -> list[str]:
    """What would help, in sentences, judged by what was heard in all files."""
    return survey.advice([_report(file) for file in files])


def _report(file: Heard) -> FileReport:
    f0, loudness = (np.array(curve, np.float32) for curve in (file.f0_hz, file.loudness_db))
    frames = Frames(f0, np.ones_like(f0), loudness) if len(f0) else None
    level = loud_level_db(loudness) if len(loudness) else -100.0
    return FileReport(Path(file.path), file.seconds, file.usable_s, frames, 0, file.keys, level, tuple(file.warnings))


def _curves(report: FileReport) -> tuple[list[float], list[float]]:
    frames = report.frames
    if frames is None or not len(frames.f0_hz):
        return [], []
    size = max(1, -(-len(frames.f0_hz) // POINTS))
    f0 = [_middle(part[part > 0.0]) for part in _parts(frames.f0_hz, size)]
    loudness = [float(part.max()) for part in _parts(frames.loudness_db, size)]
    return [round(x, 2) for x in f0], [round(x, 1) for x in loudness]


def _parts(values: npt.NDArray[np.float32], size: int) -> list[npt.NDArray[np.float32]]:
    return [values[start : start + size] for start in range(0, len(values), size)]


def _middle(values: npt.NDArray[np.float32]) -> float:
    return float(np.median(values)) if len(values) else 0.0


def main(arguments: list[str]) -> int:
    """Listen to files and folders, those on standard input if no arguments are given; 0 unless nothing can be used."""
    stand_back(NICE)
    signal.signal(signal.SIGTERM, _end)
    try:
        names = arguments or [os.fsdecode(name) for name in sys.stdin.buffer.read().split(b"\0")]
        _listen([Path(name) for name in names if name])
    except (ValueError, OSError) as problem:
        _say(Refused(text=told(f"{str(problem).rstrip('.')}.")))
        return 1
    _say(Surveyed())
    return 0


def _listen(paths: list[Path]) -> None:
    sets, files = sorted_out(paths)
    done, count = 0.0, len(sets) + bool(files)
    for path, kind in sets:
        _say(Listening(share=done / count))
        seen = glance(path, kind)
        _say(heard(seen.report, seen))
        done += 1.0
    if files or not sets:
        seldom = Seldom(_TELL_S)

        def follow(share: float) -> None:
            if seldom.due():
                _say(Listening(share=(done + share) / count))

        survey.survey(files, progress=follow, told=lambda report: _say(heard(report)))


def _end(*_: Any) -> None:
    raise SystemExit(143)


def _say(word: Word) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(word) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
