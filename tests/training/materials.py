"""A corpus that is made in a moment, and a patch that learns from it in a few."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ddsp_studio.processors.patch import Cable, Node, Patch, Port
from ddsp_studio.training.protocol import Event
from ddsp_studio.training.runs import Order, Run, Source
from ddsp_studio.training.settings import Settings

RATE = 16_000


def tone(seconds: float = 6.0, *, partials: int = 6, only_even: bool = False, seed: int = 1) -> np.ndarray:
    """Notes of half a second with a decaying spectrum, [samples]."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(0.5 * RATE)) / RATE
    notes = []
    for _ in range(int(2 * seconds)):
        f0_hz, level = 220.0 * 2.0 ** rng.uniform(0.0, 1.0), 10.0 ** rng.uniform(-1.5, -0.5)
        envelope = np.minimum(1.0, time / 0.02) * np.exp(-2.0 * time)
        numbers = range(2 if only_even else 1, partials + 1, 2 if only_even else 1)
        notes.append(level * envelope * sum(np.sin(2 * np.pi * k * f0_hz * time) / k**1.5 for k in numbers))
    return np.concatenate(notes)


def write(path: Path, audio: np.ndarray) -> Path:
    """Write a sound file."""
    import soundfile

    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, audio, RATE, subtype="PCM_16")
    return path


def patch(*, reverb: bool = False, amplitude: float = 0.3) -> Patch:
    """A decoder that plays eight partials, with or without a room that learns."""
    nodes = {
        "voice": Node("Voice"),
        "expression": Node("Expression"),
        "net": Node("RnnDecoder", options={"size": "tiny"}),
        "tone": Node("Harmonic", values={"amplitude": (amplitude,)}, options={"partials": 8}),
        "mixer": Node("VoiceMixer", values={"gain": (0.0,)}),
        "out": Node("Output"),
    }
    cables = {
        "voice.f0": "tone.f0", "voice.f0 ": "net.f0", "expression.loudness": "net.loudness", "net.controls": "tone.amplitude",
        "net.controls ": "tone.distribution", "tone.audio": "mixer.input",
    }  # fmt: skip
    if reverb:
        nodes["room"] = Node("ConvolutionReverb", options={"decay": 0.1, "predelay": 0.0})
        cables |= {"mixer.audio": "room.input", "room.audio": "out.input"}
    else:
        cables["mixer.audio"] = "out.input"
    made = Patch(nodes=nodes)
    for source, target in cables.items():
        made = made.with_cable(Cable(Port.parse(source.strip()), Port.parse(target)))
    return made


def quick(**changes: Any) -> Settings:
    """Settings of a training that takes a second or two."""
    return Settings(**{"clip_s": 0.25, "batch": 2, "steps": 6, "minutes": 0.0, "checkpoint_steps": 3, "seed": 5, **changes})


def begun(folder: Path, audio: Path, settings: Settings | None = None, made: Patch | None = None) -> Run:
    """A run that was begun and has not gone a step."""
    run = Run(folder)
    order = Order(name="Tone", sources=(Source(str(audio)),), settings=settings or quick(), licence="CC0 1.0")
    run.begin(order, made or patch())
    return run


class Heard(list[Event]):
    """Events that were told."""

    def of(self, kind: type) -> list[Any]:
        """Those of a kind."""
        return [event for event in self if isinstance(event, kind)]
