"""Compiles what already plays a second time, for speed, while edits and sound go on.

Thread rule: `Improver` is a thread of its own, of the lowest priority; `offer` may be called on any thread and never waits.
"""

from __future__ import annotations

import logging
import threading

from ddsp_studio.audio.instrument import Player
from ddsp_studio.audio.priority import lower_priority

_IDLE_S = 2.0
"""How long a patch must be left alone before it is improved."""
_logger = logging.getLogger(__name__)


class Improver(threading.Thread):
    """Improves the player that was offered last."""

    def __init__(self) -> None:
        """Start, and wait for a player."""
        super().__init__(name="improver", daemon=True)
        self._offered: tuple[Player, int] | None = None
        self._wake = threading.Event()
        self.start()

    def offer(self, player: Player, hops: int) -> None:
        """Improve this player for blocks of `hops` hops as soon as the one before is done."""
        self._offered = (player, hops)
        self._wake.set()

    def run(self) -> None:
        """Improve one player after another."""
        lower_priority()
        while self._wake.wait():
            self._wake.clear()
            while self._wake.wait(_IDLE_S):  # another was offered: edits come first
                self._wake.clear()
            offered, self._offered = self._offered, None
            if offered is not None:
                try:
                    offered[0].improve(offered[1])
                except Exception:  # what plays is not as fast as it could be, but it plays
                    _logger.exception("the patch could not be improved")
