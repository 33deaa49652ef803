"""How long the sound is away when the engine is killed while a chord is held, as the window's client brings it back."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ddsp_studio.audio import protocol
from ddsp_studio.audio.client import EngineClient
from ddsp_studio.bench.live import demo_patch
from ddsp_studio.bench.measure import Times
from ddsp_studio.processors import patch_file

_CHORD = (48, 55, 60, 64)
_HEARD = 1e-3
_PATIENCE_S = 60.0


def row(*, quick: bool) -> dict[str, Any]:
    """Seconds from SIGKILL to the same chord from the same patch, over several engines.

    Raises:
        TimeoutError: an engine did not play.
    """
    times = Times.of([_away() for _ in range(2 if quick else 5)])
    return {
        "what": "sound back after kill -9",
        "count": times.count,
        "median_s": times.median / 1e3,
        "worst_s": times.worst / 1e3,
    }


def _away() -> float:
    playing: list[int] = []

    def listen(event: protocol.Event) -> None:
        if isinstance(event, protocol.PatchPlays):
            playing.append(event.revision)

    with tempfile.TemporaryDirectory() as folder:
        client = EngineClient(listen, lambda *_: None, Path(folder) / "engine.log")
        client.start()
        try:
            client.send(protocol.LoadPatch(patch=patch_file.to_json(demo_patch()), revision=1))
            _wait(lambda: bool(playing))
            for key in _CHORD:
                client.send(protocol.Midi(data=[0x90, key, 90]))
            _wait(lambda: _sounds(client))
            playing.clear()
            begin = time.perf_counter()
            os.kill(client.pid, signal.SIGKILL)
            _wait(lambda: bool(playing) and _sounds(client))
            return time.perf_counter() - begin
        finally:
            client.close()


def _sounds(client: EngineClient) -> bool:
    data = client.telemetry.data
    return float(max(data["peak"])) > _HEARD and int(data["voices"]) == len(_CHORD)


def _wait(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError("the engine did not play")
        time.sleep(0.005)
