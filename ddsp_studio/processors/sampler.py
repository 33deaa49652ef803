"""Instruments that play a recording: the sampler and the granular cloud."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ddsp_studio.dsp.curves import edges, hold
from ddsp_studio.dsp.grains import Cloud, Wishes, spread_grains
from ddsp_studio.dsp.noise import row_seeds
from ddsp_studio.dsp.playback import read, read_level, recording, speed_level, travel
from ddsp_studio.dsp.ramps import ramp, ramp_hops, samples
from ddsp_studio.dsp.recurrence import scan_frames
from ddsp_studio.dsp.tensor import HOP, Tensor, tf
from ddsp_studio.processors import sound_file
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Control, Law, Option, Outlet

_JOIN_S = 0.01
"""Cross-fade at the end of a loop."""
_SHORTEST_LOOP_S = 0.002
_FADE = (0.5 + 0.5 * np.cos(np.pi * np.arange(HOP) / (HOP - 1.0))).astype(np.float32)
_NOWHERE = -1e6


def _speed(f0_hz: Tensor, root_hz: Tensor, batch: int) -> Tensor:
    """Samples of the recording for each sample, [batch, frames] float64."""
    ratio = tf.cast(f0_hz, tf.float64) / tf.cast(root_hz, tf.float64)
    return tf.broadcast_to(ratio[..., 0], [batch, ratio.shape[1]])


class Sampler(Processor, version=1, category="Synth"):
    """Play a recording at any pitch, from the beginning or from within, once or in a loop.

    It starts when the gate opens or a trigger comes, and plays to the end of the recording; an envelope on its amplitude ends
    it sooner. A start takes over from what sounds by fading the difference out within one hop, so the attack is untouched and
    nothing clicks. The loop's end cross-fades over 10 ms into what comes before its start. Read by quintic splines (Unser,
    1999) from band-limited copies: at up to four octaves above the root nothing folds to under 0.438 of the sample rate. Without
    a file it is a plucked string at C4.
    """

    file = Option(default="", path="audio", doc="The recording, 30 s at most; its channels are averaged")
    loop = Option(default="off", choices=("off", "on"), doc="Repeat a part for as long as it sounds")
    f0 = Control(unit="Hz", low=8.0, high=16000.0, default=sound_file.ROOT_HZ, law=Law.OCTAVES, doc="Pitch to play")
    gate = Control(unit="", low=0.0, high=1.0, default=0.0, doc="Starts the recording when it rises above 0.5")
    trigger = Control(unit="", low=0.0, high=1.0, default=0.0, advanced=True, doc="Starts it anew while above 0.5")
    amplitude = Control(unit="", low=0.0, high=1.0, default=0.5, doc="Level")
    root = Control(
        unit="Hz", low=8.0, high=16000.0, default=sound_file.ROOT_HZ, law=Law.OCTAVES, doc="Pitch of the recording as it is"
    )
    begin = Control(unit="", low=0.0, high=1.0, default=0.0, doc="Where it starts, as a share of the recording")
    loop_start = Control(unit="", low=0.0, high=1.0, default=0.3, doc="Where the loop starts, as a share of the recording")
    loop_length = Control(unit="", low=0.0, high=1.0, default=0.2, doc="How long the loop is, as a share of the recording")
    audio = Outlet(doc="The sound")

    class Memory(NamedTuple):
        """`place` of the head in samples, float64. `last`: sample played last, before the amplitude. `gate`: so far. [batch]."""

        place: Tensor
        last: Tensor
        gate: Tensor

    def prepare(self) -> None:
        """Read the recording and make its levels."""
        self._recorded = recording(sound_file.load(str(self.options["file"]), self.sample_rate))

    def memory(self, batch: int) -> Memory:
        """Nowhere, silent."""
        return self.Memory(
            tf.fill([batch], tf.constant(_NOWHERE * self.sample_rate, tf.float64)), tf.zeros([batch]), tf.zeros([batch])
        )

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Move the head and read."""
        batch, frames = int(memory.last.shape[0]), int(x.f0.shape[1])
        gate = tf.broadcast_to(x.gate[:, 1:, 0], [batch, frames - 1])
        begins = tf.logical_or(edges(gate, memory.gate)[0], x.trigger[:, 1:, 0] > 0.5)
        speed = _speed(x.f0, x.root, batch)
        inside, passed = travel(speed)
        begun = tf.broadcast_to(tf.cast(x.begin[:, 1:, 0], tf.float64), begins.shape) * self._recorded.length
        pace = ramp_hops(tf.cast(speed, tf.float32)[..., None])
        if self.options["loop"] == "on":
            start, last = self._go_round(memory.place, begins, begun, passed[:, 1:] - passed[:, :-1], x)
            raw = self._looped(start[..., None] + inside - passed[:, :-1, None], pace, x)
        else:
            anchor = hold(begins, begun - passed[:, :-1], memory.place)
            last = anchor[:, -1] + passed[:, -1]
            raw = read(self._recorded, anchor[..., None] + inside, pace)
        before = tf.concat([memory.last[:, None], raw[:, :-1, -1]], axis=1)
        step = tf.where(begins, before - raw[:, :, 0], 0.0)
        out = samples(raw + step[..., None] * _FADE) * ramp(x.amplitude)
        return {"audio": out}, self.Memory(last, raw[:, -1, -1], gate[:, -1])

    def _loop(self, loop_start: Tensor, loop_length: Tensor) -> tuple[Tensor, Tensor]:
        """First sample of the loop and its length in samples, float64, for shares of the recording."""
        length = float(self._recorded.length)
        shortest = min(_SHORTEST_LOOP_S * self.sample_rate, length)
        first = tf.cast(loop_start, tf.float64) * (length - shortest)
        return first, tf.minimum(tf.cast(loop_length, tf.float64) * (length - shortest) + shortest, length - first)

    def _go_round(self, place: Tensor, begins: Tensor, begun: Tensor, moved: Tensor, x: Any) -> tuple[Tensor, Tensor]:
        """Where the head stands as each hop begins [batch, hops], and after the last [batch].

        It goes back into the loop at every hop's end, so that a loop that moves never carries it far at once.
        """
        ends = [tf.broadcast_to(end[:, 1:, 0], begins.shape) for end in self._loop(x.loop_start, x.loop_length)]

        def hop(place: Tensor, frame: tuple[Tensor, ...]) -> Tensor:
            begins, begun, moved, first, span = frame
            return _within(tf.where(begins, begun, place) + moved, first, span)

        places, last = scan_frames(hop, place, (begins, begun, moved, *ends))
        return tf.where(begins, begun, tf.concat([place[:, None], places[:, :-1]], axis=1)), last

    def _looped(self, place: Tensor, pace: Tensor, x: Any) -> Tensor:
        """Read with the loop: its last 10 ms cross-fade into what comes before its start."""
        first, span = self._loop(ramp_hops(x.loop_start), ramp_hops(x.loop_length))
        within = _within(place, first, span)
        join = tf.minimum(span, _JOIN_S * self.sample_rate)
        share = tf.cast(tf.clip_by_value((within - first - span + join) / join, 0.0, 1.0), tf.float32)
        both = read(self._recorded, tf.stack([within, within - span]), tf.stack([pace, pace]))
        return both[0] + share * (both[1] - both[0])


