"""Compiles the nodes of what already plays a second time, for speed, while edits and sound go on.

Thread rule: `Improver` is a thread of its own; `offer` may be called on any thread and never waits. Compiling a node is waiting
for threads of TensorFlow and XLA. The whole is compiled in the thread that asks for it: one of the lowest priority, with next to
no Python in it, for a thread that nobody lets run would hold the interpreter while others wait.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from ddsp_studio.audio.instrument import Apart, Player
from ddsp_studio.audio.priority import lower_compilers, lower_priority

_NODES_REST_S, _WHOLE_REST_S = 0.3, 5.0
"""How long a patch must be left alone before its nodes, or the whole, are compiled.

The whole takes seconds, and the next edit undoes it.
"""
_USE_S = 3.0
"""Seconds after which what is compiled so far is put to use: a patch costs twice as much on TensorFlow's own executor."""
_logger = logging.getLogger(__name__)


class Improver(threading.Thread):
    """Improves the player that was offered last; between two nodes it turns to a newer one."""

    def __init__(self, improve: Callable[[Player, int, Apart], bool], done: Callable[[Player, int], None]) -> None:
        """Start, and wait for a player.

        Args:
            improve: the workshop's. done: called with player and hops when all is compiled that can be, or enough to be put to
            use; must not wait.
        """
        super().__init__(name="improver", daemon=True)
        self._improve_part, self._done = improve, done
        self._offered: tuple[Player, int, float] | None = None
        self._wake = threading.Event()
        self._apart = ThreadPoolExecutor(1, "xla", initializer=lower_priority)
        self.start()

    def offer(self, player: Player, hops: int, *, nodes: bool) -> None:
        """Improve this player for blocks of `hops` hops: its nodes, or, once that is done, the whole."""
        self._offered = (player, hops, _NODES_REST_S if nodes else _WHOLE_REST_S)
        self._wake.set()

    def run(self) -> None:
        """Improve one player after another."""
        while self._wake.wait():
            self._wake.clear()
            offered, self._offered = self._offered, None
            if offered is None or self._wake.wait(offered[2]):  # another was offered: edits come first
                continue
            try:
                self._improve(*offered[:2])
            except Exception:  # what plays is not as fast as it could be, but it plays
                _logger.exception("the patch could not be improved")

    def _improve(self, player: Player, hops: int) -> None:
        begun = time.monotonic()
        while self._improve_part(player, hops, lambda run: self._apart.submit(run).result()):
            lower_compilers()
            if self._wake.is_set():
                return
            if time.monotonic() - begun > _USE_S:
                break
        self._done(player, hops)
