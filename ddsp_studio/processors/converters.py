"""Between the units of control signals, so that any of them can drive any other."""

from __future__ import annotations

from typing import Any

from ddsp_studio.dsp.scaling import amplitude_to_db, db_to_amplitude, hz_to_midi, midi_to_hz
from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.declare import Control, Law, Outlet, Signal

_LOWEST_HZ, _HIGHEST_HZ = 8.0, 16000.0
_RANGE_DB = 100.0


class HzToNote(Processor, version=1, category="Control"):
    """Frequency to MIDI note number, in semitones: 440 Hz is 69."""

    f0 = Control(unit="Hz", low=_LOWEST_HZ, high=_HIGHEST_HZ, default=440.0, law=Law.OCTAVES, doc="The frequency")
    out = Outlet(signal=Signal.CONTROL, unit="st", doc="The note number")

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        """Twelve times the octaves from A4, plus 69."""
        return {"out": hz_to_midi(x.f0[:, 1:])}, memory


class NoteToHz(Processor, version=1, category="Control"):
    """MIDI note number, in semitones, to frequency: 69 is 440 Hz."""

    note = Control(unit="st", low=0.0, high=127.0, default=69.0, doc="The note number, fractions too")
    out = Outlet(signal=Signal.CONTROL, unit="Hz", doc="The frequency")

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        """Two to the octaves from A4, times 440 Hz; in float64 for the reason given at Voice."""
        return {"out": tf.cast(midi_to_hz(tf.cast(x.note[:, 1:], tf.float64)), tf.float32)}, memory


class KeyTrack(Processor, version=1, category="Control"):
    """A plain number that follows the pitch: brighter, shorter or further to the right the higher you play."""

    f0 = Control(unit="Hz", low=_LOWEST_HZ, high=_HIGHEST_HZ, default=261.6256, law=Law.OCTAVES, doc="The frequency")
    centre = Control(unit="Hz", low=_LOWEST_HZ, high=_HIGHEST_HZ, default=261.6256, law=Law.OCTAVES, doc="Where the number is 0")
    slope = Control(unit="", low=-1.0, high=1.0, default=0.2, doc="How far it rises in an octave")
    out = Outlet(signal=Signal.CONTROL, doc="The number")

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        """Slope times the octaves from the centre."""
        octaves = (hz_to_midi(x.f0[:, 1:]) - hz_to_midi(x.centre[:, 1:])) * (1.0 / 12.0)
        return {"out": x.slope[:, 1:] * octaves}, memory


class DbToAmplitude(Processor, version=1, category="Control"):
    """Level in dB to amplitude: 0 dB is 1, −6 dB about a half."""

    level = Control(unit="dB", low=-_RANGE_DB, high=12.0, default=0.0, doc="The level")
    out = Outlet(signal=Signal.CONTROL, doc="The amplitude")

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        """Ten to the twentieth of the level."""
        return {"out": db_to_amplitude(x.level[:, 1:])}, memory


class AmplitudeToDb(Processor, version=1, category="Control"):
    """Amplitude to level in dB, −100 dB at the least."""

    amplitude = Control(unit="", low=0.0, high=1.0, default=1.0, doc="The amplitude")
    out = Outlet(signal=Signal.CONTROL, unit="dB", doc="The level")

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        """Twenty times the logarithm."""
        return {"out": amplitude_to_db(x.amplitude[:, 1:], range_db=_RANGE_DB)}, memory


class ToBipolar(Processor, version=1, category="Control"):
    """Stretch 0..1 to -1..1."""

    input = Control(unit="", low=0.0, high=1.0, default=0.5, doc="The signal, 0..1")
    out = Outlet(signal=Signal.CONTROL, doc="-1..1")

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        """Twice, less one."""
        return {"out": 2.0 * x.input[:, 1:] - 1.0}, memory


class ToUnipolar(Processor, version=1, category="Control"):
    """Squeeze -1..1 to 0..1."""

    input = Control(unit="", low=-1.0, high=1.0, default=0.0, doc="The signal, -1..1")
    out = Outlet(signal=Signal.CONTROL, doc="0..1")

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Tensor], Any]:
        """Half of it, plus a half."""
        return {"out": 0.5 * x.input[:, 1:] + 0.5}, memory
