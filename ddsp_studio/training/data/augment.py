"""Variations of a clip: level, pitch and noise, as a pure function of (seed, number of the example)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import soxr

from ddsp_studio.dsp.loudness import FLOOR_DB, loudness
from ddsp_studio.training.data.audio_source import Floats
from ddsp_studio.training.data.chance import uniform
from ddsp_studio.training.data.clips import Clip, read_clip, read_frames
from ddsp_studio.training.features.clock import frame_period
from ddsp_studio.training.features.extract import Frames

_MARGIN_FRAMES = 40
"""Frames around a clip that the weighting filter and the resampler settle in: 0.16 s."""


@dataclass(frozen=True)
class Augmentation:
    """How far clips are varied; all zero varies nothing.

    Attributes:
        gain_db: level by up to so much up or down, 0..24 dB. Audio that would pass full scale is turned up less.
        pitch_cents: pitch of every second clip by up to so much up or down, 0..200 cents, as by playing faster or slower:
            formants move along, and what was recorded is heard as it was, too.
        noise_db: white noise of this level is added, dB of full scale; −120 for none.
    """

    gain_db: float = 0.0
    pitch_cents: float = 0.0
    noise_db: float = -120.0

    def __post_init__(self) -> None:
        """Refuse values out of range (ValueError)."""
        for name, low, high in (("gain_db", 0.0, 24.0), ("pitch_cents", 0.0, 200.0), ("noise_db", -120.0, -20.0)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"augmentation: {name} goes from {low:g} to {high:g}, got {value:g}")


def example(clip: Clip, how: Augmentation, seed: int, number: int) -> tuple[Floats, Frames]:
    """A clip, varied by the chance of (seed, number).

    Returns:
        Audio [samples], and features [frames] at the ends of its periods: frame m at sample (m + 1)·period, where processors
        have theirs.
    """
    gain_u, pitch_u = uniform(seed, "gain", number), uniform(seed, "pitch", number)
    ratio = 2.0 ** (how.pitch_cents / 1200.0 * _by_half(float(pitch_u)))
    noisy = how.noise_db > -120.0
    if ratio == 1.0 and not noisy:
        period = frame_period(clip.recording.sample_rate)
        audio = read_clip(clip.recording, clip.first * period, clip.samples)
        frames = read_frames(clip.recording, clip.first + np.arange(1.0, clip.frames + 1.0))
    else:
        audio, frames = _remade(clip, ratio, how.noise_db, seed, number)
    if how.gain_db:
        audio, frames = _louder(audio, frames, how.gain_db * float(2.0 * gain_u - 1.0))
    return audio, frames


def _by_half(chance: float) -> float:
    """0 for half of the chances, evenly between −1 and 1 for the others."""
    return 0.0 if chance < 0.5 else 4.0 * chance - 3.0


def _louder(audio: Floats, frames: Frames, gain_db: float) -> tuple[Floats, Frames]:
    peak = float(np.abs(audio).max(initial=1e-6))
    gain = min(10.0 ** (gain_db / 20.0), max(1.0, 1.0 / peak))
    floor = 10.0 ** (FLOOR_DB / 10.0)
    power = np.maximum(10.0 ** (frames.loudness_db.astype(np.float64) / 10.0) - floor, 0.0)
    louder = 10.0 * np.log10(power * gain**2 + floor)
    return (audio * np.float32(gain)).astype(np.float32), frames._replace(loudness_db=louder.astype(np.float32))


def _remade(clip: Clip, ratio: float, noise_db: float, seed: int, number: int) -> tuple[Floats, Frames]:
    """The clip played `ratio` times as fast, with noise; its loudness is measured anew, its pitch moved."""
    rate = clip.recording.sample_rate
    period = frame_period(rate)
    margin = _MARGIN_FRAMES * period
    wanted = clip.samples + 2 * margin
    # sample j of the result is sample begin + j·ratio of the recording; a clip that takes more of it takes what lies before,
    # since what is held out lies behind
    more = max(0.0, (ratio - 1.0) * clip.samples)
    begin = round(clip.first * period - more - margin * ratio)
    audio = _faster(read_clip(clip.recording, begin, int(np.ceil(wanted * ratio)) + period), ratio, wanted)
    if noise_db > -120.0:
        spread = 10.0 ** (noise_db / 20.0) * np.sqrt(3.0)
        index = np.arange(wanted, dtype=np.uint64) + np.uint64(number << 24)
        audio = (audio + spread * (2.0 * uniform(seed, "noise", index) - 1.0)).astype(np.float32)
    readings = loudness(audio[None], float(rate), hop=period)[0]
    ends = margin + period * np.arange(1, clip.frames + 1)
    frames = read_frames(clip.recording, (begin + ratio * ends) / period)
    moved = Frames(
        frames.f0_hz * np.float32(ratio),
        frames.confidence,
        np.asarray(readings[_MARGIN_FRAMES : _MARGIN_FRAMES + clip.frames], np.float32),
    )
    return audio[margin : margin + clip.samples], moved


def _faster(audio: Floats, ratio: float, count: int) -> Floats:
    """Samples at j·ratio for j < count, band-limited."""
    if ratio == 1.0:
        return audio[:count]
    out = soxr.resample(audio, ratio, 1.0, quality="HQ")
    return np.asarray(np.pad(out, (0, max(0, count - len(out))))[:count], np.float32)
