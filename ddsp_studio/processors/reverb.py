"""Reverberation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ddsp_studio.dsp import convolution
from ddsp_studio.dsp.ramps import ramp
from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.processors import impulse
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Control, Inlet, Option, Outlet


class ConvolutionReverb(Processor, version=1, category="Effect"):
    """Convolution with the response of a room: a generated hall, or an audio file of yours. No latency.

    After the VoiceMixer left and right have responses of their own; elsewhere the left one serves every row.
    """

    decay = Option(default=2.0, low=0.1, high=10.0, unit="s", doc="Time in which the generated hall falls by 60 dB")
    predelay = Option(default=0.01, low=0.0, high=0.25, unit="s", doc="Silence before the generated hall answers")
    seed = Option(default=1, low=0, high=9999, doc="Which hall is generated")
    file = Option(default="", path="audio", doc="An impulse response to use in place of the generated hall")
    input = Inlet(doc="The sound")
    mix = Control(unit="", low=0.0, high=1.0, default=0.25, doc="Dry to wet, at constant power")
    audio = Outlet(doc="The sound in the room")

    def prepare(self) -> None:
        """Make or read the response and cut it into partitions."""
        options = self.options
        if options["file"]:
            response = impulse.load(Path(options["file"]), self.sample_rate)
        else:
            response = impulse.generate(self.sample_rate, options["decay"], options["predelay"], options["seed"])
        self.taps = int(response.shape[1])
        self._response = convolution.partition(tf.constant(response if self.stereo else response[:1]))

    def tail_s(self, values: Mapping[str, tuple[float, ...]]) -> float:
        """The response."""
        return self.taps / self.sample_rate

    def memory(self, batch: int) -> convolution.Memory:
        """Silence."""
        return convolution.start(batch, self.taps)

    def render(self, memory: convolution.Memory, x: Any) -> tuple[dict[str, Tensor], convolution.Memory]:
        """Convolve and mix."""
        dry = tf.broadcast_to(x.input, [memory.place.shape[0], x.input.shape[1]])
        wet, memory = convolution.convolve(dry, self._response, memory)
        angle = ramp(x.mix) * (0.5 * math.pi)
        return {"audio": tf.cos(angle) * dry + tf.sin(angle) * wet}, memory
