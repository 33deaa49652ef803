"""The studio's end of the engine: starts it, talks to it, watches it, and brings it back when it dies.

Free of Qt and TensorFlow. Callbacks come on the client's own threads.
"""

from __future__ import annotations

import collections
import contextlib
import enum
import logging
import logging.handlers
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ddsp_studio.audio import protocol
from ddsp_studio.audio.client_memory import Memory
from ddsp_studio.audio.client_process import EngineProcess, describe_exit, process_alive
from ddsp_studio.audio.telemetry import Telemetry

ENGINE = (sys.executable, "-m", "ddsp_studio.audio.engine")
"""Command line of the engine, without its arguments."""
_PREFIX = "ddsp_studio-"
_RESTART_DELAYS_S = (0.0, 0.5, 2.0, 5.0)
"""Waiting times before the restarts after the first, second… death within `_MEMORY_S`; one more death is final."""
_MEMORY_S = 60.0


class Health(enum.Enum):
    """How the engine fares."""

    STARTING = "starting"
    RUNNING = "running"
    RESTARTING = "restarting"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Patience:
    """How long the watchdog waits, in seconds: for the first message, for the render thread to move, for an orderly end."""

    start_s: float = 40.0
    stall_s: float = 10.0
    close_s: float = 3.0


class EngineClient:
    """A running engine, whatever happens to its process.

    Args:
        on_event: called with every event, on the reader thread.
        on_health: called with the health and one sentence for the user ("" when all is well), on any thread.
        log_path: the file that takes the engine's standard error, rotated at 1 MiB.
        command: how to start the engine, without the telemetry argument; the real one by default.
    """

    def __init__(
        self,
        on_event: Callable[[protocol.Event], None],
        on_health: Callable[[Health, str], None],
        log_path: Path,
        *,
        command: Sequence[str] = ENGINE,
        patience: Patience = Patience(),
    ) -> None:
        """Make the telemetry page; `start` starts the process. OSError if no folder can be written."""
        self._on_event, self._on_health, self._patience = on_event, on_health, patience
        self._folder = runtime_folder()
        self.telemetry = Telemetry(self._folder / "telemetry", create=True)
        self._command = [*command, "--telemetry", str(self.telemetry.path)]
        self.log_path = log_path
        self._log, self._handler = _open_log(log_path)
        self._lock = threading.RLock()
        self._memory = Memory()
        self._run: EngineProcess | None = None
        self._health = Health.STOPPED
        self._said_hello = False
        self._rendering = False
        self._waiting: protocol.Preview | None = None
        self._deaths: collections.deque[float] = collections.deque(maxlen=16)
        self._last_words: list[str] = []
        self._verdict = ""
        self._closing = threading.Event()
        self._watchdog = threading.Thread(target=self._watch, name="engine-watchdog", daemon=True)

    @property
    def health(self) -> Health:
        """How the engine fares now."""
        return self._health

    @property
    def pid(self) -> int:
        """Process id of the running engine, 0 if there is none."""
        run = self._run
        return run.pid if run else 0

    def start(self) -> None:
        """Start the engine and the watchdog (once)."""
        self._set_health(Health.STARTING, "")
        self._spawn()
        self._watchdog.start()

    def send(self, command: protocol.Command) -> None:
        """Send a command, now or as soon as an engine runs (any thread; never waits).

        What describes the sound (settings, patch, values, song, held keys) is remembered for a restart. What is to be heard
        beside the patch waits until an output runs.
        """
        with self._lock:
            self._memory.follow(command)
            if isinstance(command, protocol.Preview) and not self._rendering:
                self._waiting = command
            elif self._run is not None and self._said_hello:
                self._run.send(command)

    def restart(self) -> None:
        """Start again after a failure, or kill and restart an engine that runs."""
        with self._lock:
            self._deaths.clear()
            run = self._run
        if run is not None:
            self._verdict = "was restarted"
            run.kill()
        else:
            self._set_health(Health.STARTING, "")
            self._spawn()

    def report(self) -> str:
        """The last lines that the engine wrote before it last ended, for a bug report."""
        with self._lock:
            return "\n".join(self._last_words or (self._run.tail if self._run else []))

    def close(self) -> None:
        """End the engine in order and remove the telemetry page. Takes `Patience.close_s` at most."""
        self._closing.set()
        with self._lock:
            run, self._run = self._run, None
        if run is not None:
            run.close(self._patience.close_s)
        if self._watchdog.is_alive():
            self._watchdog.join(2.0)
        self._set_health(Health.STOPPED, "")
        self.telemetry.close(remove=True)
        shutil.rmtree(self._folder, ignore_errors=True)
        self._log.removeHandler(self._handler)
        self._handler.close()

    # -- one engine after the other -----------------------------------------------------------------------------------

    def _spawn(self) -> None:
        with self._lock:
            if self._closing.is_set() or self._run is not None:
                return
            self._said_hello = self._rendering = False
            self._verdict = ""
            try:
                self._run = EngineProcess(self._command, self._log, self._received, self._ended)
            except OSError as problem:
                self._set_health(Health.FAILED, f"The sound engine could not be started: {problem.strerror or problem}.")

    def _received(self, run: EngineProcess, event: protocol.Event) -> None:
        with self._lock:
            if run is not self._run:
                return
            self._memory.learn(event)
            greeted = isinstance(event, protocol.Hello)
            if isinstance(event, protocol.Status):
                self._rendering = event.state in ("running", "silent")
                if self._rendering and self._waiting is not None:
                    run.send(self._waiting)
                    self._waiting = None
            if isinstance(event, protocol.Hello) and event.protocol != protocol.VERSION:
                self._verdict = f"speaks protocol {event.protocol}, the window {protocol.VERSION}; reinstall ddsp_studio"
                self._deaths.extend([time.monotonic()] * len(_RESTART_DELAYS_S))
                run.kill()
                return
            if greeted:
                for command in self._memory.replay():
                    run.send(command)
                self._said_hello = True
            if isinstance(event, protocol.PatchPlays):
                for command in self._memory.owed_notes():
                    run.send(command)
        if greeted:
            self._set_health(Health.RUNNING, "")
        self._on_event(event)

    def _ended(self, run: EngineProcess, status: int) -> None:
        with self._lock:
            if run is not self._run or self._closing.is_set():
                return
            self._run, self._rendering = None, False
            self._last_words = list(run.tail)
            self._clear_meters()
            now = time.monotonic()
            self._deaths.append(now)
            recent = sum(now - death < _MEMORY_S for death in self._deaths)
            refused = self._memory.died()
            why = self._verdict or describe_exit(status)
            hopeless = recent > len(_RESTART_DELAYS_S)
            self._waiting = None  # whoever waited was told that the engine was lost
        if refused is not None:
            self._on_event(refused)
        if hopeless:
            self._set_health(Health.FAILED, f"The sound engine {why} again and again, and was given up.")
            return
        self._set_health(Health.RESTARTING, f"The sound engine {why}; it is being restarted with your patch.")
        threading.Thread(
            target=self._spawn_later, args=(_RESTART_DELAYS_S[recent - 1],), name="engine-restart", daemon=True
        ).start()

    def _spawn_later(self, delay_s: float) -> None:
        if not self._closing.wait(delay_s):
            self._spawn()

    def _clear_meters(self) -> None:
        for field in ("load", "load_peak", "voices", "limiting", "peak", "rms", "f0_hz", "n_partials", "node_levels", "keys"):
            self.telemetry.data[field] = 0

    def _watch(self) -> None:
        """Kill an engine that does not come up, or whose render thread stands still."""
        blocks, moved = -1, time.monotonic()
        while not self._closing.wait(0.25):
            with self._lock:
                run, rendering, greeted = self._run, self._rendering, self._said_hello
                now = time.monotonic()
                count = int(self.telemetry.data["blocks"])
                if count != blocks or not rendering:
                    blocks, moved = count, now
                verdict = ""
                if run is not None and not greeted and now - run.started > self._patience.start_s:
                    verdict = f"did not come up within {self._patience.start_s:g} s"
                elif run is not None and now - moved > self._patience.stall_s:
                    verdict, moved = f"stood still for {self._patience.stall_s:g} s", now
                if run is not None and verdict:
                    self._verdict = verdict
                    run.kill()

    def _set_health(self, health: Health, sentence: str) -> None:
        self._health = health
        self._on_health(health, sentence)


def runtime_folder() -> Path:
    """Make a folder for this process's shared page, in memory where the system has such a place, and sweep old ones.

    Writes to a page of a disk file may wait for the disk; the render thread must not.
    """
    base = Path("/dev/shm")
    if not (base.is_dir() and os.access(base, os.W_OK)):
        base = Path(tempfile.gettempdir())
    for old in base.glob(f"{_PREFIX}*-*"):
        owner = old.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdigit() and not process_alive(int(owner)):
            shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=base))


def _open_log(path: Path) -> tuple[logging.Logger, logging.Handler]:
    log = logging.getLogger(f"ddsp_studio.engine.{os.getpid()}")
    log.setLevel(logging.INFO)
    log.propagate = False
    handler: logging.Handler = logging.NullHandler()
    with contextlib.suppress(OSError):  # a full or read-only disk must not keep the engine from sounding
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(path, maxBytes=2**20, backupCount=3, encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    log.addHandler(handler)
    return log, handler
