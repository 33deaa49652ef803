"""The trainings of this user on disk, and the models that come of them. Free of Qt.

A training has a folder (see `training/runs.py`); beside the trainer's files a note says to whom it belongs and how it stands.
From its first checkpoint on the model lies among the user's models under the name that it will keep, so a patch may play it at
once.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from ddsp_studio.children import process_mark, runs_elsewhere
from ddsp_studio.files import read_bytes, replacing, write_text
from ddsp_studio.processors.model_file import SUFFIX
from ddsp_studio.training.runs import Run
from ddsp_studio.ui import paths

NOTE = "studio.json"
_LARGEST_NOTE = 2**20
KEPT = 5
"""Folders of ended trainings that are kept, for their checkpoints' sounds."""
RUNNING, ENDED = "running", "ended"


class Note(msgspec.Struct, frozen=True):
    """What the studio knows of a training: its `name`, the `model` file to be, the studio's `pid`, and how it stands.

    `since` tells that studio from a later program of the same id (`children.process_mark`).
    """

    name: str
    model: str
    pid: int
    state: str = RUNNING
    begun: float = 0.0
    since: str = ""
    published: bool = False
    """Whether the model in that place is this training's."""


class Training:
    """One training's folder with its note."""

    def __init__(self, folder: Path, note: Note) -> None:
        self.folder, self.note = folder, note
        self._noting = threading.Lock()

    @property
    def name(self) -> str:
        """Name of the instrument."""
        return self.note.name

    @property
    def model(self) -> Path:
        """Its place among the user's models."""
        return Path(self.note.model)

    @property
    def has_checkpoint(self) -> bool:
        """Whether there is something to go on from."""
        return (self.folder / "last.ckpt").is_file()

    def mark(self, state: str) -> None:
        """Write down how it stands, and that it is this studio's (OSError if that cannot be written)."""
        here = os.getpid()
        self._write_down(state=state, pid=here, since=process_mark(here))

    def _write_down(self, **changes: Any) -> None:
        with self._noting:  # models are published on a thread of their own
            self.note = msgspec.structs.replace(self.note, **changes)
            write_text(self.folder / NOTE, msgspec.json.encode(self.note).decode())

    def publish(self) -> bool:
        """Put the best model so far among the user's models; whether there is one (OSError if the disk does not take it)."""
        made = Run(self.folder).model
        if not made.is_file():
            return False
        self.model.parent.mkdir(parents=True, exist_ok=True)
        if not self.note.published:  # what the user has put there meanwhile is not written over
            model = _free(lambda n: self.model.with_name(f"{self.model.stem}{n}{SUFFIX}"), set())
            self._write_down(model=str(model), published=True)
        with replacing(self.model) as temporary:
            shutil.copyfile(made, temporary)
        return True

    def discard(self) -> None:
        """Remove folder and model."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.note.published:
            with contextlib.suppress(OSError):
                self.model.unlink()


def new(name: str) -> Training:
    """Make the folder of a new training, which is named as its model: as no other is (OSError if it cannot be made)."""
    stem = _plain(name)
    reserved = {training.model for training in _all()}
    model = _free(lambda n: paths.models() / f"{stem}{n}{SUFFIX}", reserved)
    folder = _free(lambda n: paths.trainings() / f"{time.strftime('%Y%m%d-%H%M%S')} {stem}{n}", set())
    folder.mkdir(parents=True)
    training = Training(folder, Note(model.stem, str(model), os.getpid(), RUNNING, time.time()))
    training.mark(RUNNING)
    return training


def _plain(name: str) -> str:
    return re.sub(r"[^\w\- ]+", "", name).strip()[:60] or "Instrument"


def _free(named: Callable[[str], Path], reserved: set[Path]) -> Path:
    for number in range(1, 10_000):
        path = named("" if number == 1 else f" {number}")
        if not path.exists() and path not in reserved:
            return path
    raise OSError("there are too many models of this name")


def _all() -> Iterator[Training]:
    for note in sorted(paths.trainings().glob(f"*/{NOTE}"), reverse=True):
        with contextlib.suppress(OSError, ValueError):
            yield Training(note.parent, _read(note))


def interrupted() -> list[Training]:
    """Trainings that did not come to an end and that no other studio is busy with, the newest first.

    One of this studio's own is among them: which it is busy with, it knows best.
    """
    return [training for training in _all() if _is_left(training.note)]


def is_free(training: Training) -> bool:
    """Whether a training is still left behind, and no trainer is at work in its folder: another studio may go on with it."""
    try:
        note = _read(training.folder / NOTE)
        with Run(training.folder).locked(0.0):
            return _is_left(note)
    except (OSError, ValueError):
        return False


def _read(note: Path) -> Note:
    return msgspec.json.decode(read_bytes(note, _LARGEST_NOTE, "note"), type=Note)


def _is_left(note: Note) -> bool:
    return note.state == RUNNING and not runs_elsewhere(note.pid, note.since)


def forget_old(keep: int = KEPT) -> None:
    """Remove the folders of all but the last ended trainings; their models stay."""
    ended = [training for training in _all() if training.note.state == ENDED]
    for training in ended[keep:]:
        shutil.rmtree(training.folder, ignore_errors=True)
