"""What the description in a model may be: everything that is read of it has the type and range that readers rely on."""

from __future__ import annotations

from typing import Annotated

import msgspec

_Text = Annotated[str, msgspec.Meta(max_length=10_000)]
_Amount = Annotated[float, msgspec.Meta(ge=0.0, le=1e12)]
_Key = Annotated[float, msgspec.Meta(ge=0.0, le=127.0)]
_Level = Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)]


class _Statistics(msgspec.Struct):
    range: tuple[_Level, _Level] = (0.0, 127.0)
    levels: Annotated[list[_Level], msgspec.Meta(min_length=1)] = msgspec.field(default_factory=lambda: [0.0])


class _Data(msgspec.Struct):
    sources: list[_Text] = msgspec.field(default_factory=list)
    seconds: _Amount = 0.0
    licence: _Text = ""


class _Training(msgspec.Struct):
    step: Annotated[int, msgspec.Meta(ge=0)] = 0
    seconds: _Amount = 0.0
    judged_on: _Text = ""
    scores: dict[str, float | None] | None = None


class _About(msgspec.Struct):
    sample_rate: Annotated[float, msgspec.Meta(ge=1e3, le=1e6)]
    nodes: dict[str, str]
    arrays: dict[str, list[str]] = msgspec.field(default_factory=dict)
    name: _Text = ""
    weights: Annotated[int, msgspec.Meta(ge=0)] = 0
    range_midi: tuple[_Key, _Key] = (0.0, 127.0)
    statistics: _Statistics = msgspec.field(default_factory=_Statistics)
    data: _Data = msgspec.field(default_factory=_Data)
    training: _Training = msgspec.field(default_factory=_Training)


def check_about(about: object) -> None:
    """Refuse a description that readers cannot rely on (ValueError: expected what, got what, where); more may be in it."""
    msgspec.convert(about, _About)
