"""Routing: where sounds go, at which level, in which channel and from when on.

Cables already fan out and add up at an inlet, so these are the places where a level, a side or a band is chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ddsp_studio.dsp.ramps import ramp
from ddsp_studio.dsp.sine import crossfade
from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Control, Inlet, Option, Outlet


def _amplitude(gain_db: Tensor) -> Tensor:
    """Amplitude of a gain in dB, ramped to audio rate."""
    return ramp(tf.pow(10.0, gain_db / 20.0))


class Crossfade(Processor, version=1, category="Mix"):
    """Fade from one sound to another, by amplitude or by power.

    Linear gains add up to 1: right for two versions of one sound, whose amplitudes add. With constant power their squares do:
    right for two unrelated sounds, whose powers add.
    """

    law = Option(default="linear", choices=("linear", "constant power"), doc="What stays the same on the way")
    a = Inlet(doc="Heard alone at 0")
    b = Inlet(doc="Heard alone at 1")
    fade = Control(unit="", low=0.0, high=1.0, default=0.5, doc="From a to b")
    audio = Outlet(doc="The mixture")

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        """Weigh both."""
        share = ramp(x.fade)
        if self.options["law"] == "linear":
            return {"audio": x.a + share * (x.b - x.a)}, memory
        return {"audio": crossfade(x.a, x.b, share)}, memory


class Trim(Processor, version=1, category="Mix"):
    """Set a level and turn the polarity: two microphones, or a sound against its delayed self, may cancel less."""

    polarity = Option(default="normal", choices=("normal", "inverted"), doc="Inverted: what pushed now pulls")
    input = Inlet(doc="The sound")
    gain = Control(unit="dB", low=-60.0, high=24.0, default=0.0, doc="Gain")
    audio = Outlet(doc="The sound at that level")

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        """Multiply."""
        sign = -1.0 if self.options["polarity"] == "inverted" else 1.0
        return {"audio": x.input * (sign * _amplitude(x.gain))}, memory


class Send(Processor, version=1, category="Mix"):
    """A fader with a tap: the sound goes on, and a share of it goes to an effect that others use too.

    Cables from several sends into one effect add up, which makes that effect a bus; bring it back by a Return.
    """

    tap = Option(default="after", choices=("after", "before"), doc="After the fader the send follows it, before it does not")
    input = Inlet(doc="The sound")
    fader = Control(unit="dB", low=-60.0, high=12.0, default=0.0, doc="Level of what goes on")
    level = Control(unit="dB", low=-60.0, high=12.0, default=-12.0, doc="Level of what is sent")
    audio = Outlet(doc="The sound, on its way")
    send = Outlet(doc="To the effect")

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        """Weigh both ways."""
        direct = x.input * _amplitude(x.fader)
        tapped = direct if self.options["tap"] == "after" else x.input
        return {"audio": direct, "send": tapped * _amplitude(x.level)}, memory


class Return(Processor, version=1, category="Mix"):
    """Bring four sounds together, each at its level, with one level and one switch for them all."""

    a = Inlet(doc="A sound")
    b = Inlet(doc="A sound")
    c = Inlet(doc="A sound")
    d = Inlet(doc="A sound")
    levels = Control(unit="dB", low=-60.0, high=12.0, default=0.0, channels=4, doc="Level of a, b, c and d")
    level = Control(unit="dB", low=-60.0, high=12.0, default=0.0, doc="Level of all")
    on = Control(unit="", low=0.0, high=1.0, default=1.0, doc="0 mutes, 1 is heard; a gate or an envelope may drive it")
    audio = Outlet(doc="The sum")

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        """Weigh and add up."""
        gains = tf.pow(10.0, (x.levels + x.level) / 20.0) * x.on
        each = tf.split(gains, 4, axis=2)
        return {"audio": tf.add_n([sound * ramp(gain) for sound, gain in zip((x.a, x.b, x.c, x.d), each, strict=True)])}, memory


class Channels(Processor, version=1, category="Mix", stereo=True):
    """Choose sides: both from one, their mean (mono), or left and right exchanged.

    In training, where a row is a clip and not a side, the sound passes as it is.
    """

    choose = Option(
        default="mono", choices=("mono", "left", "right", "swap"), doc="What is heard on both sides; or exchange them"
    )
    input = Inlet(doc="The sound, left and right")
    audio = Outlet(doc="The chosen sides")

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        """Mix the two rows."""
        if not self.stereo:
            return {"audio": x.input}, memory
        left, right = x.input[:1], x.input[-1:]
        match self.options["choose"]:
            case "left":
                sides = [left, left]
            case "right":
                sides = [right, right]
            case "swap":
                sides = [right, left]
            case _:
                sides = [0.5 * (left + right)] * 2
        return {"audio": tf.concat(sides, axis=0)}, memory


class MidSideSplit(Processor, version=1, category="Mix", stereo=True):
    """Take what both sides share (mid) and what tells them apart (side), each on left and right alike, to be treated separately.

    Mid is (left + right) / 2 and side (left − right) / 2; a MidSideJoin behind makes left and right again. In training, where a
    row is a clip and not a side, all of it is mid.
    """

    input = Inlet(doc="The sound, left and right")
    mid = Outlet(doc="What both sides share")
    side = Outlet(doc="What tells left from right")

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        """Add and subtract."""
        if not self.stereo:
            return {"mid": x.input, "side": tf.zeros_like(x.input)}, memory
        left, right = 0.5 * x.input[:1], 0.5 * x.input[-1:]
        return {"mid": tf.repeat(left + right, 2, axis=0), "side": tf.repeat(left - right, 2, axis=0)}, memory


class MidSideJoin(Processor, version=1, category="Mix", stereo=True):
    """Make left and right of mid and side, as a MidSideSplit gives them: left is mid + side, right is mid − side."""

    mid = Inlet(doc="What both sides share")
    side = Inlet(doc="What tells left from right")
    audio = Outlet(doc="Left and right")

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        """Add on the left, subtract on the right."""
        sign = tf.constant([[1.0], [-1.0]]) if self.stereo else 1.0
        return {"audio": x.mid + sign * x.side}, memory


class Crop(Processor, version=1, category="Mix"):
    """Leave out the first samples: the run-in of a filter or of a network that has heard nothing yet.

    A clip can be made shorter, as magenta/ddsp's Crop does. A stream cannot be moved ahead of its time, so what would be cropped
    is silent, and all that follows keeps its place. Sample for sample the rest is the same.
    """

    samples = Option(default=64, low=0, high=480_000, unit="samples", doc="How many samples are left out")
    input = Inlet(doc="The sound")
    audio = Outlet(doc="The sound without its beginning")

    class Memory(NamedTuple):
        """`left`: samples still to be left out, [batch] int32."""

        left: Tensor

    def memory(self, batch: int) -> Memory:
        """All of them."""
        return self.Memory(tf.fill([batch], tf.constant(int(self.options["samples"]), tf.int32)))

    def tail_s(self, values: Mapping[str, tuple[float, ...]]) -> float:
        """None: it only takes away."""
        return 0.0

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Count down, in silence."""
        length = int(x.input.shape[1])
        heard = np.arange(length, dtype=np.int32) >= memory.left[:, None]
        return {"audio": tf.where(heard, x.input, 0.0)}, self.Memory(tf.maximum(memory.left - length, 0))
