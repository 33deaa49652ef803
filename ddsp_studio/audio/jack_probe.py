"""A JACK client that listens to what the engine plays and presses keys at exact samples, for measurements and tests.

Needs the package JACK-Client and a running JACK server. Thread rule: `_process` runs on JACK's thread and only copies.
"""

from __future__ import annotations

import importlib
import os
import threading
import time
from collections import deque
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

NAME = "ddsp_probe"
_PATIENCE_S = 5.0


def leave(client: Any) -> None:
    """End a client; on a busy machine the library may wait for its server for ever, and then the program's end does it."""

    def end() -> None:
        client.deactivate()
        client.close()

    thread = threading.Thread(target=end, name="jack-leave", daemon=True)
    thread.start()
    thread.join(_PATIENCE_S)


class JackProbe:
    """Records the engine's two outputs and sends MIDI. Frames are counted by the server's clock."""

    def __init__(self) -> None:
        """Join the JACK server (jack.JackError if there is none, ImportError without JACK-Client)."""
        jack: Any = importlib.import_module("jack")
        self._client: Any = jack.Client(NAME, no_start_server=True, servername=os.environ.get("JACK_DEFAULT_SERVER"))
        self._inputs = [self._client.inports.register(f"in_{side}") for side in ("left", "right")]
        self._keys = self._client.midi_outports.register("keys")
        self._due: deque[tuple[int, bytes]] = deque()
        self._recorded: list[tuple[int, npt.NDArray[np.float32]]] = []
        self.recording = False
        self.xruns = 0
        self.sent: list[tuple[int, bytes]] = []
        self._client.set_process_callback(self._process)
        self._client.set_xrun_callback(self._count_xrun)
        self._client.activate()

    def __enter__(self) -> JackProbe:
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        leave(self._client)

    @property
    def period(self) -> int:
        """Samples in the server's period."""
        return int(self._client.blocksize)

    @property
    def frame(self) -> int:
        """The server's frame count now."""
        return int(self._client.frame_time)

    def _count_xrun(self, _: float) -> None:
        self.xruns += 1

    def _process(self, frames: int) -> None:
        now = int(self._client.last_frame_time)
        self._keys.clear_buffer()
        while self._due and self._due[0][0] < now + frames:
            frame, data = self._due.popleft()
            offset = max(0, frame - now)
            self._keys.write_midi_event(offset, data)
            self.sent.append((now + offset, data))
        if self.recording:
            self._recorded.append((now, np.stack([port.get_array() for port in self._inputs])))

    def connect(self, timeout_s: float = 10.0) -> None:
        """Listen to whatever feeds the server's speakers (TimeoutError if nothing does)."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            speakers = self._client.get_ports(is_physical=True, is_input=True, is_audio=True)
            feeds = [self._client.get_all_connections(port) for port in speakers[:2]]
            if len(feeds) == 2 and all(feeds):
                for held, feed in zip(self._inputs, feeds, strict=True):
                    self._client.connect(feed[0], held)
                return
            time.sleep(0.1)
        raise TimeoutError("nothing plays to the JACK server's speakers")

    def wait_for_listener(self, timeout_s: float = 10.0) -> None:
        """Wait until some program listens to our keys (TimeoutError if none does)."""
        deadline = time.monotonic() + timeout_s
        while not self._client.get_all_connections(self._keys):
            if time.monotonic() > deadline:
                raise TimeoutError("no program listens to the probe's MIDI port")
            time.sleep(0.1)

    def press(self, frame: int, data: bytes) -> None:
        """Send a MIDI message at a frame of the server's clock, in rising order."""
        self._due.append((frame, data))

    def recorded(self) -> tuple[int, npt.NDArray[np.float32]]:
        """First frame and sound [2, samples] of what was recorded; skipped periods are silence."""
        pieces = list(self._recorded)
        if not pieces:
            return 0, np.zeros((2, 0), np.float32)
        first = pieces[0][0]
        sound = np.zeros((2, pieces[-1][0] + pieces[-1][1].shape[1] - first), np.float32)
        for frame, piece in pieces:
            sound[:, frame - first : frame - first + piece.shape[1]] = piece
        return first, sound
