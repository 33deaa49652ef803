"""Patches for the engine's tests."""

from ddsp_studio.processors.patch import Cable, Node, Patch, Port


def wired(nodes: dict[str, Node], cables: list[str], name: str = "test") -> Patch:
    """A patch from nodes and cables written "a.out -> b.in" or "a.out -> b.in * 0.3"."""
    made = []
    for text in cables:
        ends, _, amount = text.partition("*")
        source, target = (part.strip() for part in ends.split("->"))
        made.append(Cable(Port.parse(source), Port.parse(target), float(amount) if amount else None))
    return Patch(name=name, nodes=nodes, cables=tuple(made))


def synth(partials: int = 40, bands: int = 33, *, reverb: bool = False) -> Patch:
    """A played patch with everything in it that could depend on the block: noise, LFO, recursions, delay, reverb."""
    nodes = {
        "voice": Node("Voice"),
        "amp": Node("Adsr", values={"release": (0.1,)}),
        "lfo": Node("Lfo", 2, values={"rate": (5.0,)}),
        "tone": Node("Harmonic", values={"amplitude": (0.0,)}, options={"partials": partials}),
        "breath": Node("FilteredNoise", values={"amplitude": (0.0,)}, options={"bands": bands}),
        "both": Node("Add"),
        "filter": Node("Filter", values={"cutoff": (3000.0,)}),
        "voices": Node("VoiceMixer", values={"gain": (-12.0,)}),
        "space": Node("ConvolutionReverb") if reverb else Node("Delay", 2, values={"mix": (0.3,), "feedback": (0.2,)}),
        "out": Node("Output"),
    }
    cables = [
        "voice.f0 -> tone.f0",
        "voice.gate -> amp.gate",
        "voice.trigger -> amp.trigger",
        "amp.out -> tone.amplitude * 0.6",
        "amp.out -> breath.amplitude * 0.2",
        "lfo.out -> filter.cutoff * 0.1",
        "voice.mod -> filter.cutoff * 0.3",
        "tone.audio -> both.a",
        "breath.audio -> both.b",
        "both.audio -> filter.input",
        "filter.audio -> voices.input",
        "voices.audio -> space.input",
        "space.audio -> out.input",
    ]
    return wired(nodes, cables)
