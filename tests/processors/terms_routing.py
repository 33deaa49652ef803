"""Terms and configurations of the routing processors, of the clock and of what runs on it."""

from __future__ import annotations

from typing import Any

from .stimulus import Terms

_SIDES = "left and right are mixed on purpose"


def terms(name: str, **options: Any) -> Terms | None:
    """The terms of one of these types under the given options and stereo setting; None for a type that needs none."""
    match name:
        case "Splitter":
            return Terms(tails=({}, {"crossover": 120.0}), hops=12)
        case "ThreeWaySplitter":
            return Terms(
                tails=({}, {"lower": 100.0, "upper": 4000.0}), hops=12, knobs={"lower": (0.15, 0.5), "upper": (0.6, 0.85)}
            )
        case "Channels" | "MidSideSplit" | "MidSideJoin":
            return Terms(batch=2, mixes_rows=_SIDES if options.get("stereo") else "", hops=8)
        case "Crossfade" | "Trim" | "Send" | "Return" | "Crop":
            return Terms(hops=8)
        case _:
            return None


SETTINGS: dict[str, list[dict[str, Any]]] = {
    "Crossfade": [{}, {"law": "constant power"}],
    "Trim": [{}, {"polarity": "inverted"}],
    "Send": [{}, {"tap": "before"}],
    "Channels": [{}, *({"stereo": True, "choose": choose} for choose in ("mono", "left", "swap"))],
    "MidSideSplit": [{}, {"stereo": True}],
    "MidSideJoin": [{}, {"stereo": True}],
    "Crop": [{"samples": 100}],
}
