"""Typed settings in one JSON file, written atomically, upgraded step by step; a bad file never blocks the start."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from ddsp_studio.audio.names import numbered, stable_name
from ddsp_studio.audio.protocol import AudioSettings
from ddsp_studio.files import read_text, write_text

VERSION = 2
_MAX_BYTES = 4 * 2**20
RECENT = 12
"""How many recent files are kept."""


def _stable_ports(data: dict[str, Any]) -> dict[str, Any]:
    """MIDI ports were remembered with numbers that change when they are plugged in again."""
    audio = data.get("audio")
    ports = audio.get("midi_ports") if isinstance(audio, dict) else None
    if isinstance(audio, dict) and isinstance(ports, list):
        audio["midi_ports"] = numbered(stable_name(str(port)) for port in ports)
    return data | {"version": 2}


UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _stable_ports}
"""For each old version, the function that turns its data into the next version's."""


class ExportChoices(msgspec.Struct):
    """What was chosen last in the export dialog."""

    format: str = "wav"
    bit_depth: str = "24"
    sample_rate: int = 48_000
    mono: bool = False
    normalise: bool = False
    loudness: bool = False
    lufs: float = -16.0
    dither: bool = True
    tail_s: float = 4.0
    folder: str = ""


class Settings(msgspec.Struct):
    """Everything that the studio remembers between starts."""

    version: int = VERSION
    audio: AudioSettings = msgspec.field(default_factory=AudioSettings)
    export: ExportChoices = msgspec.field(default_factory=ExportChoices)
    recent: list[str] = msgspec.field(default_factory=list)
    folder: str = ""
    geometry: str = ""
    """Place and size of the window, base64 of Qt's own form."""
    docks: str = ""
    """Docks and toolbars, base64 of Qt's own form."""
    colour_map: str = ""
    floor_db: float = -90.0
    scope_ms: int = 20
    computer_keyboard: bool = True
    started_before: bool = False

    def remember(self, path: Path) -> None:
        """Put a file first among the recent ones."""
        text = str(path)
        self.recent = [text, *(held for held in self.recent if held != text)][:RECENT]
        self.folder = str(path.parent)


class Store:
    """The settings and their file. `problem` is one sentence if the file could not be read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problem = ""
        self.settings = Settings()
        try:
            self.settings = _read(path)
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as problem:
            self.problem = f"The settings could not be read ({problem}); the standard ones are used."
            with contextlib.suppress(OSError):
                path.replace(path.with_name(path.name + ".bad"))

    def save(self) -> None:
        """Write the settings; a disk that cannot be written loses them silently, for nothing else depends on them."""
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_text(self.path, msgspec.json.format(msgspec.json.encode(self.settings)).decode())


def _read(path: Path) -> Settings:
    data = msgspec.json.decode(read_text(path, _MAX_BYTES, "file of settings"))
    if not isinstance(data, dict):
        raise ValueError("they are no JSON object")
    version = data.get("version")
    while isinstance(version, int) and version < VERSION:
        if version not in UPGRADES:
            raise ValueError(f"there was no version {version}")
        data, version = UPGRADES[version](data), version + 1
    return msgspec.convert(data, Settings)
