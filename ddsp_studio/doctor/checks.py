"""From facts to findings: what is well, what lacks, and the line that mends it."""

from __future__ import annotations

import enum
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ddsp_studio.doctor.probes import Facts
from ddsp_studio.ui import paths

APT = "sudo apt-get install -y --no-install-recommends"
QT_LIBRARIES = (
    "libegl1 libgl1 libglib2.0-0 libdbus-1-3 libfontconfig1 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-image0 "
    "libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xkb1"
)


class Grade(str, enum.Enum):
    """How a finding stands: GOOD, LIMITED (the studio works, something does not) or BAD (the studio does not work)."""

    GOOD = "good"
    LIMITED = "limited"
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """One line of the report; `advice` says what to do, "" where nothing needs doing."""

    subject: str
    grade: Grade
    found: str
    advice: str = ""


def python() -> Finding:
    """The interpreter."""
    version = platform.python_version()
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        return Finding("Python", Grade.BAD, version, "install Python 3.11, 3.12 or 3.13 and make the environment with it")
    return Finding("Python", Grade.GOOD, f"{version} on {platform.system()} {platform.machine()}")


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" + ("" if count == 1 else "s")


def _listed(names: list[str], thing: str) -> str:
    """How many, and the first of them."""
    return f"{_counted(len(names), thing)}: {', '.join(names[:4])}" + (", …" if len(names) > 4 else "")


def machine() -> Finding:
    """Processor cores and memory."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30 if hasattr(os, "sysconf") else 0.0
    found = _counted(cores, "core") + (f", {memory:.0f} GiB memory" if memory else "")
    if cores < 2 or 0 < memory < 3.5:
        return Finding("Computer", Grade.LIMITED, found, "two cores and 4 GiB are the least for playing without dropouts")
    return Finding("Computer", Grade.GOOD, found)


def tensorflow(facts: Facts) -> Finding:
    """The engine's library."""
    if "error" in facts or not facts["works"]:
        reason = facts.get("error", "computes wrongly")
        return Finding("TensorFlow", Grade.BAD, reason, "install again: pip install -c constraints.txt ddsp-studio")
    return Finding("TensorFlow", Grade.GOOD, f"{facts['version']}, ready in {facts['seconds']:.1f} s")


def gpu(facts: Facts) -> Finding:
    """Whether TensorFlow uses the graphics card that is there."""
    card = _nvidia_card()
    if facts.get("gpus"):
        return Finding("GPU", Grade.GOOD, ", ".join(facts["gpus"]))
    if card:
        advice = "make gpu  (or: pip install 'ddsp-studio[gpu]'), which adds TensorFlow's CUDA libraries"
        return Finding("GPU", Grade.LIMITED, f"{card} is there, but TensorFlow does not use it", advice)
    if sys.platform == "win32":
        return Finding("GPU", Grade.GOOD, "none used; TensorFlow reaches GPUs under WSL2 only, see README")
    return Finding("GPU", Grade.GOOD, "none; everything runs on the CPU")


def _nvidia_card() -> str:
    program = shutil.which("nvidia-smi") or (
        "/usr/lib/wsl/lib/nvidia-smi" if Path("/usr/lib/wsl/lib/nvidia-smi").exists() else ""
    )
    if not program:
        return ""
    try:
        command = [program, "--query-gpu=name", "--format=csv,noheader"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip().splitlines()[0] if done.stdout.strip() else ""


def window(facts: Facts) -> Finding:
    """Qt and the display."""
    if "error" in facts:
        return Finding("Window", Grade.BAD, facts["error"], f"install Qt's system libraries: {APT} {QT_LIBRARIES}")
    version = f"Qt {facts['version']}"
    if facts["version"].startswith("6.12.") and sys.version_info < (3, 12):
        return Finding("Window", Grade.BAD, f"{version} aborts on Python 3.11", "pip install PySide6-Essentials==6.11.3")
    if not facts["display"]:
        advice = "start from a desktop session or with `ssh -X`; `render`, `demo` and `bench` work without one"
        return Finding("Window", Grade.LIMITED, f"{version}, but there is no display", advice)
    return Finding("Window", Grade.GOOD, f"{version} on {facts['platform']}, {', '.join(facts['screens'])}")


def audio(facts: Facts) -> Finding:
    """The way to the speakers."""
    if "error" in facts:
        lacking = "PortAudio library not found" in facts["error"]
        advice = f"{APT} libportaudio2" if sys.platform == "linux" else "pip install --force-reinstall sounddevice"
        return Finding("Audio", Grade.BAD if lacking else Grade.LIMITED, facts["error"], advice)
    if not facts["outputs"]:
        advice = "plug in an interface, or start PipeWire, PulseAudio or JACK; until then the studio runs silent and exports"
        return Finding("Audio", Grade.LIMITED, "no output device", advice if not _wsl() else f"{advice} (WSLg brings PulseAudio)")
    if "refused" in facts:
        advice = "choose another output or rate in the studio's audio settings"
        return Finding("Audio", Grade.LIMITED, f"the default output refuses 48 kHz stereo: {facts['refused']}", advice)
    return Finding("Audio", Grade.GOOD, _listed(facts["outputs"], "output"))


def _wsl() -> bool:
    return "microsoft" in platform.release().lower()


def midi(facts: Facts) -> Finding:
    """Keyboards."""
    if "error" in facts:
        return Finding("MIDI", Grade.LIMITED, facts["error"], "pip install --force-reinstall python-rtmidi")
    if facts.get("sequencer") == "missing":
        found, advice = "neither ALSA's sequencer nor a JACK server is there", "sudo modprobe snd-seq, or start JACK"
        return Finding("MIDI", Grade.LIMITED, found, f"{advice}; until then the computer's keys play")
    if facts.get("sequencer") == "locked":
        advice = "sudo usermod -aG audio $USER, then log in again"
        return Finding("MIDI", Grade.LIMITED, "you may not use ALSA's sequencer, /dev/snd/seq", advice)
    if not facts["inputs"]:
        return Finding("MIDI", Grade.GOOD, "no keyboard plugged in; the computer's keys play, too")
    return Finding("MIDI", Grade.GOOD, _listed(facts["inputs"], "input"))


def shipped(facts: Facts) -> Finding:
    """The program's own parts."""
    if "error" in facts or facts["refused"]:
        reason = facts.get("error") or "; ".join(facts["refused"])
        return Finding("Patches", Grade.BAD, reason, "install again: pip install --force-reinstall --no-deps ddsp-studio")
    found = f"{facts['processors']} processors, {facts['patches']} factory patches, {facts['midi']} performances"
    if facts["foreign"]:
        return Finding("Patches", Grade.LIMITED, f"{found}; {'; '.join(facts['foreign'])}", "mend or remove that package")
    return Finding("Patches", Grade.GOOD, found)


def folders() -> Finding:
    """Where the window keeps settings, patches, models, recoveries, recordings and logs."""
    settings = paths.settings_file().parent
    used = (settings, paths.patches(), paths.models(), paths.trainings(), paths.recovery(), paths.recordings(), paths.logs())
    for folder in used:
        place = next(parent for parent in (folder, *folder.parents) if parent.exists())
        try:
            with tempfile.TemporaryFile(dir=place):
                pass
        except OSError as problem:
            reason = f"{place} cannot be written: {problem.strerror}"
            advice = f"give yourself the right to write there, or name another folder in {paths.HOME}"
            return Finding("Folders", Grade.LIMITED, reason, f"what you make is kept in {folder}: {advice}")
    return Finding("Folders", Grade.GOOD, f"settings in {settings}, patches in {paths.patches()}")
