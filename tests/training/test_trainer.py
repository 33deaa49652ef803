"""The trainer: it learns, repeats itself exactly, goes on where it was killed, and says what went wrong."""

from __future__ import annotations

import csv
import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ddsp_studio.dsp.tensor import tf
from ddsp_studio.processors import model_file
from ddsp_studio.training import bundle, protocol, samples
from ddsp_studio.training.evaluation import Scores
from ddsp_studio.training.runs import Run
from ddsp_studio.training.stepper import Stepper, Told
from ddsp_studio.training.trainer import Control, Trainer

from .materials import Heard, begun, patch, quick, tone, write


def train(run: Run, cache: Path, control: Control | None = None) -> tuple[str, Heard]:
    heard = Heard()
    how = Trainer(run, heard.append, control, cache=cache).run()
    return how, heard


def losses(run: Run) -> list[str]:
    with (run.folder / "log.csv").open(encoding="utf-8") as file:
        return [row["loss"] for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def unbroken(material: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Heard]:
    run = begun(tmp_path_factory.mktemp("runs") / "one", material)
    how, heard = train(run, cache)
    assert how == "done"
    return run, heard


def test_a_training_learns_and_leaves_a_model(unbroken: tuple[Run, Heard]) -> None:
    run, heard = unbroken
    assert [e.step for e in heard.of(protocol.Checkpointed)] == [3, 6]
    assert heard[-1].how == "done" and heard[-1].peak_mib > 100
    assert len(losses(run)) == 6
    model = model_file.load(run.model)
    assert model.about["data"] == {"sources": ["tone.wav"], "seconds": 6.0, "licence": "CC0 1.0"}
    low, high = model.about["range_midi"]
    assert 56.0 < low < high < 70.0
    assert {"patch.ddsp", "preview.flac"} <= set(model.files)
    played = Path(heard.of(protocol.Checkpointed)[-1].played)
    with np.load(played.with_suffix(".npz")) as held:
        assert held["db"].ndim == 2 and np.all(np.isfinite(held["db"].astype(np.float32)))
    assert played.with_suffix(".flac").is_file()
    assert any((run.folder / "events").iterdir())


CHILD = """
import sys
from pathlib import Path
from ddsp_studio.training.runs import Run
from ddsp_studio.training.trainer import Trainer
Trainer(Run(Path(sys.argv[1])), lambda event: print(type(event).__name__, getattr(event, "step", ""), flush=True),
cache=Path(sys.argv[2])).run()
"""


def test_killed_and_resumed_it_learns_the_same(unbroken: tuple[Run, Heard], material: Path, cache: Path, tmp_path: Path) -> None:
    run = begun(tmp_path / "killed", material)
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(run.folder), str(cache)], stdout=subprocess.PIPE, text=True)
    for line in child.stdout or ():
        if line.startswith("Checkpointed 3"):
            os.kill(child.pid, signal.SIGKILL)
            break
    child.wait()
    if child.stdout:
        child.stdout.close()
    assert run.load() is not None and run.load().learned.step == 3
    how, _ = train(run, cache)
    assert how == "done"
    assert losses(run) == losses(unbroken[0])
    for kind in ("weights", "mean", "square"):
        np.testing.assert_array_equal(getattr(run.load().learned, kind), getattr(unbroken[0].load().learned, kind))


def test_discarded_it_leaves_nothing(material: Path, cache: Path, tmp_path: Path) -> None:
    run, control = begun(tmp_path / "discarded", material, quick(steps=10_000)), Control()

    def tell(event: Any) -> None:
        if isinstance(event, protocol.Checkpointed):
            control.discard.set()

    assert Trainer(run, tell, control, cache=cache).run() == "discarded"
    assert not run.folder.exists()


