"""What can be done to a row of bars, as positions in 0..1: strokes of the mouse and ready-made shapes. No Qt."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

Bars = tuple[float, ...]
"""Heights in 0..1, one a bar."""


def index_at(x: float, count: int) -> int:
    """The bar at a place 0..1 of the width."""
    return min(max(math.floor(x * count), 0), count - 1)


def stroke(bars: Sequence[float], start: tuple[float, float], end: tuple[float, float]) -> Bars:
    """Draw a straight line through the bars from one point to another; points are fractions of width and height from below."""
    result, count = list(bars), len(bars)
    (x0, y0), (x1, y1) = sorted((start, end))
    first, last = index_at(x0, count), index_at(x1, count)
    for index in range(first, last + 1):
        share = 1.0 if last == first else (index - first) / (last - first)
        height = end[1] if last == first else y0 + (y1 - y0) * share
        result[index] = min(max(height, 0.0), 1.0)
    return tuple(result)


def normalised(bars: Sequence[float]) -> Bars:
    """Scaled so that the highest bar is full."""
    top = max(bars)
    return tuple(b / top for b in bars) if top > 0.0 else tuple(bars)


def smoothed(bars: Sequence[float]) -> Bars:
    """Each bar averaged with its neighbours."""
    last = len(bars) - 1
    return tuple((bars[max(i - 1, 0)] + 2.0 * b + bars[min(i + 1, last)]) / 4.0 for i, b in enumerate(bars))


def inverted(bars: Sequence[float]) -> Bars:
    """Turned upside down."""
    return tuple(1.0 - b for b in bars)


def randomised(bars: Sequence[float]) -> Bars:
    """Random heights under a falling line."""
    count = len(bars)
    return tuple(random.random() * (1.0 - 0.7 * index / count) for index in range(count))


SHAPES: dict[str, Callable[[int], float]] = {
    "Sawtooth (1/n)": lambda n: 1.0 / n,
    "Square (odd, 1/n)": lambda n: 1.0 / n if n % 2 else 0.0,
    "Triangle (odd, 1/n²)": lambda n: 1.0 / n**2 if n % 2 else 0.0,
    "Organ (octaves)": lambda n: 1.0 / math.log2(2 * n) if n & (n - 1) == 0 else 0.0,
    "Hollow (every third missing)": lambda n: 0.0 if n % 3 == 0 else 1.0 / n**0.7,
    "Formant": lambda n: math.exp(-(((n - 6) / 2.5) ** 2)) + 0.6 / n,
    "Only the first": lambda n: 1.0 if n == 1 else 0.0,
    "Flat": lambda n: 1.0,
    "Falling line": lambda n: 1.0 - min((n - 1) / 24.0, 1.0),
    "Empty": lambda n: 0.0,
}
"""Ready-made shapes: the height of bar number n, counted from 1."""


def shaped(name: str, count: int) -> Bars:
    """A ready-made shape for `count` bars."""
    return tuple(min(SHAPES[name](index + 1), 1.0) for index in range(count))
