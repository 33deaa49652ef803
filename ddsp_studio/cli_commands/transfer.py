"""Transfer and evaluation of models from the command line."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ddsp_studio.cli_commands.inputs import check_target, naming
from ddsp_studio.processors.model_patch import instrument
from ddsp_studio.quiet import load_tensorflow
from ddsp_studio.refusal import sentence

if TYPE_CHECKING:
    from ddsp_studio.training.features.extract import Frames
    from ddsp_studio.training.transfer import Fit


def transfer(source: Path, model: str, output: Path, *, octaves: int | None, gain_db: float | None, as_json: bool = False) -> str:
    """Play a recording on a model and write it; returns what was done.

    The pitch moves by `octaves`; by `gain_db` the instrument is asked to play harder than recorded, though it is heard as loud as
    the recording. What is None is fitted to the model.
    With `as_json` the progress is printed as JSON, a line a message: {"done": share}, and at the end the file or the error.

    Raises:
        OSError, ValueError: refused input or an unwritable file, in one sentence.
    """
    if not as_json:
        return _transfer(source, model, output, octaves, gain_db, None)
    try:
        told = _transfer(source, model, output, octaves, gain_db, lambda share: _line(done=share))
    except (OSError, ValueError) as problem:
        _line(error=str(problem))
        raise
    _line(done=1.0, file=str(output), told=told.removeprefix(f"{output}: "))
    return told


def _line(**data: Any) -> None:
    sys.stdout.write(json.dumps(data) + "\n")
    sys.stdout.flush()


def _transfer(
    source: Path,
    model: str,
    output: Path,
    octaves: int | None,
    gain_db: float | None,
    progress: Callable[[float], None] | None,
) -> str:
    if output.suffix.lower() not in (".wav", ".flac"):
        raise ValueError(f"the output is a .wav or .flac file, got {output.name!r}")
    if not output.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {str(output.parent)!r} to write {output.name} into")
    check_target(output, (source, model))
    with naming(model):
        instrument(model)
    load_tensorflow()
    import soundfile

    from ddsp_studio.files import replacing
    from ddsp_studio.training.transfer import transfer as play

    done = play(source, model, octaves=octaves, gain_db=gain_db, progress=progress)
    peak = float(np.max(np.abs(done.audio), initial=0.0))
    audio = done.audio / max(1.0, peak)
    written = io.BytesIO()  # in memory first: the library for sound files does not say that a disk is full
    soundfile.write(written, audio, done.sample_rate, subtype="PCM_24", format=output.suffix[1:].upper())
    with replacing(output) as temporary:
        temporary.write_bytes(written.getbuffer())
    turned = f", turned down by {20 * np.log10(peak):.1f} dB to full scale" if peak > 1.0 else ""
    note = f"; {remark}" if (remark := _remark(source, done.asked)) else ""
    return f"{output}: {len(audio) / done.sample_rate:.1f} s, {_played(done.fit, fitted=gain_db is None)}{turned}{note}"


def _remark(source: Path, asked: Frames) -> str:
    """Why a recording may not be one to play by; "" if it is."""
    from ddsp_studio.training.data.survey import unpitched

    return f"{source.name} has no clear pitch, so the instrument can hardly follow it" if unpitched(asked) else ""


def _played(fit: Fit, *, fitted: bool) -> str:
    """How the recording was played; `fitted`: how hard was not chosen, but found."""
    asked = [_octaves(fit.octaves)] if fit.octaves else []
    asked += [] if fitted else [_harder(fit.gain_db)]
    told = [f"played {', '.join(asked)}"] if asked else []
    told += [f"loudness fitted by {fit.gain_db:+.1f} dB"] if fitted else []
    return ", ".join(told)


def _harder(gain_db: float) -> str:
    if gain_db == 0.0:
        return "as hard as recorded"
    return f"{abs(gain_db):g} dB {'harder' if gain_db > 0.0 else 'softer'} than recorded"


def _octaves(count: int) -> str:
    way = "higher" if count > 0 else "lower"
    return f"an octave {way}" if abs(count) == 1 else f"{abs(count)} octaves {way}"


def evaluate(model: str, audio: Sequence[Path], *, as_json: bool) -> str:
    """Let a model play recordings by their own pitch and loudness, and compare; those that cannot be judged are named.

    Raises:
        OSError, ValueError: in one sentence, if nothing could be judged.
    """
    load_tensorflow()
    from ddsp_studio.processors.model_file import find
    from ddsp_studio.training.data.audio_source import find_audio

    with naming(model):
        instrument(model)
    # an instrument is judged on what it can know: nothing above half of its sample rate
    rate = int(find(model).sample_rate)
    found: dict[str, dict[str, Any]] = {}
    paths = find_audio(list(audio))
    for path in paths:
        try:
            found[str(path)], remark = _judged(path, model, rate)
        except (OSError, ValueError) as problem:
            if len(paths) == 1:
                raise
            sys.stderr.write(f"{sentence(problem)}; it is left out\n")
            continue
        if remark or not as_json:
            sys.stderr.write(f"{remark or path.name}\n")
    if not found:
        raise ValueError(f"none of the {len(paths)} recordings could be judged")
    if as_json:
        return json.dumps(found, indent=1)
    keys = list(next(iter(found.values())))
    lines = ["  ".join(f"{key:>12}" for key in keys)]
    for path_, scores_ in found.items():
        lines.append("  ".join(f"{_text(scores_[key]):>12}" for key in keys) + f"  {Path(path_).name}")
    return "\n".join(lines)


def _judged(path: Path, model: str, rate: int) -> tuple[dict[str, float | None], str]:
    """Scores of one recording, by name, and why they may tell little."""
    from ddsp_studio.training.data.audio_source import read_mono
    from ddsp_studio.training.evaluation import compare
    from ddsp_studio.training.transfer import transfer as play

    done = play(path, model, octaves=0, gain_db=0.0, sample_rate=rate)
    target = read_mono(path, done.sample_rate)
    scores = compare(target[None], done.audio[None, : len(target)], done.sample_rate)
    told = {key: round(value, 4) if value == value else None for key, value in scores._asdict().items()}
    return told, _remark(path, done.asked)


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
