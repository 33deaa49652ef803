"""Compiles the nodes of what already plays a second time, for speed, while edits and sound go on.

Thread rule: `Improver` is a thread of its own, of the lowest priority; `offer` may be called on any thread and never waits. It
runs next to no Python, for a thread that nobody lets run would hold the interpreter while others wait for it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from ddsp_studio.audio.instrument import Player
from ddsp_studio.audio.priority import lower_compilers, lower_priority, pool_threads

_IDLE_S = 0.3
"""How long a patch must be left alone before more of it is compiled."""
_logger = logging.getLogger(__name__)


class Improver(threading.Thread):
    """Improves the player that was offered last; between two nodes it turns to a newer one."""

    def __init__(self, done: Callable[[Player, int], None]) -> None:
        """Start, and wait for a player. `done(player, hops)` is called when all is compiled that can be, and must not wait."""
        super().__init__(name="improver", daemon=True)
        self._done = done
        self._offered: tuple[Player, int] | None = None
        self._wake = threading.Event()
        self.start()

    def offer(self, player: Player, hops: int) -> None:
        """Improve this player for blocks of `hops` hops."""
        self._offered = (player, hops)
        self._wake.set()

    def run(self) -> None:
        """Improve one player after another."""
        lower_priority()
        while self._wake.wait():
            self._wake.clear()
            if self._wake.wait(_IDLE_S):  # another was offered: edits come first
                continue
            offered, self._offered = self._offered, None
            if offered is not None:
                try:
                    self._improve(*offered)
                except Exception:  # what plays is not as fast as it could be, but it plays
                    _logger.exception("the patch could not be improved")

    def _improve(self, player: Player, hops: int) -> None:
        known = pool_threads()
        while player.improve(hops):
            lower_compilers(known)
            if self._wake.is_set():
                return
        self._done(player, hops)
