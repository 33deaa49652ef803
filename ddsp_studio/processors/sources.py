"""Sources: where a patch begins."""

from __future__ import annotations

from typing import Any, NamedTuple

from ddsp_studio.dsp.recurrence import decaying_max, one_pole_frames
from ddsp_studio.dsp.tensor import HOP, Tensor, tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Control, Inlet, Law, Outlet, Signal
from ddsp_studio.processors.performance import BEND, GATE, MOD, NOTE, PRESSURE, TRIGGER, VELOCITY

SILENCE_DB = -80.0
_LOUDNESS_RANGE_DB = 40.0


class Voice(Processor, version=1, category="Source"):
    """What is played, as control signals: one voice for each sounding note.

    Pitch glides exponentially in semitones: a glide of t seconds brings the pitch within 5 % of the way in t. Loudness follows
    velocity (raised towards the maximum by pressure) over 40 dB, and falls to −80 dB when the key is released. The first
    note does not glide, for there is none before it.
    """

    performance = Inlet(signal=Signal.NOTES, doc="The notes, from MIDI or a trained data set")
    glide = Control(unit="s", low=0.0, high=5.0, default=0.0, law=Law.CURVED, doc="Time to slide from one note to the next")
    bend_range = Control(unit="st", low=0.0, high=24.0, default=2.0, doc="Semitones that the pitch wheel bends")
    transpose = Control(unit="st", low=-36.0, high=36.0, default=0.0, doc="Semitones added to every note")
    tune = Control(unit="ct", low=-100.0, high=100.0, default=0.0, doc="Cents added to every note")
    f0 = Outlet(signal=Signal.CONTROL, unit="Hz", doc="Fundamental frequency, with bend and glide")
    gate = Outlet(signal=Signal.CONTROL, doc="1 while the key is held")
    trigger = Outlet(signal=Signal.CONTROL, doc="1 in the hop in which a note starts")
    velocity = Outlet(signal=Signal.CONTROL, doc="How hard the key was struck, 0..1")
    pressure = Outlet(signal=Signal.CONTROL, doc="Aftertouch, 0..1")
    mod = Outlet(signal=Signal.CONTROL, doc="Modulation wheel, 0..1")
    loudness = Outlet(signal=Signal.CONTROL, unit="dB", doc="Loudness that velocity and pressure ask for")

    class Memory(NamedTuple):
        """`note`: the gliding note number, -1 before the first note. `loudness`: dB. Both [batch]."""

        note: Tensor
        loudness: Tensor

    def memory(self, batch: int) -> Memory:
        """No note yet, and silence."""
        return self.Memory(tf.fill([batch], -1.0), tf.fill([batch], SILENCE_DB))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Glide, bend and tune the notes."""
        played = x.performance
        hop_s = HOP / self.sample_rate
        slide = 0.05 ** (hop_s / tf.maximum(x.glide[:, 1:, 0], 1e-4))
        slide = tf.broadcast_to(slide, played.shape[:2])
        effort = played[..., VELOCITY] + played[..., PRESSURE] * (1.0 - played[..., VELOCITY])
        held = played[..., GATE] > 0.5
        goal = tf.where(held, _LOUDNESS_RANGE_DB * (effort - 1.0), SILENCE_DB)
        pace = tf.where(held, 1.0 - 0.05 ** (hop_s / 0.01), 1.0 - 0.05 ** (hop_s / 0.2))

        target = played[..., NOTE]
        # a voice that has never been played has a number all the same, from which nothing may glide
        sounds = tf.maximum(played[..., GATE], played[..., TRIGGER])
        begun = decaying_max(tf.cast(sounds > 0.5, tf.float32), 1.0, tf.cast(memory.note >= 0.0, tf.float32))
        before = tf.concat([tf.cast(memory.note >= 0.0, tf.float32)[:, None], begun[:, :-1]], axis=1)
        keep = tf.stack([slide * before, 1.0 - pace])
        drive = (1.0 - keep) * tf.stack([target, goal])
        note, loudness = tf.unstack(one_pole_frames(keep, drive, tf.stack([memory.note, memory.loudness])))
        bend = played[..., BEND] * x.bend_range[:, 1:, 0]
        pitch = note + bend + x.transpose[:, 1:, 0] + 0.01 * x.tune[:, 1:, 0]
        # float64, because compilers round the last bit of float32 differently, and over seconds that bit is heard as phase
        f0_hz = 440.0 * 2.0 ** ((tf.cast(pitch, tf.float64) - 69.0) / 12.0)
        outputs = {
            "f0": tf.cast(f0_hz, tf.float32)[..., None],
            "gate": played[..., GATE : GATE + 1],
            "trigger": played[..., TRIGGER : TRIGGER + 1],
            "velocity": played[..., VELOCITY : VELOCITY + 1],
            "pressure": played[..., PRESSURE : PRESSURE + 1],
            "mod": played[..., MOD : MOD + 1],
            "loudness": loudness[..., None],
        }
        return outputs, self.Memory(tf.where(begun[:, -1] > 0.0, note[:, -1], -1.0), loudness[:, -1])
