"""Processors that each make one classic mistake, and the healthy one that they are mutants of. None enters the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ddsp_studio.dsp.ramps import hops, ramp, samples
from ddsp_studio.dsp.tensor import HOP, Tensor, tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Control, Inlet, Law, Outlet, Weight


class Level(Control):
    """A control from 0 to 1."""

    def __init__(self, default: float = 0.5) -> None:
        super().__init__(unit="", low=0.0, high=1.0, default=default)


class Healthy(Processor, version=1, category="Test", listed=False):
    """A gain with an echo half a hop later."""

    input = Inlet()
    level = Level()
    audio = Outlet()

    class Memory(NamedTuple):
        """The last half hop, [batch, 32]."""

        last: Tensor

    def memory(self, batch: int) -> Memory:
        return self.Memory(tf.zeros([batch, HOP // 2]))

    def tail_s(self, values: Mapping[str, tuple[float, ...]]) -> float:
        return HOP / 2 / self.sample_rate

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Any]:
        stream = tf.concat([memory.last, x.input], axis=1)
        return {"audio": ramp(x.level) * (x.input + 0.5 * stream[:, : -HOP // 2])}, self.Memory(stream[:, -HOP // 2 :])


class RampsAcrossTheBlock(Processor, version=1, category="Test", listed=False):
    input, level, audio = Inlet(), Level(), Outlet()

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        length = int(x.input.shape[1])
        rise = np.arange(1, length + 1, dtype=np.float32) / length
        return {"audio": x.input * (x.level[:, 0] + (x.level[:, -1] - x.level[:, 0]) * rise)}, memory


class SeedsNoiseByTheCall(Processor, version=1, category="Test", listed=False):
    level, audio = Level(), Outlet()

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        length = (int(x.level.shape[1]) - 1) * HOP
        noise = np.random.default_rng(length).normal(0.0, 1.0, (int(x.level.shape[0]), length)).astype(np.float32)
        return {"audio": ramp(x.level) * noise}, memory


class ForgetsHistory(Healthy, version=1, category="Test", listed=False):
    input, level, audio = Inlet(), Level(), Outlet()

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        return super().render(self.memory(int(x.input.shape[0])), x)


class CountsPhaseInFloat32(Processor, version=1, category="Test", listed=False):
    frequency = Control(unit="Hz", low=100.0, high=4000.0, default=1000.0, law=Law.OCTAVES)
    level, audio = Level(), Outlet()

    class Memory(NamedTuple):
        """Phase in radians."""

        phase: Tensor

    def memory(self, batch: int) -> Memory:
        return self.Memory(tf.zeros([batch]))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Any]:
        phase = memory.phase[:, None] + tf.cumsum(ramp(x.frequency) * (2.0 * np.pi / self.sample_rate), axis=1)
        return {"audio": ramp(x.level) * tf.sin(phase)}, self.Memory(phase[:, -1])


class LeaksAcrossRows(Processor, version=1, category="Test", listed=False):
    input, level, audio = Inlet(), Level(), Outlet()

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        return {"audio": ramp(x.level) * (x.input - 0.01 * tf.reduce_mean(x.input, axis=0, keepdims=True))}, memory


class LooksAhead(Processor, version=1, category="Test", listed=False):
    input, level, audio = Inlet(), Level(), Outlet()

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        coming = tf.concat([x.input[:, HOP:], x.input[:, -HOP:]], axis=1)
        return {"audio": ramp(x.level) * (x.input + 0.1 * coming)}, memory


class StatesNoLatency(Healthy, version=1, category="Test", listed=False):
    input, level, audio = Inlet(), Level(), Outlet()

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        stream = tf.concat([memory.last, x.input], axis=1)
        return {"audio": ramp(x.level) * stream[:, : -HOP // 2]}, self.Memory(stream[:, -HOP // 2 :])


class StatesTooMuchLatency(Healthy, version=1, category="Test", listed=False):
    input, level, audio = Inlet(), Level(), Outlet()

    @property
    def latency(self) -> int:
        return HOP


class Rings(Processor, version=1, category="Test", listed=False):
    """A hop-wise echo that falls by half each hop: 10 hops to -60 dB."""

    input, level, audio = Inlet(), Level(), Outlet()
    stated_hops = 10.0

    class Memory(NamedTuple):
        """The last hop, [batch, HOP]."""

        last: Tensor

    def memory(self, batch: int) -> Memory:
        return self.Memory(tf.zeros([batch, HOP]))

    def tail_s(self, values: Mapping[str, tuple[float, ...]]) -> float:
        return self.stated_hops * HOP / self.sample_rate

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Any]:
        last, out = memory.last, []
        for hop in tf.unstack(hops(x.input * ramp(x.level)), axis=1):
            last = hop + 0.5 * last
            out.append(last)
        return {"audio": samples(tf.stack(out, axis=1))}, self.Memory(last)


class StatesNoTail(Rings, version=1, category="Test", listed=False):
    input, level, audio = Inlet(), Level(), Outlet()
    stated_hops = 0.0


class StatesTooLongATail(Rings, version=1, category="Test", listed=False):
    input, level, audio = Inlet(), Level(), Outlet()
    stated_hops = 60.0


class HasADeadKnob(Processor, version=1, category="Test", listed=False):
    input, level, release, audio = Inlet(), Level(), Level(), Outlet()

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        return {"audio": ramp(x.level) * x.input}, memory


class StopsTheGradient(Processor, version=1, category="Test", listed=False):
    input, level, audio = Inlet(), Level(), Outlet()

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        return {"audio": ramp(tf.stop_gradient(x.level)) * x.input}, memory


class HalvesTheGradient(Processor, version=1, category="Test", listed=False):
    input, level, audio = Inlet(), Level(), Outlet()

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        level = 0.5 * x.level + tf.stop_gradient(0.5 * x.level)
        return {"audio": ramp(level) * x.input}, memory


class HasNoGradientAtRest(Processor, version=1, category="Test", listed=False):
    input, level, audio = Inlet(), Level(), Outlet()

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        return {"audio": ramp(tf.sqrt(x.level)) * x.input}, memory


class _Skewed(Level):
    def to_knob(self, value: float) -> float:
        return super().to_knob(value) ** 1.01


class _Mumbled(Level):
    def format(self, value: float) -> str:
        return f"{value:.1f}"


class _Flat(Level):
    def from_knob(self, knob: Any) -> Any:
        return knob**2

    def to_knob(self, value: float) -> float:
        return float(value**0.5)


class HasASkewedLaw(HasADeadKnob, version=1, category="Test", listed=False):
    input, level, release, audio = Inlet(), _Skewed(), _Skewed(), Outlet()

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        return {"audio": ramp(x.level * x.release) * x.input}, memory


class HasAMumblingControl(RampsAcrossTheBlock, version=1, category="Test", listed=False):
    input, level, audio = Inlet(), _Mumbled(), Outlet()

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        return {"audio": ramp(x.level) * x.input}, memory


class HasAFlatLaw(HasAMumblingControl, version=1, category="Test", listed=False):
    input, level, audio = Inlet(), _Flat(), Outlet()


class DividesByZero(Processor, version=1, category="Test", listed=False):
    input, level, audio = Inlet(), Level(), Outlet()

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        gain = ramp(x.level)
        return {"audio": gain / gain * x.input * gain}, memory


class Overflows(Processor, version=1, category="Test", listed=False):
    input, level, audio = Inlet(), Level(), Outlet()

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        return {"audio": ramp(x.level) * tf.math.asinh(tf.sinh(x.input))}, memory


class Hums(Processor, version=1, category="Test", listed=False):
    input, level, audio = Inlet(), Level(), Outlet()

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        return {"audio": ramp(x.level) * (x.input + 1e-3)}, memory


class GrowsItsState(Healthy, version=1, category="Test", listed=False):
    input, level, audio = Inlet(), Level(), Outlet()

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        outputs, _ = super().render(self.Memory(memory.last[:, -HOP // 2 :]), x)
        return outputs, self.Memory(tf.concat([memory.last, x.input], axis=1))


class HasAnEndlessControl(Processor, version=1, category="Test", listed=False):
    input, audio = Inlet(), Outlet()
    level = Control(unit="", low=0.0, high=float("inf"), default=0.5)

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        return {"audio": x.input}, memory


class IgnoresItsWeight(Processor, version=1, category="Test", listed=False):
    input, audio = Inlet(), Outlet()
    gain = Weight()

    def weights(self) -> dict[str, Any]:
        return {"gain": np.ones([1], np.float32)}

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        return {"audio": x.input + 0.0 * x.weights["gain"]}, memory


class HalvesTheSlopeByItsWeight(Processor, version=1, category="Test", listed=False):
    input, audio = Inlet(), Outlet()
    gain = Weight()

    def weights(self) -> dict[str, Any]:
        return {"gain": np.ones([1], np.float32)}

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        gain = x.weights["gain"]
        return {"audio": x.input * (0.5 * gain + tf.stop_gradient(0.5 * gain))}, memory


class DeclaresNoWeight(Processor, version=1, category="Test", listed=False):
    input, audio = Inlet(), Outlet()
    gain = Weight()

    def weights(self) -> dict[str, Any]:
        return {"gain": np.ones([1], np.float32), "more": np.ones([1], np.float32)}

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        return {"audio": x.input * x.weights["gain"] * x.weights["more"]}, memory


BREAKS: dict[type[Processor], set[str]] = {
    RampsAcrossTheBlock: {"split"},
    SeedsNoiseByTheCall: {"split"},
    ForgetsHistory: {"split"},
    CountsPhaseInFloat32: {"split"},
    GrowsItsState: {"state_kept"},
    LeaksAcrossRows: {"rows"},
    LooksAhead: {"causal"},
    StatesNoLatency: {"latency"},
    StatesTooMuchLatency: {"latency"},
    StatesNoTail: {"tail"},
    StatesTooLongATail: {"tail"},
    Hums: {"quiet"},
    DividesByZero: {"extremes"},
    Overflows: {"extremes"},
    StopsTheGradient: {"slopes", "knobs"},
    HalvesTheGradient: {"slopes"},
    HasADeadKnob: {"knobs"},
    HasNoGradientAtRest: {"knobs"},
    HasASkewedLaw: {"laws"},
    HasAMumblingControl: {"laws"},
    HasAFlatLaw: {"laws"},
    HasAnEndlessControl: {"files"},
    IgnoresItsWeight: {"weights"},
    HalvesTheSlopeByItsWeight: {"weights"},
    DeclaresNoWeight: {"weights"},
}
"""The clauses that each mutant must break."""
