"""Sound files as people have them, and published corpora in faithful miniature."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import struct
import tarfile

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from ddsp_studio.dsp.tensor import tf
from ddsp_studio.training.data.audio_source import AudioProblem, choose_mixdown, file_facts, find_audio, mono_blocks, read_mono
from ddsp_studio.training.data.corpus import Entry, kind_of, open_corpus
from ddsp_studio.training.data.crc32c import crc32c, masked_crc32c
from ddsp_studio.training.data.glance import glance
from ddsp_studio.training.data.maestro import maestro_performances
from ddsp_studio.training.data.nsynth import NSynthFilter, nsynth_sounds, parse_name
from ddsp_studio.training.data.store import cache_folder
from ddsp_studio.training.data.tfrecord import TruncatedArchive, parse_example, read_examples
from ddsp_studio.training.features.clock import frame_count

from .material import RATE, SHARED, framed, harmonic, melody, needs_shared, nsynth_folder, nsynth_record, serialised, write

NOTES = [
    "string_acoustic_000-067-100",
    "string_acoustic_000-069-050",
    "synth_lead_synthetic_003-072-127",
    "flute_acoustic_002-081-075",
]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DDSP_STUDIO_HOME", str(tmp_path / "home"))


# -- own audio -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "subtype"), [(".wav", "PCM_24"), (".flac", "PCM_16"), (".aiff", "PCM_16"), (".ogg", "VORBIS"), (".mp3", None)]
)
@pytest.mark.parametrize("rate", (22_050, 44_100))
def test_formats(tmp_path, suffix, subtype, rate):
    tone = harmonic(440.0, 1.0, rate)
    path = write(tmp_path / f"a{suffix}", np.stack([tone, tone], axis=1), rate, subtype=subtype)
    facts = file_facts(path)
    assert (facts.sample_rate, facts.channels) == (rate, 2)
    assert facts.seconds == pytest.approx(1.0, abs=0.08)
    sound = read_mono(path, RATE)
    assert len(sound) == pytest.approx(RATE, rel=0.08)
    power = np.abs(np.fft.rfft(sound[2000:-2000] * np.hanning(len(sound) - 4000)))
    assert power.argmax() * RATE / (len(sound) - 4000) == pytest.approx(440.0, abs=2.0)


def test_blocks_are_resampled_as_the_whole(tmp_path):
    sound = 0.1 * np.random.default_rng(0).standard_normal(150_001).astype(np.float32)
    path = write(tmp_path / "a.wav", sound, 44_100, subtype="FLOAT")
    blocks = list(mono_blocks(path, RATE))
    assert len(blocks) > 2
    np.testing.assert_allclose(np.concatenate(blocks), soxr.resample(sound, 44_100, RATE), atol=1e-6)


def test_channels_that_cancel_or_are_empty(tmp_path):
    tone = harmonic(330.0)
    for name, channels, expected in (
        ("anti", [tone, -tone], 1.0),
        ("left", [tone, 0 * tone], 1.0),
        ("both", [tone, 0.5 * tone], 0.75),
    ):
        path = write(tmp_path / f"{name}.wav", np.stack(channels, axis=1), subtype="FLOAT")
        np.testing.assert_allclose(choose_mixdown(path) and read_mono(path, RATE), expected * tone, atol=1e-5)


def test_numbers_that_are_none_become_silence(tmp_path):
    sound = harmonic(220.0)
    sound[100:200] = np.nan
    assert np.all(read_mono(write(tmp_path / "a.wav", sound, subtype="FLOAT"), RATE)[100:200] == 0.0)


def test_what_is_no_sound_is_told_in_one_sentence(tmp_path):
    (tmp_path / "text.wav").write_text("this is not sound\n" * 50)
    (tmp_path / "empty.wav").touch()
    (tmp_path / "folder.wav").mkdir()
    write(tmp_path / "none.wav", np.zeros(0))
    write(tmp_path / "slow.wav", np.zeros(1000), 4_000)
    for name, words in (
        ("text.wav", "not a sound file"),
        ("empty.wav", "empty (0 bytes)"),
        ("folder.wav", "is a folder"),
        ("none.wav", "length is zero"),
        ("slow.wav", "4000 Hz"),
        ("missing.wav", "no such file"),
    ):
        with pytest.raises(AudioProblem) as told:
            file_facts(tmp_path / name)
        assert words in str(told.value) and "\n" not in str(told.value)
    with pytest.raises(AudioProblem, match="no sound files in it"):
        find_audio([tmp_path / "folder.wav"])
    with pytest.raises(AudioProblem, match="no such file or folder"):
        find_audio([tmp_path / "missing"])


def test_folders_are_searched_once(tmp_path):
    files = [write(tmp_path / name, np.zeros(100)) for name in ("b.wav", "deep/er/a.FLAC", ".hidden.wav")]
    (tmp_path / "notes.txt").write_text("x")
    assert find_audio([tmp_path, files[0]]) == sorted(files[:2])


def test_a_file_cut_short_gives_what_it_has(tmp_path):
    path = write(tmp_path / "a.flac", harmonic(220.0, 4.0))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 0.5 * RATE < len(read_mono(path, RATE)) < 4 * RATE


# -- TFRecord ------------------------------------------------------------------------------------------------------------


def test_checksum():
    assert crc32c(b"123456789") == 0xE3069283  # the check value of CRC-32C (RFC 3720, B.4 has others)
    assert crc32c(bytes(32)) == 0x8A9136AA


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 7000), st.integers(0, 10**6))
def test_checksum_by_lanes_is_that_by_bytes(count, seed):
    data = np.random.default_rng(seed).bytes(count)
    word = 0xFFFFFFFF
    for byte in data:
        word ^= byte
        for _ in range(8):
            word = word >> 1 ^ (0x82F63B78 if word & 1 else 0)
    assert crc32c(data) == word ^ 0xFFFFFFFF


def test_records_of_tensorflow_are_read(tmp_path):
    feature, path = tf.train.Feature, tmp_path / "a.tfrecord"
    audio, numbers = np.random.default_rng(0).standard_normal(5000).astype(np.float32), [3, -1, 2**62, -(2**63)]
    example = tf.train.Example(
        features=tf.train.Features(
            feature={
                "audio": feature(float_list=tf.train.FloatList(value=audio)),
                "numbers": feature(int64_list=tf.train.Int64List(value=numbers)),
                "text": feature(bytes_list=tf.train.BytesList(value=[b"a", "ü".encode()])),
                "nothing": feature(float_list=tf.train.FloatList(value=[])),
            }
        )
    )
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(example.SerializeToString())
        writer.write(b"")
    first, second = read_examples(path)
    np.testing.assert_array_equal(first["audio"], audio)
    assert first["numbers"].tolist() == numbers and first["text"] == [b"a", "ü".encode()] and len(first["nothing"]) == 0
    assert second == {}


def test_our_records_are_read_by_tensorflow(tmp_path):
    path = tmp_path / "a.tfrecord"
    path.write_bytes(framed([nsynth_record(NOTES[0])]))
    (record,) = tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    held = tf.io.parse_single_example(
        record, {"audio": tf.io.FixedLenFeature([8000], tf.float32), "pitch": tf.io.FixedLenFeature([], tf.int64)}
    )
    assert int(held["pitch"]) == 67


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_hostile_bytes_raise_and_nothing_else(data):
    try:
        parse_example(data)
    except (ValueError, IndexError):
        pass


def test_damage_is_told_and_what_came_before_is_kept(tmp_path):
    whole, path = framed([serialised({"a": np.array([i], np.int64)}) for i in range(3)]), tmp_path / "a.tfrecord"
    one = len(whole) // 3
    huge = struct.pack("<Q", 1 << 40)
    for data, words, kept in (
        (whole[: 2 * one + 20], "cut short in record 3; the 2 before it were read", 2),
        (whole[: 2 * one + 5], "cut short in record 3", 2),
        (whole[: one + 14] + b"x" + whole[one + 15 :], "damaged in record 2; the one before it was read", 1),
        (whole[:20], "cut short in record 1; there is nothing before it", 0),
        (whole[:one] + b"xx" + whole[one + 2 :], "damaged after 1 record; what", 1),
        (huge + struct.pack("<I", masked_crc32c(huge)), "not a TFRecord", 0),
        (b"RIFF" + bytes(100), "not a TFRecord", 0),
    ):
        path.write_bytes(data)
        held = []
        with pytest.raises(TruncatedArchive, match=words):
            for example in read_examples(path):
                held.append(example)
        assert len(held) == kept


# -- NSynth --------------------------------------------------------------------------------------------------------------


def test_names_are_split_from_the_right():
    note = parse_name("synth_lead_synthetic_003-072-127")
    assert (note.instrument, note.family, note.source, note.pitch, note.velocity) == (
        "synth_lead_synthetic_003",
        "synth_lead",
        "synthetic",
        72,
        127,
    )
    with pytest.raises(ValueError, match="not the name of an NSynth note"):
        parse_name("piano.wav")


@pytest.fixture(params=["folder", "tfrecord", "archive"])
def nsynth(request, tmp_path):
    folder = nsynth_folder(tmp_path / "nsynth-valid", NOTES)
    if request.param == "folder":
        return folder
    if request.param == "tfrecord":
        path = tmp_path / "nsynth-valid.tfrecord"
        path.write_bytes(framed([nsynth_record(name) for name in NOTES]))
        return path
    path = tmp_path / "nsynth-valid.jsonwav.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, "nsynth-valid")
    return path


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (NSynthFilter(), [0, 1, 2, 3]),
        (NSynthFilter(families=("string",)), [0, 1]),
        (NSynthFilter(families=("synth_lead",)), [2]),
        (NSynthFilter(sources=("acoustic",), pitch=(68, 90)), [1, 3]),
        (NSynthFilter(velocity=(60, 110)), [0, 3]),
        (NSynthFilter(instruments=("flute_acoustic_002",)), [3]),
    ],
)
def test_nsynth_by_what_notes_are(nsynth, wanted, expected):
    sounds = sorted(nsynth_sounds(nsynth, wanted), key=lambda sound: NOTES.index(sound.name))
    assert [sound.name for sound in sounds] == [NOTES[i] for i in expected]
    for sound in sounds:
        assert sound.split == "validation" and sound.pitch == int(sound.name.split("-")[1])
        assert len(np.concatenate(list(sound.blocks(RATE)))) == 8000


def test_nsynth_as_a_corpus(nsynth):
    assert kind_of(nsynth) == "nsynth"
    corpus = open_corpus([Entry(nsynth, nsynth=NSynthFilter(families=("string",)))])
    assert sorted(recording.name for recording in corpus.recordings) == NOTES[:2]
    assert {recording.split for recording in corpus.recordings} == {"validation"}
    for recording in corpus.recordings:
        hertz = 440.0 * 2.0 ** ((int(recording.name.split("-")[1]) - 69) / 12)
        assert np.median(recording.frames.f0_hz) == pytest.approx(hertz, rel=0.005)
        assert recording.samples == 8000 and len(recording.frames.f0_hz) == frame_count(8000, RATE)


def test_nsynth_cut_short(tmp_path):
    whole = framed([nsynth_record(name) for name in NOTES])
    path = tmp_path / "nsynth-train.tfrecord"
    path.write_bytes(whole[: len(whole) * 5 // 8])
    for _ in range(2):  # the second time from the cache
        corpus = open_corpus([Entry(path)])
        assert [recording.name for recording in corpus.recordings] == NOTES[:2]
        assert corpus.problems == ("nsynth-train.tfrecord is cut short in record 3; the 2 before it were read",)
    folder = nsynth_folder(tmp_path / "nsynth-test", NOTES)
    archive = tmp_path / "nsynth-test.tar"
    with tarfile.open(archive, "w") as file:
        for name in NOTES:
            file.add(folder / "audio" / f"{name}.wav", f"nsynth-test/audio/{name}.wav")
    archive.write_bytes(archive.read_bytes()[:40_000])
    problems: list[str] = []
    assert [sound.name for sound in nsynth_sounds(archive, None, problems)] == NOTES[:2]
    assert problems == ["nsynth-test.tar is cut short or damaged after 2 notes; those were read"]
    (folder / "audio" / f"{NOTES[1]}.wav").unlink()
    problems.clear()
    assert len(list(nsynth_sounds(folder, None, problems))) == 3
    assert problems == ["nsynth-test: 1 of the notes in examples.json have no readable file in audio/"]
    (folder / "examples.json").write_text('{"a": ')
    with pytest.raises(ValueError, match=r"examples\.json is damaged or cut short"):
        list(nsynth_sounds(folder))


def test_what_macos_puts_beside_notes_and_what_is_unreadable(tmp_path):
    folder, problems = nsynth_folder(tmp_path / "nsynth-test", NOTES), list[str]()
    (folder / "audio" / f"._{NOTES[0]}.wav").write_bytes(b"\x00\x05\x16\x07" + bytes(200))
    (folder / "audio" / f"{NOTES[1]}.wav").write_bytes(b"no sound at all")
    archive = tmp_path / "nsynth-test.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        file.add(folder, "nsynth-test")
    assert sorted(sound.name for sound in nsynth_sounds(archive, None, problems)) == sorted(NOTES[:1] + NOTES[2:])
    assert problems == ["nsynth-test.tar.gz: 1 of the notes in it is not readable"]
    assert glance(archive, "nsynth").sounds == glance(folder, "nsynth").sounds == 4


def test_every_note_of_a_data_set_ticks_wanted_or_not(nsynth):
    def cancel(share: float | None) -> None:
        told.append(share)
        if len(told) == 3:
            raise KeyboardInterrupt

    told: list[float | None] = []
    with pytest.raises(KeyboardInterrupt):
        list(nsynth_sounds(nsynth, NSynthFilter(families=("organ",)), None, cancel))
    assert told == sorted(told) and 0.0 <= told[0] <= told[-1] <= 1.0
    shares: list[float] = []
    open_corpus([Entry(nsynth)], progress=shares.append)
    assert shares == sorted(shares) and len(shares) > len(NOTES)


def test_changed_audio_of_a_folder_is_heard(tmp_path):
    """Its table of notes stays as it is."""
    folder = nsynth_folder(tmp_path / "nsynth-test", NOTES[:1])
    before = open_corpus([Entry(folder)]).recordings[0].frames.f0_hz
    write(folder / "audio" / f"{NOTES[0]}.wav", harmonic(300.0, 0.5))
    after = open_corpus([Entry(folder)]).recordings[0].frames.f0_hz
    assert np.median(before) == pytest.approx(392.0, rel=0.01) and np.median(after) == pytest.approx(300.0, rel=0.01)
    kept = len(list(cache_folder().iterdir()))
    copy = shutil.copytree(folder, tmp_path / "copy" / folder.name, copy_function=shutil.copyfile)
    os.symlink("nowhere", copy / "audio" / "gone.wav")
    assert len(open_corpus([Entry(copy)]).recordings) == 1  # other times, the same sound
    assert len(list(cache_folder().iterdir())) == kept
    other = folder.rename(tmp_path / "nsynth-train")
    assert open_corpus([Entry(other)]).recordings[0].split == "train"


def test_a_folder_of_parts(tmp_path):
    """The archives of a data set, unpacked or not, lie in one folder; each is read once."""
    place = tmp_path / "nsynth"
    nsynth_folder(place / "nsynth-test", NOTES[:2])
    for split, names in (("train", NOTES[2:]), ("valid", NOTES[1:2]), ("test", NOTES)):
        (place / f"nsynth-{split}.tfrecord").write_bytes(framed([nsynth_record(name) for name in names]))
    with tarfile.open(place / "nsynth-valid.jsonwav.tar.gz", "w:gz") as archive:
        archive.add(place / "nsynth-test", "nsynth-valid")
    corpus = open_corpus([Entry(place)])
    assert sorted((recording.split, recording.name) for recording in corpus.recordings) == sorted(
        [("test", NOTES[0]), ("test", NOTES[1]), ("train", NOTES[2]), ("train", NOTES[3]), ("validation", NOTES[1])]
    )
    assert corpus.problems == (
        "nsynth-test.tfrecord is left out: nsynth-test beside it holds the same notes",
        "nsynth-valid.jsonwav.tar.gz is left out: nsynth-valid.tfrecord beside it holds the same notes",
    )
    chosen = open_corpus([Entry(place, nsynth=NSynthFilter(families=("flute",)), splits=("train",))])
    assert [recording.name for recording in chosen.recordings] == [NOTES[3]]
    nothing = NSynthFilter(families=("organ",), pitch=(60, 72))
    with pytest.raises(AudioProblem, match="has no notes"):
        open_corpus([Entry(place, nsynth=nothing)])
    with pytest.raises(AudioProblem, match="nsynth-train.tfrecord has no notes of organ, of pitch 60 to 72"):
        open_corpus([Entry(place / "nsynth-train.tfrecord", nsynth=nothing)])


def test_a_folder_with_a_single_tfrecord(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "nsynth-train.tfrecord").write_bytes(framed([nsynth_record(name) for name in NOTES]))
    assert [recording.name for recording in open_corpus([Entry(tmp_path / "one")]).recordings] == NOTES


def test_the_folder_above_a_data_set(tmp_path):
    """What lies beside the data set is taken, too."""
    maestro(tmp_path / "all" / "maestro-v3.0.0", "csv")
    write(tmp_path / "all" / "own" / "mine.wav", melody([60]))
    corpus = open_corpus([Entry(tmp_path / "all", splits=("test",))])
    assert [(recording.split, recording.name) for recording in corpus.recordings] == [
        ("test", "2018/MIDI-Unprocessed_2--1.wav"),
        ("", "mine.wav"),
    ]


def test_unknown_families_are_refused():
    with pytest.raises(ValueError, match="got 'violin'"):
        NSynthFilter(families=("violin",))


# -- MAESTRO -------------------------------------------------------------------------------------------------------------

ROWS = [
    {"canonical_composer": "A. Composer", "canonical_title": 'Prelude, in "C", and more', "split": "train", "year": 2004},
    {"canonical_composer": "B / C", "canonical_title": "Étude", "split": "validation", "year": 2008},
    {"canonical_composer": "D", "canonical_title": "Op. 0", "split": "test", "year": 2018},
]


def maestro(folder, form):
    rows = []
    for number, row in enumerate(ROWS):
        name = f"{row['year']}/MIDI-Unprocessed_{number}--1"
        write(folder / f"{name}.wav", np.stack([melody([60 + number])] * 2, axis=1), 44_100)
        (folder / f"{name}.midi").write_bytes(b"MThd")
        rows.append({**row, "midi_filename": f"{name}.midi", "audio_filename": f"{name}.wav", "duration": 0.7})
    if form == "csv":
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        (folder / "maestro-v3.0.0.csv").write_text(text.getvalue(), encoding="utf-8")
    elif form == "columns":
        columns = {key: {str(i): row[key] for i, row in enumerate(rows)} for key in rows[0]}
        (folder / "maestro-v3.0.0.json").write_text(json.dumps(columns))
    else:
        (folder / "maestro-v2.0.0.json").write_text(json.dumps(rows))
    return folder


@pytest.mark.parametrize("form", ("csv", "columns", "list"))
def test_maestro(tmp_path, form):
    folder = maestro(tmp_path / "maestro", form)
    held = maestro_performances(folder)
    assert [(one.title, one.split, one.year) for one in held] == [
        (row["canonical_title"], row["split"], row["year"]) for row in ROWS
    ]
    assert all(one.audio.is_file() and one.midi.is_file() for one in held)
    assert [one.year for one in maestro_performances(folder, splits=("validation", "test"), years=(2018,))] == [2018]
    corpus = open_corpus([Entry(folder, splits=("train", "validation"))])
    assert [recording.split for recording in corpus.recordings] == ["train", "validation"]


def test_maestro_misread(tmp_path):
    folder = maestro(tmp_path / "maestro", "csv")
    table = folder / "maestro-v3.0.0.csv"
    with pytest.raises(ValueError, match="got 'valid'"):
        maestro_performances(folder, splits=("valid",))
    table.write_text(table.read_text().replace("2018/MIDI", "../../etc/MIDI"))
    with pytest.raises(ValueError, match="outside the folder"):
        maestro_performances(folder)
    table.write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"not MAESTRO's table"):
        maestro_performances(folder)
    with pytest.raises(ValueError, match="not a MAESTRO folder"):
        maestro_performances(tmp_path)


# -- magenta/ddsp --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("frames", (250, 251))
def test_ddsp_records(tmp_path, frames):
    """Pitch is taken as it is, at our frames; loudness is measured."""
    f0_hz = np.geomspace(200.0, 400.0, frames)
    confidence = np.where(np.arange(frames) < 200, 0.9, 0.1)
    record = serialised(
        {"audio": harmonic(300.0), "f0_hz": f0_hz, "f0_confidence": confidence, "loudness_db": np.full(frames, -7.0)}
    )
    folder = tmp_path / "records"
    folder.mkdir()
    for shard in range(2):
        (folder / f"train.tfrecord-0000{shard}-of-00002").write_bytes(framed([record] * (shard + 1)))
    assert kind_of(folder) == "ddsp"
    corpus = open_corpus([Entry(folder)])
    assert len(corpus.recordings) == 3
    held = corpus.recordings[0].frames
    np.testing.assert_allclose(held.f0_hz[:200], f0_hz[:200], rtol=1e-5)
    assert not held.f0_hz[200:].any() and held.confidence[0] == pytest.approx(0.9)
    assert held.loudness_db[100] < -10.0
    (folder / "train.tfrecord-00000-of-00002").write_bytes(framed([record])[:-9])
    assert "cut short in record 1" in open_corpus([Entry(folder)]).problems[0]


GLIDE = 220.0 * 2.0 ** (0.5 * np.sin(2.0 * np.pi * 0.7 * np.arange(4 * RATE) / RATE))
"""Four seconds of pitch at 16 kHz that moves by half an octave up and down."""


def gliding(rate: int, frame_rate: int, frames: int, behind: int, *, resampled: bool = True) -> bytes:
    """A glide as magenta/ddsp's preparation writes it; frame m describes the sound `behind` samples of 16 kHz behind its hop."""
    at = np.arange(frames) * (RATE // frame_rate) + behind
    f0_hz = 220.0 * 2.0 ** (0.5 * np.sin(2.0 * np.pi * 0.7 * at / RATE))
    wide = 220.0 * 2.0 ** (0.5 * np.sin(2.0 * np.pi * 0.7 * np.arange(4 * rate) / rate))
    held = {"audio": harmonic(wide, 4.0, rate), "f0_hz": f0_hz, "f0_confidence": np.full(frames, 0.9)}
    return serialised(held | ({"audio_16k": harmonic(GLIDE, 4.0)} if resampled else {}))


@pytest.mark.parametrize("behind", (0, 512))
@pytest.mark.parametrize(("rate", "frame_rate"), [(16_000, 250), (16_000, 50), (48_000, 250), (44_100, 50)])
def test_ddsp_records_of_any_rate_and_padding(tmp_path, rate, frame_rate, behind):
    path = tmp_path / "a.tfrecord"
    path.write_bytes(framed([gliding(rate, frame_rate, 4 * frame_rate, behind)] * 2))
    for recording in open_corpus([Entry(path)]).recordings:
        assert recording.samples == pytest.approx(4 * RATE, abs=2)
        held = recording.frames.f0_hz[10:-20]
        off = 1200.0 * np.log2(held / GLIDE[64 * np.arange(10, 10 + len(held))])
        assert np.abs(off).max() < 12.0  # 32 ms elsewhere would be 84 cents


def test_ddsp_records_with_a_frame_at_their_end_are_centred(tmp_path):
    """Their number says so, whatever they hold."""
    path = tmp_path / "a.tfrecord"
    path.write_bytes(framed([gliding(RATE, 250, 1001, 512, resampled=False)]))
    held = open_corpus([Entry(path)]).recordings[0].frames.f0_hz
    np.testing.assert_allclose(held[10:-20], GLIDE[64 * np.arange(10, 981) + 512], rtol=1e-4)


def test_ddsp_records_that_do_not_fit_their_sound_are_tracked(tmp_path):
    path = tmp_path / "a.tfrecord"
    path.write_bytes(framed([gliding(RATE, 250, 777, 0)]))
    held = open_corpus([Entry(path)]).recordings[0].frames.f0_hz[10:-20]
    assert np.abs(1200.0 * np.log2(held / GLIDE[64 * np.arange(10, 10 + len(held))])).max() < 12.0


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("notes.tfrecord-train-00000-of-00010", "train"),
        ("notes.tfrecord-eval-00000-of-00002", "validation"),
        ("a-valid.tfrecord", "validation"),
        ("a-train.tfrecord-test", "test"),
        ("train.tfrecord-00000-of-00010", ""),
        ("contest.tfrecord", ""),
    ],
)
def test_ddsp_records_by_split(tmp_path, name, split):
    (tmp_path / name).write_bytes(framed([gliding(RATE, 50, 200, 0)]))
    assert [recording.split for recording in open_corpus([Entry(tmp_path / name)]).recordings] == [split]


