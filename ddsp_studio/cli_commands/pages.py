"""The pages of documentation that are made from the declarations: docs/processors.md, and one page for each category."""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ddsp_studio.cli_commands.catalogue import HEADINGS, by_category, rows
from ddsp_studio.cli_commands.gallery_scenes import CAPTIONS
from ddsp_studio.cli_commands.literature import works
from ddsp_studio.files import write_text
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.catalogue import processor_types
from ddsp_studio.processors.declare import Option, OptionValue, Spec

COSTS, PICTURES = "processors/cost.json", "gallery"
"""Beside the pages: what `bench --nodes --json` wrote, and the folder of `gallery --pictures`."""
RATE = 48_000
_INTRODUCTION = """\
# Processors

Made from the declarations by `make docs`; `ddsp-studio processors` prints the controls in a terminal, and with `--json` as data
for other programs. Everything here is for options and controls as they are by default, at 48 kHz.

- **Latency** is in samples. Parallel ways of unequal latency are aligned by the patch.
- **Tail** is the time until the output has fallen by 60 dB after the input fell silent.
- **Cost** is what the node adds to a block of 256 samples (5333 µs), in µs: with 8 voices, and with left and right behind the
  VoiceMixer.
- **Source** is the published method; the pages give it in full, and what was done in another way.

Every picture in the pages was drawn by `ddsp-studio gallery`, which renders the sounds, too.
"""


def write(folder: Path) -> list[Path]:
    """Write all pages into the folder of documentation; the files that were written."""
    written = []
    for name, text in pages(folder).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
        written.append(path)
    return written


def pages(folder: Path) -> dict[str, str]:
    """Every page by its place in the folder of documentation, whose costs and pictures it names."""
    costs, machine = _costs(folder / COSTS)
    pictures = {path.stem for path in (folder / PICTURES).glob("*.png")}
    types = processor_types()
    categories = by_category({name: kind.spec for name, kind in types.items()})
    index = [_INTRODUCTION, f"{machine}\n"] if machine else [_INTRODUCTION]
    made = {}
    for category, specs in categories.items():
        index += [f"## {category}", "", *_summary(category, specs, costs), ""]
        members = [types[spec.name] for spec in specs]
        page = [f"# {category}", "", "Made from the declarations by `make docs`; see [all processors](../processors.md).", ""]
        page += [text for kind in members for text in _processor(kind, costs, pictures)]
        made[f"processors/{category.lower()}.md"] = "\n".join(page).rstrip() + "\n"
    return {"processors.md": "\n".join(index).rstrip() + "\n", **made}


def _costs(path: Path) -> tuple[dict[tuple[str, int], float], str]:
    """Microseconds by type and rows, and a sentence on the machine; nothing where there are no measurements."""
    if not path.exists():
        return {}, ""
    held = json.loads(path.read_text(encoding="utf-8"))
    machine = held["machine"]
    cores = f"{machine['cores']} core{'s' if machine['cores'] != 1 else ''}"
    where = f"Costs were measured on {machine['processor']}, {cores}, {machine['system']}, TensorFlow {machine['tensorflow']}"
    return {(row["type"], row["rows"]): row["us"] for row in held["nodes"]}, f"{where}, nodes compiled by XLA, one thread."


def _summary(category: str, specs: list[Spec], costs: Mapping[tuple[str, int], float]) -> list[str]:
    headings = ("Processor", "What it does", "Latency", "Tail", "8 voices, µs", "Stereo, µs", "Source")
    lines = [line(headings), "| --- | --- | ---: | ---: | ---: | ---: | --- |"]
    for spec in specs:
        kind = processor_types()[spec.name]
        link = f"[{spec.name}](processors/{category.lower()}.md#{spec.name.lower()})"
        source = "; ".join(work.short for work in works(kind.__doc__ or ""))
        tail = _tail(kind)
        cost = [f"{costs[spec.name, n]:.0f}" if (spec.name, n) in costs else "" for n in (8, 2)]
        lines.append(
            line((link, spec.summary, str(_instance(kind).latency or ""), _seconds(tail) if tail else "", *cost, source))
        )
    return lines


