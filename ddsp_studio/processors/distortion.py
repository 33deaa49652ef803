"""Distortion."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from ddsp_studio.dsp import oversample
from ddsp_studio.dsp.ramps import ramp
from ddsp_studio.dsp.recurrence import one_pole
from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.dsp.waveshape import CURVES, UNEVEN, shape
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Control, Inlet, Option, Outlet

_OFFSET_HZ = 10.0
"""Corner of the high-pass that takes away the offset of uneven curves."""
_PAST = oversample.PAST


class Distortion(Processor, version=1, category="Effect"):
    """Bend the wave: a soft or a hard clip, a tube's uneven one, a folder, a rectifier. Free of audible aliasing.

    The curve runs at eight times the sample rate on the straight lines between samples (antiderivative anti-aliasing: Parker,
    Zavalishin and Le Bivic, DAFx 2016), with linear-phase filters around it. The folder takes half of the drive's decibels. A
    high-pass at 10 Hz removes the offset that uneven curves make. Response of the filters: flat to 0.43 of the sample rate.
    """

    curve = Option(default="soft", choices=tuple(CURVES), doc="How the wave is bent")
    input = Inlet(doc="The sound")
    drive = Control(unit="dB", low=0.0, high=30.0, default=12.0, doc="Level going into the curve; full scale is where it bends")
    level = Control(unit="dB", low=-36.0, high=12.0, default=-6.0, doc="Level of the bent sound")
    mix = Control(unit="", low=0.0, high=1.0, default=1.0, doc="Clean to bent, both in time, added in a straight line")
    audio = Outlet(doc="The bent sound")

    class Memory(NamedTuple):
        """`clean`, `driven` [batch, 48], `bent` [batch, 384], at the high rate: pasts. `last` high sample, `offset`: [batch]."""

        clean: Tensor
        driven: Tensor
        bent: Tensor
        last: Tensor
        offset: Tensor

    @property
    def latency(self) -> int:
        """The two filters."""
        return oversample.DELAY

    def tail_s(self, values: Mapping[str, tuple[float, ...]]) -> float:
        """The filters, and the high-pass where the curve needs one."""
        ringing = (
            math.log(1e3) / (2.0 * math.pi * _OFFSET_HZ) if self.options["curve"] in UNEVEN and values["mix"][0] > 0.0 else 0.0
        )
        return 2 * oversample.DELAY / self.sample_rate + ringing

    def memory(self, batch: int) -> Memory:
        """Silence."""
        high = _PAST * oversample.FACTOR
        past = tf.zeros([batch, _PAST])
        return self.Memory(past, past, tf.zeros([batch, high]), tf.zeros([batch]), tf.zeros([batch]))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Drive, raise the rate, bend, lower the rate, mix."""
        batch, length = int(memory.last.shape[0]), int(x.input.shape[1])
        clean = tf.broadcast_to(x.input, [batch, length])
        slope = 40.0 if self.options["curve"] == "fold" else 20.0
        driven = clean * ramp(tf.pow(10.0, x.drive / slope))
        high, driven_past = oversample.raise_rate(driven, memory.driven)
        bent, bent_past = oversample.lower_rate(shape(high, memory.last, self.options["curve"]), memory.bent)
        bent, offset = self._without_offset(bent, memory.offset)
        stream = tf.concat([memory.clean, clean], axis=1)
        mix = ramp(x.mix)
        out = (1.0 - mix) * stream[:, :length] + mix * ramp(tf.pow(10.0, x.level / 20.0)) * bent
        return {"audio": out}, self.Memory(stream[:, length:], driven_past, bent_past, high[:, -1], offset)

    def _without_offset(self, audio: Tensor, offset: Tensor) -> tuple[Tensor, Tensor]:
        if self.options["curve"] not in UNEVEN:
            return audio, offset
        pole = math.exp(-2.0 * math.pi * _OFFSET_HZ / self.sample_rate)
        slow = one_pole(tf.fill(audio.shape, pole), (1.0 - pole) * audio, offset)
        return audio - slow, slow[:, -1]
