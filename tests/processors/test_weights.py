"""Weights are inputs: trained arrays come from model files, and change what plays without compiling."""

from __future__ import annotations

import json
import pickle
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from ddsp_studio.dsp.tensor import Tensor, tf
from ddsp_studio.processors import catalogue, model_file
from ddsp_studio.processors.base import Processor
from ddsp_studio.processors.check import refusal
from ddsp_studio.processors.declare import Control, Outlet, Signal, Weight
from ddsp_studio.processors.group import ProcessorGroup
from ddsp_studio.processors.knob_space import from_logits
from ddsp_studio.processors.model_file import Model
from ddsp_studio.processors.patch import Node, Patch, PatchError, Port
from ddsp_studio.processors.player import Player

from .patches import wired
from .stimulus import performance

RATE = 16_000


class Network(Processor, version=1, category="Test", listed=False):
    """One linear layer from a control to every head."""

    input = Control(unit="", low=-1.0, high=1.0, default=0.0, doc="What it hears")
    controls = Outlet(signal=Signal.CONTROL, learned=True, doc="What it drives")
    head = Weight(doc="Layers")

    class Memory(NamedTuple):
        """Nothing."""

    def weights(self) -> dict[str, Any]:
        return {f"head/{h.target}": np.full([1, h.channels], 0.0, np.float32) for h in self.heads}

    def memory(self, batch: int) -> Any:
        return ()

    def render(self, memory: Any, x: Any) -> tuple[dict[str, Any], Any]:
        return {"controls": {h.target: x.input[:, 1:] @ x.weights[f"head/{h.target}"] for h in self.heads}}, memory


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> None:
    types, sheets = dict(catalogue.processor_types()), dict(catalogue.specs())
    monkeypatch.setattr(catalogue, "_TYPES", {**types, "Network": Network})
    monkeypatch.setattr(catalogue, "_SPECS", {**sheets, "Network": Network.spec})


def learned() -> Patch:
    nodes = {
        "voice": Node("Voice"),
        "net": Node("Network", values={"input": (1.0,)}),
        "tone": Node("Harmonic", options={"partials": 4}),
        "mixer": Node("VoiceMixer"),
        "out": Node("Output"),
    }
    return wired(
        nodes,
        "voice.f0 -> tone.f0",
        "net.controls -> tone.amplitude",
        "net.controls -> tone.distribution",
        "tone.audio -> mixer.input",
        "mixer.audio -> out.input",
    )


def sound(player: Player, hops: int = 8) -> np.ndarray:
    player.reset()
    return player.render(
        np.tile(player.values, (hops, 1)), performance(np.random.default_rng(1), player.voices, hops)
    ).audio.copy()


@pytest.mark.usefixtures("network")
def test_untrained_heads_play_the_defaults_and_others_change_them_without_compiling() -> None:
    patch = learned()
    player = Player(patch, sample_rate=RATE, voices=2)
    plain = Player(patch.without_cables([c for c in patch.cables if c.source.node == "net"]), sample_rate=RATE, voices=2)
    silent = sound(player)
    # the first partial's default is at the end of its knob, which a head does not quite reach
    assert np.max(np.abs(silent - sound(plain))) < 0.1 * np.max(np.abs(silent))
    functions = dict(player._functions)
    player.use_weights({"net": {"head/tone.amplitude": np.full([1, 1], -9.0), "head/tone.distribution": np.zeros([1, 4])}})
    assert np.max(np.abs(sound(player))) < 0.01 * np.max(np.abs(silent))
    assert player._functions == functions


@pytest.mark.usefixtures("network")
def test_a_patch_is_differentiable_by_its_weights() -> None:
    group = ProcessorGroup(learned(), sample_rate=RATE, playing=False)
    weights = {node: {k: tf.Variable(w) for k, w in held.items()} for node, held in group.weights.items()}
    player = Player(learned(), sample_rate=RATE, voices=2)
    notes = tf.constant(performance(np.random.default_rng(1), 2, 6))
    with tf.GradientTape() as tape:
        block, _ = group.process(group.start(2), tf.constant(np.tile(player.values, (6, 1))), notes, group.derive(weights))
        loss = tf.reduce_sum(block.audio**2)
    for slope in tf.nest.flatten(tape.gradient(loss, weights)):
        assert np.all(np.isfinite(slope)) and np.any(slope != 0.0)


@pytest.mark.usefixtures("network")
def test_a_learned_outlet_sets_controls_of_any_unit_and_no_audio() -> None:
    patch = learned()
    assert refusal(patch, Port("net", "controls"), Port("tone", "tilt")) is None
    assert "audio" in str(refusal(patch, Port("net", "controls"), Port("mixer", "input")))
    assert "no amount" in str(refusal(patch, Port("net", "controls"), Port("tone", "tilt"), 0.5))


def model(**arrays: np.ndarray) -> Model:
    return Model({"sample_rate": RATE, "nodes": {"hall": "ConvolutionReverb"}}, {"hall": arrays})


def room(path: Path) -> Node:
    return Node("ConvolutionReverb", options={"model": str(path)})


def test_a_model_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    path = tmp_path / "hall.ddspmodel"
    held = model(response=np.random.default_rng(2).normal(size=(1, 900)).astype(np.float32))
    saved = Model(held.about, held.weights, {"preview.flac": b"sound"})
    model_file.save(saved, path)
    first = path.read_bytes()
    back = model_file.load(path)
    assert back.files == saved.files and back.about["nodes"] == saved.about["nodes"]
    np.testing.assert_array_equal(back.weights["hall"]["response"], held.weights["hall"]["response"])
    model_file.save(saved, path)
    assert path.read_bytes() == first


