"""Refusing the one pair of Qt for Python and Python that is known to abort."""

from __future__ import annotations

BAD_QT, GOOD_PYTHON = "6.12.0", (3, 12)


def refusal(qt: str, python: tuple[int, int]) -> str:
    """Why this pair of versions must not be used, in one sentence; "" if it may.

    PySide6 6.12.0 loses references to None on Python before 3.12 and aborts (none_dealloc) after some thousand calls.
    """
    if qt == BAD_QT and python < GOOD_PYTHON:
        return (
            f"PySide6 {BAD_QT} aborts on Python {python[0]}.{python[1]} after some thousand calls; "
            'install "PySide6-Essentials==6.11.3" or use Python 3.12.'
        )
    return ""
