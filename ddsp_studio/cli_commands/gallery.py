"""The gallery: a sound and its picture for each processor, and what can be said of the sound in numbers."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ddsp_studio.cli_commands.gallery_scenes import Scene, scenes
from ddsp_studio.quiet import load_tensorflow

RATE, VOICES = 48_000, 6
_NOTE_ON, _NOTE_OFF, _VELOCITY = 0x90, 0x80, 100

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Heard:
    """What can be said of a sound: its levels and its constant part in dB of full scale, and left against right in dB."""

    peak_db: float
    rms_db: float
    offset_db: float
    balance_db: float

    @classmethod
    def of(cls, audio: Floats) -> Heard:
        """Measure [2, samples]."""
        x = audio.astype(np.float64)
        left, right = np.sqrt(np.mean(x**2, axis=1)) + 1e-9
        levels = (np.abs(x).max(), np.sqrt(np.mean(x**2)), np.abs(x.mean(axis=1)).max())
        peak, rms, offset = (float(20.0 * np.log10(level + 1e-9)) for level in levels)
        return cls(peak, rms, offset, float(20.0 * np.log10(left / right)))


def run(names: list[str], out: Path, pictures: Path | None) -> int:
    """Render the scenes of these processors (of all, if none is named) as WAV files, draw their pictures, and print numbers.

    Args:
        names: processor types. out: folder of the sounds. pictures: folder of the pictures; `out` if there is none.

    Raises:
        ValueError: no scene has the name. OSError: a file cannot be written.
    """
    known = scenes()
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"there is no scene for {', '.join(unknown)}; there are {', '.join(known)}")
    load_tensorflow()
    for folder in {out, pictures or out}:
        folder.mkdir(parents=True, exist_ok=True)
    sys.stdout.write(f"{'':20}{'peak':>8}{'rms':>8}{'offset':>8}{'L/R':>8} dB\n")
    for name in names or known:
        heard = _make(name, known[name], out, pictures or out)
        numbers = (heard.peak_db, heard.rms_db, heard.offset_db, heard.balance_db)
        sys.stdout.write(f"{name:20}{''.join(f'{number:8.1f}' for number in numbers)}\n")
        sys.stdout.flush()
    return 0


def _make(name: str, scene: Scene, out: Path, pictures: Path) -> Heard:
    import soundfile

    from ddsp_studio.ui.displays.gallery_picture import save_gallery_picture

    parts = [sound(scene, dry=True)] if scene.twice else []
    parts.append(sound(scene))
    audio = np.concatenate(parts, axis=1)
    soundfile.write(out / f"{name}.wav", audio.T, RATE, subtype="PCM_24")
    turn_s = parts[0].shape[1] / RATE if scene.twice else 0.0
    save_gallery_picture(pictures / f"{name}.png", audio, RATE, turn_s=turn_s)
    return Heard.of(parts[-1])


def sound(scene: Scene, *, dry: bool = False) -> Floats:
    """A scene as it sounds, [2, samples]; without its subject if `dry`. `load_tensorflow` comes first."""
    import soundfile

    from ddsp_studio.audio.midi_file import Song
    from ddsp_studio.audio.offline import render_file

    turns = [(start, bytes((_NOTE_ON, note, _VELOCITY))) for start, _, note in scene.phrase]
    turns += [(start + length, bytes((_NOTE_OFF, note, 0))) for start, length, note in scene.phrase]
    turns.sort(key=lambda turn: (turn[0], turn[1][0]))
    times, messages = zip(*turns, strict=True)
    song = Song("gallery", times, messages, scene.seconds)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scene.wav"
        render_file(
            scene.patch(dry=dry),
            song,
            path,
            sample_rate=RATE,
            bit_depth="32f",
            voices=VOICES,
            mode=scene.mode,
            stop_s=scene.seconds,
        )
        audio: Floats = soundfile.read(path, dtype="float32", always_2d=True)[0].T
    return audio
