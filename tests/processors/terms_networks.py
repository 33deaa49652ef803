"""Terms and configurations of the processors that hold networks."""

from __future__ import annotations

from typing import Any

from ddsp_studio.processors.declare import Control, Head

from .stimulus import Terms


class Heads(tuple[Head, ...]):
    """Heads with a short name."""

    def __format__(self, _: str) -> str:
        return f"{len(self)} heads"


LEVEL = Control(unit="", low=0.0, high=1.0, default=0.5)
HEADS = Heads((Head("noise.magnitudes", LEVEL, 3), Head("tone.amplitude", LEVEL, 1)))
_RESTLESS = {"restless": "a network says something at rest, too"}


def terms(name: str, **options: Any) -> Terms | None:
    """The terms of one of these types under the given options."""
    match name:
        case "RnnDecoder" | "DilatedDecoder":
            return Terms(
                **_RESTLESS, batch=2 if "latents" not in options else 3, hops=18, knobs={"f0": (0.3, 0.6), "loudness": (0.4, 0.9)}
            )
        case "Expression":
            return Terms(restless="gives a loudness, whose rest is not zero", batch=2)
        case "MfccEncoder" | "ResidualEncoder":
            return Terms(**_RESTLESS, batch=2, hops=24)
        case _:
            return None


SETTINGS: dict[str, list[dict[str, Any]]] = {
    "MfccEncoder": [{"latents": 3, "units": 8}],
    "ResidualEncoder": [{"latents": 3, "width": 8}],
    "RnnDecoder": [{"size": "tiny", "heads": HEADS}, {"size": "tiny", "heads": HEADS, "frame": 12.0, "latents": 3}],
    "DilatedDecoder": [{"size": "tiny", "heads": HEADS}, {"size": "tiny", "heads": HEADS, "frame": 12.0, "latents": 3}],
}
