"""A training's folder: what was asked for, its checkpoints, its log and its samples. Every file appears whole or not at all.

settings.json   what was asked for: settings, recordings, licence
material.json   the recordings that were found, with their lengths and what tells their content
patch.ddsp      the patch that is trained
last.ckpt, best.ckpt    weights, optimizer and place in the data (a zip of arrays)
log.csv         a line for each step; scores.csv a line for each checkpoint; events/ the same for TensorBoard
samples/        target and resynthesis at every checkpoint: sound and spectrogram
model.ddspmodel the best model so far
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from ddsp_studio.files import read_member, read_text, replacing, write_text
from ddsp_studio.processors import patch_file
from ddsp_studio.processors.patch import Patch
from ddsp_studio.training.data.audio_source import misnamed
from ddsp_studio.training.data.corpus import Entry
from ddsp_studio.training.data.maestro import SPLITS
from ddsp_studio.training.data.nsynth import NSynthFilter
from ddsp_studio.training.features.extract import VERSION
from ddsp_studio.training.settings import Settings
from ddsp_studio.training.stepper import Learned

FORMAT, SCHEMA = "ddsp_studio training", 1
_MAX_BYTES = 2**31
_MAX_SETTINGS = 64 * 2**20
_MAX_MATERIAL = 64 * 2**20
_HIDDEN = "hidden/"
LOGS = ("log.csv", "scores.csv")
_NAMES = ("settings.json", "material.json", "patch.ddsp", "last.ckpt", "best.ckpt", *LOGS, "model.ddspmodel", "events", "samples")
PATIENCE_S = 10.0
"""How long a trainer waits for another one that is ending."""


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Recordings to learn from: a file or folder, of a kind ("" to find out), shifted by octaves; see `data.corpus.Entry`."""

    path: str
    kind: str = ""
    octave: int = 0
    nsynth: NSynthFilter = msgspec.field(default_factory=NSynthFilter)
    splits: tuple[str, ...] = SPLITS

    def entry(self) -> Entry:
        """The same as a part of a corpus (ValueError for what cannot be one)."""
        if words := misnamed(Path(self.path)):
            raise ValueError(words)
        return Entry(Path(self.path), self.kind, self.octave, self.nsynth, self.splits)


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was asked for: `name` of the instrument, where it learns from, under which `licence`, and how."""

    name: str
    sources: tuple[Source, ...]
    settings: Settings
    licence: str = ""


class Material(NamedTuple):
    """A recording that is learnt from: its name, length in samples, and a text that changes with its content ("" if unknown)."""

    name: str
    samples: int
    content: str = ""


class _Found(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What material.json holds; contents found by other `features` cannot be compared."""

    features: int
    recordings: list[Material]


class Checkpoint(NamedTuple):
    """Where a training stood.

    `learned`: weights, optimizer, step. `steps`: how many are planned, 0 if that is open. `seconds`: of training so far.
    `caution`: factor of the learning rate, below 1 after a step back. `at_once`: clips whose gradient is computed at once, fewer
    after the memory ran out. `best`: the best score so far, by the measure `judged_by`; scores of another one cannot be compared.
    """

    learned: Learned
    steps: int
    seconds: float
    caution: float
    at_once: int
    best: float
    judged_by: str = ""


