"""Every processor of the catalogue in the configurations that matter, and the terms on which it keeps the contract."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ddsp_studio.processors import catalogue
from ddsp_studio.processors.base import Processor

from .stimulus import Case, Terms

RATE = 16_000

_GATE = {"gate": "held while above 0.5", "trigger": "starts the attack while above 0.5"}
_RESET = {"reset": "starts the cycle while above 0.5"}
_LFO = {"drivers": ("depth",), "silence": {"depth": 0.0}, "thresholds": _RESET, "knobs": {"rate": (0.4, 1.0)}}
_ECHO = {"knobs": {"time": (0.0, 0.15)}, "hops": 20}
_CLIP = {"spread": "in training a row is a clip, not a voice", "pan": "in training a row is a clip, not a voice"}
_STAGE = "every voice is heard on left and right"


def terms(name: str, **options: Any) -> Terms:
    """The terms of a type under the given options and stereo setting."""
    match name:
        case "Voice":
            # a key that was never pressed has a pitch too, and loudness rests at -80 dB
            return Terms(restless="gives pitch and loudness, whose rest is not zero", knobs={"glide": (0.2, 0.5)}, hops=20)
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
            return Terms()


SETTINGS: dict[str, list[dict[str, Any]]] = {
    "Lfo": [{"shape": shape} for shape in ("sine", "triangle", "saw", "square", "random")],
    "Harmonic": [{}, {"partials": 1}],
    "FilteredNoise": [{}, {"bands": 5}],
    "Filter": [{"mode": mode} for mode in ("low", "high", "band", "notch")],
    "Delay": [{"longest": 0.1}, {"longest": 0.2, "stereo": True}],
    "ConvolutionReverb": [{"decay": 0.6}, {"decay": 0.2, "predelay": 0.0, "stereo": True}, {"file": "impulse.wav"}],
    "Pan": [{}, {"stereo": True}],
    "VoiceMixer": [{}, {"stereo": True}],
}
"""Options worth testing; a type that is not named here is tested as it is by default."""


def _make(kind: type[Processor], settings: dict[str, Any], folder: Path) -> Processor:
    if "file" in settings:
        settings = {**settings, "file": str(impulse_file(folder / settings["file"]))}
    return kind(RATE, **settings)


def impulse_file(path: Path) -> Path:
    """Write a short stereo response of another rate, once."""
    import soundfile

    if not path.exists():
        rng = np.random.default_rng(3)
        decay = np.exp(-np.arange(4000)[:, None] / 800.0)
        soundfile.write(path, rng.normal(0.0, 0.1, (4000, 2)) * decay, 22_050, subtype="FLOAT")
    return path


def cases(folder: Path) -> dict[str, Case]:
    """All cases by name; `folder` takes the files that some of them read."""
    found = {}
    for name, kind in catalogue.processor_types().items():
        for number, settings in enumerate(SETTINGS.get(name, [{}])):
            label = name + "".join(f"-{value}" if not isinstance(value, bool) else f"-{key}" for key, value in settings.items())
            stereo_rows = 2 if settings.get("stereo") and name in ("Delay", "ConvolutionReverb") else None
            held = terms(name, **settings)
            case = Case(partial(_make, kind, settings, folder), held)
            found[label] = case.on(variant=number > 0, **({"batch": stereo_rows} if stereo_rows else {}))
    return found
