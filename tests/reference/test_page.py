"""The page on parity is complete: it names every call that is answered, and marks every one that differs."""

from __future__ import annotations

from pathlib import Path

from .registry import ADAPTERS, DIFFERENT, UNMATCHED

PAGE = Path(__file__).parents[2] / "docs" / "parity.md"


def rows() -> dict[str, str]:
    """The line of a table that names each call."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    return {call: line for line in lines for call in line.split("|")[1].replace("`", " ").replace(",", " ").split()}


def test_every_call_has_a_row() -> None:
    assert set(ADAPTERS) | set(UNMATCHED) <= set(rows())


def test_every_difference_is_marked() -> None:
    unmarked = [call for call in {**DIFFERENT, **UNMATCHED} if not rows().get(call, "≠").endswith("≠ |")]
    assert not unmarked
