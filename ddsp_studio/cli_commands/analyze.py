"""What recordings are good for: minutes, pitch, notes and warnings, as text, and as a picture, a table or JSON."""

from __future__ import annotations

import csv
import io
import itertools
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ddsp_studio.cli_commands.inputs import check_target
from ddsp_studio.files import write_text
from ddsp_studio.processors.units import note_name
from ddsp_studio.training.data.corpus import Entry, open_corpus
from ddsp_studio.training.data.glance import Glance, glance, sorted_out
from ddsp_studio.training.data.store import Analysis
from ddsp_studio.training.data.survey import FileReport, Survey, survey
from ddsp_studio.training.features.clock import frame_period
from ddsp_studio.training.features.f0_swift import check_engine
from ddsp_studio.training.features.notes import Note, find_notes

SUFFIXES = (".png", ".csv", ".json")
_SETS = {"nsynth": "notes of NSynth", "maestro": "performances of MAESTRO", "ddsp": "records of magenta/ddsp"}
_MOST_DRAWN = 24
"""Recordings that are drawn without being asked for one by one."""


def analyze(paths: list[Path], output: Path | None, analysis: Analysis, pictures: Path | None = None) -> int:
    """Listen to files and folders and say what is in them; returns 1 if nothing can be learnt from, 0 otherwise.

    Args:
        paths: files, folders and data sets. output: a .png, .csv or .json to write, or None.
        analysis: sample rate, pitch range and engine. pictures: folder to draw the recordings into, or None.

    Raises:
        OSError, ValueError: refused input or an unwritable file, in one sentence.
    """
    if output is not None and output.suffix.lower() not in SUFFIXES:
        raise ValueError(f"an analysis is written to {', '.join(SUFFIXES)}, got {output.name!r}")
    if output is not None:
        check_target(output, paths)
    check_engine(analysis.engine)
    sets, rest = sorted_out(paths)
    if output is not None and sets:
        raise ValueError(f"{sets[0][0].name} is a data set; only recordings are written or drawn one by one")
    seen = [glance(path, kind, analysis) for path, kind in sets]
    for one in seen:
        _tell_of_set(one)
    held = any(one.report.usable_s > 0.0 for one in seen)
    if sets and not rest:
        return 0 if held else 1
    heard = _listen(rest, analysis)
    if output is not None and output.suffix.lower() != ".json" and len(heard.files) != 1:
        raise ValueError(f"a {output.suffix[1:].upper()} holds one file, got {len(heard.files)}; .json holds any number")
    for report in heard.files:
        _tell(report)
    minutes = f"{heard.usable_s / 60.0:.1f} minutes" if heard.usable_s >= 60.0 else f"{heard.usable_s:.1f} seconds"
    sys.stdout.write(f"\n{minutes} to learn from in {_count(len(heard.files), 'file')}\n")
    for sentence in heard.advice:
        sys.stdout.write(f"  {sentence}.\n")
    if output is not None:
        _write(output, heard, analysis)
        sys.stderr.write(f"{output}: written\n")
    elif pictures is not None:
        _draw_all(pictures, heard.files, analysis)
    return 0 if heard.usable_s > 0.0 or held else 1


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _tell_of_set(seen: Glance) -> None:
    report = seen.report
    many = f"{'' if seen.exact else 'about '}{_count(seen.sounds, 'sound')}, {report.seconds / 60.0:.1f} minutes"
    sys.stdout.write(f"{report.path.name}: {_SETS[seen.kind]}, {many if report.seconds else 'not usable'}\n")
    for warning in report.warnings:
        sys.stdout.write(f"  {warning}.\n")


