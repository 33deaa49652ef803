"""The arpeggiator: the keys that are held, one after the other on the clock, before the voices hear them."""

from __future__ import annotations

from typing import Any, NamedTuple

from ddsp_studio.dsp.beats import Steps, latest_value, origin_at, steps, swung
from ddsp_studio.dsp.noise import row_seeds, white_noise
from ddsp_studio.dsp.recurrence import latest
from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.clock import NEVER, hop_places, pulses
from ddsp_studio.processors.declare import Control, Inlet, Option, Outlet, Signal
from ddsp_studio.processors.divisions import DIVISIONS
from ddsp_studio.processors.performance import BEND, GATE, MOD, NOTE, PRESSURE, RUNNING, TRIGGER, VELOCITY

_MIDDLE_C = 60.0


class _Step(NamedTuple):
    """What a step plays, [1, hops]: the key's voice, its note and velocity; whether it `fires`; its number in the chord."""

    voice: Tensor
    note: Tensor
    velocity: Tensor
    fires: Tensor
    number: Tensor


class Arpeggiator(Processor, version=1, category="Source"):
    """Play the held keys one after the other: notes in, notes out, for a Voice behind it.

    It works on the voices that the keys were given to, so it takes as many keys as there are voices; the sustain pedal holds a
    chord. Steps go round the voices, so that releases ring on, or stay on one, so that a Voice can glide. What a key does in a
    step is heard at the next one; letting go of all keys ends it at once. In training, where a row is a clip, notes pass as they
    are.
    """

    mode = Option(default="up", choices=("up", "down", "up and down", "as played", "random"), doc="Order of the keys")
    octaves = Option(default=1, low=1, high=4, doc="How many octaves the keys are repeated in, upwards")
    division = Option(default="1/16", choices=tuple(DIVISIONS), doc="Length of a step: D is dotted, T a triplet")
    begin = Option(
        default="auto",
        choices=("auto", "key", "beat"),
        doc="First step at the key or on the beat; auto: on it if the transport plays",
    )
    voices = Option(default="all", choices=("all", "one"), doc="Whether steps go round all voices or stay on one")
    performance = Inlet(signal=Signal.NOTES, doc="The keys")
    clock = Inlet(signal=Signal.CLOCK, doc="The transport's clock")
    length = Control(unit="", low=0.05, high=1.0, default=0.5, doc="How long each step is held; 1 ties them")
    swing = Control(unit="", low=0.5, high=0.75, default=0.5, doc="Share of the first of two steps; 0.67 is a triplet")
    notes = Outlet(signal=Signal.NOTES, doc="The steps, for a Voice")

    class Memory(NamedTuple):
        """What the steps remember, the same in every row, [batch]; and what each row plays.

        `place` in steps and `origin` of the chord's first, float64. `count`: steps so far, and at the chord's begin (`base`);
        `keys` that were held; `age`: hops since the key of a row was struck; `voice` of each row's last step: int32. `note` and
        `velocity` of it: float32. `seed` of the random order, uint32.
        """

        place: Tensor
        origin: Tensor
        count: Tensor
        base: Tensor
        keys: Tensor
        age: Tensor
        voice: Tensor
        note: Tensor
        velocity: Tensor
        seed: Tensor

    def prepare(self) -> None:
        """Look up the note value."""
        self._beats = DIVISIONS[str(self.options["division"])]

    def memory(self, batch: int) -> Memory:
        """No key yet."""
        none = tf.zeros([batch], tf.int32)
        place = tf.fill([batch], tf.constant(NEVER, tf.float64))
        note = tf.fill([batch], _MIDDLE_C)
        origin, velocity = tf.zeros([batch], tf.float64), tf.zeros([batch])
        return self.Memory(place, origin, none, none, none, none, none, note, velocity, row_seeds(self.name, batch))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Find the steps, choose their keys, and hand them to the rows."""
        if not self.stereo:
            return {"notes": x.performance}, memory
        held = x.performance[..., GATE] > 0.5
        count = tf.reduce_sum(tf.cast(held, tf.int32), axis=0, keepdims=True)
        before = tf.concat([memory.keys[:1, None], count[:, :-1]], axis=1)
        first = tf.logical_and(count > 0, before == 0)
        found, place, origin, at_key = self._beat(memory, x, first)
        begins = tf.logical_or(found.begins, at_key)
        total = memory.count[:1, None] + tf.cumsum(tf.cast(begins, tf.int32), axis=1)
        base = latest_value(first, total - tf.cast(begins, tf.int32), memory.base[:1])
        age = self._age(memory, x)
        step = self._choose(x, held, count, age, total - base - 1, begins, total, memory.seed[:1])
        gate = tf.logical_and(pulses(found, x.length[:1, 1:, 0]) > 0.5, tf.logical_and(count > 0, total > base))
        out, rows = self._rows(memory, x.performance, step, tf.logical_or(gate, step.fires))

        lines = (place, origin, total, base, count)
        kept = [tf.repeat(line[:, -1], int(held.shape[0]), axis=0) for line in lines]
        return {"notes": out}, self.Memory._make([*kept, age[:, -1], *rows, memory.seed])

    def _beat(self, memory: Memory, x: Any, first: Tensor) -> tuple[Steps, Tensor, Tensor, Tensor]:
        """Steps [1, hops] from the chord's first key or on the grid; their places and origin; where a key begins the first."""
        grid = hop_places(x.clock[:1], self._beats, 1)
        match self.options["begin"]:
            case "key":
                at_key = first
            case "beat":
                at_key = tf.zeros_like(first)
            case _:
                at_key = tf.logical_and(first, x.clock[:1, :, RUNNING] < 0.5)
        origin = latest_value(first, tf.where(at_key, origin_at(grid), 0.0), memory.origin[:1])
        place = swung(grid - origin, tf.cast(x.swing[:1, 1:, 0], tf.float64))
        return steps(place, memory.place[:1]), place, origin, at_key

    def _age(self, memory: Memory, x: Any) -> Tensor:
        """Hops since the key of each row was struck, [batch, hops]."""
        shape = [int(n) for n in x.performance.shape[:2]]
        hop = tf.broadcast_to(tf.range(1, shape[1] + 1), shape)
        return tf.minimum(hop - latest(x.performance[..., TRIGGER] > 0.5, hop, -memory.age), 2**30)

    def _choose(
        self, x: Any, held: Tensor, count: Tensor, age: Tensor, number: Tensor, begins: Tensor, total: Tensor, seed: Tensor
    ) -> _Step:
        """The key of each step, by its rank among those that are held."""
        note = x.performance[..., NOTE]
        order = tf.cast(-age, tf.float32) if self.options["mode"] == "as played" else note
        mine, other = order[:, None], order[None]
        row = tf.range(int(held.shape[0]))
        sooner = tf.logical_or(other < mine, tf.logical_and(other == mine, (row[None] < row[:, None])[..., None]))
        rank = tf.reduce_sum(tf.cast(tf.logical_and(sooner, held[None]), tf.int32), axis=1)
        keys = tf.maximum(count, 1)
        place = self._place(number, keys * int(self.options["octaves"]), total, seed)
        chosen = tf.cast(tf.logical_and(held, rank == place % keys), tf.float32)
        octave = tf.cast(place // keys, tf.float32)
        pitch = tf.reduce_sum(chosen * note, axis=0, keepdims=True) + 12.0 * octave
        velocity = tf.reduce_sum(chosen * x.performance[..., VELOCITY], axis=0, keepdims=True)
        voice = tf.argmax(chosen, axis=0, output_type=tf.int32)[None]
        return _Step(voice, pitch, velocity, tf.logical_and(tf.logical_and(begins, number >= 0), count > 0), number)

    def _place(self, number: Tensor, size: Tensor, total: Tensor, seed: Tensor) -> Tensor:
        """Which of `size` places a step plays, [1, hops] int32."""
        match self.options["mode"]:
            case "down":
                return size - 1 - number % size
            case "up and down":
                turn = number % tf.maximum(2 * size - 2, 1)
                return tf.where(turn < size, turn, 2 * size - 2 - turn)
            case "random":
                hops = int(total.shape[1])
                drawn = white_noise(tf.repeat(seed, hops), tf.cast(total[0], tf.uint32), 1)
                share = tf.reshape(drawn, [1, hops]) * 0.5 + 0.5
                return tf.minimum(tf.cast(share * tf.cast(size, tf.float32), tf.int32), size - 1)
            case _:
                return number % size

    def _rows(self, memory: Memory, played: Tensor, step: _Step, gate: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Hand the steps to the rows: the performance [batch, hops, 7], and what each row keeps of its last step."""
        batch, hops = int(played.shape[0]), int(played.shape[1])
        turn = step.number % batch if self.options["voices"] == "all" else tf.zeros_like(step.number)
        mine = tf.range(batch)[:, None] == turn
        fires = tf.logical_and(mine, step.fires)
        kept = [
            latest_value(fires, tf.broadcast_to(value, [batch, hops]), before)
            for value, before in ((step.voice, memory.voice), (step.note, memory.note), (step.velocity, memory.velocity))
        ]
        voice, note, velocity = kept
        wheels = tf.gather(tf.transpose(played, [1, 0, 2]), tf.transpose(voice), batch_dims=1)  # of the key that a row plays
        wheels = tf.transpose(wheels, [1, 0, 2])
        channels = {
            NOTE: note,
            GATE: tf.cast(tf.logical_and(mine, gate), tf.float32),
            TRIGGER: tf.cast(fires, tf.float32),
            VELOCITY: velocity,
            PRESSURE: wheels[..., PRESSURE],
            MOD: wheels[..., MOD],
            BEND: wheels[..., BEND],
        }
        return tf.stack([channels[i] for i in range(len(channels))], axis=2), tuple(value[:, -1] for value in kept)
