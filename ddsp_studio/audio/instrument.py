"""What the engine needs of a compiled patch, in words of its own; `processors/player.py` has the real one.

Thread rule: as for `processors/player.py`: built and warmed on the compile thread, then owned by the thread that renders.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Frames = npt.NDArray[np.float32]
Apart = Callable[[Callable[[], Any]], Any]
"""Runs a function that computes for long in the thread that calls it, and waits for it."""


class Block(Protocol):
    """A rendered block."""

    @property
    def audio(self) -> Frames:
        """Left and right, [2, samples]."""

    @property
    def levels(self) -> Frames:
        """Level of each node, [nodes], linear."""

    @property
    def partials(self) -> Frames:
        """Amplitudes of the partials of the loudest voice, [n], linear."""

    @property
    def f0_hz(self) -> float:
        """Fundamental of that voice in Hz."""


class Player(Protocol):
    """A compiled patch with its running state."""

    @property
    def columns(self) -> Mapping[str, slice]:
        """Columns of the values array by name: "node.control", or "node.port->node.control" for a modulation amount."""

    @property
    def values(self) -> Frames:
        """The patch's own values, [columns]."""

    @property
    def nodes(self) -> list[str]:
        """Node names in the order of a block's levels."""

    @property
    def partials_node(self) -> str:
        """The node whose partials a block shows, or ""."""

    @property
    def latency_samples(self) -> int:
        """Samples from performance to output."""

    @property
    def tail_s(self) -> float:
        """Seconds for which sound goes on after the last input."""

    def improve(self, hops: int, apart: Apart) -> bool:
        """Compile one more part for speed, in up to a second; False when none is left.

        What computes in the thread that calls it is run by `apart`, which waits for it.
        """

    def refresh(self, hops: int) -> bool:
        """Use what `improve` has compiled from the next block on; True if there is more to improve."""

    def nodes_left(self, hops: int) -> bool:
        """Whether single nodes are left to `improve`, and not only the whole."""

    def warm(self, hops: int) -> None:
        """Compile for blocks of this many hops; slow."""

    @property
    def listens(self) -> bool:
        """Whether the patch hears the audio input."""

    def render(self, values: Frames, performance: Frames, clock: npt.NDArray[np.float64], heard: Frames | None = None) -> Block:
        """Render the next block.

        It takes values [hops, columns], performance [voices, hops, 7], clock [1, hops, 3] and the audio input [2, samples],
        silence where that is left out.
        """

    def reload_weights(self) -> None:
        """Read the weights of models again, on any thread (ValueError if they cannot be used); the next block fades to them."""

    def adopt(self, other: Any) -> None:
        """Take over the running state of what is the same in another player."""

    def release(self) -> None:
        """Let go of the state; it plays no more."""

    def reset(self) -> None:
        """Forget all that sounds."""


class Smoother(Protocol):
    """Turns knob moves into value frames that ramp over a few hops."""

    def set(self, columns: slice, values: Any, hop: int = 0) -> None:
        """Move a knob, `hop` hops after the start of the next frames."""

    def jump(self, values: Frames) -> None:
        """Set all values at once, [columns]."""

    def frames(self, hops: int) -> Frames:
        """The next rows of values, [hops, columns]."""
