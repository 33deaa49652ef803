"""`ddsp-studio train`: what is asked for reaches the training, and what cannot be is refused in a sentence."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np
import pytest
from typer.main import get_command

from ddsp_studio import cli
from ddsp_studio.cli_commands import train as command
from ddsp_studio.processors import model_file
from ddsp_studio.training import protocol
from ddsp_studio.training.data.augment import Augmentation
from ddsp_studio.training.data.corpus import open_corpus
from ddsp_studio.training.data.coverage import VARIED_DB
from ddsp_studio.training.runs import Checkpoint, Run
from ddsp_studio.training.stepper import Learned
from ddsp_studio.training.trainer import Trainer

from .material import framed, harmonic, melody, nsynth_folder, nsynth_record, write
from .materials import Heard, begun, patch, quick, tone

NOTES = ["string_acoustic_000-067-100", "string_acoustic_000-069-050", "flute_synthetic_002-081-075"]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("DDSP_STUDIO_HOME", str(tmp_path / "home"))


@pytest.fixture
def run(monkeypatch, capsys):
    """The command line, which trains nothing: exit code and what it said."""

    def called(*arguments):
        monkeypatch.setattr("sys.argv", ["ddsp-studio", *map(str, arguments)])
        monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
        monkeypatch.setattr(command, "_see_through", lambda *_, **__: None)
        try:
            code = cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        return code, capsys.readouterr().err

    return called


# -- what is asked for ---------------------------------------------------------------------------------------------------


def test_notes_are_chosen_by_what_they_are(run, tmp_path):
    nsynth_folder(tmp_path / "nsynth" / "nsynth-train", NOTES)
    nsynth_folder(tmp_path / "nsynth" / "nsynth-test", NOTES)
    for options, names in (
        (["--family", "string"], NOTES[:2]),
        (["--source", "synthetic"], NOTES[2:]),
        (["--pitch", "68-90", "--velocity", "75-127"], NOTES[2:]),
        (["--pitch", "67"], NOTES[:1]),
    ):
        out = tmp_path / f"run {options}"
        assert run("train", tmp_path / "nsynth", "-o", out, "--split", "train", *options) == (0, "")
        order, _ = Run(out).order()
        assert order.name == "nsynth"
        corpus = open_corpus([source.entry() for source in order.sources])
        assert [recording.name for recording in corpus.recordings] == names
        assert {recording.split for recording in corpus.recordings} == {"train"}


@pytest.mark.parametrize(
    ("options", "varied"),
    [
        (["--augment-gain", 6, "--augment-pitch", 30, "--augment-noise", -60], Augmentation(6.0, 30.0, -60.0)),
        (["--augment-gain", 0, "--augment-pitch", 0], Augmentation()),
        ([], Augmentation(gain_db=VARIED_DB)),  # a single tone: all of its few keys, and one dynamic
    ],
)
def test_variation_reaches_the_training(run, tmp_path, monkeypatch, options, varied):
    sound = write(tmp_path / "mine.wav", harmonic(220.0, 4.0))
    assert run("train", sound, "-o", tmp_path / "run", *options) == (0, "")
    assert Run(tmp_path / "run").order()[0].name == "mine"
    seen, heard = [], Heard()

    def feed(batches, step):
        seen.append(batches)
        raise ValueError("that was enough")

    monkeypatch.setattr("ddsp_studio.training.trainer.Feed", feed)
    with pytest.raises(ValueError, match="enough"):
        Trainer(Run(tmp_path / "run"), heard.append).run()
    assert seen[0].augmentation == varied
    assert any("clips are varied by up to 6 dB" in getattr(event, "text", "") for event in heard) == (not options)


def test_the_second_engine_is_used(tmp_path, monkeypatch):
    """The pitch that is learnt is the one that the chosen engine gave."""
    from ddsp_studio.training.features import f0_swift
    from ddsp_studio.training.features.f0 import F0

    def heard(engine, blocks, sample_rate, settings):
        count = sum(len(block) for block in blocks) // 64 + 1
        return F0(np.full(count, 123.0, np.float32), np.ones(count, np.float32))

    monkeypatch.setattr(f0_swift, "track_with", heard)
    monkeypatch.setattr("ddsp_studio.training.trainer.check_engine", lambda engine: None)
    run = begun(tmp_path / "run", write(tmp_path / "mine.wav", tone()), quick(engine="swift-f0"))
    trainer = Trainer(run, Heard().append, cache=tmp_path / "cache")
    (recording,) = trainer._corpus(run.order()[0]).recordings
    assert np.all(recording.frames.f0_hz == 123.0)


def test_what_cannot_be_asked_for(run, tmp_path, monkeypatch):
    sound = write(tmp_path / "mine.wav", tone())
    (tmp_path / "nsynth-train.tfrecord").write_bytes(framed([nsynth_record(name) for name in NOTES]))
    monkeypatch.setitem(__import__("sys").modules, "swift_f0", None)
    for arguments, words in (
        ((sound, "--family", "string"), "choose among the notes of NSynth, and there are none here"),
        ((sound, "--split", "train"), "neither here"),
        ((tmp_path / "nsynth-train.tfrecord", "--family", "violin"), "got 'violin'"),
        ((tmp_path / "nsynth-train.tfrecord", "--source", "tape"), "got 'tape'"),
        ((tmp_path / "nsynth-train.tfrecord", "--pitch", "high"), "--pitch takes a number or a range such as 48-72, got 'high'"),
        ((tmp_path / "nsynth-train.tfrecord", "--pitch", "72-48"), "lower end first"),
        ((tmp_path / "nsynth-train.tfrecord", "--split", "valid"), "got 'valid'"),
        ((sound, "--engine", "swift-f0"), "not installed"),
        ((sound, "--engine", "crepe"), "autocorrelation or swift-f0, got 'crepe'"),
    ):
        code, err = run("train", *arguments, "-o", tmp_path / "run")
        assert code == 1 and words in err and len(err.splitlines()) == 1, err
        assert not (tmp_path / "run").exists()


def test_many_recordings_are_called_after_their_folder(run, tmp_path):
    files = [write(tmp_path / "Cello" / f"{i}.wav", tone(1.0)) for i in range(2)]
    run("train", *files, "-o", tmp_path / "run")
    assert Run(tmp_path / "run").order()[0].name == "Cello"


def test_networks_in_groups_take_the_size_too_and_none_is_refused(run, tmp_path):
    from ddsp_studio.processors import patch_file
    from ddsp_studio.processors.grouping import grouped
    from ddsp_studio.processors.nesting import node_at

    sound, drawn = write(tmp_path / "mine.wav", tone(1.0)), tmp_path / "drawn.ddsp"
    inside, name, _ = grouped(patch(), ["net"])
    patch_file.save(inside, drawn)
    assert run("train", sound, "-o", tmp_path / "run", "--patch", drawn, "--size", "small") == (0, "")
    assert node_at(Run(tmp_path / "run").order()[1], f"{name}/net").options["size"] == "small"
    patch_file.save(patch(reverb=True).without_nodes(["net"]), drawn)
    code, err = run("train", sound, "-o", tmp_path / "other", "--patch", drawn, "--size", "small")
    assert code == 1 and "nothing in this patch comes in the size 'small'" in err and len(err.splitlines()) == 1
    assert not (tmp_path / "other").exists()


# -- stopped early -------------------------------------------------------------------------------------------------------

NOTHING = "training stopped before the first step; nothing is kept\n"


@pytest.mark.parametrize(("number", "ended"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_stopped_before_the_first_step_it_leaves_nothing(tmp_path, monkeypatch, capsys, number, ended):
    sound, before = write(tmp_path / "mine.wav", tone(1.0)), signal.getsignal(number)
    monkeypatch.setattr(command, "load_tensorflow", lambda: signal.raise_signal(number))
    monkeypatch.setattr("ddsp_studio.training.background.stand_back", lambda: None)
    with pytest.raises(ended):
        command.train(command.Job((sound,), "solo_instrument", tmp_path / "a" / "run"))
    assert capsys.readouterr().err == NOTHING
    assert [path.name for path in tmp_path.iterdir()] == ["mine.wav"]
    assert signal.getsignal(number) == before


def test_what_was_learned_is_kept(tmp_path, monkeypatch, capsys):
    """After the first step Ctrl+C asks to stop, and only the second one ends it at once."""
    run, seen = begun(tmp_path / "run", write(tmp_path / "mine.wav", tone(1.0))), []

    def steps(trainer):
        trainer._tell(protocol.Progress(step=1, steps=9, loss=1.0, steps_per_s=1.0, seconds=1.0, left_s=8.0))
        signal.raise_signal(signal.SIGINT)
        seen.append(trainer.control.stop.is_set())
        return "stopped"

    for name in ("ddsp_studio.training.background.stand_back", "ddsp_studio.cli_commands.train.load_tensorflow"):
        monkeypatch.setattr(name, lambda: None)
    monkeypatch.setattr(Trainer, "run", steps)
    with command._stoppable(run) as stopping:
        command._see_through(run, False, stopping)
    assert seen == [True] and run.exists
    assert capsys.readouterr().err == "training stopped\n"
    for resumed in (True, False):
        with pytest.raises(KeyboardInterrupt), command._stoppable(run, resumed=resumed) as stopping:
            stopping.learned = True
            signal.raise_signal(signal.SIGINT)
            assert stopping.asked.is_set()
            signal.raise_signal(signal.SIGINT)
        assert run.exists == resumed
    assert capsys.readouterr().err == NOTHING.replace("step", "checkpoint")


def test_a_failure_after_steps_keeps_the_order(tmp_path):
    """There may be room on the disk when it is resumed."""
    run = begun(tmp_path / "run", write(tmp_path / "mine.wav", tone(1.0)))
    with pytest.raises(OSError, match="full"), command._stoppable(run) as stopping:
        stopping.learned = True
        raise OSError("full")
    assert run.exists
    with pytest.raises(OSError, match="full"), command._stoppable(run):
        raise OSError("full")
    assert not run.exists


def test_whatever_fails_before_the_first_checkpoint_leaves_nothing(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("a mistake")

    monkeypatch.setattr("ddsp_studio.training.trainer.open_corpus", fail)
    sound = write(tmp_path / "mine.wav", tone(1.0))
    for resumed in (False, True):
        run = begun(tmp_path / "run", sound)
        run.log("log.csv", [{"step": 0, "loss": 1.0}])  # as before a checkpoint that the disk does not hold
        with pytest.raises(RuntimeError):
            Trainer(run, Heard().append, cache=tmp_path / "cache", resumed=resumed).run()
        assert run.folder.exists() == run.exists == resumed


# -- what is said --------------------------------------------------------------------------------------------------------

SCORES = {
    "spectral": 5.1234, "f0_cents": 1.25, "f0_accuracy": 0.9876, "octaves": 0.012, "loudness_db": 0.666, "level_db": -1.19,
    "seconds": 32.0,
}  # fmt: skip
SAID = "distance 5.123, pitch 98.8 % right (1.2 cents), loudness 0.67 dB off"


def test_no_line_is_broken_in_a_log(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    event = protocol.Checkpointed(step=60, seconds=75.0, best=True, scores=SCORES, target="", played="", model="")
    with command._display() as tell:
        tell(event)
        tell(protocol.Notice(text="'[red].wav' is not what it was since this training began, and more"))
    told = f"step 60 (1:15): {SAID}; the best so far\n'[red].wav' is not what it was since this training began, and more\n"
    assert capsys.readouterr().err == told


def test_a_model_is_described_in_words_and_harmlessly(run, tmp_path, capsys):
    evil = "\x1b[31mred\x1b[0m\nsecond\x07"
    about = {
        "sample_rate": 16_000, "nodes": {evil: "Expression"}, "name": evil, "data": {"sources": [evil], "licence": evil},
        "training": {"step": 60, "seconds": 60.0, "scores": SCORES},
    }  # fmt: skip
    model_file.save(model_file.Model(about, files={evil: b""}), tmp_path / "evil.ddspmodel")
    told = command.describe(str(tmp_path / "evil.ddspmodel"), as_json=False)
    assert all(sign.isprintable() or sign == "\n" for sign in told)
    assert told.count(r"\x1b[31mred\x1b[0m\nsecond\x07") == 5
    assert f"\n  {SAID}\n  1.2 % an octave off, 1.2 dB softer than the recordings, in 32 s of sound\n" in told
    about["training"]["scores"] = {"f0_accuracy": None, "level_db": 2.0}
    model_file.save(model_file.Model(about), tmp_path / "old.ddspmodel")
    told = command.describe(str(tmp_path / "old.ddspmodel"), as_json=False)
    assert "pitch – % right" in told and "2.0 dB louder" in told
    code, err = run("model", tmp_path / "\x1b[2Jno.ddspmodel")
    assert code == 1 and "\x1b" not in err and r"\x1b[2Jno" in err


# -- going on ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def done(tmp_path):
    """A run whose six steps are done."""
    run = begun(tmp_path / "run", write(tmp_path / "in" / "mine.wav", tone()), quick(steps=6))
    nothing = np.zeros(4, np.float32)
    run.save(Checkpoint(Learned(nothing, nothing, nothing, 6), 6, 90.0, 1.0, 2, 5.0), best=True)
    return run


def test_more_can_be_asked_for(run, done):
    assert done.finished
    assert run("train", "-o", done.folder, "--resume", "--steps", 60)[0] == 0
    assert (done.order()[0].settings.steps, done.load().steps, done.finished) == (60, 60, False)
    assert run("train", "-o", done.folder, "--resume", "--minutes", 3)[0] == 0
    settings = done.order()[0].settings
    assert (settings.steps, settings.minutes, done.load().steps, done.finished) == (0, 3.0, 0, False)


def test_what_cannot_be_chosen_anew_is_refused(run, done, tmp_path):
    for options, words in (
        (["--size", "full"], "--size cannot be chosen anew"),
        (["--steps", 60, "--sample-rate", 16_000], "--sample-rate cannot be chosen anew"),
        ([tmp_path / "in"], "recordings cannot be chosen anew"),
        (["--steps", 6], "has done 6 steps already"),
        (["--minutes", 1], "has gone on for 1.5 minutes already"),
    ):
        code, err = run("train", "-o", done.folder, "--resume", *options)
        assert code == 1 and words in err, err
    assert done.order()[0].settings == quick(steps=6)


def test_a_finished_training_says_so(run, done):
    assert "had been done before; --steps or --minutes asks for more" in run("train", "-o", done.folder, "--resume")[1]


def test_other_recordings_are_refused(tmp_path):
    """The same weights come of the same recordings only."""
    folder, cache = tmp_path / "in", tmp_path / "cache"
    for number in range(3):
        write(folder / f"{number}.wav", tone(2.0, seed=number))
    run = begun(tmp_path / "run", folder)
    Trainer(run, Heard().append, cache=cache)._corpus(run.order()[0])
    again = Trainer(run, Heard().append, cache=cache, resumed=True)
    again._corpus(run.order()[0])
    (folder / "1.wav").rename(tmp_path / "1.wav")
    with pytest.raises(ValueError, match=r"'1\.wav' is not there any more since this training began"):
        again._corpus(run.order()[0])
    write(folder / "1.wav", tone(1.0, seed=1))
    with pytest.raises(ValueError, match=r"'1\.wav' is not what it was"):
        again._corpus(run.order()[0])
    write(folder / "1.wav", tone(2.0, seed=7))
    with pytest.raises(ValueError, match=r"'1\.wav' is not what it was"):  # as long as before, and another sound
        again._corpus(run.order()[0])
    (tmp_path / "1.wav").rename(folder / "1.wav")
    write(folder / "new.wav", tone(1.0, seed=1))
    with pytest.raises(ValueError, match=r"'new\.wav' is new"):
        again._corpus(run.order()[0])
    (run.folder / "material.json").write_text("[[")
    with pytest.raises(ValueError, match="list of recordings, is damaged"):
        again._corpus(run.order()[0])
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match="in', of which this training learns, is not there any more"):
        again._corpus(run.order()[0])


# -- what is told --------------------------------------------------------------------------------------------------------


def test_no_numbers_are_shown_as_none():
    scores = {"spectral": 5.0, "f0_accuracy": -1.0, "f0_cents": -1.0, "loudness_db": 2.0}
    line = command._shown(protocol.Checkpointed(step=3, seconds=4.0, best=True, scores=scores, target="", played="", model=""))
    assert "pitch – % right (– cents), loudness 2.00 dB off" in line
    shown = command._shown(protocol.Progress(step=6, steps=6, loss=0.0, steps_per_s=0.0, seconds=1.0, left_s=0.0))
    assert shown["told"] == "step 6  loss –  – steps/s"


def test_help_says_all_of_its_words(run, monkeypatch, capsys):
    """Square brackets are markup to what prints the help: what stands in them is lost."""
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.setenv("TERMINAL_WIDTH", "400")
    for name, held in get_command(cli.app).commands.items():
        monkeypatch.setattr("sys.argv", ["ddsp-studio", name, "--help"])
        with pytest.raises(SystemExit):
            cli.main()
        shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
        for parameter in held.params:
            text = getattr(parameter, "help", None) or ""
            assert " ".join(text.split()) in shown, (name, parameter.name)


# -- what can be learnt --------------------------------------------------------------------------------------------------


def test_what_is_wrong_with_recordings_is_told_and_the_useless_are_left_out(tmp_path):
    from .material import drum_loop

    folder = tmp_path / "in"
    phrase = melody([57, 60, 64, 69, 72, 76], 0.8, 0.25)
    write(folder / "good.wav", phrase, subtype="PCM_24")
    write(folder / "drums.wav", drum_loop())
    write(folder / "silence.wav", np.zeros(32_000, np.float32))
    write(folder / "loud.wav", np.clip(8.0 * phrase, -0.9, 0.9))
    run = begun(tmp_path / "run", folder)
    trainer = Trainer(run, Heard().append, cache=tmp_path / "cache")
    corpus = trainer._corpus(run.order()[0])
    assert [recording.name for recording in corpus.recordings] == ["good.wav", "loud.wav"]
    told = "\n".join(corpus.problems)
    assert "drums.wav has no clear pitch" in told and told.count("; it is left out") == 2
    assert "silence.wav is silent; it is left out" in told and "loud.wav is clipped in" in told
    alone = begun(tmp_path / "alone", folder / "drums.wav")
    (recording,) = Trainer(alone, Heard().append, cache=tmp_path / "cache")._corpus(alone.order()[0]).recordings
    assert recording.name == "drums.wav"


def test_many_warnings_are_few_lines(tmp_path):
    folder = tmp_path / "in"
    write(folder / "good.wav", melody([57, 60, 64, 69], 0.8, 0.25), subtype="PCM_24")
    for number in range(9):
        write(folder / f"s{number}.wav", np.zeros(8000 + number, np.float32))
    run = begun(tmp_path / "run", folder)
    problems = Trainer(run, Heard().append, cache=tmp_path / "cache")._corpus(run.order()[0]).problems
    assert problems[-2:] == ("4 more recordings have something wrong with them", "9 of 10 recordings are left out")
    assert len(problems) == 7


def test_a_full_cache_is_told_with_its_place(tmp_path, monkeypatch):
    import errno

    from ddsp_studio.training.data import store

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store, "_add", full)
    run = begun(tmp_path / "run", write(tmp_path / "mine.wav", tone(1.0)))
    with pytest.raises(OSError, match="No space left") as told:
        Trainer(run, Heard().append, cache=tmp_path / "cache").run()
    assert told.value.filename == str(tmp_path / "cache")
    assert Path(told.value.filename).is_dir()
