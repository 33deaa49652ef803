"""Every recorded case of magenta/ddsp against our counterpart: values, and gradients where they are recorded."""

from __future__ import annotations

import numpy as np
import pytest

from ddsp_studio.dsp.tensor import tf

from .loader import ABSENT, PRESENT, Case, Outputs, flatten, index, read
from .registry import ADAPTERS, DIFFERENT, UNMATCHED, difference

pytestmark = pytest.mark.skipif(not PRESENT, reason=ABSENT)

CASES = sorted(key for key in index() if key[0] not in UNMATCHED)
WITH_GRADIENTS = [key for key in CASES if index()[key].get("grads")]


def compare(found: object, expected: np.ndarray, rtol: float, atol: float, what: str) -> None:
    """Raise unless all of `found` is within the tolerance of `expected`, where that is a number."""
    ours = np.asarray(found, np.float64)
    assert ours.shape == expected.shape, f"{what}: shape {ours.shape}, expected {expected.shape}"
    number = np.isfinite(expected)
    excess = np.where(number, np.abs(ours - expected) - rtol * np.abs(expected), 0.0)
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
        compare(found[key], value, rtol, atol, f"{name} {case} {key}")


def signal(outputs: Outputs) -> object:
    """The output that gradients are taken of."""
    flat = flatten(outputs)
    return next(flat[key] for key in ("", "signal", "0") if key in flat)


@pytest.mark.parametrize(("name", "case"), WITH_GRADIENTS)
def test_gradients(name: str, case: str) -> None:
    recorded = read(name, case)
    if difference(recorded) is not None:
        pytest.skip("the values differ on purpose, and so do the gradients; finite differences are tested beside the function")
    variables = {key: recorded.inputs[key] for key in recorded.grads}
    with tf.GradientTape() as tape:
        tape.watch(list(variables.values()))
        out = signal(ADAPTERS[name](recorded))
        total = tf.reduce_sum(out * tf.constant(recorded.cotangent))
    grads = tape.gradient(total, variables)
    for key, expected in recorded.grads.items():
        # a gradient sums over many outputs: its own size is the scale of its rounding
        atol = recorded.atol + 1e-5 * float(np.max(np.abs(expected)))
        compare(grads[key], expected, max(recorded.rtol, 1e-3), atol, f"{name} {case} d/d{key}")


def test_every_call_is_answered() -> None:
    calls = {name for name, _ in index()}
    assert not calls - set(ADAPTERS) - set(UNMATCHED)
    assert not set(ADAPTERS) & set(UNMATCHED)
    assert set(DIFFERENT) <= set(ADAPTERS)


def test_deliberate_differences_are_real() -> None:
    """Where we say that the peer is wrong, its value is away from the truth in at least one of the recorded cases."""
    for name in DIFFERENT:
        recorded = [read(*key) for key in CASES if key[0] == name]
        differing = [case for case in recorded if difference(case) is not None]
        away = [any(not _close(case, key, value) for key, value in targets(case).items()) for case in differing]
        assert not differing or any(away), f"{name}: the peer agrees with us in every case"


def _close(case: Case, key: str, truth: np.ndarray) -> bool:
    theirs = case.out[key]
    return theirs.shape == truth.shape and bool(np.allclose(theirs, truth, rtol=case.rtol, atol=case.atol, equal_nan=True))
