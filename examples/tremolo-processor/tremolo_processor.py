"""A tremolo: the level swings."""

from typing import Any, NamedTuple

from ddsp_studio.dsp.ramps import ramp
from ddsp_studio.dsp.tensor import HOP, Tensor, tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Control, Inlet, Law, Outlet


class Tremolo(Processor, version=1, category="Effect"):
    """Swing the level of a sound up and down."""

    input = Inlet(doc="The sound")
    rate = Control(unit="Hz", low=0.1, high=20.0, default=4.0, law=Law.OCTAVES, doc="Swings a second")
    depth = Control(unit="", low=0.0, high=1.0, default=0.5, doc="How far the level falls")
    audio = Outlet(doc="The swinging sound")

    class Memory(NamedTuple):
        """`turns`: place in the swing, 0..1, [batch] float64."""

        turns: Tensor

    def memory(self, batch: int) -> Memory:
        """At the start of a swing."""
        return self.Memory(tf.zeros([batch], tf.float64))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Multiply by one minus the swing."""
        batch, hops = int(memory.turns.shape[0]), int(x.rate.shape[1]) - 1
        turn = tf.cast(tf.broadcast_to(x.rate[:, 1:, 0], [batch, hops]), tf.float64) * (HOP / self.sample_rate)
        turns = memory.turns[:, None] + tf.concat([tf.zeros([batch, 1], tf.float64), tf.cumsum(turn, axis=1)], axis=1)
        swing = tf.cast(0.5 - 0.5 * tf.cos(2.0 * 3.141592653589793 * turns), tf.float32)
        level = 1.0 - x.depth * swing[..., None]
        return {"audio": x.input * ramp(level)}, self.Memory(turns[:, -1] - tf.floor(turns[:, -1]))
