"""What sound devices there are, asked in a child process so that a hung sound server or a rescan never touches our stream.

`python -m ddsp_studio.audio.devices` prints the list as JSON.

Thread rule: `list_outputs` takes a third of a second and may be called on any thread but the render thread; `find_output`
and `refresh_portaudio` only on the device keeper's thread.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from ddsp_studio.audio.protocol import Device

_TIMEOUT_S = 8.0


class DeviceMissing(LookupError):
    """The wished-for output is not there; the text is one sentence."""


def list_outputs() -> list[Device]:
    """The audio outputs that are plugged in now, default first; empty if PortAudio is missing or does not answer."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__], capture_output=True, timeout=_TIMEOUT_S, check=True, stdin=subprocess.DEVNULL
        )
        return [Device(**entry) for entry in json.loads(done.stdout)]
    except (OSError, subprocess.SubprocessError, ValueError, TypeError):
        return []


def refresh_portaudio() -> None:
    """Let PortAudio look for devices again. Only while no stream is open."""
    import sounddevice

    sounddevice._terminate()
    sounddevice._initialize()


def find_output(wish: str) -> tuple[int, str]:
    """PortAudio's index and the name of the output that `wish` names ("" is the default, else "name" or "name, host").

    Raises:
        DeviceMissing: there is no such output.
    """
    import sounddevice

    found = [(index, entry) for index, entry in enumerate(sounddevice.query_devices()) if entry["max_output_channels"] > 0]
    if not found:
        raise DeviceMissing("There is no audio output.")
    if not wish:
        default = sounddevice.default.device[1]
        index, entry = next((pair for pair in found if pair[0] == default), _likely(found))
        return index, str(entry["name"])
    hosts = sounddevice.query_hostapis()
    for index, entry in found:
        if wish in (entry["name"], f"{entry['name']}, {hosts[entry['hostapi']]['name']}"):
            return index, str(entry["name"])
    raise DeviceMissing(f"The audio output {wish!r} is not there.")


def _likely(found: list[tuple[int, Any]]) -> tuple[int, Any]:
    """The output to use where PortAudio names no default: real ones before null devices, JACK's speakers first."""
    for word in ("system", "default", "pipewire", "pulse"):
        for pair in found:
            if pair[1]["name"] == word:
                return pair
    return found[0]


def hardware_mark() -> str:
    """A text that changes when a sound card comes or goes, cheap to ask; "" where the system does not tell."""
    try:
        with open("/proc/asound/cards", encoding="utf-8", errors="replace") as cards:
            return cards.read()
    except OSError:
        return ""


def default_sample_rate(index: int) -> int:
    """The rate in Hz that a device prefers."""
    import sounddevice

    return int(sounddevice.query_devices(index)["default_samplerate"])


def _print_outputs() -> None:
    """Write the list to standard output, where nothing else may write."""
    out = os.dup(1)
    os.dup2(2, 1)
    import sounddevice

    hosts = sounddevice.query_hostapis()
    default = sounddevice.default.device[1]
    entries = [
        (index != default, {
            "name": entry["name"],
            "host": hosts[entry["hostapi"]]["name"],
            "channels": entry["max_output_channels"],
            "sample_rate": int(entry["default_samplerate"]),
        })
        for index, entry in enumerate(sounddevice.query_devices())
        if entry["max_output_channels"] > 0
    ]  # fmt: skip
    listed = [entry for _, entry in sorted(entries, key=lambda pair: pair[0])]
    with os.fdopen(out, "w") as stream:
        json.dump(listed, stream)


if __name__ == "__main__":
    _print_outputs()
