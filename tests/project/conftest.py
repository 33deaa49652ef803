"""A small patch that sounds, and the command line as a function."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from ddsp_studio import cli
from ddsp_studio.bench import subject
from ddsp_studio.processors import patch_file


class Outcome(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run the command line in this process: exit code, standard output and standard error."""

    def command(*arguments: object) -> Outcome:
        monkeypatch.setattr("sys.argv", ["ddsp-studio", *map(str, arguments)])
        monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
        try:
            code = cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        shown = capsys.readouterr()
        return Outcome(code, shown.out, shown.err)

    return command


@pytest.fixture
def patch_path(tmp_path: Path) -> Path:
    """A sound patch on disk, light enough to render in a moment."""
    path = tmp_path / "small.ddsp"
    patch_file.save(subject.patch(reverb=False), path)
    return path


@pytest.fixture
def broken(tmp_path: Path, patch_path: Path) -> Callable[[Callable[[dict], object]], Path]:
    """Write the patch after its JSON data went through a function."""

    def write(harm: Callable[[dict], object]) -> Path:
        data = json.loads(patch_path.read_text())
        harm(data)
        path = tmp_path / "broken.ddsp"
        path.write_text(json.dumps(data))
        return path

    return write
