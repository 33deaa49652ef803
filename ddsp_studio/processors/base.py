"""What every processor is: a data sheet, a start state, and one method that goes on by whole hops.

The law of this program: processing A and then B with the state handed over equals processing A‖B, in outputs, final state
and gradients. A leaf class states its ports, and implements `memory` and `render`; where it needs to it overrides `prepare`,
`latency`, `tail_s`, `weights`, `adapt` and `derive`.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.tensor import HOP, Tensor, tf
from ddsp_studio.processors import catalogue
from ddsp_studio.processors.declare import MODEL, Head, OptionValue, Signal, Spec
from ddsp_studio.processors.model_file import Trained, find
from ddsp_studio.processors.performance import WIDTHS

Arrays = Mapping[str, npt.NDArray[np.float32]]
"""Weights by name."""


class State(NamedTuple):
    """A processor's state: tensors whose first axis is the batch.

    `before` holds each control's last frame [batch, channels], so that ramps have both ends; `started` [batch] is 0 before the
    first block, where the first frame stands in for the one before it.
    """

    started: Tensor
    before: dict[str, Tensor]
    memory: Any


def extend(frames: Tensor, before: Tensor, started: Tensor) -> Tensor:
    """Put the frame before the block in row 0: [batch, hops, channels] becomes [batch, hops + 1, channels]."""
    first = tf.where(started[:, None] > 0.0, before, frames[:, 0])
    return tf.concat([first[:, None], frames], axis=1)


class Processor:
    """Base of all processors. An instance is configuration, never a sounding note: state is an argument and a result."""

    spec: ClassVar[Spec]
    Inputs: ClassVar[Any]

    def __init_subclass__(cls, *, version: int, category: str, stereo: bool = False, listed: bool = True) -> None:
        """Read the data sheet from the class body and enter the type in the catalogue (unless `listed` is False)."""
        cls.spec = Spec.read(cls, version, category, stereo)
        held = ["weights"] if cls.spec.weights else []
        cls.Inputs = namedtuple("Inputs", [*cls.spec.inlets, *cls.spec.controls, *held])  # type: ignore[misc]
        if listed:
            catalogue.register(cls)

    def __init__(
        self, sample_rate: float, *, name: str = "", stereo: bool = False, heads: tuple[Head, ...] = (), **options: OptionValue
    ) -> None:
        """Configure.

        Args:
            sample_rate: Hz.
            name: the node's name, which seeds its noise and its weights.
            stereo: the batch is (left, right), not voices or clips.
            heads: the controls that a learned outlet drives.
            options: the type's options; the default where none is given.

        Raises:
            ValueError: in one sentence, for an option that is unknown or out of range, or a file that cannot be used.
        """
        if unknown := set(options) - set(self.spec.options):
            raise ValueError(f"{self.spec.name} has no option {', '.join(sorted(unknown))}")
        for key, value in options.items():
            self.spec.options[key].check(f"{self.spec.name}.{key}", value)
        self.sample_rate = float(sample_rate)
        self.name = name or self.spec.name
        self.stereo = stereo
        self.heads = heads
        self.options: Mapping[str, Any] = self.spec.option_values(options)
        given = self.options.get(MODEL)
        self.trained: Trained | None = find(str(given)).of_node(self.name, self.spec.name) if given else None
        self.prepare()

    # -- what a leaf class implements -----------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Compute what depends on the options only (tables, responses). Called once, at the end of the constructor."""

    @property
    def latency(self) -> int:
        """Samples by which audio outlets lag behind inlets and controls, or what is told of a sound behind the sound."""
        return 0

    def tail_s(self, values: Mapping[str, tuple[float, ...]]) -> float:
        """Seconds for which output goes on after the inputs fell silent, to −60 dB, under the given control values."""
        return 0.0

    def weights(self) -> Arrays:
        """Untrained weights by name, each a declared one or a part of it ("declared/part"); the node's name seeds random ones."""
        return {}

    def adapt(self, weight: str, array: npt.NDArray[np.float32], trained_hz: float) -> npt.NDArray[np.float32]:
        """A trained array as this configuration needs it, for one that was trained at a sample rate of `trained_hz`."""
        return array

    def derive(self, weights: Mapping[str, Tensor]) -> Any:
        """What `render` finds in `x.weights`, by differentiable tensor operations: done once for each change of the weights."""
        return dict(weights)

    def memory(self, batch: int) -> Any:
        """What `render` remembers before the first sample: a NamedTuple of tensors, first axis batch, or ()."""
        return ()

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        """Go on by whole hops.

        Args:
            memory: as `memory` made it or `render` returned it.
            x: a tuple named by port. Audio is [batch, samples]; the performance [batch, hops, 7]; the clock
                [batch or 1, hops, 3] float64; the audio input [batch or 1, hops, 128]; a control
                [batch or 1, hops + 1, channels], row 0 being the frame before the
                block. `x.weights` is what `derive` made.

        Returns:
            Outputs by outlet, audio [batch, samples], control [batch, hops, channels], notes [batch, hops, 7]; and the new
            memory. For a learned outlet the logits of each head, by its target.
        """
        raise NotImplementedError(f"{type(self).__name__}.render")

    # -- what everyone calls --------------------------------------------------------------------------------------------

    def channels(self, port: str) -> int:
        """Channel count of a control or outlet under this configuration."""
        return self.spec.channels(port, self.options)

    def initial_weights(self) -> dict[str, npt.NDArray[np.float32]]:
        """The weights to begin with: those of the model that the options name, and untrained ones where it has none.

        Raises:
            ValueError: in one sentence, when the model's arrays have other shapes.
        """
        own = dict(self.weights())
        for key, array in (self.trained.arrays if self.trained else {}).items():
            if key not in own or self.trained is None:
                continue
            adapted = self.adapt(key, array, self.trained.sample_rate)
            if adapted.shape != own[key].shape:
                raise ValueError(
                    f"{self.spec.name} takes {key} of shape {own[key].shape}, and the model has {adapted.shape}; "
                    "set the options that it was trained with"
                )
            own[key] = np.asarray(adapted, np.float32)
        return own

    def start(self, batch: int) -> State:
        """The state before the first sample, for `batch` voices or clips."""
        before = {name: tf.zeros([batch, self.channels(name)]) for name in self.spec.controls}
        return State(tf.zeros([batch]), before, self.memory(batch))

    def process(
        self, state: State, inputs: Mapping[str, Tensor], weights: Mapping[str, Tensor] | None = None
    ) -> tuple[dict[str, Tensor], State]:
        """Go on by whole hops: the one method that trains, plays and renders.

        Args:
            state: as `start` made it or `process` returned it.
            inputs: audio [batch, samples], performance [batch, hops, 7], clock [batch or 1, hops, 3] and audio input
                [batch or 1, hops, 128] by inlet, controls
                [batch, hops, channels] by name. Controls left out keep their default; inlets left out are silent, and a clock
                that is left out stands still.
            weights: by name; the untrained ones where none are given.

        Returns:
            Outputs by outlet, and the state after the block.
        """
        batch = int(state.started.shape[0])
        hops = self._hops(inputs)
        complete: dict[str, Tensor] = {}
        before: dict[str, Tensor] = {}
        for name in self.spec.controls:
            frames = inputs.get(name)
            if frames is None:
                default = self.spec.controls[name].defaults(self.channels(name))
                frames = tf.constant(default, tf.float32)[None, None]
            frames = tf.broadcast_to(frames, [batch, hops, self.channels(name)])
            complete[name] = extend(frames, state.before[name], state.started)
            before[name] = frames[:, -1]
        for name, inlet in self.spec.inlets.items():
            signal = inputs.get(name)
            if signal is None:
                width = WIDTHS.get(inlet.signal)
                signal = tf.zeros([batch, hops * HOP] if width is None else [batch, hops, width])
            complete[name] = tf.cast(signal, tf.float64) if inlet.signal is Signal.CLOCK else signal
        if self.spec.weights:
            held = {key: tf.constant(w) for key, w in self.initial_weights().items()} if weights is None else weights
            complete["weights"] = self.derive(held)
        outputs, memory = self.render(state.memory, self.Inputs(**complete))
        return outputs, State(tf.ones_like(state.started), before, memory)

    def _hops(self, inputs: Mapping[str, Tensor]) -> int:
        for name, tensor in inputs.items():
            audio = name in self.spec.inlets and self.spec.inlets[name].signal is Signal.AUDIO
            length = int(tensor.shape[1])
            if audio and length % HOP:
                raise ValueError(f"{self.spec.name}.{name} takes whole hops of {HOP} samples, got {length} samples")
            return length // HOP if audio else length
        raise ValueError(f"{self.spec.name} needs at least one input to know how long to go on")
