"""What sound devices there are, asked in a child process so that a hung sound server or a rescan never touches our stream.

`python -m ddsp_studio.audio.devices` prints the list as JSON.

Thread rule: `list_devices` takes a third of a second and may be called on any thread but the render thread; `find_output`,
`find_input` and `PortAudio` only on the device keeper's thread.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from ddsp_studio.audio.names import numbered
from ddsp_studio.audio.protocol import Device

_TIMEOUT_S = 8.0


class DeviceMissing(LookupError):
    """The wished-for device is not there; the text is one sentence."""


class Listed(NamedTuple):
    """What is plugged in, defaults first."""

    outputs: list[Device]
    inputs: list[Device]


def list_devices() -> Listed:
    """The audio devices that are plugged in now; none if PortAudio is missing or does not answer."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__], capture_output=True, timeout=_TIMEOUT_S, check=True, stdin=subprocess.DEVNULL
        )
        return Listed(*([Device(**entry) for entry in entries] for entries in json.loads(done.stdout)))
    except (OSError, subprocess.SubprocessError, ValueError, TypeError):
        return Listed([], [])


def jack_socket() -> Path:
    """Where the JACK server that we would use has its socket, under Linux."""
    name = os.environ.get("JACK_DEFAULT_SERVER", "default")
    return Path(f"/dev/shm/jack_{name}_{os.getuid() if hasattr(os, 'getuid') else 0}_0")


def jack_mark() -> str:
    """A text that changes when the JACK server comes, goes or is another; "" without one."""
    try:
        held = jack_socket().stat()
    except OSError:
        return ""
    return f"{held.st_ino} {held.st_ctime_ns}"


class PortAudio:
    """Our PortAudio, which looks for devices only when it is initialised.

    Debian's build ends the whole process by an assertion when it is asked to let go of a JACK server that has died. So after
    such a death it is left as it is, and a second copy of the library is loaded.
    """

    def __init__(self) -> None:
        self._jack_mark: str | None = None
        self._dead = False
        self._abandoned: list[Any] = []

    def safe_to_close(self) -> bool:
        """Whether streams may be closed: the JACK server, if any, is the one that we know."""
        return not self._dead and self._jack_mark in (None, "", jack_mark())

    def refresh(self) -> None:
        """Look for devices again. Only while no stream is open."""
        mark = jack_mark()
        import sounddevice

        if self._jack_mark is not None and self.safe_to_close():
            sounddevice._terminate()
            sounddevice._initialize()
        elif self._jack_mark is not None:
            self._renew(sounddevice)
        self._jack_mark, self._dead = mark, False

    def _renew(self, sounddevice: Any) -> None:
        loaded = next(line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "libportaudio" in line)
        with tempfile.NamedTemporaryFile(suffix="-libportaudio.so") as copy:
            copy.write(Path(loaded).read_bytes())
            copy.flush()
            self._abandoned.append(sounddevice._lib)
            sounddevice._lib = sounddevice._ffi.dlopen(copy.name)
        sounddevice._initialize()

    def abandon(self, stream: Any) -> None:
        """Keep a stream whose JACK server has died, so that nobody closes it, and this copy of the library with it."""
        self._dead = True
        self._abandoned.append(stream)


def is_there(wish: str, outputs: list[Device]) -> bool:
    """Whether the wished-for output is among those listed."""
    return any(not wish or wish in (entry.key, entry.name) for entry in outputs)


class _Found(NamedTuple):
    """A device as PortAudio knows it: number, facts, and `Device.key`."""

    number: int
    entry: Any
    key: str


def _found(channels: str) -> list[_Found]:
    """The devices that have channels of a kind, in PortAudio's order."""
    import sounddevice

    hosts = sounddevice.query_hostapis()
    held = [(index, entry) for index, entry in enumerate(sounddevice.query_devices()) if entry[channels] > 0]
    keys = numbered(f"{entry['name']}, {hosts[entry['hostapi']]['name']}" for _, entry in held)
    return [_Found(*pair, key) for pair, key in zip(held, keys, strict=True)]


def _named(wish: str, found: list[_Found]) -> _Found | None:
    """The device of a key, else the first of a name: older settings hold no more."""
    by_key = (each for each in found if each.key == wish)
    return next(by_key, None) or next((each for each in found if each.entry["name"] == wish), None)


def find_output(wish: str) -> tuple[int, str]:
    """PortAudio's index and the name of the output that `wish` names: "" is the default, else its key or name.

    Raises:
        DeviceMissing: there is no such output.
    """
    import sounddevice

    found = _found("max_output_channels")
    if not found:
        raise DeviceMissing("There is no audio output.")
    chosen = _default(sounddevice.default.device[1], found) if not wish else _named(wish, found)
    if chosen is None:
        raise DeviceMissing(f"The audio output {wish!r} is not there.")
    return chosen.number, str(chosen.entry["name"])


def find_input(wish: str, beside: int) -> tuple[int, str]:
    """PortAudio's index and the name of the input that `wish` names, in the sound system of the output with the index `beside`.

    Raises:
        DeviceMissing: there is no such input there; an input and an output of two systems share no clock.
    """
    import sounddevice

    host = sounddevice.query_devices(beside)["hostapi"]
    listed = _found("max_input_channels")
    found = [each for each in listed if each.entry["hostapi"] == host]
    facts = sounddevice.query_hostapis(host)
    if not wish and not found:
        raise DeviceMissing(f"There is no audio input in {facts['name']}.")
    chosen = _default(facts["default_input_device"], found) if not wish else _named(wish, found)
    if chosen is not None:
        return chosen.number, str(chosen.entry["name"])
    if _named(wish, listed) is not None:
        raise DeviceMissing(f"The audio input {wish!r} belongs to another sound system than the output; choose both from one.")
    raise DeviceMissing(f"The audio input {wish!r} is not there.")


def _default(number: int, found: list[_Found]) -> _Found:
    """PortAudio's default, if it names one; else real devices come before null ones, and JACK's speakers first."""
    for each in found:
        if each.number == number:
            return each
    for word in ("system", "default", "pipewire", "pulse"):
        for each in found:
            if each.entry["name"] == word:
                return each
    return found[0]


def hardware_mark() -> str:
    """A text that changes when a sound card or JACK comes or goes, cheap to ask; "" where the system does not tell."""
    try:
        cards = Path("/proc/asound/cards").read_text(encoding="utf-8", errors="replace")
    except OSError:
        cards = ""
    return cards + jack_mark()


def default_sample_rate(index: int) -> int:
    """The rate in Hz that a device prefers."""
    import sounddevice

    return int(sounddevice.query_devices(index)["default_samplerate"])


def _print_devices() -> None:
    """Write the lists to standard output, where nothing else may write."""
    out = os.dup(1)
    os.dup2(2, 1)
    import sounddevice

    hosts = sounddevice.query_hostapis()
    lists = []
    for side, channels in ((1, "max_output_channels"), (0, "max_input_channels")):
        default = sounddevice.default.device[side]
        entries = [
            (index != default, {
                "name": entry["name"],
                "host": hosts[entry["hostapi"]]["name"],
                "channels": entry[channels],
                "sample_rate": int(entry["default_samplerate"]),
                "key": key,
            })
            for index, entry, key in _found(channels)
        ]  # fmt: skip
        lists.append([entry for _, entry in sorted(entries, key=lambda pair: pair[0])])
    with os.fdopen(out, "w") as stream:
        json.dump(lists, stream)


if __name__ == "__main__":
    _print_devices()
