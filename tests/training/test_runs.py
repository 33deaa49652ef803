"""A training's folder: what is not its own stays, and no two trainers write it."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ddsp_studio.processors import patch_file
from ddsp_studio.training import runs
from ddsp_studio.training.runs import Checkpoint, Material, Run
from ddsp_studio.training.stepper import Learned

from .materials import begun, patch, quick

ORDER = {"audio": Path("/recordings/tone.wav")}


def checkpoint(step: int = 6) -> Checkpoint:
    zeros = np.zeros(4, np.float32)
    return Checkpoint(Learned(zeros, zeros, zeros, step), 6, 90.0, 1.0, 2, 5.0)


# -- what is not the training's own --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["patch.ddsp", "material.json", "best.ckpt", "last.ckpt", "log.csv", "model.ddspmodel", "samples"]
)
def test_what_it_would_write_over_is_left_alone(tmp_path: Path, name: str) -> None:
    mine = tmp_path / name / "kick.wav" if name == "samples" else tmp_path / name
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("mine")
    with pytest.raises(FileExistsError, match=f"holds '{name}', which a training would write over") as told:
        begun(tmp_path, **ORDER)
    assert len(str(told.value).splitlines()) == 1
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [mine] and mine.read_text() == "mine"


def test_giving_up_removes_what_was_begun_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    (folder / "samples").mkdir(parents=True)
    (folder / "patch.ddsp~").write_text("mine")
    run = begun(folder, **ORDER)
    run.check_material([Material("tone.wav", 10, "key 0")])
    run.abandon()
    assert sorted(path.name for path in folder.iterdir()) == ["patch.ddsp~", "samples"]
    fresh = begun(tmp_path / "a" / "b", **ORDER)
    assert sorted(path.name for path in fresh.folder.iterdir()) == ["patch.ddsp", "samples", "settings.json"]
    fresh.abandon()
    assert not (tmp_path / "a").exists()


def test_another_object_gives_nothing_up(tmp_path: Path) -> None:
    run = begun(tmp_path / "run", **ORDER)
    Run(run.folder).abandon()
    assert run.order()[0].name == "Tone"


def test_a_disk_that_is_full_at_the_beginning_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "settings.json")

    monkeypatch.setattr(runs, "write_text", full)
    with pytest.raises(OSError, match="No space left"):
        begun(tmp_path / "run", **ORDER)
    assert not (tmp_path / "run").exists()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("mine")
    for out in (mine, mine / "a" / "run"):
        with pytest.raises(NotADirectoryError, match="mine' is a file; name a folder"):
            begun(out, **ORDER)
        with pytest.raises(ValueError, match="there is no training in"):
            Run(out).order()
    assert mine.read_text() == "mine"


# -- checkpoints ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [6, 8, 10], ids=["version", "encrypted", "compression"])
def test_a_damaged_checkpoint_names_the_way_on(tmp_path: Path, place: int) -> None:
    run = begun(tmp_path / "run", **ORDER)
    run.save(checkpoint(4), best=True)
    run.save(checkpoint(6), best=False)
    for name, words in (
        ("last.ckpt", "copy best.ckpt over it to go on from step 4"),
        ("best.ckpt", "train anew in another folder"),
    ):
        damaged = bytearray((run.folder / name).read_bytes())
        damaged[damaged.rfind(b"PK\x01\x02") + place] = 99
        (run.folder / name).write_bytes(damaged)
        with pytest.raises(ValueError, match=f"last.ckpt' is damaged: .+; .*{words}$") as told:
            run.load()
        assert len(str(told.value).splitlines()) == 1


# -- one at a time -------------------------------------------------------------------------------------------------------

HOLD = "import sys; from pathlib import Path; from ddsp_studio.training.runs import Run\nwith Run(Path(sys.argv[1])).locked():\n\
    print('held', flush=True); sys.stdin.read()"

needs_locks = pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks here")


@needs_locks
def test_a_folder_is_one_trainers_and_free_when_it_dies(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        with pytest.raises(ValueError, match="another trainer is at work") as told, Run(tmp_path).locked(0.2):
            pass
        assert len(str(told.value).splitlines()) == 1
        other.kill()
    with Run(tmp_path).locked(2.0):
        pass


@needs_locks
def test_one_that_is_ending_is_waited_for(tmp_path: Path) -> None:
    run, held, order = Run(tmp_path), threading.Event(), []

    def first() -> None:
        with run.locked():
            held.set()
            time.sleep(0.3)
            order.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    assert held.wait(5.0)
    with Run(tmp_path).locked(10.0):
        order.append("second")
    thread.join()
    assert order == ["first", "second"]


@needs_locks
def test_a_training_that_goes_on_is_not_made_longer_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = begun(tmp_path / "run", **ORDER)
    with run.locked(), pytest.raises(ValueError, match="another trainer"):
        monkeypatch.setattr(Run, "locked", lambda self, _wait=0.1, real=Run.locked: real(self, 0.1))
        Run(run.folder).lengthen(steps=60)
    assert run.order()[0].settings == quick()


# -- what is learnt from -------------------------------------------------------------------------------------------------


def test_other_content_of_the_same_length_is_refused(tmp_path: Path) -> None:
    run = begun(tmp_path / "run", **ORDER)
    held = [Material("a.wav", 10, "one 0"), Material("b.wav", 10, "two 0")]
    run.check_material(held)
    run.check_material(held[::-1])
    with pytest.raises(ValueError, match=r"'b\.wav' is not what it was"):
        run.check_material([held[0], Material("b.wav", 10, "three 0")])


def test_runs_of_before_and_of_other_features_know_names_and_lengths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = begun(tmp_path / "run", **ORDER)
    (run.folder / "material.json").write_text(json.dumps([["a.wav", 10]]))
    run.check_material([Material("a.wav", 10, "one 0")])
    with pytest.raises(ValueError, match=r"'a\.wav' is not what it was"):
        run.check_material([Material("a.wav", 11, "one 0")])
    (run.folder / "material.json").unlink()
    run.check_material([Material("a.wav", 10, "one 0")])
    monkeypatch.setattr(runs, "VERSION", runs.VERSION + 1)
    run.check_material([Material("a.wav", 10, "another 0")])
    with pytest.raises(ValueError, match=r"'b\.wav' is new|'a\.wav' is not there"):
        run.check_material([Material("b.wav", 10, "one 0")])


def test_no_backup_is_made_of_the_patch(tmp_path: Path) -> None:
    run = begun(tmp_path / "run", **ORDER)
    run.save(checkpoint(), best=True)
    run.lengthen(steps=60)
    assert not list(run.folder.glob("*~"))
    assert run.order()[1] == patch_file.from_json(patch_file.to_json(patch()))


def test_it_is_prolonged_by_minutes(tmp_path: Path) -> None:
    run = begun(tmp_path / "run", **ORDER)
    run.prolong(3.0)
    assert run.order()[0].settings.minutes == 3.0 and not run.finished
    run.save(checkpoint()._replace(seconds=90.0), best=True)
    run.prolong(10.0)
    assert run.order()[0].settings.minutes == 11.5 and not run.finished
    assert run.load().steps == 0  # planned anew


def test_it_knows_which_steps_were_judged(tmp_path: Path) -> None:
    run = begun(tmp_path / "run", **ORDER)
    assert not run.judged(3)
    run.log("scores.csv", [{"step": 3, "spectral": 5.0}, {"step": 6, "spectral": 4.0}])
    assert run.judged(3) and run.judged(6) and not run.judged(4)
    run.rewind(5)
    assert run.judged(3) and not run.judged(6)
