"""MIDI controllers turn knobs in the engine: at their sample, in any block, live and in a render."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile

from ddsp_studio.audio import protocol
from ddsp_studio.audio.events import Midi
from ddsp_studio.audio.midi_file import Song
from ddsp_studio.audio.offline import render_file
from ddsp_studio.audio.renderer import Renderer
from ddsp_studio.audio.session import EngineSession
from ddsp_studio.audio.values import turns
from ddsp_studio.audio.voices import VoiceAllocator
from ddsp_studio.processors import patch_file
from ddsp_studio.processors.patch import Controller, PatchError

from .fake import FakePlayer, FakeSmoother, FakeWorkshop
from .patches import synth
from .test_engine_process import SILENT, until

RATE = 48_000


def taught(channel=0, control="gain", node="out"):
    """The synth, whose output level is turned by controller 20."""
    patch = synth()
    return patch.with_node(node, replace(patch.nodes[node], midi={control: Controller(20, channel)}))


def renderer(patch):
    player = FakePlayer(patch, RATE, 4)
    held = Renderer(player, FakeSmoother(player), VoiceAllocator(4), sample_rate=RATE)
    held.sequencer.turns = turns(patch)
    return held


def level(held):
    return float(held.sequencer._smoother.now[held.player.columns["out.gain"]][0])


def test_a_controller_goes_through_the_whole_range_of_its_knob_by_the_knobs_own_law():
    held, found = renderer(taught()), []
    for value in (0, 64, 127):
        held.post(Midi(held.position, bytes((0xB0, 20, value))))
        held.render(4)
        found.append(level(held))
    assert found == [-60.0, pytest.approx(-60.0 + 72.0 * 64 / 127), 12.0]
    assert list(held.sequencer.turned) == [("out.gain", (pytest.approx(at),)) for at in found]


def test_channel_and_number_decide():
    held = renderer(taught(channel=3))
    for data in ((0xB0, 20, 9), (0xB2, 21, 9), (0x92, 20, 9), (0xE2, 20, 9)):
        held.post(Midi(held.position, bytes(data)))
    held.render(4)
    assert level(held) == 0.0
    held.post(Midi(held.position, bytes((0xB2, 20, 0))))
    held.render(4)
    assert level(held) == -60.0


def test_a_song_turns_knobs_in_a_render_and_the_block_changes_nothing(tmp_path):
    data = (bytes((0x90, 60, 100)), *(bytes((0xB0, 20, v)) for v in (100, 60, 90)), bytes((0x80, 60, 0)))
    song = Song("turned", (0.0, 0.051, 0.117, 0.203, 0.3), data, 0.3)
    sounds = []
    for block, patch in ((64, taught()), (4800, taught()), (4800, synth())):
        out = tmp_path / "out.wav"
        render_file(patch, song, out, block=block, bit_depth="32f", tail_s=0.1, workshop=FakeWorkshop())
        sounds.append(soundfile.read(out, dtype="float32")[0])
    np.testing.assert_allclose(sounds[1], sounds[0], atol=1e-5)
    assert np.abs(sounds[2] - sounds[0]).max() > 0.01


def test_the_engine_turns_and_tells_what_was_turned(fake_engine):
    with EngineSession(fake_engine) as engine:
        engine.send(protocol.Configure(settings=SILENT))
        engine.play_patch(taught(), 1)
        engine.send(protocol.Midi(data=[0x90, 60, 127]))
        until(lambda: engine.telemetry.data["peak"][0] > 0.05)
        engine.send(protocol.Midi(data=[0xB0, 20, 0]))
        told = engine.wait_for(protocol.Turned)
        assert (told.node, told.control, told.values) == ("out", "gain", [-60.0])
        until(lambda: engine.telemetry.data["peak"][0] < 1e-3)
        engine.play_patch(synth(), 3)  # what was learnt goes with the patch
        until(lambda: engine.telemetry.data["peak"][0] > 0.05)
        engine.send(protocol.Midi(data=[0xB0, 20, 0]))
        engine.send(protocol.Midi(data=[0x90, 67, 127]))
        until(lambda: engine.telemetry.data["voices"] == 2)
        assert engine.telemetry.data["peak"][0] > 0.05


def test_a_patch_keeps_its_controllers_in_the_file_and_is_not_compiled_anew_for_them():
    patch = taught(channel=5)
    assert patch_file.loads(patch_file.dumps(patch)) == patch
    assert patch_file.loads(patch_file.dumps(taught())).nodes["out"].midi == {"gain": Controller(20)}
    assert patch.structure() == synth().structure()
    assert "gain by CC 20 on channel 5" in str(patch)


@pytest.mark.parametrize(
    "bad", [[], "20", {"gain": 120}, {"gain": -1}, {"gain": [20]}, {"gain": [20, 17]}, {"gain": True}, {"gain": 1.5}]
)
def test_what_is_no_controller_is_refused(bad):
    data = patch_file.to_json(synth())
    data["nodes"]["out"]["midi"] = bad
    with pytest.raises(PatchError, match="MIDI controller"):
        patch_file.from_json(data)
