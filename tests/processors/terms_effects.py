"""Terms and configurations of the effects."""

from __future__ import annotations

from typing import Any

from .stimulus import Terms

_ONE_SIDE = {"spread": "heard on left and right only"}
_CLIP = "in training a row is a clip, not left or right"
_LINKED = "left and right are turned down together"
_OTHER = {"batch": 2, "hops": 9}
_SHORT = {"batch": 2, "hops": 6}
"""For what has many operations: a clause costs as much as it takes to trace them for each block size."""
_ESTIMATED = {
    "input": "the gradient goes straight through the rounding",
    "bits": "the gradient goes straight through the rounding",
    "rate": "a sample is held or it is not",
}


def terms(name: str, **options: Any) -> Terms | None:
    """The terms of one of these types under the given options and stereo setting; None for a type that needs none."""
    stereo = bool(options.get("stereo"))
    match name:
        case "Distortion":
            # the filters are symmetric and speak before their peak; the clean sound is delayed by the latency itself
            return Terms(**_OTHER, plain={"mix": 0.0})
        case "Compressor":
            return Terms(batch=2, hops=12, mixes_rows=_LINKED if stereo else "")
        case "Limiter":
            knobs = {"drive": (0.3, 0.5), "ceiling": (0.5, 0.8), "attack": (0.2, 0.5)}
            return Terms(batch=2, hops=12, mixes_rows=_LINKED if stereo else "", knobs=knobs)
        case "Gate":
            return Terms(
                batch=2, hops=12, mixes_rows=_LINKED if stereo else "", knobs={"threshold": (0.75, 0.95), "ratio": (0.0, 0.3)}
            )
        case "Chorus":
            # short delays: where a delay moves across the start of the sound, differences of any size tell little
            unheard = {} if stereo else _ONE_SIDE
            return Terms(batch=2, hops=15, unheard=unheard, knobs={"delay": (0.0, 0.1)}, tails=({}, {"mix": 1.0}))
        case "AutoPan":
            return Terms(**_OTHER, unheard={} if stereo else _ONE_SIDE)
        case "Vibrato":
            return Terms(**_OTHER, unheard={} if stereo else _ONE_SIDE, plain={"depth": 0.0})
        case "Flanger":
            ringing = ({}, {"feedback": 0.9, "delay": 0.003, "mix": 0.7})
            return Terms(**_OTHER, unheard={} if stereo else _ONE_SIDE, tails=ringing if stereo else ringing[:1])
        case "Phaser":
            return Terms(**_SHORT, unheard={} if stereo else _ONE_SIDE, knobs={"centre": (0.4, 0.8), "depth": (0.1, 0.5)})
        case "Equaliser":
            ringing = ({"first_gain": 18.0, "first_hz": 300.0, "first_q": 6.0}, {"low_gain": 12.0}, {"high_gain": -12.0})
            return Terms(**_SHORT, tails=ringing)
        case "StereoWidth":
            return Terms(
                batch=2, unheard={} if stereo else {"width": _CLIP}, mixes_rows="left and right are mixed" if stereo else ""
            )
        case "PingPong":
            echoes = ({"time": 0.05, "mix": 1.0},)
            mixed = "repeats go from side to side" if stereo else ""
            return Terms(batch=2, hops=21, knobs={"time": (0.0, 0.15)}, tails=echoes, mixes_rows=mixed)
        case "BitCrusher":
            return Terms(**_OTHER, estimated=_ESTIMATED, steps={"rate": "a sample is held or it is not"}, tails=())
        case "ExpDecayReverb" | "FilteredNoiseReverb":
            return Terms(batch=2, hops=36, tails=({"mix": 1.0}, {"mix": 1.0, "decay": 0.2}))
        case _:
            return None


SETTINGS: dict[str, list[dict[str, Any]]] = {
    "Distortion": [{"curve": "tube"}, {"curve": "fold"}, {"curve": "hard"}],
    "Compressor": [{}, {"stereo": True, "source": "sidechain"}],
    "Limiter": [{}, {"stereo": True}],
    "Chorus": [{"stereo": True}, {}],
    "Flanger": [{"stereo": True}],
    "Vibrato": [{"stereo": True}],
    "Phaser": [{"stereo": True}],
    "AutoPan": [{"stereo": True}, {}],
    "StereoWidth": [{}, {"stereo": True}],
    "PingPong": [{"longest": 0.1, "stereo": True}],
    "FirFilter": [{}, {"bands": 5}],
    "ExpDecayReverb": [{"length": 0.3}],
    "FilteredNoiseReverb": [{"length": 0.25, "bands": 2, "stereo": True}],
}
