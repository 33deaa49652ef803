"""What is measured: one patch of 100 partials, 65 noise bands and a 2 s stereo convolution reverb, with every voice sounding."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ddsp_studio.processors import performance as channels
from ddsp_studio.processors.patch import Cable, Node, Patch, Port
from ddsp_studio.processors.player import Block, Player

PARTIALS, BANDS, REVERB_S = 100, 65, 2.0
SAMPLE_RATE = 48_000
HOP = 64

_CABLES = (
    "voice.f0 -> harmonic.f0",
    "voice.gate -> envelope.gate",
    "voice.trigger -> envelope.trigger",
    "envelope.out -> harmonic.amplitude",
    "envelope.out -> noise.amplitude",
    "harmonic.audio -> mixer.input",
    "noise.audio -> mixer.input",
    "mixer.audio -> reverb.input",
    "reverb.audio -> output.input",
)


def patch(*, reverb: bool = True) -> Patch:
    """The patch that every table of the bench is about; without the reverb it is the bare harmonic and noise voice."""
    nodes = {
        "voice": Node("Voice"),
        "envelope": Node("Adsr"),
        "harmonic": Node("Harmonic", options={"partials": PARTIALS}),
        "noise": Node("FilteredNoise", options={"bands": BANDS}),
        "mixer": Node("VoiceMixer", values={"gain": (-24.0,)}),
        "reverb": Node("ConvolutionReverb", options={"decay": REVERB_S}),
        "output": Node("Output"),
    }
    built = Patch(name="Bench", nodes=nodes, cables=tuple(_cable(text) for text in _CABLES))
    if reverb:
        return built
    return built.without_nodes(["reverb"]).with_cable(_cable("mixer.audio -> output.input"))


def _cable(text: str) -> Cable:
    source, _, target = text.partition(" -> ")
    return Cable(Port.parse(source), Port.parse(target))


def chord(voices: int, hops: int) -> npt.NDArray[np.float32]:
    """Every voice holding a note of its own, one octave and a half around C4: [voices, hops, 7]."""
    frames = np.zeros([voices, hops, len(channels.CHANNELS)], np.float32)
    frames[:, :, channels.NOTE] = (48 + np.arange(voices) * 7 % 25)[:, None]
    frames[:, :, channels.GATE] = 1.0
    frames[:, :, channels.VELOCITY] = 0.8
    return frames


def endless(player: Player, hops: int, *, improved: bool = True) -> Callable[[], Block]:
    """A call that renders the player's next block of `hops` hops, notes held."""
    values = np.repeat(player.values[None], hops, axis=0)
    performance = chord(player.voices, hops)
    player.warm(hops)
    if improved:
        more = True
        while more:
            while player.improve(hops):
                pass
            more = player.refresh(hops)
    return lambda: player.render(values, performance)
