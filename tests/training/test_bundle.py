"""A trained model plays: from MIDI through the offline renderer, by the sound of another instrument, and at another rate."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from ddsp_studio import resources
from ddsp_studio.cli import app
from ddsp_studio.dsp.tensor import tf
from ddsp_studio.processors import model_file, patch_file
from ddsp_studio.processors.catalogue import processor_types
from ddsp_studio.processors.check import check
from ddsp_studio.processors.model_patch import instrument, open_patch
from ddsp_studio.training import bundle, samples
from ddsp_studio.training.data.audio_source import read_mono
from ddsp_studio.training.evaluation import compare
from ddsp_studio.training.features.clock import frame_period
from ddsp_studio.training.features.extract import Frames, extract
from ddsp_studio.training.fitting import Fitting
from ddsp_studio.training.statistics import measure
from ddsp_studio.training.transfer import Fit, fit_to, play, transfer

from .materials import RATE, patch, tone, write

STATISTICS = {
    "pitch": np.array([62.0, 4.0], np.float32),
    "loudness": np.array([-30.0, 8.0], np.float32),
    "levels": np.linspace(-60.0, -15.0, 11, dtype=np.float32),
    "gestures": np.array([1000.0, 200.0, -80.0], np.float32),
    "range": np.array([57.0, 69.0], np.float32),
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained instrument as a model: it plays its drawn patch."""
    fitting = Fitting(bundle.banded(patch(reverb=True), RATE), RATE)
    fitting.measure(STATISTICS)
    path = tmp_path_factory.mktemp("models") / "tone.ddspmodel"
    data, training = {"sources": ["tone.wav"], "seconds": 6.0, "licence": "CC0 1.0"}, {"step": 0, "seconds": 0.0}
    sound = np.zeros(RATE, np.float32)
    bundle.save_bundle(
        path, fitting, fitting.vector(), name="Tone", statistics=STATISTICS, data=data, training=training, preview=sound
    )
    return path


def test_templates_are_sound_and_can_be_trained() -> None:
    assert set(resources.factory(resources.TEMPLATES)) == {"solo_instrument", "timbre_autoencoder", "wavetable_instrument"}
    for path in resources.factory(resources.TEMPLATES).values():
        held = patch_file.load(path)
        check(held)
        fitting = Fitting(held, RATE)
        frames = {"f0_hz": tf.fill([2, 20, 1], 300.0), "loudness_db": tf.fill([2, 20, 1], -20.0)}
        frames["audio"] = tf.random.stateless_normal([2, 1280], [1, 2]) * 0.1
        vector = tf.constant(fitting.vector())

        @tf.function(autograph=False)
        def slope(vector: object, fitting: Fitting = fitting, frames: dict[str, object] = frames) -> object:
            with tf.GradientTape() as tape:
                tape.watch(vector)
                loss = tf.reduce_sum(tf.square(fitting.sound(vector, frames)))
            return tape.gradient(loss, vector)

        felt = slope(vector).numpy()
        assert np.all(np.isfinite(felt))
        for node in {slot.node for slot in fitting.slots}:
            assert any(np.any(felt[slot.place] != 0.0) for slot in fitting.slots if slot.node == node), (path.stem, node)


def test_heads_begin_with_the_drawn_values() -> None:
    """What is drawn is what an untrained decoder plays, whatever the defaults are."""
    features = {"f0_hz": tf.fill([1, 50, 1], 300.0), "loudness_db": tf.fill([1, 50, 1], -20.0)}
    levels = []
    for amplitude in (0.1, 0.4):
        fitting = Fitting(patch(amplitude=amplitude), RATE)
        sound = fitting.sound(tf.constant(fitting.vector()), features).numpy()
        levels.append(np.sqrt(np.mean(sound[:, 320:] ** 2)))
    assert levels[1] / levels[0] == pytest.approx(4.0, rel=0.15)


