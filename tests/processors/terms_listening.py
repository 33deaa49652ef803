"""Terms of what listens: the audio input, and what is told of a sound."""

from __future__ import annotations

from typing import Any

from .stimulus import Terms

_WINDOW = "its window ends with the newest sample, and what it says is of the window's middle"
_CHOICE = "the pitch is chosen among peaks: between two choices the slope is none of the chosen one"


def terms(name: str, **options: Any) -> Terms | None:
    """The terms of one of these types under the given options and stereo setting; None for a type of another family."""
    match name:
        case "Loudness":
            return Terms(restless="gives a level in dB, whose rest is not zero", batch=2)
        case "PitchTracker":
            return Terms(
                restless="gives a pitch and a level, whose rest is not zero",
                early=_WINDOW,
                estimated={"input": _CHOICE},
                knobs={"threshold": (0.75, 0.9)},
                batch=2,
                hops=12,
            )
        case "AutoLevel":
            return Terms(
                restless="gives a loudness, whose rest is not zero", knobs={"heard": (0.5, 0.9), "threshold": (0.2, 0.6)}, batch=2
            )
        case _:
            return None


SETTINGS: dict[str, list[dict[str, Any]]] = {
    "PitchTracker": [{"lowest": 200.0, "delay": 12.0}],
    "Loudness": [{"window": 16.0}],
}
