"""What the browser lists: factory patches, the user's patches, trained models, MIDI files. Free of Qt."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path

from ddsp_studio import resources
from ddsp_studio.processors import model_file, patch_file
from ddsp_studio.processors.patch import PatchError
from ddsp_studio.ui import instruments, paths

OWN_MODELS = "My instruments"
"""The group of the models that were trained here."""
MOST = 2000
"""Files listed of one folder at most."""


class Kind(enum.Enum):
    """What an entry is."""

    PATCH = "patch"
    MODEL = "model"
    MIDI = "midi"


@dataclass(frozen=True)
class Entry:
    """A file that the browser can open."""

    kind: Kind
    title: str
    path: Path
    group: str
    factory: bool = False
    detail: str = ""
    """Author, tags and notes, for the tooltip and the search."""
    damaged: bool = False
    """Whether the file cannot be opened; previous and next pass it by."""

    def matches(self, words: str) -> bool:
        """Whether every typed word is in the title, the group or the detail."""
        text = f"{self.title} {self.group} {self.detail}".lower()
        return all(word in text for word in words.lower().split())


def entries() -> list[Entry]:
    """Everything there is, group by group, sorted by title."""
    listed: list[Entry] = []
    shipped = (
        ("Factory", Kind.PATCH, resources.PATCHES),
        ("Instruments", Kind.MODEL, resources.MODELS),
        ("Demos", Kind.MIDI, resources.MIDI),
    )
    own = (
        ("My patches", Kind.PATCH, paths.patches(), (patch_file.SUFFIX,)),
        (OWN_MODELS, Kind.MODEL, paths.models(), (model_file.SUFFIX,)),
        ("My takes", Kind.MIDI, paths.recordings(), (".mid", ".midi")),
    )
    models = resources.factory(resources.MODELS)
    for group, kind, name in shipped:
        # the patch of a shipped model is what its entry among the instruments opens
        files = [path for stem, path in resources.factory(name).items() if kind is not Kind.PATCH or stem not in models]
        listed += sorted((_entry(kind, path, group, True) for path in files), key=_by_title)
    for group, kind, folder, suffixes in own:
        files = [path for path in folder.rglob("*") if path.suffix.lower() in suffixes] if folder.is_dir() else []
        listed += sorted((_entry(kind, path, group, False) for path in files[:MOST]), key=_by_title)
    return listed


def _by_title(entry: Entry) -> str:
    return entry.title.lower()


def _entry(kind: Kind, path: Path, group: str, factory: bool) -> Entry:
    plain = path.stem.replace("_", " ")
    if kind is Kind.MIDI:
        return Entry(kind, plain[:1].upper() + plain[1:], path, group, factory)
    if kind is Kind.MODEL:
        return _model_entry(path, plain, group, factory)
    try:
        patch = patch_file.load(path)
    except (PatchError, OSError) as problem:
        return Entry(kind, plain, path, group, factory, f"cannot be opened: {problem}", damaged=True)
    detail = "\n".join(filter(None, (", ".join(patch.tags), patch.author and f"by {patch.author}", patch.notes)))
    return Entry(kind, patch.name if factory or patch.name not in ("", "Untitled") else plain, path, group, factory, detail)


def _model_entry(path: Path, plain: str, group: str, factory: bool) -> Entry:
    try:
        about = model_file.read_about(path)
    except (ValueError, OSError) as problem:
        return Entry(Kind.MODEL, plain, path, group, factory, f"cannot be opened: {problem}", damaged=True)
    name = about.get("name")
    title = name if factory and isinstance(name, str) and name else plain
    title = title[:1].upper() + title[1:] if factory else path.stem  # the user's own are called as the user called them
    return Entry(Kind.MODEL, title, path, group, factory, instruments.described(about))
