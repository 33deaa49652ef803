"""Text for a terminal."""

from __future__ import annotations


def harmless(line: str) -> str:
    """A line in which all that does not print is spelled: by escapes, a name could colour or clear a terminal."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in line)
