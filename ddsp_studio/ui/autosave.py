"""Autosave: the document in a recovery file after each edit and every 30 s, offered again after a crash."""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer

from ddsp_studio.children import process_mark, runs_elsewhere
from ddsp_studio.files import read_text, write_text
from ddsp_studio.processors import patch_file
from ddsp_studio.processors.patch import Patch
from ddsp_studio.ui.document import Document

_AFTER_EDIT_MS, _EVERY_MS = 400, 30_000


@dataclass(frozen=True)
class Recovered:
    """Unsaved work of a studio that did not end in order."""

    file: Path
    patch: Patch
    path: Path | None
    """The file it belonged to; None for never-saved work."""
    saved: float
    """When, in seconds since the epoch."""

    def discard(self) -> None:
        """Forget it."""
        with contextlib.suppress(OSError):
            self.file.unlink()


class Autosave(QObject):
    """Writes the document's recovery file while it is dirty, and removes it when there is nothing to recover."""

    def __init__(self, document: Document, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self.file = folder / f"{os.getpid()}-{time.time_ns()}.json"
        self.problem = ""
        self._last: Patch | None = None
        self._soon = QTimer(self, interval=_AFTER_EDIT_MS, singleShot=True)
        self._soon.timeout.connect(self.save)
        self._often = QTimer(self, interval=_EVERY_MS)
        self._often.timeout.connect(self.save)
        self._often.start()
        document.changed.connect(self._soon.start)
        document.dirty_changed.connect(lambda _dirty: self._soon.start())

    def save(self) -> None:
        """Write or remove the recovery file, as the document's state asks for."""
        self._soon.stop()
        if not self._document.dirty:
            self.clear()
            return
        patch = self._document.patch
        if patch is self._last:
            return
        path = self._document.path
        data = {
            "path": str(path) if path else "",
            "saved": time.time(),
            "since": process_mark(os.getpid()),
            "patch": patch_file.to_json(patch),
        }
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            write_text(self.file, json.dumps(data))
            self._last, self.problem = patch, ""
        except OSError as problem:
            self.problem = f"The work could not be autosaved: {problem.strerror or problem}."

    def clear(self) -> None:
        """Remove the recovery file."""
        self._last = None
        with contextlib.suppress(OSError):
            self.file.unlink()

    def close(self) -> None:
        """Stop, and leave nothing behind: the studio ends in order."""
        self._soon.stop()
        self._often.stop()
        self.clear()


def find(folder: Path) -> list[Recovered]:
    """Work that ended studios left behind, the newest first. Damaged files are put aside, never raised."""
    found = []
    for file in folder.glob("*.json"):
        owner = file.stem.partition("-")[0]
        pid = int(owner) if owner.isdigit() else 0
        try:
            data = json.loads(read_text(file, patch_file.MAX_BYTES, "patch"))
            if not (pid and runs_elsewhere(pid, str(data.get("since", "")))):
                found.append(_recovered(file, data))
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            if not (pid and runs_elsewhere(pid, "")):
                with contextlib.suppress(OSError):
                    file.replace(file.with_suffix(".bad"))
    return sorted(found, key=lambda item: item.saved, reverse=True)


def _recovered(file: Path, data: dict[str, Any]) -> Recovered:
    path = str(data["path"])
    return Recovered(file, patch_file.from_json(data["patch"]), Path(path) if path else None, float(data["saved"]))