def _draw_all(folder: Path, reports: Sequence[FileReport], analysis: Analysis) -> None:
    """Draw the recordings into a folder, each under its name."""
    drawn = [report for report in reports if report.frames is not None][:_MOST_DRAWN]
    taken: set[str] = set()
    for report in drawn:
        folder.mkdir(parents=True, exist_ok=True)
        names = (f"{report.path.stem}{f' {n}' if n > 1 else ''}.png" for n in itertools.count(1))
        name = next(name for name in names if name not in taken)
        taken.add(name)
        check_target(folder / name, (report.path,))
        _draw(folder / name, report, analysis)
    if drawn:
        sys.stderr.write(f"{folder / sorted(taken)[0] if len(drawn) == 1 else folder}: {_count(len(drawn), 'picture')} drawn\n")


def _listen(paths: list[Path], analysis: Analysis) -> Survey:
    if not sys.stderr.isatty():
        return survey(paths, analysis)
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("listening", total=1.0)
        return survey(paths, analysis, progress=lambda share: bar.update(task, completed=share))


def _tell(report: FileReport) -> None:
    facts = f"{report.seconds:.1f} s, {report.usable_s:.1f} s usable" if report.seconds else "not usable"
    if report.keys:
        low, high = (note_name(key) for key in report.keys)
        facts += f", {low}" if low == high else f", {low} to {high}"
    if report.frames is not None and report.usable_s:
        facts += f", {_count(len(_notes(report)), 'note')}, loud parts at {report.loud_db:.0f} dB"
    sys.stdout.write(f"{report.path.name}: {facts}\n")
    for warning in report.warnings:
        sys.stdout.write(f"  {warning}.\n")


def _notes(report: FileReport) -> list[Note]:
    return find_notes(report.frames.f0_hz, report.frames.loudness_db, report.sample_rate) if report.frames else []


def _write(output: Path, heard: Survey, analysis: Analysis) -> None:
    if output.suffix.lower() == ".json":
        write_text(output, json.dumps(_described(heard), indent=1) + "\n")
        return
    (report,) = heard.files
    if report.frames is None:
        raise ValueError(report.warnings[0])
    if output.suffix.lower() == ".csv":
        write_text(output, _table(report))
        return
    _draw(output, report, analysis)


def _draw(path: Path, report: FileReport, analysis: Analysis) -> None:
    from ddsp_studio.ui.displays.analysis_picture import save_analysis_picture

    if report.frames is None:
        return
    audio = open_corpus([Entry(report.path, "audio")], analysis).recordings[0].audio
    title = f"{report.path.name} · {report.usable_s:.1f} s to learn from"
    save_analysis_picture(path, title, audio, report.sample_rate, report.frames, _notes(report))


def _table(report: FileReport) -> str:
    """Frames as CSV: seconds, f0 in Hz (empty where there is none), confidence, loudness in dB."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["time_s", "f0_hz", "confidence", "loudness_db"])
    period_s = frame_period(report.sample_rate) / report.sample_rate
    if report.frames is not None:
        for m, (f0_hz, confidence, db) in enumerate(zip(*report.frames, strict=True)):
            rows.writerow([f"{m * period_s:.6f}", f"{f0_hz:.3f}" if f0_hz > 0.0 else "", f"{confidence:.4f}", f"{db:.2f}"])
    return text.getvalue()


def _described(heard: Survey) -> dict[str, Any]:
    files = []
    for report in heard.files:
        frames: dict[str, Any] = {}
        if report.frames is not None:
            names = ("f0_hz", "confidence", "loudness_db")
            frames = {name: np.round(column, 4).tolist() for name, column in zip(names, report.frames, strict=True)}
        files.append(
            {
                "file": str(report.path),
                "seconds": round(report.seconds, 3),
                "usable_seconds": round(report.usable_s, 3),
                "keys": report.keys,
                "warnings": list(report.warnings),
                "frame_period_s": frame_period(report.sample_rate) / report.sample_rate,
                "notes": [{name: round(value, 4) for name, value in note._asdict().items()} for note in _notes(report)],
                "frames": frames,
            }
        )
    return {"usable_seconds": round(heard.usable_s, 3), "advice": list(heard.advice), "files": files}
