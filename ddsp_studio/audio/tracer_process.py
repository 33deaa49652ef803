"""Traces patches for the engine: `python -m ddsp_studio.audio.tracer_process FOLDER [SALT]`.

Lowered nodes are kept in FOLDER, if it is not "". With another SALT every function has another name.

Tracing holds Python's interpreter, for seconds when a node type is new. Here that is nobody's loss: this process makes no sound.
It ends when its input ends.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from pathlib import Path
from typing import Any

from ddsp_studio.audio import tracer_messages as messages
from ddsp_studio.audio.protocol import encode
from ddsp_studio.audio.workshop import TensorFlowWorkshop
from ddsp_studio.children import BadCommand, commands, protected_stdout
from ddsp_studio.processors.programs import Exporter, Program


class TracerHost:
    """Answers questions, one after the other."""

    def __init__(self, salt: str = "") -> None:
        self._exporter = Exporter(salt)
        self._numbers: dict[Any, int] = {}
        self._keys: list[Any] = []
        self._prepared: dict[int, Any] = {}

    def answer(self, question: messages.Question) -> messages.Answer:
        """Do what is asked for."""
        try:
            match question:
                case messages.Trace():
                    return self._trace(question)
                case messages.Prepare():
                    return self._prepare(question.key)
                case _:
                    return self._use(question.key)
        except Exception as problem:  # TensorFlow and foreign processors may raise anything
            text = str(problem).strip()[:300]
            return messages.Failed(text=text if isinstance(problem, ValueError) else f"{type(problem).__name__}: {text}")

    def _trace(self, question: messages.Trace) -> messages.Traced:
        from ddsp_studio.processors.group import ProcessorGroup
        from ddsp_studio.processors.ways import Compiler

        group = ProcessorGroup(question.patch, sample_rate=question.sample_rate)
        function, pending = group.function(question.rows, question.hops, Compiler(question.compiler))
        program = self._exporter.program(function, pooled=bool(pending.keys))
        return messages.Traced(program=_data(program), pending=[self._number(key) for key in pending.keys])

    def _number(self, key: Any) -> int:
        if key not in self._numbers:
            self._numbers[key] = len(self._keys)
            self._keys.append(key)
        return self._numbers[key]

    def _prepare(self, number: int) -> messages.Prepared:
        from ddsp_studio.processors.tracing import prepare

        by_xla = prepare(self._keys[number])
        if by_xla is None:
            return messages.Prepared(program=None, specs=[])
        self._prepared[number] = by_xla
        specs = [(list(spec.shape), spec.dtype.name) for spec in by_xla.specs]
        return messages.Prepared(program=_data(self._exporter.program(by_xla.caller, pooled=False)), specs=specs)

    def _use(self, number: int) -> messages.Done:
        from ddsp_studio.processors.tracing import use

        use(self._keys[number], self._prepared.pop(number))
        return messages.Done()


def _data(program: Program) -> messages.ProgramData:
    constants = [messages.Array(kind=a.dtype.name, shape=list(a.shape), data=a.tobytes()) for a in program.constants]
    return messages.ProgramData(
        name=program.name, outputs=program.outputs, pooled=program.pooled, library=program.library, constants=constants
    )


def main() -> int:
    """Serve until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pipe = protected_stdout()
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"  # nothing is computed here, and the memory of a GPU belongs to the engine
    TensorFlowWorkshop().prepare()
    from ddsp_studio.processors.catalogue import processor_types
    from ddsp_studio.processors.tracing import configure_runtime, keep_lowered

    configure_runtime()
    folder, salt = (*sys.argv[1:], "", "")[:2]
    if folder:
        keep_lowered(Path(folder))
    processor_types()
    host = TracerHost(salt)
    gc.disable()  # garbage is taken away while nobody waits
    gc.collect()
    gc.freeze()
    pipe.write(encode(messages.Ready()))
    for question in commands(sys.stdin.buffer, messages.decode_question):
        answer = messages.Failed(text=str(question)) if isinstance(question, BadCommand) else host.answer(question)
        pipe.write(encode(answer))
        gc.collect()
    return 0


if __name__ == "__main__":
    sys.exit(main())