def test_a_model_names_itself_to_its_nodes(model: Path) -> None:
    held = instrument(str(model))
    assert {name for name, node in held.nodes.items() if "model" in node.options} == {"net", "room", "expression"}
    assert open_patch(str(model)) == held
    assert held.nodes["tone"].options["bandwidth"] == RATE / 2
    bare = model.parent / "weights.ddspmodel"
    model_file.save(model_file.Model({"sample_rate": RATE, "nodes": {}}, {}), bare)
    with pytest.raises(ValueError, match="no patch"):
        instrument(str(bare))


@pytest.mark.parametrize(("kind", "drive"), [("Harmonic", "distribution"), ("FilteredNoise", "magnitudes")])
def test_what_was_trained_at_a_low_rate_sounds_the_same_at_a_high_one(kind: str, drive: str) -> None:
    """Band levels agree to half a dB up to the trained Nyquist, and nothing is heard above it."""
    levels = []
    for rate in (16_000, 48_000, 44_100):
        made = processor_types()[kind](rate, name="s", bandwidth=8000.0)
        count = made.channels(drive)
        drawn = tf.constant(np.tile(np.linspace(1.0, 0.3, count), (1, rate // 64, 1)), tf.float32)
        x = {drive: drawn} | ({"f0": tf.fill([1, rate // 64, 1], 200.0)} if kind == "Harmonic" else {})
        audio = made.process(made.start(1), x)[0]["audio"].numpy()[0]
        audio = np.pad(audio, (0, rate - len(audio)))
        power = np.abs(np.fft.rfft(audio * np.hanning(rate))) ** 2 / rate**2
        levels.append([10 * np.log10(power[a : a + 1000].sum() + 1e-20) for a in (0, 1000, 3000, 5000, 6000)])
        above = power[9500:] if rate > 20_000 else np.zeros(1)
        assert 10 * np.log10(above.max() + 1e-20) < -100.0
    np.testing.assert_allclose(levels[1], levels[0], atol=0.6)
    np.testing.assert_allclose(levels[2], levels[0], atol=0.6)


def test_statistics_are_those_of_the_sound(tmp_path: Path) -> None:
    from ddsp_studio.training.data.corpus import Entry, open_corpus
    from ddsp_studio.training.data.store import Analysis

    audio = tone()
    write(tmp_path / "a.wav", audio)
    corpus = open_corpus([Entry(tmp_path / "a.wav")], Analysis(sample_rate=RATE), cache=tmp_path / "cache")
    known = measure(corpus.recordings)
    low, high = known["range"]
    assert 56.5 < low < high < 69.5
    assert np.all(np.diff(known["levels"]) >= 0.0)
    assert known["gestures"][2] == -80.0 and known["gestures"][0] > 200.0


@pytest.mark.parametrize("plucked", [True, False])
def test_held_notes_that_fade_are_told_from_those_that_are_held(tmp_path: Path, plucked: bool) -> None:
    from ddsp_studio.training.data.corpus import Entry, open_corpus
    from ddsp_studio.training.data.store import Analysis

    time = np.arange(int(0.8 * RATE)) / RATE
    shape = np.exp(-4.0 * time) if plucked else np.sin(np.pi * time / 0.8) ** 0.5
    notes = [shape * sum(np.sin(2 * np.pi * k * f0 * time) / k for k in range(1, 6)) for f0 in np.geomspace(110.0, 330.0, 10)]
    pause = np.zeros(RATE // 5)
    write(tmp_path / "a.wav", 0.2 * np.concatenate([part for note in notes for part in (note, pause)]))
    known = measure(open_corpus([Entry(tmp_path / "a.wav")], Analysis(sample_rate=RATE), cache=tmp_path / "cache").recordings)
    if plucked:
        assert known["decay"][0] == pytest.approx(4.0 * 20.0 / np.log(10.0), rel=0.1)
        assert known["peaks"][5] > known["levels"][5] + 5.0
    else:
        assert known["decay"][0] == 0.0 and "peaks" not in known


def test_a_recording_is_fitted_to_what_the_model_knows() -> None:
    frames = extract([tone(2.0).astype(np.float32)], RATE)
    about = {"statistics": {"range": [57.0, 69.0], "levels": list(np.linspace(-60.0, -15.0, 11))}}
    assert fit_to(frames, about).octaves == 0
    low = frames._replace(f0_hz=frames.f0_hz / 4.0)
    assert fit_to(low, about).octaves == 2
    for share, octaves in ((0.05, 0), (0.3, 1)):  # of the frames, below the model's range
        some = np.arange(len(frames.f0_hz)) < share * len(frames.f0_hz)
        assert fit_to(frames._replace(f0_hz=np.where(some, 105.0, 210.0).astype(np.float32)), about).octaves == octaves
    louder = fit_to(frames._replace(loudness_db=frames.loudness_db - 10.0), about).gain_db
    assert louder == pytest.approx(fit_to(frames, about).gain_db + 10.0, abs=0.5)
    assert fit_to(frames, {}) == Fit(0, 0.0)


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_transfer_keeps_pitch_and_time(model: Path, tmp_path: Path, rate: int) -> None:
    import soundfile
    import soxr

    source = tmp_path / "in.wav"
    soundfile.write(source, soxr.resample(tone(2.0, partials=3), RATE, rate), rate)
    done = transfer(source, str(model))
    target = read_mono(source, done.sample_rate)
    assert done.sample_rate == rate and len(done.audio) == len(target)
    scores = compare(target[None], done.audio[None], rate)
    assert scores.f0_cents < 5.0 and scores.f0_accuracy > 0.9
    # in blocks, it is what it is at once
    once = play(instrument(str(model)), rate, done.asked, target, gain_db=done.fit.gain_db)
    np.testing.assert_allclose(once * 10 ** (-done.fit.gain_db / 20), done.audio, atol=1e-6)


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_blocks_of_a_transfer_cannot_be_heard(monkeypatch: pytest.MonkeyPatch, rate: int) -> None:
    """An envelope starts with each note and not with each block, the clock goes on, and features glide over the edges."""
    from ddsp_studio.processors.patch import Cable, Node, Port
    from ddsp_studio.training import playing as module

    drawn = patch(reverb=True).without_nodes(["net", "expression"])
    drawn = drawn.with_node("envelope", Node("Adsr", values={"sustain": (0.2,), "decay": (0.1,)}))
    drawn = drawn.with_node("lfo", Node("Lfo", version=2, options={"sync": "1/2", "shape": "saw"}))
    for source, target in (
        ("voice.gate", "envelope.gate"),
        ("voice.trigger", "envelope.trigger"),
        ("envelope.out", "tone.amplitude"),
    ):
        drawn = drawn.with_cable(Cable(Port.parse(source), Port.parse(target)))
    drawn = drawn.with_cable(Cable(Port("lfo", "out"), Port("mixer", "gain"), amount=0.2))
    frames = 300
    f0 = np.where(np.arange(frames) < 200, np.linspace(200.0, 400.0, frames), 300.0).astype(np.float32)
    loudness = np.full(frames, -30.0, np.float32)
    loudness[:20] = loudness[200:210] = -90.0  # two notes, the first of them held over many blocks
    given = Frames(f0, np.ones(frames, np.float32), loudness)
    audio = np.zeros((frames - 1) * frame_period(rate), np.float32)
    played = []
    for size in (60, 400):
        monkeypatch.setattr(module, "_BLOCK_FRAMES", size)
        played.append(play(drawn, rate, given, audio))
    assert np.max(np.abs(played[1])) > 0.05
    np.testing.assert_allclose(played[0], played[1], atol=1e-4)


def test_a_recording_that_cannot_be_judged_costs_a_sentence(model: Path, tmp_path: Path) -> None:
    runner, folder = CliRunner(), tmp_path / "in"
    write(folder / "b.wav", tone(1.0, partials=3))
    (folder / "a.wav").write_text("no sound")
    write(folder / "c.wav", np.zeros(RATE))
    told = runner.invoke(app, ["evaluate", str(folder), "-m", str(model), "--json"])
    assert told.exit_code == 0, told.output
    assert list(json.loads(told.stdout)) == [str(folder / "b.wav")]
    lines = told.stderr.splitlines()
    assert len(lines) == 2 and "a.wav" in lines[0] and "c.wav is silent; it is left out" in lines[1]
    (folder / "b.wav").unlink()
    told = runner.invoke(app, ["evaluate", str(folder), "-m", str(model)])
    assert "none of the 2 recordings could be judged" in str(told.exception)
    told = runner.invoke(app, ["evaluate", str(folder / "c.wav"), "-m", str(model)])
    assert str(told.exception) == "c.wav is silent"
    write(folder / "d.wav", tone(1.0)[:60])
    told = runner.invoke(app, ["transfer", str(folder / "d.wav"), "-m", str(model), "-o", str(tmp_path / "out.wav")])
    assert str(told.exception) == "d.wav is too short to be played: it has 3.8 ms of sound"


def test_the_command_line_plays_and_describes_a_model(model: Path, tmp_path: Path) -> None:
    runner = CliRunner()
    told = runner.invoke(app, ["model", str(model)])
    assert told.exit_code == 0 and "licence: CC0 1.0" in told.output and "notes A3 to A4" in told.output
    assert json.loads(runner.invoke(app, ["model", str(model), "--json"]).output)["name"] == "Tone"
    out = tmp_path / "out.wav"
    rendered = runner.invoke(app, ["render", str(model), "-o", str(out), "--seconds", "0.3", "--voices", "2", "--tail", "0.2"])
    assert rendered.exit_code == 0, rendered.output
    assert np.max(np.abs(read_mono(out, 48_000))) > 0.01
    refused = runner.invoke(app, ["train", str(tmp_path / "nothing.wav"), "-o", str(tmp_path / "run")])
    assert "nothing.wav" in str(refused.exception)
    bad = tmp_path / "text.wav"
    bad.write_text("no sound")
    refused = runner.invoke(app, ["transfer", str(bad), "-m", str(model), "-o", str(tmp_path / "x.wav")])
    assert isinstance(refused.exception, ValueError) and not (tmp_path / "x.wav").exists()


def test_spectrograms_are_in_decibels() -> None:
    sine = np.sin(2 * np.pi * 1000.0 * np.arange(RATE) / RATE).astype(np.float32)
    db = samples.spectrogram_db(sine)
    assert abs(float(db.max())) < 0.5 and db.min() >= samples.FLOOR_DB


def test_a_patch_that_listens_is_trained_as_one_that_is_played() -> None:
    """Pitch and loudness of the input give way to those of the data set, in time with the sound; the input is the recording."""
    from ddsp_studio.processors.patch import Cable, Node, Port

    played = patch(reverb=True)
    heard = (
        played.without_nodes(["voice", "expression"]).with_node("in", Node("AudioInput")).with_node("ear", Node("PitchTracker"))
    )
    cables = {"in.audio": "ear.input", "ear.f0": "tone.f0", "ear.f0 ": "net.f0", "ear.loudness": "net.loudness"}
    for source, target in cables.items():
        heard = heard.with_cable(Cable(Port.parse(source.strip()), Port.parse(target)))
    rng = np.random.default_rng(1)
    features = {
        "f0_hz": tf.constant(rng.uniform(200.0, 400.0, (2, 30, 1)), tf.float32),
        "loudness_db": tf.constant(rng.uniform(-50.0, -20.0, (2, 30, 1)), tf.float32),
        "audio": tf.constant(rng.normal(0.0, 0.1, (2, 30 * 64)), tf.float32),
    }
    one, other = Fitting(played, RATE), Fitting(heard, RATE)
    np.testing.assert_allclose(other.sound(other.vector(), features), one.sound(one.vector(), features), atol=1e-6)
