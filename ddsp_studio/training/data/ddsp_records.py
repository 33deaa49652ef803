"""TFRecords in the feature layout of magenta/ddsp's data preparation: audio, audio_16k, f0_hz, f0_confidence, loudness_db.

Audio is mono at the rate that its length beside `audio_16k` tells, 16 kHz without that. How many pitch frames there are a second
follows from their number (250, 50 …), and where they stand from it or from the sound (`given_f0`). Pitch and confidence are taken
as they are where they fit the sound; loudness is computed anew, since ours and theirs are not on one scale.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ddsp_studio.training.data.audio_source import Floats, Tick, check_rate
from ddsp_studio.training.data.given_f0 import Given, delay_of, frame_rate
from ddsp_studio.training.data.overlap import marks_of
from ddsp_studio.training.data.sound import Sound, sound_of
from ddsp_studio.training.data.tfrecord import Example, floats_of, read_usable

SAMPLE_RATE = 16_000
_RATES = (8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000, 192_000)
_SPLIT = re.compile(r"-(train|eval|valid|test)[a-z]*(?=[-.]|$)")
_LISTENED_S = 24.0
"""How much of a file's beginning is heard to tell where its pitch frames stand."""


@dataclass(frozen=True)
class _Held:
    """An example and its number in its file: mono [samples] at `rate` Hz, and its pitch, if that fits its length."""

    number: int
    audio: Floats
    rate: int
    pitch: Given | None


def ddsp_record_files(path: Path) -> list[Path]:
    """The TFRecord files in a folder ("name.tfrecord-00000-of-00010" as well), or the file itself.

    Raises:
        ValueError: a folder without any.
    """
    if path.is_file():
        return [path]
    files = sorted(file for file in path.rglob("*") if file.is_file() and ".tfrecord" in file.name)
    if not files:
        raise ValueError(f"{path.name} holds no TFRecord files")
    return files


def ddsp_split_of(path: Path) -> str:
    """The split that a file is called after ("notes.tfrecord-train-00000-of-00010", "notes-eval.tfrecord"), "" if none."""
    found = _SPLIT.findall(path.name.lower())
    return {"eval": "validation", "valid": "validation"}.get(found[-1], found[-1]) if found else ""


def ddsp_sounds(path: Path, problems: list[str] | None = None, *, tick: Tick | None = None) -> Iterator[Sound]:
    """The examples of a file or folder, in order.

    Args:
        path: file or folder. tick: called for every example.
        problems: gets one sentence for every file that is cut short, and some about examples that cannot be used.

    Raises:
        ValueError: no such records.
    """
    for file in ddsp_record_files(path):
        examples = read_usable(file, _held, problems, tick)
        first = list(_listened(examples))
        delay_s = delay_of((one.audio, one.rate, one.pitch) for one in first if one.pitch)
        split = ddsp_split_of(file)
        for one in itertools.chain(first, examples):
            given = one.pitch.at(delay_s) if one.pitch else None
            sound = sound_of(f"{file.name}#{one.number:05d}", one.audio, one.rate, split=split, f0=given)
            yield replace(sound, marks=marks_of(one.audio))  # they may be cut with overlap


def _listened(examples: Iterator[_Held]) -> Iterator[_Held]:
    """The first of the examples: as many as are needed to tell where pitch frames stand."""
    seconds = 0.0
    for one in examples:
        yield one
        if one.pitch and not one.pitch.unsure:
            return
        seconds += len(one.audio) / one.rate
        if seconds >= _LISTENED_S:
            return


def _held(number: int, example: Example) -> _Held:
    audio, at_16k, f0_hz = (floats_of(example, name) for name in ("audio", "audio_16k", "f0_hz"))
    if not len(audio):
        raise ValueError(f"record {number + 1} holds no audio, as those of magenta/ddsp do")
    rate = _usual(SAMPLE_RATE * len(audio) / len(at_16k)) if len(at_16k) else SAMPLE_RATE
    check_rate(f"record {number + 1} ({len(audio):,} samples of audio for {len(at_16k):,} of audio_16k)", rate)
    confidence = floats_of(example, "f0_confidence")
    confidence = confidence if len(confidence) == len(f0_hz) else np.ones_like(f0_hz)
    frames = frame_rate(len(at_16k) or len(audio), len(f0_hz)) if len(f0_hz) else None
    return _Held(number, audio, rate, Given(f0_hz, confidence, len(audio) / rate, *frames) if frames else None)


def _usual(rate: float) -> int:
    """The sample rate that is meant: resampling rounds lengths."""
    near = min(_RATES, key=lambda known: abs(known - rate))
    return near if abs(near - rate) < 1e-3 * rate else round(rate)