@pytest.mark.parametrize("rate", [RATE, 48_000])
def test_a_learned_room_sounds_the_same_at_any_rate(tmp_path: Path, rate: int) -> None:
    response = np.zeros((1, 2000), np.float32)
    response[0, 400] = 1.0
    model_file.save(model(response=response), tmp_path / "hall.ddspmodel")
    made = catalogue.processor_types()["ConvolutionReverb"](rate, name="hall", model=str(tmp_path / "hall.ddspmodel"))
    audio = np.zeros((1, 64 * 60), np.float32)
    time = np.arange(audio.shape[1]) / rate
    audio[0] = np.sin(2 * np.pi * 500.0 * time)
    out, _ = made.process(made.start(1), {"input": tf.constant(audio), "mix": tf.ones([1, 60, 1])})
    expected = np.where(time > 400 / RATE, np.sin(2 * np.pi * 500.0 * (time - 400 / RATE)), 0.0)
    late = slice(int(0.04 * rate), None)
    np.testing.assert_allclose(out["audio"].numpy()[0, late], expected[late], atol=2e-3)


def test_what_cannot_be_used_is_told_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "bad.ddspmodel"

    def told() -> str:
        with pytest.raises(PatchError) as caught:
            ProcessorGroup(wired({"hall": room(path), "out": Node("Output")}, "hall.audio -> out.input"), sample_rate=RATE)
        return str(caught.value)

    assert "no model" in told()
    path.write_bytes(b"not a zip")
    assert "damaged or no model" in told()
    model_file.save(Model({"sample_rate": RATE, "nodes": {"net": "Decoder"}}, {}), path)
    assert "has no weights for a ConvolutionReverb called hall" in told()
    model_file.save(model(response=np.full((1, 9), np.nan, np.float32)), path)
    assert "no finite numbers" in told()


def test_a_model_executes_nothing(tmp_path: Path) -> None:
    path, marker = tmp_path / "evil.ddspmodel", tmp_path / "executed"

    class Evil:
        def __reduce__(self) -> Any:
            return (Path.touch, (marker,))

    about = {"format": model_file.FORMAT, "schema": 1, "sample_rate": RATE, "nodes": {"hall": "ConvolutionReverb"}}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.json", json.dumps(about))
        archive.writestr("weights/hall/response.npy", pickle.dumps(Evil()))
    with pytest.raises(ValueError, match="damaged"):
        model_file.load(path)
    assert not marker.exists()


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9, 0.99])
def test_a_model_cut_short_is_refused(tmp_path: Path, keep: float) -> None:
    path = tmp_path / "hall.ddspmodel"
    model_file.save(model(response=np.ones((1, 900), np.float32)), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])
    with pytest.raises(ValueError, match="damaged or no model"):
        model_file.load(path)


def altered(path: Path, change: Any = lambda about: None, without: str = "") -> Path:
    """A copy of a model with another description, or without a member."""
    other = path.with_name("altered.ddspmodel")
    with zipfile.ZipFile(path) as held, zipfile.ZipFile(other, "w") as archive:
        about = json.loads(held.read("model.json"))
        change(about)
        for name in set(held.namelist()) - {"model.json", without}:
            archive.writestr(name, held.read(name))
        archive.writestr("model.json", json.dumps(about))
    return other


def test_a_model_that_lacks_an_array_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "hall.ddspmodel"
    model_file.save(model(response=np.ones((1, 900), np.float32)), path)
    with pytest.raises(ValueError, match="damaged: 'response' of hall is missing"):
        model_file.load(altered(path, without="weights/hall/response.npy"))
    older = altered(path, lambda about: about.pop("arrays"))
    np.testing.assert_array_equal(model_file.load(older).weights["hall"]["response"], np.ones((1, 900)))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sample_rate", 0), ("sample_rate", "fast"), ("sample_rate", float("inf")), ("nodes", ["hall"]), ("name", ["x"]),
        ("weights", "many"), ("range_midi", "ab"), ("range_midi", [1]), ("range_midi", [float("nan"), 60]),
        ("range_midi", [1e9, 1e9]),
        ("statistics", {"range": ["a", "b"]}), ("statistics", {"range": [1, 2, 3]}), ("statistics", {"levels": []}),
        ("data", 5), ("data", {"seconds": "3"}), ("data", {"sources": [1]}), ("training", [1]), ("training", {"scores": [1]}),
        ("training", {"judged_on": ["a"]}), ("arrays", {"hall": "response"}),
    ],
)  # fmt: skip
def test_what_a_model_says_of_itself_can_be_relied_on(tmp_path: Path, key: str, value: object) -> None:
    path = tmp_path / "hall.ddspmodel"
    model_file.save(model(response=np.ones((1, 900), np.float32)), path)
    with pytest.raises(ValueError, match=rf"description in the model 'altered.ddspmodel' is damaged: .*{key}"):
        model_file.read_about(altered(path, lambda about: about.update({key: value})))


def test_logits_land_on_the_default_and_stay_in_range() -> None:
    for sheet in catalogue.specs().values():
        for name, control in sheet.controls.items():
            channels = sheet.channels(name)
            values: Tensor = from_logits(control, tf.constant([[-40.0] * channels, [0.0] * channels, [40.0] * channels]))
            inside = [control.from_knob(min(max(control.to_knob(v), 0.01), 0.99)) for v in control.defaults(channels)]
            np.testing.assert_allclose(values[1], inside, rtol=1e-4, atol=1e-4 * (control.high - control.low))
            span = 1e-5 * (control.high - control.low)
            assert np.all(values >= control.low - span) and np.all(values <= control.high + span)
