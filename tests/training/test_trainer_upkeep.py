"""What a trainer keeps, plans and says, with steps that take no time to compute and a clock that goes on when it is told to."""

from __future__ import annotations

import errno
import functools
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ddsp_studio.cli_commands import train as command
from ddsp_studio.dsp.tensor import tf
from ddsp_studio.processors import model_file
from ddsp_studio.training import protocol, trainer
from ddsp_studio.training.data.batches import Batches
from ddsp_studio.training.evaluation import Judge, Scores
from ddsp_studio.training.pace import ENOUGH, Clock
from ddsp_studio.training.runs import Run
from ddsp_studio.training.stepper import Stepper, Told
from ddsp_studio.training.trainer import Control, Trainer

from .materials import Heard, begun, quick

STEP_S, JUDGE_S = 0.5, 10.0
SCORES = Scores(5.0, 1.0, 0.99, 0.0, 2.0, -1.0, 10.0)


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Steps of half a second that learn nothing, and judging of ten: `now` is the time."""
    time = SimpleNamespace(now=1000.0, judged=0, stop_at=None, control=Control())

    def learn(self: Stepper, *_: Any) -> Told:
        time.now += STEP_S
        self.step += 1
        if self.step == time.stop_at:
            time.control.stop.set()
        return Told(1.0, 1.0)

    def heard(*_: Any) -> tuple[np.ndarray, np.ndarray, Scores]:
        time.now += JUDGE_S
        time.judged += 1
        sound = np.zeros((1, 16_000), np.float32)
        return sound, sound, SCORES._replace(spectral=5.0 - 0.01 * time.judged)

    def now() -> float:
        return float(time.now)

    monkeypatch.setattr(Stepper, "learn", learn)
    monkeypatch.setattr(Trainer, "_heard", heard)
    monkeypatch.setattr(trainer, "Clock", functools.partial(Clock, now=now))
    monkeypatch.setattr(trainer, "time", SimpleNamespace(monotonic=now))
    return time


def minutes(**changes: Any) -> Any:
    return quick(**{"steps": 0, "minutes": 2.0, "checkpoint_steps": 0, "checkpoint_s": 20.0, **changes})


def train(run: Run, cache: Path, control: Control | None = None, *, resumed: bool = False) -> tuple[str, Heard]:
    heard = Heard()
    how = Trainer(run, heard.append, control, cache=cache, resumed=resumed).run()
    return how, heard


# -- planning ------------------------------------------------------------------------------------------------------------


def test_each_checkpoint_plans_by_the_pace_of_steps_alone(
    idle: SimpleNamespace, material: Path, cache: Path, tmp_path: Path
) -> None:
    run = begun(tmp_path / "run", material, minutes())
    how, heard = train(run, cache)
    assert how == "done"
    events = [e for e in heard if isinstance(e, protocol.Progress | protocol.Checkpointed)]
    followed = [(a, b) for a, b in zip(events, events[1:], strict=False) if isinstance(a, protocol.Checkpointed)]
    assert len(followed) >= 3
    for made, after in followed[:-1]:  # the last one is the end
        assert after.steps == made.step + int(0.95 * (120.0 - made.seconds) / STEP_S)


def test_what_is_done_is_kept_as_done(idle: SimpleNamespace, material: Path, cache: Path, tmp_path: Path) -> None:
    """Nothing is left of a plan that was too long: no "step 1,700 of 1,712", and nothing to go on with."""
    run = begun(tmp_path / "run", material, minutes())
    _, heard = train(run, cache)
    held, last = run.load(), heard.of(protocol.Progress)[-1]
    assert held is not None and held.steps == held.learned.step == last.step == last.steps
    assert run.finished
    _, again = train(run, cache, resumed=True)
    assert run.load().learned.step == held.learned.step
    assert again.of(protocol.Checkpointed) == []


def test_one_that_goes_on_does_not_end_at_its_first_checkpoint(
    idle: SimpleNamespace, material: Path, cache: Path, tmp_path: Path
) -> None:
    run = begun(tmp_path / "run", material, minutes(checkpoint_steps=30))
    idle.stop_at = 58
    assert train(run, cache, idle.control)[0] == "stopped"
    idle.stop_at = None
    held = run.load()
    assert held is not None and held.learned.step == 58 and held.steps > 100
    how, heard = train(run, cache, resumed=True)  # the next checkpoint comes after two steps
    assert [e.step for e in heard.of(protocol.Checkpointed)][:2] == [60, 90]
    assert how == "done" and heard.of(protocol.Progress)[-1].step > 60 + ENOUGH


def spoiling(monkeypatch: pytest.MonkeyPatch, every: int) -> None:
    """Let every so-many-th step give no numbers."""
    real = Stepper.learn

    def learn(self: Stepper, *how: Any) -> Told:
        told = real(self, *how)
        return Told(float("nan"), 1.0) if self.step % every == 0 else told

    monkeypatch.setattr(Stepper, "learn", learn)


def test_a_step_in_a_thousand_that_gives_no_numbers_costs_only_itself(
    idle: SimpleNamespace, material: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoiling(monkeypatch, 100)
    run = begun(tmp_path / "run", material, quick(steps=1000, checkpoint_steps=50))
    how, heard = train(run, cache)
    assert how == "done" and len(heard.of(protocol.Notice)) == 10 and run.load().caution >= 0.5
    assert all(math.isfinite(e.loss) and e.loss == 1.0 for e in heard.of(protocol.Progress) if e.step)


def test_steps_that_never_give_numbers_end_it(
    idle: SimpleNamespace, material: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoiling(monkeypatch, 1)
    with pytest.raises(ValueError, match="no numbers again and again"):
        train(begun(tmp_path / "run", material, quick(steps=2000, checkpoint_steps=50)), cache)


def test_the_loss_that_is_shown_goes_on_where_it_was(
    idle: SimpleNamespace, material: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begun(tmp_path / "run", material, minutes(checkpoint_steps=30))
    idle.stop_at = 40
    train(run, cache, idle.control)
    idle.stop_at, learn = None, Stepper.learn
    monkeypatch.setattr(Stepper, "learn", lambda self, *how: learn(self, *how)._replace(loss=2.0))
    _, heard = train(run, cache, resumed=True)
    assert 1.0 < heard.of(protocol.Progress)[0].loss < 1.2
    done = train(run, cache, resumed=True)[1].of(protocol.Progress)  # which has no step to do
    assert done and all(e.loss > 1.0 for e in done)


def test_scores_by_another_measure_are_not_compared_with(
    idle: SimpleNamespace, material: Path, cache: Path, tmp_path: Path
) -> None:
    """As of a program of before, whose loss had other windows: a score that nothing beats would keep the model as it is."""
    run = begun(tmp_path / "run", material, minutes(checkpoint_steps=30))
    idle.stop_at = 40
    train(run, cache, idle.control)
    idle.stop_at = None
    held = run.load()
    run.save(held._replace(best=1.0, judged_by=""), best=False)
    assert train(run, cache, resumed=True)[0] == "done"
    done = run.load()
    assert done.judged_by == held.judged_by != "" and 4.0 < done.best < held.best
    assert bundle_step(run) == done.learned.step > 40


@pytest.mark.parametrize("gone", [OSError, MemoryError])
def test_what_cannot_be_fed_ends_it_in_one_sentence(
    idle: SimpleNamespace, material: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gone: type
) -> None:
    def batch(self: Batches, number: int) -> Any:
        raise FileNotFoundError(errno.ENOENT, "No such file", "audio.f32") if gone is OSError else MemoryError

    monkeypatch.setattr(Batches, "batch", batch)
    with pytest.raises((OSError, ValueError), match=r"No such file|memory does not hold 2 clips of 0.25 s"):
        train(begun(tmp_path / "run", material), cache)


# -- keeping -------------------------------------------------------------------------------------------------------------


def test_a_disk_that_is_full_at_the_first_checkpoint_keeps_the_order(
    idle: SimpleNamespace, material: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begun(tmp_path / "run", material)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "last.ckpt")

    with monkeypatch.context() as disk:
        disk.setattr(Run, "save", full)
        with pytest.raises(OSError, match="No space left"):
            train(run, cache)
    assert run.order()[0].name == "Tone" and not run.has_checkpoint
    (run.folder / "best.ckpt").write_bytes(b"of another training")
    assert train(run, cache, resumed=True)[0] == "done"
    assert bundle_step(run) == 6


def bundle_step(run: Run) -> int:
    return int(model_file.load(run.model).about["training"]["step"])


def test_a_best_checkpoint_without_a_last_one_is_no_model(
    idle: SimpleNamespace, material: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, other = begun(tmp_path / "run", material), begun(tmp_path / "other", material)
    train(other, cache)
    (other.folder / "best.ckpt").rename(run.folder / "best.ckpt")
    written: list[int] = []
    monkeypatch.setattr(Trainer, "_export", lambda self, at, *_: written.append(at.learned.step))
    train(run, cache)
    assert written[0] == 3


@pytest.mark.parametrize("place", ["_heard", "_export", "_events", "_write_samples"])
def test_what_is_killed_while_it_judges_is_judged_when_it_goes_on(
    idle: SimpleNamespace, material: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    class Killed(BaseException):
        pass

    def kill(*_: Any) -> None:
        raise Killed

    run = begun(tmp_path / "run", material)
    with monkeypatch.context() as judging:
        judging.setattr(Trainer, place, kill)
        with pytest.raises(Killed):
            train(run, cache)
    held = run.load()
    assert held is not None and held.learned.step == 3 and math.isfinite(held.best) == (place != "_heard")
    idle.judged = 0  # it is found as good as before
    assert len((run.folder / "log.csv").read_text().splitlines()) == 1 + 3
    _, heard = train(run, cache, resumed=True)
    assert [(e.step, e.best) for e in heard.of(protocol.Checkpointed)] == [(3, True), (6, True)]
    assert len((run.folder / "log.csv").read_text().splitlines()) == 1 + 6
    assert [line.split(",")[0] for line in (run.folder / "scores.csv").read_text().splitlines()] == ["step", "3", "6"]


def test_memory_that_runs_out_while_it_judges_costs_time_only(
    material: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, sizes, most = Judge._heard, [], 1

    def small(self: Judge, vector: Any, size: int) -> Any:
        sizes.append(size)
        if size > most:
            raise tf.errors.ResourceExhaustedError(None, None, "no memory")
        return real(self, vector, size)

    monkeypatch.setattr(Judge, "_heard", small)
    run = begun(tmp_path / "run", material, quick(steps=4, checkpoint_steps=2, held_out=0.0))
    how, heard = train(run, cache)
    assert how == "done" and len(heard.of(protocol.Checkpointed)) == 2
    assert sizes[:2] == [2, 1] and set(sizes[2:]) == {1}  # clips at once are as many as in a step
    most = 0
    other = begun(tmp_path / "other", material, quick(steps=2))
    with pytest.raises(ValueError, match="does not hold a single clip"):
        train(other, cache)
    assert other.load().learned.step == 2


def test_a_second_trainer_is_refused_and_harms_nothing(
    idle: SimpleNamespace, material: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begun(tmp_path / "run", material)
    wait = Run.locked
    monkeypatch.setattr(Run, "locked", lambda self: wait(self, 0.1))
    with wait(Run(run.folder)), pytest.raises(ValueError, match="another trainer is at work"):
        train(run, cache)
    assert run.order()[0].name == "Tone"
    assert train(run, cache)[0] == "done"


# -- what is said --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.0, 0.2])
def test_it_is_said_what_the_scores_are_of(
    idle: SimpleNamespace, material: Path, cache: Path, tmp_path: Path, share: float
) -> None:
    run = begun(tmp_path / "run", material, quick(held_out=share))
    _, heard = train(run, cache)
    said = [e.text for e in heard.of(protocol.Notice) if "hold some of it out" in e.text]
    written = b"".join(path.read_bytes() for path in (run.folder / "events").iterdir())
    facts, told = model_file.load(run.model).about["training"], command.describe(str(run.model), as_json=False)
    if share:
        assert not said and facts["judged_on"] == "held out" and "it learned from" not in told
        assert b"held out/spectral" in written and b"training clips/" not in written
    else:
        assert len(said) == 1 and facts["judged_on"] == "training" and "judged by recordings that it learned from" in told
        assert b"training clips/spectral" in written and b"held out/" not in written


def test_the_command_line_stands_back_before_tensorflow_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[Any] = []
    monkeypatch.setattr("os.nice", done.append, raising=False)
    monkeypatch.setattr(command, "load_tensorflow", lambda: done.append("loaded"))
    monkeypatch.setattr(Trainer, "run", lambda self: done.append("trained") or "done")
    command._see_through(Run(tmp_path), True)
    assert done == [15, "loaded", "trained"]
