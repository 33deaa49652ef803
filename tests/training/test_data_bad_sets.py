"""Published data sets that are damaged or hostile: what is bad costs one sentence, and nothing else."""

from __future__ import annotations

import csv
import json
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ddsp_studio.training.data import nsynth as module
from ddsp_studio.training.data.corpus import Entry, open_corpus
from ddsp_studio.training.data.ddsp_records import ddsp_sounds
from ddsp_studio.training.data.maestro import maestro_performances
from ddsp_studio.training.data.nsynth import NSynthFilter, nsynth_sounds
from ddsp_studio.training.data.sound import Sound
from ddsp_studio.training.data.tables import inside
from ddsp_studio.training.data.tfrecord import parse_example

from .material import RATE, framed, harmonic, nsynth_entry, nsynth_folder, nsynth_record, serialised, write

NOTES = ["string_acoustic_000-067-100", "string_acoustic_000-069-050"]
FORMS = ["folder", "archive", "tfrecord"]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDSP_STUDIO_HOME", str(tmp_path / "home"))


def names_of(sounds: list[Sound]) -> list[str]:
    return [sound.name for sound in sounds]


def heard(sound: Sound) -> np.ndarray:
    return np.concatenate(list(sound.blocks(RATE)))


# -- NSynth --------------------------------------------------------------------------------------------------------------


def note(name: str = NOTES[0], **changed: object) -> bytes:
    """A record of NSynth in which some features are others."""
    return serialised({**parse_example(nsynth_record(name)), **changed})


def data_set(place: Path, form: str, second: np.ndarray, **how: object) -> Path:
    """A data set of two notes, of which the second sounds like this."""
    if form == "tfrecord":
        path = place / "nsynth-test.tfrecord"
        path.write_bytes(framed([note(), note(NOTES[1], audio=second)]))
        return path
    folder = nsynth_folder(place / "nsynth-test", NOTES)
    write(folder / "audio" / f"{NOTES[1]}.wav", second, **how)
    if form == "folder":
        return folder
    path = place / "nsynth-test.tar"
    with tarfile.open(path, "w") as archive:
        archive.add(folder, folder.name)
    return path


def listed(folder: Path, *names: str) -> Path:
    """The folder, with more names in its table."""
    table = folder / "examples.json"
    table.write_text(json.dumps(json.loads(table.read_text()) | {name: nsynth_entry(NOTES[0]) for name in names}))
    return folder


@pytest.mark.parametrize("text", ["[" * 200_000, "[" * 200_000 + "]" * 200_000])
def test_tables_of_lists_within_lists(tmp_path: Path, text: str) -> None:
    folder = nsynth_folder(tmp_path / "nsynth-test", NOTES)
    (folder / "examples.json").write_text(text)
    with pytest.raises(ValueError, match=r"^nsynth-test/examples\.json is damaged or cut short$"):
        list(nsynth_sounds(folder))
    (tmp_path / "maestro-v3.0.0.json").write_text(text)
    with pytest.raises(ValueError, match=r"/maestro-v3\.0\.0\.json is damaged or cut short$"):
        maestro_performances(tmp_path)


def test_names_that_are_none_are_passed_over(tmp_path: Path) -> None:
    folder, problems = listed(nsynth_folder(tmp_path / "nsynth-test", NOTES), "weird"), list[str]()
    assert names_of(list(nsynth_sounds(folder, None, problems))) == NOTES
    assert problems == ["nsynth-test: 'weird' is not the name of an NSynth note"]
    corpus = open_corpus([Entry(folder)])
    assert len(corpus.recordings) == 2 and list(corpus.problems) == problems


@pytest.mark.parametrize(
    ("count", "last"), [(4, "nsynth-test: 1 more is left out"), (1203, "nsynth-test: 1,200 more are left out")]
)
def test_many_names_that_are_none_are_counted(tmp_path: Path, count: int, last: str) -> None:
    folder, problems = listed(nsynth_folder(tmp_path / "nsynth-test", NOTES), *(f"weird {i}" for i in range(count))), list[str]()
    assert names_of(list(nsynth_sounds(folder, None, problems))) == NOTES
    assert len(problems) == 4 and "'weird 2' is not the name" in problems[2] and problems[3] == last


def test_what_a_table_says_of_a_note_in_other_types_is_passed_over(tmp_path: Path) -> None:
    folder = nsynth_folder(tmp_path / "nsynth-test", NOTES)
    table = json.loads((folder / "examples.json").read_text())
    table[NOTES[0]] |= {"instrument_family_str": ["flute"], "instrument_source_str": 3, "pitch": "x"}
    (folder / "examples.json").write_text(json.dumps(table))
    assert names_of(list(nsynth_sounds(folder, NSynthFilter(families=("string",), pitch=(67, 67))))) == NOTES[:1]


