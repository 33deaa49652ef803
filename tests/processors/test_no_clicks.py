"""Nothing clicks at the edges of hops, blocks and voices: no step there is larger than the steps that the sound makes anyway.

Every processor with audio outlets plays low sines (or itself) while all its controls move smoothly, and gates open and close,
through blocks of 64 and 256 samples and an odd mixture. At the edge of every hop the step (first difference) and the bend (second
difference) are held against the largest inside of hops of the unbroken sound. A control that ramps linearly bends at edges, so a
bend has more room: at a control that jumps by as much it measures over 200.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from ddsp_studio.audio.events import Midi
from ddsp_studio.audio.voices import VoiceAllocator
from ddsp_studio.cli_commands.gallery_scenes import SUBJECT, scenes
from ddsp_studio.contract.stimulus import clock, squares
from ddsp_studio.dsp.ramps import ramp
from ddsp_studio.dsp.tensor import HOP, Tensor, tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.catalogue import processor_types
from ddsp_studio.processors.check import values_of
from ddsp_studio.processors.declare import Inlet, Outlet, Signal
from ddsp_studio.processors.group import ProcessorGroup
from ddsp_studio.processors.patch import Node, Patch

from .cases import SETTINGS, impulse_file, terms
from .mutants import CountsPhaseInFloat32, ForgetsHistory, Level
from .stimulus import Terms

RATE, BATCH = 48_000, 2
BLOCKS = [1] * 8 + [4] * 4 + [3, 7, 2, 5, 1, 6]
"""In hops: 64 and 256 samples, and all sorts."""
HOPS = sum(BLOCKS)
LEAST, STEP, BEND = 2, 1.15, 10.0
"""Hops before it counts, and what is allowed at an edge against the largest inside of hops."""
Array = npt.NDArray[np.float64]


def stimulus(processor: Processor, held: Terms) -> dict[str, npt.NDArray[np.float32]]:
    """Two low sines that fade in, controls that swing once and a half, gates that turn every six hops."""
    rng, made = np.random.default_rng(3), {}
    time_s = np.arange(HOPS * HOP) / RATE
    fade = np.sin(0.5 * np.pi * np.minimum(1.0, time_s * RATE / (8.5 * HOP))) ** 2
    for name, inlet in processor.spec.inlets.items():
        if inlet.signal is Signal.AUDIO:
            phases = rng.uniform(0.0, 6.0, (2, BATCH, 1))
            low, high = (np.sin(2.0 * np.pi * f_hz * time_s + phase) for f_hz, phase in zip((90, 210), phases, strict=True))
            made[name] = fade * (0.3 * low + 0.15 * high)
        elif inlet.signal is Signal.CLOCK:
            made[name] = clock(rng, BATCH, HOPS)
    for name, control in processor.spec.controls.items():
        if name in held.thresholds:
            made[name] = np.repeat(squares(rng, BATCH, HOPS // 6 + 1), 6, axis=1)[:, :HOPS, None]
            continue
        low, high = held.knobs.get(name, (0.15, 0.85))
        phase = rng.uniform(0.0, 2.0 * np.pi, (BATCH, 1, processor.channels(name)))
        swing = np.sin(3.0 * np.pi * np.arange(HOPS)[None, :, None] / HOPS + phase)
        made[name] = control.from_knob(0.5 * (low + high) + 0.5 * (high - low) * swing)
    return {name: np.asarray(value, np.float32) for name, value in made.items()}


def play(processor: Processor, inputs: Mapping[str, Any], blocks: Sequence[int] = BLOCKS) -> dict[str, Array]:
    """Every audio outlet, block after block."""
    state, begin, pieces = processor.start(BATCH), 0, []
    for size in blocks:
        scale = {name: HOP if value.ndim == 2 else 1 for name, value in inputs.items()}
        block = {n: tf.constant(value[:, begin * scale[n] : (begin + size) * scale[n]]) for n, value in inputs.items()}
        outputs, state = processor.process(state, block)
        pieces.append(outputs)
        begin += size
    heard = [name for name, outlet in processor.spec.outlets.items() if outlet.signal is Signal.AUDIO]
    return {name: np.concatenate([piece[name] for piece in pieces], axis=1).astype(np.float64) for name in heard}


def roughness(audio: Array, whole: Array, order: int) -> float:
    """The largest difference of this order across an edge of a hop, against the largest inside of hops of the unbroken sound."""
    broken, smooth = (np.abs(np.diff(sound, n=order, axis=1))[:, LEAST * HOP :] for sound in (audio, whole))
    across = (np.arange(broken.shape[1]) + order) % HOP < order
    return float(broken[:, across].max() / max(smooth[:, ~across].max(), 1e-7))


def refuse_clicks(audio: Array, whole: Array) -> None:
    """AssertionError with the numbers; `whole` is the same sound in one block."""
    step, bend = roughness(audio, whole, 1), roughness(audio, whole, 2)
    assert step < STEP, f"a step at an edge of {step:.2f} times the largest elsewhere"
    assert bend < BEND, f"a bend at an edge of {bend:.2f} times the largest elsewhere"


def refuse_clicks_of(processor: Processor, held: Terms) -> None:
    """Play a processor, and refuse any of its outlets that clicks."""
    inputs = stimulus(processor, held)
    whole = play(processor, inputs, [HOPS])
    for name, audio in play(processor, inputs).items():
        refuse_clicks(audio, whole[name])


def audible(kind: type[Processor]) -> bool:
    """Whether a processor makes a sound of what a stimulus gives it."""
    inlets = {inlet.signal for inlet in kind.spec.inlets.values()} <= {Signal.AUDIO, Signal.CLOCK}
    return inlets and any(outlet.signal is Signal.AUDIO for outlet in kind.spec.outlets.values())


SOUNDING = [(name, options) for name, kind in processor_types().items() if audible(kind) for options in SETTINGS.get(name, [{}])]


def label(part: str | dict[str, Any]) -> str:
    return part if isinstance(part, str) else "-".join(map(str, part.values()))


@pytest.mark.parametrize(("name", "options"), SOUNDING, ids=label)
def test_edges_of_hops_and_blocks_are_not_heard(name: str, options: dict[str, Any], tmp_path: Path) -> None:
    held = dict(options)
    if "file" in held:
        held["file"] = str(impulse_file(tmp_path / held["file"]))
    refuse_clicks_of(processor_types()[name](RATE, **held), terms(name, **options))


# -- voices ---------------------------------------------------------------------------------------------------------------------

SMOOTH: dict[str, dict[str, Any]] = {
    "Harmonic": {"partials": 2},
    "Wavetable": {"points": 8},
    "LearnedWavetable": {"tables": 2, "points": 16},
    "Oscillator": {"shape": "sine"},
    "Sinusoidal": {"partials": 3},
}
"""Options of synthesizers under which their own steps are small."""
SYNTHS = [name for name, kind in processor_types().items() if kind.spec.category == "Synth" and name in scenes()]
_NOTES = ((100, 40), (500, 47), (1100, 52), (1130, 43), (1800, 40), (2300, 55))


def played(patch: Patch, mode: str) -> Array:
    """Notes that take voices from each other and let go, on two voices: [2, samples]."""
    group, voices = ProcessorGroup(patch, sample_rate=RATE), VoiceAllocator(2, mode)
    controls = {name: values_of(group.patch.nodes[name], name) for name in group.order}
    values = np.concatenate([controls[name][key] for name in group.order for key in group.processors[name].spec.controls])
    events = [Midi(at, bytes((0x90, note, 100))) for at, note in _NOTES] + [Midi(2000, bytes((0x80, 40, 0)))]
    events.sort(key=lambda event: event.sample)
    state, begin, pieces = group.start(2), 0, []
    for size in BLOCKS:
        due = [event for event in events if begin * HOP <= event.sample < (begin + size) * HOP]
        frames = voices.frames(due, begin, size)
        rendered, state = group.process(state, tf.constant(np.tile(values, (size, 1)), tf.float32), tf.constant(frames))
        pieces.append(rendered.audio)
        begin += size
    return np.concatenate(pieces, axis=1).astype(np.float64)


def instrument(name: str) -> Patch:
    """The gallery's instrument around a synthesizer, with smooth options and no modulation."""
    patch = scenes()[name].patch()
    held = patch.nodes[SUBJECT]
    smooth = Node(held.type, held.version, {}, {**held.options, **SMOOTH.get(name, {})})
    return patch.without_nodes(["sweep"]).with_node(SUBJECT, smooth)


