"""The voice allocator: time-stamped MIDI to performance frames [voices, frames, 7] (see `processors/performance.py`).

An event acts in the frame of the hop that contains its sample, so frames do not depend on how time is cut into blocks.
A key that is pressed and let go within one hop still sounds: its release waits for the next frame.

Thread rule: not thread safe. The thread that renders owns the allocator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ddsp_studio.audio import keys as midi
from ddsp_studio.audio.events import HOP, Midi
from ddsp_studio.processors.performance import BEND, CHANNELS, GATE, MOD, NOTE, PRESSURE, TRIGGER, VELOCITY

MODES = ("poly", "mono", "legato")
MAX_VOICES = 64
DEFAULT_VOICES = 8
"""Live and offline alike: how many there are decides where each stands on the stage, and which one a key is given."""

_KeyName = tuple[int, int]


@dataclass(slots=True)
class _Key:
    """A key that sounds: held by the finger (`down`), by sostenuto (`latched`) or by the sustain pedal."""

    velocity: int
    voice: int
    order: int
    down: bool = True
    latched: bool = False


class VoiceAllocator:
    """Gives keys to voices.

    poly: a key takes the voice that it had, else one never used, else the longest released, else it steals the oldest
    held voice, sparing the lowest and the newest note while there is another. mono and legato: one voice plays the last
    key, and returns to the key held before; mono triggers at every change, legato only after silence.
    """

    def __init__(self, voices: int, mode: str = "poly") -> None:
        """Make an allocator of 1 to 64 voices.

        Raises:
            ValueError: the voice count or the mode is none.
        """
        if not 1 <= voices <= MAX_VOICES:
            raise ValueError(f"voices are 1 to {MAX_VOICES}, got {voices}")
        if mode not in MODES:
            raise ValueError(f"the voice mode is one of {', '.join(MODES)}, got {mode!r}")
        self.voices, self.mode = voices, mode
        self.controllers = midi.Controllers()
        self._row: npt.NDArray[np.float32] = np.zeros((voices, len(CHANNELS)), np.float32)
        self._row[:, NOTE] = 60.0
        self._poly_pressure: npt.NDArray[np.float32] = np.zeros(voices, np.float32)
        self._channel = np.zeros(voices, np.intp)
        self._last: list[_KeyName | None] = [None] * voices
        self._released = list(range(-voices, 0))  # order of each voice's release; voices never used come first
        self._keys: dict[_KeyName, _Key] = {}
        self._late_releases: list[tuple[_KeyName, int]] = []
        self._order = 0

    # -- what the rest of the program asks --------------------------------------------------------------------------------

    @property
    def sounding(self) -> int:
        """Voices whose gate is open."""
        return int(np.count_nonzero(self._row[:, GATE]))

    def velocities(self) -> npt.NDArray[np.uint8]:
        """Velocity of every MIDI note that sounds, 0 for the others: [128]."""
        shown = np.zeros(128, np.uint8)
        for (_, note), key in self._keys.items():
            shown[note] = key.velocity
        return shown

    def resized(self, voices: int, mode: str, *, fading: bool = False) -> VoiceAllocator:
        """A new allocator with the same controllers, in which the keys that are held start anew, on its first voices.

        With `fading` as many other voices stay where they were let go: for a player that goes on, as their sound fades still.
        """
        fresh = VoiceAllocator(voices, mode)
        fresh.controllers = self.controllers
        if fading and voices == self.voices:
            fresh._row[:], fresh._channel[:], fresh._poly_pressure[:] = self._row, self._channel, self._poly_pressure
            fresh._row[:, (GATE, TRIGGER)] = 0.0
        for name, key in list(self._keys.items()):
            fresh._note_on(*name, key.velocity)
            fresh._keys[name].down, fresh._keys[name].latched = key.down, key.latched
        return fresh

    def silence(self) -> None:
        """Let all keys and pedals go and centre all wheels, now."""
        self._keys.clear()
        self._late_releases.clear()
        for channel in range(midi.CHANNELS):
            self.controllers.reset(channel)
        self._row[:, (GATE, TRIGGER)] = 0.0
        self._poly_pressure[:] = 0.0

    # -- frames -----------------------------------------------------------------------------------------------------------

    def frames(self, events: Sequence[Midi], first_hop: int, hops: int) -> npt.NDArray[np.float32]:
        """Performance frames [voices, hops, 7] of the hops from `first_hop` on.

        `events` are those due before the end of the block, by time; events of hops before the first act in the first.
        """
        out = np.empty((self.voices, hops, len(CHANNELS)), np.float32)
        index, frame = 0, 0
        while frame < hops:
            self._begin_frame()
            while index < len(events) and events[index].sample // HOP <= first_hop + frame:
                self._apply(events[index])
                index += 1
            self._write_controllers()
            stop = hops if index == len(events) else min(hops, events[index].sample // HOP - first_hop)
            if self._late_releases or self._row[:, TRIGGER].any():
                stop = frame + 1
            out[:, frame:stop] = self._row[:, None]
            frame = stop
        return out

    def _begin_frame(self) -> None:
        self._row[:, TRIGGER] = 0.0
        releases, self._late_releases = self._late_releases, []
        for name, order in releases:
            key = self._keys.get(name)
            if key is not None and key.order == order and not self._is_held(name, key):
                self._end(name)

    def _write_controllers(self) -> None:
        held = self.controllers
        self._row[:, MOD] = held.mod[self._channel]
        self._row[:, BEND] = held.bend[self._channel]
        self._row[:, PRESSURE] = np.maximum(held.pressure[self._channel], self._poly_pressure)

    # -- messages ---------------------------------------------------------------------------------------------------------

    def _apply(self, event: Midi) -> None:
        data = event.data
        if not midi.is_channel_message(data):
            return
        kind, channel = data[0] & 0xF0, (data[0] & 0x0F) + 16 * event.source
        if kind == midi.NOTE_ON and data[2]:
            self._note_on(channel, data[1], data[2])
        elif kind in (midi.NOTE_ON, midi.NOTE_OFF):
            self._note_off((channel, data[1]))
        elif kind == midi.CONTROL:
            self._control(channel, data[1], data[2])
        elif kind == midi.BEND:
            self.controllers.set_bend(channel, data[1], data[2])
        elif kind == midi.CHANNEL_PRESSURE:
            self.controllers.pressure[channel] = data[1] / 127.0
        elif key := self._keys.get((channel, data[1])):
            self._poly_pressure[key.voice] = data[2] / 127.0

    def _control(self, channel: int, number: int, value: int) -> None:
        if number == midi.CC_MOD:
            self.controllers.mod[channel] = value / 127.0
        elif number == midi.CC_SUSTAIN:
            self.controllers.sustain[channel] = value >= 64
            self._let_go(channel)
        elif number == midi.CC_SOSTENUTO:
            for name, key in self._keys.items():
                if name[0] == channel:
                    key.latched = value >= 64 and (key.latched or key.down)
            self._let_go(channel)
        elif number == midi.CC_RESET:
            self.controllers.reset(channel)
            for name, key in self._keys.items():
                if name[0] == channel:
                    key.latched = False
                    self._poly_pressure[key.voice] = 0.0
            self._let_go(channel)
        elif number == midi.CC_SOUND_OFF or number >= midi.CC_NOTES_OFF:
            if number == midi.CC_SOUND_OFF:
                self.controllers.sustain[channel] = False
            for name, key in self._keys.items():
                if name[0] == channel:
                    key.down = False
                    key.latched = key.latched and number != midi.CC_SOUND_OFF
            self._let_go(channel)

    def _let_go(self, channel: int) -> None:
        """Release every key of a channel that nothing holds any more; the oldest first, so that mono does not walk back."""
        names = [name for name, key in self._keys.items() if name[0] == channel and not self._is_held(name, key)]
        for name in names:
            self._release(name)

    def _is_held(self, name: _KeyName, key: _Key) -> bool:
        return key.down or key.latched or self.controllers.sustain[name[0]]

    # -- keys and voices --------------------------------------------------------------------------------------------------

    def _note_on(self, channel: int, note: int, velocity: int) -> None:
        name = (channel, note)
        silent = not self._keys
        known = self._keys.pop(name, None)
        voice = 0 if self.mode != "poly" else known.voice if known else self._choose(name)
        self._order += 1
        self._keys[name] = _Key(velocity, voice, self._order, latched=bool(known and known.latched))
        self._start(name, trigger=self.mode != "legato" or silent)

    def _start(self, name: _KeyName, *, trigger: bool) -> None:
        """Let a key's voice play it from this frame on."""
        key = self._keys[name]
        self._last[key.voice], self._channel[key.voice] = name, name[0]
        row = self._row[key.voice]
        row[NOTE], row[GATE] = name[1], 1.0
        if trigger:
            row[TRIGGER], row[VELOCITY] = 1.0, key.velocity / 127.0
            self._poly_pressure[key.voice] = 0.0

    def _note_off(self, name: _KeyName) -> None:
        key = self._keys.get(name)
        if key is not None:
            key.down = False
            if not self._is_held(name, key):
                self._release(name)

    def _release(self, name: _KeyName) -> None:
        key = self._keys[name]
        if self._last[key.voice] == name and self._row[key.voice, TRIGGER]:
            self._late_releases.append((name, key.order))
        else:
            self._end(name)

    def _end(self, name: _KeyName) -> None:
        key = self._keys.pop(name)
        if self.mode != "poly" and self._keys:
            back = next(reversed(self._keys))
            if self._last[0] == name:
                self._start(back, trigger=self.mode == "mono")
            return
        self._row[key.voice, GATE] = 0.0
        self._order += 1
        self._released[key.voice] = self._order

    def _choose(self, name: _KeyName) -> int:
        """The voice for a new key; a voice that is stolen loses its key here."""
        taken = {key.voice: held for held, key in self._keys.items()}
        free = [voice for voice in range(self.voices) if voice not in taken]
        if free:
            same = [voice for voice in free if self._last[voice] == name]
            return max(same, key=self._released.__getitem__) if same else min(free, key=self._released.__getitem__)
        lowest = min(taken, key=lambda voice: taken[voice][1])
        newest = max(taken, key=lambda voice: self._keys[taken[voice]].order)
        pool = set(taken) - {lowest, newest} or set(taken) - {lowest} or {lowest}
        stolen = min(pool, key=lambda voice: (self._keys[taken[voice]].down, self._keys[taken[voice]].order))
        del self._keys[taken[stolen]]
        return stolen
