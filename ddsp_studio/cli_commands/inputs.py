"""What a command reads: it is not written over, and of a model that cannot be played the name is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ddsp_studio.processors.nesting import expand, sheet_of
from ddsp_studio.processors.patch import Patch, PatchError


def check_target(output: Path, read: Iterable[Path | str | None]) -> None:
    """Refuse (ValueError) to write over one of the files that are read, whatever it is called there; None stands for no file."""
    if any(_same(output, Path(path)) for path in read if path):
        raise ValueError(f"{str(output)!r} is read by this command, which would write over it; name another file to write")


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other.expanduser())
    except (OSError, RuntimeError):  # one of them is not there, or nobody's home
        return False


def files_of(patch: Patch) -> Iterator[str]:
    """Files that the nodes of a patch read: impulse responses, recordings, models."""
    for node in expand(patch).nodes.values():
        sheet = sheet_of(node)
        for name, option in sheet.options.items() if sheet is not None else ():
            if option.path:
                yield str(node.options.get(name, ""))


@contextmanager
def naming(model: str) -> Iterator[None]:
    """Name the model in what is wrong with the patch in it (ValueError)."""
    try:
        yield
    except PatchError as problem:
        raise ValueError(f"the model {model!r} cannot be played: {problem}") from problem
