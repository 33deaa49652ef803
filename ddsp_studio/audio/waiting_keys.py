"""What hands do while no patch can sound: it is kept, so that keys that are still held sound as soon as one can.

Thread rule: `post` may be called on any thread; `take` by the thread that renders.
"""

from __future__ import annotations

import threading

from ddsp_studio.audio.keys import CC_NOTES_OFF, CONTROL, NOTE_OFF, NOTE_ON, POLY_PRESSURE

_MOST = 4096


class WaitingKeys:
    """Channel messages in their order, without the keys that were let go again and the controllers that moved on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[tuple[int, ...], bytes] = {}

    def post(self, data: bytes) -> None:
        """Keep a channel message."""
        kind, channel = data[0] & 0xF0, data[0] & 0x0F
        with self._lock:
            if kind in (NOTE_ON, NOTE_OFF):
                self._key(kind == NOTE_ON and data[2] > 0, channel, data)
            elif kind in (CONTROL, POLY_PRESSURE):
                if kind == CONTROL and data[1] == CC_NOTES_OFF:
                    self._held = {name: held for name, held in self._held.items() if name[:2] != (NOTE_ON, channel)}
                self._put((kind, channel, data[1]), data)
            else:
                self._put((kind, channel), data)

    def _key(self, down: bool, channel: int, data: bytes) -> None:
        name = (NOTE_ON, channel, data[1])
        if down:
            self._put(name, data)
        elif self._held.pop(name, None) is None:
            # a key that was pressed before the waiting began
            self._put((NOTE_OFF, channel, data[1]), data)

    def _put(self, name: tuple[int, ...], data: bytes) -> None:
        self._held.pop(name, None)
        if len(self._held) < _MOST:
            self._held[name] = data

    def take(self) -> list[bytes]:
        """What was kept, in its order; nothing is kept afterwards."""
        with self._lock:
            kept, self._held = list(self._held.values()), {}
        return kept
