"""Terms and configurations of the processors that were there first; later families have a module of their own beside this."""

from __future__ import annotations

from typing import Any

from .stimulus import Terms

_GATE = {"gate": "held while above 0.5", "trigger": "starts the attack while above 0.5"}
_RESET = {"reset": "starts the cycle while above 0.5"}
_LFO = {"drivers": ("depth",), "silence": {"depth": 0.0}, "thresholds": _RESET, "knobs": {"rate": (0.4, 1.0)}}
_TIME = {"clock": "time is given: it wraps and jumps, and nothing is fitted by it"}
_ECHO = {"knobs": {"time": (0.0, 0.15)}, "hops": 20}
_CLIP = {"spread": "in training a row is a clip, not a voice", "pan": "in training a row is a clip, not a voice"}
_STAGE = "every voice is heard on left and right"


def terms(name: str, **options: Any) -> Terms | None:
    """The terms of one of these types under the given options and stereo setting; None for a type that needs none."""
    match name:
        case "Voice":
            # a key that was never pressed has a pitch too, and loudness rests at -80 dB
            return Terms(restless="gives pitch and loudness, whose rest is not zero", knobs={"glide": (0.2, 0.5)}, hops=21)
        case "Adsr":
            tails = ({}, {"release": 0.05, "sustain": 1.0})
            return Terms(
                drivers=("gate",),
                thresholds=_GATE,
                silence={"gate": 0.0},
                tails=tails,
                knobs=dict.fromkeys(("attack", "decay", "release"), (0.1, 0.5)),
            )
        case "Lfo":
            if options.get("sync"):
                unheard = {"rate": "the clock gives the rate"}
                return Terms(**{**_LFO, "drivers": ("depth", "clock")}, unheard=unheard, estimated=_TIME)
            shape = options.get("shape")
            stepwise = {"rate": "a new value for each cycle", "phase": "a new value for each cycle"}
            return Terms(**{**_LFO, "steps": stepwise if shape in ("random", "square") else {}})
        case "Constant":
            return Terms(silence={"value": 0.0})
        case "Scale":
            return Terms(silence={"input": 0.0, "offset": 0.0})
        case "Sum" | "Multiply":
            return Terms(silence={"a": 0.0, "b": 0.0})
        case "Transpose":
            return Terms(restless="gives a frequency, whose rest is not zero")
        case "Slew":
            return Terms(
                drivers=("input",),
                silence={"input": 0.0},
                tails=({}, {"fall": 0.2}),
                knobs={"rise": (0.1, 0.5), "fall": (0.1, 0.5)},
            )
        case "Harmonic":
            alone = {
                name: "a single partial is all there is" for name in ("tilt", "distribution") if options.get("partials") == 1
            }
            knobs = {"f0": (0.3, 0.45), "distribution": (0.3, 0.9)}
            return Terms(drivers=("amplitude",), silence={"amplitude": 0.0}, knobs=knobs, unheard=alone)
        case "FilteredNoise":
            return Terms(drivers=("amplitude",), silence={"amplitude": 0.0}, knobs={"magnitudes": (0.3, 0.9)})
        case "Filter":
            ringing = ({}, {"cutoff": 200.0, "resonance": 10.0}, {"cutoff": 60.0, "resonance": 0.5})
            return Terms(tails=ringing if options.get("mode") == "low" else ringing[:1])
        case "Delay" if options.get("sync"):
            return Terms(hops=27, unheard={"time": "the clock gives the time"}, tails=(), estimated=_TIME)
        case "Delay":
            echoes = ({"time": 0.05, "mix": 1.0}, {"time": 0.08, "feedback": 0.7, "tone": 20000.0, "mix": 0.5})
            return Terms(**_ECHO, tails=echoes)
        case "ConvolutionReverb":
            return Terms(hops=84 if "decay" in options and options["decay"] > 0.4 else 30, tails=({}, {"mix": 1.0}))
        case "Pan":
            unheard = {} if options.get("stereo") else {"pan": "in training a row is a clip, not left or right"}
            return Terms(batch=2, unheard=unheard)
        case "VoiceMixer":
            return Terms(mixes_rows=_STAGE) if options.get("stereo") else Terms(unheard=_CLIP)
        case _:
            return None


SETTINGS: dict[str, list[dict[str, Any]]] = {
    "Lfo": [{"shape": shape} for shape in ("sine", "triangle", "saw", "square", "random")] + [{"sync": "1/4T"}],
    "Harmonic": [{}, {"partials": 1}],
    "FilteredNoise": [{}, {"bands": 5}],
    "Filter": [{"mode": mode} for mode in ("low", "high", "band", "notch")],
    "Delay": [{"longest": 0.1}, {"longest": 0.2, "stereo": True}, {"longest": 0.1, "sync": "1/32T"}],
    "ConvolutionReverb": [{"decay": 0.6}, {"decay": 0.2, "predelay": 0.0, "stereo": True}, {"file": "impulse.wav"}],
    "Pan": [{}, {"stereo": True}],
    "VoiceMixer": [{}, {"stereo": True}],
}