@pytest.mark.parametrize("absolute", [False, True])
def test_notes_outside_the_folder_are_not_read(tmp_path: Path, absolute: bool) -> None:
    folder, problems = nsynth_folder(tmp_path / "nsynth-test", NOTES), list[str]()
    outside = write(tmp_path / "out" / "x-1_a_0-060-100.wav", harmonic(300.0))
    name = str(outside.with_suffix("")) if absolute else "../../out/x-1_a_0-060-100"
    assert names_of(list(nsynth_sounds(listed(folder, name), None, problems))) == NOTES
    assert problems == [f"nsynth-test: '{name}.wav' lies outside the folder"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_links_are_followed_and_pipes_are_not_waited_for(tmp_path: Path) -> None:
    """A choice of notes may be a folder of links."""
    folder, problems = nsynth_folder(tmp_path / "nsynth-test", NOTES), list[str]()
    first, second = (folder / "audio" / f"{name}.wav" for name in NOTES)
    os.symlink(first.rename(tmp_path / "elsewhere.wav"), first)
    second.unlink()
    os.mkfifo(second)
    assert names_of(list(nsynth_sounds(folder, None, problems))) == NOTES[:1]
    assert problems == ["nsynth-test: 1 of the notes in examples.json have no readable file in audio/"]


@pytest.mark.parametrize("name", ["a_b_c\0-060-100", "a_b_c\ud800-060-100", f"a_b_{'c' * 400}-060-100"])
def test_names_that_no_file_can_have(tmp_path: Path, name: str) -> None:
    folder, problems = listed(nsynth_folder(tmp_path / "nsynth-test", NOTES), name), list[str]()
    assert names_of(list(nsynth_sounds(folder, None, problems))) == NOTES
    assert problems == ["nsynth-test: 1 of the notes in examples.json have no readable file in audio/"]


def test_files_of_a_folder_that_are_no_sound(tmp_path: Path) -> None:
    folder, problems = nsynth_folder(tmp_path / "nsynth-test", NOTES), list[str]()
    (folder / "audio" / f"{NOTES[1]}.wav").write_bytes(b"no sound at all")
    assert names_of(list(nsynth_sounds(folder, None, problems))) == NOTES[:1]
    assert len(problems) == 1 and problems[0].startswith(f"nsynth-test: {NOTES[1]}.wav is not a sound file that can be read")


@pytest.mark.parametrize(
    ("form", "seconds", "channels"), [*((form, 600.0, 1) for form in FORMS), ("folder", 10.0, 8), ("archive", 10.0, 8)]
)
def test_notes_that_are_too_long_are_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, seconds: float, channels: int
) -> None:
    silence = np.zeros((round(seconds * RATE), channels), np.float32)
    path = data_set(tmp_path, form, silence, format="FLAC")
    decoded, problems, read = list[int](), list[str](), soundfile.SoundFile.read

    def spy(file: soundfile.SoundFile, *args: object, **kwargs: object) -> np.ndarray:
        decoded.append(file.frames * file.channels)
        return read(file, *args, **kwargs)

    monkeypatch.setattr(soundfile.SoundFile, "read", spy)
    assert names_of(list(nsynth_sounds(path, None, problems))) == NOTES[:1]
    assert max(decoded, default=0) <= RATE
    held = f"{NOTES[1]} holds {seconds * channels:,.1f} s of sound in all its channels"
    assert problems == [f"{path.name}: {held}; a note has 4 s, and at most 60 s are read"]


