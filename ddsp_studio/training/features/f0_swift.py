"""swift-f0, a small neural pitch tracker, as a second engine (L. Nieradzik, "SwiftF0", 2025); installed by the extra `swift-f0`.

It hears whole recordings at 16 kHz; its frames are brought to our clock. Ours is the default: it is better on every solo
recording measured, and decides alike live and offline.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Any

import numpy as np
import soxr

from ddsp_studio.training.features.clock import frame_count, frame_period
from ddsp_studio.training.features.f0 import F0
from ddsp_studio.training.features.f0_layout import F0Settings, Floats

ENGINES = ("autocorrelation", "swift-f0")
_RATE = 16_000


def track_with(engine: str, blocks: Iterable[Floats], sample_rate: int, settings: F0Settings) -> F0:
    """Pitch of a recording by the second engine, at the frames of our clock.

    Args:
        engine: "swift-f0". blocks: mono [samples]. sample_rate: Hz. settings: only the range is used.

    Raises:
        ValueError: the engine is not known or not installed.
    """
    if engine not in ENGINES[1:]:
        raise ValueError(f"pitch is tracked by {' or '.join(ENGINES)}, got {engine!r}")
    audio = np.concatenate([np.zeros(0, np.float32), *blocks])
    detector = _detector(settings)
    heard = audio if sample_rate == _RATE else soxr.resample(audio, sample_rate, _RATE)
    found = detector.detect_from_array(heard, _RATE) if len(heard) >= 1024 else None
    at_s = np.arange(frame_count(len(audio), sample_rate)) * (frame_period(sample_rate) / sample_rate)
    if found is None or not len(found.timestamps):
        return F0(np.zeros(len(at_s), np.float32), np.zeros(len(at_s), np.float32))
    nearest = np.abs(np.interp(at_s, found.timestamps, np.arange(len(found.timestamps)))).round().astype(int)
    voiced = np.asarray(found.voicing, bool)[nearest]
    f0_hz, confidence = (np.asarray(column, np.float32)[nearest] for column in (found.pitch_hz, found.confidence))
    return F0(np.where(voiced, f0_hz, 0.0).astype(np.float32), np.where(voiced, confidence, 0.0).astype(np.float32))


def _detector(settings: F0Settings) -> Any:
    try:
        module = importlib.import_module("swift_f0")
    except ImportError as problem:
        raise ValueError("the pitch tracker swift-f0 is not installed: pip install 'ddsp-studio[swift-f0]'") from problem
    # it knows 46.875 to 2093.75 Hz
    low, high = max(46.875, settings.low_hz), min(2093.75, settings.high_hz)
    return module.SwiftF0(fmin=low, fmax=high, confidence_threshold=0.9)
