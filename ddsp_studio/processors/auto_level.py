"""The automatic level of a live transfer: the loudness of whoever plays, brought to where a trained instrument is at home."""

from __future__ import annotations

from typing import Any, NamedTuple

from ddsp_studio.dsp.recurrence import scan_frames
from ddsp_studio.dsp.tensor import HOP, Tensor, tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Control, Law, Outlet, Signal
from ddsp_studio.processors.expression import audible

_SLOWEST_S = 60.0
_FIRST_S = 0.5
"""Seconds for which the target itself counts as heard: the first breath alone says little about a player."""


class AutoLevel(Processor, version=1, category="Control"):
    """Learns how loud somebody plays, and moves that to a target: the median loudness of the instrument that plays along.

    A mean in dB over what lies above the threshold, of all that was heard at first and then of the last `time` seconds; so soft
    and loud stay apart, whatever the microphone and the distance to it. Pauses change nothing.
    """

    heard = Control(unit="dB", low=-120.0, high=0.0, default=-30.0, doc="Loudness that is heard")
    target = Control(unit="dB", low=-80.0, high=0.0, default=-30.0, doc="Where its mean is moved to")
    amount = Control(unit="", low=0.0, high=1.0, default=1.0, doc="How far it is moved; at 0 nothing is")
    time = Control(unit="s", low=0.5, high=_SLOWEST_S, default=10.0, law=Law.OCTAVES, doc="How long it remembers")
    threshold = Control(unit="dB", low=-100.0, high=0.0, default=-65.0, doc="What is softer teaches nothing")
    loudness = Outlet(signal=Signal.CONTROL, unit="dB", doc="Loudness to play")

    class Memory(NamedTuple):
        """`mean`: loudness that is usual, dB, [batch]. `seconds` of it, 0 before the first hop, [batch]."""

        mean: Tensor
        seconds: Tensor

    def memory(self, batch: int) -> Memory:
        """Nobody has played."""
        return self.Memory(tf.zeros([batch]), tf.zeros([batch]))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Learn from each hop, and move it."""
        batch, hops, hop_s = int(memory.mean.shape[0]), int(x.heard.shape[1]) - 1, HOP / self.sample_rate
        loudness, target, time, threshold = (
            tf.broadcast_to(part[:, 1:, 0], [batch, hops]) for part in (x.heard, x.target, x.time, x.threshold)
        )
        share = audible(loudness, threshold) * hop_s
        begun = memory.seconds > 0.0
        seconds = tf.minimum(tf.where(begun, memory.seconds, _FIRST_S)[:, None] + tf.cumsum(share, axis=1), _SLOWEST_S)
        # the smaller of the two times, smoothly
        step = share / (seconds * time / (seconds + time) + hop_s)

        def learn(mean: Tensor, frame: tuple[Tensor, Tensor]) -> Tensor:
            return mean + frame[0] * (frame[1] - mean)

        means, mean = scan_frames(learn, tf.where(begun, memory.mean, target[:, 0]), (step, loudness))
        moved = loudness + tf.broadcast_to(x.amount[:, 1:, 0], [batch, hops]) * (target - means)
        return {"loudness": moved[..., None]}, self.Memory(mean, seconds[:, -1])
