"""Writing files so that no failure loses what was there."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: Path, *, keep_previous: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it is synced and takes its place, on failure nothing changes.

    With `keep_previous` the file that was there stays as "name~".

    Raises:
        OSError: with the reason and the name of `path`, when the folder cannot be written or the disk is full.
    """
    path = Path(path)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    except OSError as problem:
        raise _naming(path, problem) from problem
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        os.chmod(temporary, path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
        if keep_previous and path.exists():
            os.replace(path, path.with_name(path.name + "~"))
        os.replace(temporary, path)
    except OSError as problem:
        if problem.errno and problem.filename in (None, name):
            raise _naming(path, problem) from problem
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _naming(path: Path, problem: OSError) -> OSError:
    """The same problem with the name that the user gave."""
    return OSError(problem.errno, problem.strerror, str(path))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_text(path: Path, text: str, *, keep_previous: bool = False) -> None:
    """Write a UTF-8 text file atomically."""
    with replacing(path, keep_previous=keep_previous) as temporary:
        temporary.write_text(text, encoding="utf-8")
