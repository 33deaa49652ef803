"""The clauses of the contract that speak of controls: gradients, knobs, text and files."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ddsp_studio.contract.broken import ContractBroken
from ddsp_studio.contract.stimulus import Array, Arrays, Case, cotangents, few_blocks, flat, gradients, loss64, run, stimulus
from ddsp_studio.dsp.tensor import tf
from ddsp_studio.processors import patch_file
from ddsp_studio.processors.check import check_node
from ddsp_studio.processors.declare import Control
from ddsp_studio.processors.patch import Node, Patch

STEPS = tuple(10.0 ** (-k / 2.0) for k in range(3, 9))
"""Sizes of a finite difference, as a share of the input's size: 0.03 to 1e-4."""
SLOPE_TOLERANCE = 0.02
PLACES = (0.0, 0.2, 0.5, 0.8, 1.0)


def slopes(case: Case) -> None:
    """The gradient by every input, along a random direction, is the slope that central differences measure."""
    processor, inputs = case.processor, stimulus(case, smooth=True)
    outputs, _, found = gradients(case, inputs, few_blocks(case))
    noise = 1e-6 * math.sqrt(sum(float(np.sum(np.square(out.numpy()))) for out in outputs.values()))
    for name, x in inputs.items():
        if name in case.terms.estimated:
            continue
        direction = (case.rng(11).normal(0.0, 1.0, x.shape) * max(float(np.std(x)), 1e-3)).astype(np.float32)
        if processor.spec.controls.get(name) is not None and np.all(x > 0.0):
            direction = (case.rng(11).normal(0.0, 1.0, x.shape) * 0.3 * x).astype(np.float32)
        stated = float(np.sum(found[name].astype(np.float64) * direction))
        measured, doubt = _difference(case, inputs, name, direction, noise)
        if abs(stated - measured) > SLOPE_TOLERANCE * max(abs(stated), abs(measured)) + 4.0 * doubt:
            raise ContractBroken(
                "slopes", case, f"by {name}: gradient {stated:.5g}, central differences {measured:.5g}", measured
            )


def _difference(case: Case, inputs: Arrays, name: str, direction: Array, noise: float) -> tuple[float, float]:
    """The central difference at the step where its neighbours agree best, and how far they are apart."""
    found = []
    for step in STEPS:
        ends = []
        for side in (-step, step):
            moved = {**inputs, name: (inputs[name] + np.float32(side) * direction).astype(np.float32)}
            ends.append(loss64(case, run(case, moved, few_blocks(case))[0]))
        found.append((ends[1] - ends[0]) / (2.0 * step))
    gaps = [abs(a - b) for a, b in itertools.pairwise(found)]
    best = int(np.argmin(gaps))
    return found[best + 1], gaps[best] + noise


def knobs(case: Case) -> None:
    """Every control moves the output and has a finite gradient from end to end; none is dead."""
    processor, inputs = case.processor, stimulus(case)
    for name, control in processor.spec.controls.items():
        heard, slope = [], []
        channels = processor.channels(name)
        default = np.array(control.defaults(channels), np.float32)
        places = [np.full(channels, control.from_knob(place), np.float32) for place in PLACES]
        for value in (*places, default):
            outputs, grad = _by_value(case, inputs, name, value)
            if not np.all(np.isfinite(grad)):
                raise ContractBroken("knobs", case, f"the gradient by {name} is not finite at {value[0]:g}")
            heard.append(outputs)
            slope.append(np.abs(grad))
        if name in case.terms.unheard:
            continue
        peak = max(1e-9, max(float(np.max(np.abs(out))) for outs in heard for out in outs.values()))
        moved = max(float(np.max(np.abs(a - b))) for a, b in ((heard[0][n], o[n]) for o in heard[1:] for n in o))
        if not moved > 1e-4 * peak:
            raise ContractBroken(
                "knobs", case, f"{name} is dead: it moves the output by {moved / peak:.3g} of its peak", moved / peak
            )
        inner = np.max(slope[1:4], axis=0)
        if (
            name not in case.terms.thresholds
            and name not in case.terms.steps
            and not np.all(inner * (control.high - control.low) > 1e-7 * peak)
        ):
            raise ContractBroken(
                "knobs", case, f"{name} has no gradient: at most {inner.min():.3g} within its range", float(inner.min())
            )