def test_no_numbers_are_stepped_back_from(material: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Stepper.learn

    def spoilt(self: Stepper, batch: Any, rate: float, at_once: int = 0) -> Told:
        if self.step == 4:
            batch = {**batch, "audio": tf.fill(batch["audio"].shape, float("nan"))}
        return real(self, batch, rate, at_once)

    monkeypatch.setattr(Stepper, "learn", spoilt)
    run = begun(tmp_path / "spoilt", material)
    how, heard = train(run, cache)
    assert how == "done"
    assert ["gave no numbers" in e.text for e in heard.of(protocol.Notice)] == [True]
    assert run.load().caution == 0.5
    assert np.all(np.isfinite(run.load().learned.weights))


def test_a_memory_that_runs_out_is_retried_smaller(
    material: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Stepper.learn

    def small(self: Stepper, batch: Any, rate: float, at_once: int = 0) -> Told:
        if at_once > 1:
            raise tf.errors.ResourceExhaustedError(None, None, "no memory")
        return real(self, batch, rate, at_once)

    monkeypatch.setattr(Stepper, "learn", small)
    run = begun(tmp_path / "small", material, quick(steps=2))
    how, heard = train(run, cache)
    assert how == "done" and run.load().at_once == 1
    assert "fewer clips at once: 1" in heard.of(protocol.Notice)[0].text


def test_what_is_not_there_is_told_in_one_sentence(tmp_path: Path, material: Path, cache: Path) -> None:
    with pytest.raises(ValueError, match="no training"):
        Run(tmp_path).order()
    run = begun(tmp_path / "run", material)
    with pytest.raises(FileExistsError, match="holds a training already"):
        begun(tmp_path / "run", material)
    (run.folder / "last.ckpt").write_bytes(b"PK nothing")
    with pytest.raises(ValueError, match="damaged"):
        train(run, cache)
    (run.folder / "settings.json").write_text("{")
    with pytest.raises(ValueError, match="cannot be read"):
        run.order()
    silent = begun(tmp_path / "silent", write(tmp_path / "silence.wav", np.zeros(32_000)))
    with pytest.raises(ValueError, match="silen"):
        train(silent, cache)
    assert not silent.folder.exists()


def test_collapse_and_the_octave_trap_are_told() -> None:
    fine = Scores(5.0, 1.0, 0.99, 0.0, 2.0, -1.0, 10.0)
    assert fine.warnings() == []
    assert "silent" in fine._replace(level_db=-35.0).warnings()[0]
    assert "octave" in fine._replace(octaves=0.5).warnings()[0]


def test_a_patch_that_begins_in_silence_learns_to_sound(material: Path, cache: Path, tmp_path: Path) -> None:
    """The known collapse: an instrument that begins far too soft must come up, not go out."""
    run = begun(tmp_path / "soft", material, quick(steps=40, checkpoint_steps=40, rate=0.01), patch(amplitude=0.0002))
    how, heard = train(run, cache)
    assert how == "done"
    assert heard.of(protocol.Checkpointed)[-1].scores["level_db"] > -15.0


def test_a_wrong_octave_is_found_out(cache: Path, tmp_path: Path) -> None:
    """Pitch that is named an octave too low: what is learned sounds right, and not as it was asked to."""
    from ddsp_studio.training.runs import Order, Source

    audio = write(tmp_path / "tone.wav", tone(seed=3))
    run = Run(tmp_path / "trap")
    settings = quick(steps=60, checkpoint_steps=60, rate=0.02, clip_s=0.5)
    run.begin(Order(name="Trap", sources=(Source(str(audio), octave=-1),), settings=settings), patch())
    _, heard = train(run, cache)
    assert any("octave" in e.text for e in heard.of(protocol.Notice))


def test_the_process_speaks_and_ends_with_its_input(material: Path, cache: Path, tmp_path: Path) -> None:
    from ddsp_studio.processors import patch_file
    from ddsp_studio.training.client import TrainerClient
    from ddsp_studio.training.runs import Source

    events: list[Any] = []
    deaths: list[str] = []
    os.environ["DDSP_STUDIO_CACHE"] = str(cache)
    client = TrainerClient(events.append, deaths.append)
    folder = tmp_path / "child"
    try:
        begin = protocol.Begin(
            folder=str(folder),
            name="Tone",
            patch=patch_file.to_json(patch()),
            sources=[Source(str(material))],
            settings=quick(steps=100_000, checkpoint_steps=4),
        )
        client.begin(begin)
        _until(lambda: any(isinstance(e, protocol.Checkpointed) for e in events), "a checkpoint")
        client.send(protocol.Pause())
        _until(lambda: any(isinstance(e, protocol.Progress) and e.paused for e in events), "the pause")
        os.kill(client.pid, signal.SIGKILL)
        _until(lambda: bool(deaths), "the death")
        assert "SIGKILL" in deaths[0] and client.pid == 0
        events.clear()
        client.begin(protocol.GoOn(folder=str(folder), more_minutes=30.0))
        _until(lambda: any(isinstance(e, protocol.Progress) for e in events), "progress after the restart")
        client.send(protocol.Stop())
        _until(lambda: any(isinstance(e, protocol.Ended) for e in events), "the end")
        ended = next(e for e in events if isinstance(e, protocol.Ended))
        assert ended.how == "stopped" and Path(ended.model).is_file() and 30.0 < Run(folder).order()[0].settings.minutes < 40.0
        client.begin(begin)
        _until(lambda: any(isinstance(e, protocol.Ended) and e.how == "failed" for e in events), "the refusal")
        assert "holds a training already" in next(e.text for e in events if isinstance(e, protocol.Ended) and e.how == "failed")
        assert len(deaths) == 1
    finally:
        del os.environ["DDSP_STUDIO_CACHE"]
        client.close()


def _until(true: Any, what: str, patience_s: float = 120.0) -> None:
    end = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < end, f"waited for {what}"
        time.sleep(0.05)


# -- what failed or was taken away is made up for -------------------------------------------------------------------------


def test_a_disk_that_was_full_costs_no_model(
    unbroken: tuple[Run, Heard], material: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever of a checkpoint could not be written, the resumed training ends with the model of its best one."""
    run = begun(tmp_path / "full", material)
    for target, name in ((samples, "write"), (bundle, "save_bundle")):
        with monkeypatch.context() as disk:
            disk.setattr(target, name, _full)
            with pytest.raises(OSError, match="No space left"):
                train(run, cache)
        assert run.has_checkpoint
    how, _ = train(run, cache)
    assert how == "done"
    about, expected = (model_file.load(one.model).about for one in (run, unbroken[0]))
    assert about["training"]["step"] == expected["training"]["step"]
    assert about["training"]["scores"] == expected["training"]["scores"]
    assert losses(run) == losses(unbroken[0])


def _full(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device", "somewhere")


def test_a_model_that_is_gone_or_old_is_written_again(material: Path, cache: Path, tmp_path: Path) -> None:
    run = begun(tmp_path / "finished", material)
    train(run, cache)
    whole = model_file.load(run.model)
    scores = (run.folder / "scores.csv").read_text()
    for harm in (run.model.unlink, lambda: run.model.write_bytes(b"PK")):
        harm()
        how, heard = train(run, cache)
        assert how == "done" and heard[-1].model
        again = model_file.load(run.model)
        assert again.about == {**whole.about, "training": {**again.about["training"]}}
        assert again.about["training"]["scores"] == whole.about["training"]["scores"]
        for node, arrays in whole.weights.items():
            for name, array in arrays.items():
                np.testing.assert_array_equal(again.weights[node][name], array)
    assert (run.folder / "scores.csv").read_text() == scores


def test_the_first_checkpoint_waits_for_the_first_steps(
    material: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compiling takes longer than the interval; nothing is judged after one step."""
    real = Stepper.learn

    def slow(self: Stepper, batch: Any, rate: float, at_once: int = 0) -> Told:
        told = real(self, batch, rate, at_once)
        if self.step == 1:
            time.sleep(1.2)
        return told

    monkeypatch.setattr(Stepper, "learn", slow)
    run = begun(tmp_path / "slow", material, quick(checkpoint_steps=0, checkpoint_s=1.0, steps=6))
    _, heard = train(run, cache)
    assert heard.of(protocol.Checkpointed)[0].step >= 4


def test_a_resumed_training_that_fails_early_keeps_its_order(material: Path, cache: Path, tmp_path: Path) -> None:
    """Killed before its first checkpoint, and resumed while a recording is away: the order is still there."""
    sound = write(tmp_path / "in" / "tone.wav", tone())
    run = begun(tmp_path / "early", sound)
    sound.unlink()
    with pytest.raises(ValueError, match=r"tone\.wav"):
        Trainer(run, Heard().append, cache=cache, resumed=True).run()
    assert run.order()[0].name == "Tone"
    with pytest.raises(ValueError, match=r"tone\.wav"):
        train(run, cache)
    assert not run.exists
