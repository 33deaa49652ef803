"""The catalogue of processors as tables and as JSON; and the verdict on a patch."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping

from ddsp_studio import resources
from ddsp_studio.processors import patch_file
from ddsp_studio.processors.catalogue import problems, specs
from ddsp_studio.processors.check import check, silence, zones
from ddsp_studio.processors.declare import Control, Inlet, Option, Outlet, Signal, Spec

HEADINGS = ("Port", "Kind", "Unit", "Range", "Law", "Default", "What it does")
"""Of the columns of `rows`."""


def verdict(given: str) -> str:
    """One sentence on a patch (path or factory name) that is well formed; PatchError or OSError in one sentence otherwise."""
    path = resources.find(resources.PATCHES, given)
    patch = patch_file.load(path)
    check(patch)
    count = len(set(zones(patch).values()))
    mute = silence(patch)
    found = f"well formed, but nothing can be heard: {mute}" if mute else "sound"
    return f"{path.name}: {found} ({len(patch.nodes)} nodes, {len(patch.cables)} cables, {count} zones, {patch.content_hash()})"


def show(name: str | None, *, as_json: bool = False) -> None:
    """Print the catalogue, or one processor of it; ValueError if no processor has the name."""
    chosen = _chosen(name)
    for problem in problems:
        sys.stderr.write(f"ddsp-studio: {problem}\n")
    if as_json:
        sys.stdout.write(json.dumps([spec.to_json() for spec in chosen.values()], indent=1, ensure_ascii=False) + "\n")
    else:
        _print_tables(chosen)


def _chosen(name: str | None) -> Mapping[str, Spec]:
    known = specs()
    if name is None:
        return known
    for held, spec in known.items():
        if held.lower() == name.lower():
            return {held: spec}
    raise ValueError(f"there is no processor {name!r}; there are {', '.join(known)}")


def rows(spec: Spec) -> Iterator[tuple[str, str, str, str, str, str, str]]:
    """A processor's ports and options as text, one row each, in the order of `HEADINGS`."""
    for name, inlet in spec.inlets.items():
        yield (name, f"{_signal(inlet)} in", "", "", "", "", inlet.doc)
    for name, control in spec.controls.items():
        low, high = control.format(control.low), control.format(control.high)
        kind = "control" + (f" × {control.channels}" if control.channels != 1 else "")
        yield (name, kind, control.unit, f"{low} … {high}", control.law._value_, _default(control), control.doc)
    for name, option in spec.options.items():
        default = option.default if isinstance(option.default, str) else f"{option.default:g}"
        yield (name, "option", option.unit, _allowed(option), "", default, option.doc)
    for name, outlet in spec.outlets.items():
        size = f" × {outlet.channels}" if outlet.channels != 1 else ""
        yield (name, f"{_signal(outlet)} out{size}", outlet.unit, "", "", "", outlet.doc)


def _signal(port: Inlet | Outlet) -> str:
    return {Signal.NOTES: "performance"}.get(port.signal, port.signal.value)


def _default(control: Control) -> str:
    if isinstance(control.default, tuple):
        shown = ", ".join(control.format(value) for value in control.default[:4])
        return shown + (", …" if len(control.default) > 4 else "")
    return control.format(control.default)


def _allowed(option: Option) -> str:
    if option.choices:
        return ", ".join(option.choices)
    return f"{option.path} file" if option.path else f"{option.low:g} … {option.high:g}"


def by_category(chosen: Mapping[str, Spec]) -> dict[str, list[Spec]]:
    """Data sheets by category, both in the order of their declaration."""
    categories: dict[str, list[Spec]] = {}
    for spec in chosen.values():
        categories.setdefault(spec.category, []).append(spec)
    return categories


def _print_tables(chosen: Mapping[str, Spec]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else 140)
    for category, members in by_category(chosen).items():
        console.print(Text(category, style="bold underline"), end="\n\n")
        for spec in members:
            console.print(Text.assemble((spec.name, "bold cyan"), f"  {spec.summary}"))
            table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
            for heading in HEADINGS:
                table.add_column(heading, no_wrap=heading in ("Port", "Kind"))
            for row in rows(spec):
                table.add_row(*(Text(cell) for cell in row))
            console.print(table)
