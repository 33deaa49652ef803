"""Terms and configurations of the routing processors, of the clock and of what runs on it."""

from __future__ import annotations

from typing import Any

from .stimulus import Terms

_TIME = {"clock": "time is given: it wraps and jumps, and nothing is fitted by it"}
_PULSE = "only decides when something begins or ends"
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
            return Terms(batch=2, mixes_rows=_SIDES if options.get("stereo") else "", hops=9)
        case "Crossfade" | "Trim" | "Send" | "Return" | "Crop":
            return Terms(hops=9)
        case "Clock":
            return Terms(restless="the clock never rests", steps={"width": _PULSE}, hops=12, estimated=_TIME)
        case "Sequencer":
            steps = dict.fromkeys(("gates", "length", "swing", "span"), _PULSE)
            if options.get("pitch") == "gliding":
                del steps["span"]
            reset = {"reset": "starts the row above 0.5"}
            return Terms(restless="the clock never rests", steps=steps, thresholds=reset, hops=12, estimated=_TIME)
        case "Arpeggiator":
            alive, pitch = dict.fromkeys(("length", "swing"), _PULSE), "a note that is over has a pitch too"
            if options.get("stereo"):
                return Terms(
                    restless=pitch, steps=alive, mixes_rows="every key is heard in every voice", hops=15, estimated=_TIME
                )
            return Terms(restless=pitch, unheard=dict.fromkeys(alive, "in training notes pass as they are"), hops=9)
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
    "Clock": [{"division": "1/4"}],
    "Sequencer": [{"steps": 3, "division": "1/8"}, {"steps": 3, "division": "1/8T", "pitch": "gliding"}],
    "Arpeggiator": [
        {},
        {"stereo": True, "begin": "key", "division": "1/4"},
        {"stereo": True, "begin": "key", "mode": "random", "octaves": 2, "voices": "one", "division": "1/4"},
    ],
}
