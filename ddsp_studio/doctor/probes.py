"""Questions to the machine that may hang or crash; each runs in a process of its own and answers with one line of JSON.

`python -m ddsp_studio.doctor.probes NAME` is such a process.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ddsp_studio.audio.devices import jack_socket

TIMEOUT_S = 45.0
_PORTS_S = 20.0
_SEQUENCER, _BOTH_WAYS = Path("/dev/snd/seq"), os.R_OK | os.W_OK

Facts = dict[str, Any]


def ask(name: str) -> Facts:
    """A probe's facts; with the key "error" (one sentence) if it failed, hung or crashed."""
    command = [sys.executable, "-m", __name__, name]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_S, env=environment, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return {"error": f"gave no answer within {TIMEOUT_S:.0f} s"}
    lines = done.stdout.strip().splitlines()
    if lines and lines[-1].startswith("{"):
        facts: Facts = json.loads(lines[-1])
        return facts
    complaint = [line for line in done.stderr.strip().splitlines() if line.strip()]
    reason = complaint[-1].strip() if complaint else f"exit status {done.returncode}"
    return {"error": f"crashed: {reason[:300]}"}


def _tensorflow() -> Facts:
    begin = time.perf_counter()
    from ddsp_studio.dsp.tensor import tf

    version = tf.__version__
    gpus = []
    for device in tf.config.list_physical_devices("GPU"):
        details = tf.config.experimental.get_device_details(device)
        gpus.append(f"{details.get('device_name', device.name)}")
    total = float(tf.reduce_sum(tf.ones([64])))
    return {"version": version, "gpus": gpus, "works": total == 64.0, "seconds": time.perf_counter() - begin}


def _window() -> Facts:
    import PySide6
    from PySide6.QtGui import QGuiApplication

    display = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")) or sys.platform in ("darwin", "win32")
    if not display:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    application = QGuiApplication([])
    screens = [f"{s.size().width()}×{s.size().height()} at {s.devicePixelRatio():g}" for s in application.screens()]
    return {"version": PySide6.__version__, "platform": application.platformName(), "screens": screens, "display": display}


def _audio() -> Facts:
    import sounddevice

    hosts = sounddevice.query_hostapis()
    devices = sounddevice.query_devices()
    outputs = [f"{d['name']} ({hosts[d['hostapi']]['name']})" for d in devices if d["max_output_channels"] > 0]
    facts: Facts = {"version": sounddevice.get_portaudio_version()[1], "outputs": outputs}
    default = sounddevice.default.device[1]
    if outputs:
        try:
            sounddevice.check_output_settings(device=None if default < 0 else default, samplerate=48_000, channels=2)
        except (sounddevice.PortAudioError, ValueError) as problem:
            facts["refused"] = str(problem)
    return facts


def _midi() -> Facts:
    """What the engine finds, by the same code; no port is opened."""
    import rtmidi

    from ddsp_studio.audio.midi_input import MidiInputs

    seen: queue.SimpleQueue[list[str]] = queue.SimpleQueue()
    inputs = MidiInputs(lambda *_: None, seen.put, lambda _: None)
    inputs.choose([])
    inputs.start()
    try:
        ports = seen.get(timeout=_PORTS_S)
    except queue.Empty:
        return {"error": f"the list of MIDI inputs did not come within {_PORTS_S:.0f} s"}
    inputs.close()
    facts: Facts = {"version": rtmidi.version.version, "inputs": [port for port in ports if "Midi Through" not in port]}
    if sys.platform == "linux" and not jack_socket().exists():
        facts["sequencer"] = "missing" if not _SEQUENCER.exists() else "locked" if not os.access(_SEQUENCER, _BOTH_WAYS) else ""
    return facts


def _shipped() -> Facts:
    from ddsp_studio import resources
    from ddsp_studio.processors import patch_file
    from ddsp_studio.processors.catalogue import problems, specs
    from ddsp_studio.processors.check import check

    refused = []
    for name, path in resources.factory(resources.PATCHES).items():
        try:
            check(patch_file.load(path))
        except (OSError, ValueError) as problem:
            refused.append(f"{name}: {problem}")
    counts = {kind: len(resources.factory(kind)) for kind in (resources.PATCHES, resources.MIDI)}
    return {**counts, "processors": len(specs()), "refused": refused, "foreign": problems}


PROBES: dict[str, Callable[[], Facts]] = {
    "tensorflow": _tensorflow,
    "window": _window,
    "audio": _audio,
    "midi": _midi,
    "shipped": _shipped,
}


def main(name: str) -> None:
    """Answer one question on standard output."""
    try:
        facts = PROBES[name]()
    except Exception as problem:  # whatever a driver or library throws is the answer
        facts = {"error": f"{type(problem).__name__}: {str(problem).strip().splitlines()[0] if str(problem).strip() else ''}"}
    sys.stdout.write("\n" + json.dumps(facts) + "\n")
    sys.stdout.flush()
    os._exit(0)  # drivers that hang at exit must not count as hanging


if __name__ == "__main__":
    main(sys.argv[1])
