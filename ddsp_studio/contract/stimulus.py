"""What a processor is driven with in the contract: random inputs made from its declaration alone, and ways to run it on them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.tensor import HOP, Tensor, tf
from ddsp_studio.processors import catalogue
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Signal
from ddsp_studio.processors.performance import INPUT_WIDTH, WIDTHS

Array = npt.NDArray[np.float32]
Arrays = dict[str, Array]


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What the contract must know of a processor that its declaration does not say. Every exception carries its reason."""

    batch: int = 3
    hops: int = 18
    knobs: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Knob range in which a random stimulus moves a control; 0.15 to 0.85 where none is given."""
    thresholds: Mapping[str, str] = field(default_factory=dict)
    """Controls that are only compared with 0.5: they change the output and have no gradient."""
    steps: Mapping[str, str] = field(default_factory=dict)
    """Further controls that change the output in steps, so that their gradient may be zero."""
    estimated: Mapping[str, str] = field(default_factory=dict)
    """Inputs whose gradient is an estimate by declaration (straight through a rounding), not the slope of differences."""
    unheard: Mapping[str, str] = field(default_factory=dict)
    """Controls that do nothing by declaration in this configuration."""
    drivers: tuple[str, ...] = ()
    """Controls that stand for the input where there is no inlet; all of them where none is named."""
    silence: Mapping[str, float] = field(default_factory=dict)
    """Control values that are silence, beside silent inlets."""
    restless: str = ""
    """Why the outputs never come to rest, if they do not."""
    mixes_rows: str = ""
    """Why the output rows are not the input rows, if they are not."""
    plain: Mapping[str, float] = field(default_factory=dict)
    """Control values under which the latency is measured."""
    early: str = ""
    """Why a change is heard sooner than the declared latency, if it is."""
    variant: bool = False
    """Whether another configuration of the same code is held to the full split law, so that an eager one will do here."""
    tails: tuple[Mapping[str, float], ...] = ({},)
    """Control values under which the tail is measured."""


class Case:
    """A processor, its compiled function (traced once for each block size and shared by all clauses), and its terms."""

    def __init__(self, make: Callable[[], Processor], terms: Terms | None = None) -> None:
        self.make, self.terms = make, terms or Terms()

    @functools.cached_property
    def processor(self) -> Processor:
        """The one instance that all clauses use: it is configuration, and must remember nothing."""
        return self.make()

    @functools.cached_property
    def process(self) -> Callable[..., Any]:
        """The compiled `process`."""
        # Grappler takes longer than all that a test then runs, and the player does without it too; so do shortened tracebacks
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
        tf.debugging.disable_traceback_filtering()
        compiled: Callable[..., Any] = tf.function(self.processor.process, autograph=False)
        return compiled

    def forget(self) -> None:
        """Let go of what was compiled."""
        self.__dict__.pop("process", None)

    def rng(self, salt: int = 0) -> np.random.Generator:
        """A generator that is the same in every run."""
        return np.random.default_rng([20, salt, *map(ord, self.processor.spec.name)])

    @property
    def listed(self) -> bool:
        """Whether the type is in the catalogue."""
        return catalogue.processor_types().get(self.processor.spec.name) is type(self.processor)

    def on(self, **changes: Any) -> Case:
        """The same processor on other terms."""
        other = Case(self.make, replace(self.terms, **changes))
        other.__dict__.update(processor=self.processor, process=self.process)
        return other


# -- making inputs ----------------------------------------------------------------------------------------------------------


def squares(rng: np.random.Generator, batch: int, frames: int) -> npt.NDArray[np.float32]:
    """On for 3 to 7 frames, off for 3 to 7 frames, and so on: [batch, frames]."""
    out = np.zeros((batch, frames), np.float32)
    for row in out:
        place, level = 0, float(rng.integers(2))
        while place < frames:
            length = int(rng.integers(3, 8))
            row[place : place + length] = level
            place, level = place + length, 1.0 - level
    return out


def performance(rng: np.random.Generator, batch: int, frames: int) -> npt.NDArray[np.float32]:
    """Random notes with all their controllers, [batch, frames, 7]."""
    gate = squares(rng, batch, frames)
    before = np.concatenate([np.zeros((batch, 1), np.float32), gate[:, :-1]], axis=1)
    trigger = (gate > before).astype(np.float32)
    numbers = rng.uniform(40.0, 80.0, (batch, frames)).astype(np.float32)
    chosen = np.maximum.accumulate(np.where(trigger > 0, np.arange(frames), 0), axis=1)
    note = np.take_along_axis(numbers, chosen, axis=1)
    rest = rng.uniform(0.1, 0.9, (batch, frames, 3)).astype(np.float32)
    bend = rng.uniform(-1.0, 1.0, (batch, frames)).astype(np.float32)
    return np.stack([note, gate, trigger, *np.moveaxis(rest, 2, 0), bend], axis=2)


def clock(rng: np.random.Generator, batch: int, frames: int) -> npt.NDArray[np.float32]:
    """A hurried clock that jumps back once, [batch, frames, 3]: several steps of any note value, at an everyday tempo."""
    pace = rng.uniform(0.11, 0.29, (batch, 1)) * np.ones((1, frames))
    pace[:, frames // 2] = -0.73
    beat = rng.uniform(1.0, 2.0, (batch, 1)) + np.cumsum(pace, axis=1)
    tempo = rng.uniform(80.0, 160.0, (batch, frames))
    return np.stack([beat, tempo, squares(rng, batch, frames)], axis=2).astype(np.float32)


def constants(processor: Processor, values: Mapping[str, float], batch: int, hops: int) -> Arrays:
    """Every control at its default, or at the given value, for the whole time."""
    held = {}
    for name, control in processor.spec.controls.items():
        channels = processor.channels(name)
        value = np.full(channels, values[name]) if name in values else np.array(control.defaults(channels))
        held[name] = np.broadcast_to(value, (batch, hops, channels)).astype(np.float32)
    return held


def _noise(rng: np.random.Generator, batch: int, hops: int, width: int) -> npt.NDArray[np.float32]:
    """Noise of 0.2 rms, averaged over a Hann window of `width` samples."""
    window = np.hanning(width + 2)[1:-1]
    white = rng.normal(0.0, 0.2, (batch, hops * HOP + width - 1))
    kernel = window / np.sqrt(np.sum(window**2))
    return np.stack([np.convolve(row, kernel, "valid") for row in white]).astype(np.float32)


def stimulus(case: Case, salt: int = 0, *, smooth: bool = False) -> Arrays:
    """Random values for every port: noise, notes, controls that move at every frame; `smooth` takes the treble off the noise."""
    processor, terms = case.processor, case.terms
    rng, batch, hops = case.rng(salt), terms.batch, terms.hops
    made: Arrays = {}
    for name, inlet in processor.spec.inlets.items():
        if inlet.signal is Signal.AUDIO:
            made[name] = _noise(rng, batch, hops, 32 if smooth else 1)
        elif inlet.signal is Signal.INPUT:
            made[name] = rng.normal(0.0, 0.2, (batch, hops, INPUT_WIDTH)).astype(np.float32)
        else:
            made[name] = (performance if inlet.signal is Signal.NOTES else clock)(rng, batch, hops)
    for name, control in processor.spec.controls.items():
        if name in terms.thresholds:
            made[name] = squares(rng, batch, hops)[..., None]
            continue
        low, high = terms.knobs.get(name, (0.15, 0.85))
        knob = rng.uniform(low, high, (batch, hops, processor.channels(name)))
        made[name] = np.asarray(control.from_knob(knob), np.float32)
    return made


def silence(processor: Processor, terms: Terms, values: Mapping[str, float], hops: int) -> Arrays:
    """Silent inlets, and controls at the given values except those that stand for the input."""
    made = constants(processor, {**values, **terms.silence}, terms.batch, hops)
    for name, inlet in processor.spec.inlets.items():
        width = WIDTHS.get(inlet.signal)
        made[name] = np.zeros((terms.batch, hops * HOP) if width is None else (terms.batch, hops, width), np.float32)
    return made


def cotangents(case: Case, outputs: Mapping[str, Tensor]) -> Arrays:
    """Fixed random weights for every output, of which a scalar is made."""
    rng = case.rng(99)
    return {name: rng.normal(0.0, 1.0, out.shape).astype(np.float32) for name, out in outputs.items()}


# -- running ----------------------------------------------------------------------------------------------------------------


def cut(processor: Processor, inputs: Mapping[str, Any], begin: int, end: int) -> dict[str, Any]:
    """The hops from `begin` to `end` of every input."""
    kinds = {name: inlet.signal for name, inlet in processor.spec.inlets.items()}
    scale = {name: HOP if kinds.get(name) is Signal.AUDIO else 1 for name in inputs}
    return {name: x[:, begin * scale[name] : end * scale[name]] for name, x in inputs.items()}


def blocks(case: Case) -> list[int]:
    """The blocks in which compiled gradients are taken, of one size where that fits: each size takes seconds to trace."""
    return [3] * (case.terms.hops // 3) + [1] * (case.terms.hops % 3)


def few_blocks(case: Case) -> list[int]:
    """`blocks` where they are two at most, else the whole: many calls cost more than one more size to trace."""
    sizes = blocks(case)
    return sizes if len(sizes) <= 2 else [case.terms.hops]


def run(
    case: Case, inputs: Mapping[str, Any], sizes: Sequence[int] = (), *, state: Any = None, eager: bool = False
) -> tuple[dict[str, Tensor], Any]:
    """Process block after block of these numbers of hops (one block if none are given); outputs joined, and the last state."""
    processor = case.processor
    batch = max(int(x.shape[0]) for x in inputs.values())
    state = processor.start(batch) if state is None else state
    call, begin, pieces = processor.process if eager else case.process, 0, []
    for size in sizes or [hops_of(processor, inputs)]:
        block = {name: tf.convert_to_tensor(x, tf.float32) for name, x in cut(processor, inputs, begin, begin + size).items()}
        out, state = call(state, block)
        pieces.append(flat(out))
        begin += size
    return {name: tf.concat([piece[name] for piece in pieces], axis=1) for name in pieces[0]}, state


def flat(outputs: Mapping[str, Any]) -> dict[str, Tensor]:
    """Outputs by name; each head of a learned outlet is one, "outlet/target"."""
    found: dict[str, Tensor] = {}
    for name, out in outputs.items():
        found |= {f"{name}/{target}": logits for target, logits in out.items()} if isinstance(out, Mapping) else {name: out}
    return found


def hops_of(processor: Processor, inputs: Mapping[str, Any]) -> int:
    """How many hops the inputs last."""
    name, x = next(iter(inputs.items()))
    inlet = processor.spec.inlets.get(name)
    return int(x.shape[1]) // (HOP if inlet is not None and inlet.signal is Signal.AUDIO else 1)


def gradients(
    case: Case, inputs: Arrays, sizes: Sequence[int] = (), *, eager: bool = False
) -> tuple[dict[str, Tensor], Any, dict[str, npt.NDArray[np.float32]]]:
    """Run, and differentiate the weighted sum of all outputs by every input."""
    held = {name: tf.constant(x) for name, x in inputs.items()}
    with tf.GradientTape() as tape:
        tape.watch(held)
        outputs, state = run(case, held, sizes, eager=eager)
        weights = cotangents(case, outputs)
        loss = tf.add_n([tf.reduce_sum(out * weights[name]) for name, out in outputs.items()])
    found = tape.gradient(loss, held, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return outputs, state, {name: g.numpy() for name, g in found.items()}


def loss64(case: Case, outputs: Mapping[str, Tensor]) -> float:
    """The same weighted sum in float64."""
    weights = cotangents(case, outputs)
    return float(sum(np.sum(out.numpy().astype(np.float64) * weights[name]) for name, out in outputs.items()))


def hop_peaks(out: Tensor) -> npt.NDArray[np.float64]:
    """Largest magnitude in each hop over rows and channels, for an audio or control output: [hops]."""
    x = np.abs(np.asarray(out, np.float64))
    peaks: npt.NDArray[np.float64] = x.reshape(x.shape[0], -1, HOP).max(axis=(0, 2)) if x.ndim == 2 else x.max(axis=(0, 2))
    return peaks
