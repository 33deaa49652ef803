"""`ddsp-studio transfer` and `evaluate`: what they refuse, and what they say of what they did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ddsp_studio.cli_commands import render
from ddsp_studio.cli_commands import transfer as command
from ddsp_studio.processors import model_file
from ddsp_studio.training.evaluation import Scores
from ddsp_studio.training.features.extract import Frames
from ddsp_studio.training.transfer import Fit, Transferred

from .materials import RATE, tone, write


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return write(tmp_path / "mine.wav", tone(0.5))


@pytest.fixture(autouse=True)
def plays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that is asked for nothing that has a pitch, and plays silence."""

    def play(_: Path, __: str, *, octaves: int | None, gain_db: float | None, **___: Any) -> Transferred:
        nothing = np.zeros(126, np.float32)
        fit = Fit(-1 if octaves is None else octaves, 4.25 if gain_db is None else gain_db)
        return Transferred(np.zeros(RATE // 2, np.float32), RATE, Frames(nothing, nothing, nothing - 20.0), fit)

    monkeypatch.setattr(command, "load_tensorflow", lambda: None)
    monkeypatch.setattr("ddsp_studio.training.transfer.transfer", play)


def test_a_recording_is_not_written_over(recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    held, soft, hard = recording.read_bytes(), tmp_path / "soft.wav", tmp_path / "hard.wav"
    soft.symlink_to(recording)
    hard.hardlink_to(recording)
    for output in (recording, tmp_path / ".." / tmp_path.name / "mine.wav", soft, hard):
        with pytest.raises(ValueError, match=f"{output.name}' is read by this command, which would write over it"):
            command.transfer(recording, "violin", output, octaves=None, gain_db=None, as_json=True)
        assert '{"error": "' in capsys.readouterr().out
    assert recording.read_bytes() == held and soft.is_symlink()


@pytest.mark.parametrize(
    ("octaves", "gain_db", "told"),
    [
        (None, None, "0.5 s, played an octave lower, loudness fitted by +4.2 dB;"),
        (0, None, "0.5 s, loudness fitted by +4.2 dB;"),
        (0, 20.0, "0.5 s, played 20 dB harder than recorded;"),
        (2, -3.5, "0.5 s, played 2 octaves higher, 3.5 dB softer than recorded;"),
        (0, 0.0, "0.5 s, played as hard as recorded;"),
    ],
)
def test_fitted_is_what_was_fitted(recording: Path, tmp_path: Path, octaves: int, gain_db: float, told: str) -> None:
    said = command.transfer(recording, "violin", tmp_path / "out.wav", octaves=octaves, gain_db=gain_db)
    assert said.startswith(f"{tmp_path / 'out.wav'}: {told}") and "mine.wav has no clear pitch" in said


@pytest.mark.parametrize("as_json", [True, False])
def test_scores_of_what_has_no_pitch_are_remarked_on(
    recording: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    monkeypatch.setattr("ddsp_studio.training.evaluation.compare", lambda *_: Scores(5.0, 1.0, 0.1, 0.0, 2.0, -1.0, 0.5))
    command.evaluate("violin", [recording], as_json=as_json)
    assert capsys.readouterr().err == "mine.wav has no clear pitch, so the instrument can hardly follow it\n"


def test_a_damaged_patch_is_told_with_its_model(recording: Path, tmp_path: Path) -> None:
    path, out = tmp_path / "bad.ddspmodel", tmp_path / "out.wav"
    model_file.save(model_file.Model({"sample_rate": RATE, "nodes": {}}, files={"patch.ddsp": b"garbage"}), path)
    words = r"the patch in the model '.*bad\.ddspmodel' is damaged: the patch is cut short or damaged"
    with pytest.raises(ValueError, match=words):
        command.transfer(recording, str(path), out, octaves=None, gain_db=None)
    with pytest.raises(ValueError, match=words):
        command.evaluate(str(path), [recording], as_json=False)
    with pytest.raises(ValueError, match=words):
        render.render(render.Job(str(path), None, out))
    assert not out.exists()
