"""Equaliser."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from ddsp_studio.dsp.biquad import Section, in_series, sections
from ddsp_studio.dsp.ramps import ramp
from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Control, Inlet, Law, Outlet

_SHELF_Q = math.sqrt(0.5)
_BANDS = {"low": "low_shelf", "first": "peak", "second": "peak", "high": "high_shelf"}


def _gain(doc: str) -> Control:
    return Control(unit="dB", low=-24.0, high=24.0, default=0.0, doc=doc)


def _hertz(default: float, doc: str, low: float = 20.0, high: float = 20000.0) -> Control:
    return Control(unit="Hz", low=low, high=high, default=default, law=Law.OCTAVES, doc=doc)


class Equaliser(Processor, version=1, category="Filter"):
    """Four bands one after the other: a low shelf, two bells, a high shelf. All may move while the sound goes on.

    The analogue shelves and bells of R. Bristow-Johnson's "Cookbook formulae for audio EQ biquad filter coefficients", as
    trapezoidal state-variable filters (Zavalishin, The Art of VA Filter Design, chapter 4): minimum phase, no latency. `q` is
    that of the bell half way up in dB; shelves are as steep as they can be without a bump.
    """

    input = Inlet(doc="The sound")
    low_gain = _gain("Gain below the low shelf's frequency")
    low_hz = _hertz(120.0, "Middle of the low shelf's slope", high=2000.0)
    first_gain = _gain("Gain of the first bell")
    first_hz = _hertz(500.0, "Top of the first bell")
    first_q = Control(unit="", low=0.3, high=12.0, default=1.0, law=Law.OCTAVES, doc="How narrow the first bell is")
    second_gain = _gain("Gain of the second bell")
    second_hz = _hertz(2500.0, "Top of the second bell")
    second_q = Control(unit="", low=0.3, high=12.0, default=1.0, law=Law.OCTAVES, doc="How narrow the second bell is")
    high_gain = _gain("Gain above the high shelf's frequency")
    high_hz = _hertz(8000.0, "Middle of the high shelf's slope", low=500.0)
    audio = Outlet(doc="The sound with its colours weighed anew")

    class Memory(NamedTuple):
        """Two integrators for each band, [batch, 4, 2]."""

        integrators: Tensor

    def tail_s(self, values: Mapping[str, tuple[float, ...]]) -> float:
        """Ringing of the slowest band to −60 dB."""
        bells = ((values[f"{n}_hz"][0], values[f"{n}_q"][0], values[f"{n}_gain"][0]) for n in ("first", "second"))
        shelves = ((values[f"{n}_hz"][0], _SHELF_Q, values[f"{n}_gain"][0]) for n in ("low", "high"))
        return max(_ringing_s(*band) for band in (*bells, *shelves))

    def memory(self, batch: int) -> Memory:
        """At rest."""
        return self.Memory(tf.zeros([batch, 4, 2]))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Filter by one band after the other."""
        audio = tf.broadcast_to(x.input, [int(memory.integrators.shape[0]), x.input.shape[1]])
        shelf = tf.fill(x.first_q.shape, _SHELF_Q)
        controls = [[getattr(x, f"{name}_{what}") for name in _BANDS] for what in ("hz", "gain")]
        controls.append([shelf, x.first_q, x.second_q, shelf])
        hertz, gains_db, qs = (tf.stack(frames)[..., 0] for frames in controls)  # [bands, batch, hops + 1]
        parts = sections(tuple(_BANDS.values()), hertz, qs, gains_db, self.sample_rate)
        # what ramps is the coefficients: tangents and powers once a hop instead of once a sample
        flat = ramp(tf.reshape(tf.stack(parts), [-1, x.first_q.shape[1], 1]))
        ramped = tf.reshape(flat, [len(parts), len(_BANDS), -1, audio.shape[1]])
        audio, integrators = in_series(audio, Section(*tf.unstack(ramped)), memory.integrators)
        return {"audio": audio}, self.Memory(integrators)


def _ringing_s(hertz: float, q: float, gain_db: float) -> float:
    if gain_db == 0.0:
        return 0.0
    return float(math.log(1e3) * max(q * 10.0 ** (gain_db / 40.0), 1.0) / (math.pi * hertz))
