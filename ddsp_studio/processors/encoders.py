"""Encoders: networks that hear a sound, live as well, and say where its timbre lies in coordinates that a decoder knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ddsp_studio.dsp import nn
from ddsp_studio.dsp.mel import TIMBRE_BANDS, TIMBRE_COEFFICIENTS, TIMBRE_WINDOW_S, cepstrum_of, timbre_bands
from ddsp_studio.dsp.ramps import hops as in_hops
from ddsp_studio.dsp.spectral import magnitudes_of
from ddsp_studio.dsp.tensor import HOP, Tensor, tf
from ddsp_studio.processors import networks, networks_clock
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Inlet, Option, Outlet, Signal, Weight
from ddsp_studio.processors.networks import Array, Untrained
from ddsp_studio.processors.networks_clock import Clock, Frames

_LATENTS = Option(default=8, low=1, high=64, doc="How many coordinates of timbre it gives")
_FRAME = Option(default=16.0, low=4.0, high=100.0, unit="ms", doc="Time between frames, to the nearest whole hop")
_INPUT = Inlet(doc="The sound; in training, with nothing plugged in, the recording")
_Z = Outlet(signal=Signal.CONTROL, channels="latents", doc="Coordinates of timbre, within −3 and 3")
_REACH = 3.0


class _Encoder:
    """What encoders do: log mel spectra of the last 64 ms at every frame, and coordinates that ramp from frame to frame."""

    options: Mapping[str, Any]
    sample_rate: float

    @property
    def period(self) -> int:
        """Hops in a frame at this sample rate."""
        return networks_clock.period_hops(float(self.options["frame"]) / 1e3, self.sample_rate)

    @property
    def window(self) -> int:
        """Hops under a window."""
        return max(2, round(TIMBRE_WINDOW_S * self.sample_rate / HOP))

    def _tail(self, batch: int) -> Tensor:
        return tf.zeros([batch, self.window - 1, HOP])

    def _listen(self, audio: Tensor, tail: Tensor, clock: Clock) -> tuple[Tensor, Frames, Tensor]:
        """Log mel power [batch, frames, bands] of the windows that end with each frame's first hop, and the sound kept."""
        batch, hops = int(tail.shape[0]), int(audio.shape[1]) // HOP
        line = tf.concat([tail, in_hops(tf.broadcast_to(audio, [batch, hops * HOP]))], axis=1)
        frames = networks_clock.frames_of(clock, hops, self.period)
        held = tf.minimum(frames.starts, hops - 1)[..., None] + np.arange(self.window, dtype=np.int32)
        heard = tf.gather(line, held, axis=1, batch_dims=1)
        size = self.window * HOP
        magnitudes = magnitudes_of(tf.reshape(heard, [batch, -1, size]), size)
        return timbre_bands(magnitudes, size, self.sample_rate), frames, line[:, hops:]

    def _say(self, said: Tensor, clock: Clock, frames: Frames, audio: Tensor) -> tuple[Tensor, Clock]:
        bounded = _REACH * tf.tanh(said / _REACH)
        return networks_clock.speak(bounded, clock, frames, int(audio.shape[1]) // HOP, self.period)


class MfccEncoder(_Encoder, Processor, version=1, category="Neural"):
    """Hears timbre by mel-frequency cepstra and a recurrent network (Engel et al., DDSP, ICLR 2020, appendix B).

    Thirty cepstral coefficients without the first, which is the loudness; each frame is normalised by itself, and so nothing
    needs the future.
    """

    latents, frame, units = _LATENTS, _FRAME, Option(default=128, low=4, high=512, doc="Units of the recurrent network")
    input, z = _INPUT, _Z
    cepstra = Weight(doc="Scale and shift of the normalised coefficients")
    gru = Weight(rounded=True, doc="The recurrent unit")
    head = Weight(doc="From its state to the coordinates")

    _COEFFICIENTS = TIMBRE_COEFFICIENTS

    class Memory(NamedTuple):
        """`tail`: sound under the next window, [batch, hops, HOP]; `hidden` [batch, units]; and where it stands in time."""

        tail: Tensor
        hidden: Tensor
        clock: Clock

    def weights(self) -> dict[str, Array]:
        """A random network."""
        draw, count, units = Untrained(self.name), self._COEFFICIENTS - 1, int(self.options["units"])
        held = {"cepstra/gain": np.ones(count, np.float32), "cepstra/shift": np.zeros(count, np.float32)}
        held |= draw.gru("gru", count, units)
        return held | {
            "head/kernel": draw.dense(units, int(self.options["latents"])),
            "head/bias": np.zeros(int(self.options["latents"]), np.float32),
        }

    def memory(self, batch: int) -> Memory:
        """Silence."""
        hidden = tf.zeros([batch, int(self.options["units"])])
        return self.Memory(self._tail(batch), hidden, networks_clock.start(batch, int(self.options["latents"])))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Hear the frames that begin."""
        log_mel, frames, tail = self._listen(x.input, memory.tail, memory.clock)
        w = x.weights
        cepstra = cepstrum_of(log_mel, self._COEFFICIENTS)[..., 1:]
        normal = nn.layer_norm(cepstra, w["cepstra/gain"], w["cepstra/shift"])
        states = nn.gru(normal, networks.gru_of(w, "gru"), memory.hidden)
        z, clock = self._say(tf.matmul(states, w["head/kernel"]) + w["head/bias"], memory.clock, frames, x.input)
        return {"z": z}, self.Memory(tail, networks_clock.after(memory.hidden, states, frames, self.period), clock)


class ResidualEncoder(_Encoder, Processor, version=1, category="Neural"):
    """Hears timbre by a residual network of causal convolutions over log mel spectra.

    Residual layers (He et al., 2016) of three taps in time whose distance doubles from layer to layer: with five of them it hears
    the last second.
    """

    latents, frame, width = _LATENTS, _FRAME, Option(default=96, low=4, high=512, doc="Channels of the network")
    input, z = _INPUT, _Z
    input_layer = Weight(rounded=True, doc="From mel bands to channels")
    convolutions = Weight(rounded=True, doc="The residual layers")
    head = Weight(doc="From channels to the coordinates")

    _DEPTH = 5

    class Memory(NamedTuple):
        """What it remembers.

        `tail`: sound under the next window, [batch, hops, HOP]. `past`: each layer's input, [batch, 2 · dilation, width].
        """

        tail: Tensor
        past: tuple[Tensor, ...]
        clock: Clock

    def weights(self) -> dict[str, Array]:
        """A random network."""
        draw, width, latents = Untrained(self.name), int(self.options["width"]), int(self.options["latents"])
        held = draw.layer("input_layer", TIMBRE_BANDS, width)
        for i in range(self._DEPTH):
            held |= draw.layer(f"convolutions/{i}", 3 * width, width)
        return held | {"head/kernel": draw.dense(width, latents, scale=0.5), "head/bias": np.zeros(latents, np.float32)}

    def memory(self, batch: int) -> Memory:
        """Silence."""
        past = tuple(tf.zeros([batch, 2 << i, int(self.options["width"])]) for i in range(self._DEPTH))
        return self.Memory(self._tail(batch), past, networks_clock.start(batch, int(self.options["latents"])))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Hear the frames that begin."""
        log_mel, frames, tail = self._listen(x.input, memory.tail, memory.clock)
        w, past = x.weights, []
        out = nn.dense(log_mel, networks.layer_of(w, "input_layer"))
        for i, history in enumerate(memory.past):
            layer = networks.layer_of(w, f"convolutions/{i}")
            bent = nn.causal_convolution(out, layer.kernel, history, 1 << i) + layer.bias
            past.append(networks_clock.slide(history, out, frames, self.period))
            out += nn.smooth(nn.layer_norm(bent, layer.gain, layer.shift))
        z, clock = self._say(tf.matmul(out, w["head/kernel"]) + w["head/bias"], memory.clock, frames, x.input)
        return {"z": z}, self.Memory(tail, tuple(past), clock)
