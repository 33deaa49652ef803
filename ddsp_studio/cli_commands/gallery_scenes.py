"""What is played for each processor in the gallery: a small patch around it, a phrase, and words on what is heard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ddsp_studio.processors.catalogue import specs
from ddsp_studio.processors.declare import OptionValue
from ddsp_studio.processors.patch import Cable, Node, Patch, Port

SUBJECT = "it"
"""Name of the node that a scene is about."""
Values = Mapping[str, float | tuple[float, ...]]
Phrase = tuple[tuple[float, float, int], ...]
"""Notes as (start in s, length in s, MIDI note)."""

ARPEGGIO: Phrase = tuple((0.3 * i, 0.28, note) for i, note in enumerate((48, 55, 60, 63, 67, 72)))
CHORD: Phrase = tuple((0.0, 1.8, note) for note in (48, 60, 63, 67))
LINE: Phrase = tuple((0.6 * i, 0.5, note) for i, note in enumerate((48, 60, 55, 67)))
NOTE: Phrase = ((0.0, 2.3, 60),)
HIGH_NOTE: Phrase = ((0.0, 2.3, 69),)
HELD: Phrase = tuple((0.0, 3.4, note) for note in (48, 55, 60, 63))


@dataclass(frozen=True)
class Scene:
    """A small patch, the phrase that it plays, and words on it. With `twice` the subject is bypassed the first time."""

    caption: str
    nodes: Mapping[str, Node]
    cables: tuple[str, ...]
    phrase: Phrase = ARPEGGIO
    seconds: float = 2.5
    twice: bool = False
    mode: str = "poly"

    def patch(self, *, dry: bool = False) -> Patch:
        """The patch, with the subject bypassed if `dry`."""
        nodes = dict(self.nodes)
        if dry:
            nodes[SUBJECT] = replace(nodes[SUBJECT], bypassed=True)
        return Patch(name="Gallery", nodes=nodes, cables=tuple(_cable(text) for text in self.cables))


def _cable(text: str) -> Cable:
    """Of a text: "a.b -> c.d" sets, "a.b -> c.d x 0.3" modulates."""
    ends, _, amount = text.partition(" x ")
    source, _, target = ends.partition(" -> ")
    return Cable(Port.parse(source), Port.parse(target), float(amount) if amount else None)


def _node(kind: str, values: Values | None = None, **options: OptionValue) -> Node:
    held = {key: value if isinstance(value, tuple) else (float(value),) for key, value in (values or {}).items()}
    return Node(kind, specs()[kind].version, held, options)


_PLUCK = _node("Adsr", {"attack": 0.003, "decay": 0.9, "sustain": 0.0, "release": 0.25})
_SUSTAIN = _node("Adsr", {"attack": 0.02, "decay": 0.5, "sustain": 0.8, "release": 0.15})
_PLAYED = {"voice": _node("Voice"), "env": _SUSTAIN, "mixer": _node("VoiceMixer", {"gain": -9.0}), "output": _node("Output")}
_GATED = ("voice.gate -> env.gate", "voice.trigger -> env.trigger")
_SLOW = {"sweep": _node("Lfo", {"rate": 0.4}, shape="triangle")}
"""Up and down again once in a picture."""


def _synth(
    kind: str, caption: str, values: Values | None = None, *, moved: str = "", phrase: Phrase = ARPEGGIO, **options: OptionValue
) -> Scene:
    """The processor as the sound of an instrument; `moved` is "control x amount", driven by a slow triangle."""
    nodes = {**_PLAYED, SUBJECT: _node(kind, values, **options), **(_SLOW if moved else {})}
    if len(phrase) == 1:
        nodes["mixer"] = _node("VoiceMixer", {"gain": -12.0})
    cables = [*_GATED, "env.out -> it.amplitude", "it.audio -> mixer.input", "mixer.audio -> output.input"]
    cables += [f"voice.{port} -> it.{port}" for port in ("f0", "gate", "trigger") if port in specs()[kind].controls]
    cables += [f"sweep.out -> it.{moved}"] if moved else []
    return Scene(caption, nodes, tuple(cables), phrase)


def _effect(
    kind: str,
    caption: str,
    values: Values | None = None,
    *,
    source: str = "pluck",
    moved: str = "",
    port: str = "audio",
    **options: OptionValue,
) -> Scene:
    """The processor behind an instrument (`source` is pluck, pad, sine, hiss or bursts): without it, then with it."""
    sounds = {
        "pluck": (_PLUCK, _node("Oscillator"), ARPEGGIO),
        "pad": (_SUSTAIN, _node("Oscillator", {"detune": 12.0}, unison=3), CHORD),
        "sine": (_SUSTAIN, _node("Oscillator", shape="sine"), HIGH_NOTE),
        "hiss": (_SUSTAIN, _node("NoiseSource"), NOTE),
        "bursts": (_PLUCK, _node("NoiseSource"), LINE),
    }
    envelope, sound, phrase = sounds[source]
    mixer = _node("VoiceMixer", {"gain": -15.0 if source == "pad" else -6.0})
    nodes = {
        **_PLAYED,
        "env": envelope,
        "mixer": mixer,
        "sound": sound,
        SUBJECT: _node(kind, values, **options),
        **(_SLOW if moved else {}),
    }
    cables = [*_GATED, "env.out -> sound.amplitude", "sound.audio -> mixer.input", "mixer.audio -> it.input"]
    cables += ["voice.f0 -> sound.f0"] if sound.type == "Oscillator" else []
    cables += [f"it.{port} -> output.input", *([f"sweep.out -> it.{moved}"] if moved else [])]
    return Scene(caption, nodes, tuple(cables), phrase, twice=True)


def _control(
    kind: str,
    caption: str,
    values: Values | None = None,
    *,
    cables: tuple[str, ...] = (),
    nodes: Mapping[str, Node] | None = None,
    phrase: Phrase = NOTE,
    gated: bool = True,
    **options: OptionValue,
) -> Scene:
    """The processor moves a plain tone, by an octave up and down where its outlet goes to `bend.bend`."""
    tone = _node("Harmonic", {"distribution": (1.0, 0.3, 0.1, 0.03)}, partials=4)
    bend = _node("Transpose", {"bend_range": 12.0})
    held = {**_PLAYED, "tone": tone, "bend": bend, SUBJECT: _node(kind, values, **options), **(nodes or {})}
    ends = {text.partition(" -> ")[2].partition(" x ")[0] for text in cables}
    usual = {"bend.out": "tone.f0", "env.out": "tone.amplitude", **({"voice.f0": "bend.f0"} if gated else {})}
    wires = [*(_GATED if gated else ()), *(f"{a} -> {b}" for a, b in usual.items() if b not in ends), *cables]
    wires += ["tone.audio -> mixer.input", "mixer.audio -> output.input"]
    return Scene(caption, held, tuple(wires), phrase)


_BEND = "it.out -> bend.bend"
_SQUARE = {"moving": _node("Lfo", {"rate": 1.2}, shape="square")}
_RISING = {"moving": _node("Lfo", {"rate": 0.9}, shape="saw")}


def scenes() -> dict[str, Scene]:
    """Every scene by the type that it is about."""
    return {**_synths(), **_effects(), **_controls()}


def _synths() -> dict[str, Scene]:
    square = tuple(1.0 if i < 32 else -1.0 for i in range(64))
    return {
        "Harmonic": _synth("Harmonic", "An arpeggio; the tilt goes up and down.", {"tilt": -3.0}, moved="tilt x 0.15"),
        "FilteredNoise": _synth(
            "FilteredNoise", "Hiss; the tilt goes up and down.", {"tilt": -3.0}, moved="tilt x 0.1", phrase=NOTE
        ),
        "Wavetable": _synth("Wavetable", "An arpeggio on a drawn square wave.", {"table": square}),
        "WavetableBank": _synth(
            "WavetableBank", "The bank of vowels; the position goes through it.", moved="position x 0.5", bank="vowels"
        ),
        "LearnedWavetable": _synth("LearnedWavetable", "The waves before training; the position moves.", moved="position x 0.5"),
        "Oscillator": _synth("Oscillator", "A pulse whose width moves.", moved="width x 0.4", shape="pulse"),
        "Sinusoidal": _synth("Sinusoidal", "A held spectrum; its ratio moves.", moved="ratio x 0.2", phrase=NOTE),
        "Sampler": _synth("Sampler", "The plucked string that it holds without a file."),
        "Granular": _synth(
            "Granular",
            "Grains of a plucked string; the place that they come from moves.",
            {"position": 0.3, "jitter": 0.2},
            moved="position x 0.3",
            phrase=HELD[:2],
        ),
        "NoiseSource": _synth("NoiseSource", "Pink noise.", phrase=NOTE, colour="pink"),
        "SteppedNoise": _synth("SteppedNoise", "The rate goes up and down.", moved="rate x 0.4", phrase=NOTE),
    }


def _effects() -> dict[str, Scene]:
    drawn = tuple(1.5 if i in (3, 4, 9, 10) else 0.05 for i in range(33))
    low = {"delay": 0.01, "mix": 0.5}
    return {
        "Filter": _effect(
            "Filter",
            "A chord, then through a resonant low-pass that sweeps.",
            {"cutoff": 900.0, "resonance": 6.0},
            source="pad",
            moved="cutoff x 0.25",
        ),
        "Equaliser": _effect(
            "Equaliser",
            "Noise, then with two bells and two shelves.",
            {"low_gain": 9.0, "first_gain": -18.0, "first_q": 2.0, "second_gain": 15.0, "second_q": 4.0, "high_gain": -12.0},
            source="hiss",
        ),
        "FirFilter": _effect("FirFilter", "Noise, then through two drawn bands.", {"magnitudes": drawn}, source="hiss"),
        "Gain": _effect("Gain", "A chord, then with a level that moves.", {"level": 0.5}, source="pad", moved="level x 0.5"),
        "Delay": _effect("Delay", "Plucks, then with echoes.", {"time": 0.22, "feedback": 0.6, "mix": 0.4, "tone": 3000.0}),
        "PingPong": _effect("PingPong", "Plucks, then with echoes from side to side.", {"time": 0.2, "mix": 0.45}),
        "Distortion": _effect("Distortion", "A sine, then folded.", {"drive": 30.0}, source="sine", curve="fold"),
        "BitCrusher": _effect("BitCrusher", "A sine, then at 5 bits and 5.7 kHz.", {"bits": 5.0, "rate": 5700.0}, source="sine"),
        "Compressor": _effect("Compressor", "Plucks, then compressed.", {"threshold": -32.0, "ratio": 8.0, "makeup": 9.0}),
        "Limiter": _effect("Limiter", "Plucks, then driven into the ceiling.", {"drive": 15.0, "ceiling": -12.0}),
        "Gate": _effect("Gate", "Bursts of noise, then gated.", {"threshold": -30.0, "release": 0.03}, source="bursts"),
        "Chorus": _effect("Chorus", "A chord, then three of it.", {"mix": 0.6, "rate": 1.0, "depth": 0.004}, source="pad"),
        "Vibrato": _effect("Vibrato", "A sine, then with vibrato.", {"depth": 1.0}, source="sine"),
        "Flanger": _effect("Flanger", "Noise, then flanged.", {"rate": 0.5, "feedback": 0.7}, source="hiss"),
        "ModDelay": _effect(
            "ModDelay", "Noise, then against a copy whose delay moves.", low, source="hiss", moved="delay x 0.15"
        ),
        "Phaser": _effect("Phaser", "Noise, then phased.", {"rate": 0.5, "feedback": 0.7}, source="hiss", stages="8"),
        "AutoPan": _effect("AutoPan", "A chord, then from side to side.", {"depth": 1.0, "spread": 0.5}, source="pad"),
        "StereoWidth": _effect("StereoWidth", "Plucks, then twice as wide.", {"width": 2.0}),
        "Pan": _effect("Pan", "A chord, then moved from side to side.", source="pad", moved="pan x 0.5"),
        "ExpDecayReverb": _effect("ExpDecayReverb", "Bursts of noise, then in the room.", {"mix": 0.5}, source="bursts"),
        "FilteredNoiseReverb": _effect(
            "FilteredNoiseReverb",
            "Bursts of noise, then in a room that is dark in the end.",
            {"decay": (2.5, 1.0, 0.3), "mix": 0.5},
            source="bursts",
        ),
        "ConvolutionReverb": _effect("ConvolutionReverb", "Plucks, then in the hall.", {"mix": 0.5}),
        "Splitter": _effect("Splitter", "Noise, then its low band.", {"crossover": 1000.0}, source="hiss", port="low"),
        "ThreeWaySplitter": _effect("ThreeWaySplitter", "Noise, then its middle band.", source="hiss", port="mid"),
    }


def _controls() -> dict[str, Scene]:
    swell = _node("Adsr", {"attack": 0.01, "decay": 0.6, "sustain": 0.3, "release": 0.2})
    gate = ("voice.gate -> it.gate", "voice.trigger -> it.trigger")
    shaped = ("moving.out -> it.input", _BEND)
    rising = ("moving.out -> it.input x 0.5", _BEND)
    swung = ("env.out -> saw.amplitude", "voice.f0 -> swung.f0", "moving.out -> swung.bend")
    quick = {"moving": _node("Lfo", {"rate": 7.0}, shape="random")}
    wide = {"sweeping": _node("Transpose", {"bend_range": 12.0}), "moving": _node("Lfo", {"rate": 0.4}, shape="triangle")}
    to_sweep = ("voice.f0 -> sweeping.f0", "moving.out -> sweeping.bend", "sweeping.out -> it.f0", "it.out -> tone.f0")
    arc = tuple(4.0 * (i / 15.0) * (1.0 - i / 15.0) for i in range(16))
    listening = {"burst": _node("NoiseSource"), "pluck": _PLUCK}
    heard = ("voice.gate -> pluck.gate", "pluck.out -> burst.amplitude", "burst.audio -> it.input", _BEND)
    glided = ("env.out -> tone.amplitude", "tone.audio -> mixer.input", "mixer.audio -> output.input")
    return {
        "Voice": Scene(
            "Notes that glide.",
            {**_PLAYED, SUBJECT: _node("Voice", {"glide": 0.25}), "tone": _node("Oscillator", shape="triangle")},
            (*glided, "it.gate -> env.gate", "it.trigger -> env.trigger", "it.f0 -> tone.f0"),
            LINE,
            mode="mono",
        ),
        "Adsr": _control(
            "Adsr",
            "As the level of a tone.",
            {"attack": 0.15, "decay": 0.5, "sustain": 0.4, "release": 0.3},
            cables=(*gate, "it.out -> tone.amplitude"),
            phrase=LINE,
        ),
        "Envelope": _control(
            "Envelope",
            "Four segments as the pitch of a tone.",
            {"levels": (1.0, 0.2, 0.6, 0.0), "times": (0.5, 0.5, 0.4, 0.5), "curves": (0.6, -0.6, 0.0, 0.6)},
            cables=(*gate, _BEND),
            phrase=((0.0, 1.7, 60),),
            nodes={"env": _node("Adsr", {"attack": 0.02, "sustain": 1.0, "release": 1.5})},
        ),
        "Lfo": _control("Lfo", "A triangle as the pitch of a tone.", {"rate": 1.6}, cables=(_BEND,), shape="triangle"),
        "Drift": _control("Drift", "As the pitch of a tone.", {"rate": 3.0}, cables=(_BEND,)),
        "Follower": _control(
            "Follower",
            "The level of four bursts of noise (not heard) as the pitch of tones.",
            cables=heard,
            nodes=listening,
            phrase=LINE,
        ),
        "PitchTracker": _control(
            "PitchTracker",
            "Hears a saw with vibrato (not heard), and plays a tone at its pitch and level.",
            {"gain": 12.0},
            cables=(*swung, "swung.out -> saw.f0", "saw.audio -> it.input", "it.f0 -> tone.f0", "it.level -> tone.amplitude"),
            nodes={
                "saw": _node("Oscillator"),
                "swung": _node("Transpose", {"bend_range": 1.0}),
                "moving": _node("Lfo", {"rate": 4.0}),
            },
            phrase=LINE,
        ),
        "SampleAndHold": _control(
            "SampleAndHold",
            "Takes a slow triangle eight times a second.",
            {"rate": 8.0},
            cables=shaped,
            nodes={"moving": _node("Lfo", {"rate": 0.8}, shape="triangle")},
            clock="rate",
        ),
        "Slew": _control("Slew", "A square wave, smoothed.", {"rise": 0.1, "fall": 0.3}, cables=shaped, nodes=_SQUARE),
        "Quantise": _control("Quantise", "A glide over two octaves, in steps.", cables=to_sweep, nodes=wide, scale="minor"),
        "Curve": _control("Curve", "A saw through an arc.", {"curve": arc, "input": 0.5}, cables=rising, nodes=_RISING),
        "Transpose": _control(
            "Transpose",
            "Random steps, an octave up and down.",
            {"bend_range": 12.0},
            cables=("voice.f0 -> it.f0", "moving.out -> it.bend", "it.out -> tone.f0"),
            nodes=quick,
        ),
        "Clock": _control(
            "Clock",
            "Its gate at 1/8 opens an envelope.",
            cables=("it.gate -> env.gate", "it.trigger -> env.trigger"),
            nodes={"env": _PLUCK},
            gated=False,
            division="1/8",
        ),
        "Sequencer": _control(
            "Sequencer",
            "A row of eight steps.",
            {"values": (0.0, 0.25, 0.6, 1.0, 0.0, 0.6, 0.25, 0.8), "root": 220.0},
            cables=("it.f0 -> tone.f0", "it.gate -> env.gate", "it.trigger -> env.trigger"),
            nodes={"env": swell},
            gated=False,
            division="1/8",
        ),
        "Arpeggiator": _control(
            "Arpeggiator",
            "Four held keys, two octaves up.",
            cables=("it.notes -> voice.performance",),
            phrase=HELD,
            nodes={"env": _PLUCK},
            octaves=2,
        ),
    }


CAPTIONS = {name: scene.caption for name, scene in scenes().items()}
