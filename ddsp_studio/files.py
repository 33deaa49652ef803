"""Reading files within bounds, and writing them so that no failure loses what was there."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path


class FileTooLarge(ValueError):
    """A file that is larger than any of its kind; the text is one sentence."""


def check_regular(path: Path) -> None:
    """Refuse what is no ordinary file: a folder holds no bytes, a device may never end, and a pipe may never begin.

    Raises:
        OSError: with the name and the reason in one sentence; so, too, if there is no such file.
    """
    mode = os.stat(path).st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder, not a file", str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is a device or a pipe, not a file", str(path))


def read_bytes(path: Path, most: int, kind: str) -> bytes:
    """What an ordinary file holds, `most` bytes at most, whatever size it is said to have.

    Args:
        path: the file. most: bytes. kind: what it is meant to be ("patch"), for the sentence.

    Raises:
        FileTooLarge: it holds more. OSError: it cannot be read, or is no ordinary file.
    """
    path = Path(path)
    check_regular(path)
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise FileTooLarge(f"{path.name} is larger than any {kind} ({most // 2**20} MiB)")
    return content


def read_text(path: Path, most: int, kind: str) -> str:
    """A UTF-8 text file, with or without a byte order mark, in the bounds of `read_bytes` (UnicodeDecodeError if it is none)."""
    return read_bytes(path, most, kind).decode("utf-8-sig")


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """A member of a zip, no longer than the archive says that it is (BadZipFile if that is untrue, KeyError if there is none)."""
    member = archive.getinfo(name)
    with archive.open(member) as file:
        return file.read(member.file_size)


@contextlib.contextmanager
def replacing(path: Path, *, keep_previous: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it is synced and takes its place, on failure nothing changes.

    With `keep_previous` the file that was there stays as "name~". At each moment there is a whole file called `path`, the old one
    or the new one.

    Raises:
        OSError: with the reason and the name of `path`, when it is a folder, the folder cannot be written or the disk is full.
    """
    path = Path(path)
    with contextlib.suppress(FileNotFoundError):
        check_regular(path)
    with _beside(path) as temporary:
        yield temporary
        _sync(temporary)
        os.chmod(temporary, path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
        if keep_previous and path.exists():
            _keep(path, path.with_name(path.name + "~"))
        os.replace(temporary, path)


def _keep(path: Path, kept: Path) -> None:
    """Give a file a second name, in place of what bore it before."""
    if kept.exists() and not kept.is_file():
        reason = f"the previous version would be kept as {kept.name}, which is a folder or a device"
        raise OSError(errno.EEXIST, reason, str(path))
    with _beside(kept) as temporary:
        temporary.unlink()
        try:
            os.link(path, temporary)
        except OSError:  # memory sticks and network folders have no links
            shutil.copy2(path, temporary)
            _sync(temporary)
        os.replace(temporary, kept)


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A temporary file in the folder of `path`, gone at the end unless it was renamed; problems with it are told of `path`."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    except OSError as problem:
        raise _naming(path, problem) from problem
    os.close(handle)
    try:
        yield Path(name)
    except OSError as problem:
        if problem.errno and problem.filename in (None, name):
            raise _naming(path, problem) from problem
        raise
    finally:
        Path(name).unlink(missing_ok=True)


def _naming(path: Path, problem: OSError) -> OSError:
    """The same problem with the name that the user gave."""
    return OSError(problem.errno, problem.strerror, str(path))


def _sync(path: Path) -> None:
    with path.open("rb+") as written:
        os.fsync(written.fileno())


def _umask() -> int:
    mask = os.umask(0o077)  # a file that another thread makes just now is nobody else's
    os.umask(mask)
    return mask


def write_text(path: Path, text: str, *, keep_previous: bool = False) -> None:
    """Write a UTF-8 text file atomically."""
    with replacing(path, keep_previous=keep_previous) as temporary:
        temporary.write_text(text, encoding="utf-8")