def weights(case: Case) -> None:
    """Every trained weight has a finite gradient, which is the slope that central differences measure."""
    processor = case.processor
    start = {name: tf.constant(array) for name, array in processor.initial_weights().items()}
    declared = processor.spec.weights
    if unknown := [name for name in start if name.split("/")[0] not in declared]:
        raise ContractBroken("weights", case, f"{unknown} are not declared")
    if missing := set(declared) - {name.split("/")[0] for name in start}:
        raise ContractBroken("weights", case, f"{sorted(missing)} are declared, but there are none")
    if not start:
        return
    inputs = stimulus(case, smooth=True)

    def eager(held: dict[str, Any]) -> dict[str, Any]:
        return flat(processor.process(processor.start(case.terms.batch), inputs, held)[0])

    outputs = tf.function(eager, autograph=False)
    shares = cotangents(case, outputs(start))
    with tf.GradientTape() as tape:
        tape.watch(start)
        out = outputs(start)
        loss = tf.add_n([tf.reduce_sum(out[n] * shares[n]) for n in out])
    found_slopes = tape.gradient(loss, start)
    trained = [name for name in start if declared[name.split("/")[0]].trained]
    for name in trained:
        slope = found_slopes[name]
        if slope is None or not np.all(np.isfinite(slope)) or not np.any(np.abs(slope) > 0.0):
            raise ContractBroken("weights", case, f"{name} has no finite gradient, or one of zero")
        direction = case.rng(17).normal(0.0, max(float(np.std(start[name])), 0.1), start[name].shape).astype(np.float32)
        stated = float(np.sum(slope.numpy().astype(np.float64) * direction))
        found = []
        for step in STEPS:
            ends = [outputs({**start, name: start[name] + side * step * direction}) for side in (-1.0, 1.0)]
            sums = [sum(float(np.sum(e[n].numpy().astype(np.float64) * shares[n])) for n in e) for e in ends]
            found.append((sums[1] - sums[0]) / (2.0 * step))
        gaps = [abs(a - b) for a, b in itertools.pairwise(found)]
        best = int(np.argmin(gaps))
        if abs(stated - found[best + 1]) > SLOPE_TOLERANCE * max(abs(stated), abs(found[best + 1])) + 4.0 * gaps[best] + 1e-5:
            raise ContractBroken("weights", case, f"by {name}: gradient {stated:.5g}, central differences {found[best + 1]:.5g}")


def _by_value(case: Case, inputs: Arrays, name: str, value: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    held = tf.constant(value[None, None])
    with tf.GradientTape() as tape:
        tape.watch(held)
        frames = tf.broadcast_to(held, inputs[name].shape)
        outputs, _ = run(case, {**inputs, name: frames}, few_blocks(case))
        weights = cotangents(case, outputs)
        loss = tf.add_n([tf.reduce_sum(out * weights[n]) for n, out in outputs.items()])
    grad = tape.gradient(loss, held, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return {n: out.numpy() for n, out in outputs.items()}, grad.numpy()[0, 0]


def laws(case: Case) -> None:
    """Knob to value and back, value to text and back; every law has a finite, non-zero slope from end to end."""
    for name, control in case.processor.spec.controls.items():
        _law(case, name, control)
        for place in np.linspace(0.0, 1.0, 41):
            _text(case, name, control, float(control.from_knob(float(place))))
        for value in control.defaults(64):
            _text(case, name, control, value)


def _law(case: Case, name: str, control: Control) -> None:
    knob = np.linspace(0.0, 1.0, 101)
    values = [float(control.from_knob(float(place))) for place in knob]
    for place, value in zip(knob, values, strict=True):
        back = control.to_knob(value)
        if not abs(back - place) < 1e-6:
            raise ContractBroken(
                "laws", case, f"{name}: knob {place:g} gives {value:g} and comes back as {back:g}", abs(back - place)
            )
        try:
            control.check(name, value)
        except ValueError as problem:
            raise ContractBroken("laws", case, f"knob {place!r} gives a value that is refused: {problem}") from problem
    span = control.high - control.low
    if not (math.isclose(values[0], control.low, abs_tol=1e-9 * span) and math.isclose(values[-1], control.high, rel_tol=1e-9)):
        raise ContractBroken("laws", case, f"{name} runs from {values[0]:g} to {values[-1]:g}, not over its range")
    place = tf.constant(np.linspace(0.0, 1.0, 11, dtype=np.float32))
    with tf.GradientTape() as tape:
        tape.watch(place)
        reached = control.from_knob(place)
    slope = tape.gradient(reached, place).numpy() / span
    if not (np.all(np.isfinite(slope)) and np.all(slope > 1e-4)):
        raise ContractBroken("laws", case, f"{name}: the law's slope is {slope.min():.3g} to {slope.max():.3g} of the range")


def _text(case: Case, name: str, control: Control, value: float) -> None:
    text = control.format(value)
    try:
        back = control.parse(text)
    except ValueError as problem:
        raise ContractBroken("laws", case, f"{name}: its own text is refused: {problem}") from problem
    if abs(back - value) > 6e-4 * abs(value) + 1e-12:
        raise ContractBroken("laws", case, f"{name}: {value!r} is written {text!r} and read as {back!r}", abs(back - value))
    if control.format(back) != text:
        raise ContractBroken("laws", case, f"{name}: {text!r} is read and written again as {control.format(back)!r}")


def files(case: Case) -> None:
    """The data sheet is JSON, and a node with any values comes back from a patch file as it was."""
    processor, rng = case.processor, case.rng(13)
    sheet = processor.spec.to_json()
    try:
        back = json.loads(json.dumps(sheet, allow_nan=False))
    except ValueError as problem:
        raise ContractBroken("files", case, f"the data sheet is no JSON: {problem}") from problem
    if back != sheet:
        raise ContractBroken("files", case, "the data sheet does not come back from JSON")
    values = {}
    for name, control in processor.spec.controls.items():
        drawn = control.from_knob(rng.uniform(0.0, 1.0, processor.channels(name)))
        values[name] = tuple(float(v) for v in np.clip(drawn, control.low, control.high))
    node = Node(
        processor.spec.name, processor.spec.version, values, dict(processor.options), position=(rng.normal(), rng.normal())
    )
    patch = Patch(nodes={"node": node})
    if patch_file.loads(patch_file.dumps(patch)) != patch:
        raise ContractBroken("files", case, "a node with random values does not come back from a patch file")
    if case.listed:
        check_node("node", node)


CLAUSES: dict[str, Callable[[Case], None]] = {"slopes": slopes, "knobs": knobs, "weights": weights, "laws": laws, "files": files}
