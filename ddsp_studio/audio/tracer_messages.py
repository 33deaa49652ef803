"""What the engine and the process that traces for it say to each other: one JSON line a message, as in `protocol.py`.

Every question is answered by one line; the child says `Ready` once, unasked.
"""

from __future__ import annotations

import msgspec

from ddsp_studio.audio.protocol import Message
from ddsp_studio.processors.patch import Patch

Specs = list[tuple[list[int], str]]
"""Shapes and types of tensors."""


class Array(Message, frozen=True, tag=True):
    """A numpy array."""

    kind: str
    shape: list[int]
    data: bytes


class ProgramData(Message, frozen=True, tag=True):
    """A `processors.programs.Program`."""

    name: str
    outputs: int
    pooled: bool
    library: list[bytes]
    constants: list[Array]


# -- from the engine --------------------------------------------------------------------------------------------------------


class Trace(Message, frozen=True, tag=True):
    """Trace this patch, whose groups are expanded already; answered by Traced or Failed."""

    patch: Patch
    sample_rate: float
    rows: int
    hops: int
    compiler: str


class Prepare(Message, frozen=True, tag=True):
    """Make a node ready for XLA; answered by Prepared or Failed."""

    key: int


class Use(Message, frozen=True, tag=True):
    """The engine's XLA has compiled a node: let later patches call that. Answered by Done."""

    key: int


# -- to the engine ----------------------------------------------------------------------------------------------------------


class Ready(Message, frozen=True, tag=True):
    """TensorFlow is loaded."""


class Traced(Message, frozen=True, tag=True):
    """A patch's function, and the nodes that XLA has not compiled."""

    program: ProgramData
    pending: list[int]


class Prepared(Message, frozen=True, tag=True):
    """A function that makes XLA compile a node when it is run on tensors like `specs`; none if there is nothing to compile."""

    program: ProgramData | None
    specs: Specs


class Done(Message, frozen=True, tag=True):
    """It was done."""


class Failed(Message, frozen=True, tag=True):
    """It could not be done, in one sentence."""

    text: str


Question = Trace | Prepare | Use
Answer = Ready | Traced | Prepared | Done | Failed

_questions = msgspec.json.Decoder(Question)
_answers = msgspec.json.Decoder(Answer)


def decode_question(line: bytes) -> Question:
    """Read a question; ValueError if the line is none."""
    question: Question = _questions.decode(line)
    return question


def decode_answer(line: bytes) -> Answer:
    """Read an answer; ValueError if the line is none."""
    answer: Answer = _answers.decode(line)
    return answer
