"""What a training has come to, told by its events. Free of Qt."""

from __future__ import annotations

import csv
import enum
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ddsp_studio.training import protocol
from ddsp_studio.training.pace import averaged

MOST_POINTS = 2000
"""Points of the loss curve; when there are more, every second one is left out."""


class Stage(enum.Enum):
    """Where a training is."""

    STARTING = "starting"
    PREPARING = "preparing"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    DISCARDING = "discarding"
    INTERRUPTED = "interrupted"
    ENDED = "ended"


@dataclass(frozen=True)
class Point:
    """A checkpoint: sounds and spectrograms are "target.flac", "target.npz" and so on."""

    step: int
    seconds: float
    best: bool
    scores: dict[str, float]
    target: str
    played: str

    @property
    def kept(self) -> bool:
        """Whether what it sounded like is still there; of many checkpoints only some keep it."""
        return Path(f"{self.played}.flac").is_file()


@dataclass
class Story:
    """Everything that is shown of a training."""

    stage: Stage = Stage.STARTING
    share: float = 0.0
    prepared: protocol.Prepared | None = None
    progress: protocol.Progress | None = None
    losses: list[tuple[int, float]] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    ended: protocol.Ended | None = None
    trouble: str = ""
    """Why it was interrupted."""
    held: bool = False
    """Whether the first step is to wait."""
    stepped: bool = False
    """Whether a step was done since the trainer was started."""

    def take(self, event: protocol.Event) -> None:
        """Take an event in."""
        match event:
            case protocol.Preparing():
                self.share = event.share
                self._go(Stage.PREPARING)
            case protocol.Prepared():
                self.prepared, self.share = event, 1.0
                self.notices += event.problems
                self._go(Stage.PREPARING)
            case protocol.Progress():
                self._progressed(event)
            case protocol.Checkpointed():
                self._add_point(Point(event.step, event.seconds, event.best, event.scores, event.target, event.played))
            case protocol.Notice():
                (self.notices if event.warning else self.remarks).append(event.text)
            case protocol.Ended():
                self.ended, self.stage = event, Stage.ENDED
            case _:
                pass

    def _go(self, stage: Stage) -> None:
        if self.stage not in (Stage.STOPPING, Stage.DISCARDING):
            self.stage = stage

    def _progressed(self, event: protocol.Progress) -> None:
        self.progress = event
        self.stepped = self.stepped or not event.paused
        self._go(Stage.PAUSED if event.paused else Stage.RUNNING)
        if event.loss > 0.0 and (not self.losses or event.step > self.losses[-1][0]):
            self.losses.append((event.step, event.loss))
            if len(self.losses) > MOST_POINTS:
                del self.losses[:-1:2]

    def _add_point(self, point: Point) -> None:
        if not self.points or point.step > self.points[-1].step:
            self.points.append(point)

    def hold(self, on: bool) -> None:
        """Take in that the user wants it held, or to go on."""
        if self._begins:
            self.held = on
        else:
            self._go(Stage.PAUSED if on else Stage.RUNNING)

    @property
    def best(self) -> Point | None:
        """The best checkpoint so far."""
        return next((point for point in reversed(self.points) if point.best), None)

    @property
    def busy(self) -> bool:
        """Whether the trainer works on it, or will go on when it is let."""
        return self.stage not in (Stage.ENDED, Stage.INTERRUPTED)

    @property
    def _begins(self) -> bool:
        return self.stage in (Stage.STARTING, Stage.PREPARING)

    @property
    def can_pause(self) -> bool:
        """Whether it can be held, or let go on."""
        return self._begins or self.stage in (Stage.RUNNING, Stage.PAUSED)

    @property
    def paused(self) -> bool:
        """Whether it is held, or will be before its first step."""
        return self.stage is Stage.PAUSED or (self._begins and self.held)

    @property
    def compiles(self) -> bool:
        """Whether the first step is being compiled: nobody knows how long that takes."""
        return self.prepared is not None and not self.stepped and self.stage in (Stage.PREPARING, Stage.RUNNING)

    @property
    def loss(self) -> float:
        """The last loss that is known; 0 while none is."""
        told = self.progress.loss if self.progress is not None else 0.0
        return told or (self.losses[-1][1] if self.losses else 0.0)

    @property
    def done(self) -> float:
        """Share that is done, 0..1."""
        if self.progress is None or not self.progress.steps:
            return 0.0
        return min(1.0, self.progress.step / self.progress.steps)

    # -- words ----------------------------------------------------------------------------------------------------------

    def headline(self) -> str:
        """What goes on, in a few words."""
        match self.stage:
            case _ if self._begins and self.held:
                return "Paused before the first step"
            case _ if self.compiles:
                return "Compiling the first step…"
            case Stage.STARTING:
                return "Starting the trainer…"
            case Stage.PREPARING:
                return f"Listening to the recordings… {100 * self.share:.0f} %"
            case Stage.RUNNING if self.progress is not None:
                left = f", {span(self.progress.left_s)} left" if self.progress.left_s else ""
                return f"Training{left}"
            case Stage.ENDED if self.ended is not None:
                return {"done": "Done", "stopped": "Stopped; what was learned is kept", "discarded": "Discarded"}.get(
                    self.ended.how, "The training failed"
                )
            case stage:
                return _WORDS[stage]

    def detail(self) -> str:
        """The numbers below it."""
        if self.ended is not None and self.ended.text:
            return self.ended.text
        if self.trouble and self.stage is Stage.INTERRUPTED:
            return self.trouble
        told: list[str] = []
        if self.progress is not None:
            told = self._numbers(self.progress)
        elif self.prepared is not None:
            told = [f"{span(self.prepared.seconds)} of sound", f"{self.prepared.weights:,} weights"]
        return "  ·  ".join(told)

    def _numbers(self, progress: protocol.Progress) -> list[str]:
        """Step, pace while there is one, and loss as far as they are known."""
        told = [f"step {progress.step:,}{f' of {progress.steps:,}' if progress.steps else ''}"]
        if self.stage is Stage.RUNNING and progress.steps_per_s > 0.0:
            told.append(f"{progress.steps_per_s:.1f} steps/s")
        return [*told, f"loss {self.loss:.3f}"] if self.loss > 0.0 else told

    # -- after a break ----------------------------------------------------------------------------------------------------

    def recall(self, folder: Path) -> None:
        """Take in what the folder of a training says of the steps before this studio."""
        smooth = math.nan
        losses = []
        for row in _rows(folder / "log.csv"):
            if "step" in row and math.isfinite(row.get("loss", math.nan)):
                smooth = averaged(smooth, row["loss"])
                losses.append((int(row["step"]), smooth))
        self.losses = losses[:: max(1, len(losses) // (MOST_POINTS // 2))]
        best = math.inf
        self.points = []
        samples = folder / "samples"
        for row in _rows(folder / "scores.csv"):
            step = int(row.pop("step", 0))
            played, better = samples / f"played-{step:07d}", row.get("spectral", math.inf) < best
            best = min(best, row.get("spectral", math.inf))
            self._add_point(Point(step, row.pop("seconds", 0.0), better, row, str(samples / "target"), str(played)))


_WORDS = {
    Stage.RUNNING: "Training",
    Stage.PAUSED: "Paused",
    Stage.STOPPING: "Stopping, and keeping what was learned…",
    Stage.DISCARDING: "Discarding…",
    Stage.INTERRUPTED: "Interrupted",
    Stage.ENDED: "Ended",
}


def _rows(path: Path) -> Iterator[dict[str, float]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                try:
                    yield {str(key): float(value) for key, value in row.items()}
                except (TypeError, ValueError):
                    continue  # the last line of a trainer that was killed
    except (OSError, UnicodeDecodeError, csv.Error):
        return


def span(seconds: float) -> str:
    """A length of time in words: "45 s", "3:20 min", "1:05 h"."""
    whole = round(max(0.0, seconds))
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60}:{whole % 60:02d} min" if whole < 3600 else f"{whole // 3600}:{whole % 3600 // 60:02d} h"
