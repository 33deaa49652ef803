"""The bench as a command: which measurements, in which tables, and as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from ddsp_studio.files import write_text
from ddsp_studio.quiet import load_tensorflow

_console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)


def run(chosen: list[str], *, quick: bool, json_path: Path | None, stablehlo: Path | None) -> int:
    """Run the chosen measurements (block times and offline speed if none is), print tables; returns the exit code.

    Raises:
        OSError: a file cannot be written.
    """
    load_tensorflow()
    from ddsp_studio.bench import measure

    results: dict[str, Any] = {"machine": measure.machine()}
    _console.print(", ".join(f"{key} {value}" for key, value in results["machine"].items() if value not in (None, [])))
    well = True
    for name in chosen or ([] if stablehlo else ["blocks", "offline"]):
        results[name], good = _PARTS[name](quick)
        well = well and good
    if stablehlo is not None:
        from ddsp_studio.bench.stablehlo import export

        results["stablehlo"] = export(stablehlo)
        _console.print(
            "StableHLO in {file}: {bytes} bytes, {arguments} arguments, {results} results".format(**results["stablehlo"])
        )
    if json_path is not None:
        write_text(json_path, json.dumps(results, indent=1) + "\n")
        _console.print(f"Measurements in {json_path}")
    return 0 if well else 1


def _table(title: str, headings: Iterable[str]) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


def _blocks(quick: bool) -> tuple[list[dict[str, Any]], bool]:
    from ddsp_studio.bench import blocks, subject

    rows = []
    for reverb in (True, False):
        what = f"{subject.PARTIALS} partials + {subject.BANDS} noise bands"
        what += f" + {subject.REVERB_S:g} s stereo convolution reverb" if reverb else ", no reverb"
        headings = (
            "voices",
            "block",
            "budget ms",
            "median ms",
            "p99 ms",
            "median %",
            "p99 %",
            "baseline median %",
            "baseline p99 %",
        )
        table = _table(f"Block times at {subject.SAMPLE_RATE / 1000:g} kHz: {what}", headings)
        with _console.status("Measuring block times …"):
            for row in blocks.live_rows(quick=quick, reverb=reverb):
                rows.append(row)
                ours, base = row["studio"], row["baseline"]
                table.add_row(
                    str(row["voices"]),
                    str(row["block"]),
                    f"{row['budget_ms']:.2f}",
                    f"{ours['median']:.2f}",
                    f"{ours['p99']:.2f}",
                    *(f"{100 * side[key]:.0f}" for side in (ours, base) for key in ("median_share", "p99_share")),
                )
        _console.print(table)
    return rows, True


def _offline(quick: bool) -> tuple[list[dict[str, Any]], bool]:
    from ddsp_studio.bench import blocks

    table = _table("Offline: times real time, blocks of 0.1 s", ("voices", "studio", "baseline"))
    rows = []
    with _console.status("Measuring offline speed …"):
        for row in blocks.offline_rows(quick=quick):
            rows.append(row)
            table.add_row(str(row["voices"]), f"{row['studio_times_real_time']:.1f}", f"{row['baseline_times_real_time']:.1f}")
    _console.print(table)
    return rows, True


def _clips(quick: bool) -> tuple[list[dict[str, Any]], bool]:
    from ddsp_studio.bench import clips

    sound = f"{clips.PARTIALS} partials, {clips.BANDS} noise bands, reverb of {clips.TAPS} taps"
    title = f"{clips.CLIPS} clips of {clips.SECONDS} s at {clips.RATE / 1000:g} kHz: {sound}"
    headings = ("", "studio s", "baseline s", "ratio", "studio peak MB", "baseline peak MB", "ratio")
    table = _table(title, headings)
    with _console.status("Measuring whole clips …"):
        rows = clips.rows(quick=quick)
    for row in rows:
        ours, base = row["studio"], row["baseline"]
        times = [f"{side['median'] / 1e3:.2f}" for side in (ours, base)]
        memory = [f"{side['peak_mb']:.0f}" for side in (ours, base)]
        table.add_row(row["what"], *times, f"{row['time_ratio']:.2f}", *memory, f"{row['memory_ratio']:.2f}")
    _console.print(table)
    return rows, True


def _xla(quick: bool) -> tuple[list[dict[str, Any]], bool]:
    from ddsp_studio.bench import xla

    with _console.status("Compiling with XLA …"):
        rows = xla.rows(quick=quick)
    headings = ("voices", "block", "plain median ms", "p99", "XLA median ms", "p99", "difference dB", f"≤ {xla.LIMIT_DB:g} dB")
    table = _table("The patch as one function, plain and under XLA", headings)
    for row in rows:
        times = [f"{row[name][key]:.2f}" for name in ("plain", "xla") for key in ("median", "p99")]
        table.add_row(
            str(row["voices"]), str(row["block"]), *times, f"{row['difference_db']:.0f}", "yes" if row["same"] else "NO"
        )
    _console.print(table)
    return rows, all(row["same"] for row in rows)


def _nodes(quick: bool) -> tuple[list[dict[str, Any]], bool]:
    from ddsp_studio.bench import nodes, subject

    title = f"What a processor adds to a block of {nodes.BLOCK} samples at {subject.SAMPLE_RATE / 1000:g} kHz"
    table = _table(title, ("processor", "rows", "µs", "before XLA, µs"))
    rows = []
    with _console.status("Measuring processors …") as status:
        for row in nodes.rows(quick=quick):
            rows.append(row)
            table.add_row(row["type"], str(row["rows"]), f"{row['us']:.1f}", f"{row['plain_us']:.1f}")
            status.update(f"Measuring processors … {row['type']}")
    _console.print(table)
    return rows, True


def _edits(quick: bool) -> tuple[list[dict[str, Any]], bool]:
    from ddsp_studio.bench import edits

    with _console.status("Editing …"):
        rows = edits.rows(quick=quick)
    table = _table("Structural edit to first block, ms", ("edits", "count", "median", "p90", "p99", "worst"))
    for row in rows:
        table.add_row(row["what"], str(row["count"]), *(f"{row[key]:.0f}" for key in ("median", "p90", "p99", "worst")))
    _console.print(table)
    return rows, True


def _startup(quick: bool) -> tuple[list[dict[str, Any]], bool]:
    from ddsp_studio.bench import recovery, startup

    with _console.status("Starting the studio …"):
        rows = [*startup.rows(quick=quick), recovery.row(quick=quick)]
    table = _table("From the start of the program, warm disk; from the kill", ("until", "times", "median s", "worst s"))
    for row in rows:
        table.add_row(row["what"], str(row["count"]), f"{row['median_s']:.2f}", f"{row['worst_s']:.2f}")
    _console.print(table)
    return rows, True


def _live(quick: bool) -> tuple[dict[str, Any], bool]:
    from ddsp_studio.bench import live, window

    found: dict[str, Any] = {}
    parts = (("Live playing", live.dropouts), ("With the window", window.row), ("Key to sound, in samples", live.key_to_sound))
    for title, measured in parts:
        try:
            with _console.status(f"{title} …"):
                found[title] = measured(quick=quick)
        except Exception as problem:  # every audio library has exceptions of its own, and each of them means the same here
            found[title] = {"not measured": str(problem) or type(problem).__name__}
        table = _table(title, ("", ""))
        for name, value in found[title].items():
            table.add_row(name.replace("_", " "), f"{value:.4g}" if isinstance(value, float) else str(value))
        _console.print(table)
    return found, all("not measured" not in part for part in found.values())


def _training(quick: bool) -> tuple[list[dict[str, Any]], bool]:
    from ddsp_studio.bench import beside_training

    with _console.status("Playing, without and with a training …"):
        rows = beside_training.rows(quick=quick)
    title = f"The shipped {beside_training.MODEL}, 8 voices in blocks of 256"
    table = _table(title, ("", "blocks", "dropouts", "load median %", "p99 %", "steps learnt"))
    for row in rows:
        loads = (f"{100 * row[key]:.0f}" for key in ("load_median", "load_p99"))
        table.add_row(row["what"], str(row["blocks"]), str(row["dropouts"]), *loads, str(row["steps"]))
    _console.print(table)
    return rows, True


_PARTS: dict[str, Callable[[bool], tuple[Any, bool]]] = {
    "blocks": _blocks,
    "offline": _offline,
    "clips": _clips,
    "xla": _xla,
    "nodes": _nodes,
    "edits": _edits,
    "startup": _startup,
    "live": _live,
    "training": _training,
}
