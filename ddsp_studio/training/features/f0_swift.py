"""swift-f0, a small neural pitch tracker, as a second engine (L. Nieradzik, "SwiftF0", 2025); installed by the extra `swift-f0`.

Its frames, 16 ms apart, are brought to our clock. Ours is the default: it is better on every solo
recording measured, and decides alike live and offline.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable
from typing import Any

import numpy as np

from ddsp_studio.training.features.clock import frame_count, frame_period
from ddsp_studio.training.features.f0 import F0
from ddsp_studio.training.features.f0_layout import F0Settings, Floats

ENGINES = ("autocorrelation", "swift-f0")
_MODULE = "swift_f0"
_MISSING = "the pitch tracker swift-f0 is not installed: pip install 'ddsp-studio[swift-f0]'"
_VOICED = 0.5
"""Confidence from which it calls a frame voiced."""


def check_engine(engine: str) -> None:
    """Refuse an engine that is not known or not installed, before anything is listened to (ValueError)."""
    if engine not in ENGINES:
        raise ValueError(f"pitch is tracked by {' or '.join(ENGINES)}, got {engine!r}")
    if engine != ENGINES[0] and importlib.util.find_spec(_MODULE) is None:
        raise ValueError(_MISSING)


def track_with(engine: str, blocks: Iterable[Floats], sample_rate: int, settings: F0Settings) -> F0:
    """Pitch of a recording by the second engine, at the frames of our clock.

    Args:
        engine: "swift-f0". blocks: mono [samples]. sample_rate: Hz. settings: only the range is used.

    Raises:
        ValueError: the engine is not known or not installed.
    """
    check_engine(engine)
    # it knows 46.875 to 2093.75 Hz
    stream = _detector().stream(max(46.875, settings.low_hz), min(2093.75, settings.high_hz))
    samples, results = 0, []
    for block in blocks:
        if len(block):
            samples += len(block)
            results.append(stream.push(block, sample_rate))
    results += [stream.flush()] if results else []
    at_s = np.arange(frame_count(samples, sample_rate)) * (frame_period(sample_rate) / sample_rate)
    known_s, pitch, confidence = (
        np.concatenate([np.zeros(0), *(getattr(result, name) for result in results)])
        for name in ("timestamps", "pitch_hz", "confidence")
    )
    if not len(known_s):
        return F0(np.zeros(len(at_s), np.float32), np.zeros(len(at_s), np.float32))
    nearest = np.interp(at_s, known_s, np.arange(len(known_s))).round().astype(int)
    voiced = confidence[nearest] >= _VOICED
    return F0(*(np.where(voiced, column[nearest], 0.0).astype(np.float32) for column in (pitch, confidence)))


def _detector() -> Any:
    try:
        module = importlib.import_module(_MODULE)
    except ImportError as problem:
        raise ValueError(_MISSING) from problem
    return module.SwiftF0(threads=1, spin=False)
