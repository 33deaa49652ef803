"""A small catalogue of made-up processors, so that the editor's tests do not depend on the real ones."""

from __future__ import annotations

from ddsp_studio.processors.declare import Control, Inlet, Law, Option, Outlet, Signal, Spec
from ddsp_studio.processors.patch import Cable, Port


def port(text: str) -> Port:
    return Port.parse(text)


def cable(source: str, target: str, amount: float | None = None) -> Cable:
    return Cable(port(source), port(target), amount)


def hz(default: float = 440.0) -> Control:
    return Control(unit="Hz", low=20.0, high=18_000.0, default=default, law=Law.OCTAVES, doc="A frequency.")


def plain(default: float = 0.5, doc: str = "") -> Control:
    return Control(unit="", low=0.0, high=1.0, default=default, doc=doc)


def seconds(default: float) -> Control:
    return Control(unit="s", low=0.0, high=10.0, default=default, law=Law.CURVED, doc="A time.")


AUDIO, NUMBER = Outlet(doc="The sound."), Outlet(signal=Signal.CONTROL, doc="A number.")


def spec(
    name: str, category: str, summary: str, inlets: dict, controls: dict, outlets: dict, options: dict | None = None
) -> Spec:
    return Spec(name, 1, category, summary, inlets=inlets, controls=controls, outlets=outlets, options=options or {})


SPECS: dict[str, Spec] = {
    one.name: one
    for one in (
        spec(
            "Voice",
            "Source",
            "The keys that are played, as pitch and gate.",
            {"notes": Inlet(signal=Signal.NOTES)},
            {"glide": seconds(0.0)},
            {"f0_hz": Outlet(signal=Signal.CONTROL, unit="Hz"), "gate": NUMBER, "velocity": NUMBER},
        ),
        spec(
            "Adsr",
            "Control",
            "An envelope of four stages.",
            {},
            {"gate": plain(0.0), "attack": seconds(0.01), "decay": seconds(0.2), "sustain": plain(0.7), "release": seconds(0.3)},
            {"out": NUMBER},
        ),
        spec("Lfo", "Control", "A slow oscillation.", {}, {"rate": hz(20.0), "phase": plain(0.0)}, {"out": NUMBER}),
        spec(
            "Harmonic",
            "Synth",
            "A sum of sines at multiples of a pitch.",
            {},
            {
                "f0": hz(),
                "amplitude": plain(0.0),
                "distribution": Control(unit="", low=0.0, high=1.0, default=(1.0, 0.5, 0.25, 0.1), channels="partials"),
            },
            {"out": AUDIO},
            {
                "partials": Option(default=24, low=1, high=100, doc="How many sines."),
                "window": Option(default="soft", choices=("soft", "hard")),
            },
        ),
        spec(
            "Filter",
            "Filter",
            "A low-pass filter.",
            {"audio": Inlet()},
            {"cutoff": hz(1000.0), "resonance": plain(0.2)},
            {"out": AUDIO},
        ),
        spec(
            "Gain",
            "Effect",
            "A volume.",
            {"audio": Inlet()},
            {
                "gain": Control(unit="dB", low=-60.0, high=12.0, default=0.0),
                "pan": Control(unit="", low=-1.0, high=1.0, default=0.0, advanced=True),
            },
            {"out": AUDIO},
        ),
        spec(
            "Reverb",
            "Effect",
            "A room.",
            {"audio": Inlet()},
            {"mix": plain(0.3)},
            {"out": AUDIO},
            {"file": Option(default="", path="audio"), "decay": Option(default=2.0, low=0.1, high=10.0, unit="s")},
        ),
        spec("VoiceMixer", "Mix", "Sums the voices.", {"audio": Inlet()}, {"spread": plain(0.3)}, {"out": AUDIO}),
        spec("Output", "Output", "What is heard.", {"audio": Inlet()}, {}, {}),
    )
}
