"""What XLA has compiled is kept on disk, so that the next start has it at once and not after seconds of compiling.

Lowered nodes (`processors/lowered.py`) lie in the same folder: a node that is there is one that XLA has its code of.

It is machine code, as every compiler's cache: it lies where only the user writes, is made by this program alone, and serves only
the same processor and TensorFlow. XLA writes each file whole. Thread rule: `use` before TensorFlow computes anything; all
else on any thread.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import platform
import shutil
import tempfile
import threading
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import platformdirs

_FLAGS = "TF_XLA_FLAGS"
_MAX_BYTES = 300_000_000
_MARK = "compiling"
_logger = logging.getLogger(__name__)


def folder() -> Path:
    """The platform's cache folder, or "cache" under DDSP_STUDIO_HOME; a part of it for each kind of machine."""
    home = os.environ.get("DDSP_STUDIO_HOME")
    base = Path(home) / "cache" if home else platformdirs.user_cache_path("ddsp_studio", False)
    return base / "xla" / _machine()


def _machine() -> str:
    """A name for processor and TensorFlow: code for one must not run on another."""
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        wanted = [line for line in lines if line.startswith(("flags", "Features", "model name"))]
        return _hash(*sorted(set(wanted)))
    return _hash(platform.machine(), platform.processor())


def _hash(*words: str) -> str:
    return hashlib.sha256("\n".join((*words, metadata.version("tensorflow"))).encode()).hexdigest()[:16]


class XlaCache:
    """A folder of compiled programs; the oldest go when there are too many."""

    def __init__(self, place: Path) -> None:
        """Nothing is read or written before `use`."""
        self.place = place
        self._lock, self._working, self._closed = threading.Lock(), 0, False

    def use(self) -> bool:
        """Have TensorFlow use it, if it can be written; before TensorFlow computes. False if it cannot."""
        try:
            self.place.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._mark.exists():
                _logger.warning("the engine ended while it compiled; what was kept is compiled anew")
                self.forget()
            self._prune()
            with tempfile.TemporaryFile(dir=self.place) as probe:
                probe.write(bytes(4096))
        except OSError as problem:
            _logger.warning("what XLA compiles is not kept: %s", problem)
            return False
        flags = [os.environ.get(_FLAGS, ""), f'--tf_xla_persistent_cache_directory="{self.place}"']
        os.environ[_FLAGS] = " ".join(filter(None, flags))
        return True

    @property
    def _mark(self) -> Path:
        return self.place / _MARK

    def _prune(self) -> None:
        held = 0
        for path in sorted(self.place.iterdir(), key=lambda path: -path.stat().st_mtime_ns):
            held += path.stat().st_size
            if held > _MAX_BYTES:
                path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """While something is compiled or read: should the process end in it, the next one starts from nothing."""
        with self._lock, contextlib.suppress(OSError):
            self._working += 1
            if not self._closed:
                self._mark.touch()
        try:
            yield
        finally:
            with self._lock:
                self._working -= 1
                if not self._working:
                    self._unmark()

    def _unmark(self) -> None:
        with contextlib.suppress(OSError):
            self._mark.unlink(missing_ok=True)

    def close(self) -> None:
        """The process will end in order, though it compiles; what fails now says nothing of what is kept."""
        with self._lock:
            self._closed = True
            self._unmark()

    def forget(self) -> None:
        """Delete what is kept: it is damaged, or the disk is full."""
        if self._closed:
            return
        shutil.rmtree(self.place, ignore_errors=True)
        with contextlib.suppress(OSError):
            self.place.mkdir(mode=0o700, parents=True, exist_ok=True)
