"""Patches for tests."""

from __future__ import annotations

from ddsp_studio.processors.patch import Cable, Node, Patch, Port


def cable(text: str, amount: float | None = None) -> Cable:
    """A cable from "a.out -> b.in"."""
    source, target = text.split(" -> ")
    return Cable(Port.parse(source), Port.parse(target), amount)


def wired(nodes: dict[str, Node], *cables: str | Cable) -> Patch:
    """A patch of nodes and cables."""
    return Patch(nodes=nodes, cables=tuple(c if isinstance(c, Cable) else cable(c) for c in cables))


def tone() -> Patch:
    """A played harmonic tone with an envelope, vibrato, filter, mixer, delay and output: every kind of cable."""
    nodes = {
        "voice": Node("Voice"),
        "env": Node("Adsr", values={"attack": (0.01,), "release": (0.1,)}),
        "lfo": Node("Lfo", 2, values={"rate": (5.5,)}),
        "bend": Node("Transpose", values={"bend_range": (0.3,)}),
        "tone": Node("Harmonic", options={"partials": 12}, values={"amplitude": (0.4,)}),
        "air": Node("FilteredNoise", options={"bands": 17}, values={"amplitude": (0.1,)}),
        "level": Node("Gain"),
        "filter": Node("Filter", values={"cutoff": (1500.0,)}),
        "mixer": Node("VoiceMixer"),
        "echo": Node("Delay", 2, options={"longest": 0.2}, values={"time": (0.05,), "mix": (0.3,)}),
        "out": Node("Output"),
    }
    return wired(
        nodes,
        "voice.f0 -> bend.f0",
        "lfo.out -> bend.bend",
        "bend.out -> tone.f0",
        "voice.gate -> env.gate",
        "voice.trigger -> env.trigger",
        "env.out -> level.level",
        "tone.audio -> level.input",
        "air.audio -> level.input",
        "level.audio -> filter.input",
        cable("env.out -> filter.cutoff", 0.3),
        cable("lfo.out -> filter.cutoff", 0.1),
        "filter.audio -> mixer.input",
        "mixer.audio -> echo.input",
        "echo.audio -> out.input",
    )