class Run:
    """A training's folder."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; nothing is read or written yet."""
        self.folder = Path(folder)
        self.model = self.folder / "model.ddspmodel"
        self._made: list[Path] = []

    @property
    def exists(self) -> bool:
        """Whether a training was begun here."""
        return (self.folder / "settings.json").is_file()

    @property
    def has_checkpoint(self) -> bool:
        """Whether there is something to go on from."""
        return (self.folder / "last.ckpt").is_file()

    def begin(self, order: Order, patch: Patch) -> None:
        """Write down what is asked for.

        Raises:
            OSError: the folder cannot be written. NotADirectoryError: it is, or would be in, a file. FileExistsError: another
                training is in it, or something that a training would write over.
        """
        there = next((path for path in (self.folder, *self.folder.parents) if path.exists()), self.folder)
        if there.is_file():
            raise NotADirectoryError(f"{str(there)!r} is a file; name a folder to keep the training in")
        if self.exists:
            raise FileExistsError(f"{str(self.folder)!r} holds a training already; resume it, or name another folder")
        taken = next((name for name in _NAMES if _holds(self.folder / name)), "")
        if taken:
            place = repr(str(self.folder))
            raise FileExistsError(f"{place} holds {taken!r}, which a training would write over; name another folder")
        self._made = []
        try:
            self._make(self.folder / "samples")
            self._made.append(self.folder / "patch.ddsp")
            patch_file.save(patch, self.folder / "patch.ddsp")
            self._made.append(self.folder / "settings.json")
            self._write(order)
        except BaseException:
            self.abandon()
            raise

    def _make(self, folder: Path) -> None:
        """Make a folder and those around it, and remember which were not there."""
        missing = [place for place in (folder, *folder.parents) if not place.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        self._made += missing

    def _write(self, order: Order) -> None:
        data = {"format": FORMAT, "schema": SCHEMA, **msgspec.to_builtins(order)}
        write_text(self.folder / "settings.json", json.dumps(data, indent=1))

    def abandon(self) -> None:
        """Remove the files that `begin`, `check_material` and `log` of this object began, if nothing came of it; others stay."""
        for path in [path for path in self._made if not path.is_dir()]:
            path.unlink(missing_ok=True)
        for folder in sorted((path for path in self._made if path.is_dir()), key=lambda path: len(path.parts), reverse=True):
            with contextlib.suppress(OSError):  # not empty
                folder.rmdir()
        self._made = []

    @contextlib.contextmanager
    def locked(self, patience_s: float = PATIENCE_S) -> Iterator[None]:
        """Hold the folder, so that no other trainer writes it; where the system knows no such locks, nothing is held.

        Args:
            patience_s: seconds to wait for another one that is ending.

        Raises:
            ValueError: in one sentence, if another one does not end.
        """
        handle = _open_folder(self.folder)
        try:
            end = time.monotonic() + patience_s
            while handle is not None and not _lock(handle):
                if time.monotonic() > end:
                    raise ValueError(f"another trainer is at work in {str(self.folder)!r}; stop it first")
                time.sleep(0.1)
            yield
        finally:
            if handle is not None:
                os.close(handle)

    def lengthen(self, *, steps: int = 0, minutes: float = 0.0) -> None:
        """Ask for more: so many steps in all, or so many minutes.

        Raises:
            ValueError: in one sentence, when it was trained for as long already. OSError: it cannot be written down.
        """
        with self.locked():
            self._lengthen(steps, minutes)

    def _lengthen(self, steps: int, minutes: float) -> None:
        order, _ = self.order()
        held = self.load()
        if held is not None and steps and steps <= held.learned.step:
            raise ValueError(
                f"this training has done {held.learned.step} steps already; --steps takes how many it is to do in all"
            )
        if held is not None and not steps and 60.0 * minutes <= held.seconds:
            done = f"{held.seconds / 60.0:.1f} minutes"
            raise ValueError(f"this training has gone on for {done} already; --minutes takes how long it is to take in all")
        settings = msgspec.structs.replace(order.settings, steps=steps, minutes=0.0 if steps else minutes)
        if held is not None:
            self.save(held._replace(steps=steps), best=False)
        self._write(msgspec.structs.replace(order, settings=settings))

    def prolong(self, minutes: float) -> None:
        """Ask for so many minutes more than it has gone on for (ValueError, OSError as `lengthen`)."""
        held = self.load()
        self.lengthen(minutes=minutes + (held.seconds / 60.0 if held is not None else 0.0))

    @property
    def finished(self) -> bool:
        """Whether all that was asked for is done."""
        held, settings = self.load(), self.order()[0].settings
        late = held is not None and not settings.steps and held.seconds >= 60.0 * settings.minutes
        return late or (held is not None and 0 < held.steps <= held.learned.step)

    def order(self) -> tuple[Order, Patch]:
        """What was asked for.

        Raises:
            ValueError: in one sentence, when there is no training here or it cannot be read.
        """
        try:
            data = json.loads(read_text(self.folder / "settings.json", _MAX_SETTINGS, "file of settings"))
            if data.pop("format", "") != FORMAT or data.pop("schema", 0) != SCHEMA:
                raise ValueError(f"{str(self.folder)!r} holds no training that this version can read")
            return msgspec.convert(data, Order), patch_file.load(self.folder / "patch.ddsp")
        except (FileNotFoundError, NotADirectoryError) as problem:
            raise ValueError(f"there is no training in {str(self.folder)!r}") from problem
        except (json.JSONDecodeError, UnicodeDecodeError, msgspec.ValidationError, AttributeError) as problem:
            raise ValueError(f"the training in {str(self.folder)!r} cannot be read: {problem}") from problem

    def check_sources(self, order: Order) -> None:
        """Refuse to go on without something that was learnt from (ValueError): other weights would come of it."""
        for source in order.sources:
            if not Path(source.path).exists():
                raise ValueError(f"{source.path!r}, of which this training learns, is not there any more; put it back to go on")

    def check_material(self, found: Sequence[Material]) -> None:
        """Write down what recordings there are; later refuse others (ValueError)."""
        path = self.folder / "material.json"
        if not path.is_file():
            self._made.append(path)
            write_text(path, msgspec.json.encode(_Found(VERSION, list(found))).decode())
            return
        try:
            text = read_text(path, _MAX_MATERIAL, "list of recordings")
            held = msgspec.json.decode(text, type=_Found | list[tuple[str, int]])
        except msgspec.MsgspecError as problem:
            raise ValueError(f"{str(path)!r}, the list of recordings, is damaged") from problem
        if isinstance(held, _Found) and held.features == VERSION:
            before, now = Counter(held.recordings), Counter(found)
        else:  # runs of before know names and lengths only, and other features have other texts
            known = held.recordings if isinstance(held, _Found) else [Material(*pair) for pair in held]
            before, now = (Counter(Material(each.name, each.samples) for each in some) for some in (known, found))
        gone, new = [each.name for each in before - now], [each.name for each in now - before]
        if not gone and not new:
            return
        name = (gone or new)[0]
        what = "is not what it was" if name in gone and name in new else "is not there any more" if gone else "is new"
        raise ValueError(f"{name!r} {what} since this training began; with other recordings other weights would come of it")

    # -- checkpoints --------------------------------------------------------------------------------------------------------

    def save(self, checkpoint: Checkpoint, *, best: bool) -> None:
        """Keep a checkpoint as the last, and as the best if it is (OSError when it cannot be written)."""
        numbers = {key: getattr(checkpoint, key) for key in Checkpoint._fields[1:]} | {"step": checkpoint.learned.step}
        # the last one knows the best score, so the best one is whole before it
        for name in (*(["best.ckpt"] if best else []), "last.ckpt"):
            with replacing(self.folder / name) as temporary, zipfile.ZipFile(temporary, "w") as archive:
                archive.writestr("numbers.json", json.dumps(numbers))
                learned = checkpoint.learned
                arrays = {key: getattr(learned, key) for key in Learned._fields[:3]}
                for key, array in {**arrays, **{f"{_HIDDEN}{node}": held for node, held in learned.hidden.items()}}.items():
                    written = io.BytesIO()
                    np.save(written, array, allow_pickle=False)
                    archive.writestr(f"{key}.npy", written.getvalue())

    def load(self, name: str = "last.ckpt") -> Checkpoint | None:
        """A checkpoint; None if there is none yet.

        Raises:
            ValueError: in one sentence, when it is damaged, and if it is the last one, with what can be done.
        """
        path = self.folder / name
        if not path.is_file():
            return None
        try:
            with zipfile.ZipFile(path) as archive:
                if sum(info.file_size for info in archive.infolist()) > _MAX_BYTES:
                    raise ValueError("it is too large")
                numbers: dict[str, Any] = json.loads(read_member(archive, "numbers.json"))
                keys = [name.removesuffix(".npy") for name in archive.namelist() if name.startswith(_HIDDEN)]
                arrays = {
                    key: np.load(io.BytesIO(read_member(archive, f"{key}.npy")), allow_pickle=False)
                    for key in (*Learned._fields[:3], *keys)
                }
            if "batch" in numbers:  # as it was called at first
                numbers["at_once"] = numbers.pop("batch")
            hidden = {key.removeprefix(_HIDDEN): arrays.pop(key) for key in keys}
            learned = Learned(**arrays, step=int(numbers.pop("step")), hidden=hidden)
            return Checkpoint(learned=learned, **numbers)
        except (zipfile.BadZipFile, zlib.error, ValueError, KeyError, TypeError, EOFError, OSError, RuntimeError) as problem:
            way_on = f"; {self._way_on()}" if name == "last.ckpt" else ""
            raise ValueError(f"the checkpoint {str(path)!r} is damaged: {problem}{way_on}") from problem

    def _way_on(self) -> str:
        """What to do without the last checkpoint."""
        with contextlib.suppress(ValueError):
            if best := self.load("best.ckpt"):
                return f"copy best.ckpt over it to go on from step {best.learned.step}"
        return "there is no other one, so train anew in another folder"

    # -- logs ---------------------------------------------------------------------------------------------------------------

    def rewind(self, step: int) -> None:
        """Forget what the logs say of steps that are done anew."""
        for name, first in zip(LOGS, (step, step + 1), strict=True):
            path = self.folder / name
            if path.is_file():
                lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
                kept = lines[:1] + [line for line in lines[1:] if line.endswith("\n") and _number(line) < first]
                write_text(path, "".join(kept))

    def judged(self, step: int) -> bool:
        """Whether the scores of a step are written down."""
        path = self.folder / "scores.csv"
        return path.is_file() and any(_number(line) == step for line in path.read_text(encoding="utf-8").splitlines()[1:])

    def losses(self) -> list[float]:
        """The losses that were logged, step by step."""
        path = self.folder / "log.csv"
        if not path.is_file():
            return []
        with path.open(encoding="utf-8", newline="") as file:
            return [float(row["loss"]) for row in csv.DictReader(file) if row.get("loss")]

    def log(self, name: str, rows: Iterable[Mapping[str, float | int]]) -> None:
        """Add lines to a log; the keys of the first line are its columns."""
        path, rows = self.folder / name, list(rows)
        if not rows:
            return
        fresh = not path.is_file() or path.stat().st_size == 0
        self._made += [] if path.is_file() else [path]
        with path.open("a", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            if fresh:
                writer.writeheader()
            writer.writerows(rows)


def _number(line: str) -> int:
    head = line.split(",", 1)[0]
    return int(head) if head.isdigit() else 0


def _holds(path: Path) -> bool:
    """Whether there is something, more than an empty folder."""
    return any(path.iterdir()) if path.is_dir() else path.exists() or path.is_symlink()


def _open_folder(folder: Path) -> int | None:
    """A handle of a folder by which it can be locked; None where there are no such handles or locks."""
    try:
        import fcntl  # noqa: F401

        return os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        return None


def _lock(handle: int) -> bool:
    """Whether a folder could be taken, or cannot be taken by anybody: some network folders know no locks."""
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
