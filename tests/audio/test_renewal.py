"""A model file that changes while it plays: newer weights are heard at once, without compiling and without a click."""

import time

import numpy as np
import pytest

from ddsp_studio.audio import protocol
from ddsp_studio.audio.session import EngineSession
from ddsp_studio.processors import model_file
from ddsp_studio.processors.group import ProcessorGroup
from ddsp_studio.processors.model_file import Model
from ddsp_studio.processors.model_patch import with_model
from ddsp_studio.processors.patch import Cable, Node, Patch, PatchError, Port
from ddsp_studio.processors.performance import CHANNELS, GATE, NOTE, TRIGGER
from ddsp_studio.processors.player import Player

RATE, HOPS = 16_000, 4


def patch():
    made = Patch(name="learned")
    nodes = {
        "voice": Node("Voice"),
        "net": Node("RnnDecoder", options={"size": "tiny"}),
        "tone": Node("Harmonic", options={"partials": 4}),
        "mixer": Node("VoiceMixer"),
        "out": Node("Output"),
    }
    for name, node in nodes.items():
        made = made.with_node(name, node)
    for line in ("voice.f0 tone.f0", "voice.f0 net.f0", "net.controls tone.amplitude", "net.controls tone.distribution",
                 "tone.audio mixer.input", "mixer.audio out.input"):  # fmt: skip
        made = made.with_cable(Cable(*(Port.parse(port) for port in line.split())))
    return made


def write(path, seed, damaged=False):
    group, random = ProcessorGroup(patch(), sample_rate=RATE), np.random.default_rng(seed)
    arrays = {
        name: array + random.normal(0.0, 0.5, array.shape).astype(np.float32) for name, array in group.weights["net"].items()
    }
    if damaged:
        arrays = {name: array[..., :1] for name, array in arrays.items()}
    model_file.save(Model({"sample_rate": RATE, "nodes": {"net": "RnnDecoder"}}, {"net": arrays}), path)


def block(player, first=False):
    frames = np.zeros((1, HOPS, len(CHANNELS)), np.float32)
    frames[..., GATE], frames[..., NOTE] = 1.0, 60.0
    frames[:, 0, TRIGGER] = first
    return player.render(np.tile(player.values, (HOPS, 1)), frames).audio


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "own.ddspmodel"
    write(path, 1)
    return path


def test_newer_weights_fade_in_within_a_block(model):
    drawn = with_model(patch(), str(model), ["net"])
    old, renewed = (Player(drawn, sample_rate=RATE, voices=1) for _ in range(2))
    for i in range(8):
        block(old, i == 0), block(renewed, i == 0)
    functions = dict(renewed._functions)
    write(model, 2)
    renewed.reload_weights()
    before, after = block(old)[0], block(renewed)[0]
    moved = np.abs(after - before)
    assert moved.max() > 0.01 and moved[0] < 0.02 * moved.max()
    assert renewed._functions == functions
    fresh = Player(drawn, sample_rate=RATE, voices=1)
    for i in range(24):
        block(renewed), block(fresh, i == 0)
    assert np.sqrt(np.mean(block(renewed) ** 2)) == pytest.approx(np.sqrt(np.mean(block(fresh) ** 2)), rel=0.2)


def test_weights_that_do_not_fit_are_refused_and_the_old_ones_play_on(model):
    drawn = with_model(patch(), str(model), ["net"])
    player, twin = (Player(drawn, sample_rate=RATE, voices=1) for _ in range(2))
    block(player, True), block(twin, True)
    write(model, 2, damaged=True)
    with pytest.raises(PatchError, match="shape"):
        player.reload_weights()
    np.testing.assert_array_equal(block(player), block(twin))


def test_the_engine_tells_players_of_the_models_that_they_use(fake_engine, model, tmp_path):
    with EngineSession(fake_engine) as session:
        page = session.telemetry.data
        session.send(protocol.Configure(settings=protocol.AudioSettings(device="none")))
        session.wait_for(protocol.Status, lambda status: status.state == "silent")
        session.play_patch(with_model(patch(), str(model), ["net"]), 1)
        session.notes(60)
        until(lambda: page["peak"][0] > 0.05)
        session.send(protocol.RefreshModel(path=str(tmp_path / "another.ddspmodel")))
        session.send(protocol.Rescan())
        session.wait_for(protocol.Devices, lambda devices: True)
        assert page["peak"][0] < 0.15
        session.send(protocol.RefreshModel(path=str(model)))
        until(lambda: page["peak"][0] > 0.25)


def until(condition):
    deadline = time.monotonic() + 15.0
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.01)
