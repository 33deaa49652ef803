"""What is said of an instrument is measured from what it plays: known failures are found, whatever the material is like."""

from __future__ import annotations

import numpy as np
import pytest

from ddsp_studio.training.evaluation import Scores, compare

RATE, SECONDS = 16_000, 3.0
KEYS_HZ = (196.0, 329.6)
Sounds = np.ndarray


def notes(octave: int = 0, fall_db_s: float = 0.0, level_db: float = 0.0, seconds: float = SECONDS) -> Sounds:
    """A note of eight partials in each clip."""
    time = np.arange(round(SECONDS * RATE)) / RATE
    shape = 10.0 ** ((level_db - fall_db_s * time) / 20.0) * np.minimum(1.0, time / 0.01) * (time < seconds)
    tones = [sum(np.sin(2 * np.pi * k * 2**octave * hz * time) / k for k in range(1, 9)) for hz in KEYS_HZ]
    return np.stack([0.2 * shape * tone for tone in tones]).astype(np.float32)


def judged(played: Sounds, targets: Sounds, **how: object) -> Scores:
    asked = np.repeat(np.float32(KEYS_HZ)[:, None], 750, axis=1)
    return compare(targets, played, RATE, asked, **how)


@pytest.mark.parametrize("fall_db_s", [0.0, 1.0, 8.0, 20.0])
def test_the_octave_trap_is_found(fall_db_s: float) -> None:
    targets, trapped = notes(0, fall_db_s), notes(1, fall_db_s)
    told = judged(trapped, targets)
    assert told.octaves > 0.9 and told.f0_accuracy < 0.1 and "another octave" in " ".join(told.warnings())
    fine = judged(targets, targets)
    assert fine.f0_accuracy > 0.99 and fine.octaves == 0.0 and fine.warnings() == []


@pytest.mark.parametrize("level_db", [0.0, -30.0, -50.0])
def test_silence_is_found_however_soft_the_recordings_are(level_db: float) -> None:
    targets = notes(level_db=level_db)
    told = judged(np.zeros_like(targets), targets)
    assert told.level_db < -20.0 and "has become silent" in told.warnings()[0]
    assert judged(targets, targets).warnings() == []


def test_what_nobody_recorded_is_not_judged() -> None:
    """A clip that is longer than its recording: the score is that of what was recorded."""
    one_s = RATE
    targets, played = notes(seconds=1.0), notes(level_db=10.0)
    whole = judged(played[:, :one_s], targets[:, :one_s])
    assert judged(played, targets, lengths=[one_s] * 2) == whole
    assert whole.loudness_db == pytest.approx(10.0, abs=0.1) and whole.seconds == 2.0


def test_pauses_do_not_make_loudness_look_better() -> None:
    assert judged(notes(level_db=6.0, seconds=1.0), notes(seconds=1.0)).loudness_db == pytest.approx(6.0, abs=0.3)
    organ = judged(notes(), notes(seconds=1.0))  # which does not stop when it should
    assert organ.loudness_db > 30.0
