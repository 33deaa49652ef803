"""The trainer as a process: `python -m ddsp_studio.training.process`, commands on standard input, events on standard output.

The training runs on a thread of its own, at low priority, beside the thread that listens. It ends, and keeps what was learned,
when its input ends: so it never outlives the studio.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from ddsp_studio import __version__
from ddsp_studio.children import BadCommand, LineSender, commands, protected_stdout
from ddsp_studio.dsp.tensor import gpu_peak_mib
from ddsp_studio.processors import patch_file
from ddsp_studio.quiet import load_tensorflow
from ddsp_studio.refusal import sentence
from ddsp_studio.training import protocol
from ddsp_studio.training.background import stand_back
from ddsp_studio.training.runs import Order, Run
from ddsp_studio.training.trainer import Control, Trainer, peak_mib


class Host:
    """Runs one training after the other, as it is told. Thread rule: the thread that reads the commands."""

    def __init__(self, sender: LineSender, cache: Path | None) -> None:
        self._sender, self._cache = sender, cache
        self._control = Control()
        self._thread: threading.Thread | None = None

    def obey(self, command: protocol.Command) -> bool:
        """Do what a command says; False when it is to quit."""
        match command:
            case protocol.Begin() | protocol.GoOn():
                self._start(command)
            case protocol.Pause(paused=True):
                self._control.running.clear()
            case protocol.Pause():
                self._control.running.set()
            case protocol.Stop():
                self._stop(discard=command.discard)
            case _:
                return False
        return True

    def end(self) -> None:
        """Stop, keep, and wait for it."""
        self._stop(discard=False)
        if self._thread is not None:
            self._thread.join()

    def _stop(self, *, discard: bool) -> None:
        if discard:
            self._control.discard.set()
        self._control.stop.set()
        self._control.running.set()

    def _start(self, command: protocol.Begin | protocol.GoOn) -> None:
        if self._thread is not None and self._thread.is_alive():
            self._sender.send(protocol.Notice(text="A training is going on already; stop it first."))
            return
        self._control = Control()
        self._thread = threading.Thread(target=self._run, args=(command, self._control), name="training", daemon=True)
        self._thread.start()

    def _run(self, command: protocol.Begin | protocol.GoOn, control: Control) -> None:
        run = Run(Path(command.folder))
        try:
            if isinstance(command, protocol.Begin):
                order = Order(
                    name=command.name, sources=tuple(command.sources), settings=command.settings, licence=command.licence
                )
                run.begin(order, patch_file.from_json(command.patch))
            elif command.more_minutes:
                run.prolong(command.more_minutes)
            load_tensorflow()
            resumed = isinstance(command, protocol.GoOn)
            Trainer(run, self._sender.send, control, cache=self._cache, resumed=resumed).run()
        except Exception as problem:  # whatever it is, the studio must be told
            known = isinstance(problem, (ValueError, OSError))
            text = sentence(problem) if known else f"The training failed: {type(problem).__name__}: {sentence(problem)}"
            if not known:
                sys.excepthook(type(problem), problem, problem.__traceback__)
            model = str(run.model) if run.model.is_file() else ""
            self._sender.send(
                protocol.Ended(how="failed", model=model, text=text, peak_mib=peak_mib(), peak_gpu_mib=gpu_peak_mib())
            )


def main() -> int:
    """Serve until the input ends."""
    stand_back()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    pipe = protected_stdout()
    sender = LineSender(pipe, protocol.encode, (protocol.Progress, protocol.Preparing))
    cache = os.environ.get("DDSP_STUDIO_CACHE")
    host = Host(sender, Path(cache) if cache else None)
    sender.send(protocol.Hello(protocol=protocol.VERSION, pid=os.getpid(), version=__version__))
    for command in commands(sys.stdin.buffer, protocol.decode_command):
        if isinstance(command, BadCommand):
            sender.send(protocol.Notice(text=str(command)))
        elif not host.obey(command):
            break
    host.end()
    sender.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
