"""A filter that is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ddsp_studio.dsp.fir import filter_hops, fir_length
from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Control, Inlet, Option, Outlet


class FirFilter(Processor, version=1, category="Filter"):
    """A filter that you draw: gains spaced evenly from 0 Hz to half of the sample rate, all in phase.

    Frequency sampling with a centred Hann window; the response cross-fades within each hop, so that it never steps (Engel et al.,
    DDSP, ICLR 2020, section 3.1; Smith, Spectral Audio Signal Processing, "Window Method"). Linear phase, half the filter late.
    """

    bands = Option(default=33, low=5, high=513, doc="How many gains can be drawn")
    input = Inlet(doc="The sound to filter")
    magnitudes = Control(unit="", low=0.0, high=2.0, channels="bands", default=1.0, doc="Gain of each band; 1 passes it as it is")
    audio = Outlet(doc="The filtered sound")

    class Memory(NamedTuple):
        """`tail` of the filter, [batch, taps − 1]."""

        tail: Tensor

    @property
    def latency(self) -> int:
        """Half the filter."""
        return fir_length(self.channels("magnitudes")) // 2

    def tail_s(self, values: Mapping[str, tuple[float, ...]]) -> float:
        """The filter."""
        return fir_length(self.channels("magnitudes")) / self.sample_rate

    def memory(self, batch: int) -> Memory:
        """Silence."""
        return self.Memory(tf.zeros([batch, fir_length(self.channels("magnitudes")) - 1]))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Filter."""
        audio = tf.broadcast_to(x.input, [memory.tail.shape[0], x.input.shape[1]])
        out, tail = filter_hops(audio, x.magnitudes, memory.tail)
        return {"audio": out}, self.Memory(tail)