@needs_shared
def test_the_shared_miniatures():
    for path, count in (
        ("nsynth_mini/nsynth-train", 5),
        ("nsynth_mini/nsynth-valid.tfrecord", 2),
        ("maestro_mini/maestro-v3.0.0", 3),
    ):
        corpus = open_corpus([Entry(SHARED / path)])
        assert len(corpus.recordings) == count and not corpus.problems
    assert {recording.split for recording in corpus.recordings} == {"train", "validation", "test"}


def test_octaves_by_hand(tmp_path):
    path = write(tmp_path / "a.wav", melody([57]))
    low, high = (open_corpus([Entry(path, octave=octave)]).recordings[0].frames.f0_hz for octave in (0, 1))
    np.testing.assert_allclose(high, 2.0 * low)
    with pytest.raises(ValueError, match="−4 to 4 octaves"):
        Entry(path, octave=5)


def test_a_bad_file_costs_a_sentence_and_nothing_else(tmp_path):
    good = write(tmp_path / "good.wav", melody([60]))
    (tmp_path / "bad.wav").write_text("no sound")
    corpus = open_corpus([Entry(tmp_path), Entry(tmp_path / "missing")])
    assert [recording.name for recording in corpus.recordings] == [good.name]
    assert len(corpus.problems) == 2 and any("bad.wav is not a sound file" in problem for problem in corpus.problems)
    with pytest.raises(AudioProblem, match=r"bad\.wav"):
        open_corpus([Entry(tmp_path / "bad.wav")])
    soundfile.write(tmp_path / "bad.wav", melody([64]), RATE)
    assert len(open_corpus([Entry(tmp_path)]).recordings) == 2
