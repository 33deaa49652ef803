"""Decoders: networks that play synthesizers. Each cable from one is a head, sized and scaled by the control that it drives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ddsp_studio.dsp import nn
from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.processors import networks, networks_clock
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Control, Law, Option, Outlet, Signal, Weight
from ddsp_studio.processors.expression import GESTURES
from ddsp_studio.processors.networks import Array, Untrained
from ddsp_studio.processors.networks_clock import Clock

_SIZE = Option(default="small", choices=networks.SIZES, doc="How large the network is; the full one is that of the paper")
_LATENTS = Option(default=1, low=1, high=64, doc="How many coordinates of timbre it hears")
_FRAME = Option(default=networks.FRAME_MS, low=1.0, high=50.0, unit="ms", doc="Time between frames, to the nearest whole hop")
_F0 = Control(unit="Hz", low=8.0, high=16000.0, default=220.0, law=Law.OCTAVES, doc="Pitch that is played")
_LOUDNESS = Control(unit="dB", low=-120.0, high=0.0, default=-30.0, doc="Loudness that is played")
_Z = Control(
    unit="", low=-3.0, high=3.0, default=0.0, channels="latents", advanced=True, doc="Coordinates of timbre, from an encoder"
)
_CONTROLS = Outlet(signal=Signal.CONTROL, learned=True, doc="Drives any control: what it does there is learned")
_STATISTICS = Weight(trained=False, doc="Mean and deviation of the data set's pitch (MIDI) and loudness (dB)")


class _Decoder:
    """What both decoders do: hear pitch, loudness and timbre in the data set's own scale."""

    heads: tuple[Any, ...]
    options: Mapping[str, Any]
    sample_rate: float

    @property
    def period(self) -> int:
        """Hops in a frame at this sample rate."""
        return networks_clock.period_hops(float(self.options["frame"]) / 1e3, self.sample_rate)

    @staticmethod
    def _statistics() -> dict[str, Array]:
        known = {"pitch": networks.PITCH, "loudness": networks.LOUDNESS}
        return {f"statistics/{name}": np.array(values, np.float32) for name, values in known.items()}

    def _hear(self, x: Any, clock: Clock) -> tuple[Tensor, Tensor, networks_clock.Frames]:
        """Pitch and loudness [batch, frames, 2] and timbre [batch, frames, latents] at the frames of this block.

        Loudness is held at silence as it is in training: a network that is told of less answers with what it never learnt.
        """
        batch, hops = int(clock.place.shape[0]), int(x.f0.shape[1]) - 1
        pitch = networks_clock.normal(networks.midi_of(x.f0[:, 1:]), x.weights["pitch"])
        loudness = networks_clock.normal(tf.maximum(x.loudness[:, 1:], GESTURES[2]), x.weights["loudness"])
        heard = [tf.broadcast_to(part, [batch, hops, part.shape[2]]) for part in (pitch, loudness, x.z[:, 1:])]
        frames = networks_clock.frames_of(clock, hops, self.period)
        read = networks_clock.read(tf.concat(heard, axis=2), frames, self.period)
        return read[..., :2], read[..., 2:], frames

    def _speak(
        self, said: Tensor, memory: Any, frames: networks_clock.Frames, hops: int
    ) -> tuple[dict[str, dict[str, Tensor]], Clock]:
        logits, clock = networks_clock.speak(said, memory.clock, frames, hops, self.period)
        return {"controls": networks.parted(logits, self.heads)}, clock


class RnnDecoder(_Decoder, Processor, version=1, category="Neural"):
    """A recurrent network that plays what it is given: pitch, loudness and timbre in, any controls out.

    Layers for pitch and loudness, a gated recurrent unit, more layers, and one linear head for each cable, which hears pitch and
    loudness, too (Engel et al., DDSP, ICLR 2020, appendix B). It goes by frames of 4 ms or what comes closest in whole hops (4.35
    ms at 44.1 kHz).
    """

    size, latents, frame = _SIZE, _LATENTS, _FRAME
    f0, loudness, z, controls = _F0, _LOUDNESS, _Z, _CONTROLS
    statistics = _STATISTICS
    input_layers = Weight(rounded=True, doc="Layers for pitch and loudness")
    gru = Weight(rounded=True, doc="The recurrent unit")
    output_layers = Weight(rounded=True, doc="Layers between it and the heads")
    head = Weight(doc="A kernel and a bias for every control that is driven")

    UNITS, DEPTH = {"tiny": 48, "small": 192, "full": 512}, {"tiny": 1, "small": 2, "full": 3}

    class Memory(NamedTuple):
        """`hidden` [batch, units], and where it stands in time."""

        hidden: Tensor
        clock: Clock

    def prepare(self) -> None:
        """Read the size."""
        self._units, self._depth = self.UNITS[self.options["size"]], self.DEPTH[self.options["size"]]

    def weights(self) -> dict[str, Array]:
        """Random layers, and heads close to zero."""
        draw, units = Untrained(self.name), self._units
        held = self._statistics()
        for i in range(self._depth):
            held |= draw.layer(f"input_layers/{i}", units if i else 1, units, stack=2)
        held |= draw.gru("gru", 2 * units + int(self.options["latents"]), units)
        for i in range(self._depth):
            held |= draw.layer(f"output_layers/{i}", units if i else 3 * units, units)
        return held | draw.heads("head", units + 2, self.heads)

    def derive(self, weights: Mapping[str, Tensor]) -> dict[str, Any]:
        """Gather the layers."""
        return {
            "pitch": weights["statistics/pitch"],
            "loudness": weights["statistics/loudness"],
            "input": [networks.layer_of(weights, f"input_layers/{i}") for i in range(self._depth)],
            "gru": networks.gru_of(weights, "gru"),
            "output": [networks.layer_of(weights, f"output_layers/{i}") for i in range(self._depth)],
            "head": networks.heads_of(weights, "head", self.heads),
        }

    def memory(self, batch: int) -> Memory:
        """At rest."""
        return self.Memory(tf.zeros([batch, self._units]), networks_clock.start(batch, networks.width_of(self.heads)))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Any], Memory]:
        """Play the frames that begin."""
        heard, timbre, frames = self._hear(x, memory.clock)
        batch, count, units, w = int(heard.shape[0]), int(heard.shape[1]), self._units, x.weights
        inner = tf.reshape(tf.transpose(heard, [2, 0, 1]), [2, batch * count, 1])
        for layer in w["input"]:
            inner = nn.dense(inner, layer)
        inner = tf.reshape(tf.transpose(inner, [1, 0, 2]), [batch, count, 2 * units])
        states = nn.gru(tf.concat([inner, timbre], axis=2), w["gru"], memory.hidden)
        out = tf.reshape(tf.concat([inner, states], axis=2), [batch * count, 3 * units])
        for layer in w["output"]:
            out = nn.dense(out, layer)
        kernel, bias = w["head"]
        said = (
            tf.matmul(tf.concat([out, tf.reshape(heard, [batch * count, 2])], axis=1), kernel) + bias
            if self.heads
            else out[:, :0]
        )
        said = tf.reshape(said, [batch, count, networks.width_of(self.heads)])
        outputs, clock = self._speak(said, memory, frames, int(x.f0.shape[1]) - 1)
        return outputs, self.Memory(networks_clock.after(memory.hidden, states, frames, self.period), clock)


