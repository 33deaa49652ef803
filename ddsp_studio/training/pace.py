"""How long a training takes: its clock, and how many steps fit the minutes that it is given."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

FROM, ENOUGH = 4, 24
"""Steps of this process from which the pace is measured, and is believed; the first ones compile."""
_MARGIN = 0.95
_SMOOTH = 0.05


def averaged(average: float, *losses: float) -> float:
    """The moving average of losses with some more of them; NaN before the first one. What is no number is left out."""
    for loss in losses:
        if math.isfinite(loss):
            average = average + _SMOOTH * (loss - average) if math.isfinite(average) else loss
    return average


class Seldom:
    """Lets something be done at most once in so many seconds, at once the first time."""

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        """`now` tells the time in s."""
        self._seconds, self._now, self._next = seconds, now, 0.0

    def due(self) -> bool:
        """Whether it is time; if so, the next time is later."""
        now = self._now()
        if now < self._next:
            return False
        self._next = now + self._seconds
        return True


class Clock:
    """Seconds of training: pauses are left out, judging is not."""

    def __init__(self, before: float, now: Callable[[], float] = time.monotonic) -> None:
        """Go on from so many seconds; `now` tells the time in s."""
        self._before, self._now, self._began = before, now, now()
        self._left_out, self._judged, self._first = 0.0, 0.0, 0.0
        self.steps = 0

    @property
    def seconds(self) -> float:
        """Of training so far, those of earlier processes included."""
        return self._before + self._now() - self._began - self._left_out

    @property
    def pace(self) -> float:
        """Steps a second without judging and compiling, 0 until it can be told."""
        worked = self.seconds - self._judged - self._first
        return (self.steps - FROM) / worked if self.steps > FROM and worked > 0.0 else 0.0

    def stepped(self) -> None:
        """A step was done."""
        self.steps += 1
        if self.steps == FROM:
            self._first = self.seconds - self._judged

    def leave_out(self, seconds: float) -> None:
        """So many seconds just passed in a pause."""
        self._left_out += seconds

    def judged(self, seconds: float) -> None:
        """So many seconds just passed while a checkpoint was judged and written."""
        self._judged += seconds

    def fitting(self, step: int, minutes: float) -> int:
        """Steps in all that fit the minutes, after `step` steps; 0 while the pace is not known."""
        if self.steps < ENOUGH:
            return 0
        left_s = max(0.0, 60.0 * minutes - self.seconds)
        return step + max(1, int(_MARGIN * left_s * self.pace))
