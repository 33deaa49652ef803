"""Fuzzy matching of what a person types against names and descriptions. No Qt."""

from __future__ import annotations

from collections.abc import Iterable

from ddsp_studio.processors.declare import Spec

_CONSECUTIVE, _START, _LETTER = 6.0, 8.0, 1.0


def score(query: str, text: str) -> float | None:
    """How well the letters of a query, in their order, are found in a text; None if they are not all there.

    Letters at the start of a word and runs of letters count most, and a short text beats a long one.
    """
    total, position, previous = 0.0, 0, -2
    lowered = text.lower()
    for letter in query.lower().replace(" ", ""):
        found = lowered.find(letter, position)
        starts = [i for i in range(position, len(text)) if lowered[i] == letter and _is_start(text, i)]
        if found < 0:
            return None
        if found != previous + 1 and starts:
            found = starts[0]
        total += _LETTER + (_CONSECUTIVE if found == previous + 1 else 0.0) + (_START if _is_start(text, found) else 0.0)
        previous, position = found, found + 1
    return total - 0.02 * len(text)


def _is_start(text: str, index: int) -> bool:
    return index == 0 or not text[index - 1].isalnum() or (text[index].isupper() and text[index - 1].islower())


def ranked(query: str, specs: Iterable[Spec]) -> list[Spec]:
    """The processor types that match, the best first; all in their order for an empty query.

    The name counts most, then the category, then whole words of the summary.
    """
    if not query.strip():
        return list(specs)
    found: list[tuple[float, Spec]] = []
    for spec in specs:
        by_name, by_category = score(query, spec.name), score(query, spec.category)
        marks = [m for m in (by_name, by_category - 10.0 if by_category is not None else None) if m is not None]
        if all(word in spec.summary.lower() for word in query.lower().split()):
            marks.append(-20.0)
        if marks:
            found.append((max(marks), spec))
    return [spec for _, spec in sorted(found, key=lambda entry: -entry[0])]
