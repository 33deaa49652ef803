"""Playing with the loudness of a data set: what velocity, pressure and wheel mean to a trained instrument."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ddsp_studio.dsp.recurrence import scan_frames
from ddsp_studio.dsp.tensor import HOP, Tensor, tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Control, Inlet, Outlet, Signal, Weight
from ddsp_studio.processors.networks import Array
from ddsp_studio.processors.performance import GATE, MOD, PRESSURE, TRIGGER, VELOCITY

LEVELS = 11
"""Quantiles of loudness, evenly spaced from the softest sounding frame to the loudest."""
_SOFTEST, _LOUDEST = 0.1, 0.97
"""Quantiles that velocity 0 and full effort ask for: the ends of a data set are accidents."""
ONSET_DB = 30.0
"""How far below its level a note begins."""
FADE_DB = 12.0
"""How far above silence everything is heard in full."""
GESTURES = (3000.0, 120.0, -80.0)
"""Rise and fall in dB a second and the level of silence in dB, until a data set has been measured."""


def audible(loudness_db: Tensor, silence_db: Tensor | float) -> Tensor:
    """0 at the level of silence, 1 from some dB above it, and smooth between."""
    share = tf.clip_by_value((loudness_db - silence_db) / FADE_DB, 0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)


class Expression(Processor, version=1, category="Neural"):
    """How loud a trained instrument is asked to play: each note begins, swells and ends as its data set does.

    Velocity asks for a level among those of the data set, so that half of the way up is its median. Pressure and the wheel raise
    it towards the loudest. A note begins no faster than the data's notes do, and after the key is released it falls as theirs do.
    Where the data's notes are plucked, a note begins as loud as theirs do and fades while it is held.
    """

    performance = Inlet(signal=Signal.NOTES, doc="The notes")
    dynamics = Control(unit="", low=0.0, high=1.0, default=1.0, doc="How much velocity counts; at 0 all ask for the median")
    pressure = Control(unit="", low=0.0, high=1.0, default=1.0, doc="How far pressure raises the loudness towards the loudest")
    wheel = Control(unit="", low=0.0, high=1.0, default=0.5, doc="How far the modulation wheel raises it")
    gain = Control(unit="dB", low=-24.0, high=24.0, default=0.0, doc="Asks for more or less than the data set has")
    loudness = Outlet(signal=Signal.CONTROL, unit="dB", doc="Loudness to play")
    level = Outlet(signal=Signal.CONTROL, doc="0 in silence and 1 above it: for a Gain, as no network is ever quite silent")

    statistics = Weight(trained=False, doc="The data set's levels and peaks of notes (dB), its rise, fall and decay (dB/s)")

    class Memory(NamedTuple):
        """What sounds.

        `level`: dB that is asked for now, [batch]. `faded`: dB by which the note has decayed, [batch]. `begun`: 0 before the
        first hop, [batch].
        """

        level: Tensor
        faded: Tensor
        begun: Tensor

    def weights(self) -> dict[str, Array]:
        """A generic instrument."""
        return {
            "statistics/levels": np.linspace(-60.0, -15.0, LEVELS, dtype=np.float32),
            "statistics/gestures": np.array(GESTURES, np.float32),
            "statistics/peaks": np.linspace(-60.0, -15.0, LEVELS, dtype=np.float32),
            "statistics/decay": np.zeros(1, np.float32),
        }

    def memory(self, batch: int) -> Memory:
        """Silence."""
        return self.Memory(*(tf.zeros([batch]) for _ in self.Memory._fields))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Go towards the level that is asked for, by the data's own steps."""
        played, decay = x.performance, x.weights["statistics/decay"][0]
        rise, fall, silence = tf.unstack(x.weights["statistics/gestures"])
        levels = tf.where(decay > 0.0, x.weights["statistics/peaks"], x.weights["statistics/levels"])
        effort = x.dynamics[:, 1:, 0] * (played[..., VELOCITY] - 0.5) + 0.5
        for raised in (x.pressure[:, 1:, 0] * played[..., PRESSURE], x.wheel[:, 1:, 0] * played[..., MOD]):
            effort += (1.0 - effort) * raised
        place = (_SOFTEST + (_LOUDEST - _SOFTEST) * effort) * (LEVELS - 1)
        near = tf.maximum(1.0 - tf.abs(place[..., None] - np.arange(LEVELS, dtype=np.float32)), 0.0)
        asked = tf.reduce_sum(near * levels, axis=2) + x.gain[:, 1:, 0]
        asked = tf.where(played[..., GATE] > 0.5, asked, silence)
        up, down, fade = (pace * (HOP / self.sample_rate) for pace in (rise, fall, decay))

        def step(state: tuple[Tensor, Tensor], frame: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
            (level, faded), (asked, begins) = state, frame
            faded = tf.where(begins > 0.5, 0.0, faded + fade)
            goal = tf.maximum(asked - faded, silence)
            # a note is heard at once, if softly: what lies further below it would only be a delay
            return tf.maximum(tf.minimum(tf.maximum(goal, level - down), level + up), goal - ONSET_DB), faded

        start = tf.where(memory.begun > 0.0, memory.level, silence)
        (level, _), (last, faded) = scan_frames(step, (start, memory.faded), (asked, played[..., TRIGGER]))
        return {"loudness": level[..., None], "level": audible(level, silence)[..., None]}, self.Memory(
            last, faded, tf.ones_like(memory.begun)
        )