@pytest.mark.parametrize("form", FORMS)
def test_notes_of_up_to_a_minute_are_read(tmp_path: Path, form: str) -> None:
    problems: list[str] = []
    first, second = sorted(
        nsynth_sounds(data_set(tmp_path, form, harmonic(440.0, 59.0)), None, problems), key=lambda one: one.name
    )
    assert not problems and (len(heard(first)), len(heard(second))) == (RATE // 2, 59 * RATE)


@pytest.mark.parametrize("form", FORMS)
def test_notes_that_are_empty_are_told(tmp_path: Path, form: str) -> None:
    problems: list[str] = []
    assert names_of(list(nsynth_sounds(data_set(tmp_path, form, np.zeros(0, np.float32)), None, problems))) == NOTES[:1]
    assert len(problems) == 1 and "holds no sound: its length is zero" in problems[0] and NOTES[1] in problems[0]


def test_files_of_an_archive_that_are_too_large_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, problems = data_set(tmp_path, "archive", harmonic(440.0, 40.0)), list[str]()
    monkeypatch.setattr(module, "_NOTE_LIMIT", 2**20)
    assert names_of(list(nsynth_sounds(path, None, problems))) == NOTES[:1]
    assert problems == [f"nsynth-test.tar: {NOTES[1]} holds 1 MiB; a note has 128 KB, and at most 1 MiB are read"]


@pytest.mark.parametrize("form", FORMS)
def test_numbers_that_are_none_become_silence(tmp_path: Path, form: str) -> None:
    sound, problems = harmonic(440.0, 0.5), list[str]()
    sound[2000:2003] = np.nan, np.inf, -np.inf
    path = data_set(tmp_path, form, sound, subtype="FLOAT")
    held = {one.name: heard(one) for one in nsynth_sounds(path, None, problems)}[NOTES[1]]
    assert not problems and np.all(held[2000:2003] == 0.0)
    np.testing.assert_array_equal(np.delete(held, range(2000, 2003)), np.delete(sound, range(2000, 2003)))


@pytest.mark.parametrize("rate", [None, np.zeros(0, np.int64), np.zeros(0, np.float32), []])
def test_records_that_name_no_rate_have_that_of_nsynth(tmp_path: Path, rate: object) -> None:
    path = tmp_path / "nsynth-test.tfrecord"
    features = {**parse_example(nsynth_record(NOTES[0])), "sample_rate": rate}
    path.write_bytes(framed([serialised({key: value for key, value in features.items() if value is not None})]))
    (sound,) = nsynth_sounds(path)
    np.testing.assert_array_equal(heard(sound), parse_example(nsynth_record(NOTES[0]))["audio"])


@pytest.mark.parametrize(
    ("rate", "said"),
    [(np.array([0]), "0 Hz"), (np.array([2**40]), "1.09951e+12 Hz"), (np.array([np.inf]), "inf Hz"), ([b"x"], "nan")],
)
def test_records_of_rates_that_are_not_served(tmp_path: Path, rate: object, said: str) -> None:
    path, problems = tmp_path / "nsynth-test.tfrecord", list[str]()
    path.write_bytes(framed([note(sample_rate=rate), note(NOTES[1])]))
    assert names_of(list(nsynth_sounds(path, None, problems))) == NOTES[1:]
    assert len(problems) == 1 and problems[0].startswith(f"nsynth-test.tfrecord: {NOTES[0]} has a sample rate of {said}")
    assert problems[0].endswith("sound of 8 to 192 kHz can be used")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"audio": [b"xyz"]}, f"{NOTES[0]} holds no sound: its length is zero"),
        ({"note_str": b"weird"}, "record 1 is no note of NSynth: note_str, pitch, velocity and audio were expected"),
        ({"pitch": np.array([np.inf])}, "record 1 is no note of NSynth: note_str, pitch, velocity and audio were expected"),
    ],
)
def test_records_that_are_no_notes(tmp_path: Path, changed: dict[str, object], said: str) -> None:
    path, problems = tmp_path / "nsynth-test.tfrecord", list[str]()
    path.write_bytes(framed([note(**changed), note(NOTES[1])]))
    assert names_of(list(nsynth_sounds(path, None, problems))) == NOTES[1:]
    assert problems == [f"nsynth-test.tfrecord: {said}"]
    path.write_bytes(framed([note(**changed)]))
    with pytest.raises(ValueError, match=said):
        list(nsynth_sounds(path, None, problems))


# -- MAESTRO -------------------------------------------------------------------------------------------------------------

ROW = {
    "canonical_composer": "C",
    "canonical_title": "T",
    "split": "train",
    "year": 2004,
    "midi_filename": "a.midi",
    "audio_filename": "a.wav",
    "duration": 90.0,
}


def csv_table(folder: Path, **changed: object) -> Path:
    path = folder / "maestro-v3.0.0.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(ROW))
        writer.writeheader()
        writer.writerow(ROW | changed)
    return path


def test_maestro_fields_that_are_too_long(tmp_path: Path) -> None:
    place = tmp_path / "maestro"
    place.mkdir()
    csv_table(place, canonical_title="x" * 200_000)
    with pytest.raises(ValueError) as told:
        maestro_performances(place)
    said = "maestro/maestro-v3.0.0.csv is damaged in line 2: fields of at most 131,072 characters were expected"
    assert str(told.value) == said
    write(tmp_path / "own.wav", harmonic(220.0))
    corpus = open_corpus([Entry(place), Entry(tmp_path / "own.wav")])
    assert len(corpus.recordings) == 1 and corpus.problems == (said,)


