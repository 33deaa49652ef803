"""What plays is what the recordings hold: the streaming processors on the peer's own controls, against sums in float64.

The peer's ramps start on a frame and ours end on one, so that ours are a sample ahead.
"""

from __future__ import annotations

import numpy as np
import pytest

from ddsp_studio.dsp.tensor import HOP, tf
from ddsp_studio.processors.catalogue import processor_types

from . import truths
from .loader import ABSENT, PRESENT, Case, index, read

pytestmark = pytest.mark.skipif(not PRESENT, reason=ABSENT)
RATE = 16_000


def recorded(name: str) -> list[Case]:
    """Cases of a call whose frames last a hop at our rate."""
    cases = [read(*key) for key in index() if key[0] == name]
    return [case for case in cases if case.ctor.get("n_samples") == 50 * HOP and "sample_rate" not in case.ctor]


def played(kind: str, options: dict[str, int], **controls: np.ndarray) -> np.ndarray:
    """Audio of a processor of ours in three blocks, the first frame having stood before."""
    processor = processor_types()[kind](RATE, **options)
    state, outs = processor.start(2), []
    for begin, end in ((0, 8), (8, 9), (9, 50)):
        block = {name: tf.constant(frames[:, begin:end], tf.float32) for name, frames in controls.items()}
        outputs, state = processor.process(state, block)
        outs.append(outputs["audio"])
    return tf.concat(outs, axis=1).numpy()


def late(frames: np.ndarray) -> np.ndarray:
    """The frames at which our hops end, for those at which theirs begin: the first hop stands still."""
    return np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)


def gap_db(found: np.ndarray, expected: np.ndarray) -> float:
    return float(10.0 * np.log10(np.mean((found - expected) ** 2) / np.mean(expected**2)))


def expected(hertz: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Ramps that end on a frame, summed in float64 from phase 0."""
    rise = np.arange(1, HOP + 1) / HOP
    ramped = []
    for frames in (hertz, levels):
        before = late(frames)[:, :, None]
        ramped.append((before + (frames[:, :, None] - before) * rise[:, None]).reshape(2, 50 * HOP, -1))
    return truths.bank(*ramped, RATE)


@pytest.mark.parametrize("case", [case.case for case in recorded("synths.Harmonic")])
def test_harmonic_plays_their_controls(case: str) -> None:
    controls = {
        key: read("synths.Harmonic", case).out[f"controls/{key}"] for key in ("f0_hz", "amplitudes", "harmonic_distribution")
    }
    f0_hz, level, spread = (np.asarray(controls[key], np.float64) for key in ("f0_hz", "amplitudes", "harmonic_distribution"))
    hertz = f0_hz * np.arange(1, spread.shape[-1] + 1)
    # ours fades from 0.45 of the rate and holds levels to 1: compared where neither plays a part
    spread = np.where(hertz < 0.44 * RATE, spread, 0.0) + 1e-9
    spread, level = spread / spread.sum(axis=-1, keepdims=True), level / 2.0
    found = played("Harmonic", {"partials": spread.shape[-1]}, f0=f0_hz, amplitude=level, distribution=spread)
    assert gap_db(found, expected(hertz, level * spread * (hertz < 0.44 * RATE))) < -85.0


@pytest.mark.parametrize("case", [case.case for case in recorded("synths.Sinusoidal")])
def test_sinusoids_play_their_controls(case: str) -> None:
    held = read("synths.Sinusoidal", case).out
    hertz, level = (np.asarray(held[f"controls/{key}"], np.float64) for key in ("frequencies", "amplitudes"))
    hertz, level = np.clip(hertz, 20.0, 0.44 * RATE), level / 2.0
    given = {"frequencies": hertz, "amplitudes": level, "amplitude": np.ones((2, 50, 1))}
    found = played("Sinusoidal", {"partials": hertz.shape[-1]}, **given)
    assert gap_db(found, expected(hertz, level)) < -100.0
