"""Effects."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from ddsp_studio.dsp.delay import read
from ddsp_studio.dsp.ramps import ramp
from ddsp_studio.dsp.recurrence import one_pole, one_pole_frames, scan_chunks
from ddsp_studio.dsp.sine import crossfade
from ddsp_studio.dsp.tensor import HOP, Tensor, tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Control, Inlet, Law, Option, Outlet, Signal
from ddsp_studio.processors.divisions import DIVISIONS, FREE, SYNC
from ddsp_studio.processors.performance import BPM, TEMPO

_SHORTEST_S = 0.02
_GLIDE_S = 0.15


class Gain(Processor, version=1, category="Effect"):
    """Level in dB, times a level from 0 to 1 that an envelope drives."""

    input = Inlet(doc="The sound")
    gain = Control(unit="dB", low=-60.0, high=24.0, default=0.0, doc="Gain")
    level = Control(unit="", low=0.0, high=1.0, default=1.0, doc="Amplitude, for an envelope")
    audio = Outlet(doc="The sound, louder or softer")

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        """Multiply."""
        amplitude = x.level * tf.pow(10.0, x.gain / 20.0)
        return {"audio": x.input * ramp(amplitude)}, memory


class Delay(Processor, version=2, category="Effect"):
    """Echo with feedback, damped in the loop like a tape: each repeat is darker.

    A new time is reached by gliding, as a tape head would. The line is read between samples by Lagrange interpolation (Laakso
    et al., "Splitting the Unit Delay", 1996). With the transport's clock the time is a note value at its tempo, as far as the
    line is long enough.
    """

    sync = Option(default=FREE, choices=SYNC, doc="Time as a note value of the clock (D is dotted, T a triplet), or free")
    longest = Option(default=1.0, low=0.1, high=4.0, unit="s", doc="Length of the delay line")
    input = Inlet(doc="The sound")
    clock = Inlet(signal=Signal.CLOCK, doc="The transport's clock")
    time = Control(unit="s", low=_SHORTEST_S, high=4.0, default=0.35, law=Law.OCTAVES, doc="Time between repeats, when free")
    feedback = Control(unit="", low=0.0, high=0.98, default=0.4, doc="Level of each repeat against the one before")
    tone = Control(unit="Hz", low=200.0, high=20000.0, default=5000.0, law=Law.OCTAVES, doc="Damping in the loop")
    mix = Control(unit="", low=0.0, high=1.0, default=0.3, doc="Dry to wet, at constant power")
    audio = Outlet(doc="The sound with its echoes")

    class Memory(NamedTuple):
        """`line`: past input of the loop, [batch, length]. `damped`: last sample in it, `time`: s, float64; [batch] both."""

        line: Tensor
        damped: Tensor
        time: Tensor

    def prepare(self) -> None:
        """Size the line, and the chunk within which no echo of its own can return."""
        self._beats = DIVISIONS.get(self.options["sync"])
        self._length = math.ceil(float(self.options["longest"]) * self.sample_rate) + 8
        self._chunk_hops = max(1, int(_SHORTEST_S * self.sample_rate - 4) // HOP)
        if _SHORTEST_S * self.sample_rate < HOP + 4:
            raise ValueError(f"Delay works at sample rates from {(HOP + 4) / _SHORTEST_S:g} Hz, got {self.sample_rate:g} Hz")

    def tail_s(self, values: Mapping[str, tuple[float, ...]]) -> float:
        """Repeats until −60 dB; a note value counts at 120 bpm."""
        feedback = max(values["feedback"][0], 1e-3)
        time_s = values["time"][0] if self._beats is None else self._beats * 60.0 / BPM
        return min(time_s, float(self.options["longest"])) * math.ceil(1.0 + math.log(1e-3) / math.log(feedback))

    def memory(self, batch: int) -> Memory:
        """Silence, and no time yet."""
        return self.Memory(tf.zeros([batch, self._length]), tf.zeros([batch]), tf.fill([batch], tf.constant(-1.0, tf.float64)))

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Go round the loop in chunks shorter than the shortest echo."""
        batch, length = int(memory.damped.shape[0]), int(x.input.shape[1])
        dry = tf.broadcast_to(x.input, [batch, length])
        # in float64: rounding a time of a second to float32 would move the read by a hundredth of a sample
        wanted = tf.cast(x.time[:, 1:, 0], tf.float64) if self._beats is None else self._note_s(x.clock[..., TEMPO])
        wanted = tf.broadcast_to(tf.minimum(wanted, float(self.options["longest"])), [batch, length // HOP])
        keep = math.exp(-HOP / (_GLIDE_S * self.sample_rate))
        first = tf.where(memory.time < 0.0, wanted[:, 0], memory.time)
        times = one_pole_frames(tf.fill(wanted.shape, tf.constant(keep, tf.float64)), (1.0 - keep) * wanted, first)
        frames = tf.concat([first[:, None], times], axis=1)[..., None]
        delay = ramp(frames) * self.sample_rate
        pole = tf.exp(-2.0 * math.pi * tf.minimum(ramp(x.tone) / self.sample_rate, 0.49))
        inputs = [tf.broadcast_to(part, [batch, length]) for part in (dry, delay, pole, ramp(x.feedback))]
        size = self._chunk_hops * HOP
        state, outs, begin = (memory.line, memory.damped), [], 0
        for count, part in ((length // size, size), (1, length % size)):
            if count and part:
                pieces = [tf.reshape(i[:, begin : begin + count * part], [batch, count, part]) for i in inputs]
                out, state = scan_chunks(self._round, state, tuple(pieces))
                outs.append(tf.reshape(out, [batch, count * part]))
                begin += count * part
        wet = outs[0] if len(outs) == 1 else tf.concat(outs, axis=1)
        return {"audio": crossfade(dry, wet, ramp(x.mix))}, self.Memory(*state, times[:, -1])

    def _note_s(self, tempo: Tensor) -> Tensor:
        """Seconds of the note value at a tempo in bpm (120 where there is none), held to the shortest echo."""
        return tf.maximum((self._beats or 1.0) * 60.0 / tf.where(tempo > 0.0, tempo, BPM), _SHORTEST_S)

    @staticmethod
    def _round(state: tuple[Tensor, Tensor], chunk: tuple[Tensor, ...]) -> tuple[tuple[Tensor, Tensor], Tensor]:
        line, damped = state
        dry, delay, pole, feedback = chunk
        wet = one_pole(pole, (1.0 - pole) * read(line, delay), damped)
        line = tf.concat([line[:, int(dry.shape[1]) :], dry + feedback * wet], axis=1)
        return (line, wet[:, -1]), wet