def _within(place: Tensor, first: Tensor, span: Tensor) -> Tensor:
    """A place that has passed the end of a loop, brought back into it."""
    return tf.where(place < first + span, place, first + tf.math.floormod(place - first, span))


class Granular(Processor, version=1, category="Synth"):
    """A cloud of short grains from a recording: stretch it, freeze it, scatter it.

    Asynchronous granular synthesis (Roads, Microsound, 2001). Grain n comes when the density, summed over time, reaches n;
    where it is taken from and how long it waits is a hash of (name, voice, n), so every render is the same. Each grain has a
    Hann window and a level without aliasing; what is folded back lies over 0.438 of the sample rate. Without a file it is a
    plucked string at C4.
    """

    file = Option(default="", path="audio", doc="The recording, 30 s at most; its channels are averaged")
    overlap = Option(default="4", choices=("2", "4", "8"), doc="How many grains may sound at once")
    f0 = Control(unit="Hz", low=8.0, high=16000.0, default=sound_file.ROOT_HZ, law=Law.OCTAVES, doc="Pitch to play")
    amplitude = Control(unit="", low=0.0, high=1.0, default=0.5, doc="Level")
    position = Control(unit="", low=0.0, high=1.0, default=0.1, doc="Where grains are taken from, as a share of the recording")
    size = Control(unit="s", low=0.005, high=0.5, default=0.08, law=Law.OCTAVES, doc="How long a grain lasts")
    density = Control(unit="Hz", low=1.0, high=200.0, default=30.0, law=Law.OCTAVES, doc="Grains a second")
    spray = Control(
        unit="s", low=0.0, high=1.0, default=0.02, law=Law.CURVED, doc="How far from the position grains may be taken"
    )
    jitter = Control(unit="", low=0.0, high=1.0, default=0.5, doc="How uneven the time between grains is")
    root = Control(
        unit="Hz", low=8.0, high=16000.0, default=sound_file.ROOT_HZ, law=Law.OCTAVES, doc="Pitch of the recording as it is"
    )
    audio = Outlet(doc="The sound")

    def prepare(self) -> None:
        """Read the recording and make its levels."""
        self._recorded = recording(sound_file.load(str(self.options["file"]), self.sample_rate))
        self._slots = int(self.options["overlap"])

    def memory(self, batch: int) -> Cloud:
        """Before the first grain."""
        nowhere = tf.fill([batch, self._slots], tf.constant(_NOWHERE * self.sample_rate, tf.float64))
        return Cloud(tf.zeros([batch], tf.float64), nowhere, tf.zeros([batch, self._slots]), row_seeds(self.name, batch))

    def render(self, memory: Cloud, x: Any) -> tuple[dict[str, Tensor], Cloud]:
        """Let the grains come and go, and read each of them."""
        batch, frames = int(memory.count.shape[0]), int(x.f0.shape[1])

        def frame(control: Tensor, scale: float = 1.0) -> Tensor:
            return tf.broadcast_to(control[:, 1:, 0] * scale, [batch, frames - 1])

        speed = _speed(x.f0, x.root, batch)
        inside, passed = travel(speed)
        level = tf.math.ceil(speed_level(tf.cast(speed[:, 1:], tf.float32)) - 0.5)
        level = tf.clip_by_value(level, 0.0, len(self._recorded.places) - 1.0)
        wishes = Wishes(
            density_hz=tf.broadcast_to(x.density, [batch, frames, 1]),
            place=frame(x.position, float(self._recorded.length)),
            spray=frame(x.spray, self.sample_rate),
            jitter=tf.broadcast_to(x.jitter, [batch, frames, 1]),
            level=level,
            size_s=tf.broadcast_to(x.size, [batch, frames, 1]),
            inside=inside,
            edges=passed,
        )
        heads, cloud = spread_grains(wishes, memory, self._slots, self.sample_rate)
        grains = read_level(self._recorded, heads.place, tf.cast(heads.level, tf.int32)) * heads.loudness
        return {"audio": samples(tf.reduce_sum(grains, axis=-1)) * ramp(x.amplitude)}, cloud
