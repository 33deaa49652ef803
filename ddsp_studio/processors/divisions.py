"""Note values as a musician names them, in quarter notes. Imports neither TensorFlow nor Qt."""

from __future__ import annotations

_PLAIN = {"8/1": 32.0, "4/1": 16.0, "2/1": 8.0, "1/1": 4.0, "1/2": 2.0, "1/4": 1.0, "1/8": 0.5, "1/16": 0.25, "1/32": 0.125}
_BENT = ("1/1", "1/2", "1/4", "1/8", "1/16", "1/32")

DIVISIONS: dict[str, float] = {
    name: beats
    for plain, size in _PLAIN.items()
    for name, beats in (
        *(((f"{plain}D", size * 1.5),) if plain in _BENT else ()),
        (plain, size),
        *(((f"{plain}T", size * 2.0 / 3.0),) if plain in _BENT else ()),
    )
}
"""Length of each note value in quarter notes, longest first: "1/4" is a quarter, "1/4D" a dotted and "1/4T" a triplet one."""

FREE = "free"
SYNC = (FREE, *DIVISIONS)
"""Choices of an option that follows the clock at a note value, or runs at its own rate."""
