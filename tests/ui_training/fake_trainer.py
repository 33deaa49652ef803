"""A trainer that learns nothing: speaks the protocol as a real process, writes a training's files, and misbehaves on request.

An instrument named "Deadly" ends the process after its first checkpoint, once; "Doomed" each time, before any; "Failing" is said
to have failed; "Warned" comes with a notice; "Late" makes its first checkpoint when it is stopped.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import numpy as np
import soundfile

from ddsp_studio.processors import model_file, patch_file
from ddsp_studio.processors.model_file import Model
from ddsp_studio.training import protocol
from ddsp_studio.training.runs import Order, Run

RATE, EVERY, STEP_S, A_MINUTE = 16_000, 20, 0.004, 100


def say(event: protocol.Message) -> None:
    sys.stdout.buffer.write(protocol.encode(event))
    sys.stdout.buffer.flush()


class Training(threading.Thread):
    """Counts steps until it is told to stop."""

    def __init__(self, run: Run, more_minutes: float = 0.0) -> None:
        super().__init__(daemon=True)
        self.more = more_minutes
        self.run_, self.stop, self.discard, self.held = run, threading.Event(), False, threading.Event()

    def run(self) -> None:
        order, patch = self.run_.order()
        steps = round(order.settings.minutes * A_MINUTE)
        last = self.run_.folder / "last.ckpt"
        first = int(last.read_text()) if last.exists() else 0
        steps = first + round(self.more * A_MINUTE) if self.more else steps
        say(protocol.Preparing(share=0.5))
        if order.name == "Failing":
            say(protocol.Ended(how="failed", model="", text="a.wav is silent"))
            return
        if order.name == "Doomed":
            os._exit(9)
        say(protocol.Prepared(seconds=60.0, clips=9, held_out=1, range_midi=[55.0, 79.0], weights=1234, problems=[]))
        if order.name == "Warned":
            say(protocol.Notice(text="The memory ran out; going on with 2 clips in a step."))
        for step in range(first + 1, steps + 1):
            while self.held.is_set() and not self.stop.is_set():
                self.progress(step, steps, True)
                time.sleep(0.02)
            if self.stop.is_set():
                break
            time.sleep(STEP_S)
            self.progress(step, steps, False)
            if step % EVERY == 0 and order.name != "Late":
                self.checkpoint(step, patch)
                deadly = self.run_.folder / "died"
                if order.name == "Deadly" and not deadly.exists():
                    deadly.touch()
                    os._exit(9)
        if self.discard:
            import shutil

            shutil.rmtree(self.run_.folder)
            say(protocol.Ended(how="discarded", model=""))
            return
        if not last.exists():
            self.checkpoint(first + 1, patch)
        model = str(self.run_.model) if self.run_.model.exists() else ""
        say(protocol.Ended(how="stopped" if self.stop.is_set() else "done", model=model))

    def progress(self, step: int, steps: int, paused: bool) -> None:
        loss = 10.0 / (1.0 + step)
        say(
            protocol.Progress(step=step, steps=steps, loss=loss, steps_per_s=25.0, seconds=step / 25.0, left_s=9.0, paused=paused)
        )

    def checkpoint(self, step: int, patch: object) -> None:
        samples = self.run_.folder / "samples"
        for name in ("target", f"played-{step:07d}"):
            soundfile.write(samples / f"{name}.flac", np.zeros(RATE // 4, np.float32), RATE)
            np.savez(samples / f"{name}.npz", db=np.full((20, 65), -float(step % 90), np.float16), sample_rate=RATE, step=256)
        files = {"patch.ddsp": patch_file.dumps(patch).encode()}
        about = {"name": "x", "sample_rate": RATE, "nodes": {"decoder": "RnnDecoder"}, "range_midi": [55.0, 79.0], "step": step}
        model_file.save(Model(about, {"decoder": {"gru": np.full(3, step, np.float32)}}, files), self.run_.model)
        (self.run_.folder / "last.ckpt").write_text(str(step))
        scores = {"spectral": 9.0 - step / 100.0, "f0_accuracy": 0.97, "loudness_db": 2.5}
        with (self.run_.folder / "scores.csv").open("a") as log:
            log.write("" if log.tell() else "step,seconds,spectral\n")
            log.write(f"{step},{step / 25.0},{scores['spectral']}\n")
        with (self.run_.folder / "log.csv").open("a") as log:
            log.write("" if log.tell() else "step,loss\n")
            log.writelines(f"{s},{10.0 / (1.0 + s)}\n" for s in range(max(1, step - EVERY + 1), step + 1))
        stem = str(samples / f"played-{step:07d}")
        say(
            protocol.Checkpointed(
                step=step, seconds=step / 25.0, best=True, scores=scores, target=str(samples / "target"), played=stem, model=""
            )
        )


def main() -> None:
    say(protocol.Hello(protocol=protocol.VERSION, pid=os.getpid(), version="fake"))
    training: Training | None = None
    for line in sys.stdin.buffer:
        match protocol.decode_command(line):
            case protocol.Begin() as order:
                run = Run(Path(order.folder))
                chosen = Order(name=order.name, sources=tuple(order.sources), settings=order.settings, licence=order.licence)
                run.begin(chosen, patch_file.from_json(order.patch))
                training = Training(run)
                training.start()
            case protocol.GoOn(folder=folder, more_minutes=more):
                training = Training(Run(Path(folder)), more)
                training.start()
            case protocol.Pause(paused=paused) if training is not None:
                training.held.set() if paused else training.held.clear()
            case protocol.Stop(discard=discard) if training is not None:
                training.discard = discard
                training.stop.set()
            case protocol.Quit():
                break
            case _:
                pass
    if training is not None:
        training.stop.set()
        training.join(5.0)


if __name__ == "__main__":
    main()
