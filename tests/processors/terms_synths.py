"""Terms and configurations of the synthesizers and of the control processors that came after the first ones."""

from __future__ import annotations

from typing import Any

from .stimulus import Terms

_GATE = {"gate": "starts when it rises above 0.5", "trigger": "starts while above 0.5"}
_PITCH = (0.3, 0.45)
_SOUND = {"drivers": ("amplitude",), "silence": {"amplitude": 0.0}}
_ROOT = {"f0": _PITCH, "root": _PITCH}
_TURNS = "always on its way to the next value"


def terms(name: str, **options: Any) -> Terms | None:
    """The terms of one of these types under the given options; None for a type that is none of them or needs none."""
    match name:
        case "Wavetable" | "WavetableBank" | "Sinusoidal" | "NoiseSource" | "SteppedNoise":
            return Terms(**_SOUND, knobs={"f0": _PITCH, "rate": (0.3, 0.7), "frequencies": (0.1, 0.6)})
        case "LearnedWavetable":
            alone = {"position": "one wave is all there is"} if options.get("tables") == 1 else {}
            return Terms(**_SOUND, knobs={"f0": _PITCH}, unheard=alone)
        case "Oscillator":
            unheard = {} if options.get("unison", 1) > 1 else {"detune": "one oscillator has nothing to be detuned from"}
            if options.get("shape") not in ("pulse", "triangle"):
                unheard["width"] = "only a pulse and a triangle have a width"
            return Terms(**_SOUND, knobs={"f0": _PITCH}, unheard=unheard)
        case "Sampler":
            once = "it plays to the end, once"
            unheard = {} if options.get("loop") == "on" else {"loop_start": once, "loop_length": once}
            # fast enough to come to the loop between two triggers
            fast = {"f0": (0.45, 0.5), "root": (0.2, 0.25)} if options.get("loop") == "on" else _ROOT
            knobs = {**fast, "begin": (0.01, 0.03), "loop_start": (0.0, 0.1), "loop_length": (0.05, 0.15)}
            return Terms(**{**_SOUND, "drivers": ("amplitude", "gate")}, thresholds=_GATE, knobs=knobs, unheard=unheard)
        case "Granular":
            # a recording changes from sample to sample, so places move by little where differences are taken
            knobs = {**_ROOT, "density": (0.75, 0.9), "size": (0.1, 0.25), "spray": (0.1, 0.3), "position": (0.01, 0.03)}
            return Terms(**_SOUND, knobs=knobs, batch=2)
        case "Envelope":
            quiet = {"gate": 0.0, "levels": 0.0}
            knobs = {"times": (0.05, 0.3), "speed": (0.5, 0.7)}
            return Terms(
                drivers=("gate",),
                thresholds=_GATE,
                silence=quiet,
                tails=({"times": 0.05},),
                knobs=knobs,
                hops=24,
            )
        case "Follower":
            return Terms(tails=({}, {"attack": 0.1, "release": 0.05}), hops=24)
        case "Drift":
            return Terms(drivers=("depth",), silence={"depth": 0.0}, knobs={"rate": (0.5, 1.0)})
        case "SampleAndHold":
            by_rate = options.get("clock") == "rate"
            unheard = {"trigger": "the rate is the clock"} if by_rate else {"rate": "the trigger is the clock"}
            return Terms(
                drivers=("input", "trigger"),
                thresholds={} if by_rate else {"trigger": "takes a value when it rises above 0.5"},
                steps={"rate": "says when a value is taken, not what"},
                restless="holds the last value for ever",
                knobs={"rate": (0.6, 0.8)},
                plain={"rate": 1000.0} if by_rate else {},
                unheard=unheard,
            )
        case "Quantise":
            return Terms(restless="gives a frequency, whose rest is not zero")
        case "Curve":
            return Terms(silence={"input": 0.0, "curve": 0.0}, knobs={"input": (0.0, 1.0)}, hops=39)
        case "Math":
            steps = {"a": "compares", "b": "compares"} if options.get("operation") == "greater" else {}
            return Terms(silence={"a": 0.0, "b": 0.0}, steps=steps)
        case "HzToNote" | "NoteToHz" | "AmplitudeToDb" | "DbToAmplitude" | "ToBipolar" | "ToUnipolar":
            return Terms(restless="its zero is another number than that of its input")
        case "KeyTrack":
            return Terms(silence={"slope": 0.0})
        case _:
            return None


SETTINGS: dict[str, list[dict[str, Any]]] = {
    "Wavetable": [{}, {"points": 33, "reading": "rough"}],
    "WavetableBank": [{}, {"file": "impulse.wav", "cycle": 256}],
    "LearnedWavetable": [{"tables": 3, "points": 32}, {"tables": 1, "points": 16}],
    "Sinusoidal": [{"partials": 5}],
    "Oscillator": [{"shape": "pulse", "unison": 3}, {"shape": "saw"}, {"shape": "triangle"}, {"shape": "sine"}],
    "Sampler": [{"file": "impulse.wav", "loop": "on"}, {}],
    "Granular": [{}, {"file": "impulse.wav", "overlap": "2"}],
    "NoiseSource": [{"colour": "pink"}, {"colour": "white"}],
    "Envelope": [{}, {"segments": 3, "sustain": 2, "loop": "on"}, {"segments": 2, "sustain": 0}],
    "SampleAndHold": [{}, {"clock": "rate"}],
    "Math": [{"operation": name} for name in ("multiply", "divide", "power", "greater")],
}
