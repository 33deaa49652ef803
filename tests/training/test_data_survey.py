"""What people are told of their recordings, and `ddsp-studio analyze`."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PySide6.QtGui import QImage

from ddsp_studio import cli
from ddsp_studio.training.data.audio_source import AudioProblem, choose_mixdown, find_audio, raw_blocks
from ddsp_studio.training.data.clipping import clipped_places
from ddsp_studio.training.data.store import Analysis
from ddsp_studio.training.data.survey import report_on, survey

from .material import RATE, SHARED, drum_loop, framed, harmonic, melody, needs_shared, nsynth_record, write


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DDSP_STUDIO_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


def chord(keys, seconds=3.0):
    return sum(harmonic(440.0 * 2.0 ** ((key - 69) / 12), seconds) for key in keys) / len(keys)


def noisy(sound, db):
    spread = np.sqrt(np.mean(sound**2)) * 10 ** (-db / 20)
    return (sound + spread * np.random.default_rng(0).standard_normal(len(sound))).astype(np.float32)


PHRASE = melody([57, 60, 64, 69, 72, 76], 0.8, 0.25)


@pytest.mark.parametrize(
    ("sound", "words"),
    [
        (np.zeros(2 * RATE, np.float32), "is silent"),
        (drum_loop(), "no clear pitch"),
        (0.1 * np.random.default_rng(0).standard_normal(3 * RATE).astype(np.float32), "no clear pitch"),
        (chord([60, 64, 67]), "several notes at once"),
        (chord([57, 63, 70, 73]), "several notes at once"),
        (np.clip(8.0 * PHRASE, -0.9, 0.9), "is clipped in"),
        (noisy(PHRASE, 20.0), "is noisy"),
        (harmonic(440.0, 0.3), "is too short"),
        (np.pad(harmonic(440.0, 0.15), RATE), "over within 0.2 s"),
        (0.002 * np.float32(PHRASE), "is very soft"),
        (30_000.0 * np.float32(PHRASE), "far beyond full scale"),
    ],
    ids=["silence", "drums", "noise", "chord", "cluster", "clipped", "noisy", "short", "brief", "soft", "loud"],
)
def test_one_sentence_each(tmp_path, sound, words):
    report = report_on(write(tmp_path / "mine.wav", sound, subtype="FLOAT"), Analysis())
    assert len(report.warnings) == 1, report.warnings
    assert words in report.warnings[0] and report.warnings[0].startswith("mine.wav")


def test_a_bass_is_heard_below_the_usual_range(tmp_path):
    line = [28, 31, 35, 40, 43, 30, 33, 28]
    report = report_on(write(tmp_path / "bass.wav", melody(line, 0.5, 0.05)), Analysis())
    assert report.warnings == () and report.keys == (28, 43)
    report = report_on(write(tmp_path / "high.wav", melody([key + 24 for key in line], 0.5, 0.05)), Analysis())
    assert report.keys == (52, 67)


@pytest.mark.parametrize("decay", (9.0, 12.0, 20.0))
@pytest.mark.parametrize("snare", (0.3, 1.0))
def test_a_kick_whose_pitch_is_sure_is_a_drum(tmp_path, decay, snare):
    """Its pitch is sure where it has one, which is not where it is loud."""
    chance, t = np.random.default_rng(0), np.arange(RATE) / RATE
    kick, noise = np.sin(2 * np.pi * 60.0 * t) * np.exp(-decay * t), snare * chance.standard_normal(RATE) * np.exp(-20.0 * t)
    out = np.zeros(11 * RATE)
    for beat in range(20):
        out[beat * RATE // 2 :][:RATE] += kick if beat % 2 == 0 else noise
    report = report_on(write(tmp_path / "loop.wav", 0.5 * out[: 10 * RATE] / np.abs(out).max()), Analysis())
    assert "no clear pitch" in report.warnings[0] and report.usable_s == 0.0


def test_a_range_of_ones_own_is_kept_to(tmp_path):
    report = report_on(write(tmp_path / "bass.wav", melody([28, 35, 40, 43], 0.5, 0.05)), Analysis(low_hz=70.0))
    assert report.keys is None or report.keys[0] >= 37


def test_two_microphones_at_a_distance_hide_no_pitch(tmp_path):
    phrase = melody([55, 60, 64, 67], 0.8)
    apart = np.stack([phrase, 0.7 * np.roll(phrase, 7)], axis=1)
    assert choose_mixdown(write(tmp_path / "apart.wav", apart)).channel == 0
    assert choose_mixdown(write(tmp_path / "panned.wav", np.stack([phrase, 0.7 * phrase], axis=1))).channel != 0


def test_a_good_recording_has_no_warning(tmp_path):
    report = report_on(write(tmp_path / "mine.wav", PHRASE, subtype="PCM_24"), Analysis())
    assert report.warnings == () and report.keys == (57, 76)
    assert report.usable_s == pytest.approx(len(PHRASE) / RATE, abs=0.5)


@pytest.mark.parametrize("offset", (0.1, 0.4))
def test_an_offset_is_no_second_note(tmp_path, offset):
    report = report_on(write(tmp_path / "mine.wav", 0.05 * PHRASE + np.float32(offset), subtype="FLOAT"), Analysis())
    assert report.warnings == () and report.keys == (57, 76)


def test_what_a_training_keeps_is_no_recording(tmp_path):
    write(tmp_path / "mine.wav", PHRASE)
    write(tmp_path / "more" / "other.wav", PHRASE)
    for name in ("training/samples/target.flac", "more/b/samples/played.flac", "samples/mine too.wav"):
        write(tmp_path / name, PHRASE)
    for folder in ("training", "more/b"):
        for name in ("settings.json", "patch.ddsp"):
            (tmp_path / folder / name).touch()
    assert [path.name for path in find_audio([tmp_path])] == ["mine.wav", "other.wav", "mine too.wav"]
    with pytest.raises(AudioProblem, match="no sound files in it"):
        find_audio([tmp_path / "training"])
    assert len(find_audio([tmp_path / "training" / "samples" / "target.flac"])) == 1  # named, it is meant


def test_files_that_are_no_sound(tmp_path):
    (tmp_path / "text.wav").write_text("hello " * 100)
    (tmp_path / "empty.wav").touch()
    told = survey([tmp_path])
    assert [report.warnings for report in told.files] == [
        ("empty.wav is empty (0 bytes)",),
        ("text.wav is not a sound file that can be read (WAV, FLAC, OGG, MP3 and AIFF can)",),
    ]
    assert told.usable_s == 0.0 and "Nothing here can be learnt from" in told.advice[0]
    with pytest.raises(AudioProblem, match="no such file"):
        survey([tmp_path / "missing.wav"])


def test_a_long_loud_stereo_file_at_96_khz(tmp_path):
    """Read, resampled and judged in blocks."""
    tone = np.tile(melody([60, 64, 67], 0.8, 0.2, 96_000), 8)
    report = report_on(write(tmp_path / "long.wav", np.stack([tone, tone], axis=1), 96_000, subtype="PCM_24"), Analysis())
    assert report.warnings == () and report.seconds == pytest.approx(len(tone) / 96_000, abs=0.01)
    assert report.usable_s > 0.8 * report.seconds


def test_clipping_is_not_seen_where_there_is_none(tmp_path):
    loud = PHRASE / np.abs(PHRASE).max()
    assert clipped_places(raw_blocks(write(tmp_path / "full.wav", loud))) <= 1
    assert clipped_places(raw_blocks(write(tmp_path / "flat.wav", np.full(1000, 0.3)))) == 0
    assert clipped_places(raw_blocks(write(tmp_path / "hard.wav", np.clip(3 * loud, -1, 1)))) > 50


def test_advice(tmp_path):
    one = write(tmp_path / "one.wav", harmonic(440.0, 4.0))
    told = survey([one])
    assert [
        any(words in sentence for sentence in told.advice) for words in ("seconds are little", "few keys", "equally loud")
    ] == [True] * 3
    soft = write(tmp_path / "soft.wav", 0.03 * PHRASE, subtype="PCM_24")
    assert any("dB quieter than" in sentence for sentence in survey([one, soft]).advice)


@needs_shared
def test_the_shared_phrases_are_good():
    told = survey(sorted((SHARED / "violin_phrases").glob("*.flac"))[2:6])
    assert told.usable_s > 45.0
    assert all(not report.warnings for report in told.files)


@needs_shared
def test_a_piano_is_several_notes_at_once():
    (path,) = (SHARED / "maestro_mini").glob("*/2004/*.wav")
    assert "several notes at once" in report_on(path, Analysis()).warnings[0]


# -- the command ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def run(monkeypatch, capsys):
    def command(*arguments):
        monkeypatch.setattr("sys.argv", ["ddsp-studio", *map(str, arguments)])
        monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
        try:
            code = cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        return code, *capsys.readouterr()

    return command


def test_analyze_tells_and_writes(run, tmp_path):
    path = write(tmp_path / "mine.wav", PHRASE, subtype="PCM_24")
    code, out, _ = run("analyze", path, "-o", tmp_path / "mine.csv")
    assert code == 0 and "mine.wav: 6.5 s" in out and "A3 to E5, 6 notes" in out and "seconds to learn from in 1 file" in out
    rows = list(csv.DictReader((tmp_path / "mine.csv").read_text().splitlines()))
    assert len(rows) == len(PHRASE) // 64 + 1
    row = rows[round(0.6 / 0.004)]
    assert float(row["time_s"]) == pytest.approx(0.6) and float(row["f0_hz"]) == pytest.approx(220.0, rel=0.01)
    assert rows[0]["f0_hz"] == ""
    assert run("analyze", path, tmp_path, "-o", tmp_path / "mine.json")[0] == 0
    (held,) = json.loads((tmp_path / "mine.json").read_text())["files"]
    assert held["keys"] == [57, 76] and len(held["notes"]) == 6 and len(held["frames"]["f0_hz"]) == len(rows)
    assert run("analyze", path, "-o", tmp_path / "mine.png")[0] == 0
    picture = QImage(str(tmp_path / "mine.png"))
    assert picture.width() > 1000 and picture.height() > 500


def test_the_picture_shows_pitch_where_it_is(run, tmp_path):
    """The line of the pitch has the colour of controls; it stands higher for the higher note."""
    path = write(tmp_path / "mine.wav", melody([57, 69], 1.0, 0.1))
    run("analyze", path, "-o", tmp_path / "mine.png")
    image = QImage(str(tmp_path / "mine.png"))
    rows = []
    for share in (0.28, 0.75):
        x = round(62 + share * (image.width() - 78))
        column = [image.pixelColor(x, y) for y in range(170, 580)]
        rows.append(np.mean([y for y, colour in enumerate(column) if colour.name() == "#5ec2b7"]))
    assert rows[0] - rows[1] > 30


def test_analyze_draws_what_it_hears(run, tmp_path):
    """Each recording under its name, in the folder that is stated; nothing if that is asked for, or if something else is."""
    one = write(tmp_path / "in" / "mine.wav", PHRASE, subtype="PCM_24")
    other = write(tmp_path / "in" / "deep" / "mine.wav", melody([60]))
    (tmp_path / "in" / "text.wav").write_text("hello")
    code, _, err = run("analyze", tmp_path / "in")
    place = tmp_path / "out" / "analysis"
    assert code == 0 and "out/analysis: 2 pictures drawn" in err
    assert sorted(path.name for path in place.iterdir()) == ["mine 2.png", "mine.png"]
    assert "elsewhere/mine.png: 1 picture drawn" in run("analyze", one, "--pictures", tmp_path / "elsewhere")[2]
    for options in (["--no-draw", "--pictures", "never"], ["-o", tmp_path / "x.json", "--pictures", "never"]):
        assert run("analyze", other, *options)[0] == 0
        assert not (tmp_path / "never").exists()


def test_the_picture_shows_confidence_and_timbre(run, tmp_path):
    """The line of confidence is up in notes and down in pauses; timbres have colours of their own."""
    bright, dark = harmonic(220.0, 1.0, partials=20, slope=0.3), harmonic(220.0, 1.0, partials=2)
    path = write(tmp_path / "mine.wav", np.concatenate([bright, np.zeros(RATE, np.float32), dark]))
    run("analyze", path, "-o", tmp_path / "mine.png")
    image = QImage(str(tmp_path / "mine.png"))
    places = [round(62 + share * (image.width() - 78)) for share in (1 / 6, 1 / 2, 5 / 6)]

    def height(x):
        rows = [y for y in range(600, 662) if image.pixelColor(x, y).green() > image.pixelColor(x, y).red() + 40]
        return float(np.mean(rows))

    assert height(places[0]) < 610 < 650 < height(places[1])
    strips = [np.array([image.pixelColor(x, y).red() for y in range(820, 920)], float) for x in places]
    assert np.abs(strips[0] - strips[2]).mean() > 30.0


def test_analyze_listens_to_data_sets(run, tmp_path):
    (tmp_path / "nsynth-train.tfrecord").write_bytes(framed([nsynth_record("string_acoustic_000-067-100")]))
    code, out, _ = run("analyze", tmp_path / "nsynth-train.tfrecord")
    assert code == 0 and "nsynth-train.tfrecord: notes of NSynth, 1 sound, " in out
    (tmp_path / "cut.tfrecord").write_bytes((tmp_path / "nsynth-train.tfrecord").read_bytes()[:100])
    code, out, _ = run("analyze", tmp_path / "cut.tfrecord")
    assert code == 1 and "cut.tfrecord is cut short in record 1" in out
    code, _, err = run("analyze", tmp_path / "nsynth-train.tfrecord", "-o", tmp_path / "x.png")
    assert code == 1 and "is a data set; only recordings are written or drawn" in err


def test_one_is_one(run, tmp_path):
    path = write(tmp_path / "one.wav", melody([60], 0.9))
    out = run("analyze", path, "--no-draw")[1]
    assert ", 1 note, " in out and "1 second is little" in out
    assert "Less than a second is little" in run("analyze", write(tmp_path / "s.wav", harmonic(440.0, 0.3)), "--no-draw")[1]


def test_an_engine_that_is_not_there_is_not_the_recordings_fault(run, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "swift_f0", None)
    for engine, words in (("swift-f0", "is not installed: pip install"), ("crepe", "got 'crepe'")):
        code, out, err = run("analyze", write(tmp_path / "mine.wav", PHRASE), "--engine", engine)
        assert code == 1 and words in err and "mine.wav" not in out + err


def test_analyze_refuses_in_one_sentence(run, tmp_path):
    (tmp_path / "text.wav").write_text("hello")
    good = write(tmp_path / "good.wav", PHRASE)
    code, out, _ = run("analyze", tmp_path / "text.wav")
    assert code == 1 and "not a sound file" in out
    for arguments, words in (
        ((tmp_path / "missing.wav",), "no such file"),
        ((good, "-o", tmp_path / "x.pdf"), ".png, .csv, .json"),
        ((good, tmp_path / "text.wav", "-o", tmp_path / "x.png"), "holds one file, got 2"),
        ((good, "--engine", "crepe"), "autocorrelation or swift-f0"),
    ):
        code, out, err = run("analyze", *arguments)
        assert code == 1 and words in out + err, (out, err)
        assert "Traceback" not in err
    assert not list(tmp_path.glob("x.*"))
