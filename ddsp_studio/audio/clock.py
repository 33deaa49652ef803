"""Which sample of the stream belongs to a moment: a delay-locked loop over noisy observations.

After F. Adriaensen, "Using a DLL to filter time" (2005), with observations at any spacing.

Thread rule: the render thread calls `observe` and `restart`; any thread may call `position_at`, which reads one tuple.
"""

from __future__ import annotations

import math

_BANDWIDTH_HZ = 0.5
_FIRST_BANDWIDTH_HZ = 4.0
_LOST_S = 0.05


class StreamClock:
    """Relates `time.perf_counter` seconds to samples that the device has taken."""

    def __init__(self, sample_rate: int) -> None:
        self._nominal = 1.0 / sample_rate
        self._line: tuple[float, float, float] | None = None
        self._seen = 0

    def restart(self) -> None:
        """Forget what was observed: the device has stopped or skipped."""
        self._line, self._seen = None, 0

    def observe(self, seconds: float, position: float) -> None:
        """Note that the device had taken `position` samples at a moment, give or take some jitter."""
        if self._line is None:
            self._line = (seconds, position, self._nominal)
            return
        time, held, period = self._line
        advance = position - held
        if advance <= 0:
            return
        predicted = time + advance * period
        error = seconds - predicted
        if abs(error) > _LOST_S:
            self.restart()
            self._line = (seconds, position, self._nominal)
            return
        self._seen += 1
        bandwidth = max(_BANDWIDTH_HZ, _FIRST_BANDWIDTH_HZ / self._seen**0.5)
        omega = min(0.5, 2.0 * math.pi * bandwidth * advance * period)
        change = omega * omega * error / advance
        period = min(max(period + change, self._nominal * 0.8), self._nominal * 1.25)
        self._line = (predicted + math.sqrt(2.0) * omega * error, position, period)

    def position_at(self, seconds: float) -> float | None:
        """Samples taken at a moment by the smoothed clock; None before the first observation."""
        line = self._line
        return None if line is None else line[1] + (seconds - line[0]) / line[2]
