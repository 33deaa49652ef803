"""Reverbs whose response is made from controls, and may be learnt through them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ddsp_studio.dsp import convolution, decaying_noise
from ddsp_studio.dsp.decaying_noise import Memory
from ddsp_studio.dsp.ramps import ramp
from ddsp_studio.dsp.sine import crossfade
from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Control, Inlet, Law, Option, Outlet

_LENGTH = Option(
    default=2.0, low=0.1, high=8.0, unit="s", doc="Length of the response, after which it is cut; long ones cost more"
)
_PREDELAY = Option(default=0.01, low=0.0, high=0.08, unit="s", doc="Silence before the room answers")
_SEED = Option(default=1, low=0, high=9999, doc="Which noise the room is made of")
_MIX = Control(unit="", low=0.0, high=1.0, default=0.25, doc="Dry to wet, at constant power")


class _Room:
    """Noise in bands, and its convolution under decays that move; left and right have noise of their own."""

    def __init__(self, processor: Processor, bands: int) -> None:
        self.sample_rate, self.bands = processor.sample_rate, bands
        options = processor.options
        self.first_s, self.last_s = float(options["predelay"]), float(options["length"])
        self.taps = math.ceil(self.last_s * self.sample_rate)
        silence = int(self.first_s * self.sample_rate)
        rows = 2 if processor.stereo else 1
        # seeded by the option alone: the room must not change when its node is renamed
        self._noise = decaying_noise.band_noise(f"room {options['seed']}", rows, bands, self.taps, silence, self.sample_rate)
        self._partitioned: dict[int, Any] = {}

    def _response(self, batch: int) -> Any:
        if batch not in self._partitioned:
            with tf.init_scope():
                rows = tf.constant(self._noise)
                rows = tf.tile(rows, [batch // int(rows.shape[0]), 1, 1])
                self._partitioned[batch] = convolution.partition(tf.reshape(rows, [batch * self.bands, self.taps]))
        return self._partitioned[batch]

    def start(self, batch: int) -> Memory:
        """Silence."""
        return decaying_noise.start(batch, self.bands, self.taps)

    def answer(self, audio: Tensor, gain: Tensor, decay_s: Tensor, memory: Memory) -> tuple[Tensor, Memory]:
        """The wet sound, [batch, samples]; gains (1 is unit energy) and decays are [batch or 1, hops + 1, bands]."""
        batch = int(audio.shape[0])
        decay_s = tf.broadcast_to(decay_s, [batch, *decay_s.shape[1:]])
        # weighed as it goes in: a new decay must not make what sounds already louder
        level = tf.math.rsqrt(decaying_noise.energy(decay_s, self.first_s, self.last_s) * self.sample_rate)
        going_in = audio[..., None] * self._ramp(level)
        wet, memory = decaying_noise.convolve(going_in, self._response(batch), decay_s, memory, self.sample_rate)
        return tf.reduce_sum(wet * self._ramp(gain), axis=2), memory

    def _ramp(self, frames: Tensor) -> Tensor:
        """Frames [batch, hops + 1, bands] to [batch, samples, bands]."""
        return tf.stack([ramp(band) for band in tf.split(frames, self.bands, axis=2)], axis=2)


class ExpDecayReverb(Processor, version=1, category="Effect"):
    """A room of noise that dies away exponentially, as fast as the decay says while it sounds.

    The noise is fixed by the seed and never drawn anew; all that sounds in the room follows a new decay at once. The response
    has unit energy at a gain of 0 dB, for any decay. No latency. (Moorer, "About This Reverberation Business", 1979; Engel et
    al., DDSP, 2020.)
    """

    length = _LENGTH
    predelay = _PREDELAY
    seed = _SEED
    input = Inlet(doc="The sound")
    decay = Control(unit="s", low=0.2, high=10.0, default=1.5, law=Law.OCTAVES, doc="Time in which the room falls by 60 dB")
    gain = Control(unit="dB", low=-36.0, high=12.0, default=0.0, doc="Level of the room")
    mix = _MIX
    audio = Outlet(doc="The sound in the room")

    def prepare(self) -> None:
        """Make the noise."""
        self._room = _Room(self, 1)

    def tail_s(self, values: Mapping[str, tuple[float, ...]]) -> float:
        """The decay, cut at the response's length."""
        return min(values["decay"][0] + float(self.options["predelay"]), float(self.options["length"]))

    def memory(self, batch: int) -> Memory:
        """Silence."""
        return self._room.start(batch)

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Convolve and mix."""
        dry = tf.broadcast_to(x.input, [memory.place.shape[0], x.input.shape[1]])
        wet, memory = self._room.answer(dry, tf.pow(10.0, x.gain / 20.0), x.decay, memory)
        return {"audio": crossfade(dry, wet, ramp(x.mix))}, memory


class FilteredNoiseReverb(Processor, version=1, category="Effect"):
    """A room of noise in bands, each with a level and a decay of its own: dark halls, metal plates, rooms that learn.

    Bands lie evenly in octaves; the edges between them from 250 Hz to 8 kHz. The noise is fixed by the seed. All that sounds
    follows new decays at once. Each band is a convolution of its own: the cost is that of the length times the bands. No
    latency. (After Engel et al., DDSP, 2020, whose filtered-noise response has magnitudes frame by frame in place of decays.)
    """

    bands = Option(default=3, low=1, high=8, doc="How many bands; each costs a convolution")
    length = _LENGTH
    predelay = _PREDELAY
    seed = _SEED
    input = Inlet(doc="The sound")
    magnitudes = Control(unit="", low=0.0, high=2.0, channels="bands", default=1.0, doc="Level of each band, low to high")
    decay = Control(
        unit="s", low=0.2, high=10.0, channels="bands", law=Law.OCTAVES, default=(1.8, 1.4, 0.7),
        doc="Time in which each band falls by 60 dB",
    )  # fmt: skip
    mix = _MIX
    audio = Outlet(doc="The sound in the room")

    def prepare(self) -> None:
        """Make the noise."""
        self._room = _Room(self, int(self.options["bands"]))

    def tail_s(self, values: Mapping[str, tuple[float, ...]]) -> float:
        """The longest decay, cut at the response's length."""
        return min(max(values["decay"]) + float(self.options["predelay"]), float(self.options["length"]))

    def memory(self, batch: int) -> Memory:
        """Silence."""
        return self._room.start(batch)

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Convolve and mix."""
        dry = tf.broadcast_to(x.input, [memory.place.shape[0], x.input.shape[1]])
        wet, memory = self._room.answer(dry, x.magnitudes, x.decay, memory)
        return {"audio": crossfade(dry, wet, ramp(x.mix))}, memory
