"""The contract that every processor keeps: one function for each clause, which raises ContractBroken with what it measured.

    verify_contract(lambda: Delay(16_000))

A new processor's test is that line; what is special about it goes into `Terms`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from ddsp_studio.contract import controls as control_clauses
from ddsp_studio.contract.broken import ContractBroken
from ddsp_studio.contract.stimulus import Case, Terms, blocks, constants, cut, gradients, hop_peaks, run, silence, stimulus
from ddsp_studio.dsp.tensor import HOP, tf
from ddsp_studio.processors.base import Processor

SPLIT_TOLERANCE = 1e-5
"""Of the peak; correct code measures under 1e-6, the mildest classic mistake 1e-4."""
GRADIENT_TOLERANCE = 1e-4
SILENT = 1e-6
AUDIBLE = 1e-3
"""-60 dB."""
LEVELS = {"silence": 0.0, "denormal numbers": 1e-40, "full scale": 1.0, "a runaway signal": 1e6}


def _apart(one: Any, other: Any) -> float:
    """Largest difference, as a share of the peak (of 1 for signals under 1)."""
    a, b = np.asarray(one), np.asarray(other)
    if a.shape != b.shape or a.dtype != b.dtype:
        return float("inf")
    if a.dtype.kind in "iub":
        return float(np.any(a != b))
    gap = np.abs(a - b)
    return (
        float(np.max(gap, initial=0.0) / max(1.0, np.max(np.abs(a), initial=0.0))) if np.all(np.isfinite(gap)) else float("inf")
    )


def _refuse_apart(
    case: Case, clause: str, what: str, found: Mapping[str, Any], expected: Mapping[str, Any], tolerance: float
) -> None:
    for name, value in expected.items():
        gap = _apart(value, found[name])
        if gap > tolerance:
            raise ContractBroken(clause, case, f"{what}: {name} differs by {gap:.3g} of its peak, {tolerance:g} allowed", gap)


def _leaves(state: Any) -> dict[str, Any]:
    return {f"state[{i}]": leaf.numpy() for i, leaf in enumerate(tf.nest.flatten(state))}


def _splits(case: Case) -> Iterator[list[int]]:
    """A random one, and those into even blocks."""
    hops, rng = case.terms.hops, case.rng(5)
    sizes: list[int] = [7] if hops > 7 else []
    while (left := hops - sum(sizes)) > 0:
        sizes.append(int(rng.choice([size for size in (1, 2, 3, 7) if size <= left])))
    yield sizes
    for size in (1, 2, 3, 7):
        yield [size] * (hops // size) + [1] * (hops % size)


def _refuse_unequal(case: Case, what: str, found: Any, expected: Any) -> None:
    outputs, state, slopes = found
    _refuse_apart(case, "split", f"{what}, outputs", outputs, expected[0], SPLIT_TOLERANCE)
    _refuse_apart(case, "split", f"{what}, final state", _leaves(state), _leaves(expected[1]), SPLIT_TOLERANCE)
    # a control that does nothing has a gradient of rounding errors
    scale = {name: max(np.max(np.abs(slope)), 1e-3) for name, slope in expected[2].items() if name not in case.terms.unheard}
    if slopes:
        one, other = ({n: slope / scale[n] for n, slope in held.items() if n in scale} for held in (slopes, expected[2]))
        _refuse_apart(case, "split", f"{what}, gradient", one, other, GRADIENT_TOLERANCE)


def split(case: Case) -> None:
    """A then B with the state handed over equals A‖B, eager and compiled: outputs, final state and gradients."""
    inputs = stimulus(case)
    expected = gradients(case, inputs, eager=True)
    mixed, *even = _splits(case)
    _refuse_unequal(case, f"in blocks of {mixed} hops", gradients(case, inputs, mixed, eager=True), expected)
    if case.terms.variant:
        return
    threes = blocks(case)
    _refuse_unequal(case, f"compiled, in blocks of {threes} hops", gradients(case, inputs, threes), expected)
    for sizes in ([case.terms.hops], *even):
        _refuse_unequal(case, f"compiled, in blocks of {sizes} hops", (*run(case, inputs, sizes), {}), (*expected[:2], {}))


def state_kept(case: Case) -> None:
    """The state keeps its structure, shapes and types, with the batch as first axis."""
    processor, inputs = case.processor, stimulus(case)
    before = processor.start(case.terms.batch)
    _, after = run(case, inputs, [1, 2], state=before)
    tf.nest.assert_same_structure(before, after)
    for i, (old, new) in enumerate(zip(tf.nest.flatten(before), tf.nest.flatten(after), strict=True)):
        if old.shape != new.shape or old.dtype != new.dtype or old.shape[0] != case.terms.batch:
            raise ContractBroken("state_kept", case, f"leaf {i} goes from {old.shape} {old.dtype} to {new.shape} {new.dtype}")


def rows(case: Case) -> None:
    """What happens in one batch row is not heard in another, nor felt in its gradient; one row of control serves all."""
    if not case.terms.mixes_rows:
        _rows_apart(case)
    processor, one = case.processor, stimulus(case)
    one = cut(processor, one, 0, 3)
    shared = {name: x[:1] for name, x in one.items() if name in processor.spec.controls}
    full = {**one, **{name: np.repeat(x, case.terms.batch, axis=0) for name, x in shared.items()}}
    state = processor.start(case.terms.batch)
    expected, _ = run(case, full, state=state, eager=True)
    found, _ = run(case, {**one, **shared}, state=state, eager=True)
    _refuse_apart(case, "rows", "one row of control for all rows", found, expected, SPLIT_TOLERANCE)


def _rows_apart(case: Case) -> None:
    one, other = stimulus(case), stimulus(case, salt=1)
    mixed = {name: np.concatenate([x[:1], other[name][1:]]) for name, x in one.items()}
    expected, state = run(case, one)
    found, moved = run(case, mixed)
    pairs = ((found, expected), (_leaves(moved), _leaves(state)))
    for one_side, other_side in pairs:
        first = [{name: np.asarray(x)[:1] for name, x in held.items()} for held in (one_side, other_side)]
        _refuse_apart(case, "rows", "row 0 while the other rows change", first[0], first[1], SPLIT_TOLERANCE)
    held = {name: tf.constant(x) for name, x in cut(case.processor, one, 0, 3).items()}
    with tf.GradientTape() as tape:
        tape.watch(held)
        outputs, _ = run(case, held, eager=True)
        loss = tf.add_n([tf.reduce_sum(out[0] ** 2) for out in outputs.values()])
    for name, slope in tape.gradient(loss, held, unconnected_gradients=tf.UnconnectedGradients.ZERO).items():
        leak = float(np.max(np.abs(slope[1:])))
        if leak > SILENT * max(1.0, float(np.max(np.abs(slope)))):
            raise ContractBroken("rows", case, f"row 0 has a gradient of {leak:.3g} by the other rows of {name}", leak)


def causal(case: Case) -> None:
    """Nothing that comes after a hop changes what was heard before it. The hop is the only time quantum."""
    one, other = stimulus(case), stimulus(case, salt=1)
    expected, _ = run(case, one)
    for moment in {1, case.terms.hops // 2, case.terms.hops - 1}:
        late = {}
        for name, x in one.items():
            scale = x.shape[1] // case.terms.hops
            late[name] = np.concatenate([x[:, : moment * scale], 2.0 * other[name][:, moment * scale :]], axis=1)
        found, _ = run(case, late)
        for name, out in found.items():
            scale = int(out.shape[1]) // case.terms.hops
            early, due = ({name: np.asarray(x)[:, : moment * scale]} for x in (out, expected[name]))
            _refuse_apart(case, "causal", f"before hop {moment}, when inputs change from it on", early, due, SPLIT_TOLERANCE)


def latency(case: Case) -> None:
    """A change of the input is heard after the declared latency, no sooner and no later."""
    processor, terms = case.processor, case.terms
    moment = terms.hops // 2
    base = constants(processor, terms.plain, terms.batch, terms.hops)
    rich = stimulus(case)
    calm = silence(processor, terms, terms.plain, terms.hops)
    drivers = list(terms.drivers) or list(processor.spec.inlets) or list(base)
    driven = {**calm, **{k: v for k, v in base.items() if k not in drivers}}
    for name in drivers:
        scale = rich[name].shape[1] // terms.hops
        after = np.ones_like(rich[name]) if name in terms.thresholds else rich[name]
        driven[name] = np.concatenate([calm[name][:, : moment * scale], after[:, moment * scale :]], axis=1)
    calm = {**driven, **{name: calm[name] for name in drivers}}
    outs = [run(case, inputs)[0] for inputs in (calm, driven)]
    audio = [name for name, x in outs[0].items() if len(x.shape) == 2]
    onsets = []
    for name in audio or outs[0]:
        gap = np.abs(np.asarray(outs[1][name], np.float64) - np.asarray(outs[0][name]))
        gap = gap.max(axis=tuple(i for i in range(gap.ndim) if i != 1))
        if gap.max() > SILENT:
            onsets.append(int(np.argmax(gap > 1e-4 * gap.max())) * (1 if audio else HOP) - moment * HOP)
    if not onsets:
        raise ContractBroken("latency", case, "nothing is heard of the input")
    early = terms.early and min(onsets) <= processor.latency
    if not early and abs(min(onsets) - processor.latency) > 2:
        raise ContractBroken("latency", case, f"declares {processor.latency} samples, measured {min(onsets)}", min(onsets))


def tail(case: Case) -> None:
    """After the inputs fall silent the outputs fall by 60 dB within the declared tail, which is at most twice as long as that."""
    if case.terms.restless:
        return
    for values in case.terms.tails:
        processor, terms = case.processor, case.terms
        every = {name: tuple(map(float, x[0, 0])) for name, x in constants(processor, values, 1, 1).items()}
        declared = processor.tail_s(every)
        length = int(np.ceil(declared * processor.sample_rate / HOP))
        block = terms.hops  # a size that is compiled already
        loud, still = (max(1, -(-hops // block)) for hops in (min(length, 200), int(1.3 * length) + 12))
        on = case.on(hops=loud * block)
        rich = stimulus(on)
        moved = [*processor.spec.inlets, *terms.silence]
        driven = {**constants(processor, values, terms.batch, loud * block), **{name: rich[name] for name in moved}}
        for name in terms.thresholds:
            driven[name] = np.ones_like(rich[name])
        quiet = silence(processor, terms, {**values, **dict.fromkeys(terms.thresholds, 0.0)}, still * block)
        heard, state = run(case, driven, [block] * loud)
        after, _ = run(case, quiet, [block] * still, state=state)
        _refuse_tail(case, declared, heard, after)


def _refuse_tail(case: Case, declared: float, heard: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    hop_s = HOP / case.processor.sample_rate
    longest = 0.0
    for name, out in after.items():
        sounding = np.flatnonzero(hop_peaks(out) > AUDIBLE * hop_peaks(heard[name]).max())
        longest = max(longest, (int(sounding[-1]) + 1) * hop_s if sounding.size else 0.0)
    ramps = 0 if case.processor.spec.inlets else 1  # a control takes a hop to fall
    if longest > 1.02 * declared + (1.5 + ramps) * hop_s:
        raise ContractBroken("tail", case, f"declares {declared:.4g} s, still heard after {longest:.4g} s", longest)
    if declared > 2.0 * longest + 4.0 * hop_s:
        raise ContractBroken("tail", case, f"declares {declared:.4g} s, but is silent after {longest:.4g} s", longest)


def quiet(case: Case) -> None:
    """Silence in, silence out, wherever the knobs stand."""
    if case.terms.restless:
        return
    processor = case.processor
    for place in ("default", "low", "high"):
        values = {} if place == "default" else {name: getattr(c, place) for name, c in processor.spec.controls.items()}
        values = {name: value for name, value in values.items() if name not in case.terms.thresholds}
        outputs, _ = run(case, silence(processor, case.terms, values, case.terms.hops))
        for name, out in outputs.items():
            level = float(np.max(np.abs(out)))
            if not level <= SILENT:
                raise ContractBroken("quiet", case, f"{name} gives {level:.3g} on silence with every control {place}", level)


def extremes(case: Case) -> None:
    """No NaN and no infinity with controls at the ends of their ranges, for audio of any level."""
    processor, terms, rng = case.processor, case.terms, case.rng(7)
    rich, controls = stimulus(case), processor.spec.controls
    settings: list[dict[str, float]] = [{}]
    settings += [{name: end} for name, c in controls.items() for end in (c.low, c.high)]
    settings += [{n: c.low for n, c in controls.items()}, {n: c.high for n, c in controls.items()}]
    settings += (
        [{n: float(rng.choice([c.low, c.high])) for n, c in controls.items()} for _ in range(4)] if len(controls) > 1 else []
    )
    levels = LEVELS if any(x.ndim == 2 for x in rich.values()) else {"notes": 1.0}
    for index, values in enumerate(settings):
        for level, gain in levels.items() if index in (0, len(settings) - 1) else [list(levels.items())[index % len(levels)]]:
            inputs = {**rich, **constants(processor, values, terms.batch, terms.hops)}
            inputs = {n: np.clip(x * 5.0, -1, 1) * np.float32(gain) if x.ndim == 2 else x for n, x in inputs.items()}
            for name in terms.thresholds if not values else ():
                inputs[name] = rich[name]
            outputs, state = run(case, inputs)
            for name, out in {**outputs, **_leaves(state)}.items():
                bad = np.size(out) - int(np.sum(np.isfinite(out)))
                if bad:
                    where = ", ".join(f"{k}={v:g}" for k, v in values.items()) or "defaults"
                    raise ContractBroken(
                        "extremes", case, f"{bad} of {np.size(out)} numbers of {name} are not finite at {where} with {level}", bad
                    )


CLAUSES: dict[str, Callable[[Case], None]] = {
    "split": split,
    "state_kept": state_kept,
    "rows": rows,
    "causal": causal,
    "latency": latency,
    "tail": tail,
    "quiet": quiet,
    "extremes": extremes,
    **control_clauses.CLAUSES,
}


def verify_contract(
    make_processor: Callable[[], Processor], terms: Terms | None = None, clauses: Mapping[str, Any] = CLAUSES
) -> None:
    """Hold a processor to every clause; ContractBroken names the first that it breaks."""
    case = Case(make_processor, terms or Terms())
    for clause in clauses.values():
        clause(case)


def broken_clauses(make_processor: Callable[[], Processor], terms: Terms | None = None) -> dict[str, ContractBroken]:
    """Every clause that a processor breaks, by name."""
    case, found = Case(make_processor, terms or Terms()), {}
    for name, clause in CLAUSES.items():
        try:
            clause(case)
        except ContractBroken as broken:
            found[name] = broken
    return found


__all__ = ["CLAUSES", "Case", "ContractBroken", "Terms", "broken_clauses", "verify_contract"]
