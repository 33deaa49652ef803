"""Every recorded case of magenta/ddsp against our counterpart: values, and gradients where they are recorded."""

from __future__ import annotations

import numpy as np
import pytest

from ddsp_studio.dsp.tensor import tf

from .loader import ABSENT, PRESENT, Case, Outputs, flatten, index, read
from .registry import ADAPTERS, DIFFERENT, PHASES, UNMATCHED, difference

pytestmark = pytest.mark.skipif(not PRESENT, reason=ABSENT)

CASES = sorted(key for key in index() if key[0] not in UNMATCHED)
WITH_GRADIENTS = [key for key in CASES if index()[key].get("grads")]


def compare(found: object, expected: np.ndarray, rtol: float, atol: float, what: str, period: float = 0.0) -> None:
    """Raise unless all of `found` is within the tolerance of `expected`, where that is a number, and modulo a period if any."""
    ours = np.asarray(found, np.float64)
    assert ours.shape == expected.shape, f"{what}: shape {ours.shape}, expected {expected.shape}"
    number = np.isfinite(expected)
    gap = ours - expected
    gap = gap - period * np.round(gap / period) if period else gap
    excess = np.where(number, np.abs(gap) - rtol * np.abs(expected), 0.0)
    worst = float(np.max(excess, initial=0.0))
    assert np.all(np.isfinite(ours)), f"{what}: not a number"
    assert worst <= atol, f"{what}: off by {worst:.3g}, allowed {atol:.3g}"


def targets(case: Case) -> dict[str, np.ndarray]:
    """What each output must be: the peer's, or its float64 truth, or ours where we differ on purpose."""
    expected = dict(case.out)
    if case.truth is not None:
        first = next(key for key in ("", "signal", "0") if key in expected)
        expected[first] = case.truth
    held = difference(case)
    if held is not None:
        expected |= {key: np.asarray(value) for key, value in flatten(held.truth(case)).items()}
    return expected


@pytest.mark.parametrize(("name", "case"), CASES)
def test_values(name: str, case: str) -> None:
    recorded = read(name, case)
    found = flatten(ADAPTERS[name](recorded))
    held = difference(recorded)
    rtol = recorded.rtol if held is None or held.rtol is None else held.rtol
    atol = recorded.atol if held is None or held.atol is None else held.atol
    expected = targets(recorded)
    assert set(found) == set(expected)
    for key, value in expected.items():
        period = 2.0 * np.pi if PHASES.get(name) == key else 0.0
        compare(found[key], value, rtol, atol, f"{name} {case} {key}", period)


def signal(outputs: Outputs) -> object:
    """The output that gradients are taken of."""
    flat = flatten(outputs)
    return next(flat[key] for key in ("", "signal", "0") if key in flat)


def slope(case: Case, values: dict[str, object]) -> object:
    """The sum of our output times the recorded cotangent, or noise where theirs has another shape."""
    out = signal(ADAPTERS[case.name](case.replaced(inputs={**case.inputs, **values})))
    weights = case.cotangent
    if weights.shape != tuple(out.shape):
        weights = np.random.default_rng(2).normal(size=out.shape)
    return tf.reduce_sum(tf.cast(out, tf.float64) * tf.constant(weights, tf.float64))


def gradients(case: Case) -> dict[str, np.ndarray]:
    """Ours, for the inputs whose gradients are recorded."""
    variables = {key: case.inputs[key] for key in case.grads}
    with tf.GradientTape() as tape:
        tape.watch(list(variables.values()))
        total = slope(case, variables)
    return {key: value.numpy() for key, value in tape.gradient(total, variables).items()}


@pytest.mark.parametrize(("name", "case"), WITH_GRADIENTS)
def test_gradients(name: str, case: str) -> None:
    recorded = read(name, case)
    found, held = gradients(recorded), difference(recorded)
    if held is not None and held.gradients is None:
        for key in recorded.grads:
            by_steps(recorded, key, found[key])
        return
    expected = recorded.grads if held is None else held.gradients(recorded)
    for key in recorded.grads:
        # a gradient sums over many outputs: its own size is the scale of its rounding
        base = recorded.atol if held is None or held.atol is None else held.atol
        atol = base + 1e-5 * float(np.max(np.abs(expected[key])))
        compare(found[key], expected[key], max(recorded.rtol, 1e-3), atol, f"{name} {case} d/d{key}")


def by_steps(case: Case, key: str, gradient: np.ndarray) -> None:
    """Raise unless the gradient is that of finite differences along a random direction."""
    value = case.inputs[key]
    direction = np.random.default_rng(1).normal(size=value.shape)
    step = 1e-4 * float(np.std(value)) / float(np.std(direction))
    ends = [slope(case, {key: value + tf.constant(sign * step * direction, value.dtype)}) for sign in (1.0, -1.0)]
    measured = float(ends[0] - ends[1]) / (2.0 * step)
    assert measured == pytest.approx(float(np.sum(gradient * direction)), abs=0.02 * float(np.linalg.norm(gradient)))


def test_every_call_is_answered() -> None:
    calls = {name for name, _ in index()}
    assert not calls - set(ADAPTERS) - set(UNMATCHED)
    assert not set(ADAPTERS) & set(UNMATCHED)
    assert set(DIFFERENT) <= set(ADAPTERS)


@pytest.mark.parametrize("name", sorted(DIFFERENT))
def test_deliberate_differences_are_real(name: str) -> None:
    """Where we say that the peer is wrong, its value is away from the truth in at least one of the recorded cases."""
    for held in DIFFERENT[name]:
        recorded = [case for case in (read(*key) for key in CASES if key[0] == name) if difference(case) is held]
        away = [not _close(case, key, value) for case in recorded for key, value in targets(case).items()]
        assert not recorded or held.drift or any(away), f"{name}: the peer agrees with us in every case: {held.reason}"


def _close(case: Case, key: str, truth: np.ndarray) -> bool:
    theirs = case.out[key]
    return theirs.shape == truth.shape and bool(np.allclose(theirs, truth, rtol=case.rtol, atol=case.atol, equal_nan=True))
