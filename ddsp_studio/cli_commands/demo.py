"""The demo: a performance rendered to a file, and a picture of the window, on any machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from ddsp_studio import resources
from ddsp_studio.cli_commands.render import Job, render

_PATIENCE_S = 300.0
_LEARNED = "violin"
"""The instrument that plays the performance, too."""
_PICTURE = "import sys, pathlib; from ddsp_studio.ui.app import main; sys.exit(main(screenshot=pathlib.Path(sys.argv[1])))"


def run(out: Path, *, window: bool = True) -> int:
    """Write demo.wav, the same played by a learned instrument, and window.png into a folder, say where; returns the exit code.

    Raises:
        OSError, ValueError: in one sentence.
    """
    out.mkdir(parents=True, exist_ok=True)
    patch, song = _programme()
    played = str(song) if song else None
    audio = out / "demo.wav"
    render(Job(patch=str(patch), midi=played, output=audio))
    sys.stdout.write(f"The demo performance is in {audio.resolve()}\n")
    if _LEARNED in resources.factory(resources.MODELS):
        learned = out / f"{_LEARNED}.wav"
        render(Job(patch=_LEARNED, midi=played, output=learned))
        sys.stdout.write(f"The same, played by a {_LEARNED} that was learned from recordings, is in {learned.resolve()}\n")
    if not window:
        return 0
    picture = out / "window.png"
    problem = _draw(picture)
    if problem:
        sys.stderr.write(f"ddsp-studio: the window could not be drawn: {problem}\n")
        return 1
    sys.stdout.write(f"The window is in {picture.resolve()}\n")
    return 0


def _programme() -> tuple[Path, Path | None]:
    """The first demo performance, and the patch that it was written for (of the same first word) or the first one."""
    patches, songs = resources.factory(resources.PATCHES), resources.factory(resources.MIDI)
    if not patches:
        raise FileNotFoundError(f"there are no factory patches in {resources.folder()}; install ddsp-studio again")
    for name, song in songs.items():
        fitting = next((path for patch, path in patches.items() if patch.split("_")[0] in name.split("_")), None)
        if fitting:
            return fitting, song
    return next(iter(patches.values())), next(iter(songs.values()), None)


def _draw(picture: Path) -> str:
    """Draw the window without a display, in a process of its own; returns why it failed, "" if it did not."""
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "DDSP_STUDIO_DEBUG": ""}
    command = [sys.executable, "-c", _PICTURE, str(picture)]
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=_PATIENCE_S, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return f"no picture within {_PATIENCE_S:.0f} s"
    complaint = [line for line in done.stderr.splitlines() if line.strip()]
    if done.returncode or not picture.exists():
        return complaint[-1] if complaint else f"exit status {done.returncode}"
    return ""
