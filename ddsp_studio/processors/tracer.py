"""Who traces a patch: this process, or another one for it (`audio/remote_tracer.py`).

Thread rule: one thread traces; the work that is left over may be done on another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ddsp_studio.processors.programs import Loaded
from ddsp_studio.processors.ways import Compiler

if TYPE_CHECKING:
    from ddsp_studio.processors.group import ProcessorGroup


class Work(Protocol):
    """What XLA has still to compile of a traced patch."""

    @property
    def keys(self) -> Sequence[Any]:
        """A key for each node that it has not compiled."""

    def compile(self) -> bool:
        """Compile one of them, which may take a second; False when none was left. Any thread, one at a time."""


class Tracer(Protocol):
    """Makes the compiled functions of patches."""

    def trace(self, group: ProcessorGroup, rows: int, hops: int, compiler: Compiler) -> tuple[Callable[..., Any], Work]:
        """Trace a patch; returns the function that `ProcessorGroup.function` describes, and what is left to do.

        Raises:
            ValueError: it cannot be traced.
        """

    def begin_anew(self) -> None:
        """Forget all that was traced."""


class Here:
    """Traces in this process."""

    def trace(self, group: ProcessorGroup, rows: int, hops: int, compiler: Compiler) -> tuple[Callable[..., Any], Work]:
        """See `Tracer`."""
        function, pending = group.function(rows, hops, compiler)
        return Loaded.here(function, pooled=bool(pending.keys)), pending

    def begin_anew(self) -> None:
        """What is traced here does not outlive the process, and is right."""