class DilatedDecoder(_Decoder, Processor, version=1, category="Neural"):
    """A stack of causal convolutions that plays what it is given: quick to train, and it remembers as far as it reaches.

    Residual layers of three taps whose distance doubles from layer to layer (van den Oord et al., WaveNet, 2016), then a linear
    head for each cable. Its frames are those of the RnnDecoder; it reaches back 0.25 s (tiny), 1 s (small) or 2 s (full).
    """

    size, latents, frame = _SIZE, _LATENTS, _FRAME
    f0, loudness, z, controls = _F0, _LOUDNESS, _Z, _CONTROLS
    statistics = _STATISTICS
    input_layers = Weight(rounded=True, doc="The layer for pitch, loudness and timbre")
    convolutions = Weight(rounded=True, doc="The residual layers")
    output_layers = Weight(rounded=True, doc="The layer before the heads")
    head = Weight(doc="A kernel and a bias for every control that is driven")

    CHANNELS, DEPTH = {"tiny": 32, "small": 128, "full": 256}, {"tiny": 5, "small": 7, "full": 8}

    class Memory(NamedTuple):
        """`past`: each layer's input, oldest first, [batch, 2 · dilation, channels]; and where it stands in time."""

        past: tuple[Tensor, ...]
        clock: Clock

    def prepare(self) -> None:
        """Read the size."""
        self._width, self._depth = self.CHANNELS[self.options["size"]], self.DEPTH[self.options["size"]]

    def weights(self) -> dict[str, Array]:
        """Random layers, and heads close to zero."""
        draw, width = Untrained(self.name), self._width
        held = self._statistics() | draw.layer("input_layers/0", 2 + int(self.options["latents"]), width)
        for i in range(self._depth):
            held |= draw.layer(f"convolutions/{i}", 3 * width, width)
        return held | draw.layer("output_layers/0", width, width) | draw.heads("head", width + 2, self.heads)

    def derive(self, weights: Mapping[str, Tensor]) -> dict[str, Any]:
        """Gather the layers."""
        return {
            "pitch": weights["statistics/pitch"],
            "loudness": weights["statistics/loudness"],
            "input": networks.layer_of(weights, "input_layers/0"),
            "convolutions": [networks.layer_of(weights, f"convolutions/{i}") for i in range(self._depth)],
            "output": networks.layer_of(weights, "output_layers/0"),
            "head": networks.heads_of(weights, "head", self.heads),
        }

    def memory(self, batch: int) -> Memory:
        """Nothing heard."""
        past = tuple(tf.zeros([batch, 2 << i, self._width]) for i in range(self._depth))
        return self.Memory(past, networks_clock.start(batch, networks.width_of(self.heads)))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Any], Memory]:
        """Play the frames that begin."""
        heard, timbre, frames = self._hear(x, memory.clock)
        w, past = x.weights, []
        out = nn.dense(tf.concat([heard, timbre], axis=2), w["input"])
        for i, (layer, history) in enumerate(zip(w["convolutions"], memory.past, strict=True)):
            bent = nn.causal_convolution(out, layer.kernel, history, 1 << i) + layer.bias
            past.append(networks_clock.slide(history, out, frames, self.period))
            out += nn.smooth(nn.layer_norm(bent, layer.gain, layer.shift))
        out = tf.concat([nn.dense(out, w["output"]), heard], axis=2)
        kernel, bias = w["head"]
        said = tf.matmul(out, kernel) + bias if self.heads else out[..., :0]
        outputs, clock = self._speak(said, memory, frames, int(x.f0.shape[1]) - 1)
        return outputs, self.Memory(tuple(past), clock)
