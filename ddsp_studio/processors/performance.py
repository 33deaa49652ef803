"""What is played, and when the beat falls, as frames: names and order of the channels that the sequencer writes."""

from __future__ import annotations

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
