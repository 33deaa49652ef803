"""Data sets at a glance: told apart, counted and tried without being read from end to end."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ddsp_studio.training.data import glance as module
from ddsp_studio.training.data.glance import glance, may_be_data_set, sorted_out

from .material import RATE, framed, harmonic, melody, nsynth_folder, nsynth_record, serialised, write

NAMES = ["string_acoustic_000-067-100", "string_acoustic_000-069-050", "string_acoustic_000-074-075"]


def archive(path: Path, names: list[str], seconds: float = 0.5) -> Path:
    with tarfile.open(path, "w:gz") as out:
        for name in names:
            held = io.BytesIO()
            hiss = 1e-3 * np.random.default_rng(len(name)).standard_normal(round(seconds * RATE))
            soundfile.write(held, harmonic(330.0, seconds) + hiss, RATE, format="WAV")
            info = tarfile.TarInfo(f"nsynth-train/audio/{name}.wav")
            info.size = held.tell()
            held.seek(0)
            out.addfile(info, held)
    return path


def ddsp_record(seconds: float) -> bytes:
    frames = round(seconds * 250)
    pitch = {"f0_hz": np.full(frames, 330.0, np.float32), "f0_confidence": np.ones(frames, np.float32)}
    return serialised({"audio": harmonic(330.0, seconds), **pitch, "loudness_db": np.zeros(frames, np.float32)})


@pytest.mark.parametrize("form", ["folder", "records", "archive"])
def test_nsynth(tmp_path: Path, form: str) -> None:
    if form == "folder":
        path = nsynth_folder(tmp_path / "nsynth-train", NAMES)
    elif form == "records":
        path = tmp_path / "nsynth-train.tfrecord"
        path.write_bytes(framed([nsynth_record(name) for name in NAMES]))
    else:
        path = archive(tmp_path / "nsynth-train.jsonwav.tar.gz", NAMES)
    assert sorted_out([path]) == ([(path, "nsynth")], [])
    seen = glance(path, "nsynth")
    assert (seen.sounds, seen.exact, seen.report.keys) == (3, True, (67, 74))
    assert seen.report.seconds == pytest.approx(1.5, rel=0.02) and 1.0 < seen.report.usable_s <= seen.report.seconds
    assert not seen.report.warnings and seen.report.frames is not None and np.any(seen.report.frames.f0_hz > 300.0)


def test_ddsp_records(tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / f"train.tfrecord-0000{number}-of-00002").write_bytes(framed([ddsp_record(1.0)] * 2))
    assert sorted_out([tmp_path]) == ([(tmp_path, "ddsp")], [])
    seen = glance(tmp_path, "ddsp")
    assert seen.sounds == 4 and seen.report.seconds == pytest.approx(4.0, rel=0.02)
    assert seen.report.frames is not None and np.median(seen.report.frames.f0_hz) == pytest.approx(330.0)  # theirs, not tracked


def test_maestro(tmp_path: Path) -> None:
    row = {"canonical_composer": "C", "canonical_title": "T", "split": "train", "year": 2004, "midi_filename": "a.midi"}
    rows = [{**row, "audio_filename": f"{name}.wav", "duration": 90.0} for name in ("there", "absent")]
    (tmp_path / "maestro-v2.0.0.json").write_text(json.dumps(rows))
    write(tmp_path / "there.wav", harmonic(220.0, 2.0))
    assert sorted_out([tmp_path]) == ([(tmp_path, "maestro")], [])
    seen = glance(tmp_path, "maestro")
    assert (seen.sounds, seen.report.seconds) == (1, 90.0)  # by the table; the file is not read to its end
    assert "several notes at once" in seen.report.warnings[0] and seen.report.usable_s > 0.0


def test_data_sets_beside_recordings_are_told_apart(tmp_path: Path) -> None:
    folder = nsynth_folder(tmp_path / "all" / "nsynth-test", NAMES[:1])
    (tmp_path / "all" / "nsynth-test.tfrecord").write_bytes(framed([nsynth_record(NAMES[0])]))  # the same once more
    more = write(tmp_path / "all" / "more" / "b.wav", melody([62])).parent
    (tmp_path / "all" / "notes.txt").touch()
    assert sorted_out([tmp_path / "all"]) == ([(folder, "nsynth")], [more])
    assert sorted_out([more, tmp_path / "nowhere"]) == ([], [more, tmp_path / "nowhere"])


def test_a_mixture_of_instruments_is_told(tmp_path: Path) -> None:
    seen = glance(nsynth_folder(tmp_path / "n", [*NAMES, "flute_acoustic_002-081-075"]), "nsynth")
    assert "2 instruments (" in seen.report.warnings[0] and "mixture" in seen.report.warnings[0]


@pytest.mark.parametrize("form", ["records", "archive"])
def test_what_is_cut_short_is_told_once_and_the_rest_counts(tmp_path: Path, form: str) -> None:
    if form == "records":
        whole, path = framed([nsynth_record(name) for name in NAMES]), tmp_path / "n.tfrecord"
        path.write_bytes(whole[: int(len(whole) * 0.8)])
    else:
        path = archive(tmp_path / "n.tar.gz", NAMES, 4.0)
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.8)])
    seen = glance(path, "nsynth")
    assert seen.sounds == 2 and seen.report.usable_s > 0.0
    assert len(seen.report.warnings) == 1 and "cut short or damaged after 2 " in seen.report.warnings[0]


@pytest.mark.parametrize(("name", "content"), [("n.tar.gz", b"x" * 300), ("n.tfrecord", b"x" * 300), ("n.tfrecord", b"")])
def test_what_cannot_be_read_is_one_sentence(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    (held, kind) = sorted_out([path])[0][0]
    report = glance(held, kind).report
    assert report.usable_s == 0.0 and report.frames is None and len(report.warnings) == 1 and name in report.warnings[0]


def test_a_large_archive_is_reckoned_from_its_beginning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(0)
    path = tmp_path / "n.tar"
    with tarfile.open(path, "w") as out:
        for number in range(200):
            held = io.BytesIO()
            soundfile.write(held, 0.1 * chance.standard_normal(RATE // 2), RATE, format="WAV")
            info = tarfile.TarInfo(f"audio/string_acoustic_000-{20 + number % 90:03d}-100.wav")
            info.size = held.tell()
            held.seek(0)
            out.addfile(info, held)
    monkeypatch.setattr(module, "_SCANNED", path.stat().st_size // 4)
    seen = glance(path, "nsynth")
    assert not seen.exact and seen.sounds == pytest.approx(200, rel=0.1) and seen.report.keys is None


def test_names_of_archives() -> None:
    assert all(may_be_data_set(Path(name)) for name in ("a.tfrecord", "a.TFRecord-00000-of-00002", "a.tar", "a.tar.gz", "a.tgz"))
    assert not any(may_be_data_set(Path(name)) for name in ("a.wav", "a.gz", "a.zip", "tar"))
