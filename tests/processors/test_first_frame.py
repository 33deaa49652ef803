"""A note that is there at the very first sample is a note, with and without a cable for its trigger."""

from __future__ import annotations

import numpy as np
import pytest

from ddsp_studio.dsp.tensor import tf
from ddsp_studio.processors.catalogue import processor_types

HOPS = 30


@pytest.mark.parametrize("name", [n for n, kind in processor_types().items() if "gate" in kind.spec.controls])
def test_gate_that_is_up_from_the_start_begins_a_note(name):
    processor = processor_types()[name](48_000)
    (outlet,) = processor.spec.outlets

    def peak(gate: list[float]) -> float:
        frames = tf.constant(np.array(gate, np.float32)[None, :, None])
        outputs, _ = processor.process(processor.start(1), {"gate": frames})
        return float(np.abs(outputs[outlet]).max())

    late, early = peak([0.0] + [1.0] * (HOPS - 1)), peak([1.0] * (HOPS - 1) + [0.0])
    assert early == pytest.approx(late, rel=0.05)
    assert early > 0.1
    assert peak([0.0] * HOPS) == 0.0
