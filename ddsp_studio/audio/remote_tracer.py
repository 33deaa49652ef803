"""Has patches traced by a child process, so that the threads that make sound never wait for the interpreter.

A child that ends, by whatever a patch did to it, is started again and asked once more; the engine and the sound live on. What was
traced of late is kept, so that undoing and redoing are heard at once.
Thread rule: any thread; questions wait for each other.
"""

from __future__ import annotations

import logging
import queue
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ddsp_studio.audio import tracer_messages as messages
from ddsp_studio.audio.protocol import encode
from ddsp_studio.audio.values import structure_key
from ddsp_studio.children import Child, describe_exit
from ddsp_studio.processors.programs import Loaded, Program, zeros
from ddsp_studio.processors.tracing import identity
from ddsp_studio.processors.ways import Compiler

if TYPE_CHECKING:
    from ddsp_studio.processors.group import ProcessorGroup
    from ddsp_studio.processors.tracer import Work

_READY_S = 60.0
_MAX_KEPT = 32
_logger = logging.getLogger(__name__)


class _Lost(Exception):
    """The child has ended."""


class RemoteTracer:
    """A tracer (`processors/tracer.py`) that asks a process of its own."""

    def __init__(self, lowered: Path | None = None) -> None:
        """Start the process; it will be ready in some seconds. In the folder `lowered` it keeps nodes for later starts."""
        self._lock, self._arguments = threading.Lock(), [str(lowered or "")]
        self._kept: OrderedDict[Any, tuple[Loaded, list[int]]] = OrderedDict()
        self._compiled: set[int] = set()
        self._end = ""
        self._begin()

    def _begin(self) -> None:
        self._answers: queue.SimpleQueue[messages.Answer | None] = queue.SimpleQueue()
        self._ready, answers = False, self._answers
        self._kept.clear()
        self._compiled.clear()
        command = [sys.executable, "-m", "ddsp_studio.audio.tracer_process", *self._arguments]

        def ended(_: Child[messages.Answer], status: int) -> None:
            self._end = describe_exit(status)
            answers.put(None)

        self.child = Child(command, _logger, messages.decode_answer, lambda _, answer: answers.put(answer), ended, name="tracer")

    def trace(self, group: ProcessorGroup, rows: int, hops: int, compiler: Compiler) -> tuple[Callable[..., Any], Work]:
        """See `Tracer`."""
        processors = tuple(identity(processor) for processor in group.processors.values())
        key = (structure_key(group.patch), group.sample_rate, rows, hops, compiler, processors)
        question = messages.Trace(patch=group.patch, sample_rate=group.sample_rate, rows=rows, hops=hops, compiler=compiler.value)
        with self._lock:
            function, pending = self._kept.get(key, (None, []))
            if function is None or self._compiled & set(pending):
                answer = self._ask(question)
                if not isinstance(answer, messages.Traced):
                    raise ValueError(_told(answer))
                function, pending = _load(answer.program), answer.pending
                self._kept[key] = function, pending
            self._kept.move_to_end(key)
            while len(self._kept) > _MAX_KEPT:
                self._kept.popitem(last=False)
            return function, RemoteWork(self, list(pending), self.child)

    def compile(self, key: int) -> bool:
        """Have XLA compile a node in this process; False if that was done before."""
        with self._lock:
            answer = self._say(messages.Prepare(key=key))
        if not isinstance(answer, messages.Prepared):
            raise ValueError(_told(answer))
        if answer.program is None:
            return False
        _load(answer.program)(*zeros(answer.specs))
        with self._lock:
            self._say(messages.Use(key=key))
            self._compiled.add(key)
        return True

    def begin_anew(self) -> None:
        """Forget all that was traced, in another process.

        XLA remembers by name what it failed to compile, so that all names differ from now on, and nothing is kept under them.
        """
        with self._lock:
            self._arguments = ["", "anew"]
            self.child.kill()
            self._begin()

    def close(self) -> None:
        """End the process."""
        self.child.kill()

    def _ask(self, question: messages.Question) -> messages.Answer:
        """The answer, from another child if the first one ended over it."""
        try:
            return self._say(question)
        except _Lost:
            self._replace()
        try:
            return self._say(question)
        except _Lost as loss:
            self._replace()
            raise ValueError(f"the process that traces patches {self._end} over it") from loss

    def _replace(self) -> None:
        _logger.warning("the process that traces patches %s", self._end)
        self._begin()

    def _say(self, question: messages.Question) -> messages.Answer:
        if not self._ready:
            self._ready = isinstance(self._hear(_READY_S), messages.Ready)
        self.child.say(encode(question))
        return self._hear(None)

    def _hear(self, patience_s: float | None) -> messages.Answer:
        try:
            answer = self._answers.get(timeout=patience_s)
        except queue.Empty:
            self.child.kill()
            raise _Lost from None
        if answer is None:
            self._answers.put(None)  # whoever asks next must learn it, too
            raise _Lost
        return answer


class RemoteWork:
    """What is left for XLA to compile of a patch that was traced by a child."""

    def __init__(self, tracer: RemoteTracer, keys: list[int], child: object) -> None:
        self.keys = keys
        self._tracer, self._child = tracer, child

    def compile(self) -> bool:
        """See `Work`."""
        while self.keys and self._tracer.child is self._child:
            try:
                compiled = self._tracer.compile(self.keys[-1])
            except _Lost:
                return False
            self.keys.pop()
            if compiled:
                return True
        return False


def _told(answer: messages.Answer) -> str:
    return answer.text if isinstance(answer, messages.Failed) else f"the process that traces patches said {type(answer).__name__}"


def _load(data: messages.ProgramData) -> Loaded:
    constants = [np.frombuffer(array.data, array.kind).reshape(array.shape) for array in data.constants]
    return Loaded(Program(data.name, data.outputs, data.pooled, data.library, constants))
