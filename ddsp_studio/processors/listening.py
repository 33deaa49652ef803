"""Listening: the audio input, and what can be told of a sound as control signals: pitch, loudness, and how sure they are."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from ddsp_studio.dsp import pitch
from ddsp_studio.dsp.loudness import FLOOR_DB, LoudnessState, loudness_start, loudness_stream, window_size
from ddsp_studio.dsp.pitch_layout import F0Settings, layout
from ddsp_studio.dsp.ramps import ramp
from ddsp_studio.dsp.scaling import db_to_amplitude
from ddsp_studio.dsp.tensor import HOP, Tensor, tf
from ddsp_studio.processors import networks_clock
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Control, Inlet, Option, Outlet, Signal
from ddsp_studio.processors.expression import audible
from ddsp_studio.processors.networks_clock import Clock

PERIOD_S = 0.004
"""Time between two readings of the pitch, to the nearest whole hop."""
UNKNOWN_HZ = 220.0
"""Pitch before any was heard."""


class AudioInput(Processor, version=1, category="Source"):
    """The sound that comes in: from the audio interface live, from a file when rendering, and in training from the recordings."""

    input = Inlet(signal=Signal.INPUT, doc="What comes in; it needs no cable")
    gain = Control(unit="dB", low=-48.0, high=48.0, default=0.0, doc="Level that the sound is brought to")
    audio = Outlet(doc="Left and right in the middle")
    left = Outlet(doc="The first channel of the input; the only one where it has one")
    right = Outlet(doc="The second channel of the input")

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        """Scale what comes in."""
        batch, hops = int(x.input.shape[0]), int(x.input.shape[1])
        level = ramp(db_to_amplitude(x.gain))
        left, right = (tf.reshape(part, [batch, hops * HOP]) * level for part in tf.split(x.input, 2, axis=2))
        return {"audio": 0.5 * (left + right), "left": left, "right": right}, memory


class Loudness(Processor, version=1, category="Control"):
    """How loud a sound is to the ear: its A-weighted level (IEC 61672-1) under a squared Hann window.

    A sine of amplitude 1 at 1 kHz reads −3 dB at every sample rate. The window ends with the newest sample: what it says
    describes the sound half a window earlier.
    """

    window = Option(default=32.0, low=4.0, high=400.0, unit="ms", doc="Length of the window, to the nearest two hops")
    input = Inlet(doc="The sound")
    gain = Control(unit="dB", low=-48.0, high=48.0, default=0.0, doc="Added to what is measured")
    loudness = Outlet(signal=Signal.CONTROL, unit="dB", doc="Loudness, −100 dB in silence")

    def memory(self, batch: int) -> LoudnessState:
        """Silence."""
        return loudness_start(batch, window_size(self.sample_rate, float(self.options["window"]) / 1e3))

    def render(self, memory: LoudnessState, x: Any) -> tuple[dict[str, Tensor], LoudnessState]:
        """Measure every hop."""
        read, memory = loudness_stream(_rows(x.input, memory.weighting), memory, self.sample_rate)
        return {"loudness": read[..., None] + x.gain[:, 1:]}, memory


def _rows(audio: Tensor, like: Tensor) -> Tensor:
    return tf.broadcast_to(audio, [like.shape[0], audio.shape[1]])


class PitchTracker(Processor, version=1, category="Control"):
    """Hears what a solo instrument or a voice plays: its pitch and loudness, at the same moment, for whatever plays along.

    Peaks of the window-normalised autocorrelation (Boersma 1993), joined by the cheapest path; `delay` is the time that the path
    may think. Readings come every 4 ms (in whole hops) and ramp. They lag behind the sound by half a window, which is one and a
    half periods of the lowest pitch, by the delay, and by a reading: 53 ms at the defaults, 37 ms with a lowest pitch of 160 Hz.
    Through a pause the pitch holds.
    """

    lowest = Option(default=60.0, low=20.0, high=1000.0, unit="Hz", doc="Lowest pitch heard; a higher one is heard sooner")
    highest = Option(default=2500.0, low=100.0, high=5000.0, unit="Hz", doc="Highest pitch heard")
    delay = Option(default=24.0, low=0.0, high=200.0, unit="ms", doc="How long it may think again; less is sooner, and less sure")
    input = Inlet(doc="The sound of one instrument or voice")
    transpose = Control(unit="st", low=-36.0, high=36.0, default=0.0, doc="Semitones added to the pitch")
    gain = Control(unit="dB", low=-48.0, high=48.0, default=0.0, doc="Added to the loudness, to meet the instrument that plays")
    threshold = Control(unit="dB", low=-100.0, high=0.0, default=-65.0, doc="Loudness up to which the level outlet stays at 0")
    f0 = Outlet(signal=Signal.CONTROL, unit="Hz", doc="Fundamental frequency; the last one where there is none")
    loudness = Outlet(signal=Signal.CONTROL, unit="dB", doc="Loudness at the same moment, A-weighted, with the gain")
    confidence = Outlet(signal=Signal.CONTROL, doc="How periodic the sound is, 0..1; 0 where it has no pitch")
    level = Outlet(signal=Signal.CONTROL, doc="0 below the threshold, 1 from 12 dB above it: for a Gain or an envelope's gate")

    class Memory(NamedTuple):
        """What was heard.

        `raw`: sound under the next decimating filter, [batch, samples]. `low`: decimated sound, [batch, frames, step]. `number`
        of the next frame, up to 0, [batch] int32. `path` so far. `clock`: place in the frame. `meter` and `readings`
        [batch, hops]: loudness on its way.
        """

        raw: Tensor
        low: Tensor
        number: Tensor
        path: pitch.PathState
        clock: Clock
        meter: LoudnessState
        readings: Tensor

    def prepare(self) -> None:
        """Work out the tracker's numbers.

        A frame is heard `_ahead` hops after the one that its middle is in, and is said in full `_late` hops after its middle.
        """
        self._frame = networks_clock.period_hops(PERIOD_S, self.sample_rate)
        try:
            self._settings = F0Settings(low_hz=float(self.options["lowest"]), high_hz=float(self.options["highest"]))
        except ValueError as problem:
            raise ValueError(f"PitchTracker: {problem}") from problem
        self._plan = layout(round(self.sample_rate), self._settings, self._frame * HOP)
        self._lag = round(float(self.options["delay"]) / 1e3 * self.sample_rate / (self._frame * HOP))
        self._ahead = math.ceil((self._plan.half + 1) / HOP) - 1
        self._late = self._ahead + self._frame * (1 + self._lag)
        self._decimation = pitch.decimation(self._plan)
        self._window = window_size(self.sample_rate)
        self._wait = max(0, self._late - self._window // (2 * HOP))

    @property
    def latency(self) -> int:
        """Samples by which what is said lags behind the sound."""
        return max(self._late * HOP, self._window // 2)

    def memory(self, batch: int) -> Memory:
        """Silence."""
        plan, said = self._plan, tf.constant([[UNKNOWN_HZ, 0.0]] * batch)
        return self.Memory(
            raw=tf.zeros([batch, self._slack + pitch.raw_length(plan)]),
            low=tf.zeros([batch, -(-(len(plan.window) - plan.step) // plan.step), plan.step]),
            number=tf.fill([batch], -(self._ahead // self._frame)),
            path=pitch.path_start(batch, self._settings, self._lag, UNKNOWN_HZ),
            clock=Clock(tf.fill([batch], -self._ahead % self._frame), tf.ones([batch]), said, said),
            meter=loudness_start(batch, self._window),
            readings=tf.fill([batch, self._wait], FLOOR_DB),
        )

    @property
    def _slack(self) -> int:
        """Samples of the newest hop that a frame does not need yet."""
        return (self._ahead + 1) * HOP - self._plan.half - 1

    def render(self, memory: Memory, x: Any) -> tuple[dict[str, Tensor], Memory]:
        """Hear the frames that are due, and say them in time with the loudness."""
        audio = _rows(x.input, memory.raw)
        hops = int(audio.shape[1]) // HOP
        frames = networks_clock.frames_of(memory.clock, hops, self._frame)
        raw, low, windows = self._listen(audio, memory, frames)
        due = tf.range(int(windows.shape[1]))[None]
        heard = tf.logical_and(due < frames.count[:, None], memory.number[:, None] + due >= 0)
        found = pitch.candidates(windows, self._plan)
        said, path = pitch.follow(
            memory.path, found, tf.cast(heard, tf.float32), self._settings, self._frame * HOP / self.sample_rate
        )
        spoken, clock = networks_clock.speak(said, memory.clock, frames, hops, self._frame)
        read, meter = loudness_stream(audio, memory.meter, self.sample_rate)
        line = tf.concat([memory.readings, read], axis=1)
        loudness = line[:, :hops, None] + x.gain[:, 1:]
        outputs = {
            "f0": spoken[..., :1] * 2.0 ** (x.transpose[:, 1:] / 12.0),
            "loudness": loudness,
            "confidence": spoken[..., 1:],
            "level": audible(loudness, x.threshold[:, 1:]),
        }
        number = tf.minimum(memory.number + frames.count, 0)
        return outputs, self.Memory(raw, low, number, path, clock, meter, line[:, hops:])

    def _listen(self, audio: Tensor, memory: Memory, frames: networks_clock.Frames) -> tuple[Tensor, Tensor, Tensor]:
        """Sound to keep, decimated sound to keep, and the decimated windows of the frames, [batch, frames, window]."""
        plan, batch = self._plan, int(audio.shape[0])
        line = tf.concat([memory.raw, audio], axis=1)
        length, kept = pitch.raw_length(plan), int(memory.raw.shape[1])
        last_hop = tf.minimum(frames.starts, int(audio.shape[1]) // HOP - 1)
        first = kept + (last_hop + 1) * HOP - self._slack - length
        newest = tf.gather(line, first[..., None] + tf.range(length), axis=1, batch_dims=1)
        decimated = tf.reshape(tf.matmul(tf.reshape(newest, [-1, length]), self._decimation), [batch, -1, plan.step])
        joined = tf.reshape(tf.concat([memory.low, decimated], axis=1), [batch, -1])
        begin = (int(memory.low.shape[1]) + 1) * plan.step - len(plan.window)
        windows = tf.signal.frame(joined[:, begin:], len(plan.window), plan.step)
        return line[:, line.shape[1] - kept :], networks_clock.slide(memory.low, decimated, frames, self._frame), windows
