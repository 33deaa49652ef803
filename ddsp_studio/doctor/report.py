"""The report: all probes at once, findings in a fixed order."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ddsp_studio.doctor import checks
from ddsp_studio.doctor.checks import Finding, Grade
from ddsp_studio.doctor.probes import PROBES, ask

_MARKS = {Grade.GOOD: ("✓", "green"), Grade.LIMITED: ("!", "yellow"), Grade.BAD: ("✗", "red")}


def examine() -> list[Finding]:
    """Ask all probes, each in a process of its own, and judge their facts. Takes as long as TensorFlow's import."""
    with ThreadPoolExecutor(len(PROBES)) as pool:
        facts = dict(zip(PROBES, pool.map(ask, PROBES), strict=True))
    return [
        checks.python(),
        checks.machine(),
        checks.tensorflow(facts["tensorflow"]),
        checks.gpu(facts["tensorflow"]),
        checks.window(facts["window"]),
        checks.audio(facts["audio"]),
        checks.midi(facts["midi"]),
        checks.shipped(facts["shipped"]),
        checks.folders(),
    ]


def report(*, as_json: bool = False) -> int:
    """Print the findings; returns 1 if something that the studio cannot do without lacks, else 0."""
    with contextlib.nullcontext() if as_json else _waiting():
        findings = examine()
    if as_json:
        sys.stdout.write(json.dumps([asdict(finding) for finding in findings], indent=1, ensure_ascii=False) + "\n")
    else:
        _print(findings)
    return int(any(finding.grade is Grade.BAD for finding in findings))


@contextlib.contextmanager
def _waiting() -> Iterator[None]:
    with Console(stderr=True).status("Examining this computer …"):
        yield


def _print(findings: list[Finding]) -> None:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for finding in findings:
        mark, colour = _MARKS[finding.grade]
        told = Text(finding.found)
        if finding.advice:
            told.append(f"\n→ {finding.advice}", style=colour)
        table.add_row(Text(mark, style=colour), Text(finding.subject, style="bold"), told)
    console = Console(width=None if sys.stdout.isatty() else 200)
    console.print(table)
    bad = [finding.subject for finding in findings if finding.grade is Grade.BAD]
    limited = [finding.subject for finding in findings if finding.grade is Grade.LIMITED]
    verdict = f"The studio will not work: {', '.join(bad)}." if bad else "The studio works."
    console.print(Text(verdict + (f" Limited: {', '.join(limited)}." if limited else ""), style="bold"))
