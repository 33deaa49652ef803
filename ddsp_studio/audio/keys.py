"""MIDI channel state: pedals, wheels and pressure of every channel, decoded from raw messages.

Thread rule: owned by the voice allocator, used on its thread only.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

CHANNELS = 32
"""Sixteen channels for each source of events (`events.LIVE`, `events.SONG`)."""

NOTE_OFF, NOTE_ON, POLY_PRESSURE, CONTROL, CHANNEL_PRESSURE, BEND = 0x80, 0x90, 0xA0, 0xB0, 0xD0, 0xE0
CC_MOD, CC_SUSTAIN, CC_SOSTENUTO, CC_SOUND_OFF, CC_RESET, CC_NOTES_OFF = 1, 64, 66, 120, 121, 123
DATA_BYTES = {NOTE_OFF: 2, NOTE_ON: 2, POLY_PRESSURE: 2, CONTROL: 2, CHANNEL_PRESSURE: 1, BEND: 2}
"""How many data bytes follow each kind of status byte that the instrument understands."""


def is_channel_message(data: bytes) -> bool:
    """Whether these are the bytes of one complete message that the instrument understands."""
    return bool(data) and len(data) == 1 + DATA_BYTES.get(data[0] & 0xF0, -1) and all(byte < 128 for byte in data[1:])


class Controllers:
    """Wheels, pressure and pedals of all channels. `mod` and `pressure` are 0..1, `bend` is -1..1."""

    def __init__(self) -> None:
        self.mod: npt.NDArray[np.float32] = np.zeros(CHANNELS, np.float32)
        self.pressure: npt.NDArray[np.float32] = np.zeros(CHANNELS, np.float32)
        self.bend: npt.NDArray[np.float32] = np.zeros(CHANNELS, np.float32)
        self.sustain = [False] * CHANNELS

    def set_bend(self, channel: int, low: int, high: int) -> None:
        """Take a pitch wheel message's two data bytes; the middle is 0 and both ends are reached."""
        step = low + 128 * high - 8192
        self.bend[channel] = step / (8191.0 if step > 0 else 8192.0)

    def reset(self, channel: int) -> None:
        """Reset all controllers of a channel (CC 121)."""
        self.mod[channel] = self.pressure[channel] = self.bend[channel] = 0.0
        self.sustain[channel] = False

    def messages(self) -> list[tuple[int, bytes]]:
        """The (channel, bytes) that bring fresh controllers to this state."""
        found: list[tuple[int, bytes]] = []
        for channel in range(CHANNELS):
            low = channel % 16
            if self.mod[channel]:
                found.append((channel, bytes((CONTROL | low, CC_MOD, round(float(self.mod[channel]) * 127)))))
            if self.pressure[channel]:
                found.append((channel, bytes((CHANNEL_PRESSURE | low, round(float(self.pressure[channel]) * 127)))))
            if bend := float(self.bend[channel]):
                step = round(bend * (8191.0 if bend > 0 else 8192.0)) + 8192
                found.append((channel, bytes((BEND | low, step & 127, step >> 7))))
            if self.sustain[channel]:
                found.append((channel, bytes((CONTROL | low, CC_SUSTAIN, 127))))
        return found
