"""A patch as something to fit: features of recordings in the place of the player, and all trained weights as one vector."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from ddsp_studio.dsp.tensor import HOP, Tensor, tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.check import Zone, values_of
from ddsp_studio.processors.declare import Control, Signal
from ddsp_studio.processors.expression import GESTURES, audible
from ddsp_studio.processors.group import ProcessorGroup
from ddsp_studio.processors.patch import Patch, Port
from ddsp_studio.processors.performance import CHANNELS
from ddsp_studio.processors.player import knob_of
from ddsp_studio.training.features.clock import frame_period

Array = npt.NDArray[np.float32]
Features = Mapping[str, Any]
"""What stands for a performance: "f0_hz" and "loudness_db", [rows, frames, 1]; for encoders "audio", [rows, samples]."""


class Before(NamedTuple):
    """The frame before a block, [rows, 1, 1] each: pitch in Hz, loudness in dB, and whether a key was down, 0 or 1."""

    f0_hz: Any
    loudness_db: Any
    gate: Any


SOUNDING_DB = -70.0
"""Frames that are louder than this hold a key down."""
_VELOCITY = 0.75
_MATRICES = ("/kernel", "/recurrent")


class Slot(NamedTuple):
    """Where a trained array lies in the vector of all of them."""

    node: str
    name: str
    shape: tuple[int, ...]
    place: slice
    rounded: bool
    """Whether it may be handed over in bfloat16."""


class Fitting:
    """A patch whose trained weights are one vector, and which sounds by features.

    Nodes that hear the performance, or tell pitch or loudness of the audio input, are replaced: their outlets f0 and loudness
    give the features, gate and trigger follow the loudness, and the other ones rest. Everything else is processed as it is
    played, rows being clips. Thread rule: one thread at a time.
    """

    def __init__(self, patch: Patch, sample_rate: float) -> None:
        """Build the processors of a patch.

        Raises:
            PatchError: the patch is not sound. ValueError: it has nothing to train.
        """
        self.group = ProcessorGroup(patch, sample_rate=sample_rate, playing=False)
        self.patch, self.sample_rate = patch, sample_rate
        self.period = frame_period(int(sample_rate)) // HOP
        self._stands: list[_Performer | _Listener] = []
        self.performers: set[str] = set()
        for name, processor in self.group.processors.items():
            if self._performs(name, processor):
                self._stands.append(_Performer(processor))
                self.performers.add(name)
            elif self._listens(name, processor):
                self._stands.append(_Listener(processor))
            else:
                continue
            self.group.processors[name] = cast(Processor, self._stands[-1])
        self._spread_rows()
        self._draw()
        self.slots: tuple[Slot, ...] = tuple(self._lay_out())
        if not self.slots:
            raise ValueError(
                "nothing in this patch can be trained: it has no decoder, reverb or other node with weights that is heard"
            )
        self.size = self.slots[-1].place.stop
        self.latency = self.group.latency
        self._values = self._knobs()

    def _draw(self) -> None:
        """Let untrained heads begin with the values that are drawn: what the networks move are the knobs of this patch."""
        for name, processor in self.group.processors.items():
            for head in processor.heads if processor.trained is None else ():
                target = Port.parse(head.target)
                drawn = values_of(self.patch.nodes[target.node])[target.name]
                rest = head.control.defaults(head.channels)
                away = [_logit(head.control, a) - _logit(head.control, b) for a, b in zip(drawn, rest, strict=True)]
                bias = f"head/{head.target}/bias"
                if bias in self.group.weights.get(name, {}):
                    self.group.weights[name][bias] = np.array(away, np.float32)

    def _spread_rows(self) -> None:
        """Give what hears a recording a row for each clip: with nothing plugged in it would be free, and have one row for all."""
        zones = self.group.zones
        for name in self.group.order:
            sources = {cable.source.node for cable in self.patch.cables if cable.target.node == name}
            heard = isinstance(self.group.processors[name], _Listener) or any(zones[s] is Zone.VOICE for s in sources)
            if zones[name] is Zone.FREE and heard:
                zones[name] = Zone.VOICE

    def _performs(self, name: str, processor: Processor) -> bool:
        """Whether a node says what is to be played: by the notes that it gets, or by what it hears of the input."""
        hears_notes = any(inlet.signal is Signal.NOTES for inlet in processor.spec.inlets.values())
        return hears_notes or (name in self.group.listening and bool({"f0", "loudness"} & set(processor.spec.outlets)))

    def _listens(self, name: str, processor: Processor) -> bool:
        """Whether a node is an encoder into which nothing is plugged."""
        audio = [inlet for inlet, held in processor.spec.inlets.items() if held.signal is Signal.AUDIO]
        return (
            processor.spec.category == "Neural" and bool(audio) and not any(self.patch.into(Port(name, inlet)) for inlet in audio)
        )

    def _lay_out(self) -> Sequence[Slot]:
        slots, place = [], 0
        for node, held in sorted(self.group.weights.items()):
            declared = self.group.processors[node].spec.weights
            for name, array in sorted(held.items()):
                weight = declared[name.split("/")[0]]
                if node not in self.performers and weight.trained:
                    rounded = weight.rounded and name.endswith(_MATRICES)
                    slots.append(Slot(node, name, array.shape, slice(place, place + array.size), rounded))
                    place += array.size
        return slots

    def _knobs(self) -> Array:
        """A row of values, knob positions in modulated columns, [columns]."""
        row = np.zeros(self.group.width, np.float32)
        for name in self.group.order:
            for key, numbers in values_of(self.patch.nodes[name], name).items():
                row[self.group.columns[f"{name}.{key}"].columns] = numbers
        for cable in self.patch.cables:
            if (column := self.group.columns.get(f"{cable.source}->{cable.target}")) is not None:
                row[column.columns] = cable.amount
        for column in self.group.columns.values():
            if column.modulated and column.control is not None:
                row[column.columns] = knob_of(column.control, row[column.columns])
        return row

    # -- weights ----------------------------------------------------------------------------------------------------------

    def vector(self) -> Array:
        """The patch's own weights as a vector, [size]."""
        return np.concatenate([np.ravel(self.group.weights[s.node][s.name]) for s in self.slots]).astype(np.float32)

    def weights(self, vector: Tensor, *, rounded: bool = False) -> dict[str, dict[str, Tensor]]:
        """The vector's parts by node and name, each in its shape; with `rounded` those that may be are bfloat16."""
        pieces = tf.split(vector, [s.place.stop - s.place.start for s in self.slots])
        held: dict[str, dict[str, Tensor]] = {node: dict(arrays) for node, arrays in self.group.weights.items()}
        for slot, piece in zip(self.slots, pieces, strict=True):
            shaped = tf.reshape(piece, slot.shape)
            held[slot.node][slot.name] = tf.cast(shaped, tf.bfloat16) if rounded and slot.rounded else shaped
        return held

    def arrays(self, vector: Array) -> dict[str, dict[str, Array]]:
        """All weights by node, trained ones from the vector: what a model file holds."""
        held = {node: dict(arrays) for node, arrays in self.group.weights.items()}
        for slot in self.slots:
            held[slot.node][slot.name] = np.asarray(vector[slot.place], np.float32).reshape(slot.shape)
        return held

    def measure(self, statistics: Mapping[str, Array]) -> None:
        """Put a data set's statistics where nodes keep them: "statistics/KEY" takes the numbers of that key."""
        for held in self.group.weights.values():
            for name in held:
                key = name.removeprefix("statistics/")
                if key != name and key in statistics:
                    held[name] = np.asarray(statistics[key], np.float32).reshape(held[name].shape)

    # -- sound ------------------------------------------------------------------------------------------------------------

    def sound(self, vector: Tensor, features: Features, *, rounded: bool = False) -> Tensor:
        """What the patch plays for features, from silence on: [rows, samples], `latency` samples late.

        With `rounded` the networks multiply in bfloat16.
        """
        return self.sound_after({}, vector, features, rounded=rounded)[0]

    def at_rest(self, rows: int) -> dict[str, Tensor]:
        """What recurrent networks remember of before the first sample, by node: [rows, units]."""
        memories = self.group.start(rows).nodes
        return {name: memory.hidden for name, memory in memories.items() if self._recurs(name, memory)}

    def _recurs(self, name: str, memory: Any) -> bool:
        return hasattr(memory, "hidden") and self.group.batch(name, 2) == 2

    def sound_after(
        self, hidden: Mapping[str, Tensor], vector: Tensor, features: Features, *, rounded: bool = False
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The same after something else was played, of which recurrent networks remember `hidden`; and what they remember then.

        No gradient flows through what they remember.
        """
        rows, hops = int(features["f0_hz"].shape[0]), int(features["f0_hz"].shape[1]) * self.period
        state = self.group.start(rows)
        nodes = {n: memory._replace(hidden=hidden[n]) if n in hidden else memory for n, memory in state.nodes.items()}
        derived = self.group.derive(self.weights(vector, rounded=rounded))
        audio, after = self.go_on(state._replace(nodes=nodes), derived, features, hops)
        return audio, {name: tf.stop_gradient(after.nodes[name].hidden) for name in hidden}

    def go_on(
        self,
        state: Any,
        derived: Mapping[str, Any],
        features: Features,
        hops: int,
        before: Before | None = None,
        clock: Tensor | None = None,
    ) -> tuple[Tensor, Any]:
        """Play the next hops, from and to a state.

        Args:
            state, derived: as the group makes them. features: of the block.
            before: the frame before it; where it is left out the sound begins: pitch and loudness rest, and no key was down.
            clock: [1, hops, 3] float64, see `processors.performance`; where it is left out the block begins at beat 0, 120 bpm.

        Returns:
            Audio [rows, samples] and the state after.
        """
        rows, clip = int(features["f0_hz"].shape[0]), features.get("audio")
        clip = tf.zeros([rows, hops * HOP]) if clip is None else clip[:, : hops * HOP]
        for stand in self._stands:
            stand.hops = hops
            stand.features, stand.before = {**features, "audio": clip}, before
        values = tf.constant(np.tile(self._values, (hops, 1)))
        both = tf.concat([tf.reshape(clip, [rows, hops, HOP])] * 2, axis=2)
        notes = tf.zeros([rows, hops, len(CHANNELS)])
        rendered, after = self.group.process(state, values, notes, derived, clock, both)
        return rendered.audio, after


def _logit(control: Control, value: float) -> float:
    place = min(max(control.to_knob(value), 0.01), 0.99)
    return math.log(place / (1.0 - place))


class _Stand:
    """Stands for a processor: all that is asked of it is the processor's, but for what it renders."""

    def __init__(self, real: Processor) -> None:
        self._real = real
        self.features: Features = {}
        self.before: Before | None = None
        self.hops = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class _Performer(_Stand):
    """Gives features where its processor would hear the performance."""

    def memory(self, batch: int) -> tuple[()]:
        """Nothing."""
        return ()

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        """Give the features that the outlets are named for, and rest elsewhere."""
        hops, rows = self.hops, int(self.features["f0_hz"].shape[0])
        given = _outlets(self.features, hops, self.before)
        outputs = {}
        for port, outlet in self._real.spec.outlets.items():
            channels = len(CHANNELS) if outlet.signal is Signal.NOTES else self._real.channels(port)
            rest = [rows, hops * HOP] if outlet.signal is Signal.AUDIO else [rows, hops, channels]
            outputs[port] = given[port] if port in given else tf.zeros(rest)
        return outputs, memory


class _Listener(_Stand):
    """Hears the recording where nothing is plugged in."""

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        """Render with the recording on every audio inlet."""
        heard = {n: self.features["audio"] for n, i in self._real.spec.inlets.items() if i.signal is Signal.AUDIO}
        return self._real.render(memory, x._replace(**heard))


def _outlets(features: Features, hops: int, before: Before | None) -> dict[str, Tensor]:
    """Signals of hops that a performer gives, by outlet."""
    f0_hz, loudness = features["f0_hz"], features["loudness_db"]
    held = before or Before(f0_hz[:, :1], loudness[:, :1], tf.zeros_like(f0_hz[:, :1]))
    period = hops // int(f0_hz.shape[1])
    loudness = tf.maximum(_by_hops(loudness, held.loudness_db, period), GESTURES[2])
    gate = tf.cast(loudness > SOUNDING_DB, tf.float32)
    earlier = tf.concat([held.gate, gate[:, :-1]], axis=1)
    return {
        "f0": tf.exp(_by_hops(tf.math.log(f0_hz), tf.math.log(held.f0_hz), period)),
        "loudness": loudness,
        "level": audible(loudness, GESTURES[2]),
        "confidence": _held(features.get("confidence", tf.ones_like(f0_hz)), period),
        "gate": gate,
        "trigger": gate * (1.0 - earlier),
        "velocity": tf.fill(gate.shape, _VELOCITY),
    }


def _held(frames: Tensor, period: int) -> Tensor:
    return tf.repeat(frames, period, axis=1) if period > 1 else frames


def _by_hops(frames: Tensor, first: Tensor, period: int) -> Tensor:
    """Frames [rows, frames, 1], after `first`, at the ends of their hops, by straight lines: [rows, frames · period, 1]."""
    if period == 1:
        return frames
    before = tf.concat([first, frames[:, :-1]], axis=1)
    share = np.arange(1, period + 1, dtype=np.float32) / period
    return tf.reshape(before + (frames - before) * share, [frames.shape[0], -1, 1])