@pytest.mark.parametrize("ending", ["csv", "json"])
def test_maestro_in_another_encoding(tmp_path: Path, ending: str) -> None:
    table = tmp_path / f"maestro-v3.0.0.{ending}"
    table.write_text(csv_table(tmp_path).read_text() if ending == "csv" else json.dumps([ROW]), encoding="utf-16")
    with pytest.raises(ValueError) as told:
        maestro_performances(table)
    assert str(told.value) == (
        f"{tmp_path.name}/{table.name} is no table of performances: text in UTF-8 was expected, got the byte 0xff"
    )


@pytest.mark.parametrize("changed", [{"year": float("inf")}, {"duration": 10**400}])
def test_maestro_numbers_that_are_too_large(tmp_path: Path, changed: dict[str, object]) -> None:
    (tmp_path / "maestro-v2.0.0.json").write_text(json.dumps([ROW | changed]))
    with pytest.raises(ValueError, match=r"^maestro-v2\.0\.0\.json has a damaged row: "):
        maestro_performances(tmp_path)


@pytest.mark.parametrize("name", ["../a.wav", "2004/../../a.wav", "/etc/a.wav", ".."])
def test_no_table_leads_out_of_its_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=f"^'{name}' lies outside the folder$"):
        inside(tmp_path, name)
    csv_table(tmp_path, audio_filename=name)
    with pytest.raises(ValueError, match=f"has a damaged row: '{name}' lies outside the folder$"):
        maestro_performances(tmp_path)
    assert inside(tmp_path, "2004/a..b.wav") == tmp_path / "2004" / "a..b.wav"


# -- magenta/ddsp --------------------------------------------------------------------------------------------------------


def record(**changed: object) -> bytes:
    pitch = {"f0_hz": np.full(250, 300.0, np.float32), "f0_confidence": np.ones(250, np.float32)}
    return serialised({"audio": harmonic(300.0), "audio_16k": harmonic(300.0), **pitch, **changed})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"audio": harmonic(300.0)[:10], "audio_16k": np.zeros(900_000, np.float32)},
            "(10 samples of audio for 900,000 of audio_16k) has a sample rate of 0 Hz; sound of 8 to 192 kHz can be used",
        ),
        (
            {"audio_16k": np.zeros(2, np.float32)},
            "(16,000 samples of audio for 2 of audio_16k) has a sample rate of 1.28e+08 Hz; sound of 8 to 192 kHz can be used",
        ),
        ({"audio": [b"xyz"]}, "holds no audio, as those of magenta/ddsp do"),
    ],
)
def test_ddsp_records_that_cannot_be_used(tmp_path: Path, changed: dict[str, object], said: str) -> None:
    path, problems = tmp_path / "a.tfrecord", list[str]()
    path.write_bytes(framed([record(), record(**changed), record()]))
    assert names_of(list(ddsp_sounds(path, problems))) == ["a.tfrecord#00000", "a.tfrecord#00002"]
    assert problems == [f"a.tfrecord: record 2 {said}"]
    path.write_bytes(framed([record(**changed)] * 2))
    with pytest.raises(ValueError, match=r"^a\.tfrecord: record 1 "):
        list(ddsp_sounds(path, problems))


def test_ddsp_records_that_cannot_be_used_are_raised_where_nobody_hears_of_problems(tmp_path: Path) -> None:
    path = tmp_path / "a.tfrecord"
    path.write_bytes(framed([record(), record(audio=[b"xyz"])]))
    with pytest.raises(ValueError, match="record 2 holds no audio"):
        list(ddsp_sounds(path))


def test_numbers_of_ddsp_records_that_are_none(tmp_path: Path) -> None:
    """As in sound files they are silence; and no pitch."""
    sound, f0_hz = harmonic(300.0), np.full(250, 300.0, np.float32)
    sound[8000:8003], f0_hz[100:110], f0_hz[110:120] = (np.nan, np.inf, -np.inf), np.nan, np.inf
    path = tmp_path / "a.tfrecord"
    path.write_bytes(framed([record(audio=sound, f0_hz=f0_hz)]))
    (recording,) = open_corpus([Entry(path)]).recordings
    frames = recording.frames
    assert np.all(recording.audio[8000:8003] == 0.0) and np.isfinite(recording.audio).all()
    assert np.isfinite(frames.loudness_db).all() and frames.loudness_db[50] > -40.0
    assert not frames.f0_hz[100:120].any() and frames.f0_hz[90] == pytest.approx(300.0)
