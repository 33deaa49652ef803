"""The shipped violin played live, without and with a training beside it: does the sound suffer?"""

from __future__ import annotations

import contextlib
import io
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from ddsp_studio.audio.measure import measure_live
from ddsp_studio.processors import model_file
from ddsp_studio.processors.model_patch import instrument

MODEL = "violin"
_SECONDS, _QUICK_SECONDS = 32.0, 8.0
_LEARNING_S = 90.0
"""Until the trainer has listened, compiled and made its first steps; at most."""


def rows(*, quick: bool) -> list[dict[str, Any]]:
    """Dropouts and load of eight voices in blocks of 256, chords and a moving knob, without a training and with one.

    Raises:
        TimeoutError, RuntimeError: the engine did not play, or the trainer did not learn.
    """
    seconds, found = _QUICK_SECONDS if quick else _SECONDS, []
    for what, beside in (("alone", contextlib.nullcontext()), ("beside a training", _training())):
        with beside as steps:
            report = measure_live(instrument(MODEL), seconds=seconds, edit_every_s=0.0, bare=False)
            blocks = round(seconds * report.sample_rate / report.block)
            row = {"what": what, "blocks": blocks, "dropouts": report.dropouts}
            row |= {"load_median": report.load_median, "load_p99": report.load_p99}
            found.append(row | {"steps": len(steps()) if steps is not None else 0})
    return found


@contextlib.contextmanager
def _training() -> Iterator[Any]:
    """A training of the size small on what the model says of itself; yields a function that gives its lines of progress."""
    with tempfile.TemporaryDirectory() as folder:
        place, log = Path(folder), Path(folder) / "log"
        sound, rate = soundfile.read(io.BytesIO(model_file.find(MODEL).files["preview.flac"]), dtype="float32")
        soundfile.write(place / "material.wav", np.tile(sound, 12), rate)
        command = [sys.executable, "-m", "ddsp_studio.cli", "train", str(place / "material.wav"), "-o", str(place / "run")]
        with log.open("wb") as written:
            options = ["--minutes", "60", "--size", "small", "--json"]
            process = subprocess.Popen([*command, *options], stdout=written, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

        def progress() -> list[bytes]:
            return [line for line in log.read_bytes().splitlines() if b'"Progress"' in line]

        try:
            end = time.monotonic() + _LEARNING_S
            while len(progress()) < 3:
                if process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"the training did not begin: {log.read_text(errors='replace')[-300:]}")
                time.sleep(0.2)
            yield progress
        finally:
            process.send_signal(signal.SIGINT)  # stops and keeps
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(60.0)
            process.kill()
            process.wait()
