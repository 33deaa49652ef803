"""What is played, as control frames: the names and order of the channels that a voice allocator writes."""

from __future__ import annotations

CHANNELS = ("note", "gate", "trigger", "velocity", "pressure", "mod", "bend")
"""Channels of a performance tensor [voices, frames, 7], float32.

note: MIDI number, fractional, held after release. gate: 1 while the key (or the sustain pedal) holds it. trigger: 1 in the
frame in which a note starts anew (legato moves change `note` only). velocity, pressure, mod: 0..1. bend: -1..1.
"""

NOTE, GATE, TRIGGER, VELOCITY, PRESSURE, MOD, BEND = range(len(CHANNELS))