def _processor(kind: type[Processor], costs: Mapping[tuple[str, int], float], pictures: set[str]) -> list[str]:
    spec, text = kind.spec, inspect.cleandoc(kind.__doc__ or "")
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
    lines = [f"## {spec.name}", "", *(piece for part in paragraphs for piece in (part, ""))]
    if spec.name in pictures:
        lines += [f"![{spec.name}](../{PICTURES}/{spec.name}.png)", ""]
        lines += [f"*{CAPTIONS[spec.name]}*", ""] if spec.name in CAPTIONS else []
    lines += [_facts(kind, costs), "", line(HEADINGS), line(["---"] * len(HEADINGS)), *(line(row) for row in rows(spec)), ""]
    sources = works(text)
    if sources:
        lines += ["Sources:", "", *(f"- {work.full}" for work in sources), ""]
    return lines


def _facts(kind: type[Processor], costs: Mapping[tuple[str, int], float]) -> str:
    spec = kind.spec
    facts = [f"Latency {_latency(kind)}", _tail_text(kind)]
    said = {8: "with 8 voices", 2: "on left and right"}
    measured = [f"{costs[spec.name, n]:.0f} µs {where}" for n, where in said.items() if (spec.name, n) in costs]
    facts += [f"cost {', '.join(measured)}"] if measured else []
    facts += ["works on left and right, so it belongs after the VoiceMixer"] if spec.stereo else []
    trained = ", ".join(f"{name} ({weight.doc})" if weight.doc else name for name, weight in spec.weights.items())
    facts += [f"learns {trained}"] if trained else []
    return "; ".join(facts) + f". Version {spec.version}."


def _instance(kind: type[Processor], **options: OptionValue) -> Processor:
    return _made(kind.spec.name, tuple(options.items()))


@functools.cache
def _made(name: str, options: tuple[tuple[str, OptionValue], ...]) -> Processor:
    chosen: dict[str, Any] = dict(options)
    return processor_types()[name](RATE, **chosen)


def _latency(kind: type[Processor]) -> str:
    """Samples by default, and where options change them."""
    usual = _instance(kind).latency
    if not usual:
        return "0"
    others = []
    for name, option in kind.spec.options.items():
        for value in _ends(option):
            samples = _instance(kind, **{name: value}).latency
            said = value if isinstance(value, str) else f"{value:g}"
            others += [f"{samples} at {name} {said}"] if samples != usual else []
    return f"{usual} samples" + (f" ({', '.join(others)})" if others else "")


def _ends(option: Option) -> tuple[OptionValue, ...]:
    if option.choices or option.path:
        return option.choices
    return (int(option.low), int(option.high)) if isinstance(option.default, int) else (option.low, option.high)


def _tail(kind: type[Processor], **moved: float) -> float:
    processor = _instance(kind)
    values = {}
    for name, control in kind.spec.controls.items():
        channels = processor.channels(name)
        values[name] = (moved[name],) * channels if name in moved else control.defaults(channels)
    return processor.tail_s(values)


def _tail_text(kind: type[Processor]) -> str:
    usual, moving = _tail(kind), []
    for name, control in kind.spec.controls.items():
        if any(_seconds(_tail(kind, **{name: value})) != _seconds(usual) for value in (control.low, control.high)):
            moving.append(name)
    if not usual and not moving:
        return "no tail"
    return f"tail {_seconds(usual)}" + (f", which {', '.join(moving)} move{'s' if len(moving) == 1 else ''}" if moving else "")


def _seconds(tail_s: float) -> str:
    return f"{tail_s * 1e3:.3g} ms" if 0.0 < tail_s < 0.9995 else f"{tail_s:.3g} s"


def line(cells: tuple[str, ...] | list[str]) -> str:
    """A line of a table."""
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
