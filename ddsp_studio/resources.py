"""What ships with the program: factory patches, demo performances and trained models, in a checkout and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).resolve().parent

PATCHES, MIDI, MODELS, TEMPLATES = "patches", "midi", "models", "templates"
_SUFFIXES = {PATCHES: (".ddsp",), MIDI: (".mid", ".midi"), MODELS: (".ddspmodel",), TEMPLATES: (".ddsp",)}


def folder() -> Path:
    """The folder of resources: `resources/` of a checkout, or its copy inside the installed package."""
    installed = _HERE / "_resources"
    return installed if installed.is_dir() else _HERE.parent / "resources"


def factory(kind: str) -> dict[str, Path]:
    """Every shipped file of a kind (`PATCHES`, `MIDI`, `MODELS` or `TEMPLATES`) by its name without suffix, sorted."""
    files = (folder() / kind).glob("*") if (folder() / kind).is_dir() else ()
    return {path.stem: path for path in sorted(files) if path.suffix in _SUFFIXES[kind]}


def find(kind: str, given: str) -> Path:
    """The file that a person means by `given`: a path, or the name of a shipped file of this kind.

    Raises:
        FileNotFoundError: in one sentence that lists the shipped names.
    """
    path = Path(given).expanduser()
    if path.is_file():
        return path
    shipped = factory(kind)
    wanted = path.stem if path.suffix in _SUFFIXES[kind] and path.name == given else given
    for name, place in shipped.items():
        if name.lower() == wanted.lower():
            return place
    if path.exists():
        return path
    names = f"; the shipped ones are {', '.join(shipped)}" if shipped else ""
    raise FileNotFoundError(f"there is no file {given!r}{names}")
