"""Who holds which key: several keyboards play one instrument, and any of them may vanish with keys down.

A key that two keyboards press sounds until both have let it go, and likewise a pedal. What a keyboard still holds when its port
closes is let go for it.

Thread rule: everything may be called on any thread; `play` is called inside a lock, so that what is heard has the order of what
was held, and must not block.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from ddsp_studio.audio.keys import (
    BEND,
    CC_NOTES_OFF,
    CC_RESET,
    CC_SOSTENUTO,
    CC_SOUND_OFF,
    CC_SUSTAIN,
    CHANNEL_PRESSURE,
    CONTROL,
    NOTE_OFF,
    NOTE_ON,
)

_PEDALS, _DOWN = (CC_SUSTAIN, CC_SOSTENUTO), 64
_REST = {BEND: bytes((0, 64)), CHANNEL_PRESSURE: bytes((0,))}
"""What springs back by itself when a hand leaves it, and where to."""


class Hands:
    """Passes on the channel messages of all ports as those of one player."""

    def __init__(self, play: Callable[[float, bytes], None]) -> None:
        """`play(seconds, data)` gets what is to be heard, with its `perf_counter` time."""
        self._play, self._lock = play, threading.Lock()
        self._keys: dict[tuple[int, int], set[str]] = {}
        self._pedals: dict[tuple[int, int], dict[str, int]] = {}
        self._bent: dict[tuple[int, int], str] = {}

    def play(self, port: str, seconds: float, data: bytes) -> None:
        """Take a channel message of a port."""
        kind, channel = data[0] & 0xF0, data[0] & 0x0F
        with self._lock:
            if kind in (NOTE_ON, NOTE_OFF):
                heard = self._press(port, (channel, data[1]), down=kind == NOTE_ON and data[2] > 0)
            elif kind == CONTROL:
                heard = self._control(port, channel, data[1], data[2])
            else:
                heard = True
                if kind in _REST:
                    self._bent[kind, channel] = port
            if heard:
                self._play(seconds, data)

    def leave(self, port: str) -> None:
        """Let go of everything that a port holds, for it is no longer there."""
        with self._lock:
            for (channel, note), holders in list(self._keys.items()):
                if port in holders and self._press(port, (channel, note), down=False):
                    self._play(time.perf_counter(), bytes((NOTE_OFF | channel, note, 0)))
            for (channel, number), held in self._pedals.items():
                if held.pop(port, 0) >= _DOWN and max(held.values(), default=0) < _DOWN:
                    self._play(time.perf_counter(), bytes((CONTROL | channel, number, 0)))
            for (kind, channel), last in list(self._bent.items()):
                if last == port:
                    del self._bent[kind, channel]
                    self._play(time.perf_counter(), bytes((kind | channel,)) + _REST[kind])

    def forget(self) -> None:
        """Everything has been silenced: nobody holds anything any more."""
        with self._lock:
            self._keys.clear()
            self._pedals.clear()
            self._bent.clear()

    def _press(self, port: str, key: tuple[int, int], *, down: bool) -> bool:
        """Whether a key that goes down or up is heard: up only if nobody else holds it."""
        if down:
            self._keys.setdefault(key, set()).add(port)
            return True
        holders = self._keys.get(key, set())
        holders.discard(port)
        if not holders:
            self._keys.pop(key, None)
        return not holders

    def _control(self, port: str, channel: int, number: int, value: int) -> bool:
        """Whether a controller is heard: a pedal that goes up only if nobody else's is down."""
        if number in _PEDALS:
            held = self._pedals.setdefault((channel, number), {})
            held[port] = value
            return value >= _DOWN or max(held.values()) < _DOWN
        if number == CC_RESET:
            self._pedals = {name: held for name, held in self._pedals.items() if name[0] != channel}
        elif number == CC_SOUND_OFF or number >= CC_NOTES_OFF:
            self._keys = {name: held for name, held in self._keys.items() if name[0] != channel}
        return True
