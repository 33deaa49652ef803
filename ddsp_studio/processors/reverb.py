"""Reverberation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp import convolution
from ddsp_studio.dsp.ramps import ramp
from ddsp_studio.dsp.sine import crossfade
from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.processors import impulse
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Control, Inlet, Option, Outlet, Weight


class ConvolutionReverb(Processor, version=1, category="Effect"):
    """Convolution with the response of a room: a generated hall, an audio file of yours, or what a model has learned. No latency.

    After the VoiceMixer left and right have responses of their own; elsewhere the left one serves every row.
    Partitioned in two sizes, after Gardner, "Efficient Convolution without Input-Output Delay" (JAES 1995).
    """

    decay = Option(default=2.0, low=0.1, high=10.0, unit="s", doc="Time in which the generated hall falls by 60 dB")
    predelay = Option(default=0.01, low=0.0, high=0.25, unit="s", doc="Silence before the generated hall answers")
    seed = Option(default=1, low=0, high=9999, doc="Which hall is generated")
    file = Option(default="", path="audio", doc="An impulse response to use in place of the generated hall")
    input = Inlet(doc="The sound")
    mix = Control(unit="", low=0.0, high=1.0, default=0.25, doc="Dry to wet, at constant power")
    audio = Outlet(doc="The sound in the room")

    response = Weight(doc="The response of the room, [1 or 2, taps], as generated or read until it is trained")

    def prepare(self) -> None:
        """Make or read the response."""
        options, trained = self.options, self.trained.arrays.get("response") if self.trained else None
        if self.trained is not None and trained is not None:
            self._response = self.adapt("response", trained, self.trained.sample_rate)
        elif options["file"]:
            self._response = impulse.load(Path(options["file"]), self.sample_rate)
        else:
            self._response = impulse.generate(self.sample_rate, options["decay"], options["predelay"], options["seed"])
        self._response = self._response if self.stereo else self._response[:1]
        self.taps = int(self._response.shape[1])

    def weights(self) -> dict[str, npt.NDArray[np.float32]]:
        """The response."""
        return {"response": self._response}

    def adapt(self, weight: str, array: npt.NDArray[np.float32], trained_hz: float) -> npt.NDArray[np.float32]:
        """The response at this sample rate."""
        return impulse.at_rate(array, trained_hz, self.sample_rate)

    def derive(self, weights: Mapping[str, Tensor]) -> convolution.Response:
        """Cut the response into partitions."""
        return convolution.partition(weights["response"])

    def tail_s(self, values: Mapping[str, tuple[float, ...]]) -> float:
        """The response."""
        return self.taps / self.sample_rate

    def memory(self, batch: int) -> convolution.Memory:
        """Silence."""
        return convolution.start(batch, self.taps)

    def render(self, memory: convolution.Memory, x: Any) -> tuple[dict[str, Tensor], convolution.Memory]:
        """Convolve and mix."""
        dry = tf.broadcast_to(x.input, [memory.place.shape[0], x.input.shape[1]])
        wet, memory = convolution.convolve(dry, x.weights, memory)
        return {"audio": crossfade(dry, wet, ramp(x.mix))}, memory