@pytest.mark.parametrize(("name", "mode"), [*((name, "poly") for name in SYNTHS), ("Oscillator", "mono"), ("Sampler", "mono")])
def test_notes_that_take_over_are_not_heard_as_clicks(name: str, mode: str) -> None:
    audio = played(instrument(name), mode)
    assert np.abs(audio).max() > 1e-3
    refuse_clicks(audio, audio)


# -- it can fail ----------------------------------------------------------------------------------------------------------------


class HoldsItsControl(Processor, version=1, category="Test", listed=False):
    """A gain that jumps from frame to frame."""

    input, level, audio = Inlet(), Level(), Outlet()

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        return {"audio": x.input * tf.repeat(x.level[:, 1:, 0], HOP, axis=1)}, memory


class Ramps(HoldsItsControl, version=1, category="Test", listed=False):
    """The same without the fault."""

    input, level, audio = Inlet(), Level(), Outlet()

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        return {"audio": x.input * ramp(x.level)}, memory


class StartsEachBlockAnew(CountsPhaseInFloat32, version=1, category="Test", listed=False):
    """An oscillator that forgets its phase between blocks."""

    frequency, level, audio = CountsPhaseInFloat32.frequency, Level(), Outlet()

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        return super().render(self.memory(int(x.level.shape[0])), x)


@pytest.mark.parametrize("kind", [HoldsItsControl, StartsEachBlockAnew, ForgetsHistory])
def test_faults_are_found(kind: type[Processor]) -> None:
    with pytest.raises(AssertionError, match="at an edge"):
        refuse_clicks_of(kind(RATE), Terms())


def test_a_gain_that_ramps_passes() -> None:
    refuse_clicks_of(Ramps(RATE), Terms())


def test_a_voice_that_is_cut_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = processor_types()["Oscillator"]
    render = kind.render

    def cut(self: Processor, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        outputs, memory = render(self, memory, x)
        sounds = tf.cast(x.amplitude[:, 1:, 0] > 0.4, tf.float32)
        return {"audio": outputs["audio"] * tf.repeat(sounds, HOP, axis=1)}, memory

    monkeypatch.setattr(kind, "render", cut)
    with pytest.raises(AssertionError, match="at an edge"):
        cut_off = played(instrument("Oscillator"), "poly")
        refuse_clicks(cut_off, cut_off)
