"""Where players come from: patches are compiled here, on a thread that may take its time.

Thread rule: `prepare` and `player` are slow and belong to the compile thread (or to an offline render); never call them on
the render thread.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

from ddsp_studio.audio.instrument import Apart, Player, Smoother
from ddsp_studio.audio.xla_cache import XlaCache
from ddsp_studio.processors.nesting import playable
from ddsp_studio.processors.patch import Patch

if TYPE_CHECKING:
    from ddsp_studio.processors.tracer import Tracer

INTRA_OP_THREADS = 1
"""Measured on two cores: a second thread gains nothing at live block sizes and adds jitter."""
INTER_OP_THREADS = 3
"""Compiling by XLA takes one of them for a second at a time; the sound needs another."""


Result = TypeVar("Result")
_logger = logging.getLogger(__name__)


class Workshop(Protocol):
    """Makes players and their smoothers."""

    def prepare(self) -> None:
        """Load whatever compiling needs (seconds)."""

    def player(self, patch: Patch, sample_rate: int, voices: int) -> Player:
        """Build a player (PatchError if the patch cannot be played)."""

    def smoother(self, player: Player) -> Smoother:
        """The smoother of a player's knob moves."""

    def warm(self, player: Player, hops: int) -> None:
        """Make a player ready for blocks of `hops` hops (see `Player.warm`)."""

    def improve(self, player: Player, hops: int, apart: Apart) -> bool:
        """Compile one more part of a player for speed (see `Player.improve`), on a thread of its own."""

    def close(self) -> None:
        """The process will end, whatever is being compiled."""


GPU_MIB = 1536
"""Memory of a GPU that the engine takes at most; a training takes what is left of 8 GB (training.trainer.GPU_MIB)."""


class TensorFlowWorkshop:
    """The real workshop."""

    def __init__(
        self, intra_op_threads: int = INTRA_OP_THREADS, tracer: Tracer | None = None, cache: XlaCache | None = None
    ) -> None:
        """`tracer` makes the functions of patches; this process itself where none is given. `cache` keeps what XLA compiles."""
        self._threads, self._tracer, self._cache = intra_op_threads, tracer, cache
        self._failed = False

    def prepare(self) -> None:
        """Import TensorFlow, quietly, with few threads and a GPU memory that grows."""
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
        if self._cache is not None and not self._cache.use():
            self._cache = None
        from ddsp_studio.dsp.tensor import limit_gpus, tf

        limit_gpus(GPU_MIB)
        try:
            tf.config.threading.set_intra_op_parallelism_threads(self._threads)
            tf.config.threading.set_inter_op_parallelism_threads(INTER_OP_THREADS)
        except RuntimeError:
            # TensorFlow was used before in this process, as in a test: its threads are what they are
            return

    def player(self, patch: Patch, sample_rate: int, voices: int) -> Player:
        """Build the compiled patch, its groups expanded and what is not installed passed by."""
        from ddsp_studio.processors.player import Player as CompiledPlayer

        player: Player = CompiledPlayer(playable(patch), sample_rate=sample_rate, voices=voices, tracer=self._tracer)
        return player

    def smoother(self, player: Player) -> Smoother:
        """The knob smoother of a compiled patch."""
        from ddsp_studio.processors.player import Smoother as KnobSmoother

        smoother: Smoother = KnobSmoother(player)  # type: ignore[arg-type]
        return smoother

    def warm(self, player: Player, hops: int) -> None:
        """Make a player ready, with what XLA compiled in starts before this one."""
        self._kept(lambda: player.warm(hops))

    def improve(self, player: Player, hops: int, apart: Apart) -> bool:
        """Compile by XLA, or take what it compiled before."""
        return self._kept(lambda: player.improve(hops, apart))

    def _kept(self, work: Callable[[], Result]) -> Result:
        """Work with what is kept of XLA's; the first time that this fails, once more from nothing, for it may be damaged."""
        if self._cache is None:
            return work()
        with self._cache.at_work():
            try:
                return work()
            except Exception as problem:
                from ddsp_studio.dsp.tensor import tf

                if not isinstance(problem, tf.errors.OpError):
                    raise  # the patch cannot be played, or the process ends
                self._cache.forget()
                if self._failed:
                    raise
                _logger.warning("compiling failed, and is tried again without what was kept: %s", str(problem)[:200])
            self._failed = True
            if self._tracer is not None:
                self._tracer.begin_anew()
            return work()

    def close(self) -> None:
        """What is being compiled ends with the process; what was, stays."""
        if self._cache is not None:
            self._cache.close()
