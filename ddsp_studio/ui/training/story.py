"""What a training has come to, told by its events. Free of Qt."""

from __future__ import annotations

import csv
import enum
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ddsp_studio.training import protocol

MOST_POINTS = 2000
"""Points of the loss curve; when there are more, every second one is left out."""
_SMOOTH = 0.05


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

    def take(self, event: protocol.Event) -> None:
        """Take an event in."""
        match event:
            case protocol.Preparing():
                self.share = event.share
                self._go(Stage.PREPARING)
            case protocol.Prepared():
                self.prepared, self.share = event, 1.0
                self.notices += event.problems
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
        self._go(Stage.PAUSED if event.paused else Stage.RUNNING)
        if event.loss > 0.0 and (not self.losses or event.step > self.losses[-1][0]):
            self.losses.append((event.step, event.loss))
            if len(self.losses) > MOST_POINTS:
                del self.losses[:-1:2]

    def _add_point(self, point: Point) -> None:
        if not self.points or point.step > self.points[-1].step:
            self.points.append(point)

    @property
    def best(self) -> Point | None:
        """The best checkpoint so far."""
        return next((point for point in reversed(self.points) if point.best), None)

    @property
    def busy(self) -> bool:
        """Whether the trainer works on it, or will go on when it is let."""
        return self.stage not in (Stage.ENDED, Stage.INTERRUPTED)

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
        told = []
        if self.progress is not None:
            of = f" of {self.progress.steps:,}" if self.progress.steps else ""
            told = [
                f"step {self.progress.step:,}{of}",
                f"{self.progress.steps_per_s:.1f} steps/s",
                f"loss {self.progress.loss:.3f}",
            ]
        elif self.prepared is not None:
            told = [f"{span(self.prepared.seconds)} of sound", f"{self.prepared.weights:,} weights", "compiling the first step"]
        return "  ·  ".join(told)

    # -- after a break ----------------------------------------------------------------------------------------------------

    def recall(self, folder: Path) -> None:
        """Take in what the folder of a training says of the steps before this studio."""
        smooth = math.nan
        losses = []
        for row in _rows(folder / "log.csv"):
            if "step" in row and math.isfinite(row.get("loss", math.nan)):
                smooth = row["loss"] if math.isnan(smooth) else smooth + _SMOOTH * (row["loss"] - smooth)
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
    Stage.STOPPING: "Stopping: the step that runs is finished, then what was learned is judged and saved…",
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
