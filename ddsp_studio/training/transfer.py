"""Playing one instrument by the sound of another: pitch and loudness of a recording, played by a trained patch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ddsp_studio.processors import model_file
from ddsp_studio.processors.model_patch import instrument
from ddsp_studio.processors.nesting import expand
from ddsp_studio.processors.patch import Patch
from ddsp_studio.training.data.audio_source import AudioProblem, file_facts, read_mono
from ddsp_studio.training.data.pitch_range import reaching
from ddsp_studio.training.data.usable import sounding
from ddsp_studio.training.features.clock import frame_period
from ddsp_studio.training.features.conditioning import held_f0
from ddsp_studio.training.features.extract import Frames, extract
from ddsp_studio.training.features.f0_layout import F0Settings
from ddsp_studio.training.fitting import Fitting
from ddsp_studio.training.playing import Playing
from ddsp_studio.training.statistics import FLOOR_DB

Array = npt.NDArray[np.float32]
_RATES = (16_000, 48_000)
_OCTAVES = range(-4, 5)
_INSIDE, _NEARLY = 0.9, 0.02
"""Share of a phrase that must lie in a model's range, for a few notes outside of it, or a few frames that were tracked an octave
low, are no reason to move all of it; and how much less is as good."""


class Fit(NamedTuple):
    """How a recording is fitted to a model: `octaves` that its pitch is moved by, `gain_db` that its loudness is."""

    octaves: int
    gain_db: float


class Transferred(NamedTuple):
    """What was played, [samples], at `sample_rate` Hz; what was asked for (pitch moved, loudness as recorded); and the fit."""

    audio: Array
    sample_rate: int
    asked: Frames
    fit: Fit


def fit_to(frames: Frames, about: dict[str, object]) -> Fit:
    """Fit features to what a model knows.

    The pitch moves by the fewest octaves with which nine tenths of it lie in the model's range, or as much as can be; the
    loudness moves so that its median is the model's.
    """
    known = about.get("statistics")
    statistics = known if isinstance(known, dict) else {}
    heard = sounding(frames.loudness_db)
    pitched = heard & (frames.f0_hz > 0.0)
    octaves, gain_db = 0, 0.0
    if pitched.any() and "range" in statistics:
        low, high = statistics["range"]
        midi = 69.0 + 12.0 * np.log2(frames.f0_hz[pitched] / 440.0)
        inside = {k: float(np.mean((midi + 12 * k >= low - 1.0) & (midi + 12 * k <= high + 1.0))) for k in _OCTAVES}
        enough = min(_INSIDE, max(inside.values()) - _NEARLY)
        octaves = min((k for k in _OCTAVES if inside[k] >= enough), key=abs)
    if heard.any() and "levels" in statistics:
        levels = statistics["levels"]
        gain_db = float(levels[len(levels) // 2]) - float(np.median(frames.loudness_db[heard]))
    return Fit(octaves, gain_db)


def transfer(
    source: Path,
    model: str,
    *,
    octaves: int | None = None,
    gain_db: float | None = None,
    sample_rate: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Transferred:
    """Play a recording on a model.

    Args:
        source: a sound file. model: a model file, or the name of a shipped one.
        octaves: to move the pitch by; found if not given. gain_db: how much louder the model is asked to play; found if not
        given.
        sample_rate: Hz; that of the recording if not given, held to 16 to 48 kHz.
        progress: called with 0..1.

    Returns:
        Sound as long as the recording and as loud.

    Raises:
        ValueError: in one sentence, for a file or model that cannot be used.
    """
    rate = sample_rate or int(np.clip(file_facts(source).sample_rate, *_RATES))
    patch = expand(instrument(model))
    about = dict(model_file.find(model).about)
    audio = read_mono(source, rate)
    if len(audio) < frame_period(rate):
        raise AudioProblem(f"{source.name} is too short to be played: it has {1000 * len(audio) / rate:.1f} ms of sound")
    frames = reaching(extract([audio], rate), lambda: [audio], rate, F0Settings())
    if not sounding(frames.loudness_db).any():
        raise AudioProblem(f"{source.name} is silent")
    found = fit_to(frames, about)
    fit = Fit(found.octaves if octaves is None else octaves, found.gain_db if gain_db is None else gain_db)
    asked = frames._replace(f0_hz=frames.f0_hz * np.float32(2.0**fit.octaves))
    played = play(patch, rate, asked, audio, gain_db=fit.gain_db, progress=progress)
    # the model was asked to play at a level that it knows; it is heard at that of the recording
    return Transferred(played * np.float32(10.0 ** (-fit.gain_db / 20.0)), rate, asked, fit)


def play(
    patch: Patch,
    sample_rate: int,
    frames: Frames,
    audio: Array,
    *,
    gain_db: float = 0.0,
    progress: Callable[[float], None] | None = None,
) -> Array:
    """What a patch plays for features at the frames of the clock, [samples of `audio`], latency taken out.

    Args:
        patch: without groups. sample_rate: Hz. frames: features. audio: the recording, for encoders. gain_db: added to the
        loudness.
    """
    fitting = Fitting(patch, sample_rate)
    # control frames stand at the ends of periods: the first of the clock's is the one before
    features = {
        "f0_hz": held_f0(frames.f0_hz)[None, 1:, None],
        "loudness_db": np.maximum(frames.loudness_db + gain_db, FLOOR_DB)[None, 1:, None],
        "confidence": frames.confidence[None, 1:, None],
        "audio": audio[None],
    }
    played: Array = Playing(fitting).sound(fitting.vector(), features, len(audio), progress)[0]
    return played
