"""What is played, when the beat falls, and what comes in, as frames: names and order of their channels."""

from __future__ import annotations

from ddsp_studio.processors.declare import Signal

CHANNELS = ("note", "gate", "trigger", "velocity", "pressure", "mod", "bend")
"""Channels of a performance tensor [voices, frames, 7], float32.

note: MIDI number, fractional, held after release. gate: 1 while the key (or the sustain pedal) holds it. trigger: 1 in the
frame in which a note starts anew (legato moves change `note` only). velocity, pressure, mod: 0..1. bend: -1..1.
"""

NOTE, GATE, TRIGGER, VELOCITY, PRESSURE, MOD, BEND = range(len(CHANNELS))

CLOCK = ("beat", "tempo", "running")
"""Channels of a clock tensor [1 or batch, frames, 3], float64.

beat: position at the hop's end in quarter notes. tempo: beats a minute. running: 1 while the transport plays, 0 while the clock
runs by itself.
"""

BEAT, TEMPO, RUNNING = range(len(CLOCK))
BPM = 120.0
"""Tempo where nothing gives another."""

INPUT_WIDTH = 2 * 64
"""Channels of the audio input as frames [1 or batch, frames, 128], float32: the left samples of the hop, then the right ones."""

WIDTHS = {Signal.NOTES: len(CHANNELS), Signal.CLOCK: len(CLOCK), Signal.INPUT: INPUT_WIDTH}
"""Channels of what is given to inlets that need no cable."""
